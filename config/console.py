"""What `[console]` may say: where the console is served, how people come in, and what they may."""

import ipaddress
import re
from ipaddress import IPv4Network, IPv6Network
from typing import Annotated, Final, Self, TypeAlias
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, model_validator

from config.secrets import is_reference
from config.tables import Table

Network: TypeAlias = IPv4Network | IPv6Network

_HEADER: Final = re.compile(r"[A-Za-z0-9-]{1,100}")
_TAKEN: Final = ("host", "cookie", "origin", "forwarded", "content-type", "content-length")
"""Headers that say something else: a name in one of them would be whatever a browser sends."""


def network_of(text: str) -> Network:
    """What an address, or a network with its length, stands for. Raises `ValueError`."""
    return ipaddress.ip_network(text)


def is_on_loopback(host: str) -> bool:
    """Whether only this machine reaches what listens there."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _from(said: str) -> str:
    try:
        found = network_of(said)
    except ValueError:
        raise ValueError('an address such as "10.0.0.1", or a network as "10.0.0.0/24"') from None
    if found.prefixlen == 0:
        raise ValueError("that is every address: whoever sends the header would be believed")
    return said


def _header(said: str) -> str:
    if not _HEADER.fullmatch(said):
        raise ValueError('the name of a header is of letters, digits and "-"')
    if said.lower() in _TAKEN or said.lower().startswith(("x-forwarded-", "sec-", "hx-")):
        raise ValueError("that header says something else, and anybody can send it")
    return said


def _address(said: str) -> str:
    """An address of a web server that strangers on the way can neither read nor change."""
    try:
        found = urlsplit(said)
        host, _ = found.hostname, found.port
    except ValueError:
        raise ValueError("is not an address") from None
    if found.scheme not in ("http", "https") or not host or found.query or found.fragment:
        raise ValueError('is not an address such as "https://trueup.example.com"')
    if "@" in found.netloc or not said.isascii() or not said.isprintable() or " " in said:
        raise ValueError('is not an address such as "https://trueup.example.com"')
    if found.scheme == "http" and not is_on_loopback(host):
        raise ValueError("begins with https://, as what goes there is worth stealing")
    return said


def _root(said: str) -> str:
    if urlsplit(_address(said)).path not in ("", "/"):
        raise ValueError("the console has a name of its own, and no path")
    return said.rstrip("/")


def _member(said: str) -> str:
    if said != said.strip() or not said.removeprefix("group:") or not said.isprintable():
        raise ValueError('a name, "group:" and the name of a group, or "*" for whoever is let in')
    return said


def _no_literal(said: str) -> str:
    if not is_reference(said):
        raise ValueError(
            "a secret is never written here; use env:NAME, file:PATH or keyring:SERVICE/NAME"
        )
    return said


Members: TypeAlias = tuple[Annotated[str, AfterValidator(_member)], ...]


class Roles(Table):
    """Who may do what, by name or, after "group:", by group."""

    viewer: Members = Field(default=(), strict=False, description="Who may see all pages.")
    operator: Members = Field(
        default=(),
        strict=False,
        description="Who may also make and apply plans, decide and undo.",
    )
    approver: Members = Field(
        default=(), strict=False, description="Who may also approve and refuse plans."
    )


class Oidc(Table):
    """Log in by an OpenID provider."""

    issuer: Annotated[str, AfterValidator(_address)] = Field(
        description="Whose logins are believed, exactly as the provider writes itself."
    )
    client_id: str = Field(min_length=1, description="What the provider calls this console.")
    client_secret: Annotated[str, AfterValidator(_no_literal)] | None = Field(
        default=None,
        repr=False,
        description="A reference to what proves that it is this console (env:NAME, file:PATH, "
        "keyring:SERVICE/NAME); none for a public client.",
    )
    scopes: tuple[Annotated[str, Field(pattern=r"^[!#-\[\]-~]+$")], ...] = Field(
        default=("openid", "email"), strict=False, description="What the provider is asked for."
    )
    name_claim: str = Field(
        default="email",
        min_length=1,
        description="Which claim is a person's name in [console.roles].",
    )
    groups_claim: str | None = Field(
        default=None, min_length=1, description="Which claim holds the groups of a person."
    )

    @model_validator(mode="after")
    def _asks_who(self) -> Self:
        if "openid" not in self.scopes:
            raise ValueError('scopes must hold "openid", or the provider does not say who it is')
        return self


class ConsoleSettings(Table):
    """The console: where it listens, how people come in, and what each may do there."""

    host: str = Field(default="127.0.0.1", description="Where it listens.")
    port: int = Field(default=8470, ge=0, le=65535, description="0 takes any free one.")
    url: Annotated[str, AfterValidator(_root)] | None = Field(
        default=None, description="What browsers call it, such as https://trueup.example.com."
    )
    trusted_header: Annotated[str, AfterValidator(_header)] | None = Field(
        default=None, description="In which header a proxy says who asks."
    )
    groups_header: Annotated[str, AfterValidator(_header)] | None = Field(
        default=None, description="In which header it says their groups, with commas between."
    )
    trusted_from: tuple[Annotated[str, AfterValidator(_from)], ...] = Field(
        default=(), strict=False, description="From which addresses or networks it is believed."
    )
    roles: Roles = Field(default_factory=Roles, description="Who may do what.")
    oidc: Oidc | None = Field(default=None, description="Log in by an OpenID provider.")

    @property
    def is_for_a_team(self) -> bool:
        """Whether people come in by another way than the link in this machine's terminal."""
        return self.oidc is not None or self.trusted_header is not None

    @property
    def networks(self) -> tuple[Network, ...]:
        """From where the trusted header is believed."""
        return tuple(map(network_of, self.trusted_from))

    @model_validator(mode="after")
    def _hangs_together(self) -> Self:
        if (said := _of_header(self)) or (said := _of_team(self)):
            raise ValueError(said)
        return self


def _of_header(settings: ConsoleSettings) -> str:
    """What is wrong with how the header is believed; blank for nothing."""
    if settings.trusted_header is None:
        if settings.trusted_from or settings.groups_header:
            return "trusted_from and groups_header go with a trusted_header"
        return ""
    if not settings.trusted_from:
        return "a trusted_header is believed from named addresses: add trusted_from"
    if settings.oidc is not None:
        return "people come in by trusted_header or by [console.oidc], not by both"
    if (settings.groups_header or "").lower() == settings.trusted_header.lower():
        return "names and groups come in two headers"
    return ""


def _of_team(settings: ConsoleSettings) -> str:
    """What is missing for a team; blank for nothing."""
    named = any((settings.roles.viewer, settings.roles.operator, settings.roles.approver))
    if settings.is_for_a_team and not named:
        return "nobody is in [console.roles], so nobody could see anything"
    if settings.is_for_a_team and settings.url is None:
        return "says by which url browsers ask for it"
    if not settings.is_for_a_team and named:
        return "roles are of people who log in: add a trusted_header or [console.oidc]"
    if not settings.is_for_a_team and not is_on_loopback(settings.host):
        return (
            f"{settings.host} is not on loopback: others reach it with a trusted_header or "
            "[console.oidc]"
        )
    return ""
