"""Company: whose books are read, and the proof that what is not shown is not there."""

from connectors.contract.errors import Forbidden, Rejected
from connectors.tryton.records import Records
from connectors.tryton.wire import COMPANIES, Company


def company_of(records: Records, system: str, named: str | None) -> Company:
    """The company `named` in the settings of `system`, or the only one; asks anew each time.

    A user whose records of no company are shown is answered with nothing and no error: raises
    `Forbidden`, so that an empty answer is never taken for empty books.
    """
    preferences = records.preferences()
    shown = preferences.shown()
    if not shown:
        said = "has no company" if not preferences.companies else "has no current company"
        raise Forbidden(
            f"{system}: the user {said}, and Tryton shows such a one no budgets and no error",
            hint="Give the user a company in Tryton, and make it the current one",
        )
    found = records.all(COMPANIES, [["id", "in", list(shown)]])
    wanted = [each for each in found if named in (None, each.rec_name)]
    if len(wanted) == 1:
        return wanted[0]
    names = ", ".join(sorted(repr(each.rec_name) for each in found)) or "none"
    if named is None:
        message = f"{system}: the user is shown budgets of several companies: {names}"
        raise Rejected(message, hint=f"Set company in [systems.{system}]")
    raise Forbidden(
        f"{system}: the user is shown no budgets of company {named!r}, but of {names}",
        hint="Make it the user's current company in Tryton, or set the user's company filter to "
        f"All; or check company in [systems.{system}]",
    )
