"""What `trueup undo` tells: what is taken back, what stays and why, and how it goes on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, Final

from canonical.kind import Op

if TYPE_CHECKING:
    from canonical.change import Change, Plan
    from sync.report import Report
    from sync.state.history import Run
    from sync.state.stops import Stop

NAMED: Final = 10
"""So many lines are told of a sort."""


def heading(run: Run) -> str:
    """Which run is taken back."""
    return (
        f"undo of the run {run.run_id[:12]} ({run.command} of {run.sync}, "
        f"{run.started_at:%Y-%m-%d %H:%M} UTC, {run.outcome})"
    )


def not_as_before(plan: Plan) -> list[str]:
    """A line for each object that will not be as it was: what stays, then what is made instead;
    the first few of both."""
    stays = [line for each in plan.changes if each.op is Op.BLOCKED for line in _stays(each)]
    instead = [line for each in plan.pending for line in _instead(each)]
    return [*_first(stays), *_first(instead)]


def _first(lines: list[str]) -> list[str]:
    rest = len(lines) - NAMED
    more = [f"… and {rest} more; --json lists all"] if rest > 0 else []
    return [*lines[:NAMED], *more]


def how_to_go_on(run: Run, report: Report, stop: Stop | None) -> Iterator[str]:
    """What to do next: nothing, where nothing was written."""
    sync = run.sync
    if report.plan is not None and not report.plan.pending and report.error is None:
        some = "nothing more" if report.left else "nothing"
        yield f"there is {some} to undo of the run {run.run_id[:12]}"
    elif stop is not None and report.operations:
        yield (
            f"{sync} is paused, as its next run would do it all again: see to what its source "
            f"states (`trueup plan {sync}` shows it), then `trueup resume {sync}`"
        )
        if any(done.outcome != "applied" for done in report.operations):
            yield f"not all is done: `trueup undo {run.run_id[:12]}` again goes on with it"
        else:
            yield f"to take the undo back: `trueup undo {report.run_id[:12]}`"


def undone_data(report: Report, stop: Stop | None) -> dict[str, Any]:
    """The report as JSON-ready data, with what was meant and how the sync stands."""
    changes = report.plan.to_data()["changes"] if report.plan else []
    return {
        "paused": str(stop) if stop else None,
        "changes": changes,
        **report.to_data(),
    }


def _stays(change: Change) -> Iterable[str]:
    for loss in change.losses:
        yield f"{_object(change)} is not undone: {loss.field}: {loss.reason}"


def _instead(change: Change) -> Iterable[str]:
    for loss in change.losses:
        if change.op in (Op.RETIRE, Op.DELETE):
            yield f"{_object(change)} is {change.op.value}d: {loss.reason}"
        elif change.op is Op.CREATE:
            yield loss.reason
        else:
            yield f"{_object(change)}: {loss.field}: {loss.reason}"


def _object(change: Change) -> str:
    above = f"{change.budget_ref} / " if change.budget_ref else ""
    return f"{change.kind} {above}{change.ref}"
