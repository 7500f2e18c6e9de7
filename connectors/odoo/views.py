"""Views: budgets and allocations, made of Odoo's lines; and a budget's amounts as lines."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal

from msgspec import structs

from canonical.budget import Budget
from canonical.kind import Kind
from canonical.period import Period
from connectors.contract.errors import Malformed, Rejected
from connectors.contract.records import Observed
from connectors.erp.entries import Entry
from connectors.erp.mapping import allocation_of, by_ref, overlaid, rewritten, summed, together
from connectors.erp.shown import Shown, observed, of_each, problem_of
from connectors.odoo.entries import Planned, planned
from connectors.odoo.reading import Read

_AS_IT_IS = 1
"""Entries are read with spend above zero."""


class Views:
    """Makes what the system `name` shows; `sums` is whether what several documents plan adds up."""

    def __init__(self, name: str, *, sums: bool) -> None:
        self._name, self._sums = name, sums

    def budgets(self, read: Read) -> Shown:
        """A budget of each analytic account."""

        def made(own: Sequence[Entry]) -> Observed | None:
            budget = self.budget(own, read.books.unit)
            return None if budget is None else observed(budget)

        return of_each(self._name, Kind.BUDGET, read.entries, read.unread, made)

    def budget(self, own: Sequence[Entry], unit: str) -> Budget | None:
        """What the lines of one account plan together; raises `Malformed` where they contradict."""
        lines = planned(own)
        keys = sorted({each.whose.key for each in lines})
        if len(keys) > 1:
            code = lines[0].whose.ref
            raise Malformed(f"several accounts have the code {code!r}: {', '.join(keys)}")
        if not self._sums:
            _ensure_said_once(lines)
        whose = lines[0].whose
        budget = summed(whose.ref, lines, unit, _AS_IT_IS)
        return budget and structs.replace(budget, name=whose.name, status=whose.status)

    def shares(self, read: Read, budgets: Mapping[str, Budget]) -> Shown:
        """The allocations of `budgets`: one of each position that their lines name."""
        shown, of_each_ref = Shown(), by_ref(read.entries)
        for ref, own in of_each_ref.items():
            if ref in budgets:
                shown.add(self._of_positions(planned(own), budgets[ref], read.books.unit))
        for aside in sorted({*of_each_ref, *(each.ref or "" for each in read.unread)} - {*budgets}):
            said = "its budget cannot be read"
            within = aside or None
            shown.problems.append(
                problem_of(self._name, Kind.ALLOCATION, None, f"of {aside}", said, within)
            )
        return shown

    def _of_positions(self, own: Sequence[Planned], budget: Budget, unit: str) -> Shown:
        def made(of: Sequence[Entry]) -> Observed | None:
            share = allocation_of(of, budget, unit, _AS_IT_IS)
            return None if share is None else observed(share)

        of_positions = [*_of_positions(own)]
        return of_each(self._name, Kind.ALLOCATION, of_positions, (), made, within=budget.ref)


def changes(entries: Sequence[Entry], wanted: Budget) -> Mapping[int, Decimal]:
    """Line → its new amount, spend above zero, for the lines that `wanted` says otherwise.

    Raises `Rejected` where it speaks of a time that no line has, or that has several: which of them
    is to change, nobody says.
    """
    together = _by_period(entries)
    found = rewritten(_sums(together), wanted, _AS_IT_IS)
    for own in together.values():
        if len(own) > 1 and own[0].line in found:
            several = f"{wanted.ref}: the amount of {own[0].period} is the sum of {len(own)} lines"
            raise Rejected(several, hint="Change them in the ERP")
    return found


def stated_then(entries: Sequence[Entry], wanted: Budget) -> Budget:
    """What the lines state once they are changed to what is `wanted`; raises as `changes` does."""
    amounts = changes(entries, wanted)
    return overlaid(_sums(_by_period(entries)), wanted, amounts, _AS_IT_IS)


def _of_positions(own: Iterable[Planned]) -> Iterator[Entry]:
    """The entries under their positions, those of one position and period summed."""
    lines: dict[tuple[str, Period], list[Entry]] = defaultdict(list)
    for each in own:
        if each.position is not None:
            lines[each.position.key, each.period].append(replace(each, whose=each.position))
    return (_sum(of) for of in lines.values())


def _by_period(entries: Iterable[Entry]) -> Mapping[Period, Sequence[Entry]]:
    found: dict[Period, list[Entry]] = defaultdict(list)
    for each in entries:
        found[each.period].append(each)
    return {period: found[period] for period in sorted(found)}


def _sums(together: Mapping[Period, Sequence[Entry]]) -> Sequence[Entry]:
    return [_sum(own) for own in together.values()]


def _sum(own: Sequence[Entry]) -> Entry:
    """One entry, under the first's line, of all amounts."""
    amounts = [each.amount for each in own if each.amount is not None]
    return replace(own[0], amount=together(amounts))


def _ensure_said_once(own: Iterable[Planned]) -> None:
    """Raise `Malformed` where two documents plan one position at one time."""
    by_position: dict[str, list[Planned]] = defaultdict(list)
    for each in own:
        by_position[each.position.key if each.position else ""].append(each)
    for lines in by_position.values():
        last: dict[int, Planned] = {}
        for line in sorted(lines, key=lambda each: each.period):
            for source, before in last.items():
                if source != line.source and before.period.overlaps(line.period):
                    raise Malformed(
                        f"{line.period.start} is planned in {before.document!r} and in "
                        f"{line.document!r}; say in names which is read, or sum_documents = true"
                    )
            before = last.setdefault(line.source, line)
            if _ends(line.period) > _ends(before.period):
                last[line.source] = line


def _ends(period: Period) -> date:
    return period.end or date.max
