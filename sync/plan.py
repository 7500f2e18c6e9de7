"""Plan: read the source once and decide, object by object, what the target needs.

An object whose projection and whose counterpart are both as last agreed costs two fingerprints and
is forgotten; everything else is judged from three sides: desired, observed, baseline.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property

from msgspec import structs

from canonical.allocation import Allocation, Status
from canonical.budget import Budget
from canonical.change import Change, Conflict, Effect, Handover, Kind, Loss, Op, Problem
from canonical.compare import Baseline, Cause, Difference, differences
from canonical.facts import (
    ALLOCATION_FIELDS,
    BUDGET_FIELDS,
    Fact,
    Facts,
    facts,
    fields_of,
    fingerprint,
    money_facts,
    stated_money,
)
from canonical.money import Move, counted_on, money_of, moves
from connectors.contract.capabilities import Phasing
from connectors.contract.errors import Missing
from connectors.contract.interface import Connector
from connectors.contract.records import Observed, Page
from sync.decide import Losses, Wanted, alteration, creation, held, is_out_of_use, removal
from sync.identify import Identifier, names_others
from sync.match import Key, Matched, Matcher, Newcomer
from sync.observe import BitSet, Observation
from sync.ownership import Ownership
from sync.past import keeps_past, with_past
from sync.project import Projector
from sync.send import Statement
from sync.spec import OnRemove, SyncSpec
from sync.state.ledger import Entry, Ledger, Link
from sync.state.owners import Owned
from sync.twins import twins
from sync.weigh import Scales, Weighed, drifts, restated, together, told

_ABOVE = {
    Kind.BUDGET: BUDGET_FIELDS.index("parent"),
    Kind.ALLOCATION: ALLOCATION_FIELDS.index("budget"),
}
_RETIRED = "it is retired"
_UNDECIDED = "a conflict about it waits for a decision"
_STATUS = {
    Kind.BUDGET: BUDGET_FIELDS.index("status"),
    Kind.ALLOCATION: ALLOCATION_FIELDS.index("status"),
}


@dataclass(slots=True)
class Findings:
    """What planning found, before the guard judges it."""

    changes: list[Change] = field(default_factory=list)
    conflicts: list[Conflict] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    agreements: list[Entry] = field(default_factory=list)
    forgotten: list[int] = field(default_factory=list)
    handovers: list[Handover] = field(default_factory=list)
    taken: list[Owned] = field(default_factory=list)
    unchanged: int = 0
    kept: int = 0
    waiting: int = 0
    adopted: int = 0
    lossy: dict[str, tuple[int, str]] = field(default_factory=dict)
    source_seen: int = 0
    stated: dict[tuple[Kind, Key], Statement] = field(default_factory=dict)
    scales: Scales = field(default_factory=Scales)

    def note(self, losses: Sequence[Loss]) -> None:
        """Count the losses that need to be accepted by name."""
        for loss in losses:
            if loss.matters:
                count, reason = self.lossy.get(loss.name, (0, loss.reason))
                self.lossy[loss.name] = count + 1, reason


class Planner:
    """Makes one plan. Objects in `waiting` have a write of unknown outcome: they are left alone.

    A `thorough` plan takes nothing on the ledger's word: every object is compared field by field.
    """

    def __init__(
        self,
        spec: SyncSpec,
        source: Connector,
        target: Connector,
        ledger: Ledger,
        observation: Observation,
        ownership: Ownership,
        as_of: date,
        waiting: frozenset[tuple[Kind, Key]] = frozenset(),
        *,
        thorough: bool = False,
    ) -> None:
        self._thorough = thorough
        self._spec, self._source, self._target, self._as_of = spec, source, target, as_of
        self._ledger, self._seen, self._waiting = ledger, observation, waiting
        self._ownership, self._elders = ownership, ownership.elders
        self._able = target.capabilities
        self._projector = Projector(self._able, as_of, spec.horizon_months)
        self._keeps_past = keeps_past(source.capabilities, self._able)
        self._who = Identifier(target)
        self._held = {
            Kind.BUDGET: held(self._able.budget),
            Kind.ALLOCATION: held(self._able.allocation) | {"budget"},
        }
        self._mentioned = BitSet()
        self._budgets: dict[str, Budget] = {}
        self._shapes: dict[object, Budget] = {}
        self._refs: dict[str, str | None] = {}  # of the target's budgets, looked up or adopted
        self._adopted_shares: dict[Key, str] = {}  # the target's ids
        self._moved: dict[int, str] = {}  # links whose objects go by another id now
        self._stuck: dict[str, str] = {}
        self._undecided: dict[Kind, set[Key]] = {kind: set() for kind in Kind}
        self._whole = self._able.phasing is Phasing.ALL
        self._cadences: dict[str, Fact] = {}  # of budgets that the source no longer states
        self._gone: dict[tuple[Kind, Key], tuple[Link, Baseline]] = {}
        self.found = Findings(problems=list(observation.problems), scales=Scales(as_of))

    def plan(self) -> Findings:
        """Decide. Raises what listing the source, or confirming that an object is gone, raises."""
        for kind in Kind:
            matcher = Matcher(kind, self._seen.strangers[kind], self._able.identity)
            newcomers: dict[Key, Wanted] = {}
            for page in self._source.list(kind):
                for wanted in self._unrecognised(matcher, kind, list(self._page(kind, page))):
                    newcomers.setdefault(wanted.key, wanted)  # a page may repeat a record
            self._welcome(matcher, kind, list(newcomers.values()))
            self._report_twins(kind)
        self._leave_in_place()
        self._remove()
        return self.found

    # -- what the source states --------------------------------------------------------------

    def _page(self, kind: Kind, page: Page) -> Iterator[Wanted]:
        """Judge one page; yields what has no counterpart by link."""
        self.found.problems.extend(page.problems)
        self.found.source_seen += len(page.items)
        keys = [_key(item) for item in page.items]
        links = self._ledger.desires(kind, keys)
        differing: list[tuple[Wanted, int]] = []
        for item, key in zip(page.items, keys, strict=True):
            wanted = self._want(kind, key, item)
            if wanted is None:
                continue
            link = links.get(key)
            if link is None:
                yield wanted
                continue
            if not self._mentioned.add(link.id):
                continue
            if link.id in self._elders and not self._pass(wanted, self._elders[link.id]):
                continue
            as_agreed = (
                link.id in self._seen.clean and fingerprint(wanted.all_facts) == link.fingerprint
            )
            if as_agreed and not self._thorough:
                self.found.unchanged += 1
                self.found.note(wanted.losses)
                self.found.scales.keep(kind, wanted.stated)
            else:
                differing.append((wanted, link.id))
        yield from self._judge(kind, differing)

    def _want(self, kind: Kind, key: Key, item: Observed) -> Wanted | None:
        stated = item.model
        if isinstance(stated, Budget):
            if key[1] in self._budgets:
                return None  # a page may repeat a record
            self._budgets[key[1]] = self._shape(stated)
            return self._fitted(kind, key, stated, *self._projector.budget(stated))
        budget = self._budgets.get(key[0])
        if budget is None:
            reason = f"its budget {key[0]!r} is not among the source's budgets"
            self.found.problems.append(Problem(self._source.name, item.id, reason, item.id))
            return None
        stated = budget.complete(stated)
        return self._fitted(kind, key, stated, *self._projector.allocation(stated))

    def _fitted(
        self,
        kind: Kind,
        key: Key,
        stated: Budget | Allocation,
        projected: Budget | Allocation,
        losses: Losses,
    ) -> Wanted:
        model, more = self._target.fit(projected, self._projector.horizon)
        if more:
            losses = _together(losses, more)
        return Wanted(kind, key, stated, model, losses, facts(model), self._beyond(stated, model))

    def _beyond(self, stated: Budget | Allocation, model: Budget | Allocation) -> Facts | None:
        """The money that a budget states, where the target is told of fewer phases."""
        if self._whole or isinstance(stated, Allocation) or not stated.phases:
            return None
        return None if model is stated else stated_money(stated)

    def _shape(self, budget: Budget) -> Budget:
        """What allocations take from their budget; budgets alike share one."""
        said = (
            budget.cadence,
            budget.start,
            budget.end,
            budget.status,
            budget.enforcement,
            budget.carry_over,
        )
        shape = self._shapes.get(said)
        if shape is None:
            shape = self._shapes[said] = structs.replace(
                budget, ref="", name="", amount=None, phases=(), allocations=()
            )
        return shape

    # -- what is linked and not as agreed ----------------------------------------------------

    def _judge(self, kind: Kind, differing: Sequence[tuple[Wanted, int]]) -> Iterator[Wanted]:
        ids = [id for _, id in differing]
        links, baselines = self._ledger.by_ids(ids), self._ledger.baselines(ids)
        for wanted, id in differing:
            link = links[id]
            if (kind, wanted.key) in self._waiting:
                self._wait(kind, wanted.key)
            elif link.id in self._seen.unreadable:
                self._stick(kind, wanted.key, "it could not be read in the target")
            else:
                baseline = baselines[link.id]
                observed = self._observed(kind, link, baseline)
                if observed is None:
                    self.found.forgotten.append(link.id)
                    self._gone[kind, wanted.key] = link, baseline
                    yield wanted
                else:
                    target_id = self._moved.get(link.id, link.target_id)
                    if link.id not in self._seen.clean:
                        known = baseline.desired
                        observed = self._disowned(kind, target_id, wanted.model, observed, known)
                    self._compare(
                        wanted,
                        target_id,
                        link.origin,
                        observed,
                        baseline,
                        link,
                        item=self._seen.drifted.get(link.id),
                    )

    def _observed(self, kind: Kind, link: Link, baseline: Baseline) -> Facts | None:
        """The target's facts of a linked object; None where it is proved to be gone.

        Absence from a complete listing is confirmed by asking for the object itself; one that
        answers under another id than it had is what the listing shows under that.
        """
        if link.id in self._seen.drifted:
            return facts(self._seen.drifted[link.id].model)
        if link.id in self._seen.clean:
            return baseline.echo
        try:
            item = self._target.get(kind, link.target_id)
        except Missing:
            return None
        if item.id != link.target_id:
            self._moved[link.id] = item.id
            self._seen.renamed(kind, link.id, item)
            if kind is Kind.BUDGET:
                self._refs[item.id] = link.ref
        return facts(item.model)

    def _disowned(
        self,
        kind: Kind,
        id: str,
        model: Budget | Allocation | None,
        observed: Facts,
        agreed: Facts | None,
    ) -> Facts:
        """The target's facts without what somebody else put into the object; that is told."""
        found = self._target.disown(kind, id, model, agreed)
        if found is None:
            return observed
        item, said = found
        self.found.problems.append(Problem(self._target.name, f"{kind} {id}", said, id))
        return facts(item.model)

    def _compare(
        self,
        wanted: Wanted,
        target_id: str,
        origin: str,
        observed: Facts,
        baseline: Baseline | None,
        link: Link | None,
        matched: str | None = None,
        item: Observed | None = None,
    ) -> None:
        kind = wanted.kind
        if self._keeps_past:
            wanted = self._with_past(wanted, observed)
        ours = self._in_our_terms(kind, observed)
        agreed = baseline and Baseline(baseline.desired, self._in_our_terms(kind, baseline.echo))
        names = fields_of(wanted.model)
        found = differences(names, self._held[kind], wanted.facts, ours, agreed)
        if names_others(found):
            self._who.ask([wanted.model])
            unknown = tuple(self._who.unknown(wanted.model))
            wanted = replace(wanted, losses=_together(wanted.losses, unknown))
            ours, agreed = self._who.recognised(wanted.model, ours, agreed)
            found = differences(names, self._held[kind], wanted.facts, ours, agreed)
        if item is not None and self._seen.misplaces(item):
            found.append(Difference("stamp", item.stamp, None, Cause.SOURCE))
        self.found.note(wanted.losses)
        stated = fingerprint(facts(wanted.stated))
        if not found:
            self.found.unchanged += 1
            self._weigh(wanted, None, found, observed, baseline, link, stated)
            echo = wanted.facts if observed == wanted.facts else observed  # mostly one tuple
            self.found.agreements.append(
                Entry(
                    kind=kind,
                    ref=wanted.key[1],
                    budget_ref=wanted.key[0],
                    target_id=target_id,
                    origin=origin,
                    baseline=Baseline(wanted.facts, echo, wanted.beyond),
                    source=stated,
                )
            )
            return
        change = alteration(
            wanted,
            target_id,
            observed,
            found,
            self._able,
            matched=matched,
            by_calendar=link is not None and link.source == stated,
        )
        if change.op is Op.BLOCKED and observed[_STATUS[kind]] == Status.RETIRED:
            self._stick(kind, wanted.key, change.losses[-1].reason)
        elif change.op is Op.UPDATE and "status" in change.fields and wanted.key[0] in self._stuck:
            losses = (*change.losses, self._waits_for(wanted.key[0]))
            change = replace(change, op=Op.BLOCKED, fields={}, losses=losses)
        self.found.note([loss for loss in change.losses if loss not in wanted.losses])
        money = self._weigh(wanted, change.op, found, observed, baseline, link, stated)
        self._add(replace(change, money=money), Statement(stated, wanted.beyond))

    def _weigh(
        self,
        wanted: Wanted,
        op: Op | None,
        found: Sequence[Difference],
        observed: Facts,
        baseline: Baseline | None,
        link: Link | None,
        stated: bytes,
    ) -> tuple[Move, ...]:
        """Weigh what becomes of an object that is there; returns how its money moves.

        What only finishes an earlier writing, untouched since, was weighed when that was planned.
        """
        now, day = money_facts(wanted.stated), self._as_of
        here, before = told(wanted, found, now, day)
        if op is Op.RETIRE:
            here = (Move(day, before, None),) if before else ()
        said: tuple[Move, ...] = ()
        if baseline is not None and link is not None and link.source != stated:
            said = restated(baseline, wanted, now, day)
        counts = link is None or op is Op.RETIRE or drifts(found)
        finishes = baseline is not None and (baseline.echo, baseline.desired) == (
            observed,
            wanted.facts,
        )
        weighed = together(here, said) if counts and not finishes else said
        if op is Op.BLOCKED:
            weighed = ()
        if finishes and not said:
            self.found.scales.finishing.add((wanted.kind, wanted.key))
        self.found.scales.put(Weighed(wanted.kind, wanted.key, op, weighed, before))
        return together(here, said)

    def _with_past(self, wanted: Wanted, observed: Facts) -> Wanted:
        """What is wanted, the periods that are over as they are in the target."""
        model, stated = wanted.model, wanted.stated
        if not (isinstance(model, Budget) and isinstance(stated, Budget)):
            return wanted
        model, _ = self._target.fit(
            with_past(model, stated, observed, self._as_of), self._projector.horizon
        )
        return replace(wanted, model=model, facts=facts(model))

    def _in_our_terms(self, kind: Kind, values: Facts) -> Facts:
        """The target's facts, its id of the budget above turned into the owner's ref."""
        at = _ABOVE[kind]
        if values[at] is None:
            return values
        above = str(values[at])
        if above not in self._refs:
            link = self._ledger.by_targets(Kind.BUDGET, [above]).get(above)
            self._refs[above] = link.ref if link else None
        return (*values[:at], self._refs[above], *values[at + 1 :])

    # -- what is new -------------------------------------------------------------------------

    def _unrecognised(
        self, matcher: Matcher, kind: Kind, newcomers: Sequence[Wanted]
    ) -> Iterator[Wanted]:
        """Adopt at once what bears a newcomer's stamp; yields the others, to be seen together."""
        containers = self._containers(kind, newcomers)
        for wanted in self._without_owner(kind, newcomers, containers):
            if wanted.key in self._adopted_shares:
                continue
            container = containers.get(wanted.key[0])
            decidable = wanted.model.status is not Status.RETIRED and (
                (kind, wanted.key) not in self._waiting
            )
            item = None
            if decidable and (kind is Kind.BUDGET or container is not None):
                item = matcher.take(Newcomer(wanted.key, wanted.model, container))
            if item is None:
                yield wanted
            else:
                self._adopt(wanted, Matched(item, "stamp"))

    def _welcome(self, matcher: Matcher, kind: Kind, newcomers: Sequence[Wanted]) -> None:
        """Adopt what an earlier run or a person left in the target; create the rest."""
        active = []
        for wanted in _parents_first(newcomers):
            if wanted.model.status is Status.RETIRED:
                self.found.unchanged += 1
                self._stick(kind, wanted.key, _RETIRED)
            else:
                active.append(wanted)
        if active:
            self._who.ask(wanted.model for wanted in active)
        containers = self._containers(kind, active)
        arrivals = [
            Newcomer(wanted.key, self._who.theirs(wanted.model), containers.get(wanted.key[0]))
            for wanted in active
        ]
        if kind is Kind.ALLOCATION:
            arrivals = [each for each in arrivals if each.container is not None]
        matches, conflicts = matcher.match(arrivals)
        self.found.conflicts.extend(conflicts)
        undecided = self._undecided[kind]
        undecided |= {(each.budget_ref or "", each.ref) for each in conflicts}
        for wanted in active:
            matched = matches.get(wanted.key)
            if (kind, wanted.key) in self._waiting:
                self._wait(kind, wanted.key)
            elif wanted.key in undecided:
                self._stick(kind, wanted.key, _UNDECIDED)
            elif matched is not None and matched.by == "stamp":
                self._adopt(wanted, matched)
            elif suspect := self._seen.suspect(
                kind, wanted.key[1], wanted.model, containers.get(wanted.key[0])
            ):
                self._create(wanted, _may_be_there(suspect))
            elif matched is not None:
                self._adopt(wanted, matched)
            else:
                self._create(wanted)

    def _adopt(self, wanted: Wanted, matched: Matched) -> None:
        self._count_in(wanted, matched.item)
        item = matched.item
        values = self._disowned(wanted.kind, item.id, wanted.model, facts(item.model), None)
        self._compare(wanted, item.id, "adopted", values, None, None, matched.by, item)

    def _count_in(self, wanted: Wanted, item: Observed) -> None:
        if wanted.kind is Kind.BUDGET:
            self._refs[item.id] = wanted.key[1]
        else:
            self._adopted_shares[wanted.key] = item.id
        self.found.adopted += 1

    # -- what other syncs own ----------------------------------------------------------------

    def _without_owner(
        self, kind: Kind, newcomers: Sequence[Wanted], containers: Mapping[str, str]
    ) -> Iterator[Wanted]:
        """The newcomers that no other sync owns; one that it has done with is taken over."""
        open = [
            Newcomer(each.key, each.model, containers.get(each.key[0]))
            for each in newcomers
            if (kind, each.key) not in self._waiting and each.key[0] not in self._stuck
        ]
        owned, being_made = self._ownership.owned(kind, open), self._ownership.being_made(kind)
        for wanted in newcomers:
            key = wanted.key
            if key in self._adopted_shares or key in self._undecided[kind]:
                continue
            if key in owned:
                if not self._take_over(wanted, owned[key]):
                    yield wanted
            elif key in being_made and (kind, key) not in self._waiting:
                sync = being_made[key]
                said = f"the sync {sync} waits for the outcome of making it"
                self._leave_undecided(kind, Conflict(kind, key[1], key[0] or None, said, (), sync))
            else:
                yield wanted

    def _take_over(self, wanted: Wanted, owned: Owned) -> bool:
        """Take the object over, or say why not; false where there is none, or it is over."""
        item = self._ownership.item(wanted.kind, owned, self._target)
        if item is None:
            return False
        if not self._pass(wanted, owned, over=item.model.status is Status.RETIRED):
            return wanted.key in self._undecided[wanted.kind]
        self._count_in(wanted, item)
        link, values = owned.link, facts(item.model)
        baseline = self._ledger.baselines([link.id])[link.id]
        self._compare(wanted, item.id, link.origin, values, baseline, link, "handover")
        return True

    def _pass(self, wanted: Wanted, owned: Owned, *, over: bool = False) -> bool:
        """Whether the object passes to this sync: not while its owner needs it, which is a
        conflict, and not where it is `over`, which is none."""
        kind, key = wanted.kind, wanted.key
        reason = self._ownership.obstacle(kind, key, owned)
        if reason is not None:
            self._leave_undecided(kind, self._ownership.conflict(kind, key, owned, reason))
        elif not over:
            said = Handover(kind, key[1], key[0] or None, owned.link.target_id, owned.sync)
            self.found.handovers.append(said)
            self.found.taken.append(owned)
        return reason is None and not over

    def _leave_undecided(self, kind: Kind, conflict: Conflict) -> None:
        key = conflict.budget_ref or "", conflict.ref
        self.found.conflicts.append(conflict)
        self._undecided[kind].add(key)
        self._stick(kind, key, _UNDECIDED)

    def _report_twins(self, kind: Kind) -> None:
        adopted = self._refs if kind is Kind.BUDGET else set(self._adopted_shares.values())
        said = self._undecided[kind]
        self.found.conflicts.extend(twins(kind, self._seen, self._ledger, adopted, said))

    def _containers(self, kind: Kind, wanted: Sequence[Wanted]) -> dict[str, str]:
        """The target's ids of the budgets that new allocations belong to, where they exist."""
        if kind is Kind.BUDGET:
            return {}
        refs = sorted({each.key[0] for each in wanted})
        found = {ref: self._ids[ref] for ref in refs if ref in self._ids}
        linked = [("", ref) for ref in refs if ref not in found]
        for start in range(0, len(linked), 1000):
            links = self._ledger.by_refs(Kind.BUDGET, linked[start : start + 1000])
            found.update((ref, link.target_id) for (_, ref), link in links.items())
        return found

    @cached_property
    def _ids(self) -> dict[str, str]:
        """The target's ids of the budgets that were adopted: all of them, as budgets come first."""
        return {ref: id for id, ref in self._refs.items() if ref is not None}

    def _create(self, wanted: Wanted, *doubts: Loss) -> None:
        objections = doubts or (
            *self._who.unknown(wanted.model),
            *self._target.objections(wanted.model),
        )
        losses = _together(wanted.losses, objections)
        self.found.note(losses)
        above = wanted.key[0] or (wanted.model.parent if isinstance(wanted.model, Budget) else None)
        if above in self._stuck:
            waits = self._waits_for(above)
            losses = (*losses, waits)
            if self._stuck[above] == _RETIRED:
                self.found.note([waits])  # nothing else says so
        change = creation(wanted, self._held[wanted.kind], losses)
        if change.op is Op.BLOCKED:
            blocked = next(loss for loss in losses if loss.effect is Effect.BLOCKED)
            self._stick(wanted.kind, wanted.key, f"it cannot be made: {blocked.reason}")
        stated = fingerprint(facts(wanted.stated))
        money = self._weigh_new(wanted, change.op, stated)
        self._add(replace(change, money=money), Statement(stated, wanted.beyond))

    def _weigh_new(self, wanted: Wanted, op: Op, stated: bytes) -> tuple[Move, ...]:
        """Weigh what is made; what is made again counts as far as it is stated otherwise."""
        now, day = money_facts(wanted.stated), self._as_of
        over = wanted.stated.end is not None and wanted.stated.end < day
        made = () if over else moves(None, now, day)
        link, baseline = self._gone.get((wanted.kind, wanted.key), (None, None))
        if op is Op.BLOCKED:
            return made
        weighed = Weighed(wanted.kind, wanted.key, op, made)
        if link is not None and baseline is not None:
            again = () if link.source == stated else restated(baseline, wanted, now, day)
            weighed = Weighed(wanted.kind, wanted.key, Op.UPDATE, again, counted_on(now, day))
        self.found.scales.put(weighed)
        return made

    def _leave_in_place(self) -> None:
        """What would move below a budget that is stuck stays; the rest of its change need not."""
        for index, change in enumerate(self.found.changes):
            _, above = change.fields.get("parent", (None, None))
            if change.op is not Op.UPDATE or above not in self._stuck:
                continue
            fields = {name: said for name, said in change.fields.items() if name != "parent"}
            self.found.changes[index] = replace(
                change,
                op=Op.UPDATE if fields else Op.BLOCKED,
                fields=fields,
                losses=(*change.losses, self._waits_for(str(above))),
                desired=_without_parent(change.desired),
            )

    def _waits_for(self, above: str) -> Loss:
        reason = f"{above} has to be there first, and {self._stuck[above]}"
        return Loss("parent", Effect.BLOCKED, reason)

    def _add(self, change: Change, stated: Statement) -> None:
        self.found.changes.append(replace(change, stated=stated.fingerprint.hex()))
        self.found.stated[change.kind, (change.budget_ref or "", change.ref)] = stated

    def _wait(self, kind: Kind, key: Key) -> None:
        self.found.waiting += 1
        self._stick(kind, key, "an earlier write of it has an unknown outcome")

    def _stick(self, kind: Kind, key: Key, reason: str) -> None:
        if kind is Kind.BUDGET:
            self._stuck[key[1]] = reason

    # -- what the source no longer has -------------------------------------------------------

    def _remove(self) -> None:
        """Decide about linked objects that a complete, faultless source listing did not mention.

        One that the target's listing does not show is asked for by its id: it may have lost its
        place in the middle of an earlier removal.
        """
        trusted = not any(each.system == self._source.name for each in self.found.problems)
        for kind in Kind:
            absent = [id for id in self._ledger.ids(kind) if id not in self._mentioned]
            for start in range(0, len(absent), 1000):
                self._remove_links(kind, absent[start : start + 1000], trusted)
        self.found.problems.extend(self._ownership.problems.values())

    def _remove_links(self, kind: Kind, ids: Sequence[int], trusted: bool) -> None:
        if self._elders:
            self.found.forgotten.extend(id for id in ids if id in self._elders)
            ids = [id for id in ids if id not in self._elders]
        policy = self._spec.on_remove
        keep = policy is OnRemove.KEEP or not trusted
        baselines = self._ledger.baselines(ids)
        leaving: list[tuple[Link, Facts, Facts]] = []
        for link in self._ledger.by_ids(ids).values():
            agreed = baselines[link.id]
            unknown = link.id in self._seen.unreadable or link.target_id in self._seen.above
            was_out = is_out_of_use(agreed.echo[_STATUS[kind]], self._able, policy)
            if keep or unknown or (was_out and not self._seen.has(link.id)):
                self.found.kept += 1
                continue
            observed = self._observed(kind, link, agreed)
            if observed is not None and not is_out_of_use(
                observed[_STATUS[kind]], self._able, policy
            ):
                leaving.append((link, observed, agreed.desired))
                continue
            self.found.kept += 1
            if observed is None:  # neither listed nor to be read
                self.found.forgotten.append(link.id)
        self._remove_unless_owned(kind, leaving)

    def _remove_unless_owned(
        self, kind: Kind, leaving: Sequence[tuple[Link, Facts, Facts]]
    ) -> None:
        """Nothing goes that another sync links, states or may state.

        `leaving` are links, each with the facts observed and those agreed as desired.
        """
        protected = self._ownership.protected(kind, [link for link, _, _ in leaving])
        self.found.kept += len(protected)
        for link, observed, agreed in leaving:
            if link.id in protected:
                continue
            if link.id in self._seen.drifted:
                observed = self._disowned(kind, link.target_id, None, observed, agreed)
            key = link.budget_ref, link.ref
            change = removal(kind, key, link.target_id, observed, self._spec.on_remove, self._able)
            self.found.note(change.losses)
            money = self._weigh_removal(kind, key, observed, change.op)
            self.found.changes.append(replace(change, money=money))

    def _weigh_removal(self, kind: Kind, key: Key, observed: Facts, op: Op) -> tuple[Move, ...]:
        names = BUDGET_FIELDS if kind is Kind.BUDGET else ALLOCATION_FIELDS
        said = dict(zip(names, observed, strict=True))
        said["cadence"] = said["cadence"] or self._cadence_above(key[0])
        before = counted_on(money_of(names, tuple(said.values())), self._as_of)
        gone = (Move(self._as_of, before, None),) if before else ()
        self.found.scales.put(Weighed(kind, key, op, () if op is Op.BLOCKED else gone, before))
        return gone

    def _cadence_above(self, ref: str) -> Fact:
        """The cadence of a budget, for the shares that have it from there."""
        if ref in self._budgets:
            return str(self._budgets[ref].cadence)
        if ref not in self._cadences:
            link = self._ledger.by_refs(Kind.BUDGET, [("", ref)]).get(("", ref))
            agreed = self._ledger.baselines([link.id])[link.id] if link else None
            at = BUDGET_FIELDS.index("cadence")
            self._cadences[ref] = agreed.desired[at] if agreed else None
        return self._cadences[ref]


