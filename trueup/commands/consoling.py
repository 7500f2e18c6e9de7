"""Console: the pages over the state, on loopback or for a team, until told to stop."""

from __future__ import annotations

import socket
from collections.abc import Callable
from contextlib import contextmanager
from typing import TYPE_CHECKING

from config.console import is_on_loopback
from sync.outcome import Exit
from trueup.listening import address_text, listening_on
from trueup.output import tell, tell_json
from trueup.refusal import Refusal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from config.console import ConsoleSettings
    from trueup.session import Session


def console(session: Session, host: str | None, port: int | None) -> int:
    """`trueup console`: until SIGTERM or Ctrl-C. Each link that lets somebody in is printed."""
    from trueup.web.application import app, utc  # with all that serves
    from trueup.web.headers import own_names
    from trueup.web.jobs import Jobs
    from trueup.web.serving import serve

    with session.workspace(quiet=True) as workspace:
        said = workspace.settings.console
        at = host or said.host
        with listening_at(said, at, said.port if port is None else port) as listening:
            workspace.store  # noqa: B018  # a state that cannot be opened is told before waiting
            found = listening.getsockname()[1]
            session.console.say(f"the console of {session.config}; Ctrl-C ends it")
            session.console.say(welcome(said, at, found))
            served = app(
                workspace,
                hosts=own_names(at, found),
                announce=announcing(session, at, found),
                jobs=Jobs(utc, session.stop),
                cookie=f"trueup_{found}",
            )
            serve(served, listening, session.stop)
    return Exit.OK


def welcome(said: ConsoleSettings, host: str, port: int) -> str:
    """How people come in."""
    if said.is_for_a_team:
        way = "log in" if said.oidc else f"are named by {said.trusted_header}"
        return f"people {way} at {said.url}; it listens on {host}:{port}"
    return "each link lets one browser in, once, for 15 minutes from now:"


def announcing(session: Session, host: str, port: int) -> Callable[[str], None]:
    """What prints the link of a token."""
    base = address_text(host, port)

    def announce(token: str) -> None:
        link = f"{base}/enter?token={token}"
        with session.printing:
            tell_json({"link": link}, indent=None) if session.as_json else tell(link)

    return announce


@contextmanager
def listening_at(said: ConsoleSettings, host: str, port: int) -> Iterator[socket.socket]:
    """A socket that listens there; raises `Refusal` where it may not, or the port is taken."""
    if not said.is_for_a_team and not is_on_loopback(host):
        raise Refusal(
            f"the console is shown on this machine only, and {host} is not on loopback; from "
            "elsewhere use ssh -L 8470:127.0.0.1:8470, or say in [console] how people log in"
        )
    try:
        listening = listening_on("127.0.0.1" if host == "localhost" else host, port)
    except (OSError, OverflowError) as error:
        why = getattr(error, "strerror", None) or error
        raise Refusal(
            f"{host}:{port} cannot be listened on: {why}; name another --port, 0 takes any"
        ) from None
    with listening:
        yield listening
