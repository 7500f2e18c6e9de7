"""What a connector may be told in the settings file.

Each connector declares a model of its own on top of these; the field descriptions become the
documentation that `trueup schema` gives to editors. Unknown keys are errors.
A `SecretStr` field holds a reference in the file (env:NAME, file:PATH, keyring:SERVICE/NAME);
by the time a connector is made, `config` has put the secret itself there.
"""

import re
from collections.abc import Mapping
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Any, ClassVar
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    ValidationInfo,
    field_validator,
)

from canonical.currency import COUNTS, exponent
from connectors.contract.capabilities import Capabilities
from connectors.contract.rating import RatesSettings

_RATE = re.compile(r"(?P<calls>[1-9]\d{0,8})/(?P<count>[1-9]\d{0,5})(?P<unit>[smh])", re.ASCII)
_SECONDS = {"s": 1, "m": 60, "h": 3600}


def parse_rate(text: str) -> tuple[int, float]:
    """Calls and seconds of a rate such as "1000/1m"; raises `ValueError` with the right form."""
    found = _RATE.fullmatch(text)
    if not found:
        raise ValueError(f'{text!r} is not calls per window, such as "1000/1m" or "60/30s"')
    return int(found["calls"]), float(int(found["count"]) * _SECONDS[found["unit"]])


def _rate(text: str) -> str:
    parse_rate(text)
    return text


def _address(text: str) -> str:
    # the text is not repeated: it may hold a password
    if re.match(r"(https?://)?[^/]*@", text, re.IGNORECASE):
        raise ValueError(
            "an address holds no user and no password; a credential is a reference of its own"
        )
    if not re.fullmatch(r"https?://[^/\s?#\\@]+(/[^\s?#\\]*)?", text):
        raise ValueError("this is not an address such as https://api.example.com")
    return text.rstrip("/")


def is_loopback(host: str) -> bool:
    """Whether that host is this machine."""
    name = host.strip("[]").rstrip(".").lower()
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return name == "localhost" or name.endswith(".localhost")


def _unit(code: str) -> str:
    exponent(code)
    return code


def _currency(code: str) -> str:
    if _unit(code) in COUNTS:
        raise ValueError(f"{code} is a count, not a currency")
    return code


class Lines:
    """Marks a key whose text may have several lines."""


RateLimit = Annotated[str, AfterValidator(_rate)]
Address = Annotated[str, AfterValidator(_address)]
Currency = Annotated[str, AfterValidator(_currency)]
Unit = Annotated[str, AfterValidator(_unit)]
"""A currency or a count."""


class SystemSettings(BaseModel):
    """The keys that every system has."""

    # A base is never read by itself, and what is part of a whole is built with it alone.
    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    no_target: ClassVar[str] = ""
    """Why no sync may have such a system as its target; blank where it may."""

    connector: str = Field(description="Which connector reads and writes this system.")
    entities: dict[str, str] = Field(
        default_factory=dict,
        description='Who is who: "type:id" of ours → the vendor\'s id; or file = "people.csv" '
        "with columns entity_type,entity,id. Without a row the id is passed through.",
    )
    rates: RatesSettings | None = Field(
        default=None,
        description='At which rates amounts of other currencies are converted: "EUR/USD" = 1.0850, '
        "or a file; without one they are blocked. For systems that hold one currency.",
    )

    @classmethod
    def bars_target(cls, raw: Mapping[str, Any]) -> str:
        """Why a system of these settings, as they stand in the file, may be no target; or blank."""
        return cls.no_target

    def only_read(self) -> str:
        """Why no budget of such a system can be changed, as it is set up; blank where it can."""
        return self.no_target

    def able(self, capabilities: Capabilities) -> Capabilities:
        """What such a system is sure to hold, as it is set up: what its connector's class declares,
        where that says nothing else."""
        return capabilities

    def account(self, system: str, base: Path) -> str:
        """Names the account that `system`, a block of these settings, writes into: alike for all
        blocks that share it. No secret is in it; `base` is where relative paths start from.

        Accounts whose ids never meet may share a name.
        """
        return f"{self.connector} {system}"


class HttpSettings(SystemSettings):
    """The keys that every system reached over HTTP has."""

    insecure: bool = Field(
        default=False,
        description="Whether the credential may travel unencrypted, by http:// to another machine.",
    )
    base_url: Address = Field(description="The vendor's address.")
    rate_limit: RateLimit = Field(description='Calls per window, such as "1000/1m".')

    @field_validator("base_url")
    @classmethod
    def _encrypted(cls, base_url: str, told: ValidationInfo) -> str:
        host = urlsplit(base_url).hostname or ""
        plain = base_url.startswith("http://") and not is_loopback(host)
        if plain and not told.data.get("insecure"):
            raise ValueError(
                "by http:// anybody on the way can read the credential; write https://, or "
                "insecure = true where that is meant"
            )
        return base_url

    def account(self, system: str, base: Path) -> str:
        return f"{self.connector} {self.base_url.lower()}"