def _may_be_there(problem: Problem) -> Loss:
    reason = f"it may be there already: {problem.where} cannot be read, {problem.message}"
    return Loss("name", Effect.BLOCKED, reason)


def _without_parent(desired: Budget | Allocation | None) -> Budget | Allocation | None:
    """What is written, and so remembered: the next plan finds the parent wanting again."""
    return structs.replace(desired, parent=None) if isinstance(desired, Budget) else desired


def _parents_first(newcomers: Sequence[Wanted]) -> list[Wanted]:
    """In an order in which what is stuck is known before what hangs on it."""
    parents = {each.key: getattr(each.model, "parent", None) for each in newcomers}

    def depth(key: Key) -> int:
        steps = 0
        while (above := parents.get(key)) is not None and steps < len(parents):
            key, steps = ("", above), steps + 1
        return steps

    return sorted(newcomers, key=lambda each: depth(each.key))


def _together(losses: Sequence[Loss], more: Sequence[Loss]) -> Losses:
    """Both, each named loss once: the first to say so has said it."""
    said = {loss.name for loss in losses}
    return (*losses, *(loss for loss in more if loss.name not in said))


def _key(item: Observed) -> Key:
    model = item.model
    return ("", model.ref) if isinstance(model, Budget) else (model.budget, model.ref)
