"""Naming: who has which name in the target, where no two objects may have one, and who takes it.

A name that an object gives up in a plan may be taken in the same plan, by what goes after it. Where
names go round in a circle one of the objects has a temporary name on the way. A name that its
holder keeps is blocked, and so is what waited for the change that is blocked.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple, TypeAlias

from msgspec import structs

from canonical.allocation import Allocation, Entity, Status
from canonical.budget import Budget
from canonical.change import Change
from canonical.facts import Fact, Facts, facts
from canonical.identity import folded, is_temporary, temporary_name
from canonical.kind import FIELDS, Kind, Op
from canonical.loss import Effect, Loss
from connectors.contract.capabilities import Capabilities, Unique
from connectors.contract.interface import Connector
from sync.counterpart import Counterparts
from sync.findings import Findings
from sync.observe import Observation
from sync.order import depth
from sync.state.ledger import Ledger
from sync.state.places import ABOVE
from sync.stuck import Stuck

Name: TypeAlias = tuple[Any, ...]
"""A name within its kind, and of an allocation within its budget."""


class _Holder(NamedTuple):
    """Who has a name in the target."""

    id: str
    said: str


class _Bid(NamedTuple):
    """A change that takes a name: its place, and its object's id, None where that is to be made."""

    at: int
    change: Change
    name: Name
    id: str | None


