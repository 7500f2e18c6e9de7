"""Reconcile: one object that both sides have, judged from three: desired, observed, baseline."""

from collections.abc import Collection, Sequence
from dataclasses import replace

from canonical.allocation import Status
from canonical.change import Change, title_of
from canonical.compare import Baseline, Cause, Difference, differences
from canonical.facts import Fact, Facts, facts
from canonical.kind import FIELDS, Kind, Op
from connectors.contract.capabilities import Capabilities, Hold
from sync.answers import DECISION
from sync.counterpart import Counterpart, Counterparts
from sync.decide import Wanted, alteration, held, joined
from sync.decided import Decisions, NoDecisions
from sync.desire import Desires
from sync.doable import Doable
from sync.fields import Fields, Owner
from sync.findings import Findings
from sync.identify import Identifier, names_others
from sync.meaning import unlinking
from sync.merge import Merged, Pair, merge
from sync.observe import Observation
from sync.remembering import (
    UNWRITTEN,
    agreed_after,
    agreed_statement,
    shown_before,
)
from sync.send import Statement
from sync.sided import patched, staying, without
from sync.state.ledger import Entry
from sync.stuck import LEFT_RETIRED, Stuck
from sync.taking import Accepting, Returning, TakeBack, Taken
from sync.unread import TOGETHER, as_read
from sync.weigh import Weigher

STATUS = {kind: names.index("status") for kind, names in FIELDS.items()}


