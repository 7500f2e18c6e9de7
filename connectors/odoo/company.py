"""Company: whose books are read, and the proof that what is not shown is not there."""

from dataclasses import dataclass
from decimal import Decimal

from connectors.contract.errors import Forbidden, Malformed, Rejected
from connectors.odoo.records import Records
from connectors.odoo.wire import COMPANIES, CURRENCIES, Company, Currency

_FINEST, _COARSEST = Decimal("0.000001"), Decimal(1_000_000)
"""What currencies are rounded to."""


@dataclass(frozen=True, slots=True)
class Books:
    """A company, the currency of its books, and of what its amounts are whole multiples."""

    id: int
    name: str
    unit: str
    step: Decimal


def company_of(records: Records, system: str, named: str | None) -> Company:
    """The company `named` in the settings of `system`, or the only one; asks anew each time.

    A user who is shown no company is shown no budgets and no error: raises `Forbidden`, so that an
    empty answer is never taken for empty books.
    """
    shown = records.companies()
    if not shown:
        raise Forbidden(
            f"{system}: the user is shown no company, and so no budgets and no error",
            hint="Give the user a company in Odoo",
        )
    found = records.all(COMPANIES, Company, [["id", "in", list(shown)]])
    wanted = [each for each in found if named in (None, each.name)]
    if len(wanted) == 1:
        return wanted[0]
    names = ", ".join(sorted(repr(each.name) for each in found)) or "none"
    hint = f"Check company in [systems.{system}], and the user's companies in Odoo"
    if named is None and found:
        message = f"{system}: the user is shown budgets of several companies: {names}"
        raise Rejected(message, hint=f"Set company in [systems.{system}]")
    if wanted:
        raise Rejected(f"{system}: several companies are named {named!r}", hint=hint)
    said = "any company" if named is None else f"company {named!r}, but of {names}"
    raise Forbidden(f"{system}: the user is shown no budgets of {said}", hint=hint)


def books_of(records: Records, company: Company) -> Books:
    """The company with its currency; raises `Malformed` for a currency that none can be."""
    id, _ = company.currency_id
    found = records.all(CURRENCIES, Currency, [["id", "=", id]], {"active_test": False})
    if len(found) != 1:
        raise Malformed(f"the currency of company {company.name!r} is not shown to the user")
    (currency,) = found
    if not (currency.rounding.is_finite() and _FINEST <= currency.rounding <= _COARSEST):
        raise Malformed(f"currency {currency.name}: its rounding is {currency.rounding}")
    return Books(company.id, company.name, currency.name, currency.rounding)
