"""Views: budgets and allocations, made of Tryton's lines as the settings say."""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from canonical.budget import Budget
from canonical.errors import CanonicalError
from canonical.kind import Kind
from canonical.text import ref as spelled
from connectors.contract.errors import Malformed
from connectors.contract.records import Observed
from connectors.erp.entries import Entry, Unread
from connectors.erp.mapping import allocation_of, budget_of, summed
from connectors.erp.shown import Shown, observed, of_each, problem_of
from connectors.tryton.reading import AccountRead


class Views:
    """Makes what the system `name` shows; `sign` is what Tryton's amounts are multiplied by."""

    def __init__(self, name: str, sign: int) -> None:
        self._name, self._sign = name, sign

    def accounts(self, entries: Iterable[Entry], unread: Iterable[Unread], unit: str) -> Shown:
        """A budget of each account."""

        def made(own: Sequence[Entry]) -> Observed | None:
            budget = budget_of(own, unit, self._sign)
            return None if budget is None else observed(budget)

        return of_each(self._name, Kind.BUDGET, entries, unread, made)

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
                budgets.problems.append(problem_of(self._name, Kind.BUDGET, name, name, f"{error}"))
                continue
            if budget is not None:
                budgets.items.append(observed(budget))
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
                shares.problems.append(
                    problem_of(self._name, Kind.ALLOCATION, None, name, f"{error}")
                )
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
            return None if share is None else observed(share)

        entries = [entry for each in own for entry in each.entries]
        unread = [line for each in own for line in each.unread]
        more = of_each(self._name, Kind.ALLOCATION, entries, unread, made, within=budget.ref)
        shares.add(more)


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
