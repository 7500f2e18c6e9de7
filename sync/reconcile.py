"""Reconcile: one object that both sides have, judged from three: desired, observed, baseline."""

from collections.abc import Sequence
from dataclasses import replace

from canonical.allocation import Status
from canonical.change import Change
from canonical.compare import Baseline, Cause, Difference, differences
from canonical.facts import Fact, Facts, fields_of
from canonical.kind import FIELDS, Kind, Op
from connectors.contract.capabilities import Capabilities
from sync.counterpart import Counterpart, Counterparts
from sync.decide import Wanted, alteration, held, joined
from sync.desire import Desires
from sync.findings import Findings
from sync.identify import Identifier, names_others
from sync.observe import Observation
from sync.send import Statement
from sync.state.ledger import Entry
from sync.stuck import Stuck
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
    ) -> None:
        self._able, self._seen, self._desires, self._there = able, seen, desires, counterparts
        self._who, self._stuck, self._weigher, self._found = who, stuck, weigher, found
        self.held = {
            Kind.BUDGET: held(able.budget),
            Kind.ALLOCATION: held(able.allocation) | {"budget"},
        }

    def reconcile(self, wanted: Wanted, there: Counterpart) -> None:
        """Judge the pair; every loss that needs acceptance is counted, also where all agrees."""
        self.judge(self.with_past(wanted, there.observed), there)

    def judge(self, wanted: Wanted, there: Counterpart) -> None:
        """As `reconcile`, where the past that is to stay is in `wanted` already."""
        wanted, found = self._differences(wanted, there)
        self._found.note(wanted.losses)
        stated = wanted.statement
        if found:
            self._change(wanted, found, there, stated)
        else:
            self._agree(wanted, there, stated)

    def with_past(self, wanted: Wanted, observed: Facts) -> Wanted:
        """What is wanted, with what is over as the target has it, where that is to stay."""
        return self._desires.with_past(wanted, observed)

    def _differences(self, wanted: Wanted, there: Counterpart) -> tuple[Wanted, list[Difference]]:
        """What differs; of whom it names, the target is asked only where that is not as it was."""
        kind, baseline = wanted.kind, there.baseline
        if self._is_over(wanted, there):
            return wanted, []
        ours = self._there.in_our_terms(kind, there.observed)
        agreed = baseline and Baseline(
            baseline.desired, self._there.in_our_terms(kind, baseline.echo)
        )
        names, fields = fields_of(wanted.model), self.held[kind]
        found = differences(names, fields, wanted.facts, ours, agreed)
        if names_others(found):
            self._who.ask([wanted.model])
            unknown = tuple(self._who.unknown(wanted.model))
            wanted = replace(wanted, losses=joined(wanted.losses, unknown))
            ours, agreed = self._who.recognised(wanted.model, ours, agreed)
            found = differences(names, fields, wanted.facts, ours, agreed)
        if there.item is not None and self._seen.misplaces(there.item):
            found.append(Difference("stamp", there.item.stamp, None, Cause.SOURCE))
        return wanted, found

    def _is_over(self, wanted: Wanted, there: Counterpart) -> bool:
        """Whether it is retired on both sides, for good: then nothing of it can be written."""
        both = (there.observed[STATUS[wanted.kind]], wanted.model.status)
        return wanted.kind not in self._able.revives and both == (Status.RETIRED, Status.RETIRED)

    def _agree(self, wanted: Wanted, there: Counterpart, stated: bytes) -> None:
        self._found.unchanged += 1
        self._weigher.change(wanted, None, (), there, stated)
        # mostly both are equal, and one tuple is kept
        echo = wanted.facts if there.observed == wanted.facts else there.observed
        self._found.agreements.append(
            Entry(
                kind=wanted.kind,
                ref=wanted.key[1],
                budget_ref=wanted.key[0],
                target_id=there.target_id,
                origin=there.origin,
                baseline=Baseline(wanted.facts, echo, wanted.beyond, wanted.rates),
                source=stated,
            )
        )

    def _change(
        self, wanted: Wanted, found: Sequence[Difference], there: Counterpart, stated: bytes
    ) -> None:
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
            ),
        )
        if change.cause is Cause.SOURCE and _is_rated_anew(wanted, there):
            change = replace(change, cause=Cause.RATE)
        self._found.note([loss for loss in change.losses if loss not in wanted.losses])
        money = self._weigher.change(wanted, change.op, found, there, stated)
        change = replace(change, money=money, stated=stated.hex())
        if change.op is Op.RETIRE:
            image = self._there.image(wanted.kind, there.observed, there.baseline)
            change = replace(change, image=image)
        elif change.op is Op.UPDATE and there.baseline is not None:
            change = replace(change, image=_unshown(change, there.baseline))
        self._found.add(change, Statement(stated, wanted.beyond, wanted.rates))

    def _unless_stuck(self, wanted: Wanted, there: Counterpart, change: Change) -> Change:
        """A share does not come back to life below a budget that does not."""
        kind, above = wanted.kind, wanted.key[0]
        if change.op is Op.BLOCKED and there.observed[STATUS[kind]] == Status.RETIRED:
            self._stuck.add(kind, wanted.key, change.losses[-1].reason)
        elif change.op is Op.UPDATE and "status" in change.fields and above in self._stuck:
            losses = (*change.losses, self._stuck.waits_for(above))
            return replace(change, op=Op.BLOCKED, fields={}, losses=losses)
        return change


def _is_rated_anew(wanted: Wanted, there: Counterpart) -> bool:
    """Whether the source states what it did, and another rate alone makes other amounts of it."""
    if wanted.converted is None or there.baseline is None:
        return False
    return wanted.converted.is_rated_anew(there.baseline.rates)


def _unshown(change: Change, agreed: Baseline) -> dict[str, Fact] | None:
    """What both sides agreed of the fields of a change that the target does not show."""
    both = zip(FIELDS[change.kind], agreed.desired, agreed.echo, strict=True)
    found: dict[str, Fact] = {
        name: said
        for name, said, echo in both
        if name in change.fields and said is not None and echo is None
    }
    return found or None
