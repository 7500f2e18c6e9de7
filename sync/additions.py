"""Additions: what only the target has is made in the source, which then owns it.

An object is linked once the source has it, by the ref that it has there. Made is only what the
source would state just as the target shows it, so that nothing of the target changes for it.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import replace
from datetime import date
from typing import Final

from msgspec import structs

from canonical.allocation import Allocation, Status
from canonical.budget import Budget
from canonical.compare import Cause, differences
from canonical.facts import Fact, Facts, facts, money_facts
from canonical.kind import FIELDS, Kind, Op
from canonical.loss import Effect, Loss
from canonical.money import Move, counted_throughout, moves
from canonical.side import Side
from connectors.contract.interface import Connector
from connectors.contract.records import Observed
from sync.counterpart import Counterparts
from sync.decide import Wanted, creation, held, joined
from sync.desire import Desires
from sync.findings import Findings
from sync.intake.pages import Intake
from sync.match import Key
from sync.order import depth
from sync.returned import Returned
from sync.scales import Weighed
from sync.send import Statement
from sync.source_terms import Model, SourceTerms
from sync.spec import SyncSpec
from sync.state.places import ABOVE

_ITS_BUDGETS: Final = frozenset({"cadence", "start", "end", "enforcement", "carry_over"})
"""What a share says of itself, or takes from its budget."""


class Additions:
    """Adds to `found` what one plan makes in the source."""

    def __init__(
        self,
        spec: SyncSpec,
        source: Connector,
        intake: Intake,
        desires: Desires,
        counterparts: Counterparts,
        held_there: Mapping[Kind, Collection[str]],
        waiting: Collection[tuple[Kind, Key]],
        as_of: date,
        found: Findings,
    ) -> None:
        """`held_there` are the fields that the target is compared in. What is in `waiting` may be
        in the source already."""
        self._spec, self._source, self._able = spec, source, source.capabilities
        self._intake, self._desires, self._there = intake, desires, counterparts
        self._held_there, self._waiting = held_there, waiting
        self._as_of, self._found = as_of, found
        self._terms = SourceTerms(spec, source, as_of)

    def add(
        self, kind: Kind, strangers: Iterable[Observed], stays: Callable[[Observed], bool]
    ) -> set[str]:
        """Make those that may be made, parents first; returns the ids of all that is spoken of in
        the plan. What `stays` is left where it is."""
        spoken: set[str] = set()
        for item in _parents_first(kind, strangers):
            if not stays(item) and self._add(kind, item):
                spoken.add(item.id)
        return spoken

    def _add(self, kind: Kind, item: Observed) -> bool:
        """Whether the plan says what becomes of it."""
        own = facts(item.model)
        shown = self._there.in_our_terms(kind, own)
        above = shown[ABOVE[kind]]
        if above is None and own[ABOVE[kind]] is not None:
            return False  # it is below something that the source does not have
        limits = item.model.limits if isinstance(item.model, Budget) else ()
        if not (item.model.amount or limits or item.model.phases):
            return False  # it holds no money, as what an account hangs all its budgets below
        ref, budget_ref = item.stamp or item.id, str(above) if kind is Kind.ALLOCATION else ""
        if (kind, (budget_ref, ref)) in self._waiting:
            self._found.waiting += 1
            return True
        if kind is Kind.BUDGET and self._desires.shape(ref) is not None:
            return False  # the source has another one of that ref
        model = _named(item.model, (budget_ref, ref), above)
        if isinstance(model, Budget) and not self._is_ours(model):
            return False
        self._make(kind, (budget_ref, ref), item, model, shown)
        return True

    def _is_ours(self, model: Budget) -> bool:
        """Whether this sync would carry it, were it made in the source."""
        return self._spec.select is None or self._spec.select.holds(model)

    def _make(self, kind: Kind, key: Key, item: Observed, named: Model, shown: Facts) -> None:
        model, losses = self._terms.whole(named)
        losses = joined(tuple(losses), self._source.objections(model))
        again = self._desires.projection(kind, key, self._intake.as_read(model)[0])
        if again is None:
            return
        losses = joined(losses, self._otherwise(kind, again, shown))
        if isinstance(model, Budget) and not self._intake.carries(model):
            reason = "the sync would not select it"
            losses = joined(losses, [Loss("name", Effect.BLOCKED, reason)])
        money = self._made(again.stated)
        wanted = Wanted(kind, key, model, model, losses, facts(model))
        holds = self._able.budget if kind is Kind.BUDGET else self._able.allocation
        change = creation(wanted, held(holds), losses, money, again.statement.hex())
        self._found.note(losses)
        self._found.returns.append(replace(change, side=Side.SOURCE, cause=Cause.DRIFT))
        if change.op is Op.BLOCKED:
            return
        self._found.weigh_back(Weighed(kind, key, change.op, money))
        self._found.returned[kind, key] = Returned(
            statement=Statement(again.statement, again.beyond, again.rates, again.shown),
            target_id=item.id,
            took=FIELDS[kind],
            desired=again.facts,
            observed=facts(item.model),
        )
        if isinstance(again.stated, Budget):
            self._there.call(item.id, key[1])
            self._desires.restate(again.stated, key[1])

    def _otherwise(self, kind: Kind, again: Wanted, shown: Facts) -> list[Loss]:
        """What the target would be told that it does not show."""
        found = differences(FIELDS[kind], self._held_there[kind], again.facts, shown)
        its = _ITS_BUDGETS if kind is Kind.ALLOCATION else frozenset[str]()
        return [
            Loss(each.field, Effect.BLOCKED, f"the source would state it as {_text(each.after)}")
            for each in found
            if each.before is not None or each.field not in its
        ]

    def _made(self, stated: Model) -> tuple[Move, ...]:
        """What counts from now on of what the source had not at all."""
        if stated.end is not None and stated.end < self._as_of:
            return ()
        if stated.phases:
            return moves(None, money_facts(stated), self._as_of)
        one = counted_throughout(stated)
        return (Move(self._as_of, None, one),) if one else ()


def _named(model: Model, key: Key, above: Fact) -> Model:
    """The target's object by the refs of ours."""
    over = None if above is None else str(above)
    if isinstance(model, Allocation):
        return structs.replace(model, ref=key[1], budget=str(over))
    return structs.replace(model, ref=key[1], parent=over, allocations=(), extensions={})


def _parents_first(kind: Kind, items: Iterable[Observed]) -> list[Observed]:
    active = [each for each in items if each.model.status is not Status.RETIRED]
    if kind is Kind.ALLOCATION:
        return active
    parents = {each.id: each.container for each in active if each.container is not None}
    return sorted(active, key=lambda each: depth(each.id, parents))


def _text(fact: Fact) -> str:
    return "nothing" if fact is None else str(fact)
