"""Serve: every sync on its schedule, until told to stop."""

from __future__ import annotations

import logging
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

from sync.outcome import Exit
from trueup.console import Console
from trueup.endings import lines_of, odd
from trueup.output import plain, tell_json, terminal
from trueup.refusal import Refusal
from trueup.streams import Stamped

if TYPE_CHECKING:
    from config.settings import Settings
    from sync.schedule import Clock
    from trueup.service import Ended
    from trueup.session import Session
    from trueup.workspace import Workspace

log = logging.getLogger("trueup")


def serve(
    session: Session,
    clock: Clock | None = None,
    *,
    defer: bool = False,
    console: str | None = None,
) -> int:
    """`trueup serve`: until SIGTERM or Ctrl-C, which let the operation in hand finish; SIGHUP has
    the settings read again. With `defer` workers run what is due. `console` is where its pages are
    served meanwhile."""
    from trueup.service import schedules_of, serving  # nothing else keeps a clock

    now = clock.now if clock else lambda: datetime.now(UTC)
    with session.workspace(quiet=True) as workspace:
        schedules = schedules_of(workspace.settings)
        if not schedules:
            raise Refusal(
                'no sync has a schedule; add schedule = "every 15 minutes" to one of '
                f"{', '.join(workspace.settings.syncs) or 'the syncs'} in {session.config}"
            )
        how = " for workers to run" if defer else ""
        said = f"serving {serving(schedules)}{how}; Ctrl-C ends it"
        _serve(session, workspace, said, clock, now, defer=defer, console=console)
    return Exit.OK


def _serve(
    session: Session,
    workspace: Workspace,
    said: str,
    clock: Clock | None,
    now: Callable[[], datetime],
    *,
    defer: bool,
    console: str | None,
) -> None:
    """Say what is `said` once all that shows something is there, and serve."""
    from sync.scheduler import WorkerDied
    from trueup.notices import Notices
    from trueup.overseeing import overseeing
    from trueup.service import Service, book_of, defer_slot, deferring_book, run_slot
    from trueup.watch.watching import Watching

    run, book = (defer_slot, deferring_book) if defer else (run_slot, book_of)
    book(workspace)  # a state that cannot be opened is told before waiting
    session.console = timed(now)
    told = partial(say, session)
    watching = Watching(workspace, told)
    notices = [Notices(workspace, told, now)]

    def follow(current: Workspace) -> None:
        session.trace(current)
        watching.follow(current)
        if current is not workspace:  # with that one all began
            pages(current.settings)
            notices[:] = [Notices(current, told, now)]

    service = Service(
        workspace,
        session.config,
        session.stop,
        say=told,
        heard=[
            watching.heard,
            lambda ended: tell(session, ended, now()),
            lambda ended: notices[-1].heard(ended),
        ],
        clock=clock,
        run=run,
        book=book,
        follow=follow,
    )
    with (
        _beside(session, workspace.settings, console) as pages,
        watching.shown(lambda: service.alive),
        _hanging_up(service.reload),
        overseeing(lambda: notices[-1].look(), session.stop),
    ):
        told(said)
        try:
            service.serve()
        except WorkerDied as error:
            session.fail(lines_of(error), Exit.FAILED)


@contextmanager
def _beside(
    session: Session, settings: Settings, at: str | None
) -> Iterator[Callable[[Settings], None]]:
    """While this lasts the pages are served, if that was asked for; gives what they follow by."""
    if at is None:
        yield lambda settings: None
        return
    from trueup.commands.beside import beside  # with all that serves pages

    with beside(session, settings, at, say=partial(say, session)) as followed:
        yield followed


def timed(now: Callable[[], datetime]) -> Console:
    """A console of which each line begins with its time."""

    def stamp() -> str:
        return f"{now().astimezone():%Y-%m-%d %H:%M:%S}"

    return Console(
        terminal(Stamped(lambda: sys.stdout, stamp)), terminal(Stamped(lambda: sys.stderr, stamp))
    )


@contextmanager
def _hanging_up(reload: Callable[[], None]) -> Iterator[None]:
    """While this lasts SIGHUP calls `reload`."""
    hangup = getattr(signal, "SIGHUP", None)  # Windows has none
    if hangup is None:
        yield
        return
    before = signal.signal(hangup, lambda number, frame: reload())
    try:
        yield
    finally:
        signal.signal(hangup, before)


def say(session: Session, text: str) -> None:
    with session.printing:
        session.console.say(text)


def tell(session: Session, ended: Ended, now: datetime) -> None:
    """How a scheduled run ended, and when the next one is; that it cannot be shown is told too."""
    name = ended.claimed.sync
    following = ended.claimed.following(now)
    try:
        with session.printing:
            if session.as_json:
                _tell_data(ended, now, following)
            else:
                _tell_lines(session.console, ended, following)
    except Exception as error:
        log.debug("what led to it:", exc_info=error)
        outcome = f"{ended.report.outcome}, and cannot" if ended.report else "it cannot"
        run = f" (run {ended.report.run_id[:12]})" if ended.report else ""
        session.console.say(f"{name}: {outcome} be shown: {odd(error)}{run}")


def _tell_data(ended: Ended, now: datetime, following: datetime | None) -> None:
    from trueup.recorded import recording_data

    head = {"at": now.isoformat(), "next_run": following.isoformat() if following else None}
    head |= {"late": ended.claimed.late} if ended.claimed.late else {}
    if ended.report is not None:
        tell_json(head | ended.report.to_data(), indent=None)
    elif ended.deferred:
        tell_json(head | {"sync": ended.claimed.sync, "deferred": ended.claimed.slot}, indent=None)
    elif ended.kept is not None:
        told = {system: lines_of(error) for system, error in ended.kept.failed.items()}
        tell_json(head | {"failed": told, "recorded": recording_data(ended.kept)}, indent=None)
    else:
        tell_json(head | {"sync": ended.claimed.sync, "error": ended.error}, indent=None)


def _tell_lines(console: Console, ended: Ended, following: datetime | None) -> None:
    from trueup.recorded import in_short
    from trueup.standing import local

    after = f"; next run {local(following)}" if following else "; no next run"
    if ended.claimed.schedule is None:
        after = ""
    name, late = ended.claimed.sync, ended.claimed.late
    if ended.report is None and late is not None:
        console.say(f"{name}: {late}")
    if ended.report is not None:
        console.report(ended.report, after=after)
    elif ended.deferred:
        slot = ended.claimed.slot[11:16]
        console.say(f"{name}: the slot of {slot} is put down for a worker{after}")
    elif ended.kept is not None:
        told = {system: lines_of(error) for system, error in ended.kept.failed.items()}
        said = [plain(text) for text in (*map(": ".join, told.items()), *in_short(ended.kept))]
        console.say("\n".join([*said[:-1], *(each + after for each in said[-1:])]))
    else:
        console.say(f"{'' if ended.kept_out else f'{name}: '}{ended.error}{after}")
