"""Where Frappe's pages are silent, and where sites and users differ: one switch for each."""

from pydantic import Field

from connectors.sandbox.api import SandboxSwitches


class ErpnextSwitches(SandboxSwitches):
    """Where Frappe's pages are silent, and where sites and users differ."""

    api_key: str = Field("erpnext_key_sandbox", description="The user's API key.")
    old: bool = Field(False, description="A fresh site has its budgets in the form until 15.")
    empty: bool = Field(False, description="A fresh site has a company and a year, and no more.")
    reads: bool = Field(True, description="The user has the role Accounts Manager; else 403.")
    owner_only: bool = Field(
        False,
        description="He may read his own budgets alone: none is listed, and no word of it.",
    )
    hidden: tuple[str, ...] = Field(
        (), description="Fields above his permission level: left out of every answer."
    )
    hidden_is_null: bool = Field(False, description="Such fields are null, and are not left out.")
    guest: bool = Field(False, description="A wrong credential is that of a guest: 403, not 401.")
    tells_permissions: bool = Field(True, description="He may ask for his User Permissions.")
    most: int = Field(1000, ge=1, description="No page has more records, however many are asked.")
    lists_tables: bool = Field(False, description="Rows of a table may be listed by themselves.")
    html_errors: bool = Field(False, description="Refusals are pages of HTML, as of a proxy.")
