"""Company: whose budgets are read, and the proof that what is not shown is not there.

Frappe leaves out of a listing what the user may not see, and says nothing of it.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from connectors.contract.errors import Forbidden, Malformed, Missing, Rejected
from connectors.erpnext.declared import ErpnextSettings
from connectors.erpnext.site import Site
from connectors.erpnext.wire import BUDGET, COST_CENTER, PROJECT, Company

_COMPANY: Final = "Company"
_LINKS: Final = (COST_CENTER, PROJECT, "Account", "Fiscal Year", "Monthly Distribution", BUDGET)
"""What a budget names: a User Permission for one of them hides those that name others."""
_PERMISSIONS: Final = "frappe.core.doctype.user_permission.user_permission.get_user_permissions"


def company_of(site: Site, system: str, settings: ErpnextSettings) -> Company:
    """The company that the settings of `system` name, or the only one; asks anew each time.

    Raises `Forbidden` where the user is shown none, or not that one: so an empty answer is never
    taken for empty books.
    """
    found = site.all(Company, _COMPANY)
    wanted = [each for each in found if settings.company in (None, each.name)]
    if len(wanted) == 1:
        return wanted[0]
    names = ", ".join(sorted(repr(each.name) for each in found)) or "none"
    if settings.company is None and found:
        message = f"{system}: the user is shown several companies: {names}"
        raise Rejected(message, hint=f"Set company in [systems.{system}]")
    which = "no company" if settings.company is None else f"no company {settings.company!r}"
    raise Forbidden(
        f"{system}: the user is shown {which}, but {names}",
        hint="Give the user the role Accounts Manager, and a User Permission for the company "
        f"where he has any for others; or check company in [systems.{system}]",
    )


def hidden_from(site: Site, against: Sequence[str]) -> Sequence[str] | None:
    """The kinds of which the user's User Permissions leave out some; None where he may not ask.

    Of companies it does not speak: one is read, and whether it is shown is known.
    """
    try:
        said = site.method(_PERMISSIONS)
    except (Forbidden, Missing, Rejected):
        return None
    if not isinstance(said or {}, Mapping):
        raise Malformed("the user's permissions are answered with something else")
    kinds = dict.fromkeys([*_LINKS, *against])
    return [kind for kind in kinds if _limits((said or {}).get(kind))]


def whole_view(site: Site, system: str, settings: ErpnextSettings) -> bool:
    """Whether it is known that the user is shown all budgets of a company.

    Raises `Forbidden` where he is not, and the settings do not say that this is meant.
    """
    hidden = hidden_from(site, settings.against)
    if hidden and not settings.restricted:
        kinds = ", ".join(hidden)
        raise Forbidden(
            f"{system}: the user has User Permissions for {kinds}, so some budgets are not shown",
            hint=f"Remove them, or set restricted = true in [systems.{system}] where only what "
            "is left is meant",
        )
    return hidden is not None


def _limits(rules: Any) -> bool:
    """Whether one of the rules for a kind counts for budgets, or for what they name."""
    if isinstance(rules, Mapping):  # as in version 11
        return True
    return isinstance(rules, list) and any(_counts(each) for each in rules)


def _counts(rule: Any) -> bool:
    only = rule.get("applicable_for") if isinstance(rule, Mapping) else None
    return not only or only in (BUDGET, COST_CENTER, PROJECT)
