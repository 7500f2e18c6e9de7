"""What a plan says, for people: each object by its name, each field from what to what, and sums.

One reading of a plan, from which text, Markdown and a page are made. Money has thousands apart.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final

from canonical.amount import Amount
from canonical.change import Change, Plan, Unstated
from canonical.compare import Cause
from canonical.facts import Fact
from canonical.kind import Kind, Op
from canonical.loss import Effect
from canonical.money import Counted, Move, said
from canonical.side import Side

_UNKNOWN: Final = frozenset({"blocked:entity", "blocked:owners"})
"""Losses that `trueup people` may find a row of entities against."""


_LIKE: Final = {
    "name": "the name",
    "spelling": "the spelling of the ref",
    "amount": "the amount",
    "entity": "the entity",
}


@dataclass(frozen=True, slots=True)
class Line:
    """One thing about an object that changes: `what`, from `before` to `after`.

    Of money also the `step` between them and its `share` of what was, "" where there is none.
    """

    what: str
    before: str
    after: str
    step: str = ""
    share: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """One object that a plan changes: what is done to it, why, and line by line what moves.

    `lost` tells what the target does not hold of it.
    """

    op: Op
    kind: Kind
    title: str
    because: str
    lines: tuple[Line, ...]
    lost: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Sum:
    """What a plan moves of one kind in one currency on its day, per period of each amount.

    `added` is what is new, `raised` and `lowered` what changes, `removed` what goes. `where` is
    the system that it moves in, "" where all changes are the target's.
    """

    kind: Kind
    unit: str
    added: Decimal = Decimal(0)
    raised: Decimal = Decimal(0)
    lowered: Decimal = Decimal(0)
    removed: Decimal = Decimal(0)
    where: str = ""

    @property
    def of(self) -> str:
        """What it is the sum of: a change to both sides is money of each, and adds up to none."""
        return f"{self.kind}s in {self.where}" if self.where else f"{self.kind}s"

    @property
    def net(self) -> Decimal:
        """All of it together."""
        return self.added + self.raised + self.lowered + self.removed

    @property
    def parts(self) -> tuple[tuple[str, Decimal], ...]:
        """Those that are not nothing, by name."""
        names = ("added", "raised", "lowered", "removed")
        return tuple((name, part) for name in names if (part := getattr(self, name)))


@dataclass(frozen=True, slots=True)
class Later:
    """How many amounts of one kind and currency move after the plan's day, from `first` on."""

    kind: Kind
    unit: str
    count: int
    first: date


def sides(plan: Plan) -> Mapping[Side, str] | None:
    """The systems by the sides of a plan; None where the source owns every field, so that all
    changes are the target's."""
    two = plan.bound_to.get("fields") or any(each.side is Side.SOURCE for each in plan.changes)
    return {Side.SOURCE: plan.source, Side.TARGET: plan.target} if two else None


def entries(
    changes: Sequence[Change], as_of: date, sides: Mapping[Side, str] | None = None
) -> Iterator[Entry]:
    """Each change of a plan of that day, in its order; with `sides` also where it is made."""
    names = {change.ref: change.title for change in changes if change.kind is Kind.BUDGET}
    for change in changes:
        yield Entry(
            op=change.op,
            kind=change.kind,
            title=_title(change, names),
            because=", ".join(filter(None, (_because(change), _where(change, sides)))),
            lines=tuple(_lines(change, as_of)),
            lost=tuple(f"{loss.name}: {loss.reason}" for loss in change.losses),
        )


def sums(plan: Plan) -> list[Sum]:
    """What moves on the plan's day, by kind and currency, and by the system where it may be
    either."""
    places = sides(plan) or {}
    found: dict[tuple[Kind, str, Side], dict[str, Decimal]] = defaultdict(
        lambda: defaultdict(Decimal)
    )
    for change in plan.pending:
        for move in change.money:
            if move.day != plan.as_of:
                continue
            for unit, step in _steps(move).items():
                found[change.kind, unit, change.side][_part(change, move, step)] += step
    return [
        Sum(kind, unit, **parts, where=places.get(side, ""))
        for (kind, unit, side), parts in sorted(found.items())
    ]


