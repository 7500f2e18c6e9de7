"""Admit: newcomers, which have no link: recognised in the target and adopted, or made."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace

from canonical.allocation import Status
from canonical.budget import Budget
from canonical.change import Conflict, title_of
from canonical.compare import Baseline
from canonical.facts import facts
from canonical.kind import Kind, Op
from canonical.loss import Effect, Loss
from canonical.problem import Problem
from connectors.contract.interface import Connector
from sync.answers import DECISION, answered_by
from sync.claim import Claims
from sync.counterpart import Counterpart, Counterparts
from sync.decide import Wanted, creation, joined, making
from sync.decided import Decisions
from sync.findings import Findings
from sync.identify import Identifier
from sync.match import Key, Matched, Matcher, Newcomer
from sync.meant import Meant
from sync.observe import Observation
from sync.order import depth
from sync.reconcile import Reconciler
from sync.send import Statement
from sync.state.ledger import Link
from sync.stuck import RETIRED, UNDECIDED, UNKNOWN, Stuck
from sync.successor import Successors
from sync.weigh import Weigher


class Admission:
    """Admits the newcomers of one plan: adopts what is theirs, creates the rest.

    `gone` are the objects that had a link and are not there any more.
    """

    def __init__(
        self,
        target: Connector,
        seen: Observation,
        counterparts: Counterparts,
        claims: Claims,
        reconciler: Reconciler,
        who: Identifier,
        stuck: Stuck,
        successors: Successors,
        weigher: Weigher,
        waiting: Collection[tuple[Kind, Key]],
        decisions: Decisions,
        meant: Meant,
        found: Findings,
    ) -> None:
        self._meant = meant
        self._target, self._seen, self._there = target, seen, counterparts
        self._claims, self._reconciler, self._who = claims, reconciler, who
        self._stuck, self._successors, self._weigher = stuck, successors, weigher
        self._waiting, self._decisions, self._found = waiting, decisions, found
        self._is_mirror = reconciler.is_mirror
        self.gone: dict[tuple[Kind, Key], tuple[Link, Baseline]] = {}

    def recognise(
        self, matcher: Matcher, kind: Kind, newcomers: Sequence[Wanted]
    ) -> Iterator[Wanted]:
        """Adopt at once what a person said, or what bears a newcomer's stamp; yields the others, to
        be seen together."""
        containers = self._containers(kind, newcomers)
        for wanted in self._claims.without_owner(kind, newcomers, containers):
            if wanted.key in self._there.shares:
                continue
            container = containers.get(wanted.key[0])
            decidable = wanted.model.status is not Status.RETIRED and (
                (kind, wanted.key) not in self._waiting
            )
            if decidable and self._adopt_as_said(wanted, container):
                continue
            item = None
            decidable = decidable and not self._meant.is_apart(kind, wanted.key)
            if decidable and (kind is Kind.BUDGET or container is not None):
                item = matcher.take(Newcomer(wanted.key, wanted.model, container))
            if item is None:
                yield wanted
            else:
                self._adopt(wanted, Matched(item, "stamp"))

    def admit(self, matcher: Matcher, kind: Kind, newcomers: Sequence[Wanted]) -> None:
        """Adopt what an earlier run or a person left in the target; create the rest."""
        active = list(self._active(kind, newcomers))
        if active:
            self._who.ask(wanted.model for wanted in active)
        containers = self._containers(kind, active)
        arrivals = self._arrivals(kind, active, containers)
        matches, conflicts = matcher.match(arrivals)
        if self._meant.any(kind):
            conflicts = self._asked(kind, active, arrivals, matches, conflicts)
        if conflicts:
            strangers = self._meant.items(kind)
            answered, conflicts = answered_by(self._decisions, conflicts, strangers)
            matches |= answered
            conflicts = _named(conflicts, active)
        self._found.conflicts.extend(conflicts)
        self._claims.undecided[kind] |= {(each.budget_ref or "", each.ref) for each in conflicts}
        for wanted in active:
            self._decide(wanted, matches.get(wanted.key), containers.get(wanted.key[0]))

    def _adopt_as_said(self, wanted: Wanted, container: str | None) -> bool:
        """Adopt what a person said that it is; a conflict where that cannot be."""
        kind, key = wanted.kind, wanted.key
        id = self._meant.linked(kind, key)
        if id is None:
            return False
        found = self._meant.adoptable(kind, key, id, container)
        if isinstance(found, Conflict):
            self._claims.leave(replace(found, name=title_of(wanted.model)))
        else:
            self._adopt(wanted, Matched(found, DECISION))
        return True

    def _asked(
        self,
        kind: Kind,
        active: Sequence[Wanted],
        arrivals: Sequence[Newcomer],
        matches: dict[Key, Matched],
        conflicts: Sequence[Conflict],
    ) -> list[Conflict]:
        """With what is to be asked of what was unlinked."""
        known = {each.key: each for each in arrivals}
        open = [
            (each.key, known.get(each.key))
            for each in active
            if (kind, each.key) not in self._waiting
        ]
        identity = self._target.capabilities.identity
        return self._meant.asked(kind, open, matches, conflicts, identity)

    def _arrivals(
        self, kind: Kind, active: Sequence[Wanted], containers: Mapping[str, str]
    ) -> list[Newcomer]:
        """Those that may be recognised: none, where nothing is there that could be one of them."""
        if not self._seen.strangers[kind]:
            return []
        arrivals = (
            Newcomer(wanted.key, self._who.theirs(wanted.model), containers.get(wanted.key[0]))
            for wanted in active
        )
        return [each for each in arrivals if kind is Kind.BUDGET or each.container is not None]

    def _active(self, kind: Kind, newcomers: Sequence[Wanted]) -> Iterator[Wanted]:
        for wanted in _parents_first(newcomers):
            if wanted.model.status is Status.RETIRED:
                self._found.unchanged += 1
                self._stuck.add(kind, wanted.key, RETIRED)
            else:
                yield wanted

    def _decide(self, wanted: Wanted, matched: Matched | None, container: str | None) -> None:
        kind, key = wanted.kind, wanted.key
        if (kind, key) in self._waiting:
            self._found.waiting += 1
            self._stuck.add(kind, key, UNKNOWN)
        elif key in self._claims.undecided[kind]:
            self._stuck.add(kind, key, UNDECIDED)
        elif matched is not None and matched.by in ("stamp", DECISION):
            self._adopt(wanted, matched)
        elif suspect := self._seen.suspect(kind, key[1], wanted.model, container):
            self._create(wanted, _may_be_there(suspect))
        elif matched is not None:
            self._adopt(wanted, matched)
        elif conflict := self._successors.conflict(wanted):
            self._claims.leave(conflict)
        else:
            self._create(wanted)

    def _adopt(self, wanted: Wanted, matched: Matched) -> None:
        kind, item = wanted.kind, matched.item
        self._there.adopt(kind, wanted.key, item)
        shown = facts(item.model)
        wanted = self._reconciler.with_past(wanted, shown)
        model = wanted.model if wanted.reckoned else None
        values = self._there.disowned(kind, item.id, model, shown, None)
        there = Counterpart(item.id, "adopted", values, matched=matched.by, item=item)
        if values is shown:
            self._reconciler.judge(wanted, there)
        else:
            self._reconciler.reconcile(wanted, there)

    def _create(self, wanted: Wanted, *doubts: Loss) -> None:
        kind, key = wanted.kind, wanted.key
        objections = doubts or self._objections(wanted)
        losses = joined(wanted.losses, objections)
        self._found.note(losses)
        above = key[0] or (wanted.model.parent if isinstance(wanted.model, Budget) else None)
        if above is not None and above in self._stuck:
            waits = self._stuck.waits_for(above)
            losses = (*losses, waits)
            if self._stuck.is_retired(above):
                self._found.note([waits])  # nothing else says so
        op, stated = making(losses), wanted.statement
        if op is Op.BLOCKED:
            blocked = next(loss for loss in losses if loss.effect is Effect.BLOCKED)
            self._stuck.add(kind, key, f"it cannot be made: {blocked.reason}")
        money = self._weigher.creation(wanted, op, stated, self.gone.get((kind, key)))
        fields = self._reconciler.held[kind]
        change = creation(wanted, fields, losses, money, stated.hex())
        shown = None if self._is_mirror else wanted.shown
        self._found.add(change, Statement(stated, wanted.beyond, wanted.rates, shown))

    def _objections(self, wanted: Wanted) -> Sequence[Loss]:
        if not wanted.reckoned:
            return ()
        return *self._who.unknown(wanted.model), *self._target.objections(wanted.model)

    def _containers(self, kind: Kind, wanted: Sequence[Wanted]) -> dict[str, str]:
        """The target's ids of the budgets that new allocations belong to, where they exist."""
        if kind is Kind.BUDGET:
            return {}
        return self._there.budgets(each.key[0] for each in wanted)


def _named(conflicts: Sequence[Conflict], active: Sequence[Wanted]) -> list[Conflict]:
    """With what people call the objects."""
    names = {each.key: title_of(each.model) for each in active}
    return [replace(each, name=names[each.budget_ref or "", each.ref]) for each in conflicts]


def _may_be_there(problem: Problem) -> Loss:
    reason = f"it may be there already: {problem.where} cannot be read, {problem.message}"
    return Loss("name", Effect.BLOCKED, reason)


def _parents_first(newcomers: Sequence[Wanted]) -> list[Wanted]:
    """In an order in which what is stuck is known before what hangs on it."""
    parents = {
        each.key[1]: each.model.parent
        for each in newcomers
        if isinstance(each.model, Budget) and each.model.parent is not None
    }
    if not parents:
        return list(newcomers)
    return sorted(newcomers, key=lambda each: depth(each.key[1], parents))
