"""Resolving: the addresses of a host's name, asked for within a time.

The system's resolver takes as long as it likes and nothing stops it. So it is asked in a thread of
its own, which is left behind where it does not answer in time.
"""

import socket
import time
from collections.abc import Callable, Sequence
from ipaddress import ip_address
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Final

import httpcore

_LOOK: Final = 0.5
"""Seconds after which one who waits for an address looks whether to go on."""


def addresses_of(
    host: str, port: int, timeout: float | None, check: Callable[[], object]
) -> Sequence[str]:
    """The numeric addresses of `host`, in the order in which the system would try them.

    `check` is asked while it waits, and raises to end it. Raises `httpcore.ConnectError` where the
    name has none, and `httpcore.ConnectTimeout` after `timeout` seconds.
    """
    if _is_numeric(host):
        return [host]
    answer: SimpleQueue[Sequence[str] | OSError | UnicodeError] = SimpleQueue()
    Thread(target=_ask, args=(host, port, answer), name="resolve", daemon=True).start()
    until = None if timeout is None else time.monotonic() + timeout
    while True:
        left = _LOOK if until is None else min(_LOOK, until - time.monotonic())
        try:
            found = answer.get(timeout=max(0.0, left))
        except Empty:
            if until is not None and time.monotonic() >= until:
                raise httpcore.ConnectTimeout("the name server does not answer") from None
            check()
            continue
        if isinstance(found, OSError):
            raise httpcore.ConnectError(str(found)) from found
        if isinstance(found, UnicodeError):
            raise found
        return found


def _is_numeric(host: str) -> bool:
    try:
        return bool(ip_address(host))
    except ValueError:
        return False


def _ask(
    host: str, port: int, answer: "SimpleQueue[Sequence[str] | OSError | UnicodeError]"
) -> None:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        answer.put(error)
    else:
        answer.put(list(dict.fromkeys(str(address[0]) for *_, address in found)))
