"""Weigh: how a change moves money.

Money is weighed as the source states it: each stretch from the plan's day on, compared with what
the source stated when both sides last agreed, whether or not the target can be told of it yet. So
the calendar later brings nothing that was not weighed before. What is adopted is compared with what
the target holds, and what the target's own hand has moved is weighed as it is there.
"""

from collections.abc import Sequence
from datetime import date

from canonical.allocation import Allocation
from canonical.budget import Budget
from canonical.compare import Baseline, Cause, Difference
from canonical.facts import BUDGET_FIELDS, Fact, Facts, fields_of, money_facts
from canonical.kind import FIELDS, Kind, Op
from canonical.money import MONEY, Counted, Move, counted_on, counted_throughout, money_of, moves
from sync.counterpart import Counterpart
from sync.decide import Wanted
from sync.desire import Desires
from sync.match import Key
from sync.scales import Scales, Weighed
from sync.state.ledger import Ledger, Link

_CADENCE, _START, _END = (MONEY.index(name) for name in ("cadence", "start", "end"))


class Weigher:
    """Puts each change of one plan on the `scales`; returns how its money moves."""

    def __init__(self, scales: Scales, as_of: date, ledger: Ledger, desires: Desires) -> None:
        self._scales, self._as_of = scales, as_of
        self._ledger, self._desires = ledger, desires
        self._cadences: dict[str, Fact] = {}  # of budgets that the source no longer states

    def change(
        self,
        wanted: Wanted,
        op: Op | None,
        found: Sequence[Difference],
        there: Counterpart,
        stated: bytes,
    ) -> tuple[Move, ...]:
        """What becomes of an object that is there; `stated` names what the source states.

        What only finishes an earlier writing, untouched since, was weighed when that was planned.
        """
        now, day = money_facts(wanted.stated), self._as_of
        here, before = _told(wanted, found, now, day)
        if op is Op.RETIRE:
            here = (Move(day, before, None),) if before else ()
        said: tuple[Move, ...] = ()
        link, baseline = there.link, there.baseline
        if link is None and wanted.beyond is not None:
            said = _told(wanted, found, now, day, wanted.beyond)[0]
        elif baseline is not None and link is not None and link.source != stated:
            said = _restated(baseline, wanted, now, day)
        counts = link is None or op is Op.RETIRE or _drifts(found)
        agreed = baseline and (baseline.echo, baseline.desired)
        finishes = agreed == (there.observed, wanted.facts) and not _is_accepted(baseline)
        weighed = _together(here, said) if counts and not finishes else said
        if op is Op.BLOCKED:
            weighed = ()
        if finishes and not said:
            self._scales.finishing.add((wanted.kind, wanted.key))
        self._scales.put(Weighed(wanted.kind, wanted.key, op, weighed, before))
        return _together(here, said)

    def creation(
        self, wanted: Wanted, op: Op, stated: bytes, gone: tuple[Link, Baseline] | None
    ) -> tuple[Move, ...]:
        """What is made; what is made again counts as far as it is stated otherwise."""
        day, made = self._as_of, self._made(wanted.stated)
        if op is Op.BLOCKED:
            return made
        weighed = Weighed(wanted.kind, wanted.key, op, made)
        if gone is not None:
            link, baseline = gone
            now = money_facts(wanted.stated)
            again = () if link.source == stated else _restated(baseline, wanted, now, day)
            weighed = Weighed(wanted.kind, wanted.key, Op.UPDATE, again, counted_on(now, day))
        self._scales.put(weighed)
        return made

    def _made(self, stated: Budget | Allocation) -> tuple[Move, ...]:
        """What counts from now on of what counted not at all: nothing of what is over."""
        if stated.end is not None and stated.end < self._as_of:
            return ()
        if getattr(stated, "phases", ()):  # whatever kind of object has them
            return moves(None, money_facts(stated), self._as_of)
        one = counted_throughout(stated)
        return (Move(self._as_of, None, one),) if one else ()

    def removal(self, kind: Kind, key: Key, observed: Facts, op: Op) -> tuple[Move, ...]:
        """What goes, or would go."""
        names = FIELDS[kind]
        said = dict(zip(names, observed, strict=True))
        said["cadence"] = said["cadence"] or self._cadence_above(key[0])
        before = counted_on(money_of(names, tuple(said.values())), self._as_of)
        gone = (Move(self._as_of, before, None),) if before else ()
        self._scales.put(Weighed(kind, key, op, () if op is Op.BLOCKED else gone, before))
        return gone

    def _cadence_above(self, ref: str) -> Fact:
        """The cadence of a budget, for the shares that have it from there."""
        shape = self._desires.shape(ref)
        if shape is not None:
            return str(shape.cadence)
        if ref not in self._cadences:
            link = self._ledger.by_refs(Kind.BUDGET, [("", ref)]).get(("", ref))
            agreed = self._ledger.baselines([link.id])[link.id] if link else None
            at = BUDGET_FIELDS.index("cadence")
            self._cadences[ref] = agreed.desired[at] if agreed else None
        return self._cadences[ref]


def _is_accepted(baseline: Baseline | None) -> bool:
    """Whether what differed when both sides agreed was left so, and was never to be written."""
    return baseline is not None and bool(baseline.shown)


def _restated(baseline: Baseline, wanted: Wanted, now: Facts, as_of: date) -> tuple[Move, ...]:
    """How a new statement moves what was stated when both sides last agreed."""
    said = baseline.stated or money_of(fields_of(wanted.model), baseline.desired)
    return moves(_filled(said, now, wanted.kind), now, as_of)


def _told(
    wanted: Wanted,
    found: Sequence[Difference],
    now: Facts,
    as_of: date,
    beyond: Facts | None = None,
) -> tuple[tuple[Move, ...], Counted | None]:
    """How the differences, or what is stated `beyond` them, move what the target holds; and what
    it holds on the day."""
    before, after = _both(wanted, {each.field: each.before for each in found}, now)
    return moves(before, beyond or after, as_of), counted_on(before, as_of)


def _both(wanted: Wanted, otherwise: dict[str, Fact], now: Facts) -> tuple[Facts, Facts]:
    """The money that the target holds, being as wanted but for some fields; and that wanted."""
    after = _filled(money_of(fields_of(wanted.model), wanted.facts), now, wanted.kind)
    before = tuple(otherwise.get(name, value) for name, value in zip(MONEY, after, strict=True))
    return before, after


def _together(first: Sequence[Move], second: Sequence[Move]) -> tuple[Move, ...]:
    """Both, in order of their days; where two speak of one day, the first counts."""
    days = {move.day for move in first}
    all_days = (*first, *(move for move in second if move.day not in days))
    return tuple(sorted(all_days, key=lambda move: move.day))


def _drifts(found: Sequence[Difference]) -> bool:
    """Whether somebody moved the money in the target itself."""
    return any(each.cause is Cause.DRIFT and each.field in MONEY for each in found)


def _filled(money: Facts, now: Facts, kind: Kind) -> Facts:
    """`money` with what follows from above: a share's cadence and time are its budget's."""
    silent = (_CADENCE, _START, _END) if kind is Kind.ALLOCATION else (_CADENCE,)
    return tuple(
        now[index] if value is None and index in silent else value
        for index, value in enumerate(money)
    )
