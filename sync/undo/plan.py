"""Undo: the plan that takes back what a run did, from what the journal kept of before.

what the run did     what takes it back
------------------   ---------------------------------------------------------------------------
made it              it is removed, unless somebody edited it or put something into it since
changed a field      the field is as it was, unless somebody changed it since
took it out of use   it is taken into use again; where the target cannot, a new one is made
deleted it           a new one is made

What stays as it is, is a change that is blocked, with the reason: nothing of it is written.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Final

from canonical.allocation import Status
from canonical.change import Change
from canonical.compare import Baseline, Cause, Difference, differences
from canonical.facts import MONEY_FIELDS, Fact, Facts, facts
from canonical.image import Image, NotWhole, model_from
from canonical.kind import FIELDS, Kind, Op
from canonical.loss import Effect, Loss
from canonical.side import Side
from connectors.contract.capabilities import Removal
from connectors.contract.errors import Missing, Unseen
from connectors.contract.interface import Connector
from connectors.contract.records import Observed
from sync.counterpart import Counterpart, Counterparts
from sync.decide import Wanted, alteration, held, is_out_of_use, removal
from sync.findings import Findings
from sync.identify import Identifier
from sync.match import Key
from sync.naming import Naming
from sync.observe import Observation
from sync.reconcile import STATUS
from sync.scales import Scales
from sync.send import Statement
from sync.spec import OnRemove
from sync.state.journal import Journal, Operation, State
from sync.state.ledger import Ledger, Link
from sync.state.owners import Owned, Owners
from sync.stuck import UNREADABLE, Stuck
from sync.undo.contents import Contents
from sync.undo.deed import Deed, deeds_of
from sync.undo.remake import Remaking
from sync.undo.source import SourceUndo
from sync.undo.still import HIDDEN, Still
from sync.undo.torn import Torn, with_money
from sync.undo.weigh import BackWeigher

_GONE = "it is not there any more"


@dataclass(frozen=True, slots=True)
class Undo:
    """What to take back: a run, or of it only budgets of those `refs` with their allocations, and
    allocations of those. `earlier` are the runs that began to take it back before, and the last of
    them `broke_off` unless it did all that it meant."""

    run: str
    refs: frozenset[str] = frozenset()
    earlier: frozenset[str] = frozenset()
    broke_off: bool = False

    def covers(self, deed: Deed) -> bool:
        """Whether it is about that object."""
        return not self.refs or not self.refs.isdisjoint(deed.key)


class UndoPlanner:
    """Makes one plan. Objects in `waiting` have a write of unknown outcome: they are left alone."""

    def __init__(
        self,
        undo: Undo,
        target: Connector,
        ledger: Ledger,
        owners: Owners,
        journal: Journal,
        seen: Observation,
        as_of: date,
        waiting: Collection[tuple[Kind, Key]] = frozenset(),
        *,
        source: Connector,
        unseen_is_gone: bool = False,
    ) -> None:
        self._source, self._as_of = source, as_of
        self._undo, self._target, self._able = undo, target, target.capabilities
        self._ledger, self._owners, self._journal = ledger, owners, journal
        self._seen, self._waiting = seen, waiting
        self.found = found = Findings(problems=list(seen.problems), scales=Scales(as_of))
        self._there = there = Counterparts(
            target, ledger, seen, found, unseen_is_gone=unseen_is_gone
        )
        self._who, self._weigher = Identifier(target), BackWeigher(found.scales, as_of, ledger)
        self._naming = Naming(target, ledger, seen, there, Stuck(), found)
        self._held = {
            Kind.BUDGET: held(self._able.budget),
            Kind.ALLOCATION: held(self._able.allocation) | {"budget"},
        }
        self._remaking = Remaking(
            target,
            seen,
            there,
            self._who,
            self._weigher,
            self._held,
            found,
            self._leave,
            self._is_half_made,
        )
        self._links: dict[tuple[Kind, Key], Link] = {}
        self._later: dict[tuple[Kind, Key], list[Operation]] = {}
        self._owned: dict[tuple[Kind, str], Owned] = {}
        self._torn = Torn(
            ledger,
            self._links,
            self._later,
            undo.earlier,
            sums_moved=self._able.sums_shares and undo.broke_off,
        )
        self._going: dict[str, tuple[Deed, Counterpart]] = {}
        self._left: list[Change] = []

    def plan(self) -> Findings:
        """Decide. Raises what reading the target raises."""
        done = self._journal.of_run(self._undo.run)
        deeds, back = (
            [deed for deed in deeds_of(done, side) if self._undo.covers(deed)]
            for side in (Side.TARGET, Side.SOURCE)
        )
        deeds.sort(key=lambda deed: deed.kind is Kind.ALLOCATION)  # after what they are below
        self._look_up(deeds)
        for deed in self._torn.with_others(deeds):
            try:
                self._take_back(deed)
            except (Unseen, NotWhole) as error:
                self._leave(deed, str(error))
        self._remaking.make({deed.key[1] for deed, _ in self._going.values()})
        self._remove()
        self._naming.settle()
        SourceUndo(
            self._source, self._ledger, self._as_of, self.found, self._leave_source
        ).take_back(back)
        self.found.changes.extend(self._left)
        self._weigher.rest()
        self.found.source_seen = self._ledger.count()
        return self.found

    def _look_up(self, deeds: Sequence[Deed]) -> None:
        """All that is known of those objects, in a few questions."""
        keys: dict[Kind, list[Key]] = defaultdict(list)
        ids: dict[Kind, list[str]] = defaultdict(list)
        for deed in deeds:
            keys[deed.kind].append(deed.key)
            ids[deed.kind].append(deed.target_id or "")
        for kind, some in keys.items():
            links = self._ledger.by_refs(kind, some)
            later = self._journal.since(self._undo.run, kind, some)
            owned = self._owners.by_targets(kind, ids[kind])
            self._links |= {(kind, key): link for key, link in links.items()}
            self._later |= {(kind, key): each for key, each in later.items()}
            self._owned |= {(kind, id): each for id, each in owned.items()}

    def _is_half_made(self, deed: Deed, item: Observed) -> bool:
        """Whether an earlier undo began to make it; it is then made whole."""
        later = self._later.get(deed.object, ())
        lost = any(each.op is Op.CREATE and each.state is State.LOST for each in later)
        if lost and self._torn.is_ours(later):
            self._revive(deed, item)
            return True
        return False

    # -- object by object --------------------------------------------------------------------

    def _take_back(self, deed: Deed) -> None:
        link = self._links.get(deed.object)
        owner = self._owned.get((deed.kind, deed.target_id or ""))
        if deed.object in self._waiting:
            self.found.waiting += 1
        elif owner is not None:
            self._leave(deed, f"it belongs to the sync {owner.sync} now")
        elif link is not None and link.id in self._seen.unreadable:
            self._leave(deed, UNREADABLE)
        else:
            _HOW[deed.op](self, deed, link)

    def _unmake(self, deed: Deed, link: Link | None) -> None:
        """Remove what was made; what is gone already need not be."""
        there = self._counterpart(deed, link)
        if there is None:
            item = self._seen.strangers[deed.kind].get(deed.target_id or "")
            if item is not None and not self._is_out(deed, item):
                self._leave(deed, "it is in use, and this sync does not know it any more")
        elif there.observed[STATUS[deed.kind]] != Status.RETIRED:
            if reason := self._why_kept(deed, there):
                self._leave(deed, reason)
            else:
                self._going[there.target_id] = deed, there

    def _restore(self, deed: Deed, link: Link | None) -> None:
        """Put fields back to what was there before."""
        there = self._counterpart(deed, link)
        if there is None:
            self._leave(deed, _GONE)
            return
        now = self._named(deed.kind, there.observed)
        later, torn = self._later.get(deed.object, ()), self._torn.is_torn(deed)
        deed = with_money(deed) if torn else deed
        agreed = self._ours(deed.kind, there)
        still = Still(deed, now, agreed, later, self._undo.earlier, torn)
        back, stays = still.judged(self._held[deed.kind])
        if back:
            image = still.as_agreed() | back
            found = [Difference(name, now[name], said, Cause.UNDO) for name, said in back.items()]
            self._alter(deed, image, there.target_id, there.observed, found)
        for name, reason in stays.items():
            self._leave(deed, reason, name)

    def _bring_back(self, deed: Deed, link: Link | None) -> None:
        """Take into use again what was taken out of it, or make it anew."""
        if link is not None:
            if self._torn.is_ours(self._later.get(deed.object, ())):
                whole = (name for name, said in deed.before.items() if said is not None)
                self._restore(replace(deed, fields=tuple(whole)), link)
            return
        item = self._shown(deed)
        if item is not None and not self._is_out(deed, item):
            self._leave(deed, f"somebody took it into use again ({item.id})")
        elif item is not None and self._revives(deed, item):
            self._revive(deed, item)
        else:
            self._remaking.add(deed, _wanted(deed, deed.before))

    def _revives(self, deed: Deed, item: Observed) -> bool:
        """Whether it can be taken into use again where it was."""
        above = deed.key[0]
        is_there = not above or self._there.budgets([above]).get(above) == item.container
        return deed.kind in self._able.revives and is_there

    def _revive(self, deed: Deed, item: Observed) -> None:
        model = _wanted(deed, deed.before).model
        now = self._there.in_our_terms(deed.kind, facts(item.model))
        self._who.ask([model])
        now, _ = self._who.recognised(model, now, None)
        found = differences(FIELDS[deed.kind], self._held[deed.kind], facts(model), now)
        self._there.adopt(deed.kind, deed.key, item)
        self._alter(deed, deed.before, item.id, facts(item.model), found, revives=True)

    def _alter(
        self,
        deed: Deed,
        image: Image,
        target_id: str,
        observed: Facts,
        found: Sequence[Difference],
        *,
        revives: bool = False,
    ) -> None:
        wanted = _wanted(deed, image)
        change = alteration(wanted, target_id, observed, found, self._able)
        stated = wanted.statement
        change = replace(change, cause=Cause.UNDO, stated=stated.hex())
        now = self._named(deed.kind, observed)
        if change.op is Op.RETIRE:
            change = replace(change, image=self._there.image(deed.kind, observed, None))
        change = self._weigher.made(change) if revives else self._weigher.altered(change, now)
        self.found.add(change, Statement(stated))

    # -- what goes ---------------------------------------------------------------------------

    def _remove(self) -> None:
        """Remove what was made, but for budgets in which something is that stays."""
        contents = Contents(self._seen, self._ledger, self._there, self.found.changes)
        for id, inside in contents.kept(self._going).items():
            deed, _ = self._going.pop(id)
            self._leave(deed, f"{inside} is in it")
        for deed, there in self._going.values():
            policy = self._policy(deed)
            change = removal(
                deed.kind, deed.key, there.target_id, there.observed, policy, self._able
            )
            agreed = there.baseline
            image = self._there.image(deed.kind, there.observed, agreed)
            change = replace(change, cause=Cause.UNDO, image=image)
            now = self._named(deed.kind, there.observed)
            self.found.changes.append(self._weigher.altered(change, now))

    def _policy(self, deed: Deed) -> OnRemove:
        """Through what something was spent keeps its history, where the target can."""
        both = self._able.removal is Removal.RETIRE_OR_DELETE
        spent = self._seen.spent.get(deed.target_id or "")
        return OnRemove.RETIRE if both and spent else OnRemove.DELETE

    def _why_kept(self, deed: Deed, there: Counterpart) -> str | None:
        """Why what a run made is not to be removed."""
        later = self._later.get(deed.object, ())
        if others := [each.run_id for each in later if each.run_id not in self._undo.earlier]:
            return f"the run {others[-1][:12]} wrote it since; take that back first"
        assert there.baseline is not None
        torn = MONEY_FIELDS if self._torn.is_torn(deed) else frozenset[str]()
        if edited := [*self._edited(deed.kind, there, there.baseline, torn)]:
            return f"it was changed since: {', '.join(edited)}"
        if there.item is not None:
            found = self._target.disown(deed.kind, there.target_id, None, there.baseline.desired)
            return found[1] if found else None
        return None

    def _edited(
        self, kind: Kind, there: Counterpart, agreed: Baseline, torn: Collection[str]
    ) -> Iterator[str]:
        fields = zip(FIELDS[kind], there.observed, agreed.echo, strict=True)
        for name, now, echo in fields:
            if now != echo and name in self._held[kind] and name not in torn:
                yield f"{name} from {echo} to {now}"

    # -- how it stands -----------------------------------------------------------------------

    def _counterpart(self, deed: Deed, link: Link | None) -> Counterpart | None:
        """The object of the deed, as it is now; None where it is gone, or another stands for it."""
        if link is None or not self._is_same(deed, link):
            return None
        baseline = self._ledger.baselines([link.id])[link.id]
        return self._there.linked(deed.kind, link, baseline, None)

    def _is_same(self, deed: Deed, link: Link) -> bool:
        """Whether it stands for what the run wrote, whatever the target calls it by now."""
        later = self._later.get(deed.object, ())
        done = [each for each in later if each.state is State.APPLIED]
        anew = any(each.op is not Op.UPDATE for each in done)
        if anew and deed.op not in (Op.RETIRE, Op.DELETE):
            return False
        return link.target_id in {deed.target_id, *(each.target_id for each in done)}

    def _is_out(self, deed: Deed, item: Observed) -> bool:
        policy = OnRemove.RETIRE if deed.op is Op.RETIRE else self._policy(deed)
        return is_out_of_use(item.model.status, self._able, policy)

    def _shown(self, deed: Deed) -> Observed | None:
        """What the target shows of something that this sync links no more."""
        item = self._seen.strangers[deed.kind].get(deed.target_id or "")
        if item is None and deed.kind in self._able.revives and deed.target_id:
            try:
                return self._target.get(deed.kind, deed.target_id)
            except Missing:
                return None
        return item

    def _named(self, kind: Kind, observed: Facts) -> dict[str, Fact]:
        return dict(zip(FIELDS[kind], self._there.in_our_terms(kind, observed), strict=True))

    def _ours(self, kind: Kind, there: Counterpart) -> Baseline:
        assert there.baseline is not None
        echo = self._there.in_our_terms(kind, there.baseline.echo)
        return Baseline(there.baseline.desired, echo)

    def _leave(self, deed: Deed, reason: str, field: str = "") -> None:
        """Say why something stays as it is; of one object all reasons together."""
        name = field or ("name" if deed.kind is Kind.BUDGET else "entity")
        loss = Loss(name, Effect.BLOCKED, reason)
        budget_ref, ref = deed.key
        last = self._left[-1] if self._left else None
        if last is not None and last.key == (deed.kind, budget_ref, ref):
            self._left[-1] = replace(last, losses=(*last.losses, loss))
            return
        self._left.append(
            Change(
                op=Op.BLOCKED,
                kind=deed.kind,
                ref=ref,
                budget_ref=budget_ref or None,
                target_id=deed.target_id,
                losses=(loss,),
                cause=Cause.UNDO,
            )
        )

    def _leave_source(self, deed: Deed, reason: str, field: str) -> None:
        """The same of what a run wrote to the source."""
        before = len(self._left)
        self._leave(deed, reason, field)
        if len(self._left) > before:
            self._left[-1] = replace(self._left[-1], side=Side.SOURCE)


def _wanted(deed: Deed, image: Image) -> Wanted:
    """The object as the image has it; raises `NotWhole`."""
    budget_ref, ref = deed.key
    if HIDDEN in str(deed.before):
        raise NotWhole("what it was held a secret, and was not kept")
    model = model_from(deed.kind, ref, budget_ref, image)
    return Wanted(deed.kind, deed.key, model, model, (), facts(model))


_How = Callable[[UndoPlanner, Deed, Link | None], None]
_HOW: Final[Mapping[Op, _How]] = {
    Op.CREATE: UndoPlanner._unmake,
    Op.UPDATE: UndoPlanner._restore,
    Op.RETIRE: UndoPlanner._bring_back,
    Op.DELETE: UndoPlanner._bring_back,
}