class Naming:
    """Settles the names of one plan, once all of its changes are known."""

    def __init__(
        self,
        target: Connector,
        ledger: Ledger,
        seen: Observation,
        counterparts: Counterparts,
        stuck: Stuck,
        found: Findings,
    ) -> None:
        self._target, self._ledger, self._seen = target, ledger, seen
        self._there, self._stuck, self._found = counterparts, stuck, found
        self._able: Capabilities = target.capabilities
        self._blocked: dict[int, Loss] = {}

    def settle(self) -> None:
        """Say of each change what it waits for; block those for which no name comes free."""
        for kind, unique in self._able.unique.items():
            if bids := list(self._bids(kind, unique)):
                names = {bid.name for bid in bids}
                held = self._whole(kind, self._held(kind, unique, names))
                if unique.surely:
                    bids = self._free(kind, bids, held)
                self._wait(kind, unique, bids, held)
            self._resume(kind, unique)
        self._hang_back()

    # -- what is asked for ---------------------------------------------------------------------

    def _bids(self, kind: Kind, unique: Unique) -> Iterator[_Bid]:
        """The changes of `kind` after which an object has another name than before."""
        naming = unique.fields | {"budget"}
        for index, change in enumerate(self._found.changes):
            if change.kind is not kind or change.desired is None:
                continue
            renamed = change.op is Op.UPDATE and not naming.isdisjoint(change.fields)
            if change.op is Op.CREATE or renamed:
                yield _Bid(index, change, self._wanted(change, unique), change.target_id)

    def _wanted(self, change: Change, unique: Unique) -> Name:
        assert change.desired is not None
        above: Fact = None
        if change.kind is Kind.ALLOCATION:
            above = self._above(change) or ("yet to be made", change.budget_ref)
        return _name(change.kind, unique, facts(change.desired), above)

    # -- what there is -------------------------------------------------------------------------

    def _held(
        self, kind: Kind, unique: Unique, names: Collection[Name]
    ) -> Mapping[Name, Sequence[_Holder]]:
        """Who has each of those names now."""
        held: dict[Name, list[_Holder]] = defaultdict(list)
        at = FIELDS[kind].index("status")
        for holder, values, above in self._holders(kind, names):
            if values[at] != Status.RETIRED:
                name = _name(kind, unique, values, above)
                if name in names:
                    held[name].append(holder)
        return held

    def _holders(self, kind: Kind, names: Iterable[Name]) -> Iterator[tuple[_Holder, Facts, Fact]]:
        """Each with its facts, and with the budget that a share's name is unique in.

        What is not listed and is to be changed was found by its id; a share that has lost its
        place comes back to its own.
        """
        changed = {each.target_id for each in self._found.changes if each.kind is kind}
        adopted = self._there.adopted(kind)
        for id, item in self._seen.strangers[kind].items():
            who = f"{kind} {id}" if id in adopted else f"{kind} {id}, which nobody states here"
            yield _Holder(id, who), *_placed(kind, facts(item.model))
        for id, (item, owned) in self._seen.owned[kind].items():
            said = f"{kind} {id} of the sync {owned.sync}"
            yield _Holder(id, said), *_placed(kind, facts(item.model))
        for link, agreed in self._ledger.agreements(list(self._links(kind, names))):
            if self._seen.has(link.id) or link.target_id in changed:
                said = f"{link.ref} ({link.target_id})"
                values, place = _placed(kind, self._seen.last_seen(link.id, agreed))
                if kind is Kind.ALLOCATION and not self._is_ours(place):
                    place = self._there.budgets([link.budget_ref]).get(link.budget_ref)
                yield _Holder(link.target_id, said), values, place

    def _is_ours(self, budget: Fact) -> bool:
        """Whether a budget of the target is an object by itself; else it is a part of one."""
        return bool(self._ledger.by_targets(Kind.BUDGET, [str(budget)])) if budget else False

    def _links(self, kind: Kind, names: Iterable[Name]) -> Iterable[int]:
        if kind is Kind.BUDGET:
            return self._ledger.ids(kind)
        above = [name[1] for name in names if isinstance(name[1], str)]
        budgets = self._ledger.by_targets(Kind.BUDGET, sorted({*above}))
        return self._ledger.within([link.ref for link in budgets.values()])

    # -- who gets it ---------------------------------------------------------------------------

    def _free(
        self, kind: Kind, bids: Sequence[_Bid], held: Mapping[Name, Sequence[_Holder]]
    ) -> list[_Bid]:
        """The bids whose names are free in time; the others are blocked."""
        left = {bid.at: bid for bid in bids}
        waiting: dict[str, list[_Bid]] = defaultdict(list)
        first: dict[Name, _Bid] = {}
        todo: list[tuple[_Bid, str]] = []
        leaving = self._leaving(kind, bids)
        for bid in bids:
            if first.setdefault(bid.name, bid) is not bid:
                todo.append((bid, f"{first[bid.name].change.ref} is to have it"))
            for holder in self._others(bid, held):
                waiting[holder.id].append(bid)
                if holder.id not in leaving:
                    todo.append((bid, f"it is the name of {holder.said}"))
        while todo:
            bid, reason = todo.pop(0)
            if left.pop(bid.at, None) is None:
                continue
            self._block(bid, reason)
            kept = f"{bid.change.ref} keeps it ({bid.id})"
            todo += [(each, kept) for each in waiting.get(bid.id or "", ()) if each is not bid]
        return list(left.values())

    def _others(self, bid: _Bid, held: Mapping[Name, Sequence[_Holder]]) -> Iterator[_Holder]:
        """Those who have the name that is asked for, but for the asking one and its parts."""
        yield from (each for each in held.get(bid.name, ()) if each.id != bid.id)

    def _whole(
        self, kind: Kind, held: Mapping[Name, Sequence[_Holder]]
    ) -> Mapping[Name, Sequence[_Holder]]:
        """The same, with what is a part of an object that is changed counted as that."""
        strange = {each.id for some in held.values() for each in some} & {
            *self._seen.strangers[kind]
        }
        whole: dict[str, str] = {}
        for change in self._found.changes if strange else ():
            if change.kind is not kind or change.op is not Op.UPDATE or change.target_id is None:
                continue
            above = self._above(change)
            for model in (_as_it_is(change), change.desired):
                if model is not None:
                    parts = self._target.parts(kind, change.target_id, model, above)
                    whole |= dict.fromkeys(parts, change.target_id)
        return {
            name: [each._replace(id=whole.get(each.id, each.id)) for each in some]
            for name, some in held.items()
        }

    def _above(self, change: Change) -> str | None:
        """The target's id of the budget that a share belongs to."""
        ref = change.budget_ref
        return self._there.budgets([ref]).get(ref) if ref else None

    def _leaving(self, kind: Kind, bids: Iterable[_Bid]) -> dict[str, Change]:
        """What gives its name up, by its id in the target."""
        left = {bid.id: bid.change for bid in bids if bid.id is not None}
        ends = {Op.DELETE}
        if self._able.retires_to is Status.RETIRED:
            ends.add(Op.RETIRE)
        needed = {said[0] for each in self._found.changes for said in _above(each)}
        for change in self._found.changes:
            removed = change.kind is kind and change.op in ends
            if removed and change.target_id is not None and change.ref not in needed:
                left[change.target_id] = change
        return left

    def _wait(
        self,
        kind: Kind,
        unique: Unique,
        bids: Sequence[_Bid],
        held: Mapping[Name, Sequence[_Holder]],
    ) -> None:
        """Order them: each after those whose names it takes, and one of each circle by a detour."""
        leaving, takers = self._leaving(kind, bids), dict[Any, _Bid]()
        for bid in bids:
            for holder in self._others(bid, held):
                if (change := leaving.get(holder.id)) is not None:
                    takers[change.key] = bid
        after: dict[int, list[Any]] = defaultdict(list)
        for key, bid in takers.items():
            after[bid.at].append(key)
        for bid in bids:
            if found := after.get(bid.at):
                self._replace(bid.at, after=tuple(found))
        for bid in _detours(bids, takers):
            self._detour(bid.at, unique)

    def _resume(self, kind: Kind, unique: Unique) -> None:
        """What a run left half under its temporary name is wholly under it before it goes on."""
        names = {
            str(facts(item.model)[0]) for item in self._seen.strangers[kind].values()
        }  # a name or an entity, which come first
        if not any(map(is_temporary, names)):
            return
        for at, change in enumerate(self._found.changes):
            if change.kind is kind and change.op is Op.UPDATE and change.desired is not None:
                named = with_name(change.desired, temporary(change, self._able))
                if str(facts(named)[0]) in names:
                    self._detour(at, unique)

    # -- what is said of it --------------------------------------------------------------------

    def _detour(self, index: int, unique: Unique) -> None:
        change = self._found.changes[index]
        if change.op is not Op.UPDATE or change.via is not None:
            return
        via = temporary(change, self._able)
        field = "name" if change.kind is Kind.BUDGET else "entity"
        reason = f"names go round in a circle: for a moment it is {via!r}"
        loss = Loss(field, Effect.EMULATED, reason)
        self._replace(index, via=via, losses=(*change.losses, loss))

    def _block(self, bid: _Bid, reason: str) -> None:
        """What cannot have its name keeps the one that it has; without it nothing else is made."""
        field = "name" if bid.change.kind is Kind.BUDGET else "entity"
        said = f"{self._able.vendor} has one object of a name, and {reason}"
        loss = Loss(field, Effect.BLOCKED, said)
        self._found.note([loss])
        self._blocked[bid.at] = loss
        change = bid.change
        losses = (*change.losses, loss)
        rest = {name: each for name, each in change.fields.items() if name != "name"}
        desired = change.desired
        nameless = bid.change.kind is Kind.BUDGET and not {"dimensions"} & rest.keys()
        if change.op is Op.UPDATE and nameless and isinstance(desired, Budget):
            was = structs.replace(desired, name=str(change.fields["name"][0]))
            op = Op.UPDATE if rest else Op.BLOCKED
            self._replace(bid.at, op=op, fields=rest, desired=was, losses=losses)
        else:
            fields = change.fields if change.op is Op.CREATE else {}
            self._replace(bid.at, op=Op.BLOCKED, fields=fields, losses=losses)
            if change.op is Op.CREATE:
                self._stuck.add(change.kind, ("", change.ref), f"it cannot be made: {said}")

    def _hang_back(self) -> None:
        """What hangs on a budget that is not made is not made either; nor is its money moved."""
        if not self._blocked:
            return
        for index in self._parents_first():
            change = self._found.changes[index]
            above = change.budget_ref or _parent(change)
            if change.op is Op.CREATE and above is not None and above in self._stuck:
                waits = self._stuck.waits_for(above)
                self._replace(index, op=Op.BLOCKED, losses=(*change.losses, waits))
                reason = f"it cannot be made: {waits.reason}"
                self._stuck.add(change.kind, ("", change.ref), reason)
        changes = self._stuck.left_in_place(self._found.changes)
        self._found.changes[:] = changes
        stays = {(each.kind, each.key[1:]) for each in changes if each.op is Op.BLOCKED}
        self._found.scales.leave(stays)

    def _parents_first(self) -> Sequence[int]:
        """Budgets by their depth, then allocations."""
        changes = self._found.changes
        parents = {each.ref: above for each in changes if (above := _parent(each)) is not None}

        def below(index: int) -> int:
            change = changes[index]
            shares = change.kind is Kind.ALLOCATION
            return len(parents) + 1 if shares else depth(change.ref, parents)

        return sorted(range(len(changes)), key=below)

    def _replace(self, index: int, **said: Any) -> None:
        self._found.changes[index] = replace(self._found.changes[index], **said)


