"""Shown: the objects of one kind that lines make, and what could not be read.

What cannot be read is set aside whole: a budget of which one line is unreadable is not shown with
the others.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from canonical.allocation import Allocation
from canonical.budget import Budget
from canonical.errors import CanonicalError
from canonical.kind import Kind
from canonical.problem import Problem
from canonical.text import joined
from canonical.traces import Traces
from connectors.contract.errors import Malformed, Missing
from connectors.contract.records import Observed
from connectors.erp.entries import Entry, Unread
from connectors.erp.mapping import by_ref


@dataclass(slots=True)
class Shown:
    """Objects of one kind, and what could not be read."""

    items: list[Observed] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    def budgets(self) -> Mapping[str, Budget]:
        """The budgets among them, by ref."""
        models = (each.model for each in self.items)
        return {each.ref: each for each in models if isinstance(each, Budget)}

    def add(self, more: "Shown") -> None:
        """Take in those of another."""
        self.items += more.items
        self.problems += more.problems

    def only(self, id: str) -> Observed:
        """The object with that id; raises `Missing`, or `Malformed` where it could not be read, or
        may be what could not."""
        for item in self.items:
            if item.id == id:
                return item
        for problem in self.problems:
            if problem.ref == id or (problem.ref is None and problem.traces is None):
                raise Malformed(f"{problem.where}: {problem.message}")
        raise Missing(f"there is no {id!r}")


def of_each(
    system: str,
    kind: Kind,
    entries: Iterable[Entry],
    unread: Iterable[Unread],
    made: Callable[[Sequence[Entry]], Observed | None],
    within: str | None = None,
) -> Shown:
    """What is `made` of the entries of each account, of the budget `within` where they are shares.

    An account of which a line is `unread`, or that `made` raises for, is a problem instead.
    """
    shown, aside = Shown(), set[str]()
    for line in unread:
        aside.add(line.ref or "")
        id = _id(line.ref, within)
        shown.problems.append(problem_of(system, kind, id, line.where, line.message, within))
    for ref, own in by_ref(entries).items():
        if ref in aside:
            continue
        try:
            item = made(own)
        except (Malformed, CanonicalError) as error:
            id = _id(ref, within)
            shown.problems.append(problem_of(system, kind, id, id or "", f"{error}", within))
            continue
        if item is not None:
            shown.items.append(item)
    return shown


def problem_of(
    system: str, kind: Kind, id: str | None, where: str, message: str, within: str | None = None
) -> Problem:
    """An object that could not be read; `within` is the budget that it is a share of."""
    containers = None if within is None else frozenset([within])
    traces = None if id is None and within is None else Traces(containers=containers)
    return Problem(system, f"{kind} {where}", message, id, traces)


def observed(model: Budget | Allocation) -> Observed:
    """As a source shows it that knows its objects by ref: an allocation's id names its budget."""
    if isinstance(model, Budget):
        return Observed(id=model.ref, model=model)
    return Observed(id=joined(model.budget, model.ref), model=model, container=model.budget)


def _id(ref: str | None, within: str | None) -> str | None:
    return ref if ref is None or within is None else joined(within, ref)
