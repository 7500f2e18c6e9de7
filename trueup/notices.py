"""Notices: tells whom the settings name when how a sync stands has changed.

What is to be told is put into the state first and sent then, within a few seconds. Whatever goes
wrong with that is said, and never more: no run fails or waits for it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from sync.news import Event, Standing, standing
from sync.state.lease import LeaseHeld
from sync.state.stops import Paused
from trueup.endings import KNOWN, lines_of, odd
from trueup.output import plain

if TYPE_CHECKING:
    from sync.report import Report
    from sync.schedule import Schedule
    from trueup.service import Ended
    from trueup.workspace import Workspace

log = logging.getLogger("trueup")

Compose = Callable[[Event], dict[str, Any]]


class Notices:
    """Tells of the syncs of a workspace; `say` is told what could not be told. Raises nothing."""

    def __init__(
        self,
        workspace: Workspace,
        say: Callable[[str], None],
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.workspace, self._say, self._now = workspace, say, now
        self._begun = now()

    def heard(self, ended: Ended) -> None:
        """A slot of a schedule was run; what was spent is nothing to tell of."""
        if ended.report is not None:
            self.ended(ended.report)
        elif ended.error is not None and not ended.kept_out:
            self.failed(ended.claimed.sync, ended.error)

    @contextmanager
    def telling(self, sync: str) -> Iterator[Callable[[Report], Report]]:
        """For a run: what it gives its report to. An error passes, and is told."""
        try:
            yield self._given
        except (LeaseHeld, Paused):
            raise
        except Exception as error:
            self.failed(sync, lines_of(error) if isinstance(error, KNOWN) else odd(error))
            raise

    def _given(self, report: Report) -> Report:
        self.ended(report)
        return report

    def ended(self, report: Report) -> None:
        """A run has ended with that report."""
        from trueup.notice_text import of_report

        now = standing(report)
        if now is not None:
            self._stands(report.sync, now, lambda event: of_report(event, report, self._now()))
        self.send()

    def failed(self, sync: str, error: str) -> None:
        """A run ended without a report."""
        from trueup.notice_text import of_error

        if sync in self.workspace.settings.syncs:
            self._stands(sync, Standing.FAILED, lambda _: of_error(sync, error, self._now()))
        self.send()

    def look(self) -> None:
        """Tell which syncs have had no good run for twice the interval of their schedules, and
        send what is due."""
        with self._careful():
            for name, sync in self.workspace.settings.syncs.items():
                schedule = sync.parsed(name) if self.workspace.settings.notify else None
                if schedule is not None:
                    self._look(name, schedule)
        self.send()

    def send(self) -> None:
        """Send what is due."""
        with self._careful():
            if self.workspace.settings.notify:
                self._send()

    # -- how ---------------------------------------------------------------------------------

    def _stands(self, sync: str, standing: Standing, compose: Compose) -> None:
        from sync.state.tellings import Tellings  # only who tells

        with self._careful():
            if self.workspace.settings.notify:
                told = Tellings(self.workspace.store)
                told.stands(sync, standing, partial(self._for_all, sync, compose))

    def _look(self, sync: str, schedule: Schedule) -> None:
        from sync.state.tellings import Tellings
        from trueup.notice_text import of_overdue
        from trueup.overdue import due

        now = self._now()
        found = due(self.workspace, sync, schedule, self._begun)
        if found is None or now < found[1]:
            return
        good, until = found

        def compose(event: Event) -> dict[str, Any]:
            return of_overdue(sync, good, until, schedule.text, now)

        Tellings(self.workspace.store).overdue(sync, partial(self._for_all, sync, compose))

    def _for_all(self, sync: str, compose: Compose, event: Event) -> dict[str, dict[str, Any]]:
        """The message for each who wants it: the same, with the same id."""
        notifiers = self.workspace.settings.notify
        named = [name for name, each in notifiers.items() if each.wants(event, sync)]
        return dict.fromkeys(named, compose(event)) if named else {}

    def _send(self) -> None:
        from sync.state.messages import Messages
        from trueup.receivers import send

        waiting, settings = Messages(self.workspace.store), self.workspace.settings
        taken = waiting.take([*settings.notify])
        if not taken:
            return
        found = send(settings.notify, taken, settings.base)
        waiting.sent(found.arrived)
        for name, error in found.errors.items():
            left = [each for each in taken if each.notifier == name]
            waiting.failed([each for each in left if each.number not in found.arrived], error)
            self._say(plain(f"notify {name}: {error}; it is tried again later"))

    @contextmanager
    def _careful(self) -> Iterator[None]:
        try:
            yield
        except Exception as error:  # whatever it is, the run has ended as it did
            log.debug("what led to it:", exc_info=error)
            said = lines_of(error) if isinstance(error, KNOWN) else odd(error)
            self._say(plain(f"nobody could be told: {said}"))
