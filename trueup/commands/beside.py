"""The console's pages beside what is served: in the same process, over a workspace of their own.

They follow the settings as the service does, and whoever is in stays in, with what they may do by
the new settings. Where it listens stays as it was.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Thread

from config.load import SettingsError
from config.settings import Settings
from sync.watch import Watch
from trueup.commands.consoling import announcing, listening_at, welcome
from trueup.endings import lines_of
from trueup.refusal import Refusal
from trueup.session import Session
from trueup.web.application import Console, console, utc
from trueup.web.following import Following
from trueup.web.headers import own_names
from trueup.web.jobs import Jobs
from trueup.web.serving import serve
from trueup.web.sessions import Sessions
from trueup.workspace import Workspace


@contextmanager
def beside(
    session: Session, settings: Settings, at: str, say: Callable[[str], None]
) -> Iterator[Callable[[Settings], None]]:
    """While this lasts pages are served at `at`, HOST:PORT; gives what new settings are told to.

    Raises `Refusal` before anything is served where it cannot be listened on there.
    """
    host, port = _split(at)
    with listening_at(settings.console, host, port) as listening:
        found = listening.getsockname()[1]
        sessions = Sessions(utc, announcing(session, host, found))

        def made(settings: Settings) -> Console:
            workspace = Workspace(settings, watch=Watch(stop=session.stop))
            return console(
                workspace,
                hosts=own_names(host, found),
                announce=lambda token: None,  # these sessions' links are announced by themselves
                jobs=Jobs(utc, session.stop),
                cookie=f"trueup_{found}",
                sessions=sessions,
            )

        first = made(settings)
        say(welcome(settings.console, host, found))
        following = Following(first)
        thread = Thread(
            target=serve, args=(following, listening, session.stop), name="console", daemon=True
        )
        thread.start()
        try:
            yield lambda settings: _follow(following, made, settings, host, say)
        finally:
            session.stop.set()
            thread.join()
            following.end()


def _follow(
    following: Following,
    made: Callable[[Settings], Console],
    settings: Settings,
    host: str,
    say: Callable[[str], None],
) -> None:
    """Have the pages follow new settings; where they cannot, that is told, and the old ones stay.

    What the old ones make in the background ends by itself.
    """
    try:
        before = following.put(made(settings))
    except (SettingsError, Refusal) as error:
        say(f"{lines_of(error)}\nthe console goes on with the old settings")
        return

    def end() -> None:
        before.end()
        before.site.workspace.close()

    Thread(target=end, name="console-before", daemon=True).start()


def _split(at: str) -> tuple[str, int]:
    """Host and port; raises `Refusal` where that is not what it says."""
    host, mark, port = at.rpartition(":")
    host = host[1:-1] if host.startswith("[") and host.endswith("]") else host
    if not (mark and host and port.isascii() and port.isdigit() and int(port) <= 65535):
        raise Refusal(f"--console {at} is not HOST:PORT, such as 127.0.0.1:8470")
    return host, int(port)
