"""Lines to groups: whose amount it is, gathered as rows pass, and sorted out when all have passed.

A group is one entity of one budget. Where the file has no budgets besides, each entity is one.
"""

from array import array
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from canonical.text import likeness
from connectors.layouts.questions import Findings
from connectors.layouts.settled import Settled
from connectors.layouts.sums import Sums
from connectors.layouts.timelines import Amounts, Counted, summed

_SIGN: Final = "\x1f"
"""Between the ref and the entity in the key of a group; no text of a file keeps it."""


@dataclass(slots=True)
class Head:
    """What the rows of a budget say of it besides amounts, the first row in which it is said."""

    ref: str
    row: int
    name: str = ""
    currency: str = ""
    facts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Rounding:
    """How many amounts were rounded, and what that took from them or added, in ten-thousandths."""

    count: int = 0
    by: Decimal = Decimal(0)

    def __add__(self, other: "Rounding") -> "Rounding":
        return Rounding(self.count + other.count, self.by + other.by)


EXACT: Final = Rounding()


@dataclass(frozen=True, slots=True)
class Share:
    """One entity's amounts of a budget."""

    entity: str
    counted: Counted
    rounding: Rounding = EXACT

    @property
    def amounts(self) -> Amounts:
        """Its amounts by period."""
        return self.counted.amounts


@dataclass(frozen=True, slots=True)
class Grouped:
    """A budget as the file states it: the sums of its rows, whole and by entity."""

    ref: str
    name: str
    currency: str | None
    facts: Mapping[str, str]
    row: int
    counted: Counted
    shares: tuple[Share, ...]
    entity_type: str = "account"
    rounding: Rounding = EXACT

    @property
    def amounts(self) -> Amounts:
        """The amounts of the whole budget by period."""
        return self.counted.amounts