def temporary(change: Change, able: Capabilities) -> str:
    """The name that the object of a change has in between."""
    assert change.target_id is not None
    most = able.name_length if change.kind is Kind.BUDGET else None
    return temporary_name(change.ref, change.target_id, most, ascii_text=able.ascii_text)


def with_name(model: Budget | Allocation, name: str) -> Budget | Allocation:
    """The object under another name; an allocation's is its entity, which keeps its type."""
    if isinstance(model, Allocation):
        return structs.replace(model, entity=structs.replace(model.entity, id=name))
    return structs.replace(model, name=name)


def _placed(kind: Kind, values: Facts) -> tuple[Facts, Fact]:
    return values, values[ABOVE[kind]] if kind is Kind.ALLOCATION else None


def _as_it_is(change: Change) -> Budget | Allocation | None:
    """What is wanted, under the name that it has now."""
    field = "name" if change.kind is Kind.BUDGET else "entity"
    if change.desired is None or field not in change.fields:
        return change.desired
    before = str(change.fields[field][0])
    if isinstance(change.desired, Allocation):
        return structs.replace(change.desired, entity=Entity(*before.split(":", 1)))
    return with_name(change.desired, before)


def _parent(change: Change) -> str | None:
    return change.desired.parent if isinstance(change.desired, Budget) else None


