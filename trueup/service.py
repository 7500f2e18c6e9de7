"""A service: it takes slots of schedules in the state, has each run, and tells how it ended.

The seam is three things: a `Claimed` slot, `run_slot`, which does it and raises nothing, and the
`Ended` that comes of it. What is to know how runs end is told of each by `heard`; what is to do
them elsewhere is given as `run`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from config.load import SettingsError, load
from sync.scheduler import Scheduler
from sync.state.jobs import Jobs
from sync.state.lease import LeaseHeld, LeaseLost
from sync.state.slots import Slots
from sync.state.stops import Paused
from sync.state.store import StoreError
from sync.watch import Watch
from trueup.endings import KNOWN, lines_of, odd
from trueup.recording import name_of
from trueup.workspace import Workspace

if TYPE_CHECKING:
    from pathlib import Path
    from threading import Event

    from config.settings import Settings
    from sync.position import Claimed
    from sync.recording import Recording
    from sync.report import Report
    from sync.schedule import Clock, Schedule

log = logging.getLogger("trueup")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How a scheduled run ended: a sync's with a `report`, an `actuals --into` with what it `kept`,
    or neither, and then `error` says why; `kept_out` is whether it was not to run at all, `again`
    whether it was somebody else's turn, or the state was away. `deferred` is whether the slot is
    only put down, for a worker to run."""

    claimed: Claimed
    report: Report | None = None
    kept: Recording | None = None
    error: str | None = None
    kept_out: bool = False
    again: bool = False
    deferred: bool = False


def run_slot(workspace: Workspace, claimed: Claimed) -> Ended:
    """Do what is due. Whatever goes wrong is in what is returned, and in the history."""
    begun, name = datetime.now(UTC), claimed.sync
    into = {name_of(each): each for each in workspace.settings.actuals}
    try:
        if name in into:
            return Ended(claimed=claimed, kept=workspace.record_actuals(into[name]))
        report = workspace.apply(name, command="serve", late=claimed.late)
        return Ended(claimed=claimed, report=report)
    except (LeaseHeld, Paused) as error:
        again = isinstance(error, LeaseHeld)
        return Ended(claimed=claimed, error=lines_of(error), kept_out=True, again=again)
    except Exception as error:
        log.debug("what led to it:", exc_info=error)
        said = lines_of(error) if isinstance(error, KNOWN) else odd(error)
        if name not in into:
            workspace.failed(name, begun, said, claimed.late)
        again = isinstance(error, (LeaseLost, StoreError))
        return Ended(claimed=claimed, error=said, again=again)


def defer_slot(workspace: Workspace, claimed: Claimed) -> Ended:
    """Leave what is due to the workers: it was put down for them when the slot was taken."""
    return Ended(claimed=claimed, deferred=True)


def runs_of(settings: Settings) -> dict[str, Schedule | None]:
    """What can be run, by name, and its schedule: syncs, and what is kept of what was spent."""
    tables = {name_of(name): each for name, each in settings.actuals.items()} | settings.syncs
    return {name: each.parsed(name) for name, each in tables.items()}


def schedules_of(settings: Settings) -> dict[str, Schedule]:
    """What runs by itself, by name."""
    return {name: each for name, each in runs_of(settings).items() if each is not None}


def book_of(workspace: Workspace) -> Slots:
    """Where slots are taken that are run here."""
    return Slots(workspace.store)


def deferring_book(workspace: Workspace) -> Slots:
    """Where slots are taken that workers run; raises `StoreError` where there can be no queue."""
    return Slots(workspace.store, along=Jobs.open(workspace.store).put)


class Service:
    """Runs what a settings file schedules until `stop` is set; `reload` has it read again.

    `say` is told, in a line or more, what happens beside the runs. `follow` is given the workspace
    whose runs come next: the first one, and each that new settings make. Raises `WorkerDied`.
    """

    def __init__(
        self,
        workspace: Workspace,
        config: Path,
        stop: Event,
        *,
        say: Callable[[str], None],
        heard: Sequence[Callable[[Ended], None]],
        clock: Clock | None = None,
        run: Callable[[Workspace, Claimed], Ended] = run_slot,
        book: Callable[[Workspace], Slots] = book_of,
        follow: Callable[[Workspace], None] = lambda workspace: None,
    ) -> None:
        self._workspace, self._config, self._stop = workspace, config, stop
        self._say, self._heard, self._clock, self._run = say, heard, clock, run
        self._book, self._follow = book, follow
        self._asked = False
        self._next: Workspace | None = None
        self._scheduling: Scheduler | None = None

    @property
    def alive(self) -> bool:
        """Whether each sync is still run on its schedule."""
        return self._scheduling is None or self._scheduling.alive

    def reload(self) -> None:
        """Have the settings read again soon; may be called from a signal's handler."""
        self._asked = True

    def serve(self) -> None:
        """Block until stopped; what is in hand is finished first."""
        while True:
            self._follow(self._workspace)
            self._scheduling = scheduler = self._scheduler()
            try:
                scheduler.serve()
            finally:
                following, self._next = self._next, None
                self._workspace.close()
                if following is not None and self._stop.is_set():
                    following.close()
            if following is None or self._stop.is_set():
                return
            self._workspace = following
            self._say(f"serving {serving(schedules_of(following.settings))}")

    def _scheduler(self) -> Scheduler:
        workspace = self._workspace

        def glance() -> None:
            if self._asked:
                self._asked = False
                self._read_again(scheduler)

        def run(claimed: Claimed) -> None:
            ended = self._run(workspace, claimed)
            for each in self._heard:
                each(ended)

        scheduler = Scheduler(
            schedules_of(workspace.settings),
            self._book(workspace),
            run,
            self._stop,
            self._clock,
            troubled=lambda name, error: self._say(f"{name}: {lines_of(error)}; tried again soon"),
            glance=glance,
        )
        return scheduler

    def _read_again(self, scheduler: Scheduler) -> None:
        """Let the scheduler end for new settings, if they can be used; else say why not."""
        workspace: Workspace | None = None
        try:
            workspace = Workspace(load(self._config), watch=Watch(stop=self._stop))
            if not schedules_of(workspace.settings):
                raise NoSchedule(f"{self._config}: nothing in it has a schedule")
            self._book(workspace)  # a state that cannot be opened is told while the old one runs
        except (SettingsError, StoreError, NoSchedule, OSError) as error:
            if workspace is not None:
                workspace.close()
            self._say(f"{lines_of(error)}\nthe new settings are broken; the old ones go on")
            return
        self._next = workspace
        self._say("the settings were read again; they hold once what is in hand has ended")
        scheduler.leave()


class NoSchedule(Exception):
    """Settings in which nothing runs by itself."""


def serving(schedules: dict[str, Schedule]) -> str:
    """What is served, in words."""
    return ", ".join(f"{name} ({each.text})" for name, each in schedules.items())
