"""Cells: the text of one cell as a value of the trade, or `Wrong` with what would be right.

The parsers remember what they read: a file of budgets says the same few dates, amounts and words
over and over.
"""

import re
from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache, partial
from typing import Final

from canonical.allocation import Enforcement, Status
from canonical.amount import Amount
from canonical.currency import exponent
from canonical.errors import UnknownUnit
from canonical.period import FAR, Cadence
from canonical.text import Unkept, kept, ref
from connectors.rows.layout import IDENTITY, LIMITS, Wrong, nearest

_NUMBER = re.compile(r"-?[0-9]{1,24}(\.[0-9]{1,24})?")
_LONG = re.compile(r"-?[0-9]+(\.[0-9]+)?")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_FLAGS: Final = {"true": True, "yes": True, "false": False, "no": False}
_ERRORS: Final = frozenset(
    {"#DIV/0!", "#N/A", "#NAME?", "#NULL!", "#NUM!", "#REF!", "#VALUE!", "#CALC!", "#SPILL!"}
)
"""What a spreadsheet shows, and exports, where a formula has no result."""
_GROUP: Final = 3
_USER: Final = "user"
NO_END: Final = date.max
"""What an `end` that no calendar of budgets reaches is read as: ERPs write 9999-12-31 for none."""


def shown(text: str) -> str:
    """`text` as a message quotes it, cut where it is long."""
    return repr(text if len(text) <= 40 else f"{text[:40]}…")


@lru_cache(maxsize=4096)
def amount(text: str, unit: str, point: str, column: str = "amount") -> Amount:
    """The amount that `text` spells, its decimal sign being `point`."""
    plain = text if point == "." else text.translate({ord("."): point, ord(point): "."})
    if not _NUMBER.fullmatch(plain):
        if _LONG.fullmatch(plain):
            raise Wrong(column, f"{shown(text)} has more digits than an amount can have, 24")
        raise Wrong(column, f"{shown(text)} is not a number; write it like 1250{point}00")
    value = Decimal(plain)
    if value < 0 and column in LIMITS:
        raise Wrong(column, f"{shown(text)} is below zero; write 0 or more")
    fraction, held = plain.partition(".")[2], exponent(unit)
    digits = len(fraction.rstrip("0"))
    if digits > held:
        right = f"at most {held}" if held else "none"
        raise Wrong(column, f"{shown(text)} has {digits} decimals; {unit} has {right}")
    if len(fraction) == _GROUP > held:
        raise Wrong(column, _ambiguous(text, plain, point, held))
    return Amount(value, unit)


def _ambiguous(text: str, plain: str, point: str, held: int) -> str:
    whole, _, fraction = plain.partition(".")
    less = f"{whole}{point}{fraction[:held]}" if held else whole
    return f"{shown(text)} may be {whole}{fraction} or {less}; write the one that it is"


@lru_cache(maxsize=256)
def currency(text: str) -> str:
    """`text`, being an ISO 4217 code or a count."""
    try:
        exponent(text)
    except UnknownUnit as error:
        raise Wrong("currency", str(error)) from None
    return text


@lru_cache(maxsize=4096)
def day(text: str, column: str) -> date:
    """The day written YYYY-MM-DD; `NO_END` for an end in a far future."""
    if _DAY.fullmatch(text):
        try:
            found = date.fromisoformat(text)
        except ValueError:
            raise Wrong(column, f"{shown(text)} is not in the calendar") from None
        return NO_END if column == "end" and found >= FAR else found
    raise Wrong(column, f"{shown(text)} is not a date; write it YYYY-MM-DD, such as 2026-01-31")


@lru_cache(maxsize=256)
def word(text: str, words: type[StrEnum], column: str) -> StrEnum:
    """The member of `words` that `text` names, in capitals or not."""
    try:
        return words(text.casefold())
    except ValueError:
        right = ", ".join(nearest(text, [each.value for each in words]))
        raise Wrong(column, f"{shown(text)} is no {column}; write one of {right}") from None


@lru_cache(maxsize=256)
def flag(text: str, column: str) -> bool:
    """Whether `text` says true."""
    found = _FLAGS.get(text.casefold())
    if found is None:
        raise Wrong(column, f"{shown(text)} is neither; write true or false")
    return found


@lru_cache(maxsize=4096)
def owners(text: str) -> tuple[str, ...]:
    """Who is listed, parted by `;`; a lone `;` says that there is nobody."""
    return tuple(each for part in text.split(";") if (each := spelled("owners", part.strip())))


def spelled(column: str, text: str) -> str:
    """The text of a cell that is no word of ours; of an identity the one spelling that it has.

    Raises `Wrong` for what no text holds, and for the error of a spreadsheet.
    """
    if text.startswith("#") and text in _ERRORS:
        raise Wrong(column, f"shows the error {text}; correct the formula that it came from")
    try:
        found = ref(text) if column in IDENTITY or column == "owners" else kept(text).strip()
    except Unkept as error:
        raise Wrong(column, str(error)) from None
    if text and not found:
        raise Wrong(column, "holds only what nobody can see; empty it or write what is meant")
    return found


@lru_cache(maxsize=256)
def entity_type(text: str) -> str:
    """The type of an entity: any word, but `user` has the one spelling in which owners are."""
    found = spelled("entity_type", text)
    if found != _USER == found.casefold():
        raise Wrong("entity_type", f"{shown(text)} is another type; write {_USER}")
    return found


PARSERS: Final[dict[str, Callable[[str], object]]] = {
    "currency": currency,
    "cadence": partial(word, words=Cadence, column="cadence"),
    "status": partial(word, words=Status, column="status"),
    "enforcement": partial(word, words=Enforcement, column="enforcement"),
    "start": partial(day, column="start"),
    "end": partial(day, column="end"),
    "carry_over": partial(flag, column="carry_over"),
    "owners": owners,
    "entity_type": entity_type,
    **{each: partial(amount, unit=each, point=".", column=each) for each in LIMITS},
}
"""What reads a column; a column that is not here is text."""


@lru_cache(maxsize=4096)
def words_of(columns: tuple[str, ...], texts: tuple[str, ...]) -> Mapping[str, object]:
    """What the cells under `columns` of `PARSERS` say, blank ones left out.

    Most rows of a file share these cells, so they are read as one. Raises `Wrong`.
    """
    said = {}
    for column, text in zip(columns, texts, strict=True):
        if text := text.strip():
            said[column] = PARSERS[column](text)
    return said
