"""Guard: how much a run may change before a person has to look. It counts objects and money.

Shares are of what is linked, at every size, so that filling an empty vendor is no mass change.
What an interrupted run had already been allowed to create is not judged again, and neither are
amounts that change because the calendar moved on to a period that both sides know.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from decimal import Decimal

from canonical.change import Change, Kind, Op, Trip
from canonical.compare import Cause
from sync.match import Key
from sync.observe import Observation
from sync.plan import Findings
from sync.spec import Limits

RULES = (
    "max_changes",
    "max_removals",
    "max_money",
    "max_budget_change",
    "min_listing",
    "below_spent",
)
"""The names by which a rule is switched off for one run."""

Judged = Callable[[Kind, Sequence[Key]], Collection[Key]]
"""Which of these creates an earlier run was already allowed to make."""


@dataclass(frozen=True, slots=True)
class Sides:
    """How much is linked, how much of it each side showed, and how much this plan adopts."""

    linked: int
    linked_shown: int
    source_seen: int
    adopted: int = 0


class Guard:
    """Judges what a plan found; `allowed` names the rules that are switched off for this run."""

    def __init__(self, sync: str, limits: Limits, allowed: Collection[str] = ()) -> None:
        self._sync = sync
        self._limits = limits
        self._allowed = allowed
        self._trips: list[Trip] = []

    def judge(
        self, found: Findings, observation: Observation, sides: Sides, judged: Judged
    ) -> tuple[Trip, ...]:
        """The rules that stop this run, with their numbers; none lets it go on."""
        self._trips = []
        changes = [each for each in found.changes if each.op is not Op.BLOCKED]
        self._listings(sides)
        self._changes(changes, sides, judged)
        self._removals(changes, sides.linked)
        self._money(changes, observation)
        self._below_spent(changes, observation)
        return tuple(self._trips)

    def _listings(self, sides: Sides) -> None:
        for name, seen in (("target", sides.linked_shown), ("source", sides.source_seen)):
            least = self._limits.min_listing
            if least is not None and sides.linked and seen < sides.linked * least:
                self._trip(
                    "min_listing",
                    _percent(least),
                    f"{seen} of {sides.linked}",
                    f"the {name} shows {seen} of {sides.linked} linked objects: "
                    "a listing that shrank this much is not believed",
                )

    def _changes(self, changes: Sequence[Change], sides: Sides, judged: Judged) -> None:
        limit, linked = self._limits.max_changes, sides.linked
        if limit is None:
            return
        common = linked + sides.adopted
        altered = sum(
            each.op is not Op.CREATE and each.cause is not Cause.CALENDAR for each in changes
        )
        if altered > common * limit:
            self._trip(
                "max_changes",
                _percent(limit),
                _percent(Decimal(altered) / common),
                f"{altered} of {common} objects that both sides have would change",
            )
        created = [each for each in changes if each.op is Op.CREATE]
        if linked and len(created) >= linked:
            new = len(created) - self._already_judged(created, judged)
            if new >= linked:
                self._trip(
                    "max_changes",
                    "100%",
                    _percent(Decimal(new) / linked),
                    f"{new} new objects would double the {linked} that are linked",
                )

    def _already_judged(self, created: Sequence[Change], judged: Judged) -> int:
        keys: dict[Kind, list[Key]] = defaultdict(list)
        for each in created:
            keys[each.kind].append((each.budget_ref or "", each.ref))
        return sum(len(judged(kind, refs)) for kind, refs in keys.items())

    def _removals(self, changes: Sequence[Change], linked: int) -> None:
        limit = self._limits.max_removals
        removed = sum(each.op in (Op.RETIRE, Op.DELETE) for each in changes)
        if limit is not None and removed > linked * limit:
            self._trip(
                "max_removals",
                _percent(limit),
                _percent(Decimal(removed) / linked),
                f"{removed} of {linked} linked objects would be removed",
            )

    def _money(self, changes: Sequence[Change], observation: Observation) -> None:
        moved: dict[tuple[Kind, str], Decimal] = defaultdict(Decimal)
        far: list[tuple[Decimal, str]] = []
        limit = self._limits.max_budget_change
        for each in changes:
            step = _step(each)
            if step is None or each.cause is Cause.CALENDAR:
                continue
            before, after, unit = step
            moved[each.kind, unit] += abs(after - before)
            if limit is not None and before and abs(after - before) > abs(before) * limit:
                said = f"{each.kind} {each.ref} would go from {before} to {after} {unit}"
                far.append((abs(after - before) / abs(before), said))
        if limit is not None and far:
            furthest, _ = max(far)
            said = _some([said for _, said in far])
            self._trip("max_budget_change", _percent(limit), _percent(furthest), said)
        limit = self._limits.max_money
        for (kind, unit), sum_moved in moved.items():
            total = observation.totals[kind, unit]
            if limit is not None and total and sum_moved > abs(total) * limit:
                self._trip(
                    "max_money",
                    _percent(limit),
                    _percent(sum_moved / abs(total)),
                    f"{sum_moved} of {total} {unit} in {kind}s would move",
                )

    def _below_spent(self, changes: Sequence[Change], observation: Observation) -> None:
        if self._limits.below_spent:
            return
        found = []
        for each in changes:
            step, spent = _step(each), observation.spent.get(each.target_id or "")
            if step is None or spent is None or step[1] >= min(spent, step[0]):
                continue
            found.append(
                f"{each.kind} {each.ref} would be lowered to {step[1]} {step[2]}, "
                f"below the {spent} already spent"
            )
        if found:
            self._trip("below_spent", "0", str(len(found)), _some(found))

    def _trip(self, rule: str, limit: str, actual: str, message: str) -> None:
        if rule in self._allowed:
            return
        setting = "allow" if rule == "below_spent" else "off"
        override = (
            f'--allow {rule} for this run, or {rule} = "{setting}" in [syncs.{self._sync}.guard]'
        )
        self._trips.append(Trip(rule, limit, actual, message, override))


def _step(change: Change) -> tuple[Decimal, Decimal, str] | None:
    """The amount before and after, and its unit, where a change moves the amount of an object."""
    if change.op is not Op.UPDATE or "amount" not in change.fields or change.desired is None:
        return None
    before, after = change.fields["amount"]
    amount = change.desired.amount
    if before is None or after is None or amount is None:
        return None
    return Decimal(str(before)), Decimal(str(after)), amount.unit


def _percent(share: Decimal) -> str:
    return f"{share * 100:.1f}".removesuffix(".0") + "%"


def _some(said: Sequence[str], shown: int = 3) -> str:
    rest = len(said) - shown
    return "; ".join(said[:shown]) + (f"; and {rest} more" if rest > 0 else "")
