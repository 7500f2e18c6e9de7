"""The header in which a proxy says who asks: believed from named addresses, and from no other."""

import ipaddress
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from typing import Final

from starlette.requests import Request

from config.console import ConsoleSettings, Network
from trueup.web.roles import Identity

_LONGEST: Final = 200
_GROUPS: Final = 8192


class Disbelieved(Exception):
    """What the request says of who asks is not believed; the message says why, and no name."""


@dataclass(frozen=True, slots=True)
class TrustedHeader:
    """Which header says the name, which the groups, and who may send them."""

    name: str
    groups: str | None
    networks: tuple[Network, ...]

    @classmethod
    def of(cls, settings: ConsoleSettings) -> "TrustedHeader | None":
        """As the settings say; None where no header is believed."""
        if settings.trusted_header is None:
            return None
        return cls(settings.trusted_header, settings.groups_header, settings.networks)

    def identity(self, request: Request) -> Identity | None:
        """Who asks; None where the header is not there. Raises `Disbelieved`.

        It looks at the address of the connection: what a header says of where a request came from
        is what anybody may write.
        """
        said = [self.name] if self.groups is None else [self.name, self.groups]
        if not any(request.headers.getlist(each) for each in said):
            return None
        if not self._is_near(request):
            raise Disbelieved(f"{self.name} is not believed from {peer_of(request)}")
        name = _one(request, self.name, _LONGEST)
        if name is None:
            return None
        if "," in name:
            raise Disbelieved(f"{self.name} holds a comma, as if it were two")
        listed = _one(request, self.groups, _GROUPS) if self.groups else None
        groups = frozenset(filter(None, map(str.strip, (listed or "").split(","))))
        return Identity(name, groups)

    def _is_near(self, request: Request) -> bool:
        address = _address(peer_of(request))
        return address is not None and any(address in each for each in self.networks)


def peer_of(request: Request) -> str:
    """The address of the other end of the connection; "" where that is not known."""
    return request.client.host if request.client else ""


def _address(text: str) -> IPv4Address | IPv6Address | None:
    """An address of the old kind that came in the new kind's clothes is the old one."""
    try:
        found = ipaddress.ip_address(text)
    except ValueError:
        return None
    mapped = found.ipv4_mapped if isinstance(found, IPv6Address) else None
    return mapped or found


def _one(request: Request, header: str, longest: int) -> str | None:
    """What the header says, which has to stand there once; None where it says nothing."""
    found = request.headers.getlist(header)
    if len(found) > 1:
        raise Disbelieved(f"{header} stands there {len(found)} times")
    try:
        said = found[0].encode("latin-1").decode() if found else ""
    except UnicodeDecodeError:
        raise Disbelieved(f"{header} is not UTF-8") from None
    if len(said) > longest or not said.isprintable():
        raise Disbelieved(f"{header} is no name")
    return said.strip() or None
