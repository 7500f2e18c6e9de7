"""Match: which objects of the target are the ones the source means, where no link says so yet.

In this order: the stamp that an earlier run wrote, then the natural key. One candidate is adopted,
several are reported, none is guessed. Shares of one entity in one budget are told apart by their
amounts: whichever of them stands for which, the target then holds what the source states.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from msgspec import Struct

from canonical.allocation import Allocation, Status
from canonical.amount import Amount
from canonical.budget import Budget
from canonical.change import Conflict
from canonical.facts import BUDGET_FIELDS, facts
from canonical.identity import natural_key
from canonical.kind import Kind
from canonical.records import as_dataclass
from connectors.contract.records import Observed

Key = tuple[str, str]
"""An object's name within its kind: (budget ref or "", ref)."""


@as_dataclass
class Newcomer(Struct, frozen=True, gc=False):
    """An object of the source without a link; `container` is its budget's id in the target."""

    key: Key
    model: Budget | Allocation
    container: str | None = None


@dataclass(frozen=True, slots=True)
class Matched:
    """How a newcomer was recognised: `by` is "stamp" or "natural key"."""

    item: Observed
    by: str


class Matcher:
    """Recognises newcomers of one kind among `strangers`, the target's objects without a link.

    What is retired in the target is over: it matches nothing. `identity` are fields that tell a
    budget from its namesakes (`Capabilities.identity`).
    """

    def __init__(
        self, kind: Kind, strangers: dict[str, Observed], identity: Collection[str] = ()
    ) -> None:
        self._kind = kind
        self._identity = identity
        self._strangers = strangers
        self._bearers: dict[str | Key, str | None] = {}  # None where several bear the stamp
        self._nameless: set[Key] = set()
        self._alike: Counter[Key] = Counter()
        for item in strangers.values():
            if item.model.status is Status.RETIRED:
                continue
            if item.stamp is not None:
                key = self._place(item.container, item.stamp)
                self._bearers[key] = None if key in self._bearers else item.id
            else:
                self._nameless.add(self._name(item.container, item.model))

    def take(self, newcomer: Newcomer) -> Observed | None:
        """The only stranger that bears the newcomer's stamp; it is a stranger no longer.

        For newcomers as they come: none of them need be kept until all are known.
        """
        place = self._place(newcomer.container, newcomer.key[1])
        id = self._bearers.get(place)
        if id is None:
            return None
        del self._bearers[place]  # for a first run that adopts a hundred thousand, 6 MB
        if self._nameless:
            name = self._name(newcomer.container, newcomer.model)
            if name in self._nameless:
                self._alike[name] += 1
        return self._strangers.pop(id, None)

    def match(self, newcomers: Sequence[Newcomer]) -> tuple[dict[Key, Matched], list[Conflict]]:
        """All other newcomers: those recognised, and those that cannot be told apart."""
        stamps: dict[str | Key, list[Observed]] = defaultdict(list)
        names: dict[Key, list[Observed]] = defaultdict(list)
        for item in self._strangers.values():
            if item.model.status is Status.RETIRED:
                continue
            if item.stamp is not None:
                stamps[self._place(item.container, item.stamp)].append(item)
            else:
                names[self._name(item.container, item.model)].append(item)
        bare = [
            each for each in newcomers if self._place(each.container, each.key[1]) not in stamps
        ]
        found = self._equal(bare, names)
        newcomers = [each for each in newcomers if each.key not in found]
        alike = self._alike + Counter(self._name(each.container, each.model) for each in newcomers)
        conflicts: list[Conflict] = []
        for new in newcomers:
            name = self._name(new.container, new.model)
            candidates, by = stamps.get(self._place(new.container, new.key[1]), []), "stamp"
            if not candidates:
                candidates, by = names.get(name, []), "natural key"
            if not candidates:
                continue
            if len(candidates) == 1 and (by == "stamp" or alike[name] == 1):
                found[new.key] = Matched(candidates[0], by)
            else:
                conflicts.append(_conflict(self._kind, new, candidates, by, alike[name]))
        return found, conflicts

    def _equal(
        self, newcomers: Sequence[Newcomer], names: dict[Key, list[Observed]]
    ) -> dict[Key, Matched]:
        """Shares of one name of which as many are there as are wanted, by amount; takes them out
        of `names`."""
        found: dict[Key, Matched] = {}
        if self._kind is Kind.BUDGET or not names:
            return found
        wanted: dict[tuple[Key, Amount], list[Newcomer]] = defaultdict(list)
        for new in newcomers:
            if new.model.amount is not None:
                name = self._name(new.container, new.model)
                wanted[name, new.model.amount].append(new)
        for (name, amount), same in wanted.items():
            there = [item for item in names.get(name, ()) if item.model.amount == amount]
            if len(there) == len(same):
                found |= {
                    new.key: Matched(item, "natural key")
                    for new, item in zip(same, there, strict=True)
                }
                names[name] = [item for item in names[name] if item not in there]
        return found

    def _place(self, container: str | None, stamp: str) -> str | Key:
        return place_of(self._kind, container, stamp)

    def _name(self, container: str | None, model: Budget | Allocation) -> Key:
        return name_of(self._kind, container, model, self._identity)


def place_of(kind: Kind, container: str | None, stamp: str) -> str | Key:
    """What a stamp is unique in: an allocation's budget, or the whole target."""
    return stamp if kind is Kind.BUDGET else (container or "", stamp)


def name_of(
    kind: Kind,
    container: str | None,
    model: Budget | Allocation,
    identity: Collection[str] = (),
) -> Key:
    """The natural key, within what it is unique in."""
    if kind is Kind.ALLOCATION:
        return container or "", natural_key(model)
    said = dict(zip(BUDGET_FIELDS, facts(model), strict=True)) if identity else {}
    return "".join(str(said[field]) for field in sorted(identity)), natural_key(model)


def _conflict(
    kind: Kind, new: Newcomer, candidates: Sequence[Observed], by: str, alike: int
) -> Conflict:
    ids = tuple(item.id for item in candidates)
    if len(ids) > 1:
        reason = f"{len(ids)} objects of the target have its {by}: rename or retire all but one"
    else:
        reason = f"{alike} objects of the source have the {by} of one of the target: rename them"
    budget_ref, ref = new.key
    return Conflict(kind, ref, budget_ref or None, reason, ids, ways=("id", "none"))
