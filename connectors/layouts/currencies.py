"""The currency that stands beside an amount, and whether it is the one that the amount is read in.

A sign may be that of several currencies, as $ is; it speaks against an amount's currency only where
it is none of them.
"""

from typing import Final

from canonical.currency import exponent
from canonical.errors import UnknownUnit
from connectors.rows.layout import Wrong

_MEANS: Final = {
    sign: frozenset(codes.split())
    for sign, codes in {
        "$": "ARS AUD BBD BMD BND BSD BZD CAD CLF CLP COP CUC CUP DOP FJD GYD HKD JMD KYD LRD MXN "
        "NAD NZD SBD SGD SRD TTD TWD USD UYU XCD ZWL ZWG",
        "€": "EUR",
        "£": "EGP FKP GBP GIP LBP SDG SHP SSP SYP",
        "¥": "CNY JPY",
        "₹": "INR",
        "₩": "KPW KRW",
        "₽": "RUB",
        "₺": "TRY",
        "₪": "ILS",
        "฿": "THB",
        "₫": "VND",
        "₱": "CUP PHP",
        "kr": "DKK EEK ISK NOK SEK",
        "zł": "PLN",
        "Fr.": "BIF CDF CHF DJF GNF KMF RWF XAF XOF XPF",
    }.items()
}


class Shown:
    """What the signs beside amounts of one currency show; `unit` is it, "" where none is said."""

    def __init__(self, unit: str) -> None:
        self._unit = unit
        self._may: frozenset[str] | None = frozenset({unit}) if unit else None
        self._seen = ""

    def see(self, sign: str, text: str) -> None:
        """Take note of a sign; raises `Wrong` where it is none of the amount's currency."""
        meant = _means(sign, text)
        both = meant if self._may is None else self._may & meant
        if not both:
            rest = f"and its currency is {self._unit}" if self._unit else f"others in {self._seen}"
            raise Wrong(
                None,
                f"{text!r} is in {sign}, {rest}; budget.currency names the column of the currency",
            )
        self._may, self._seen = both, self._seen or sign


def _means(sign: str, text: str) -> frozenset[str]:
    found = _MEANS.get(sign) or _MEANS.get(f"{sign}.") or _MEANS.get(sign.rstrip("."))
    if found is not None:
        return found
    try:
        exponent(sign)
    except UnknownUnit:
        raise Wrong(None, f"{text!r} is not an amount: {sign} is no currency") from None
    return frozenset({sign})
