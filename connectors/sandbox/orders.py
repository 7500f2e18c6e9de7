"""Whose orders a sandbox takes: those of this machine's programs, and of no page in a browser.

A browser says where a page came from, and names in `Host` what it believes to talk to; a page can
change neither. So what names an origin, or another host than the one that answers, is refused.
"""

from ipaddress import ip_address

from starlette.datastructures import Headers


def may_order(headers: Headers, answering: str) -> bool:
    """Whether a call to the control is one of ours; `answering` is the host that we listen at."""
    if "origin" in headers or headers.get("sec-fetch-site", "none") != "none":
        return False
    return is_here(_name(headers.get("host", "")), answering)


def _name(host: str) -> str:
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0]


def is_here(name: str, answering: str) -> bool:
    """Whether a host's name is this machine as it is meant: loopback, or where we listen."""
    name = name.lower().rstrip(".")
    if name in ("localhost", answering.lower()):
        return True
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return False
