"""Weigh back: how an undo moves money, weighed as it is in the target before and after."""

from collections.abc import Collection
from dataclasses import replace
from datetime import date

from canonical.change import Change
from canonical.facts import BUDGET_FIELDS, Fact, Facts, facts
from canonical.image import Image
from canonical.kind import FIELDS, Kind, Op
from canonical.money import MONEY, Move, counted_on, moves
from sync.match import Key
from sync.scales import Scales, Weighed
from sync.state.ledger import Ledger


class BackWeigher:
    """Puts what an undo changes on the `scales`, and what it leaves alone."""

    def __init__(self, scales: Scales, as_of: date, ledger: Ledger) -> None:
        self._scales, self._as_of, self._ledger = scales, as_of, ledger
        self._cadences: dict[str, Fact] = {}
        self._weighed = set[tuple[Kind, Key]]()

    def made(self, change: Change) -> Change:
        """What is made anew, or comes back into use."""
        assert change.desired is not None
        named = dict(zip(FIELDS[change.kind], facts(change.desired), strict=True))
        if named["end"] is not None and date.fromisoformat(str(named["end"])) < self._as_of:
            return self._put(change, Op.CREATE, (), None)
        money = self._money(change, named)
        return self._put(change, Op.CREATE, moves(None, money, self._as_of), None)

    def altered(self, change: Change, now: Image) -> Change:
        """What is there, and is to be otherwise or to go."""
        before = self._money(change, now)
        if change.op in (Op.RETIRE, Op.DELETE):
            return self._put(change, change.op, None, before)
        after = {**now, **{name: after for name, (_, after) in change.fields.items()}}
        moved = moves(before, self._money(change, after), self._as_of)
        return self._put(change, change.op, moved, before)

    def rest(self) -> None:
        """All other linked objects, of whose total the moves are a share."""
        for kind in Kind:
            names = FIELDS[kind]
            for link, agreed in self._ledger.agreements(list(self._ledger.ids(kind))):
                key = link.budget_ref, link.ref
                if (kind, key) in self._weighed:
                    continue
                named = dict(zip(names, agreed.echo, strict=True))
                before = counted_on(self._filled(key[0], named), self._as_of)
                self._scales.put(Weighed(kind, key, None, (), before))

    def stays(self, objects: Collection[tuple[Kind, Key]]) -> None:
        """Those are left as they are after all."""
        self._scales.leave(objects)

    def _put(
        self, change: Change, op: Op, moved: tuple[Move, ...] | None, money: Facts | None
    ) -> Change:
        key = change.budget_ref or "", change.ref
        before = counted_on(money, self._as_of) if money else None
        if moved is None:
            moved = (Move(self._as_of, before, None),) if before else ()
        weighed = () if change.op is Op.BLOCKED else moved
        self._scales.put(Weighed(change.kind, key, op, weighed, before))
        self._weighed.add((change.kind, key))
        return replace(change, money=moved)

    def _money(self, change: Change, named: Image) -> Facts:
        return self._filled(change.budget_ref or "", named)

    def _filled(self, above: str, named: Image) -> Facts:
        """What says how much counts when; a share's cadence is its budget's, where it has none."""
        if above and named["cadence"] is None:
            named = {**named, "cadence": self._cadence_of(above)}
        return tuple(named.get(name) for name in MONEY)

    def _cadence_of(self, ref: str) -> Fact:
        if ref not in self._cadences:
            link = self._ledger.by_refs(Kind.BUDGET, [("", ref)]).get(("", ref))
            agreed = self._ledger.baselines([link.id])[link.id] if link else None
            at = BUDGET_FIELDS.index("cadence")
            self._cadences[ref] = agreed.desired[at] if agreed else None
        return self._cadences[ref]
