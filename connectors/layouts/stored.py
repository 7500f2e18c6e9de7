"""What a worksheet's cell holds: its text, an exact number, a day, or a fault that is told.

A worksheet stores a number as the digits of a binary float, and counts days; a cell that shows an
error, or holds a formula that nobody has calculated yet, says something that cannot be read.
"""

import re
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Context, Decimal
from functools import lru_cache
from typing import Final, TypeAlias

from connectors.rows.layout import Wrong

_NUMBER = re.compile(r"[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]{1,4})?")
_ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")
_UNWRITTEN = re.compile("[\x00-\x08\x0b-\x1f\ud800-\udfff\ufffe\uffff]")
_IDLE = re.compile(r'"[^"]*"|\\.|[_*].|\[(?!h+\]|m+\]|s+\])[^\]]*\]', re.IGNORECASE)
_ELAPSED = re.compile(r"\[(h+|m+|s+)\]", re.IGNORECASE)
_DAYS: Final = frozenset({14, 15, 16, 17, 18, 19, 20, 21, 22, 27, 30, 36, 45, 47, 50, 57})
_UNFORMATTED: Final = frozenset({"general", "standard"})
_MILLISECONDS: Final = 86_400_000
_EPOCH_1904: Final = datetime(1904, 1, 1)  # noqa: DTZ001
_EPOCH: Final = datetime(1899, 12, 30)  # noqa: DTZ001
_LARGEST: Final = 307
"""The exponent that a number of a worksheet may have."""

DIGITS: Final = 15
"""How many digits of a number a worksheet keeps; those beyond are the noise of a binary float."""
_KEPT: Final = Context(prec=DIGITS)


@dataclass(frozen=True, slots=True)
class Fault:
    """A cell with something in it that cannot be read; `error` is what it shows as one."""

    message: str
    error: str | None = None


class Exact(Decimal):
    """A number of which every digit is meant, as a database keeps it; a whole one may be a code."""


Value: TypeAlias = str | Decimal | bool | date | datetime | time | timedelta | Fault

NEVER_CALCULATED: Final = Fault(
    "holds a formula without a result; open the workbook in a spreadsheet program and save it"
)


def escaped(text: str) -> str:
    """`text` as a workbook holds it, the characters that XML does not know by their number."""
    text = _ESCAPED.sub(lambda found: f"_x005F{found[0]}", text)
    return _UNWRITTEN.sub(lambda found: f"_x{ord(found[0]):04X}_", text)


def unescaped(text: str) -> str:
    """`text` with the characters that a workbook writes as their number: _x000D_."""
    return _ESCAPED.sub(lambda found: chr(int(found[1], 16)), text) if "_x" in text else text


def number(text: str) -> Decimal | Fault:
    """The number with the digits that are stored."""
    if len(text) > _LARGEST or not _NUMBER.fullmatch(text):
        return Fault(f"{text[:40]!r} is not a number")
    value = Decimal(text)
    if abs(value.adjusted()) > _LARGEST:
        return Fault(f"{text[:40]!r} is beyond any number of a worksheet")
    return value


def truth(text: str) -> bool | Fault:
    """Whether it is true."""
    found = {"1": True, "true": True, "0": False, "false": False}.get(text)
    return Fault(f"{text[:40]!r} is neither true nor false") if found is None else found


def iso_day(text: str) -> date | datetime | Fault:
    """A day that is stored as its text."""
    try:
        found = datetime.fromisoformat(text).replace(tzinfo=None)
    except ValueError:
        return Fault(f"{text[:40]!r} is not a date")
    return found if found.time() != time() else found.date()


def serial(value: Decimal, since_1904: bool, elapsed: bool) -> Value:
    """The moment, or the duration, that a worksheet counts in days."""
    try:
        passed = timedelta(milliseconds=round(value * _MILLISECONDS))
        if elapsed:
            return passed
        if not 0 <= value < 2_958_466:
            raise OverflowError
        if value < 1:
            return (_EPOCH + passed).time()
        found = (_EPOCH_1904 if since_1904 else _EPOCH) + passed
        if not since_1904 and value < 60:  # 1900 counts as a leap year there
            found += timedelta(days=1)
    except (ValueError, OverflowError, ArithmeticError):
        return Fault(f"{value:f} is a date that no calendar has")
    if not since_1904 and 60 <= value < 61:
        return Fault("is 29 February 1900, which no calendar has")
    return found if found.time() != time() else found.date()


@lru_cache(maxsize=256)
def counts_days(format_id: int, code: str | None) -> str:
    """Says "date" or "elapsed" where a number format shows a number of days so; "" otherwise."""
    if code is None:
        return "date" if format_id in _DAYS else "elapsed" if format_id == 46 else ""
    if code.strip().casefold() in _UNFORMATTED:
        return ""
    shown = _IDLE.sub("", code.partition(";")[0])
    if _ELAPSED.search(shown):
        return "elapsed"
    return "date" if re.search("[dmyhs]", shown, re.IGNORECASE) else ""


def cell_text(value: Value, point: str) -> str:
    """What a cell says; 7.0 is "7", text "007" stays as it is. Raises `Wrong` for a `Fault`."""
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, Fault):
        raise Wrong(None, value.message)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Exact):
        return digits(value).replace(".", point)
    if isinstance(value, Decimal):
        return _digits(value).replace(".", point)
    if isinstance(value, datetime) and value.time() == time():
        return value.date().isoformat()
    if isinstance(value, date):
        return value.isoformat()
    return str(value)


def _digits(value: Decimal) -> str:
    """The number at the digits that a worksheet keeps; raises `Wrong` where that is a guess."""
    if len(value.as_tuple().digits) > DIGITS:
        kept = _KEPT.create_decimal(value).normalize(_KEPT)
        if kept != value and (kept.adjusted() >= DIGITS or len(kept.as_tuple().digits) == DIGITS):
            raise Wrong(None, f"{value:f} has more digits than the {DIGITS} that a worksheet keeps")
        value = kept
    return digits(value)


def digits(value: int | Decimal) -> str:
    """The number in plain digits, without zeros that say nothing."""
    text = f"{value:f}" if isinstance(value, Decimal) else str(value)
    return text.rstrip("0").rstrip(".") if "." in text else text
