"""Returns: the changes of the source after which it states what the target shows.

Only what, projected again, is exactly what the target shows is written; all else is blocked, with
the reason. What the source cannot hold, or cannot empty again, is a loss like those of the target.
Money is weighed in the target's currency, as it is stated before and after.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import TypeAlias

from msgspec import structs

from canonical.allocation import Allocation
from canonical.amount import Amount
from canonical.budget import Budget
from canonical.change import Unstated
from canonical.compare import Cause, Difference
from canonical.currency import exponent
from canonical.facts import Fact, facts, fields_of, money_facts
from canonical.kind import FIELDS, Op
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
from sync.overlay import covering
from sync.restate import Meant, Model, first_of
from sync.returned import Returned
from sync.scales import Weighed
from sync.send import Statement
from sync.source_terms import SourceTerms
from sync.spec import OnRemove, SyncSpec
from sync.state.ledger import Link
from sync.taking import TakeBack
from sync.unread import where, with_money

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

    def take_back(self, back: TakeBack) -> bool:
        """Change the source for it, or say why that cannot be; either way nothing is agreed yet."""
        record = self._record(back.wanted)
        if record is None:
            self._block(back, self._reason(back, record))
            return True
        if (reason := self._never(back)) is not None:
            self._block(back, reason)
            return True
        fields, losses = self._possible(back, record)
        if not fields:
            self._block(back, "", *losses)
            return True
        self._lost = []
        meant = self._meant(back, record, fields)
        model = first_of(meant, lambda each: self._again(back, record, fields, each) is not None)
        if model is None:
            self._block(back, self._reason(back, record), *losses)
            return True
        model, lost = self._terms.held(record, model)
        again = self._again(back, record, fields, model)
        assert again is not None
        self._change(back, record, model, again, tuple(fields), joined(losses, lost))
        return True

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

    def _meant(self, back: TakeBack, record: Model, fields: Mapping[str, Fact]) -> Meant:
        wanted = back.wanted
        if wanted.converted is None or len(wanted.converted.rates) != 1:
            return Meant(record, wanted, fields, self._as_of)
        (rate,) = wanted.converted.rates

        def own(amount: Amount) -> Amount:
            exact = amount.value / rate.value
            return Amount(exact, rate.unit).rounded(exponent(rate.unit))

        return Meant(record, wanted, fields, self._as_of, own)

    def _never(self, back: TakeBack) -> str | None:
        """Why it cannot be taken back, whatever the source is told."""
        if "budget" in back.fields:
            return "it hangs below another budget there, and is named by its own in the source"
        if back.wanted.converted is None:
            return None
        counted = sorted({"limits", "currency", "alerts"} & back.fields.keys())
        if counted:
            return f"its {counted[0]} is converted at a rate, and is not converted back"
        if isinstance(back.wanted.model, Allocation) and {"amount", "phases"} & back.fields.keys():
            return "it is converted together with the other shares of its budget"
        return None

    def _possible(self, back: TakeBack, record: Model) -> tuple[dict[str, Fact], Losses]:
        """The fields that the source can be told, and what it cannot."""
        holds = self._able.budget if isinstance(record, Budget) else self._able.allocation
        able, losses = held(holds), []
        fields = dict(back.fields)
        for name in sorted(back.fields.keys() - able):
            del fields[name]
            reason = f"{self._able.vendor} cannot be told it"
            losses.append(Loss(name, Effect.BLOCKED, reason))
        return fields, tuple(losses)

    # -- whether it is meant -----------------------------------------------------------------

    def _again(
        self, back: TakeBack, record: Model, fields: Mapping[str, Fact], model: Model
    ) -> Wanted | None:
        """What would be wanted of the target were that the source's record; None unless it is just
        what is to be there, and all else as it is wanted now."""
        model, losses = self._terms.held(record, model)
        self._lost.extend(losses)
        if any(each.effect is Effect.BLOCKED for each in losses):
            return None
        wanted = back.wanted
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
        self,
        back: TakeBack,
        record: Model,
        model: Model,
        again: Wanted,
        took: tuple[str, ...],
        losses: Losses,
    ) -> None:
        wanted, item = back.wanted, back.wanted.item
        assert item is not None
        before, after = facts(record), facts(model)
        found = [
            Difference(name, was, will, Cause.DRIFT)
            for name, was, will in zip(fields_of(model), before, after, strict=True)
            if was != will
        ]
        own = Wanted(wanted.kind, wanted.key, model, model, (), after)
        change = alteration(own, item.id, before, found, self._able)
        left = {each.field for each in change.losses if each.effect is Effect.BLOCKED}
        took = tuple(name for name in took if name not in left)
        lost = joined(change.losses, losses)
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

    def _block(self, back: TakeBack, reason: str, *losses: Loss) -> None:
        """Say what the source ought to be told, and why it is not."""
        wanted, item = back.wanted, back.wanted.item
        assert item is not None
        first = min(back.fields, key=FIELDS[wanted.kind].index)
        told = (*losses, *([Loss(first, Effect.BLOCKED, reason)] if reason else ()))
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

    def _reason(self, back: TakeBack, record: Model | None) -> str:
        """Why no statement of the source makes the target's values."""
        if record is None:
            return "the source does not show it any more as it stated it"
        if self._lost:
            return self._lost[0].reason
        if back.wanted.converted is not None:
            return "it is converted at a rate, and no amount of the source comes to just that"
        whole = back.wanted.stated
        if "amount" in back.fields and whole.phases:
            budget = whole if isinstance(whole, Budget) else Budget.of_share(whole)
            if covering(budget, self._as_of) is None:
                return f"the source states no amount for {self._as_of}"
        if whole.cadence != back.wanted.model.cadence:
            return "its amounts are split over other periods there"
        return "no statement of the source comes to just what the target shows"
