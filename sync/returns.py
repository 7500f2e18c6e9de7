"""Returns: the changes of the source after which it states what the target shows.

Only what, projected again, is exactly what the target shows is written; all else is blocked, field
by field, with the reason. What the source cannot hold, or cannot empty again, is a loss like those
of the target. Money is weighed in the target's currency, as it is stated before and after.
"""

from collections.abc import Collection
from dataclasses import replace
from datetime import date
from typing import TypeAlias

from msgspec import structs

from canonical.amount import Amount
from canonical.budget import Budget
from canonical.change import Change, Unstated
from canonical.compare import Cause, Difference
from canonical.currency import exponent
from canonical.facts import Fact, facts, fields_of, money_facts
from canonical.kind import FIELDS, Op, where
from canonical.loss import Effect, Loss
from canonical.money import Move, counted_on, moves
from canonical.side import Side
from connectors.contract.errors import ConnectorError
from connectors.contract.interface import Connector
from sync.counterpart import Counterparts
from sync.decide import Wanted, alteration, held, joined, removal
from sync.desire import Desires
from sync.findings import Findings
from sync.intake.pages import Intake
from sync.restate import Meant, Model, first_of
from sync.returned import Returned
from sync.scales import Weighed
from sync.send import Statement
from sync.source_terms import SourceTerms
from sync.spec import OnRemove, SyncSpec
from sync.state.ledger import Link
from sync.taking import TakeBack, Taken
from sync.unread import with_money
from sync.untaken import ELSEWHERE, UNSHOWN, blocked, parts, rated, unsaid

Losses: TypeAlias = tuple[Loss, ...]
_KEPT = "the target has it no more, and on_remove keeps it in the source"


