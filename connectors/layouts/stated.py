"""What was read by a layout, as a connector gives it: budgets, allocations, and what is wrong."""

from collections.abc import Iterator, Sequence
from decimal import Decimal

from canonical.kind import Kind
from canonical.loss import Effect, Loss
from canonical.problem import Problem
from canonical.text import joined
from connectors.contract.errors import Malformed, Missing, Unreadable
from connectors.contract.records import Observed
from connectors.layouts.budgets import allocation_of, budget_of
from connectors.layouts.grouping import Grouped, Rounding
from connectors.layouts.merging import merged_budgets
from connectors.layouts.numbers import PLACES
from connectors.layouts.questions import Finding
from connectors.layouts.reading import Reading


def ensure_settled(reading: Reading, where: str, look: str = "") -> Reading:
    """The reading; raises `Unreadable` where a person has to say something before it means it,
    with what shows it (`look`).
    """
    if reading.open:
        asked = reading.open[0]
        said = "; or ".join(asked.readings)
        raise Unreadable(
            f"{where}: {asked.what} has to be said: {said}",
            hint=f"Set {asked.setting} in its layout{look}",
        )
    if any(not each.currency for each in reading.groups.heads.values()):
        raise Unreadable(
            f"{where} names no currency", hint='Set currency = "USD", or what it is, for it'
        )
    return reading


class Stated:
    """The budgets of one system, read from one table or from several of which each has a part."""

    def __init__(self, system: str, label: str, readings: Sequence[Reading]) -> None:
        self._system, self.label, self.readings = system, label, readings

    def counts(self) -> tuple[int, int]:
        """How many budgets there are, and how many allocations."""
        counts = [each.groups.counts(each.findings.aside) for each in self.readings]
        return len({ref for refs, _ in counts for ref in refs}), sum(count for _, count in counts)

    def budgets(self) -> Iterator[Grouped | Finding]:
        """Every budget that was read whole, those of one ref as one."""
        return merged_budgets([(each.label, each.budgets()) for each in self.readings])

    def stream(self, kind: Kind, only: str | None = None) -> Iterator[Observed | Problem]:
        """Every object of that kind, or the one with id `only`, and every row that was refused."""
        for each in self.budgets():
            if isinstance(each, Finding):
                yield from self._problem(kind, each)
            else:
                yield from self._observed(kind, each, only)
        for reading in self.readings:
            for finding in reading.problems():
                yield from self._problem(kind, finding)
            told = {each.ref for each in reading.findings.told}
            for ref in sorted(reading.findings.aside - told - {""}):
                yield Problem(self._system, reading.label, f"{ref} is set aside", ref)

    def find(self, kind: Kind, id: str) -> Observed | None:
        """The object, None where there is none; raises `Malformed` where it is set aside."""
        budget = id.rpartition("/")[0] if kind is Kind.ALLOCATION else id
        for each in self.stream(kind, id):
            if isinstance(each, Observed):
                return each
            if each.ref == budget:
                raise Malformed(f"{each.where}: {each.message}")
        return None

    def get(self, kind: Kind, id: str) -> Observed:
        """As `find`; raises `Missing` where there is none."""
        found = self.find(kind, id)
        if found is None:
            raise Missing(f"there is no {kind} {id!r} in {self.label}")
        return found

    def _observed(self, kind: Kind, group: Grouped, only: str | None) -> Iterator[Observed]:
        unit = group.currency
        assert unit is not None
        budget = budget_of(group, unit)
        if kind is Kind.BUDGET:
            if only is None or only == group.ref:
                losses = _rounded(group.rounding, unit)
                yield Observed(group.ref, budget, container=budget.parent, losses=losses)
            return
        for share in group.shares:
            made = allocation_of(share, group, budget, unit)
            id = joined(group.ref, made.ref)
            if only is None or only == id:
                losses = _rounded(share.rounding, unit)
                yield Observed(id, made, container=group.ref, losses=losses)

    def _problem(self, kind: Kind, finding: Finding) -> Iterator[Problem]:
        """A fault of a budget is one of its allocations too: they are set aside with it."""
        message = finding.message
        if kind is Kind.ALLOCATION and finding.ref is not None:
            message = f"the allocations of {finding.ref} are set aside with it: {message}"
        yield Problem(self._system, finding.where, message, finding.ref)


def _rounded(rounding: Rounding, unit: str) -> tuple[Loss, ...]:
    """What the layout's `round` took from amounts, or added."""
    if not rounding.count:
        return ()
    amounts = "1 amount" if rounding.count == 1 else f"{rounding.count} amounts"
    reason = (
        f"{amounts} of the source had more decimals than {unit} has: {_plain(rounding.by)} in all"
    )
    return (Loss("amount", Effect.ROUNDED, reason),)


def _plain(by: Decimal) -> str:
    return f"{by.scaleb(-PLACES).normalize():f}"