class Reconciler:
    """Finds what differs, and adds to `found` the change that it needs, or the agreement."""

    def __init__(
        self,
        able: Capabilities,
        seen: Observation,
        desires: Desires,
        counterparts: Counterparts,
        who: Identifier,
        stuck: Stuck,
        weigher: Weigher,
        found: Findings,
        fields: Fields | None = None,
        decisions: Decisions | None = None,
        returns: Returning | None = None,
        sync: str = "",
    ) -> None:
        """`sync` is the name by which commands know it."""
        self._sync = sync
        self._fields, self._decisions = fields or Fields(), decisions or NoDecisions()
        self._returns, self.is_mirror = returns or Accepting(), self._fields.is_mirror
        self._able, self._seen, self._desires, self._there = able, seen, desires, counterparts
        self._who, self._stuck, self._weigher, self._found = who, stuck, weigher, found
        self._doable = Doable(able, self._returns)
        self._lent = TOGETHER & {
            name for name, hold in able.allocation.items() if hold is Hold.FOLLOWS
        }
        self.held = {
            Kind.BUDGET: held(able.budget),
            Kind.ALLOCATION: held(able.allocation) | {"budget"},
        }

    def reconcile(self, wanted: Wanted, there: Counterpart) -> None:
        """Judge the pair; every loss that needs acceptance is counted, also where all agrees."""
        self.judge(self.with_past(wanted, there.observed), there)

    def judge(self, wanted: Wanted, there: Counterpart) -> None:
        """As `reconcile`, where the past that is to stay is in `wanted` already."""
        there = _as_read(wanted, there)
        wanted, merged = self._merged(wanted, there)
        self._found.note(wanted.losses)
        statement = Statement(wanted.statement, wanted.beyond, wanted.rates)
        if self.is_mirror:
            self._settle(wanted, merged.write, there, statement)
        else:
            self._settle_both(wanted, merged, there, statement)

    def _settle(
        self,
        wanted: Wanted,
        found: Sequence[Difference],
        there: Counterpart,
        statement: Statement,
    ) -> None:
        if found:
            self._change(wanted, found, there, statement)
        else:
            self._agree(wanted, there, statement)

    def _settle_both(
        self, wanted: Wanted, merged: Merged, there: Counterpart, statement: Statement
    ) -> None:
        """As far as nothing waits; what is taken back is agreed only once the source has it."""
        ours = self._there.in_our_terms(wanted.kind, there.observed)
        anew = self._anew(wanted) if there.link is not None else ""
        self._found.waits.extend(self._doable.of(wanted, there, merged, ours, anew))
        self._stop_below(wanted, merged, there)
        taken = self._taken_back(wanted, merged, there)
        merged = without(merged, taken.blocked)
        open = merged.open | {*taken.open}
        stays = staying(wanted, ours, merged, self.held[wanted.kind])
        statement = statement._replace(shown=wanted.shown, open=tuple(sorted(open)))
        if not merged.write:
            if open:
                self._agree_in_part(wanted, there, statement)
            else:
                self._agree(wanted, there, statement, whole=not self._by_consent(wanted, stays))
            return
        said = dict(zip(FIELDS[wanted.kind], ours, strict=True))
        desired = dict(zip(FIELDS[wanted.kind], wanted.facts, strict=True))
        stands = {name: desired[name] for name in (stays | merged.both.keys()) - open}
        written = patched(wanted, {name: said[name] for name in stays} | merged.both)
        self._change(written, merged.write, there, statement._replace(stands=stands))

    def _by_consent(self, wanted: Wanted, stays: Collection[str]) -> bool:
        """Whether something differs only as the words of the fields say so: then each plan looks at
        it, as they may say something else by then."""
        owners = {self._fields.of(wanted.kind, name) for name in stays}
        return bool(owners - {Owner.SOURCE})

    def _stop_below(self, wanted: Wanted, merged: Merged, there: Counterpart) -> None:
        """Nothing comes back to life below what stays, or may stay, retired in the target."""
        retired = there.observed[STATUS[wanted.kind]] == Status.RETIRED
        written = any(each.field == "status" for each in merged.write)
        if retired and not written and wanted.model.status is not Status.RETIRED:
            self._stuck.add(wanted.kind, wanted.key, LEFT_RETIRED)

    def _taken_back(self, wanted: Wanted, merged: Merged, there: Counterpart) -> Taken:
        """What becomes of the fields that the source is to have as the target has them."""
        fields = merged.take | merged.both
        if not fields:
            return Taken()
        return self._returns.take_back(TakeBack(wanted=wanted, there=there, fields=fields))

    def with_past(self, wanted: Wanted, observed: Facts) -> Wanted:
        """What is wanted, with what is over as the target has it, where that is to stay."""
        return self._desires.with_past(wanted, observed)

    def _merged(self, wanted: Wanted, there: Counterpart) -> tuple[Wanted, Merged]:
        """What differs; of whom it names, the target is asked only where that is not as it was."""
        kind, baseline = wanted.kind, there.baseline
        if self._is_over(wanted, there):
            return wanted, Merged()
        ours = self._there.in_our_terms(kind, there.observed)
        agreed = baseline and Baseline(
            baseline.desired,
            self._there.in_our_terms(kind, baseline.echo),
            rates=baseline.rates,
            shown=baseline.shown,
        )
        merged = self._decided(wanted, ours, agreed, there)
        if names_others(merged.write, {*merged.take, *merged.both, *merged.open}):
            self._who.ask([wanted.model])
            unknown = tuple(self._who.unknown(wanted.model))
            wanted = replace(wanted, losses=joined(wanted.losses, unknown))
            ours, agreed = self._who.recognised(wanted.model, ours, agreed)
            merged = self._decided(wanted, ours, agreed, there)
        if there.item is not None and self._seen.misplaces(there.item):
            merged.write.append(Difference("stamp", there.item.stamp, None, Cause.SOURCE))
        elif (was := _earlier_stamp(wanted, there)) is not None:
            merged.write.append(Difference("stamp", was, wanted.key[1], Cause.SOURCE))
        return wanted, merged

    def _decided(
        self, wanted: Wanted, ours: Facts, agreed: Baseline | None, there: Counterpart
    ) -> Merged:
        """What is to be done about each field."""
        kind, held = wanted.kind, self.held[wanted.kind]
        if self.is_mirror:
            names = FIELDS[kind]
            return Merged(write=differences(names, held, wanted.facts, ours, agreed))
        stated, shown = wanted.shown, UNWRITTEN
        if agreed is not None:
            same = there.link is not None and there.link.source == wanted.statement
            shown = shown_before(kind, agreed, same, stated)
        pair = Pair(
            kind=kind,
            key=wanted.key,
            name=title_of(wanted.model),
            desired=wanted.facts,
            observed=ours,
            baseline=agreed,
            stated=stated,
            shown=shown,
            rated=_is_rated_otherwise(wanted, agreed),
            lent=self._lent if kind is Kind.BUDGET else frozenset(),
        )
        return merge(pair, held, self._fields, self._decisions.of(kind, wanted.key))

    def _is_over(self, wanted: Wanted, there: Counterpart) -> bool:
        """Whether it is retired on both sides, for good: then nothing of it can be written."""
        both = (there.observed[STATUS[wanted.kind]], wanted.model.status)
        return wanted.kind not in self._able.revives and both == (Status.RETIRED, Status.RETIRED)

    def _agree_in_part(self, wanted: Wanted, there: Counterpart, statement: Statement) -> None:
        """All but what waits: that stays as it was when both last agreed."""
        said = Baseline(wanted.facts, there.observed, wanted.beyond, wanted.rates, statement.shown)
        before, kind = there.baseline, wanted.kind
        if before is not None and statement.shown is not None:
            same = there.link is not None and there.link.source == statement.fingerprint
            before = replace(before, shown=shown_before(kind, before, same, statement.shown))
        baseline = agreed_after(kind, before, said, FIELDS[kind], stands={}, open=statement.open)
        self._weigher.change(wanted, None, (), there, _weighed(there, statement))
        stated = agreed_statement(statement.open, there.link, statement.fingerprint)
        self._remember(wanted, there, baseline, stated, agreed=False)

    def _agree(
        self,
        wanted: Wanted,
        there: Counterpart,
        statement: Statement,
        *,
        whole: bool = True,
    ) -> None:
        self._found.unchanged += 1
        stated = statement.fingerprint
        self._weigher.change(wanted, None, (), there, _weighed(there, statement))
        # mostly both are equal, and one tuple is kept
        echo = wanted.facts if there.observed == wanted.facts else there.observed
        baseline = Baseline(wanted.facts, echo, wanted.beyond, wanted.rates, statement.shown)
        self._remember(wanted, there, baseline, stated, agreed=whole)

    def _remember(
        self,
        wanted: Wanted,
        there: Counterpart,
        baseline: Baseline,
        stated: bytes,
        *,
        agreed: bool,
    ) -> None:
        if not agreed and _is_known(there, baseline, stated):
            return  # as in each plan while it waits
        self._found.agreements.append(
            Entry(
                kind=wanted.kind,
                ref=wanted.key[1],
                budget_ref=wanted.key[0],
                target_id=there.target_id,
                origin=there.origin,
                baseline=baseline,
                source=stated,
                agreed=agreed,
            )
        )

    def _change(
        self,
        wanted: Wanted,
        found: Sequence[Difference],
        there: Counterpart,
        statement: Statement,
    ) -> None:
        stated = statement.fingerprint
        change = self._unless_stuck(
            wanted,
            there,
            alteration(
                wanted,
                there.target_id,
                there.observed,
                found,
                self._able,
                matched=there.matched,
                by_calendar=there.link is not None and there.link.source == stated,
                anew=self._anew(wanted) if there.link is not None else "",
            ),
        )
        if change.cause is Cause.SOURCE and _is_rated_anew(wanted, there):
            change = replace(change, cause=Cause.RATE)
        self._found.note([loss for loss in change.losses if loss not in wanted.losses])
        weighed = stated if _moves_money(found) else _weighed(there, statement)
        money = self._weigher.change(wanted, change.op, found, there, weighed)
        change = replace(change, money=money, stated=stated.hex())
        if change.op is Op.RETIRE:
            image = self._there.image(wanted.kind, there.observed, there.baseline)
            change = replace(change, image=image)
        elif change.op is Op.UPDATE and there.baseline is not None:
            change = replace(change, image=_unshown(change, there.baseline))
        self._found.add(change, statement)

    def _anew(self, wanted: Wanted) -> str:
        """The command by which another one is made, where this one is retired for good."""
        return f"{unlinking(self._sync, wanted.kind, wanted.key)} --anew"

    def _unless_stuck(self, wanted: Wanted, there: Counterpart, change: Change) -> Change:
        """A share does not come back to life below a budget that does not."""
        kind, above = wanted.kind, wanted.key[0]
        if change.op is Op.BLOCKED and there.observed[STATUS[kind]] == Status.RETIRED:
            self._stuck.add(kind, wanted.key, change.losses[-1].reason)
        elif change.op is Op.UPDATE and "status" in change.fields and above in self._stuck:
            losses = (*change.losses, self._stuck.waits_for(above))
            return replace(change, op=Op.BLOCKED, fields={}, losses=losses)
        return change


