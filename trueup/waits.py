"""What waits for a decision, in words: both values, what both sides last agreed, and why."""

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from canonical.facts import Fact
from canonical.waiting import Waiting
from trueup.planned import shown

SHOWN: Final = 40
"""So many are named; the others are counted."""


def waits(found: Iterable[Waiting], *, whole: bool = False) -> Iterator[str]:
    """One line for each; the first of many, unless the `whole` is asked for."""
    every = list(found)
    most = len(every) if whole else SHOWN
    for each in every[:most]:
        yield wait(each)
    if (more := len(every) - most) > 0:
        yield f"… and {more:,} more wait for a decision"


def wait(each: Waiting) -> str:
    """What is asked, about which object."""
    name = f" {each.name}" if each.name and each.name != each.ref else ""
    above = f" of {each.budget_ref}" if each.budget_ref else ""
    about = f"{each.kind} {each.ref}{name}{above}"
    if each.field is None:
        money = f" ({money_text(each.money)})" if each.money else ""
        return f"{about}{money}: {each.reason}{_moved(each)}"
    ours, theirs = _units(each)
    sides = f"source {_value(each.source, ours)}, target {_value(each.target, theirs)}"
    known = ours if ours == theirs else ""
    agreed = f", last agreed {_value(each.agreed, known)}" if each.agreed is not None else ""
    return f"{about}: {each.field}: {sides}{agreed}; {each.reason}"


def money_text(said: str) -> str:
    """An amount and its currency, with thousands apart."""
    number, _, unit = said.partition(" ")
    return _value(number, unit) if unit else said


def of_report(said: Mapping[str, Any]) -> str:
    """The same of what a report keeps."""
    told = {"name": "", "reason": "", **said}
    return wait(Waiting(**{name: told[name] for name in _FIELDS if name in told}))


_FIELDS: Final = tuple(Waiting.__dataclass_fields__)


def _units(each: Waiting) -> tuple[str, str]:
    """The currency of the source's amount, and of the target's."""
    ours, theirs = each.currencies if each.field == "amount" else (None, None)
    return ours or "", theirs or ""


def _value(value: Fact, unit: str) -> str:
    if value is None:
        return "nothing"
    if not unit:
        return shown(value)
    try:
        return f"{Decimal(str(value)):,} {unit}"
    except InvalidOperation:
        return f"{value} {unit}"


def _moved(each: Waiting) -> str:
    """What the side changed that did not remove the object."""
    changed = next((v for v in (each.target, each.source) if isinstance(v, tuple | list)), ())
    named = [v for v in changed if isinstance(v, tuple | list) and len(v) > 1]
    said = ", ".join(f"{name} {_value(value, '')}" for name, *_, value in named)
    return f": {said}" if said else ""
