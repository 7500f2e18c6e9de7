"""The demo's settings file: one ERP, and five vendors that follow it."""

from canonical.kind import Kind

FOLLOWERS = {
    "vtex": """\
app_key = "file:vtex.key"
app_token = "file:vtex.token"
context_id = "unit-first"
currency = "USD"
""",
    "brex": """\
token = "file:brex.token"
""",
    "bill": """\
api_token = "file:bill.token"
currency = "USD"
""",
    "vantage": """\
token = "file:vantage.token"
workspace_token = "wrkspc_sandbox"
currency = "USD"

[systems.vantage.entities]             # who is who: an account of ours → a cost report of theirs
"account:6100" = "rprt_travel"
"account:6200" = "rprt_software"
"account:6300" = "rprt_marketing"
"account:6400" = "rprt_training"
""",
    "kaireon": """\
api_key = "file:kaireon.token"
tenant_id = "acme"
currency = "USD"
""",
}
"""Each vendor's own keys."""

ERPS = {
    "odoo": """\
database = "sandbox"
login = "trueup"
password = "file:odoo.password"
""",
    "erpnext": """\
api_key = "file:erpnext.key"
api_secret = "file:erpnext.secret"
""",
}
"""Those of ERP systems that have a sandbox, and no part in the demo."""

SPENDING: dict[str, tuple[Kind, str, object]] = {
    "vtex": (Kind.ALLOCATION, "allocation_id", 120),
    "brex": (Kind.ALLOCATION, "spend_limit_id", 12000),
    "bill": (Kind.BUDGET, "budgetId", 120),
}
"""How a sandbox is told that somebody spent: of what, under which name, how much in its units."""

CREDENTIALS = {
    "vtex": {"app_key": "app_key_sandbox", "app_token": "app_token_sandbox"},
    "brex": {"token": "bxt_sandbox"},
    "bill": {"api_token": "bill_sandbox_token"},
    "vantage": {"token": "vntg_sandbox"},
    "kaireon": {"api_key": "krn_sandbox"},
    "odoo": {"password": "odoo_sandbox"},
    "erpnext": {"api_key": "erpnext_key_sandbox", "api_secret": "erpnext_secret_sandbox"},
}
"""What each sandbox accepts unless told otherwise, by the key of the settings."""

PATHS = {"vantage": "/v2"}
"""Below which path of its address a vendor answers."""
_ACCEPT = {
    "bill": 'accept = ["blocked:entity"]   # its members are people\n',
    "kaireon": 'accept = ["blocked:entity"]   # its scopes are offers\n',
}


EXPORTS = """\
path = "exports/*.xlsx"                # as the ERP exports them …
files = "newest"                       # … the newest of them counts
layout = "business-central"            # `trueup look FILE` finds it out
currency = "USD"                       # which the file does not say
"""
"""What the demo reads."""


def settings_text(addresses: dict[str, str], files: str = EXPORTS) -> str:
    """The whole file; `addresses` are those of the sandboxes, `files` the keys of the source."""
    parts = [
        f"""\
# Trueup's settings, as the demo wrote them.

[systems.erp]                          # the side that owns the budgets
connector = "file"
{files}"""
    ]
    for name, keys in FOLLOWERS.items():
        parts.append(
            f'\n[systems.{name}]\nconnector = "{name}"\n'
            f'base_url = "{addresses[name]}{PATHS.get(name, "")}"\n'
            f'rate_limit = "100000/1m"               # the sandbox has no limit\n{keys}'
        )
    for name in FOLLOWERS:
        accept = _ACCEPT.get(name, "")
        parts.append(f'\n[syncs.erp-to-{name}]\nsource = "erp"\ntarget = "{name}"\n{accept}')
    return "".join(parts)
