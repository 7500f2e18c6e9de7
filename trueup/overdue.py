"""Overdue: until when a sync that has a schedule should have had a good run."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from sync.state.stops import Stops

if TYPE_CHECKING:
    from sync.schedule import Schedule
    from trueup.workspace import Workspace

_GRACE: Final = timedelta(minutes=1)


def due(
    workspace: Workspace, sync: str, schedule: Schedule, begun: datetime
) -> tuple[datetime | None, datetime] | None:
    """When the last good run of a sync began, None where there was none, and until when the next
    one should have ended; None of one that is paused, or has no such moment.

    Twice the interval of its schedule counts from the last good run, or the first run, or when the
    service had `begun`; the time that a good run takes is added.
    """
    if Stops(workspace.store).of(sync) is not None:
        return None
    good = workspace.history.latest_good(sync)
    if good is not None:
        ended = good.ended_at or good.started_at
        since = ended + (ended - good.started_at)
    else:
        since = _first_run(workspace, sync) or begun
    twice = schedule.twice_after(since)
    if twice is None:
        return None
    return good.started_at if good else None, max(twice, begun) + _GRACE


def _first_run(workspace: Workspace, sync: str) -> datetime | None:
    count = workspace.history.count(sync)
    first = workspace.history.outlines(sync, 1, count - 1) if count else []
    return first[0].started_at if first else None
