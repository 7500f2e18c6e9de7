"""Charts as numbers: where each bar and line stands, for the SVG in the templates.

What a colour says is said by the height or the form as well, and in words beside the chart.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from sync.state.history import Run

_RUN_HEIGHTS: Final = {"ok": 8, "running": 12, "partial": 14, "interrupted": 18, "aborted": 18}
_TALLEST: Final = 24
_STEP: Final = 7


@dataclass(frozen=True, slots=True)
class Column:
    """A bar that stands on the ground: its place, how high it is, what it is, and its words."""

    x: int
    height: int
    kind: str
    title: str
    target: str = ""

    @property
    def top(self) -> int:
        """Where it begins, from above."""
        return _TALLEST - self.height


def run_columns(runs: Sequence[Run], most: int) -> list[Column]:
    """The runs, newest first, as bars with the newest at the right end; the worse, the taller."""
    return [
        Column(
            x=(most - 1 - index) * _STEP,
            height=_RUN_HEIGHTS.get(run.outcome, _TALLEST),
            kind=run.outcome,
            title=f"{run.started_at:%Y-%m-%d %H:%M} UTC: {run.command} {run.outcome}",
            target=run.run_id[:12],
        )
        for index, run in enumerate(runs)
    ]


WIDTH: Final = 760
HEIGHT: Final = 200
_LEFT: Final = 76
_TOP: Final = 10
_GROUND: Final = 168
_WIDEST: Final = 64
_LINES: Final = 4
_LABELS: Final = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One period: what is stated, held and spent then, None where nothing is known of it."""

    label: str
    title: str
    stated: Decimal | None
    held: Decimal | None
    spent: Decimal | None = None
    is_now: bool = False

    @property
    def highest(self) -> Decimal:
        """The largest of them."""
        found = (self.stated, self.held, self.spent)
        return max((each for each in found if each is not None), default=Decimal(0))


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """A bar of the chart of a budget's periods."""

    x: int
    y: int
    width: int
    height: int
    kind: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """One period's bars, where they stand, and the label below, "" where there is no room."""

    point: Point
    x: int
    width: int
    label: str
    bars: tuple[Bar, ...]

    @property
    def middle(self) -> int:
        """Where the label is."""
        return self.x + self.width // 2


@dataclass(frozen=True, slots=True)
class Chart:
    """The periods of a budget, and the lines behind them: how high each is, and what it means."""

    slots: tuple[Slot, ...]
    lines: tuple[tuple[int, Decimal], ...]

    width, height, left, ground = WIDTH, HEIGHT, _LEFT, _GROUND

    @property
    def points(self) -> list[Point]:
        """What is shown."""
        return [slot.point for slot in self.slots]

    @property
    def has_spent(self) -> bool:
        """Whether what was spent is known of any period."""
        return any(each.spent is not None for each in self.points)


def period_chart(points: Sequence[Point]) -> Chart:
    """Where the bars of those periods stand; below nothing nothing is drawn."""
    top = _round(max((each.highest for each in points), default=Decimal(0)))
    room = WIDTH - _LEFT
    each_has = min(_WIDEST, room // max(1, len(points)))
    rarely = -(-len(points) // _LABELS)
    slots = [
        _slot(point, _LEFT + at * each_has, each_has, top, is_named=at % rarely == 0)
        for at, point in enumerate(points)
    ]
    lines = [(_height(top * n / _LINES, top), top * n / _LINES) for n in range(_LINES + 1)]
    return Chart(tuple(slots), tuple((_GROUND - height, value) for height, value in lines))


def _slot(point: Point, x: int, width: int, top: Decimal, *, is_named: bool) -> Slot:
    told = [("stated", point.stated), ("held", point.held), ("spent", point.spent)]
    gap, wide = max(2, width // 8), max(2, (width - 2 * max(2, width // 8)) // 3)
    bars = [
        Bar(x=x + gap + at * wide, y=_GROUND - high, width=max(1, wide - 1), height=high, kind=kind)
        for at, (kind, value) in enumerate(told)
        if value is not None and (high := _height(value, top)) >= 0
    ]
    label = point.label if is_named else ""
    return Slot(point=point, x=x, width=width, label=label, bars=tuple(bars))


def _height(value: Decimal, top: Decimal) -> int:
    if value <= 0 or top <= 0:
        return 0
    return max(1, int(value / top * (_GROUND - _TOP)))


def _round(highest: Decimal) -> Decimal:
    """The next of 1, 2, 4, 6, 8 and 10 with as many digits, at which the lines are round."""
    if highest <= 0:
        return Decimal(1)
    unit = Decimal(1).scaleb(highest.adjusted())
    return next(n * unit for n in map(Decimal, (1, 2, 4, 6, 8, 10)) if n * unit >= highest)
