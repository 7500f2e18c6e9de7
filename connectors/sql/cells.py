"""Cells: what a driver gives for a value, as what a layout and our own columns can read.

Numbers of a database are exact; a binary float is read at 15 digits, as a worksheet's is. NULL is
blank and 0 is 0. What has no reading as text, number or day is a `Fault`, never blank.
"""

import math
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Final
from uuid import UUID

from connectors.layouts.stored import Exact, Fault, Value

_LARGEST: Final = 60
"""The exponent of a number that may be an amount or a code; more than either can have."""


def cell(value: object) -> Value:
    """The value as a cell; blank for NULL."""
    if value is None:
        return ""
    if isinstance(value, str | bool):
        return value
    if isinstance(value, int | Decimal):
        return _exact(value)
    if isinstance(value, float):
        return _rough(value)
    if isinstance(value, datetime):
        return _moment(value)
    if isinstance(value, date | time | timedelta):
        return value
    return str(value) if isinstance(value, UUID) else _unread(value)


def _exact(value: int | Decimal) -> Value:
    if isinstance(value, int):
        fits = abs(value) < 10**_LARGEST
        return Exact(value) if fits else Fault("is a number beyond any amount or code")
    if not value.is_finite():
        return Fault(f"is {value}, which is no number")
    if value and abs(value.adjusted()) > _LARGEST:
        return Fault("is a number beyond any amount or code")
    return Exact(value)


def _rough(value: float) -> Value:
    if not math.isfinite(value):
        return Fault(f"is {value}, which is no number")
    return Decimal(repr(value))


def _moment(value: datetime) -> Value:
    """A day where it is the beginning of one; with a zone anything else may be two days."""
    if value.tzinfo is None:
        return value
    if value.time() == time():
        return value.date()
    return Fault(
        f"{value.isoformat()} is a moment, which is another day in another time zone; "
        "make a date of it in the query"
    )


def _unread(value: object) -> Fault:
    if isinstance(value, bytes | bytearray | memoryview):
        return Fault("is bytes, not text; convert it in the query")
    kind = type(value).__name__
    return Fault(f"is of the type {kind}, which has no reading; convert it in the query")
