"""What a run is told: which sync, and the limits within which it may act."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction

from sync.fields import Fields
from sync.intake.rates import Rates
from sync.intake.selection import Selection


class OnRemove(StrEnum):
    """What happens in the target to an object that the source no longer has."""

    KEEP = "keep"
    RETIRE = "retire"
    DELETE = "delete"


@dataclass(frozen=True, slots=True)
class Limit:
    """A share that may change, and what may change in any case: so many objects, so much money.

    `share` of None allows what is named and no more. Money is named by currency.
    """

    share: Decimal | None = None
    objects: int = 0
    money: Mapping[str, Decimal] = field(default_factory=dict)

    def allows(self, count: int, of: int) -> bool:
        """Whether `count` of so many objects may change."""
        return count <= self.objects or count <= of * (self.share or 0)

    def allows_money(self, moved: Fraction, unit: str, share: Fraction | None) -> bool:
        """Whether so much may move, which is that `share`; None: a share of nothing."""
        if moved <= Fraction(self.money.get(unit, 0)):
            return True
        return self.share is not None and share is not None and share <= Fraction(self.share)

    def __str__(self) -> str:
        shares = [] if self.share is None else [percent(self.share)]
        amounts = [f"{amount:f} {unit}" for unit, amount in self.money.items()]
        floors = [*([str(self.objects)] if self.objects else []), *amounts]
        if shares and floors:
            floors[0] = f"at least {floors[0]}"
        return ", ".join([*shares, *floors]) or "0"


def limit_of(text: str) -> Limit | None:
    """What a limit in one of the forms of the settings says; None where it is switched off."""
    if text == "off":
        return None
    first, _, rest = text.partition(", at least ")
    share = Decimal(first.removesuffix("%")) / 100 if first.endswith("%") else None
    floor = rest if share is not None else first
    if floor.isdigit():
        return Limit(share, int(floor))
    sums = [each.split(" ") for each in floor.split(", ") if each]
    return Limit(share, 0, {unit: Decimal(amount) for amount, unit in sums})


def percent(share: Decimal) -> str:
    """The share for people: 0.125 is 12.5%."""
    whole = share * 100
    return f"{whole.to_integral_value() if whole == int(whole) else whole.normalize():f}%"


_ONE_OBJECT = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much a run may change; None switches a rule off.

    `min_listing` is the share of the linked objects that a listing must still show.
    """

    max_changes: Limit | None = Limit(Decimal("0.30"), _ONE_OBJECT)
    max_removals: Limit | None = Limit(Decimal("0.05"), _ONE_OBJECT)
    max_money: Limit | None = Limit(Decimal("0.10"))
    max_budget_change: Limit | None = Limit(Decimal("0.50"))
    min_listing: Decimal | None = Decimal("0.50")
    below_spent: bool = False


@dataclass(frozen=True, slots=True)
class Approval:
    """What a sync needs an approval for: all that it changes (`over` of None), or what moves more
    than that share of what counts, or more than that amount, per currency and kind of object.

    A plan may be approved and applied until `expires` has passed since it was asked for. With
    `four_eyes` who asked may not approve.
    """

    over: Limit | None = None
    expires: timedelta = timedelta(days=7)
    four_eyes: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncSpec:
    """One sync: `source` owns, `target` follows. Names are those of the settings file.

    `full_pass_every` is how long details that a cheap listing does not show are believed to be as
    they were: a time, or a number of runs of which the last reads all. `select` of None carries all
    that the source states; `rates` of None converts nothing, and
    `approval` of None lets all pass that no guard stops.
    """

    name: str
    source: str
    target: str
    on_remove: OnRemove = OnRemove.KEEP
    accept: frozenset[str] = frozenset()
    stamp: bool = True
    horizon_months: int = 12
    past_months: int = 12
    parallel: int = 8
    full_pass_every: timedelta | int = timedelta(hours=12)
    limits: Limits = field(default_factory=Limits)
    select: Selection | None = None
    rates: Rates | None = None
    fields: Fields = field(default_factory=Fields)
    approval: Approval | None = None
