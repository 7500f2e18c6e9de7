"""The budgets of one workspace as last read or written, and which hangs below which.

Only a parent names its children: what a budget is, and what it holds, is known from all of them
together. Safe to share between threads.
"""

from collections import Counter
from collections.abc import Iterable
from threading import RLock

from connectors.contract.errors import Malformed
from connectors.vantage.mapping import budget_said, entity_said, is_rest, rest_name
from connectors.vantage.periods import Phases, phases_of, summed
from connectors.vantage.wire import VantageBudget


class BudgetTree:
    """Budgets by token. Amounts are in `currency`."""

    def __init__(self, currency: str) -> None:
        self._currency = currency
        self._budgets: dict[str, VantageBudget] = {}
        self._above: dict[str, str] = {}
        self._lock = RLock()

    def emptied(self) -> "BudgetTree":
        """Another one, of the same currency, without budgets."""
        return BudgetTree(self._currency)

    def put(self, budget: VantageBudget) -> None:
        """Take the budget as it is now; what it no longer names is no child of it any more."""
        with self._lock:
            self._release(budget.token)
            self._budgets[budget.token] = budget
            self.adopt(budget.token, budget.child_budget_tokens)

    def adopt(self, parent: str, children: Iterable[str]) -> None:
        """Note the children of a parent, readable or not. The first parent of a child counts."""
        with self._lock:
            for child in children:
                self._above.setdefault(child, parent)

    def drop(self, token: str) -> None:
        """Forget a budget that is gone; its children hang below nothing."""
        with self._lock:
            self._release(token)
            self._budgets.pop(token, None)
            self._above.pop(token, None)

    def _release(self, token: str) -> None:
        before = self._budgets.get(token)
        for child in before.child_budget_tokens if before else ():
            if self._above.get(child) == token:
                del self._above[child]

    def get(self, token: str) -> VantageBudget | None:
        """The budget of that token, None where there is none that can be read."""
        return self._budgets.get(token)

    def name(self, token: str) -> str | None:
        """The name of a budget that is there."""
        return self._budgets[token].name

    def all(self) -> list[VantageBudget]:
        """All budgets, in the order in which they came."""
        with self._lock:
            return list(self._budgets.values())

    def by_budget_name(self) -> dict[str, list[str]]:
        """The shares and the rest that bear the name of a budget: its token → theirs.

        Of two budgets of one name neither has any.
        """
        budgets = self.all()
        alike = Counter(each.name for each in budgets)
        bearers = {each.name: each.token for each in budgets if alike[each.name] == 1}
        found: dict[str, list[str]] = {}
        for each in budgets:
            said = budget_said(each.name)
            if said is not None and said in bearers:
                found.setdefault(bearers[said], []).append(each.token)
        return found

    def above(self, token: str) -> str | None:
        """The token of its parent."""
        return self._above.get(token)

    def is_allocation(self, token: str, name: str | None) -> bool:
        """Whether the budget of that token and name is a share of the one above it."""
        return self.above(token) is not None and entity_said(name) is not None

    def allocations(self, token: str) -> list[VantageBudget]:
        """The shares of a budget."""
        below = [self._budgets.get(child) for child in self._budgets[token].child_budget_tokens]
        return [each for each in below if each and self.is_allocation(each.token, each.name)]

    def rest_of(self, token: str) -> VantageBudget | None:
        """What holds the rest of a budget: its child, or one that a lost call left behind."""
        name, loose = rest_name(self._budgets[token].name or ""), None
        for each in self.all():
            if not is_rest(each.name):
                continue
            if self.above(each.token) == token:
                return each
            if self.above(each.token) is None and each.name == name:
                loose = each
        return loose

    def makes_up(self, token: str, children: Iterable[str]) -> bool:
        """Whether those `children` that are seen, as they are shown, sum up to what a budget shows;
        also where it shows nothing."""
        seen = [found for child in children if (found := self._budgets.get(child))]
        try:
            shown = phases_of(self._budgets[token], self._currency)
            parts = [phase for each in seen for phase in phases_of(each, self._currency)]
            return not shown or summed(parts, self._currency) == shown
        except (Malformed, ValueError):
            return True

    def phases(self, token: str, seen: frozenset[str] = frozenset()) -> Phases:
        """What a budget holds: its own periods, or the sum of its children's.

        Where a child cannot be seen, what Vantage shows of the parent itself.
        """
        budget = self._budgets[token]
        below = budget.child_budget_tokens
        if not below or token in seen or any(child not in self._budgets for child in below):
            return phases_of(budget, self._currency)
        parts = [self.phases(child, seen | {token}) for child in below]
        return summed((phase for part in parts for phase in part), self._currency)
