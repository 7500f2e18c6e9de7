"""What a system that holds one currency may be told about others: `[systems.NAME.rates]`."""

import re
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from canonical.currency import COUNTS, exponent
from canonical.errors import UnknownUnit
from canonical.rate import Rounding

_DIGITS: Final = 20
_LARGEST: Final = 12
"""A rate is below ten to that power, and its reciprocal too."""
_CODES: Final = re.compile("[A-Z]{3}([^a-z]?[A-Z]{3})?")
"""What is meant as a pair, as no key is written so."""


def rate_of(said: object) -> Decimal:
    """The number that a rate is written as; raises `ValueError` for what is not one above zero."""
    text = said.strip() if isinstance(said, str) else said
    if isinstance(text, bool) or not isinstance(text, (str, int, Decimal)):
        raise ValueError("a rate is a number such as 1.0850")
    plain = not isinstance(text, str) or (text.isascii() and "_" not in text)
    try:
        value = Decimal(text) if plain else None
    except InvalidOperation:
        value = None
    if value is None or not value.is_finite():
        raise ValueError(f'"{said}" is not a number such as 1.0850')
    if value <= 0:
        raise ValueError(f"{said} is not above zero")
    if len(value.as_tuple().digits) > _DIGITS or abs(value.adjusted()) > _LARGEST:
        raise ValueError(
            f"a rate has up to {_DIGITS} digits, and is neither huge nor next to nothing"
        )
    return value


def is_pair(key: str) -> bool:
    """Whether a pair is meant by a key, as well as it can be told."""
    return "/" in key or _CODES.fullmatch(key) is not None


def pair_of(said: str) -> tuple[str, str]:
    """The two currencies of a pair such as "EUR/USD"; raises `ValueError`."""
    unit, between, to = said.partition("/")
    if not between:
        raise ValueError('a rate is stated of a pair, such as "EUR/USD"')
    for each in (unit, to):
        try:
            exponent(each)
        except UnknownUnit as error:
            raise ValueError(str(error)) from None
        if each in COUNTS:
            raise ValueError(f"{each} is a count, not a currency")
    if unit == to:
        raise ValueError(f"a rate is between two currencies, not from {unit} to itself")
    return unit, to


class RatesSettings(BaseModel):
    """Rates of other currencies: pairs such as "EUR/USD" = 1.0850, or a file of them by date."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        hide_input_in_errors=True,
        defer_build=True,
        json_schema_extra={
            "patternProperties": {"^[A-Z]{3}/[A-Z]{3}$": {"type": ["number", "string"]}}
        },
    )

    pairs: dict[str, Decimal] = Field(
        default_factory=dict,
        description='"EUR/USD" = 1.0850 says what one euro is in dollars; or in the table itself.',
    )
    file: str | None = Field(
        default=None,
        description="A CSV file with columns date,from,to,rate; of each pair the last rate up to "
        "the day of the run counts.",
    )
    rounding: Rounding = Field(
        default=Rounding.HALF_EVEN,
        description="How a converted amount comes to whole cents: half-even, half-up, or down.",
    )
    max_age_days: int | None = Field(
        default=None,
        ge=0,
        strict=True,
        description="A rate of the file that is older is not used; default: it is, at any age.",
    )

    @model_validator(mode="before")
    @classmethod
    def _gathered(cls, raw: Any) -> Any:
        """The pairs that stand in the table itself, put together."""
        if not isinstance(raw, Mapping) or not all(isinstance(key, str) for key in raw):
            return raw
        pairs = {key: value for key, value in raw.items() if is_pair(key)}
        inner = raw.get("pairs", {})
        if not isinstance(inner, Mapping):
            return raw
        if twice := pairs.keys() & inner.keys():
            raise ValueError(f"{min(twice)} is stated twice")
        others = {key: value for key, value in raw.items() if key not in pairs}
        return others | {"pairs": {**inner, **pairs}}

    @field_validator("pairs", mode="before")
    @classmethod
    def _read(cls, raw: Any) -> Any:
        if not isinstance(raw, Mapping):
            return raw
        return {pair: _told(pair, said) for pair, said in raw.items()}

    @model_validator(mode="after")
    def _one_of_both(self) -> "RatesSettings":
        if self.pairs and self.file is not None:
            raise ValueError("rates stand in the settings or in a file, not in both")
        if self.max_age_days is not None and self.file is None:
            raise ValueError(
                "max_age_days is for rates of a file; those that stand here have no day"
            )
        if not self.pairs and self.file is None:
            raise ValueError('it states no rate, such as "EUR/USD" = 1.0850, and no file of them')
        return self


def _told(pair: str, said: object) -> Decimal:
    try:
        pair_of(pair)
        return rate_of(said)
    except ValueError as error:
        raise ValueError(f"{pair}: {error}") from None