def later(plan: Plan) -> list[Later]:
    """What moves only after the plan's day; what is new is new from then on, and not counted."""
    days: dict[tuple[Kind, str], list[date]] = defaultdict(list)
    for change in plan.pending:
        for move in change.money if change.op is not Op.CREATE else ():
            if move.day != plan.as_of:
                days[change.kind, move.unit].append(move.day)
    return [Later(kind, unit, len(on), min(on)) for (kind, unit), on in sorted(days.items())]


def shown(value: Fact) -> str:
    """A value of a field."""
    if value is None:
        return ""
    if isinstance(value, tuple):
        return ", ".join(" ".join(map(str, v)) if isinstance(v, tuple) else str(v) for v in value)
    return str(value)


def money(value: Amount | Counted | None) -> str:
    """An amount with its currency."""
    if isinstance(value, Amount):
        return f"{Decimal(value.text()):,} {value.unit}"
    return str(value or "")


def named(each: Unstated) -> str:
    """An object that the source does not state, with its money and its id there."""
    ref = f" ({each.ref})" if each.ref and each.ref != each.name else ""
    amount = f", {Decimal(each.amount):,} {each.currency}" if each.amount else ""
    return f"{each.kind} {each.name}{ref}{amount} [{each.target_id}]"


def renames(plan: Plan, shown: int | None = None) -> list[str]:
    """What is new and may be what the source states no more: the first `shown`, or all."""
    said = [
        f"{each.kind} {each.new} is new and has {_LIKE[each.by]} of {each.old}, which is stated no "
        f"more; if it is the same: {each.command}"
        for each in plan.renames[:shown]
    ]
    more = len(plan.renames) - len(said)
    return [*said, *([f"… and {more} more may be renamed; -v lists all"] if more else [])]


def losses(changes: Iterable[Change]) -> list[tuple[str, int, str]]:
    """Each loss once: its name, how often it occurs, and the reason that is met first."""
    found: dict[str, tuple[int, str]] = {}
    for change in changes:
        for loss in change.losses:
            count, reason = found.get(loss.name, (0, loss.reason))
            found[loss.name] = count + 1, reason
    return [(name, count, reason) for name, (count, reason) in sorted(found.items())]


def next_steps(plan: Plan) -> list[str]:
    """What to do now, most pressing first; nothing where nothing is to be done."""
    steps = []
    if plan.unaccepted:
        names = ", ".join(f'"{name}"' for name in sorted({*plan.accepted, *plan.unaccepted}))
        steps.append(f"to accept what is lost, write in [syncs.{plan.sync}]: accept = [{names}]")
    unknown = (loss for change in plan.changes for loss in change.losses)
    if any(loss.name in _UNKNOWN for loss in unknown):
        who = f"whom {plan.target} does not know, and who it may be"
        steps.append(f"{who}: trueup people {plan.sync}")
    if plan.uncertain:
        steps.append("what has an unknown outcome is looked at again by the next run")
    if plan.approval:
        steps.append(f"this needs an approval: {plan.approval}; trueup run {plan.sync} asks for it")
    elif plan.pending and not plan.guards:
        steps.append(f"to make these changes: trueup run {plan.sync}")
    return steps


def _title(change: Change, names: Mapping[str, str]) -> str:
    if change.kind is Kind.BUDGET:
        return _known_as(change.ref, change.title)
    above = change.budget_ref
    return (
        f"{change.title} of {_known_as(above, names.get(above, above))}" if above else change.title
    )


def _known_as(ref: str, name: str) -> str:
    return ref if name == ref else f"{ref} {name}"


def _because(change: Change) -> str:
    found = []
    is_back = change.side is Side.SOURCE and change.cause is Cause.DRIFT
    if change.op is Op.UPDATE or change.cause is Cause.UNDO:
        found.append("target" if is_back else change.cause.value)
    elif change.op in (Op.RETIRE, Op.DELETE) and change.desired is None:
        left = change.cause is Cause.SELECTION
        gone = "gone from the target" if is_back else "gone from the source"
        found.append("left the selection" if left else gone)
    if change.matched:
        known = "its name" if change.kind is Kind.BUDGET else "its entity"
        ways = {"stamp": "its stamp", "decision": "decision"}
        found.append(f"adopted by {ways.get(change.matched, known)}")
    return ", ".join(found)


