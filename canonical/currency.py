"""Units of amounts: ISO 4217 currencies with their minor units, and counts.

The table of currencies in force comes from the ``iso4217`` package.
Codes that the standard has withdrawn since 2000 are added here, because last year's
budgets are still written in them (ISO 4217 list three, "historic denominations").
"""

from functools import cache
from typing import Final

from canonical.errors import UnknownUnit

COUNTS: Final = frozenset({"impressions", "conversions"})
"""Units that are counted, not paid; they have no fraction."""

_WITHDRAWN: Final = {
    "ANG": 2, "BGN": 2, "BYR": 0, "CUC": 2, "EEK": 2, "GHC": 2, "HRK": 2, "LTL": 2, "LVL": 2,
    "MRO": 2, "MTL": 2, "MZM": 2, "ROL": 2, "SIT": 2, "SKK": 2, "SLL": 2, "STD": 2, "TMM": 2,
    "TRL": 0, "VEB": 2, "VEF": 2, "ZMK": 2, "ZWL": 2,
}  # fmt: skip

_NONE: Final = {"XXX": "says that there is no currency", "XTS": "is for tests"}
"""Codes of the standard in which nothing is ever paid."""


@cache
def _table() -> dict[str, int]:
    from iso4217 import Currency  # 60 ms: only when an amount is met

    in_force = {each.code: each.exponent for each in Currency}
    # Gold and the SDR have no minor unit; they are held in whole units.
    units = {code: exponent or 0 for code, exponent in in_force.items() if code not in _NONE}
    return _WITHDRAWN | units


@cache
def exponent(unit: str) -> int:
    """Digits after the point that `unit` has: USD 2, JPY 0, KWD 3, CLF 4, impressions 0.

    Raises `UnknownUnit` for anything else, with the spelling that would be right if there is one.
    """
    if unit in COUNTS:
        return 0
    digits = _table().get(unit)
    if digits is None and unit in _NONE:
        raise UnknownUnit(f"{unit} {_NONE[unit]}; write a code such as USD")
    if digits is None:
        hint = f"; write {unit.strip().upper()}" if unit.strip().upper() in _table() else ""
        raise UnknownUnit(f"{unit!r} is not an ISO 4217 currency code such as USD{hint}")
    return digits
