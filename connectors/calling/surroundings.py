"""What the environment says of the network: proxies, exceptions from them, and certificates.

What cannot be used is told with the variable that says it. The value is not: a proxy's address may
hold a password.
"""

import os
import ssl
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from ipaddress import ip_address, ip_network
from urllib.request import getproxies

import httpx

from connectors.contract.errors import Unreadable
from connectors.contract.settings import is_loopback

_SCHEMES = ("http", "https", "socks5", "socks5h")
_TLS_VARIABLES = ("SSL_CERT_FILE", "SSL_CERT_DIR", "SSLKEYLOGFILE")


@dataclass(frozen=True, slots=True)
class Way:
    """How a server is reached: through a proxy, which `variable` names, or straight."""

    proxy: httpx.Proxy | None = None
    variable: str = ""


def way_to(url: httpx.URL) -> Way:
    """How the environment wants that server to be reached; raises `Unreadable`.

    What is on this machine is always reached straight: its calls are not for others to see.
    """
    proxies = getproxies()
    scheme = url.scheme if proxies.get(url.scheme) else "all"
    said = proxies.get(scheme, "").strip()
    if not said or is_loopback(url.host) or _excepted(url, proxies.get("no", "")):
        return Way()
    variable = _variable(f"{scheme}_proxy")
    try:
        address = httpx.URL(said if "://" in said else f"http://{said}")
        known = address.scheme in _SCHEMES and bool(address.host)
    except httpx.InvalidURL:
        known = False
    if not known:
        raise Unreadable(f"{variable} is not a proxy's address, such as http://proxy:3128")
    if address.scheme.startswith("socks") and find_spec("socksio") is None:
        raise Unreadable(
            f"{variable} names a SOCKS proxy, for which the package socksio is missing; "
            "pip install socksio, or name an HTTP proxy, or except the host in NO_PROXY"
        )
    return Way(httpx.Proxy(address), variable)


def _excepted(url: httpx.URL, listed: str) -> bool:
    return any(_matches(each.strip().lower(), url) for each in listed.split(","))


def _matches(pattern: str, url: httpx.URL) -> bool:
    """Whether an entry of NO_PROXY means that server: a name and all below it, or a range."""
    host = url.host.strip("[]").lower()
    if not pattern or pattern == "*":
        return bool(pattern)
    try:
        return ip_address(host) in ip_network(pattern.replace("[", "").replace("]", ""), False)
    except ValueError:
        pass  # one of them is a name
    name, colon, port = pattern.partition("://")[2 if "://" in pattern else 0].rpartition(":")
    if not colon or not port.isdecimal():
        name, port = pattern.partition("://")[2] or pattern, ""
    if port and int(port[:6]) != (url.port or {"http": 80}.get(url.scheme, 443)):
        return False
    name = name.strip("[]").removeprefix("*").lstrip(".")
    return bool(name) and (host == name or host.endswith(f".{name}"))


def _variable(name: str) -> str:
    """The variable as it is spelled in the environment; the system's settings have no name."""
    found = [each for each in (name, name.upper()) if os.environ.get(each)]
    return found[0] if found else "the proxy of the system's settings"


def transport_to(url: httpx.URL, way: Way) -> httpx.HTTPTransport:
    """What carries calls to that server by that way, as the environment's certificates allow, and
    takes nothing else from the environment; raises `Unreadable`."""
    needed = url.scheme == "https" or way.proxy is not None
    return httpx.HTTPTransport(verify=tls(needed), trust_env=False, proxy=way.proxy)


def tls(needed: bool) -> ssl.SSLContext:
    """Certificates to verify servers with, as the environment names them; raises `Unreadable`.

    Where no server is spoken to by TLS, what the environment says cannot be in the way.
    """
    return _of_environment() if needed else _trusting_nobody()


@cache
def _of_environment() -> ssl.SSLContext:
    folder = os.environ.get("SSL_CERT_DIR")
    if folder and not os.environ.get("SSL_CERT_FILE") and not os.path.isdir(folder):
        raise Unreadable("SSL_CERT_DIR names a folder that is not there; correct or unset it")
    try:
        return httpx.create_ssl_context()  # 30 ms: once for all clients of a process
    except (OSError, ValueError) as error:
        used = [each for each in _TLS_VARIABLES if os.environ.get(each)]
        if "SSL_CERT_FILE" in used:  # beside it the folder does not count
            used = [each for each in used if each != "SSL_CERT_DIR"]
        named = " or ".join(used)
        said = getattr(error, "strerror", None) or "it holds no certificate"
        raise Unreadable(f"{named or 'TLS'} cannot be used: {said}; correct or unset it") from None


def _trusting_nobody() -> ssl.SSLContext:
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # without certificates: they take 40 ms to load
