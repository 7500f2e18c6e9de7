"""Images: what was known of an object that is to be as it was, and the model made of it again."""

from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any, Final, TypeAlias

from msgspec import structs

from canonical.allocation import Alert, Allocation, Enforcement, Entity, Status
from canonical.amount import Amount
from canonical.budget import Budget
from canonical.compare import Baseline
from canonical.errors import CanonicalError
from canonical.facts import MONEY_FIELDS, Fact, Facts
from canonical.kind import FIELDS, NAMED, Kind
from canonical.period import Cadence, Period
from canonical.phase import Phase

_Model: TypeAlias = Budget | Allocation
Image: TypeAlias = Mapping[str, Fact]
"""The facts of an object by the names of its fields."""

_PARTS: Final = {"currency": "amount"}
"""Facts that are a part of a field of the model."""


class NotWhole(ValueError):
    """No object can be made of an image; the message says what is missing or wrong."""


def image_of(kind: Kind, observed: Facts, agreed: Baseline | None) -> dict[str, Fact]:
    """What is there, in our own spelling where that is the spelling of what was agreed.

    `observed` and the echo of `agreed` are in the owner's terms: refs of ours, no ids of a target.
    """
    if agreed is None:
        return dict(zip(FIELDS[kind], observed, strict=True))
    fields = zip(FIELDS[kind], observed, agreed.desired, agreed.echo, strict=True)
    return {
        name: there if said is None or there != echo or name in MONEY_FIELDS else said
        for name, there, said, echo in fields
    }


def is_whole(kind: Kind, image: Image) -> bool:
    """Whether the image tells of the whole object, and not only of some of its fields."""
    return image.keys() >= {*FIELDS[kind]} and image[NAMED[kind]] is not None


def with_fields_of(model: _Model, made: _Model, names: Iterable[str]) -> _Model:
    """`model`, with the fields that those facts are of as `made` has them."""
    fields = {_PARTS.get(name, name) for name in names}
    return structs.replace(model, **{name: getattr(made, name) for name in fields})


def model_from(kind: Kind, ref: str, budget_ref: str, image: Image) -> Budget | Allocation:
    """The object that has these facts: `facts` of it are the image again.

    Its allocations, and what no fact tells of, are not in it. Raises `NotWhole`.
    """
    if not is_whole(kind, image):
        raise NotWhole("not all of it is known")
    try:
        if kind is Kind.BUDGET:
            return _budget(ref, image)
        return _allocation(ref, budget_ref, image)
    except (ValueError, TypeError, InvalidOperation, CanonicalError) as error:
        raise NotWhole(f"what is known of it makes no {kind}: {error}") from None


def _budget(ref: str, image: Image) -> Budget:
    return Budget(
        ref=ref,
        name=str(image["name"]),
        description=_text(image["description"]),
        limits=tuple(Amount.of(value, unit) for unit, value in _each(image["limits"])),
        parent=_text(image["parent"]),
        owners=None if image["owners"] is None else tuple(map(str, _each(image["owners"]))),
        dimensions=dict(_each(image["dimensions"])),
        **_counted(image),
    )


def _allocation(ref: str, budget_ref: str, image: Image) -> Allocation:
    type, _, id = str(image["entity"]).partition(":")
    return Allocation(
        ref=ref,
        budget=str(image["budget"] or budget_ref),
        entity=Entity(type, id),
        **_counted(image),
    )


def _counted(image: Image) -> dict[str, Any]:
    """The fields that both kinds have; what is not said is left to the kind's own default."""
    unit, said = _text(image["currency"]), dict[str, Any]()
    if image["phases"] and unit is None:
        raise ValueError("its phases have no currency")
    said["amount"] = None if image["amount"] is None else Amount.of(str(image["amount"]), str(unit))
    said["start"], said["end"] = start, end = _day(image["start"]), _day(image["end"])
    if start is not None and end is not None and end < start:
        raise ValueError(f"it would end on {end}, before it starts on {start}")
    said["phases"] = tuple(
        _phase(period, value, str(unit)) for period, value in _each(image["phases"])
    )
    said["carry_over"] = image["carry_over"]
    alerts = image["alerts"]
    said["alerts"] = None if alerts is None else tuple(_alert(*each) for each in _each(alerts))
    for name, kind in (("cadence", Cadence), ("status", Status), ("enforcement", Enforcement)):
        if image[name] is not None:
            said[name] = kind(str(image[name]))
    return said


def _each(fact: Fact) -> Iterable[Any]:
    if fact is None:
        return ()
    if not isinstance(fact, tuple):
        raise TypeError(f"{fact!r} is no list")
    return fact


def _text(fact: Fact) -> str | None:
    return None if fact is None else str(fact)


def _day(fact: Fact) -> date | None:
    return None if fact is None else date.fromisoformat(str(fact))


def _phase(period: str, value: str, unit: str) -> Phase:
    first, _, last = period.partition("..")
    end = date.fromisoformat(last) if last else None
    return Phase(Period(date.fromisoformat(first), end), Amount.of(value, unit))


def _alert(threshold: str, *recipients: str) -> Alert:
    percent = threshold.endswith("%")
    return Alert(Decimal(threshold.removesuffix("%")), percent, recipients)
