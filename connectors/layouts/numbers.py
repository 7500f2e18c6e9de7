"""Amounts as files write them, as whole ten-thousandths: exact, and small to keep by the million.

An amount that may mean two numbers is `Unclear` until the layout names its decimal sign.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal
from functools import lru_cache
from typing import Final

from connectors.layouts.currencies import Shown
from connectors.layouts.language import Numbers
from connectors.layouts.stored import Value, cell_text
from connectors.rows.layout import Wrong

PLACES: Final = 4
"""Decimals that an amount is kept with; no currency has more."""
SCALE: Final = 10**PLACES
LARGEST: Final = 9 * 10**18
"""Beyond any amount, in ten-thousandths."""

_LONG = re.compile(r"(-?[0-9]{1,12})\.([0-9]{2})(?:0{2,12})?")
_ROW = re.compile(r"-?[0-9]{1,12}\.[0-9]{2}(?:,-?[0-9]{1,12}\.[0-9]{2})*")
_DIGITS: Final = 15
_IN_A_CENT: Final = 10 ** (PLACES - 2)
_AND_NEXT: Final = f"{'0' * (PLACES - 2)},"
"""What makes ten-thousandths of the cents before it, where others follow."""
_ENDS = re.compile(
    r"[\s\u00a0\u202f]*(?:[$€£¥₹₩₽₺₪฿₫₱]|\b[A-Z]{3}\b|kr\.?|zł|Fr\.)[\s\u00a0\u202f]*"
)
_NO_CENTS = re.compile("(?<=[0-9])([.,])[-–—−]{1,2}$")
"""What stands for no cents where prices are written so, `1.250,-`, and is no minus."""
_SPACED = re.compile("(?<=[0-9])[\\s\u00a0\u202f\u2009'’](?=[0-9]{3})")
_MINUS: Final = str.maketrans({"−": "-", "–": "-", "﹣": "-", "－": "-"})
_GROUPS = re.compile(r"[0-9]{1,3}(?:([.,])[0-9]{2,3})*(?:\1[0-9]{3})?")
_UNSURE = re.compile(r"[1-9][0-9]{0,2}[.,][0-9]{3}")
_NUMBER = re.compile(r"[0-9]*\.?[0-9]+|[0-9]+\.")


class Unclear(Wrong):
    """An amount with two readings, of which the decimal sign decides."""

    def __init__(self, text: str) -> None:
        super().__init__(
            None,
            f"{text!r} may be {_reading(text, '.')} or {_reading(text, ',')}; "
            f'numbers.decimal = "." or "," says which',
        )
        self.text = text

    @property
    def readings(self) -> tuple[str, str]:
        """What each decimal sign would make of it."""
        return tuple(  # type: ignore[return-value]
            f"{_reading(self.text, sign)} with numbers.decimal={sign}" for sign in ".,"
        )


def _reading(text: str, decimal: str) -> str:
    found = NumberForm(Numbers(decimal=decimal), PLACES).read(text)  # type: ignore[arg-type]
    return plain_text(found or 0)


def plain_text(value: int, places: int = 2) -> str:
    """Ten-thousandths in digits, with at least so many decimals."""
    sign, rest = ("-", -value) if value < 0 else ("", value)
    whole, fraction = divmod(rest, SCALE)
    digits = f"{fraction:0{PLACES}d}".rstrip("0").ljust(places, "0")
    return f"{sign}{whole}.{digits}" if digits else f"{sign}{whole}"


@dataclass(slots=True)
class Rounded:
    """What rounding has taken: how often, and how much in all (ten-thousandths, absolute)."""

    count: int = 0
    lost: Decimal = Decimal(0)


class NumberForm:
    """Reads amounts as `numbers` says; `unit` is their currency, "" where none is said, and
    `digits` are its digits after the point."""

    def __init__(self, numbers: Numbers, digits: int = 2, unit: str = "") -> None:
        self.rounded = Rounded()
        self._unit = Shown(unit)
        self._said, self._digits = numbers, digits
        self._sign: int = numbers.sign
        self._none = frozenset(each.casefold() for each in numbers.none)
        self._zero = frozenset(each.casefold() for each in numbers.zero)
        self._seen: str | None = numbers.decimal
        self._quick = numbers.decimal != "," and numbers.thousands != "." and digits >= 2
        self._cents: int = numbers.sign * 10 ** (PLACES - 2)
        self._blank = 0 if numbers.blank == "zero" else None

    def read(self, text: str) -> int | None:
        """The amount in ten-thousandths, with spending above zero; None for a blank.

        Raises `Wrong`, and `Unclear` where it may be two.
        """
        if self._quick and text[-3:-2] == "." and self._seen != ",":
            digits = text[:-3] + text[-2:]
            if digits.isdecimal() and len(digits) < _DIGITS:
                self._seen = "."
                return int(digits) * self._cents
        if self._quick and self._seen != "," and (found := _LONG.fullmatch(text)):
            self._seen = "."
            return int(found[1] + found[2]) * self._cents
        return self._slowly(text)

    @property
    def counts_blank(self) -> bool:
        """Whether a blank cell is an amount."""
        return self._blank is not None

    def value(self, value: Value) -> int:
        """The same of a cell that is no text: a number, or what cannot be an amount."""
        if isinstance(value, Decimal):
            cents = value * 100
            if cents == (whole := int(cents)) and abs(whole) < 10**_DIGITS and self._quick:
                return whole * self._cents
            return self._scaled(Decimal(cell_text(value, ".")), str(value))
        text = cell_text(value, ".")
        kind = "true or false" if isinstance(value, bool) else "a date"
        raise Wrong(None, f"{text} is {kind}, not an amount")

    def read_all(self, texts: Sequence[str]) -> list[int] | None:
        """The amounts of a whole row at once, where all are plain ones with two decimals."""
        if not self._quick or self._seen == ",":
            return None
        row = ",".join(texts)
        if not _ROW.fullmatch(row):
            return None
        self._seen = "."
        digits = row.replace(".", "")
        if self._cents == _IN_A_CENT:
            return [*map(int, f"{digits},".replace(",", _AND_NEXT)[:-1].split(","))]
        return [int(each) * self._cents for each in digits.split(",")]

    def _slowly(self, text: str) -> int | None:
        text = text.strip()
        if not text or (self._none and text.casefold() in self._none):
            return self._blank
        if self._zero and text.casefold() in self._zero:
            return 0
        negative, bare, signs = _unsigned(text)
        for sign in signs:
            self._unit.see(sign, text)
        plain = self._pointed(bare, text)
        return self._scaled(Decimal(plain) * (-1 if negative else 1), text)

    def _pointed(self, bare: str, text: str) -> str:
        """`bare` with a point as its decimal sign and nothing between its thousands."""
        bare = _SPACED.sub("", bare)
        if self._said.thousands and self._said.thousands not in ".,":
            bare = bare.replace(self._said.thousands, "")
        decimal = self._decimal_of(bare, text)
        whole, sign, fraction = bare.rpartition(decimal) if decimal in bare else (bare, "", "")
        other = "," if decimal == "." else "."
        if other in whole:
            if not _GROUPS.fullmatch(whole) or decimal in whole or whole[-4] != other:
                raise _other_sign(text, decimal)
            whole = whole.replace(other, "")
        plain = f"{whole}{'.' if sign else ''}{fraction}"
        if not _NUMBER.fullmatch(plain) or not plain.isascii():
            raise _no_number(text) if other not in bare else _other_sign(text, decimal)
        return plain

    def _decimal_of(self, bare: str, text: str) -> str:
        """The decimal sign of this amount: the layout's, or what it shows by itself."""
        if self._said.decimal:
            return self._said.decimal
        if self._said.thousands in (".", ","):
            return "," if self._said.thousands == "." else "."
        points, commas = bare.count("."), bare.count(",")
        if not points and not commas:
            return "."
        if points and commas:
            found = "." if bare.rfind(".") > bare.rfind(",") else ","
        elif points + commas > 1:
            found = "," if points else "."
        elif _UNSURE.fullmatch(bare):
            raise Unclear(text)
        else:
            found = "." if points else ","
        if self._seen is not None and found != self._seen:
            raise Wrong(
                None,
                f"{text!r} has another decimal sign than amounts above it; "
                f'numbers.decimal = "." or "," says which is right',
            )
        self._seen = found
        return found

    def _scaled(self, number: Decimal, text: str) -> int:
        scaled = number * SCALE
        step = 10 ** (PLACES - self._digits)
        kept = (
            scaled.quantize(Decimal(1), rounding=ROUND_HALF_EVEN) if abs(scaled) < 10**25 else None
        )
        if kept is None or abs(kept) > LARGEST:
            raise Wrong(None, f"{_short(text)} is beyond any amount")
        if kept != scaled or kept % step:
            kept = self._rounded(scaled, step, text)
        return int(kept) * self._sign

    def _rounded(self, scaled: Decimal, step: int, text: str) -> Decimal:
        if self._said.round != "cents":
            raise Wrong(
                None,
                f"{_short(text)} has more decimals than the {self._digits} of the currency; "
                'numbers.round = "cents" rounds it',
            )
        kept = (scaled / step).quantize(Decimal(1), rounding=ROUND_HALF_EVEN) * step
        self.rounded.count += 1
        self.rounded.lost += abs(kept - scaled)
        return kept


