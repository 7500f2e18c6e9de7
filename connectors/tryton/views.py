"""Views: budgets and allocations, made of Tryton's lines as the settings say.

What cannot be read is set aside whole: a budget of which one line is unreadable is not shown with
the others.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from canonical.allocation import Allocation
from canonical.budget import Budget
from canonical.errors import CanonicalError
from canonical.kind import Kind
from canonical.problem import Problem
from canonical.text import joined
from canonical.text import ref as spelled
from canonical.traces import Traces
from connectors.contract.errors import Malformed
from connectors.contract.records import Observed
from connectors.tryton.entries import Entry, Unread
from connectors.tryton.mapping import allocation_of, budget_of, by_ref, summed
from connectors.tryton.reading import AccountRead


@dataclass(slots=True)
class Shown:
    """Objects of one kind, and what could not be read."""

    items: list[Observed] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    def budgets(self) -> Mapping[str, Budget]:
        """The budgets among them, by ref."""
        models = (each.model for each in self.items)
        return {each.ref: each for each in models if isinstance(each, Budget)}


class Views:
    """Makes what the system `name` shows; `sign` is what Tryton's amounts are multiplied by."""

    def __init__(self, name: str, sign: int) -> None:
        self._name, self._sign = name, sign

    def accounts(self, entries: Iterable[Entry], unread: Iterable[Unread], unit: str) -> Shown:
        """A budget of each account."""

        def made(own: Sequence[Entry]) -> Observed | None:
            budget = budget_of(own, unit, self._sign)
            return None if budget is None else Observed(id=budget.ref, model=budget)

        return self._of_each(Kind.BUDGET, entries, unread, made)

    def documents(self, found: Iterable[AccountRead], unit: str) -> tuple[Shown, Shown]:
        """A budget of each name that account budgets have, and its allocations by account."""
        budgets, shares = Shown(), Shown()
        named: dict[str, list[AccountRead]] = defaultdict(list)
        for each in found:
            named[each.budget.name].append(each)
        for name, own in named.items():
            try:
                budget = self._document(name, own, unit)
            except (Malformed, CanonicalError) as error:
                budgets.problems.append(self._problem(Kind.BUDGET, name, name, f"{error}"))
                continue
            if budget is not None:
                budgets.items.append(Observed(id=budget.ref, model=budget))
                self._add_shares(shares, budget, own, unit)
        return budgets, shares

    def named_after(
        self, found: Iterable[AccountRead], budgets: Mapping[str, Budget], unit: str
    ) -> Shown:
        """The allocations of those of `budgets` whose ref, or name, account budgets have."""
        shares, after = Shown(), After(budgets)
        owned: dict[str, list[AccountRead]] = defaultdict(list)
        for each in found:
            try:
                owned[after.whom(each.budget.name)].append(each)
            except Malformed as error:
                name = each.budget.name
                shares.problems.append(self._problem(Kind.ALLOCATION, None, name, f"{error}"))
        for ref, own in owned.items():
            self._add_shares(shares, budgets[ref], own, unit)
        return shares

    def _document(self, name: str, own: Sequence[AccountRead], unit: str) -> Budget | None:
        if len({each.budget.fiscalyear.id for each in own}) < len(own):
            raise Malformed("several account budgets of one year have that name; rename one")
        for line in (line for each in own for line in each.unread):
            raise Malformed(f"{line.where}: {line.message}")
        return summed(spelled(name), [e for each in own for e in each.entries], unit, self._sign)

    def _add_shares(
        self, shares: Shown, budget: Budget, own: Sequence[AccountRead], unit: str
    ) -> None:
        def made(of: Sequence[Entry]) -> Observed | None:
            share = allocation_of(of, budget, unit, self._sign)
            return None if share is None else _observed(share)

        entries = [entry for each in own for entry in each.entries]
        unread = [line for each in own for line in each.unread]
        more = self._of_each(Kind.ALLOCATION, entries, unread, made, within=budget.ref)
        shares.items += more.items
        shares.problems += more.problems

    def _of_each(
        self,
        kind: Kind,
        entries: Iterable[Entry],
        unread: Iterable[Unread],
        made: Callable[[Sequence[Entry]], Observed | None],
        within: str | None = None,
    ) -> Shown:
        """What is `made` of the entries of each account."""
        shown, aside = Shown(), set[str]()
        for line in unread:
            aside.add(line.ref or "")
            id = _id(line.ref, within)
            shown.problems.append(self._problem(kind, id, line.where, line.message, within))
        for ref, own in by_ref(entries).items():
            if ref in aside:
                continue
            try:
                item = made(own)
            except (Malformed, CanonicalError) as error:
                id = _id(ref, within)
                shown.problems.append(self._problem(kind, id, id or "", f"{error}", within))
                continue
            if item is not None:
                shown.items.append(item)
        return shown

    def _problem(
        self, kind: Kind, id: str | None, where: str, message: str, within: str | None = None
    ) -> Problem:
        containers = None if within is None else frozenset([within])
        traces = None if id is None and within is None else Traces(containers=containers)
        return Problem(self._name, f"{kind} {where}", message, id, traces)


class After:
    """Whose name an account budget bears: a ref as a word of it, or the whole name."""

    def __init__(self, budgets: Mapping[str, Budget]) -> None:
        self._refs = set(budgets)
        self._names: dict[str, list[str]] = defaultdict(list)
        for ref, budget in budgets.items():
            self._names[spelled(budget.name)].append(ref)

    def whom(self, name: str) -> str:
        """The ref of the one budget; raises `Malformed` where it is none, or one of several."""
        said = spelled(name)
        words = re.split(r"[\s()\[\]:,;]+", said)
        found = {said, *words} & self._refs or set(self._names[said])
        if len(found) == 1:
            return found.pop()
        if found:
            raise Malformed(f"its name is that of several: {', '.join(sorted(found))}")
        raise Malformed(
            "its name has no analytic account's code, nor is it one's name: name it so, or leave "
            "it out of allocations"
        )


def _id(ref: str | None, within: str | None) -> str | None:
    return ref if ref is None or within is None else joined(within, ref)


def _observed(share: Allocation) -> Observed:
    return Observed(id=joined(share.budget, share.ref), model=share, container=share.budget)
