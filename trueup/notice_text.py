"""Messages in words: what became of a sync, the numbers, and the command that goes on with it.

Plain text. Foreign words pass on one line, cut short, without a secret.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

from sync.drift import drifted
from sync.news import Event
from trueup.output import plain

if TYPE_CHECKING:
    from sync.report import Report

_LONGEST: Final = 400
"""Characters of a line; a vendor may have a whole page to say."""
_HAPPENED: Final = {
    Event.FAILED: "failed",
    Event.GUARD: "stopped by a guard",
    Event.APPROVAL: "needs an approval",
    Event.WAITS: "waits for a decision",
    Event.DRIFT: "put back what was edited in the target",
    Event.RECOVERED: "is well again",
    Event.OVERDUE: "had no good run for too long",
}


def of_report(event: Event, report: Report, at: datetime) -> dict[str, Any]:
    """The message that a run led to."""
    return _message(
        event.value,
        report.sync,
        at,
        _HAPPENED[event],
        [*_numbers(report), *_why(event, report)],
        _next(event, report),
        {
            "run_id": report.run_id,
            "outcome": report.outcome.value,
            "counts": report.counts,
            "pending": report.pending,
            "waiting": report.waiting,
            "drift": drifted(report.plan) if report.plan is not None else 0,
        },
    )


def of_error(sync: str, error: str, at: datetime) -> dict[str, Any]:
    """The message of a run that could not begin, or broke in a way that nobody foresaw."""
    next_ = ["trueup check", f"trueup run {shlex.quote(sync)}"]
    happened = _HAPPENED[Event.FAILED]
    return _message(Event.FAILED.value, sync, at, happened, error.splitlines(), next_, {})


def of_overdue(
    sync: str, good: datetime | None, until: datetime, schedule: str, at: datetime
) -> dict[str, Any]:
    """The message that a sync had no good run within twice the interval of its schedule."""
    last = f"the last good run began {_moment(good)}" if good else "there was no good run yet"
    lines = [f"{sync}: {last}; by its schedule ({schedule}) one was due by {_moment(until)}"]
    next_ = ["trueup status", f"trueup history {shlex.quote(sync)}"]
    said = {"last_good": good.isoformat() if good else None, "due_by": until.isoformat()}
    return _message(Event.OVERDUE.value, sync, at, _HAPPENED[Event.OVERDUE], lines, next_, said)


def of_test(name: str, at: datetime) -> dict[str, Any]:
    """The message of `trueup notify`."""
    lines = [f"this is a test: what `[notify.{name}]` is to be told arrives here"]
    return _message("test", None, at, "a test message", lines, ["trueup status"], {})


def _message(
    event: str,
    sync: str | None,
    at: datetime,
    happened: str,
    lines: list[str],
    next_: list[str],
    said: Mapping[str, Any],
) -> dict[str, Any]:
    title = _line(f"Trueup: {sync} {happened}" if sync else f"Trueup: {happened}")
    steps = [_line(each) for each in next_]
    text = [*map(_line, lines), *(f"next: {each}" for each in steps[:1])]
    text += [f"or: {each}" for each in steps[1:]]
    return {
        "id": uuid4().hex,
        "event": event,
        "sync": sync,
        "at": at.isoformat(),
        "title": title,
        "text": "\n".join(text),
        "next": steps,
        **said,
    }


def _numbers(report: Report) -> Iterator[str]:
    parts = [f"{count} {name}" for name, count in report.counts.items() if count]
    parts += [f"{report.pending} pending"] if report.pending else []
    drift = drifted(report.plan) if report.plan is not None else 0
    parts += [f"{drift} edited in the target"] if drift else []
    said = ", ".join(parts) or "nothing sent"
    yield f"{report.sync}: {report.outcome}, {said} (run {report.run_id[:12]})"


def _why(event: Event, report: Report) -> Iterator[str]:
    plan = report.plan
    if report.error:
        yield report.error
    if event is Event.GUARD and plan is not None:
        yield from (f"{each.rule}: {each.message}" for each in plan.guards)
    if report.asked is not None:
        yield report.asked.reason
    failed = [done for done in report.operations if done.error]
    for done in failed[:3]:
        yield f"{done.op} {done.kind} {done.ref}: {done.error}"
    if len(failed) > 3:
        yield f"and {len(failed) - 3} more of that sort"
    if plan is not None and plan.problems:
        yield f"{len(plan.problems)} of what the source states cannot be used"
    if report.waiting:
        yield f"{report.waiting} to decide"


def _next(event: Event, report: Report) -> list[str]:
    sync, run = shlex.quote(report.sync), report.run_id[:12]
    if event is Event.APPROVAL and report.asked is not None:
        return [f"trueup approve {report.asked.id}", f"trueup reject {report.asked.id}"]
    if event is Event.GUARD and report.plan is not None:
        rules = ",".join(dict.fromkeys(each.rule for each in report.plan.guards))
        return [f"trueup plan {sync}", f"trueup run {sync} --allow {rules}"]
    if event is Event.WAITS:
        return [f"trueup waiting {sync}"]
    if event is Event.RECOVERED:
        return ["trueup status"]
    return [f"trueup show {run}", f"trueup plan {sync}"]


def _line(text: str) -> str:
    said = plain(text)
    return said if len(said) <= _LONGEST else f"{said[: _LONGEST - 1]}…"


def _moment(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"
