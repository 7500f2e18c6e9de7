"""Budgets over all systems: what is stated, and what each system holds, as the state knows it.

What both sides last agreed counts, and where something waits for a decision, what both showed then.
No system is asked. What was read stays in memory, and is read anew where the state has moved on.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal, InvalidOperation
from functools import cached_property
from threading import Lock
from typing import Final

from canonical.allocation import Status
from canonical.compare import Baseline
from canonical.facts import Fact, Facts
from canonical.kind import FIELDS, NAMED, Kind
from canonical.money import MONEY, Counted, counted_on
from canonical.waiting import Waiting
from config.settings import Settings
from sync.state.holdings import Held, Holdings
from sync.state.store import Store
from sync.state.waits import Wait, Waits

_Key = tuple[str, str, str]
_PLACES: Final = {kind: tuple(map(FIELDS[kind].index, MONEY)) for kind in Kind}
_NAME: Final = {kind: FIELDS[kind].index(NAMED[kind]) for kind in Kind}
_STATUS: Final = {kind: FIELDS[kind].index("status") for kind in Kind}


@dataclass(frozen=True, slots=True)
class Holding:
    """What one system holds of an object: `stated` is what it was to hold, `held` what it does.

    Both are what counts on the day; `is_converted` where it is told in another currency than the
    source's. `is_settled` says that both sides agreed, `waits` how much is to be decided.
    """

    link: int
    sync: str
    system: str
    target_id: str
    name: str
    status: str
    stated: Counted | None
    held: Counted | None
    is_converted: bool
    is_settled: bool
    waits: int = 0

    @property
    def difference(self) -> Decimal | None:
        """How much more it holds than is stated, or with a minus less; None where nothing tells."""
        return apart(self.stated, self.held)


@dataclass(frozen=True)
class Row:
    """One budget, or one allocation of one, over all systems that hold it, by their names."""

    source: str
    ref: str
    budget_ref: str
    holdings: Mapping[str, Holding]

    @cached_property
    def first(self) -> Holding:
        """The one that speaks for all: of the first sync that converts nothing."""
        every = [*self.holdings.values()]
        return next((each for each in every if not each.is_converted), every[0])

    @property
    def name(self) -> str:
        """What people call it."""
        return self.first.name

    @property
    def status(self) -> str:
        """As it is stated."""
        return self.first.status

    @property
    def stated(self) -> Counted | None:
        """What the source states."""
        return self.first.stated

    @cached_property
    def difference(self) -> Decimal | None:
        """That of the system which is furthest from what is stated."""
        found = [each.difference for each in self.holdings.values()]
        return max((each for each in found if each is not None), key=abs, default=None)

    @cached_property
    def waits(self) -> int:
        """How much waits for a decision."""
        return sum(each.waits for each in self.holdings.values())

    @cached_property
    def searched(self) -> str:
        """What a text is looked for in."""
        ids = " ".join(each.target_id for each in self.holdings.values())
        return f"{self.ref} {self.name} {ids}".casefold()


def apart(stated: Counted | None, held: Counted | None) -> Decimal | None:
    """How much more is held than stated, per period of what is stated; None where nothing tells."""
    if stated is None or held is None or stated.unit != held.unit:
        return None
    if stated.cadence is held.cadence and stated.days == held.days:
        return held.amount - stated.amount
    more = held.in_terms_of(stated) - stated.in_terms_of(stated)
    return (Decimal(more.numerator) / more.denominator).quantize(Decimal("0.01"))


class Books:
    """The budgets of the syncs of the settings. Safe to share between threads."""

    def __init__(self, settings: Settings, today: Callable[[], date]) -> None:
        self._syncs = {name: (each.source, each.target) for name, each in settings.syncs.items()}
        self._today = today
        self._lock = Lock()
        self._mark: tuple[str, date] | None = None
        self._known: dict[int, tuple[bytes, Holding]] = {}
        self._rows: Sequence[Row] = ()

    def rows(self, store: Store) -> Sequence[Row]:
        """All budgets, by source and ref."""
        with self._lock:
            holdings, day = Holdings(store), self._today()
            mark = holdings.mark(), day
            if mark != self._mark:
                if self._mark is None or self._mark[1] != day:
                    self._known = {}
                self._rows, self._mark = self._read(store, holdings, day), mark
            return self._rows

    def row(self, store: Store, source: str, ref: str) -> Row | None:
        """One budget; None where nothing stands for it."""
        return next((r for r in self.rows(store) if (r.source, r.ref) == (source, ref)), None)

    def shares(self, store: Store, row: Row) -> list[Row]:
        """The allocations of a budget."""
        holdings, syncs = Holdings(store), [each.sync for each in row.holdings.values()]
        linked, day = holdings.within(syncs, row.ref), self._today()
        agreed = holdings.agreed([each.id for each in linked])
        waits = _amounts(Waits(store).queue(syncs).waits, Kind.ALLOCATION)
        found = [
            (each, self._holding(Kind.ALLOCATION, each, agreed[each.id], day))
            for each in linked
            if each.id in agreed
        ]
        return self._by_ref(
            [
                (each, _overlaid(own, waits.get((each.sync, each.budget_ref, each.ref))))
                for each, own in found
            ],
            {},
        )

    def _read(self, store: Store, holdings: Holdings, day: date) -> Sequence[Row]:
        linked = holdings.of(self._syncs)
        known = {
            each.id: found
            for each in linked
            if each.version and (found := self._known.get(each.id)) and found[0] == each.version
        }
        agreed = holdings.agreed([each.id for each in linked if each.id not in known])
        for each in linked:
            if each.id in agreed:
                made = self._holding(Kind.BUDGET, each, agreed[each.id], day)
                known[each.id] = each.version, made
        self._known = known
        waits = Waits(store).queue([*self._syncs]).waits
        amounts, counts = _amounts(waits, Kind.BUDGET), _counts(waits)
        pairs: list[tuple[Held, Holding]] = []
        for each in linked:
            if each.id in known:
                holding, sync, ref = known[each.id][1], each.sync, each.ref
                if (sync, ref) in counts or (sync, "", ref) in amounts:
                    waiting, count = amounts.get((sync, "", ref)), counts.get((sync, ref), 0)
                    holding = _overlaid(holding, waiting, count)
                pairs.append((each, holding))
        return self._by_ref(pairs, {(row.source, row.ref): row for row in self._rows})

    def _by_ref(
        self, found: Iterable[tuple[Held, Holding]], known: Mapping[tuple[str, str], Row]
    ) -> list[Row]:
        """One row an object, its systems in the order of the settings; a row that is as it was
        known stays what it is, with all that was reckoned of it."""
        rows: dict[_Key, dict[str, Holding]] = {}
        by_sync: dict[str, list[tuple[Held, Holding]]] = defaultdict(list)
        for each, holding in found:
            by_sync[each.sync].append((each, holding))
        for sync, (source, system) in self._syncs.items():
            for each, holding in by_sync[sync]:
                row = rows.setdefault((source, each.budget_ref, each.ref), {})
                row.setdefault(system, holding)
        made = []
        for source, budget_ref, ref in sorted(rows):
            holdings, last = rows[source, budget_ref, ref], known.get((source, ref))
            if last is None or not _is_same(last.holdings, holdings):
                last = Row(source, ref, budget_ref, holdings)
            made.append(last)
        return made

    def _holding(self, kind: Kind, each: Held, agreed: Baseline, day: date) -> Holding:
        return Holding(
            link=each.id,
            sync=each.sync,
            system=self._syncs[each.sync][1],
            target_id=each.target_id,
            name=str(agreed.desired[_NAME[kind]] or ""),
            status=str(agreed.desired[_STATUS[kind]] or Status.ACTIVE),
            stated=counted_on(stated_money(kind, agreed), day),
            held=counted_on(held_money(kind, agreed), day),
            is_converted=agreed.rates is not None,
            is_settled=bool(each.version),
        )


def stated_money(kind: Kind, agreed: Baseline) -> Facts:
    """What the source stated, by the names of `canonical.money.MONEY`."""
    return agreed.stated or _money(kind, agreed.desired)


def held_money(kind: Kind, agreed: Baseline) -> Facts:
    """What the target answered; a currency and a time that it does not tell are those stated."""
    amount, unit, cadence, *time = _money(kind, agreed.echo)
    _, said_unit, said_cadence, *said_time = stated_money(kind, agreed)
    if cadence is None:
        cadence, time[:2] = said_cadence, said_time[:2]
    return amount, unit if unit is not None else said_unit, cadence, *time


def _is_same(was: Mapping[str, Holding], now: Mapping[str, Holding]) -> bool:
    return len(was) == len(now) and all(was.get(name) is each for name, each in now.items())


def _money(kind: Kind, facts: Facts) -> Facts:
    return tuple(facts[place] for place in _PLACES[kind])


def _amounts(waits: Iterable[Wait], kind: Kind) -> Mapping[_Key, Waiting]:
    """What waits about an amount, by sync, budget's ref and ref."""
    return {
        (each.sync, each.waiting.budget_ref or "", each.waiting.ref): each.waiting
        for each in waits
        if each.waiting.kind is kind and each.waiting.field == "amount"
    }


def _counts(waits: Iterable[Wait]) -> Mapping[tuple[str, str], int]:
    """How much waits about a budget or its allocations, by sync and the budget's ref."""
    found: dict[tuple[str, str], int] = defaultdict(int)
    for each in waits:
        if each.answer is None and each.waiting.kind is not None:
            found[each.sync, each.waiting.budget_ref or each.waiting.ref] += 1
    return found


def _overlaid(known: Holding, waiting: Waiting | None, waits: int = 0) -> Holding:
    """What both sides showed when the last run asked whose amount counts."""
    if waiting is None and not waits:
        return known
    if waiting is None:
        return replace(known, waits=waits)
    ours, theirs = waiting.currencies
    stated = _moved(known.stated, waiting.source, ours)
    held = _moved(known.held, waiting.target, theirs)
    return replace(known, stated=stated, held=held, waits=waits)


def _moved(known: Counted | None, amount: Fact, unit: str | None) -> Counted | None:
    if known is None or amount is None:
        return known
    try:
        return Counted(Decimal(str(amount)), unit or known.unit, known.cadence, known.days)
    except InvalidOperation:
        return known
