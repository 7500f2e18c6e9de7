"""Actuals: what was spent, kept as the amounts of budgets of Odoo that are there for it.

Nothing is posted: bookings come from whoever keeps the accounts, and would stand there twice.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from canonical.amount import Amount
from canonical.spent import Place, Spent, place_of, summed
from connectors.calling.steps import in_steps
from connectors.contract.errors import Rejected, Stale
from connectors.contract.records import Keeping, Recorded
from connectors.erp.entries import Entry
from connectors.erp.mapping import by_ref, turned
from connectors.odoo.entries import Planned, planned
from connectors.odoo.reading import Read, Reader
from connectors.odoo.records import Records
from connectors.odoo.rounding import is_whole


@dataclass(frozen=True, slots=True)
class _Slot:
    """An amount, and the line that it belongs into, as it was read."""

    place: Place
    spent: Amount
    line: Planned

    @property
    def same(self) -> bool:
        """Whether it stands there already."""
        return self.line.amount == self.spent.value

    @property
    def value(self) -> Decimal:
        """The amount as Odoo has it."""
        return turned(self.spent.value, self.line.factor)


class Actuals:
    """The budgets of actuals of one company in one Odoo."""

    def __init__(self, records: Records, reader: Reader) -> None:
        self._records, self._reader = records, reader

    @in_steps()
    def record(self, rows: Sequence[Spent], *, dry_run: bool) -> Sequence[Recorded]:
        """What became of each row, in their order; raises `Rejected` where there is no budget of
        actuals at all."""
        read, slots = self._reader.kept(), list[_Slot]()
        lines = by_ref(read.entries)
        answers: dict[Place, Recorded] = {}
        for place, spent in summed(rows).items():
            try:
                slots.append(_slot(read, lines.get(place.ref, ()), place, spent))
            except Rejected as error:
                answers[place] = _refused(error)
        refused = {} if dry_run else self._write([each for each in slots if not each.same])
        for slot in slots:
            why = refused.get(slot.place)
            answers[slot.place] = _refused(why) if why else _answer(slot)
        places = map(place_of, rows)
        return [answers[each] for each in places if each is not None]

    def _write(self, slots: Sequence[_Slot]) -> Mapping[Place, Rejected | Stale]:
        """Those that Odoo refuses; lines that get one amount are written together."""
        by_amount: dict[Decimal, list[_Slot]] = defaultdict(list)
        for each in slots:
            by_amount[each.value].append(each)
        return {
            place: why for of in by_amount.values() for place, why in self._one_or_all(of).items()
        }

    def _one_or_all(self, slots: Sequence[_Slot]) -> Mapping[Place, Rejected | Stale]:
        """All in one transaction, or where one of them is refused each in its own."""
        family, values = self._reader.family, {self._reader.family.amount: slots[0].value}
        try:
            self._records.write(family.lines, [each.line.line for each in slots], values)
        except (Rejected, Stale) as error:
            if len(slots) == 1:
                return {slots[0].place: error}
            return {place: why for each in slots for place, why in self._one_or_all([each]).items()}
        return {}


def _slot(read: Read, own: Sequence[Entry], place: Place, spent: Amount) -> _Slot:
    """Which of the account's `own` lines it belongs into; raises `Rejected` where none is."""
    if place.unit != read.books.unit:
        raise Rejected(f"the company keeps its books in {read.books.unit}, not in {place.unit}")
    if not is_whole(spent, read.books.step):
        raise Rejected(f"{spent} is no multiple of {read.books.step}, as {place.unit} is in Odoo")
    if any(each.ref in (place.ref, None) for each in read.unread):
        raise Rejected("its lines cannot be read")
    if len({each.whose.key for each in own}) > 1:
        raise Rejected("several analytic accounts have this code")
    lines = [each for each in planned(own) if each.period == place.period]
    if len(lines) > 1:
        names = ", ".join(sorted({repr(each.document) for each in lines}))
        raise Rejected(f"{len(lines)} lines of {names} count {place.period}: keep one of them")
    if not lines:
        raise Rejected(f"no budget of actuals has a line for it that counts {place.period}")
    return _Slot(place, spent, lines[0])


def _answer(slot: _Slot) -> Recorded:
    outcome = Keeping.UNCHANGED if slot.same else Keeping.WRITTEN
    before = Amount.of(slot.line.amount or 0, slot.place.unit)
    return Recorded(outcome, slot.line.document, before, slot.spent)


def _refused(error: Rejected | Stale) -> Recorded:
    return Recorded(Keeping.REFUSED, reason=f"{error}")