def _earlier_stamp(wanted: Wanted, there: Counterpart) -> str | None:
    """The stamp that an object bears of another ref, as it does once that was renamed, or where a
    person said that it is this one."""
    if (there.link is None and there.matched != DECISION) or there.item is None:
        return None
    return there.item.stamp if there.item.stamp != wanted.key[1] else None


def _is_rated_anew(wanted: Wanted, there: Counterpart) -> bool:
    """Whether the source states what it did, and another rate alone makes other amounts of it."""
    if wanted.converted is None or there.baseline is None:
        return False
    return wanted.converted.is_rated_anew(there.baseline.rates)


def _is_rated_otherwise(wanted: Wanted, agreed: Baseline | None) -> bool:
    """Whether it was converted at another rate when both sides last agreed."""
    if wanted.converted is None or agreed is None:
        return False
    return wanted.converted.is_otherwise(agreed.rates)


def _unshown(change: Change, agreed: Baseline) -> dict[str, Fact] | None:
    """What both sides agreed of the fields of a change that the target does not show."""
    both = zip(FIELDS[change.kind], agreed.desired, agreed.echo, strict=True)
    found: dict[str, Fact] = {
        name: said
        for name, said, echo in both
        if name in change.fields and said is not None and echo is None
    }
    return found or None


def _is_known(there: Counterpart, baseline: Baseline, stated: bytes) -> bool:
    """Whether just that is remembered already, and that it is not all agreed."""
    link = there.link
    if link is None or there.baseline != baseline:
        return False
    return (link.desired, link.source, link.target_id) == (b"", stated, there.target_id)


def _moves_money(found: Sequence[Difference]) -> bool:
    return any(each.field in TOGETHER or each.field == "status" for each in found)


def _weighed(there: Counterpart, statement: Statement) -> bytes:
    """What counts as stated where no money is written: where the target may own it, what the source
    states anew of it moves nothing."""
    if statement.shown is None or there.link is None:
        return statement.fingerprint
    return there.link.source


def _as_read(wanted: Wanted, there: Counterpart) -> Counterpart:
    """The pair, with what both sides agreed brought to how the source shows it now, where it was
    written to and not read since."""
    if wanted.item is None or there.baseline is None:
        return there
    agreed = as_read(
        wanted.kind,
        there.baseline,
        stated=wanted.shown,
        wanted=wanted.facts,
        money=wanted.beyond,
        record=facts(wanted.item.model),
        converted=None if wanted.converted is None else wanted.converted.of,
    )
    return there._replace(baseline=agreed)
