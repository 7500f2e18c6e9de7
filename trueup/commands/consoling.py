"""Console: the pages over the state, on loopback, until told to stop."""

from __future__ import annotations

import ipaddress
import socket
from contextlib import contextmanager
from typing import TYPE_CHECKING

from sync.outcome import Exit
from trueup.output import tell, tell_json
from trueup.refusal import Refusal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trueup.session import Session


def console(session: Session, host: str, port: int) -> int:
    """`trueup console`: until SIGTERM or Ctrl-C. Each link that lets somebody in is printed."""
    from trueup.web.application import app, utc  # with all that serves
    from trueup.web.headers import own_names
    from trueup.web.jobs import Jobs
    from trueup.web.serving import serve

    with session.workspace(quiet=True) as workspace, _listening(host, port) as listening:
        workspace.store  # noqa: B018  # a state that cannot be opened is told before waiting
        found = listening.getsockname()[1]
        base = f"http://{f'[{host}]' if ':' in host else host}:{found}"

        def announce(token: str) -> None:
            link = f"{base}/enter?token={token}"
            with session.printing:
                tell_json({"link": link}, indent=None) if session.as_json else tell(link)

        session.console.say(f"the console of {session.config}; Ctrl-C ends it")
        session.console.say("each link lets one browser in, once, for 15 minutes from now:")
        served = app(
            workspace,
            hosts=own_names(host, found),
            announce=announce,
            jobs=Jobs(utc, session.stop),
            cookie=f"trueup_{found}",
        )
        serve(served, listening, session.stop)
    return Exit.OK


@contextmanager
def _listening(host: str, port: int) -> Iterator[socket.socket]:
    """A socket that listens there; raises `Refusal` where it is not on loopback, or is taken."""
    at = _loopback(host)
    family = socket.AF_INET6 if ":" in at else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind((at, port))
        except (OSError, OverflowError) as error:
            why = getattr(error, "strerror", None) or error
            raise Refusal(
                f"{host}:{port} cannot be listened on: {why}; name another --port, 0 takes any"
            ) from None
        yield listening


def _loopback(host: str) -> str:
    """The address of that host; raises `Refusal` for one that others could reach."""
    if host == "localhost":
        return "127.0.0.1"
    try:
        if ipaddress.ip_address(host).is_loopback:
            return host
    except ValueError:
        pass
    raise Refusal(
        f"the console is shown on this machine only, and {host} is not on loopback: there is no "
        "way yet to log in from elsewhere; from there, use ssh -L 8470:127.0.0.1:8470"
    )