def _where(change: Change, sides: Mapping[Side, str] | None) -> str:
    return "" if sides is None else f"in {sides[change.side]}"


def _lines(change: Change, as_of: date) -> Iterator[Line]:
    if change.op is Op.BLOCKED:
        blocked = (loss for loss in change.losses if loss.effect is Effect.BLOCKED)
        yield from (Line(loss.field, "", loss.reason) for loss in blocked)
        return
    if change.op is Op.CREATE:
        yield Line("amount", "", _new(change))
        return
    moves = [_move(move, as_of) for move in change.money]
    yield from moves
    for field, (before, after) in change.fields.items():
        if field == "phases":
            yield from _phases(before, after, as_of)
        elif field != "amount" or not any(line.what == "amount" for line in moves):
            yield Line(field, shown(before), shown(after))


def _new(change: Change) -> str:
    counted = change.money[0].after if change.money else None
    return money(counted or (change.desired.amount if change.desired else None))


def _move(move: Move, as_of: date) -> Line:
    what = "amount" if move.day == as_of else f"from {move.day}"
    return Line(what, money(move.before), money(move.after), _step(move), _percent(move))


def _step(move: Move) -> str:
    """How far an amount moves, with its sign; nothing where it begins, ends or is another money."""
    was, will = move.before, move.after
    if was is None or will is None or was.unit != will.unit:
        return ""
    alike = (was.cadence, was.days) == (will.cadence, will.days)
    step = will.amount - was.amount if alike else move.step
    return f"+{said(step)}" if step > 0 else said(step)


def _percent(move: Move) -> str:
    """The step as a share of what was, rounded to a tenth."""
    if not _step(move) or move.share is None:
        return ""
    tenths = round(move.share * 1000)
    sign = "-" if move.step < 0 else "+"
    return f"{sign}{tenths // 10:,}.{tenths % 10}%"


def _phases(before: Fact, after: Fact, as_of: date) -> Iterator[Line]:
    """The phases that differ and are over: the moves of money tell those that are not."""
    had, has = dict(_pairs(before)), dict(_pairs(after))
    for period in sorted({*had, *has}):
        last = period.partition("..")[2]
        if had.get(period) != has.get(period) and last and last < as_of.isoformat():
            yield Line(period, _number(had.get(period)), _number(has.get(period)))


def _pairs(phases: Fact) -> Iterator[tuple[str, str]]:
    for each in phases if isinstance(phases, tuple) else ():
        if isinstance(each, tuple | list) and len(each) == 2:
            yield str(each[0]), str(each[1])


def _number(text: str | None) -> str:
    return "" if text is None else f"{Decimal(text):,}"


def _steps(move: Move) -> dict[str, Decimal]:
    """By currency: one that gives way to another moves both."""
    found: dict[str, Decimal] = defaultdict(Decimal)
    for counted, sign in ((move.before, -1), (move.after, 1)):
        if counted is not None:
            found[counted.unit] += sign * counted.amount
    return found


def _part(change: Change, move: Move, step: Decimal) -> str:
    if change.op is Op.CREATE:
        return "added"
    if change.op in (Op.RETIRE, Op.DELETE):
        return "removed"
    return "raised" if step > 0 else "lowered"


def counted(plan: Plan) -> Sequence[tuple[str, int]]:
    """How many objects what is done to, as the last line of a plan tells."""
    counts = [(name, count) for name, count in plan.summary.items() if count]
    if plan.waits:
        counts.append(("waiting for a decision", len(plan.waits)))
    if plan.adopted:
        counts.append(("adopted", plan.adopted))
    if plan.kept:
        counts.append(("kept in the target only", plan.kept))
    if plan.uncertain:
        counts.append(("waiting for an unknown outcome", plan.uncertain))
    return counts
