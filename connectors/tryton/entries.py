"""What Tryton's lines state, each for one period."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Final

from canonical.allocation import Status
from canonical.amount import Amount
from canonical.errors import CanonicalError
from canonical.period import Period
from canonical.text import ref as spelled
from connectors.erp.entries import Entry, Unread, Whose
from connectors.tryton.wire import (
    Account,
    AccountBudget,
    AccountLine,
    Analytic,
    AnalyticBudget,
    AnalyticLine,
    LinePeriod,
)

_ROUNDED: Final = Fraction(1, 20000)
"""What a ratio of four digits may lack."""


def analytic_entries(
    budgets: Iterable[AnalyticBudget], lines: Iterable[AnalyticLine]
) -> Iterator[Entry | Unread]:
    """One of each line of an analytic account, and of each other that states an amount."""
    by_id = {each.id: each for each in budgets}
    for line in lines:
        budget = by_id[line.budget]
        if line.account is None and not line.amount:
            continue  # a heading
        try:
            whose = _centre(line.account, line.name)
        except CanonicalError as error:
            yield Unread(None, f"line {line.id} of {budget.name!r}", f"its account {error}")
            continue
        period = Period(budget.start_date, budget.end_date)
        yield Entry(whose, period, line.amount, budget.name, line.id, line.stamp)


def account_entries(
    budget: AccountBudget, lines: Iterable[AccountLine], periods: Iterable[LinePeriod], unit: str
) -> Iterator[Entry | Unread]:
    """One of each period of each line of `budget` that states an amount, to the cent what the line
    says altogether; of a line without periods one for the whole fiscal year."""
    by_line: dict[int, list[LinePeriod]] = defaultdict(list)
    for each in periods:
        by_line[each.budget_line].append(each)
    for line in lines:
        if line.amount is None or (line.account is None and not line.amount):
            continue
        where = f"line {line.id} of {budget.name!r}"
        try:
            whose = _account(line)
        except CanonicalError as error:
            yield Unread(None, where, f"its account {error}")
            continue
        parts = sorted(by_line[line.id], key=lambda part: part.period.start_date)
        try:
            amounts = _split(
                Amount.of(line.amount, unit), [part.ratio or Decimal(0) for part in parts]
            )
        except CanonicalError as error:
            yield Unread(whose.ref, where, str(error))
            continue
        spans = [part.period for part in parts] or [budget.fiscalyear]
        for span, amount in zip(spans, amounts, strict=True):
            period = Period(span.start_date, span.end_date)
            yield Entry(whose, period, amount.value, budget.name, line.id)


def _split(amount: Amount, ratios: Sequence[Decimal]) -> Sequence[Amount]:
    """All of the amount, by ratios that may lack what their four digits cannot say."""
    if not ratios:
        return [amount]
    given = sum(map(Fraction, ratios), Fraction(0))
    if abs(1 - given) > len(ratios) * _ROUNDED:
        share = f"{Decimal(given.numerator) / Decimal(given.denominator):.2%}"
        raise CanonicalError(f"its periods hold {share} of its amount; give them all of it")
    return amount.split(ratios)


def _centre(account: Analytic | None, name: str | None) -> Whose:
    if account is None:
        return _by_name(name)
    status = Status.ACTIVE if account.active else Status.INACTIVE
    if account.state == "closed":
        status = Status.RETIRED
    return _by_code(account, "analytic_account.account", status)


def _account(line: AccountLine) -> Whose:
    if line.account is not None:
        status = Status.RETIRED if line.account.closed else Status.ACTIVE
        return _by_code(line.account, "account.account", status)
    return _by_name(line.account_type.name if line.account_type else line.name)


def _by_code(account: Analytic | Account, model: str, status: Status) -> Whose:
    key = f"{model},{account.id}"
    return Whose(spelled(account.code or "") or key, account.name, key, account.id, status)


def _by_name(name: str | None) -> Whose:
    ref = spelled(name or "")
    if not ref:
        raise CanonicalError("is not stated, nor a name")
    return Whose(ref, ref, f"name,{ref}")
