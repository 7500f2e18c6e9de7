"""What a listing of a workspace shows: its budgets, what hangs below what, what cannot be read."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from connectors.calling.parsing import parsed
from connectors.contract.errors import Malformed
from connectors.vantage.budget_tree import BudgetTree
from connectors.vantage.mapping import is_rest
from connectors.vantage.wire import VantageBudget, counts_money


@dataclass(slots=True)
class Listing:
    """`unreadable` are the records that have not the documented shape, `usage` the tokens of the
    budgets that count things. `guessed` are the budgets of which nobody says what hangs below them;
    `silent` is whether no record names children.
    """

    tree: BudgetTree
    unreadable: list[tuple[Any, Malformed]] = field(default_factory=list)
    usage: set[str] = field(default_factory=set)
    guessed: set[str] = field(default_factory=set)
    silent: bool = False

    def take(self, records: Iterable[Any]) -> None:
        """Take the records of one workspace, all of them."""
        records = [*records]
        self.usage = {each["token"] for each in records if _is_usage(each)}
        for record in records:
            try:
                if counts_money(record):
                    self.tree.put(_without(self.usage, parsed(VantageBudget, record)))
            except Malformed as error:
                self.unreadable.append((record, error))
                self._adopt(record)

    def replace(self, instead: Mapping[str, VantageBudget | None]) -> None:
        """Show those budgets as they are `instead`, or not at all where that is None.

        All are put anew: of a child that moved, what its parents showed before counts no more.
        """
        budgets = {each.token: each for each in self.tree.all()} | dict(instead)
        self.tree = self.tree.emptied()
        for budget in budgets.values():
            if budget is not None:
                self.tree.put(budget)
        for record, _ in self.unreadable:
            self._adopt(record)

    def unreadable_tokens(self) -> set[str]:
        """The tokens of the records that cannot be read, as far as they tell."""
        said = [each.get("token") for each, _ in self.unreadable if isinstance(each, dict)]
        return {each for each in said if isinstance(each, str)}

    def complete(
        self, known: BudgetTree, placed: Callable[[], Mapping[str, str]], half: Collection[str] = ()
    ) -> None:
        """Where no record names children, as in Vantage's samples: what we know of them, what was
        last agreed (`placed`), and of a budget that is new to us, or `half` known, those that are
        named as its shares and its rest."""
        budgets = self.tree.all()
        self.silent = not any("child_budget_tokens" in each.model_fields_set for each in budgets)
        if not self.silent:
            return
        named, agreed = self.tree.by_budget_name(), dict[str, list[str]]()
        if any(each.token in half or known.get(each.token) is None for each in budgets):
            agreed = self._agreed(placed())
        for budget in budgets:
            before = None if budget.token in half else known.get(budget.token)
            if before is not None:
                below = self._shown(budget.token, before.child_budget_tokens)
            else:
                alike = named.get(budget.token, [])
                ours = self._shown(budget.token, agreed.get(budget.token, []), alike)
                below = self._below(budget.token, ours, alike)
            if below:
                self.tree.put(budget.model_copy(update={"child_budget_tokens": below}))

    def _adopt(self, record: Any) -> None:
        said = record if isinstance(record, dict) else {}
        self.tree.adopt(str(said.get("token")), _tokens(said.get("child_budget_tokens")))

    def _agreed(self, placed: Mapping[str, str]) -> dict[str, list[str]]:
        """What was last agreed to hang below each budget."""
        found = defaultdict(list)
        for token, above in placed.items():
            found[above].append(token)
        return found

    def _shown(self, token: str, below: list[str], more: Collection[str] = ()) -> list[str]:
        """What of `below` is there: all of it, hidden or not, where what is seen of it, and `more`,
        does not make up the sum."""
        seen = [each for each in below if self.tree.get(each)]
        whole = len(seen) == len(below) or self.tree.makes_up(token, {*seen, *more})
        return seen if whole else below

    def _below(self, token: str, agreed: list[str], named: list[str]) -> list[str]:
        """What hangs below a budget; guessed, unless it is what was agreed and its rest."""
        more = [each for each in named if each not in agreed]
        if more and not (agreed and all(is_rest(self.tree.name(each)) for each in more)):
            self.guessed.add(token)
        return [*agreed, *more]


def _tokens(value: Any) -> list[str]:
    return [each for each in value if isinstance(each, str)] if isinstance(value, list) else []


def _is_usage(record: Any) -> bool:
    said = record if isinstance(record, dict) else {}
    return said.get("type") == "usage" and isinstance(said.get("token"), str)


def _without(usage: set[str], budget: VantageBudget) -> VantageBudget:
    """The budget; raises `Malformed` where its sum is of things that are no money."""
    if not usage.isdisjoint(budget.child_budget_tokens):
        raise Malformed("one of its children counts usage, so that its sum is no money")
    return budget
