"""Select: of what the source states, what this sync carries: budgets, each with its allocations.

A budget is judged by what the source states of it. What is left out is as if the source did not
state it, but for what a plan says of it: it *left the selection*, it is not gone.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from msgspec import structs

from canonical.budget import Budget
from canonical.change import Selected
from canonical.identity import folded
from canonical.kind import Kind
from connectors.contract.records import Observed, Page
from sync.intake.selection import Rule, Selection
from sync.match import Key
from sync.observe import BitSet
from sync.state.ledger import Ledger


@dataclass(slots=True)
class Left:
    """What the source shows and the selection leaves out.

    `links` are those of our links that stand for it; `parents` says of each selected budget that
    hangs below one that is left out, which that is; `names` are those of budgets, where asked for.
    """

    links: BitSet = field(default_factory=BitSet)
    parents: dict[str, str] = field(default_factory=dict)
    names: set[str] = field(default_factory=set)


class Selecting:
    """Goes along with one reading of the source, budgets first, and lets through what is selected.

    A budget whose parent is left out comes without it: told so, it hangs at the top.
    """

    def __init__(self, selection: Selection, ledger: Ledger, *, names: bool = False) -> None:
        self._selection, self._ledger, self._names = selection, ledger, names
        self._is_in: dict[str, bool] = {}
        self._has_links = {kind: ledger.count(kind) > 0 for kind in Kind}
        self._tried = _Tried(selection)
        self.left = Left()

    def pages(self, kind: Kind, pages: Iterable[Page]) -> Iterator[Page]:
        """The pages with what is selected of them; what names a parent that comes after it is the
        last."""
        waiting: list[Observed] = []
        for page in pages:
            chosen, left = self._divided(page.items)
            self._note(kind, left)
            later = [item for item in chosen if self._waits(item)]
            if later:
                chosen = [item for item in chosen if not self._waits(item)]
                waiting += later
            yield replace(page, items=[self._placed(item) for item in chosen])
        if waiting:
            yield Page([self._placed(item) for item in waiting])

    def said(self) -> Selected:
        """What came of it, once the budgets are read."""
        return Selected(sum(self._is_in.values()), len(self._is_in), self._tried.unmatched())

    def _divided(self, items: Sequence[Observed]) -> tuple[list[Observed], list[Observed]]:
        chosen: list[Observed] = []
        left: list[Observed] = []
        for item in items:
            (chosen if self._chooses(item) else left).append(item)
        return chosen, left

    def _chooses(self, item: Observed) -> bool:
        """Of a budget; an allocation follows its own, and one whose budget nobody knows passes."""
        model = item.model
        if not isinstance(model, Budget):
            return self._is_in.get(model.budget, True)
        if model.ref not in self._is_in:
            self._tried.try_on(model)
            self._is_in[model.ref] = self._selection.holds(model)
            if self._names and not self._is_in[model.ref]:
                self.left.names.add(folded(model.name))
        return self._is_in[model.ref]

    def _waits(self, item: Observed) -> bool:
        """Whether it is not known yet if the budget's parent is selected."""
        parent = item.model.parent if isinstance(item.model, Budget) else None
        return parent is not None and parent not in self._is_in

    def _placed(self, item: Observed) -> Observed:
        """Without a parent that is left out; one that the source does not state stays named."""
        model = item.model
        if not isinstance(model, Budget) or model.parent is None:
            return item
        if self._is_in.get(model.parent, True):
            return item
        self.left.parents[model.ref] = model.parent
        return structs.replace(item, model=structs.replace(model, parent=None))

    def _note(self, kind: Kind, items: Sequence[Observed]) -> None:
        if not (items and self._has_links[kind]):
            return
        for link in self._ledger.desires(kind, [key_of(item) for item in items]).values():
            self.left.links.add(link.id)


class _Tried:
    """Which rules, and which of their patterns, no budget has matched so far."""

    def __init__(self, selection: Selection) -> None:
        self._open: list[tuple[bool, Rule, Rule]] = [
            (leaves, rule, replace(rule, patterns=(pattern,)))
            for leaves, rules in ((False, selection.takes), (True, selection.leaves))
            for rule in rules
            for pattern in rule.patterns
        ]
        self._dimensions = {
            rule.dimension for _, rule, _ in self._open if rule.dimension is not None
        }
        self._known: set[str] = set()

    def try_on(self, budget: Budget) -> None:
        """Take note of what matches the budget."""
        if self._open:
            self._open = [each for each in self._open if not each[2].holds(budget)]
        if self._dimensions:
            self._known.update(budget.dimensions)

    def unmatched(self) -> tuple[str, ...]:
        """What a person should look at: it may be misspelled."""
        return tuple(dict.fromkeys(self._said(*each) for each in self._open))

    def _said(self, leaves: bool, rule: Rule, single: Rule) -> str:
        prefix = "not." if leaves else ""
        if rule.dimension is not None and rule.dimension not in self._known:
            there = ", ".join(sorted(self._known)) or "none"
            name = f"{prefix}dimension.{rule.dimension}"
            return f"{name}: no budget has this dimension; there are {there}"
        return f"{prefix}{single} matches no budget"


def key_of(item: Observed) -> Key:
    """An object's name within its kind."""
    model = item.model
    return ("", model.ref) if isinstance(model, Budget) else (model.budget, model.ref)
