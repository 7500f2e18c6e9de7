"""Actuals: what was spent, kept as the amounts of analytic budgets that are there for it.

No move is posted: bookings come from whoever keeps the accounts, and would stand there twice.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from canonical.amount import Amount
from canonical.spent import Place, Spent, place_of, summed
from connectors.calling.steps import in_steps
from connectors.contract.errors import Malformed, Rejected, Stale
from connectors.contract.records import Keeping, Recorded
from connectors.erp.entries import Entry
from connectors.tryton.declared import TrytonSettings
from connectors.tryton.reading import Books, KeptRead
from connectors.tryton.records import Records
from connectors.tryton.wire import ANALYTIC_LINES, AnalyticBudget, number

_TRIES: Final = 3
"""How often it is read and written again where somebody changes the same lines meanwhile."""


@dataclass(frozen=True, slots=True)
class _Slot:
    """Where an amount belongs: a line as it was read, or one to be made for an account."""

    place: Place
    spent: Amount
    budget: AnalyticBudget
    line: Entry | None
    account: int | None
    value: Decimal

    @property
    def same(self) -> bool:
        """Whether it stands there already."""
        return self.line is not None and self.line.amount == self.value


class Actuals:
    """The budgets of actuals of one company in one Tryton."""

    def __init__(self, name: str, settings: TrytonSettings, records: Records, books: Books) -> None:
        self._name, self._settings, self._records, self._books = name, settings, records, books

    @in_steps()
    def record(self, rows: Sequence[Spent], *, dry_run: bool) -> Sequence[Recorded]:
        """What became of each row, in their order; raises `Rejected` where there is no budget of
        actuals at all."""
        for left in reversed(range(_TRIES)):
            try:
                answers = self._recorded(summed(rows), dry_run=dry_run)
                break
            except Stale:
                if not left:
                    raise
        return [answers[place] for row in rows if (place := place_of(row)) is not None]

    def _recorded(self, sums: Mapping[Place, Amount], *, dry_run: bool) -> Mapping[Place, Recorded]:
        read = self._books.kept({place.period for place in sums})
        answers: dict[Place, Recorded] = {}
        slots: list[_Slot] = []
        for place, spent in sums.items():
            try:
                slots.append(self._slot(read, place, spent))
            except Rejected as error:
                answers[place] = _refused(error)
        refused = {} if dry_run else self._write([each for each in slots if not each.same])
        for slot in slots:
            why = refused.get(slot.place)
            answers[slot.place] = _refused(why) if why else self._answer(slot)
        return answers

    def _slot(self, read: KeptRead, place: Place, spent: Amount) -> _Slot:
        """Raises `Rejected` where the amount has no place."""
        if place.unit != read.unit:
            raise Rejected(f"the company keeps its books in {read.unit}, not in {place.unit}")
        if not spent.is_exact():
            raise Rejected(f"{spent.text()} is not a whole number of the smallest {place.unit}")
        budget, (planned, kept) = read.budget(place.period), read.lines(place.period, place.ref)
        accounts = {each.whose.id for each in (*planned, *kept)}
        if len(accounts) > 1 or len(kept) > 1:
            raise Rejected("several analytic accounts have this code, or lines its name")
        if not accounts:
            raise Rejected(f"neither {budget.name!r} nor a budget that is read has a line for it")
        (account,) = accounts
        line = kept[0] if kept else None
        if line is None and not (self._settings.make_actuals_lines and account):
            hint = "make one, or set make_actuals_lines = true"
            raise Rejected(f"{budget.name!r} has no line for it: {hint}")
        value = spent.value * self._settings.sign + 0  # a zero has no sign
        return _Slot(place, spent, budget, line, account, value)

    def _answer(self, slot: _Slot) -> Recorded:
        line, before = slot.line, None
        if line is not None and line.amount is not None:
            before = Amount.of(line.amount * self._settings.sign, slot.place.unit)
        outcome = Keeping.UNCHANGED if slot.same else Keeping.WRITTEN
        return Recorded(outcome, slot.budget.name, before, slot.spent)

    def _write(self, slots: Sequence[_Slot]) -> Mapping[Place, Rejected]:
        """Those that Tryton refuses; each line is changed only as it was read."""
        there = [each for each in slots if each.line is not None]
        missing = [each for each in slots if each.line is None]
        return _one_or_all(there, self._change) | _one_or_all(missing, self._make)

    def _change(self, slots: Sequence[_Slot]) -> None:
        there = [(each.line, each.value) for each in slots if each.line is not None]
        stamps = {line.line: line.stamp for line, _ in there if line.stamp is not None}
        if len(stamps) < len(there):
            raise Malformed(f"{self._name}: the lines have no time stamp to lock them by")
        amounts = {line.line: value for line, value in there}
        self._records.write(ANALYTIC_LINES.name, amounts, stamps)

    def _make(self, slots: Sequence[_Slot]) -> None:
        made: list[dict[str, Any]] = [
            {"budget": each.budget.id, "account": each.account, "amount": number(each.value)}
            for each in slots
        ]
        self._records.create(ANALYTIC_LINES.name, made)


def _one_or_all(
    slots: Sequence[_Slot], send: Callable[[Sequence[_Slot]], None]
) -> dict[Place, Rejected]:
    """All in one transaction, or where one of them is refused each in its own."""
    if not slots:
        return {}
    try:
        send(slots)
    except Rejected as error:
        if len(slots) == 1:
            return {slots[0].place: error}
        return {place: why for each in slots for place, why in _one_or_all([each], send).items()}
    return {}


def _refused(error: Rejected) -> Recorded:
    return Recorded(Keeping.REFUSED, reason=f"{error}")
