"""Course: which way a change moves the money of an object in each stretch of time.

What counts more in one month and less in another can be neither before all that needs its room nor
after all that gives it some. Where that matters it is written twice: first down to the lower of
both amounts in each stretch, later up to what is wanted.
"""

from bisect import bisect
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from enum import Enum
from typing import Final, TypeAlias, cast

from msgspec import structs

from canonical.allocation import Allocation
from canonical.amount import Amount
from canonical.budget import Budget
from canonical.change import Change
from canonical.facts import Facts, facts
from canonical.kind import FIELDS, Op
from canonical.money import MONEY, money_of
from canonical.period import Period, moved
from canonical.phase import Phase

Model: TypeAlias = Budget | Allocation
Fit: TypeAlias = Callable[[Model], Model]
Course: TypeAlias = Mapping[date, int]
"""From which day on it is more (1), less (-1) or the same; the first day is that of all time."""

_AMOUNT, _START, _PHASES = (MONEY.index(name) for name in ("amount", "start", "phases"))


class Way(Enum):
    """When a change is sent: among what lowers, among what raises, or by half with each."""

    DOWN = "down"
    UP = "up"
    BOTH = "both"


_MORE: Final[Course] = {date.min: 1}
_LESS: Final[Course] = {date.min: -1}
_SAME: Final[Course] = {date.min: 0}


def course(change: Change) -> Course:
    """Which way the change moves what counts."""
    if change.op is Op.CREATE:
        return _MORE
    if change.op in (Op.RETIRE, Op.DELETE):
        return _LESS
    if change.op is not Op.UPDATE or change.desired is None:
        return _SAME
    if "phases" in change.fields:
        before, after = _both(change)
        days = sorted({date.min, *_days(before), *_days(after)})
        return {day: _sign(_on(after, day) - _on(before, day)) for day in days}
    was, will = change.fields.get("amount", (None, None))
    if was is None or will is None:
        return _SAME if was == will else _MORE
    return {date.min: _sign(Decimal(str(will)) - Decimal(str(was)))}


def ways(changes: Sequence[Change]) -> dict[int, Way]:
    """When each change is sent, by its `id`; one that is not named goes with what raises."""
    courses = {id(each): course(each) for each in changes}
    mixed = {each: way for each, way in courses.items() if {1, -1} <= {*way.values()}}
    found = {each: Way.DOWN for each, way in courses.items() if {*way.values()} <= {-1, 0}}
    found = {each: way for each, way in found.items() if courses[each] != _SAME}
    if mixed:
        found |= _ways_of(mixed, changes, courses)
    return found


def lowest(change: Change, fit: Fit) -> Change:
    """The part of the change that lowers: in each stretch the lower of what is and what will be,
    in the target's own terms, which `fit` makes."""
    assert change.desired is not None
    before, _ = _both(change)
    model = fit(_least(change.desired, before))
    said = dict(zip(FIELDS[change.kind], facts(model), strict=True))
    fields = {
        name: (was, said[name])
        for name, (was, _) in change.fields.items()
        if name in ("amount", "phases") and was != said[name]
    }
    return replace(change, fields=fields, desired=model)


def _ways_of(
    mixed: Mapping[int, Course], changes: Sequence[Change], courses: Mapping[int, Course]
) -> dict[int, Way]:
    """Of what goes both ways: down where only its room is needed, both where it needs some too."""
    found = {}
    for members, whole in _families(changes):
        turned = [{day: -sign for day, sign in courses[id(each)].items()} for each in whole]
        among = [courses[id(each)] for each in members]
        days = sorted({day for way in (*among, *turned) for day in way})
        takers, givers = Counter[date](), Counter[date]()
        for way in (*among, *turned):
            for day in days:
                sign = _at(way, day)
                takers[day] += sign > 0
                givers[day] += sign < 0
        for each in members:
            if id(each) not in mixed:
                continue
            way = mixed[id(each)]
            gives = any(takers[day] for day in days if _at(way, day) < 0)
            takes = any(givers[day] for day in days if _at(way, day) > 0)
            if gives:
                found[id(each)] = Way.BOTH if takes else Way.DOWN
    return found