class Returns:
    """Adds to `found` what one plan changes in the source."""

    def __init__(
        self,
        spec: SyncSpec,
        source: Connector,
        intake: Intake,
        desires: Desires,
        counterparts: Counterparts,
        as_of: date,
        found: Findings,
    ) -> None:
        self._source, self._able = source, source.capabilities
        self._intake, self._desires, self._there = intake, desires, counterparts
        self._as_of, self._found = as_of, found
        self._policy = spec.on_remove
        self._terms = SourceTerms(spec, source, as_of)
        self._lost: list[Loss] = []

    def take_back(self, back: TakeBack) -> Taken:
        """Change the source as far as it can be told, and say of the rest why not; nothing is
        agreed yet of either."""
        record = self._record(back.wanted)
        if record is None or "budget" in back.fields:
            self._block(back, (blocked(back, UNSHOWN if record is None else ELSEWHERE),))
            return Taken(back.fields, back.fields)
        able, losses = self._possible(back, record)
        able, model, more = self._sayable(able, record)
        losses = joined(losses, more)
        if model is None:
            self._block(back, losses)
            return Taken(back.fields, back.fields)
        done = self._change(able, record, model, losses)
        return Taken(back.fields, back.fields.keys() - done)

    def refusal(self, back: TakeBack) -> str | None:
        """Why the source could not be told all of it; None where it could."""
        record = self._record(back.wanted)
        if record is None or "budget" in back.fields:
            return UNSHOWN if record is None else ELSEWHERE
        able, losses = self._possible(back, record)
        able, model, more = self._sayable(able, record)
        losses = joined(losses, more)
        if model is None or able.fields.keys() != back.fields.keys():
            return losses[0].reason if losses else unsaid(back, self._as_of)
        model, _ = self._terms.held(record, model)
        change = self._alteration(back.wanted, record, model)
        left = [each.reason for each in change.losses if each.effect is Effect.BLOCKED]
        return left[0] if left else None

    def staying(self, wanted: Wanted) -> str | None:
        """Why the source could not let go of what the target has no more; None where it could, or
        is to keep it."""
        item = wanted.item
        if item is None or self._policy is OnRemove.KEEP:
            return None
        shown = facts(item.model)
        change = removal(wanted.kind, wanted.key, item.id, shown, self._policy, self._able)
        return change.losses[0].reason if change.op is Op.BLOCKED else None

    def remove(self, wanted: Wanted, link: Link) -> None:
        """Remove from the source what the target has no more, as the sync removes; where it keeps
        what is gone, it stays."""
        item, kind = wanted.item, wanted.kind
        assert item is not None
        if self._policy is OnRemove.KEEP:
            said = Unstated.of(
                kind,
                link.target_id,
                facts(item.model),
                ref=link.ref,
                budget_ref=link.budget_ref or None,
                reason=_KEPT,
            )
            self._found.kept += 1
            self._found.kept_objects.append(said)
            return
        shown = facts(item.model)
        change = removal(kind, wanted.key, item.id, shown, self._policy, self._able)
        counted = counted_on(money_facts(wanted.stated), self._as_of)
        gone = (Move(self._as_of, counted, None),) if counted else ()
        self._found.scales.put(Weighed(kind, wanted.key, None, (), counted))  # it counts till then
        if change.op is not Op.BLOCKED:
            weighed = Weighed(kind, wanted.key, change.op, gone, counted)
            self._found.weigh_back(weighed)
        self._found.note(change.losses)
        image = dict(zip(FIELDS[kind], shown, strict=True))
        change = replace(change, side=Side.SOURCE, money=gone, image=image, cause=Cause.DRIFT)
        self._found.returns.append(change)

    # -- what may be meant -------------------------------------------------------------------

    def _record(self, wanted: Wanted) -> Model | None:
        """The source's own record, before anything of it was converted; None where it cannot be
        read."""
        item = wanted.item
        assert item is not None
        if wanted.converted is None:
            return item.model
        try:
            return self._source.get(wanted.kind, item.id).model
        except ConnectorError:
            return None

    def _meant(self, back: TakeBack, record: Model) -> Meant:
        wanted, fields = back.wanted, back.fields
        if wanted.converted is None or len(wanted.converted.rates) != 1:
            return Meant(record, wanted, fields, self._as_of)
        (rate,) = wanted.converted.rates

        def own(amount: Amount) -> Amount:
            exact = amount.value / rate.value
            return Amount(exact, rate.unit).rounded(exponent(rate.unit))

        return Meant(record, wanted, fields, self._as_of, own)

    def _possible(self, back: TakeBack, record: Model) -> tuple[TakeBack, Losses]:
        """It, with the fields alone that the source can be told; and what it cannot."""
        holds = self._able.budget if isinstance(record, Budget) else self._able.allocation
        able, losses = held(holds), list[Loss]()
        fields = dict[str, Fact]()
        for part in parts(back):
            if (reason := rated(part)) is not None:
                losses.append(blocked(part, reason))
                continue
            for name in sorted(part.fields.keys() - able):
                reason = f"{self._able.vendor} cannot be told it"
                losses.append(Loss(name, Effect.BLOCKED, reason))
            fields |= {name: value for name, value in part.fields.items() if name in able}
        return replace(back, fields=fields), tuple(losses)

    # -- whether it is meant -----------------------------------------------------------------

    def _sayable(self, back: TakeBack, record: Model) -> tuple[TakeBack, Model | None, Losses]:
        """It, with what a statement of the source comes to, and that statement; where none comes to
        all of it, as many of its parts as one does, and why the others are left."""
        model = self._statement(back, record)
        if model is not None or not back.fields:
            return back, model, ()
        said, losses = replace(back, fields={}), list[Loss]()
        for part in parts(back):
            more = replace(back, fields={**said.fields, **part.fields})
            found = self._statement(more, record)
            if found is None:
                reason = self._lost[0].reason if self._lost else unsaid(part, self._as_of)
                losses.append(blocked(part, reason))
            else:
                said, model = more, found
        return said, model, tuple(losses)

    def _statement(self, back: TakeBack, record: Model) -> Model | None:
        """What the source would state for all of it; None where there is no such statement."""
        self._lost = []
        if not back.fields:
            return None
        meant = self._meant(back, record)
        return first_of(meant, lambda each: self._again(back, record, each) is not None)

    def _again(self, back: TakeBack, record: Model, model: Model) -> Wanted | None:
        """What would be wanted of the target were that the source's record; None unless it is just
        what is to be there, and all else as it is wanted now."""
        model, losses = self._terms.held(record, model)
        self._lost.extend(losses)
        if any(each.effect is Effect.BLOCKED for each in losses):
            return None
        wanted, fields = back.wanted, back.fields
        stated, converted = self._intake.as_read(model)
        again = self._desires.projection(wanted.kind, wanted.key, stated)
        if again is None or not again.reckoned:
            return None
        again = self._desires.with_past(again, back.there.observed)
        ours = self._there.in_our_terms(wanted.kind, back.there.observed)
        each = zip(FIELDS[wanted.kind], again.facts, wanted.facts, ours, strict=True)
        for name, new, before, there in each:
            if new != fields.get(name, before) and (name in fields or new != there):
                return None
        return structs.replace(again, converted=converted)

    # -- what comes of it --------------------------------------------------------------------

    def _change(
        self, back: TakeBack, record: Model, model: Model, losses: Losses
    ) -> Collection[str]:
        """Plan it; returns the fields that it brings to the source."""
        model, rounded = self._terms.held(record, model)
        again = self._again(back, record, model)
        assert again is not None
        wanted, item = back.wanted, back.wanted.item
        assert item is not None
        change = self._alteration(wanted, record, model)
        left = {each.field for each in change.losses if each.effect is Effect.BLOCKED}
        took = tuple(name for name in back.fields if name not in left)
        lost = joined(change.losses, joined(losses, rounded))
        statement = Statement(again.statement, again.beyond, again.rates, again.shown)
        change = replace(
            change,
            side=Side.SOURCE,
            losses=lost,
            money=self._weighed(wanted, again, change.op),
            stated=again.statement.hex(),
        )
        self._found.note(lost)
        self._found.returns.append(change)
        if item.actual is not None:
            self._found.spent_back[item.id] = item.actual.spent.value
        told = self._told(back)
        # of what the target is yet to be given, what was wanted before stays: the source moves it
        desired = where(wanted.kind, with_money(told, {}), wanted.facts, again.facts)
        place = wanted.kind, wanted.key
        self._found.returned[place] = Returned(
            statement=statement,
            target_id=back.there.target_id,
            took=took,
            desired=desired,
            observed=back.there.observed,
            told=told,
        )
        if change.op is not Op.BLOCKED and isinstance(again.stated, Budget):
            self._desires.restate(again.stated, wanted.key[1])
        return () if change.op is Op.BLOCKED else took

    def _alteration(self, wanted: Wanted, record: Model, model: Model) -> Change:
        """What makes that statement of the source's record."""
        assert wanted.item is not None
        before, after = facts(record), facts(model)
        found = [
            Difference(name, was, will, Cause.DRIFT)
            for name, was, will in zip(fields_of(model), before, after, strict=True)
            if was != will
        ]
        own = Wanted(wanted.kind, wanted.key, model, model, (), after)
        return alteration(own, wanted.item.id, before, found, self._able)

    def _told(self, back: TakeBack) -> tuple[str, ...]:
        """What the target is to be given too."""
        ours = self._there.in_our_terms(back.wanted.kind, back.there.observed)
        shown = dict(zip(FIELDS[back.wanted.kind], ours, strict=True))
        return tuple(name for name, value in back.fields.items() if shown[name] != value)

    def _weighed(self, wanted: Wanted, again: Wanted, op: Op) -> tuple[Move, ...]:
        before, after = money_facts(wanted.stated), money_facts(again.stated)
        counted = counted_on(before, self._as_of)
        moved = moves(before, after, self._as_of)
        if op is Op.RETIRE:
            moved = (Move(self._as_of, counted, None),) if counted else ()
        if op is not Op.BLOCKED:
            weighed = Weighed(wanted.kind, wanted.key, op, moved, counted)
            self._found.weigh_back(weighed)
        return moved

    def _block(self, back: TakeBack, told: Losses) -> None:
        """Say what the source ought to be told, and why it is not."""
        wanted, item = back.wanted, back.wanted.item
        assert item is not None
        self._found.note(told)
        self._found.returns.append(
            replace(
                alteration(
                    replace(wanted, losses=told, model=item.model),
                    item.id,
                    facts(item.model),
                    (),
                    self._able,
                ),
                side=Side.SOURCE,
                cause=Cause.DRIFT,
            )
        )