def _above(change: Change) -> Iterator[tuple[Fact, Fact]]:
    """From below which budget an object moves, and to which."""
    if change.op is Op.UPDATE:
        yield from (change.fields[each] for each in ("parent", "budget") if each in change.fields)


def _detours(bids: Iterable[_Bid], takers: Mapping[Any, _Bid]) -> Iterator[_Bid]:
    """One of each circle, the first by its ref; and whatever cannot give its name up in time, as it
    has to wait for where it moves to."""
    done = set[int]()
    for start in bids:
        path: dict[int, _Bid] = {}
        bid: _Bid | None = start
        while bid is not None and bid.at not in done and bid.at not in path:
            path[bid.at] = bid
            bid = takers.get(bid.change.key)
        if bid is not None and bid.at in path:
            round_ = list(path.values())
            round_ = round_[round_.index(bid) :]
            yield min(round_, key=lambda each: each.change.key)
        done |= path.keys()
        if isinstance(start.name[1], tuple) and start.change.key in takers:
            yield start


def _name(kind: Kind, unique: Unique, values: Facts, above: Fact) -> Name:
    said = dict(zip(FIELDS[kind], values, strict=True))
    named = (said[field] for field in sorted(unique.fields))
    if unique.folded:
        named = (folded(each) if isinstance(each, str) else each for each in named)
    return kind, above, *named