@lru_cache(maxsize=1024)
def _unsigned(text: str) -> tuple[bool, str, tuple[str, ...]]:
    """Whether it is below zero, the number without sign and parentheses, and its currency signs."""
    signs = tuple(each.strip() for each in _ENDS.findall(text))
    bare = _NO_CENTS.sub(r"\g<1>00", _ENDS.sub("", text).strip()).translate(_MINUS)
    negative = False
    if bare.startswith("(") and bare.endswith(")"):
        negative, bare = True, bare[1:-1].strip()
        bare = _ENDS.sub("", bare)
    elif bare.endswith("-"):
        negative, bare = True, bare[:-1].strip()
    elif bare.startswith(("-", "+")):
        negative, bare = bare[0] == "-", bare[1:].strip()
    if not bare or not (bare[0].isdigit() or bare[0] in ".,"):
        raise _no_number(text)
    return negative, bare, signs


def _short(text: str) -> str:
    return repr(text if len(text) <= 40 else f"{text[:40]}…")


def _no_number(text: str) -> Wrong:
    return Wrong(None, f"{_short(text)} is not an amount")


def _other_sign(text: str, decimal: str) -> Wrong:
    said = f"{_short(text)} is not an amount whose decimal sign is {decimal}"
    return Wrong(None, f"{said}; numbers.decimal says which it is")
