"""Capabilities: what a system can be told, declared by each connector as one literal."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Context
from enum import StrEnum
from typing import Final

from canonical.allocation import Enforcement, Status
from canonical.amount import Amount
from canonical.kind import Kind
from canonical.period import Cadence

_EXACT: Final = Context(prec=100)
_KEPT: Final = 15
_SURELY: Final = 10**14
"""No unit has more than four digits after the point."""


class Hold(StrEnum):
    """How a target holds a canonical field."""

    EXACT = "exact"
    ROUNDED = "rounded"
    TRUNCATED = "truncated"
    EMULATED = "emulated"
    DROPPED = "dropped"
    READ_ONLY = "read-only"
    FOLLOWS = "follows"
    """An allocation's field that the target takes from the allocation's budget."""


class Removal(StrEnum):
    """What a vendor's removal means."""

    RETIRE_FOR_GOOD = "retire, no way back"
    RETIRE = "retire, can be revived"
    DELETE = "delete, history is lost"
    RETIRE_OR_DELETE = "retire, can be revived; or delete, history is lost"
    NONE = "none"


class Phasing(StrEnum):
    """How many of a budget's differing period amounts a target can hold at a time; of a share's as
    many, where its `phases` are held, else the one in force."""

    CURRENT = "current"
    CURRENT_AND_NEXT = "current and next"
    """The amount of the current period, and in one phase that of all that follow."""
    PERIODS = "one entry per period"
    ALL = "as stated"


class Numbers(StrEnum):
    """In what an amount travels, and how much of it arrives."""

    ANY = "as long as it is"
    DOUBLE = "a 64-bit float, as JavaScript's numbers are"
    MINOR = "a 64-bit integer of the smallest unit"

    def hold(self, amount: Amount) -> bool:
        """Whether the amount arrives as it was sent.

        A float keeps any 15 digits, and whole numbers up to 2**53.
        """
        if self is Numbers.DOUBLE:
            if len(amount.value.as_tuple().digits) <= _KEPT:
                return True
            _, digits, exponent = amount.value.normalize(_EXACT).as_tuple()
            whole = isinstance(exponent, int) and exponent >= 0
            return len(digits) <= _KEPT or (whole and abs(amount.value) <= 2**53)
        surely = self is Numbers.ANY or abs(amount.value) < _SURELY
        return surely or abs(amount.rounded().minor()) < 2**63


@dataclass(frozen=True, slots=True, kw_only=True)
class Unique:
    """What a vendor takes for the name of an object, where no two of a kind may have one: budgets
    in the whole account, allocations within their budget. What is retired has none.

    `fields` make up the name. It is not `surely` unique where the vendor may refuse a second, and
    has been seen to take it: then nothing is blocked for it. `folded` is whether names that differ
    by case or spaces alone are one.
    """

    fields: frozenset[str]
    surely: bool = True
    folded: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """What a vendor can be told. What it may refuse, it refuses: of its limits only those that its
    pages state are here, as what breaks one is blocked in the plan.

    A field not named in `budget` or `allocation` is dropped. `clearable` fields can be emptied
    again. `entity_types` of None takes any. `key_lifetime` is how long the vendor remembers an
    idempotency key; zero where it takes none. `ascii_text` marks vendors that refuse other text.
    `retires_to` is the status that a retired object is seen with, where the vendor has none for it.
    `revives` are the kinds of which a retired object can be made active again. `batch` is how
    many new allocations of one budget go into one call. `identity` names fields that tell a budget
    from others of its name, `unique` are the kinds whose names are unique. `grace` is how long
    listings and reads may fail to show what was just made. `version_covers` names the fields of a
    budget, and of its allocations, of which none can change while the budget's version stays: for
    all others a version is only a hint, believed for as long as the settings say. `numbers` is what
    amounts travel in, `below_zero` whether they may be below zero, and `name_length` how long a
    budget's name may be, in UTF-16 units. `sums_shares`
    marks vendors whose budgets are the sum of their shares, so that these cannot come to more;
    `shares_beyond` says what becomes of shares that would. `reads_actuals` says that the vendor
    tells what is spent, and `spent_by_share` that a listing shows it of allocations too.
    `takes_actuals` are the kinds of which the system keeps what was spent, as others tell it
    (`Connector.record_actuals`); it `sums_actuals` where it has one amount for an object and a
    period, whichever systems have seen it spent.
    `one_currency` marks vendors that hold one currency, which their settings name as `currency`.
    """

    vendor: str
    budget: Mapping[str, Hold]
    allocation: Mapping[str, Hold] = field(default_factory=dict)
    cadences: frozenset[Cadence] = frozenset(Cadence)
    entity_types: frozenset[str] | None = None
    native_entity_types: frozenset[str] | None = None
    statuses: frozenset[Status] = frozenset({Status.ACTIVE})
    enforcements: frozenset[Enforcement] = frozenset(Enforcement)
    removal: Removal = Removal.NONE
    retires_to: Status = Status.RETIRED
    revives: frozenset[Kind] = frozenset()
    phasing: Phasing = Phasing.CURRENT
    clearable: frozenset[str] = frozenset()
    complete_listing: bool = True
    key_lifetime: timedelta = timedelta()
    stamps: frozenset[Kind] = frozenset()
    ascii_text: bool = False
    amount_digits: int | None = None
    numbers: Numbers = Numbers.ANY
    below_zero: bool = False
    name_length: int | None = None
    batch: int = 1
    grace: timedelta = timedelta(seconds=60)
    identity: frozenset[str] = frozenset()
    unique: Mapping[Kind, Unique] = field(default_factory=dict)
    sums_shares: bool = False
    shares_beyond: str = "they are sent all the same"
    version_covers: Mapping[Kind, frozenset[str]] = field(default_factory=dict)
    unit_of_writing: str = "one object"
    rate_limit: str | None = None
    reads_actuals: bool = False
    spent_by_share: bool = False
    takes_actuals: frozenset[Kind] = frozenset()
    sums_actuals: bool = False
    one_currency: bool = False

    @property
    def share_phasing(self) -> Phasing:
        """How many of a share's differing period amounts can be held at a time."""
        silent = (None, Hold.DROPPED, Hold.READ_ONLY, Hold.FOLLOWS)
        return Phasing.CURRENT if self.allocation.get("phases") in silent else self.phasing

    @property
    def fields(self) -> frozenset[str]:
        """The names of all fields that are held somehow, of either kind."""
        return frozenset(self.budget) | frozenset(self.allocation)
