"""Valued: a value that somebody typed for a field, as the fact that both sides are to get."""

from collections.abc import Callable, Mapping
from datetime import date
from enum import StrEnum
from functools import partial
from typing import Final

from canonical.allocation import Enforcement, Entity, Status
from canonical.amount import Amount
from canonical.currency import exponent
from canonical.errors import CanonicalError
from canonical.facts import Fact
from canonical.period import FAR, Cadence
from canonical.text import Unkept, kept, ref
from sync.state.waits import Undecidable

_FLAGS: Final = {"true": True, "false": False}


def fact_of(field: str, text: str, currency: str | None) -> Fact:
    """What `text` says of the field; an amount is in `currency`, where that is known.

    Raises `Undecidable` with what would be right.
    """
    read = _READ.get(field)
    if read is None:
        raise Undecidable(f"{field} cannot be typed as one value; take source or target")
    said = text.strip()
    if not said:
        raise Undecidable(f"there is no value for {field}; take source or target instead")
    try:
        return _amount(said, currency) if field == "amount" else read(said)
    except Unkept as error:
        raise Undecidable(f"{field}: {said!r} {error}") from None
    except CanonicalError as error:
        raise Undecidable(f"{field}: {error}") from None
    except ArithmeticError:
        raise Undecidable(f"{field}: a number of {len(said)} digits is no amount") from None


def _amount(text: str, currency: str | None) -> str:
    """Exactly, by the currency's own digits; its code may stand behind the number."""
    number, _, unit = text.partition(" ")
    if currency is None:
        raise Undecidable("amount: nobody knows in which currency; take source or target")
    if unit and unit.strip() != currency:
        raise Undecidable(f"amount: {text!r} is in another currency than {currency}")
    if not number.replace(".", "", 1).isdigit() or not number.isascii():
        raise Undecidable(f"amount: {text!r} is not a number such as 1250.00, without separators")
    amount = Amount.of(number, currency)
    if not amount.is_exact():
        digits = exponent(currency)
        raise Undecidable(
            f"amount: {text!r} has more than {digits} digits after the point, and {currency} "
            f"has {digits}; {amount.rounded().text()} would be right"
        )
    return amount.text()


def _day(text: str, field: str) -> Fact:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        day = None
    if day is None or day.isoformat() != text:  # a week's day is another notation
        raise Undecidable(f"{field}: {text!r} is no day such as 2026-01-31")
    return None if field == "end" and day >= FAR else day.isoformat()


def _word(text: str, words: type[StrEnum], field: str) -> str:
    if text not in list(words):
        raise Undecidable(f"{field}: {text!r} is not one of {', '.join(words)}")
    return text


def _flag(text: str, field: str) -> bool:
    if text not in _FLAGS:
        raise Undecidable(f"{field}: {text!r} is neither true nor false")
    return _FLAGS[text]


def _currency(text: str) -> str:
    exponent(text)
    return text


def _entity(text: str) -> str:
    type, colon, id = text.partition(":")
    if not (type and colon and id.strip()):
        raise Undecidable(f"entity: {text!r} is no entity such as user:ada@example.com")
    return str(Entity(type.strip(), kept(id.strip())))


def _names(text: str) -> Fact:
    return tuple(sorted({kept(part) for each in text.split(";") if (part := each.strip())}))


def _pairs(text: str) -> Fact:
    found = dict[str, str]()
    for each in text.split(";"):
        key, equals, value = (part.strip() for part in each.partition("="))
        if not (key and equals and value):
            raise Undecidable(f"dimensions: {each.strip()!r} is no KEY=VALUE; part them by ;")
        found[kept(key)] = kept(value)
    return tuple(sorted(found.items()))


_READ: Final[Mapping[str, Callable[[str], Fact]]] = {
    "amount": str,
    "name": kept,
    "description": kept,
    "currency": _currency,
    "start": partial(_day, field="start"),
    "end": partial(_day, field="end"),
    "cadence": partial(_word, words=Cadence, field="cadence"),
    "status": partial(_word, words=Status, field="status"),
    "enforcement": partial(_word, words=Enforcement, field="enforcement"),
    "carry_over": partial(_flag, field="carry_over"),
    "entity": _entity,
    "parent": ref,
    "budget": ref,
    "owners": _names,
    "dimensions": _pairs,
}
"""How each field is read; those that are whole lists of amounts cannot be typed."""