def _families(changes: Iterable[Change]) -> Iterable[tuple[list[Change], list[Change]]]:
    """What hangs below one budget, with the change of that budget, if there is one."""
    below: dict[str, list[Change]] = defaultdict(list)
    budgets: dict[str, list[Change]] = defaultdict(list)
    for each in changes:
        model = each.desired
        above = each.budget_ref or (model.parent if isinstance(model, Budget) else None)
        if above is not None:
            below[above].append(each)
        if each.budget_ref is None:
            budgets[each.ref].append(each)
    return [(members, budgets.get(above, [])) for above, members in below.items()]


def _least(model: Model, before: Facts) -> Model:
    """`model` with the lower of both amounts in each stretch; one amount, whose time is told by
    nothing here, is the least of all that there was from the first stretch to the last."""
    assert model.amount is not None
    unit, least = model.amount.unit, model.amount.value
    if not model.phases:
        last = max((first for first, _, _ in _stretches(before)), default=date.min)
        days = [day for day in _days(before) if day <= last] or [date.min]
        least = min(least, *(_on(before, day) for day in days))
        return structs.replace(model, amount=Amount(least, unit))
    phases = tuple(cut for phase in model.phases for cut in _cut(phase, before))
    first = phases[0].period.start
    if model.start is None or model.start < first:
        least = min(least, _on(before, model.start or moved(first, -1)))
    else:
        least = phases[0].amount.value
    return structs.replace(model, amount=Amount(least, unit), phases=phases)


def _cut(phase: Phase, before: Facts) -> Iterator[Phase]:
    """The phase cut where what was changes within it, each piece no more than that."""
    start, end = phase.period.start, phase.period.end
    days = [day for day in sorted({*_days(before)}) if day > start and day in phase.period]
    ends = [*(moved(day, -1) for day in days), end]
    for first, last in zip([start, *days], ends, strict=True):
        least = min(phase.amount.value, _on(before, first))
        yield Phase(Period(first, last), Amount(least, phase.amount.unit))


def _both(change: Change) -> tuple[Facts, Facts]:
    """The money before and after; what the change does not name is as it is wanted."""
    assert change.desired is not None
    after = money_of(FIELDS[change.kind], facts(change.desired))
    was = {name: before for name, (before, _) in change.fields.items()}
    return tuple(was.get(name, value) for name, value in zip(MONEY, after, strict=True)), after


def _stretches(money: Facts) -> Iterator[tuple[date, date | None, Decimal]]:
    for period, amount in cast("tuple[tuple[str, str], ...]", money[_PHASES] or ()):
        first, _, last = period.partition("..")
        end = date.fromisoformat(last) if last else None
        yield date.fromisoformat(first), end, Decimal(amount)


def _days(money: Facts) -> Iterator[date]:
    """Where another amount may begin to count."""
    for first, last, _ in _stretches(money):
        yield first
        if last is not None:
            yield moved(last, 1)


def _on(money: Facts, day: date) -> Decimal:
    """What counts on `day`: nothing outside of all phases, but before them what is stated so."""
    stretches = [*_stretches(money)]
    for first, last, amount in stretches:
        if first <= day and (last is None or day <= last):
            return amount
    start = money[_START]
    ahead = start is None or date.fromisoformat(str(start)) <= day
    if stretches and (day > stretches[0][0] or not ahead):
        return Decimal(0)
    return Decimal(str(money[_AMOUNT] or 0))


def _at(way: Course, day: date) -> int:
    """The sign that counts on `day`."""
    days = sorted(way)
    at = bisect(days, day)
    return way[days[at - 1]] if at else 0


def _sign(step: Decimal) -> int:
    return (step > 0) - (step < 0)