class Groups:
    """The groups of one sheet, by number in the order in which they come."""

    def __init__(self, sums: Sums, entity_type: str) -> None:
        self.sums = sums
        self._type = entity_type
        self.heads: dict[str, Head] = {}
        self._names: dict[str, str] = {}
        self._numbers: dict[str, int] = {}
        self._rows: array[int] = array("l")
        self._roundings: dict[int, Rounding] = {}

    def number(self, ref: str, entity: str, row: int) -> int:
        """The group's number, a new one where it has none yet."""
        key = f"{ref}{_SIGN}{entity}"
        found = self._numbers.get(key)
        if found is None:
            found = self._numbers[key] = len(self._numbers)
            self._rows.append(row)
        return found

    def round(self, group: int, rounding: Rounding) -> None:
        """Remember what was rounded in a row of the group."""
        self._roundings[group] = self._roundings.get(group, EXACT) + rounding

    def call(self, entity: str, name: str) -> None:
        """Remember the name of an entity."""
        self._names.setdefault(entity, name)

    def head(self, ref: str, entity: str) -> str:
        """Under what the head of a row stands: its ref, or where it has none its entity."""
        return ref or f"{_SIGN}{entity}"

    def alone(self) -> bool:
        """Whether no row names a budget: entities are budgets then."""
        return all(key.startswith(_SIGN) for key in self.heads)

    def blank(self) -> Iterator[tuple[str, str, int]]:
        """Groups that lack their budget or their entity where others have one: ref, entity, row."""
        keys = [key.partition(_SIGN) for key in self._numbers]
        some_entity = any(entity for _, _, entity in keys)
        alone = self.alone()
        for number, (ref, _, entity) in enumerate(keys):
            if (not ref and not alone) or (not entity and some_entity) or (alone and not entity):
                yield ref, entity, self._rows[number]

    def budgets(self, settled: Settled, aside: set[str]) -> Iterator[Grouped]:
        """Each budget that is read whole, in the order of the file."""
        order = list(self._numbers.items())
        if self.alone():
            for key, number in order:
                entity = key.partition(_SIGN)[2]
                if entity not in aside:
                    yield self._alone(entity, number, settled)
            return
        places = {ref: place for place, ref in enumerate(self.heads)}
        order = [pair for pair in order if not pair[0].startswith(_SIGN)]
        order.sort(key=lambda pair: places[pair[0].partition(_SIGN)[0]])
        waiting: list[Share] = []
        current: str | None = None
        for key, number in order:
            ref, _, entity = key.partition(_SIGN)
            if current is not None and ref != current:
                yield self._whole(current, waiting, settled)
                waiting, current = [], None
            if ref not in aside:
                current = ref
                rounding = self._roundings.get(number, EXACT)
                waiting.append(Share(entity, self._counted(number, settled), rounding))
        if current is not None:
            yield self._whole(current, waiting, settled)

    def _alone(self, entity: str, number: int, settled: Settled) -> Grouped:
        head = self.heads[self.head("", entity)]
        name = self._names.get(entity) or head.name or entity
        counted = self._counted(number, settled)
        row = self._rows[number]
        return Grouped(
            entity,
            name,
            head.currency or None,
            head.facts,
            row,
            counted,
            (),
            rounding=self._roundings.get(number, EXACT),
        )

    def _whole(self, ref: str, shares: list[Share], settled: Settled) -> Grouped:
        head = self.heads[ref]
        told = tuple(share for share in shares if share.entity)
        return Grouped(
            ref,
            head.name or ref,
            head.currency or None,
            head.facts,
            head.row,
            summed([share.counted for share in shares], settled.timelines),
            told,
            self._type,
            sum([share.rounding for share in shares], EXACT),
        )

    def _counted(self, number: int, settled: Settled) -> Counted:
        numbers, values = self.sums.of(number)
        if settled.in_order:
            return Counted(settled.timelines.of(numbers), numbers, values)
        found: dict[int, int] = {}
        for period, amount in zip(numbers, values, strict=True):
            parts = settled.places.get(period, ())
            shares = [amount] if len(parts) == 1 else settled.shares(amount) if parts else []
            for part, share in zip(parts, shares, strict=True):
                found[part] = found.get(part, 0) + share
        places = tuple(sorted(found))
        return Counted(settled.timelines.of(places), places, [found[each] for each in places])

    def counts(self, aside: set[str]) -> tuple[set[str], int]:
        """The refs of the budgets that are read whole, and how many allocations they have."""
        refs = {ref for ref, _ in self.refs()} - aside
        if self.alone():
            return refs, 0
        keys = (key.partition(_SIGN) for key in self._numbers)
        return refs, sum(1 for ref, _, entity in keys if entity and ref in refs)

    def unsettled(self, settled: Settled) -> Iterator[tuple[str, int, int]]:
        """Groups with an amount whose period is none: ref, number of the period, row."""
        if not settled.wrong:
            return
        alone = self.alone()
        for number, key in enumerate(self._numbers):
            ref, _, entity = key.partition(_SIGN)
            for period in self.sums.of(number)[0]:
                if period in settled.wrong:
                    yield entity if alone else ref, period, self._rows[number]

    def refs(self) -> Iterator[tuple[str, int]]:
        """The refs of all budgets, each with its first row."""
        if self.alone():
            for number, key in enumerate(self._numbers):
                yield key.partition(_SIGN)[2], self._rows[number]
        else:
            for ref, head in self.heads.items():
                if not ref.startswith(_SIGN):
                    yield ref, head.row


def tell_likenesses(groups: Groups, label: str, findings: Findings) -> None:
    """Refs that differ by capitals or leading zeros only are told, and neither is believed."""
    first: dict[str, tuple[str, int]] = {}
    for ref, row in groups.refs():
        like = likeness(ref)
        other, at = first.setdefault(like, (ref, row))
        if other != ref:
            said = "differs by capitals or leading zeros only; give both one spelling"
            findings.add(f"{label} row {row}", f"{ref!r}: {other!r} in row {at} {said}", ref, like)
            findings.aside.add(other)
