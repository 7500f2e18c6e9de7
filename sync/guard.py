"""Guard: how much a run may change before a person has to look. It counts objects and money.

Shares are of what is linked, so that filling an empty vendor is no mass change. To finish what an
earlier plan meant, and was judged for, is no new change either. Each rule that stops a run says
what it found, in which objects, and which setting would just be enough.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from fractions import Fraction
from typing import TypeAlias

from canonical.change import Change, Trip
from canonical.compare import Cause
from canonical.kind import Kind, Op
from canonical.money import Counted, Move, said
from canonical.period import Cadence
from sync.allowed import switched_off, with_ceilings
from sync.findings import Findings
from sync.match import Key
from sync.observe import Observation
from sync.scales import Weighed, weight
from sync.spec import Limit, Limits, percent

RULES = (
    "max_changes",
    "max_removals",
    "max_money",
    "max_budget_change",
    "min_listing",
    "below_spent",
    "unseen",
)
"""The names by which a rule is switched off for one run.

`unseen` stops objects and no run: what a target that hides things does not show is left alone.
"""

Objects: TypeAlias = Collection[tuple[Kind, Key]]

_REMOVALS = (Op.RETIRE, Op.DELETE)
_EVERY: Mapping[Cadence | None, str] = {
    Cadence.DAILY: " a day",
    Cadence.WEEKLY: " a week",
    Cadence.MONTHLY: " a month",
    Cadence.QUARTERLY: " a quarter",
    Cadence.YEARLY: " a year",
    Cadence.ONCE: "",
}
_SLIPS = (100, 1000)


@dataclass(frozen=True, slots=True)
class Sides:
    """How much is linked, how much of it each side showed, how much this plan adopts, and how many
    of the links the source shows and the selection leaves out. `made` are those of the linked that
    earlier waves of the same migration made."""

    linked: int
    linked_shown: int
    source_seen: int
    adopted: int = 0
    left: int = 0
    made: int = 0


class Guard:
    """Judges what a plan found; `allowed` says which rules are switched off for this run, or have
    another limit in it (`sync.allowed`)."""

    def __init__(self, sync: str, limits: Limits, allowed: Collection[str] = ()) -> None:
        self._sync = sync
        self._limits = with_ceilings(limits, allowed)
        self._allowed = switched_off(allowed)
        self._trips: list[_Found] = []
        self._where = ""

    def judge(
        self,
        found: Findings,
        observation: Observation,
        sides: Sides,
        finishing: Objects = frozenset(),
        finishing_back: Objects = frozenset(),
    ) -> tuple[Trip, ...]:
        """The rules that stop this run, with their numbers; none lets it go on.

        Of the objects in `finishing` only the rest of what was judged before is made. The changes
        of the source are judged by themselves, by the same limits, as shares of the same whole; of
        those in `finishing_back` only the rest is made.
        """
        self._trips = []
        done = {*finishing, *found.scales.finishing}
        self._listings(sides)
        changes = self._judge(found.changes, found.scales.weighed, found, sides, done)
        found.below_spent.update(self._below_spent(changes, observation.spent))
        self._where = " in the source"
        back = self._judge(found.returns, found.weighed_back, found, sides, finishing_back)
        found.below_spent.update(self._below_spent(back, found.spent_back))
        self._where = ""
        return tuple(self._told(each) for each in self._trips)

    def _judge(
        self,
        changes: Sequence[Change],
        weighed: Sequence[Weighed],
        found: Findings,
        sides: Sides,
        done: Objects,
    ) -> Sequence[Change]:
        """Judge what changes on one side, how many and by how much; returns those that can be."""
        changes = [each for each in changes if each.op is not Op.BLOCKED]
        new = [each for each in changes if _object(each) not in done] if done else changes
        self._changes(new, sides)
        self._removals(new, sides.linked)
        weighed = [e for e in weighed if e.moves and (e.kind, e.key) not in done]
        self._budgets([each for each in weighed if each.before or each.op is not Op.CREATE])
        self._money(weighed, found, sides)
        return changes

    # -- objects -----------------------------------------------------------------------------

    def _listings(self, sides: Sides) -> None:
        for name, seen in (("target", sides.linked_shown), ("source", sides.source_seen)):
            least = self._limits.min_listing
            if least is not None and sides.linked and seen < sides.linked * least:
                left = f", and {sides.left} left the selection of the sync" if sides.left else ""
                self._trip(
                    "min_listing",
                    percent(least),
                    f"{seen} of {sides.linked}",
                    f"the {name} shows {seen} of {sides.linked} linked objects{left}: "
                    "a listing that shrank this much is not believed",
                    _floored(Fraction(seen, sides.linked)),
                )

    def _changes(self, changes: Sequence[Change], sides: Sides) -> None:
        limit, linked = self._limits.max_changes, sides.linked
        if limit is None:
            return
        common = linked + sides.adopted
        altered = [
            each
            for each in changes
            if each.op is not Op.CREATE and each.cause not in (Cause.CALENDAR, Cause.RATE)
        ]
        if not limit.allows(len(altered), common):
            said = (
                f"{len(altered)} of {common} objects that both sides have would change{self._where}"
            )
            self._too_many("max_changes", limit, altered, common, said)
        created = [each for each in changes if each.op is Op.CREATE]
        before, whole = linked - sides.made, len(created) + sides.made
        if created and before > 0 and whole >= before and whole > limit.objects:
            self._trip(
                "max_changes",
                f"100%, {limit}" if limit.share is None else "100%",
                _share(Fraction(whole, before)),
                f"{whole} new objects{self._where} would double the {before} that are "
                f"linked: {_named(created)}",
                Limit(limit.share, whole),
            )

    def _removals(self, changes: Sequence[Change], linked: int) -> None:
        limit = self._limits.max_removals
        removed = [each for each in changes if each.op in _REMOVALS]
        if limit is not None and not limit.allows(len(removed), linked):
            said = f"{len(removed)} of {linked} linked objects would be removed{self._where}"
            self._too_many("max_removals", limit, removed, linked, said)

    def _too_many(
        self, rule: str, limit: Limit, changes: Sequence[Change], of: int, said: str
    ) -> None:
        count = len(changes)
        share = _share(Fraction(count, of)) if of else str(count)
        alone = limit.share is None or not of
        enough = Limit(None, count) if alone else Limit(_ceiled(Fraction(count, of)))
        self._trip(rule, str(limit), share, f"{said}: {_named(changes)}", enough)

    # -- money -------------------------------------------------------------------------------

    def _budgets(self, weighed: Sequence[Weighed]) -> None:
        """How far one amount moves, in any stretch of time, of what it was."""
        limit = self._limits.max_budget_change
        if limit is None:
            return
        far = [
            (each, move)
            for each in weighed
            if each.op not in _REMOVALS and (move := _furthest(each, limit)) is not None
        ]
        if not far:
            return
        shares = [move.share for _, move in far]
        worst = max((share for share in shares if share is not None), default=None)
        actual = "from nothing" if None in shares or worst is None else _share(worst)
        told = [
            f"{each.kind} {each.key[1]} would go {_way(move)}{self._where}" for each, move in far
        ]
        said = _some(told) + _slip(weighed)
        moves = [move for each, _ in far for move in _beyond(each, limit)]
        self._trip("max_budget_change", str(limit), actual, said, _enough(limit, moves))

    def _money(self, weighed: Sequence[Weighed], found: Findings, sides: Sides) -> None:
        """How much moves altogether: up and down, what is new and what is removed."""
        limit = self._limits.max_money
        if limit is None:
            return
        moved: dict[tuple[Kind, str], list[Weighed]] = defaultdict(list)
        for each in weighed:
            if each.op is Op.CREATE and sides.linked <= sides.made:
                continue  # the first filling
            largest = each.largest
            moved[each.kind, largest.unit].append(each)
            if largest.before is not None and largest.before.unit != largest.unit:
                moved[each.kind, largest.before.unit].append(_without(each, largest))
        for (kind, unit), objects in moved.items():
            total, cadence = found.scales.total(kind, unit)
            self._moved(limit, objects, kind, unit, total, cadence)

    def _moved(
        self,
        limit: Limit,
        objects: Sequence[Weighed],
        kind: Kind,
        unit: str,
        total: Fraction,
        cadence: Cadence | None,
    ) -> None:
        largest = [each.largest for each in objects]
        a_year = sum(map(weight, largest), Fraction(0))
        amount = sum((abs(move.step) for move in largest), Fraction(0))
        share = a_year / total if total else None
        if not amount or limit.allows_money(amount, unit, share):
            return
        if limit.share is not None and len(objects) == 1 and self._is_one_alone(objects[0]):
            return
        alike = {move.cadence for move in largest} | {cadence or Cadence.YEARLY}
        if len(alike) == 1 and cadence is not None:
            parts, every = (amount, total * amount / a_year if a_year else total), _EVERY[cadence]
        else:
            parts, every = (a_year, total), " a year"
        told = (
            f"{said(parts[0])} of {said(parts[1])} {unit}{every} in {kind}s would move{self._where}"
        )
        self._trip(
            "max_money",
            str(limit),
            _share(share) if share is not None else "from nothing",
            f"{told}: {_some([_moving(each) for each in objects])}{_slip(objects)}",
            _enough_money(limit, share, amount, unit),
        )

    def _is_one_alone(self, weighed: Weighed) -> bool:
        """One removal never exceeds a share, nor does one change within its own limit."""
        if weighed.op in _REMOVALS:
            return True
        own = self._limits.max_budget_change
        return weighed.before is not None and own is not None and _furthest(weighed, own) is None

    def _below_spent(
        self, changes: Sequence[Change], spent_of: Mapping[str, Decimal]
    ) -> set[tuple[str, str, str, str]]:
        """What would be lowered below what is spent."""
        if self._limits.below_spent:
            return set()
        found, low = list[str](), set[tuple[str, str, str, str]]()
        for each in changes:
            step, spent = _now(each), spent_of.get(each.target_id or "")
            if step is None or spent is None or step[1] >= min(spent, step[0]):
                continue
            low.add((each.side.value, each.kind.value, each.budget_ref or "", each.ref))
            found.append(
                f"{each.kind} {each.ref} would be lowered to {step[1]} {step[2]}{self._where}, "
                f"below the {spent} already spent"
            )
        if found:
            self._trip("below_spent", "0", str(len(found)), _some(found), None)
        return low

    def _trip(
        self, rule: str, limit: str, actual: str, message: str, enough: Limit | Decimal | None
    ) -> None:
        if rule not in self._allowed:
            self._trips.append(_Found(rule, limit, actual, message, enough))

    def _told(self, found: "_Found") -> Trip:
        """What stops the run, with what would just be enough for all that the rule found."""
        rule = found.rule
        enough = _together([each.enough for each in self._trips if each.rule == rule])
        if enough is None:
            override = f"--allow {rule} for this run"
        else:
            given = f'"{rule}={enough}"' if " " in enough else f"{rule}={enough}"
            setting = enough if enough.isdigit() else f'"{enough}"'
            override = (
                f"--allow {given} for this run, or {rule} = {setting} in [syncs.{self._sync}.guard]"
            )
        allow = rule if enough is None else f"{rule}={enough}"
        return Trip(rule, found.limit, found.actual, found.message, override, allow)


@dataclass(frozen=True, slots=True)
class _Found:
    """A rule that stops a run; `enough` is the limit that would let just this pass."""

    rule: str
    limit: str
    actual: str
    message: str
    enough: Limit | Decimal | None


def _together(enough: Sequence[Limit | Decimal | None]) -> str | None:
    """The limit that lets all of them pass: of shares that must be shown it is the least."""
    shares = [each for each in enough if isinstance(each, Decimal)]
    if shares:
        return percent(min(shares))
    limits = [each for each in enough if isinstance(each, Limit)]
    if not limits:
        return None
    money: dict[str, Decimal] = {}
    for each in limits:
        for unit, amount in each.money.items():
            money[unit] = max(amount, money.get(unit, amount))
    share = max((each.share for each in limits if each.share is not None), default=None)
    return str(Limit(share, max(each.objects for each in limits), money))


def _object(change: Change) -> tuple[Kind, Key]:
    return change.kind, (change.budget_ref or "", change.ref)


def _beyond(weighed: Weighed, limit: Limit) -> list[Move]:
    """The moves that go beyond the limit."""
    return [
        move
        for move in weighed.moves
        if not limit.allows_money(abs(move.step), move.unit, move.share)
    ]


def _furthest(weighed: Weighed, limit: Limit) -> Move | None:
    """The move that goes furthest beyond the limit; None where none does."""
    far = _beyond(weighed, limit)
    return max(
        far, key=lambda move: (move.share is None, move.share or abs(move.step)), default=None
    )


def _without(weighed: Weighed, move: Move) -> Weighed:
    """The other half of an exchange of one currency for another: what there was goes."""
    gone = Move(move.day, move.before, None)
    return Weighed(weighed.kind, weighed.key, weighed.op, (gone,), weighed.before)


def _now(change: Change) -> tuple[Decimal, Decimal, str] | None:
    """The amount before and after on the plan's day, where an update moves it, in the currency of
    the side that it is made in."""
    if change.op is not Op.UPDATE or change.desired is None:
        return None
    amount = change.desired.amount
    for move in change.money[:1]:
        if amount is not None and move.unit != amount.unit:
            break  # weighed in the target's currency
        if move.before and move.after and not {"amount", "phases"}.isdisjoint(change.fields):
            return move.before.amount, move.after.amount, move.unit
    before, after = change.fields.get("amount", (None, None))
    if before is None or after is None or change.desired.amount is None:
        return None
    return Decimal(str(before)), Decimal(str(after)), change.desired.amount.unit


# -- words -------------------------------------------------------------------------------------


def _way(move: Move) -> str:
    before, after = move.before, move.after
    every = {each.cadence for each in (before, after) if each}
    told = [f"{_counted(each, len(every) > 1)}" for each in (before, after)]
    return f"from {told[0]} to {told[1]} (from {move.day} on)"


def _counted(counted: Counted | None, every: bool) -> str:
    if counted is None:
        return "nothing"
    return f"{counted}{_EVERY[counted.cadence] or ' once' if every else ''}"


def _moving(weighed: Weighed) -> str:
    move = weighed.largest
    if move.before is None:
        return f"{weighed.kind} {weighed.key[1]} is new with {move.after}"
    if move.after is None:
        return f"{weighed.kind} {weighed.key[1]} gives up {move.before}"
    return f"{weighed.kind} {weighed.key[1]} goes {_way(move)}"


def _named(changes: Sequence[Change]) -> str:
    return _some([f"{each.kind} {each.ref}{_amount(each)}" for each in changes])


def _amount(change: Change) -> str:
    counted = [each for move in change.money[:1] for each in (move.before, move.after) if each]
    told = " → ".join(dict.fromkeys(map(str, counted)))
    return f" ({told})" if told else ""


def _slip(weighed: Iterable[Weighed]) -> str:
    """Names what looks like a decimal point, or a separator of thousands, read for the other."""
    ratios = [
        move.step / move.base + 1
        for each in weighed
        if (move := each.largest).base and move.after is not None
    ]
    for times in _SLIPS:
        for factor, word in ((Fraction(times), "times"), (Fraction(1, times), "th of")):
            count = sum(abs(ratio / factor - 1) <= Fraction(1, 200) for ratio in ratios)
            if count > 1:
                much = f"{times} times" if word == "times" else f"one {times}th of"
                return (
                    f"; {count} amounts become {much} what they were, as when a decimal point or "
                    "a thousands separator is misread, or cents are read as units"
                )
    return ""


def _share(share: Fraction) -> str:
    """In tenths of a percent, so that as a limit it is just enough."""
    return percent(_ceiled(share))


def _enough(limit: Limit, far: Sequence[Move]) -> Limit:
    """The limit that just lets all of them pass."""
    known = [move.share for move in far if move.share is not None]
    if limit.share is not None and len(known) == len(far):
        return Limit(_ceiled(max(known)), limit.objects, limit.money)
    floors: dict[str, Fraction] = {}
    for move in far:
        if move.share is None or limit.share is None:
            floors[move.unit] = max(floors.get(move.unit, Fraction(0)), abs(move.step))
    share = max([limit.share, *map(_ceiled, known)]) if limit.share is not None else None
    return Limit(share, 0, _more(limit, floors))


def _enough_money(limit: Limit, share: Fraction | None, amount: Fraction, unit: str) -> Limit:
    if limit.share is not None and share is not None:
        return Limit(_ceiled(share), 0, limit.money)
    return Limit(limit.share, 0, _more(limit, {unit: amount}))


def _more(limit: Limit, floors: Mapping[str, Fraction]) -> dict[str, Decimal]:
    return {**limit.money, **{unit: _units(amount) for unit, amount in floors.items()}}


def _ceiled(share: Fraction) -> Decimal:
    exact = Decimal(share.numerator) / Decimal(share.denominator)
    return exact.quantize(Decimal("0.001"), rounding=ROUND_CEILING)


def _floored(share: Fraction) -> Decimal:
    exact = Decimal(share.numerator) / Decimal(share.denominator)
    return exact.quantize(Decimal("0.001"), rounding=ROUND_FLOOR)


def _units(amount: Fraction) -> Decimal:
    exact = Decimal(amount.numerator) / Decimal(amount.denominator)
    return exact if exact == int(exact) else exact.quantize(Decimal("0.01"), rounding=ROUND_CEILING)


def _some(told: Sequence[str], shown: int = 3) -> str:
    rest = len(told) - shown
    return "; ".join(told[:shown]) + (f"; and {rest} more" if rest > 0 else "")
