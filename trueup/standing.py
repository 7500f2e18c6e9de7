"""How each sync stands, as `trueup status` tells it: a few lines for people, or JSON."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from datetime import datetime, timedelta
from shlex import quote
from typing import TYPE_CHECKING, Any, Final

from sync.state.approvals import Approvals
from sync.state.journal import Journal
from sync.state.ledger import Ledger
from sync.state.stops import Stops
from sync.state.waits import Waits

if TYPE_CHECKING:
    from config.settings import Settings
    from sync.state.history import History, Run
    from sync.state.store import Store

_LOOKED_AT: Final = 20
"""So many runs are looked through for the last that came to a plan."""
_COUNTS: Final = {
    "linked": "linked",
    "pending": "pending",
    "waiting": "waiting",
    "uncertain": "of unknown outcome",
    "kept": "kept",
    "drift": "edited in the target",
}


def standing_data(
    settings: Settings, store: Store, history: History, sync: str, now: datetime
) -> dict[str, Any]:
    """One sync of the settings: its runs, its next slot, and what is left to do and to decide."""
    last, good = history.latest(sync), history.latest_good(sync)
    stop, asked = Stops(store).of(sync), Approvals(store).standing(sync)
    said = settings.syncs[sync].schedule
    slot = _next_slot(settings, store, sync, now) if said and not stop else None
    return {
        "sync": sync,
        "last_run": last.run_id[:12] if last else None,
        "outcome": last.outcome if last else None,
        "started_at": last.started_at.isoformat() if last else None,
        "last_good": good.started_at.isoformat() if good else None,
        "schedule": said,
        "next_run": slot.isoformat() if slot else None,
        "linked": Ledger(store, sync).count(),
        "uncertain": len(Journal(store, sync).open_on_both_sides()),
        "waiting": Waits(store).counts([sync]).get(sync, 0),
        **_left(history, sync, last),
        "paused": str(stop) if stop else None,
        "approval": asked.to_data() if asked else None,
    }


def gone_data(settings: Settings, store: Store, history: History) -> list[dict[str, Any]]:
    """The syncs that are no more in the settings, and of which the state holds something."""
    names = sorted({*history.syncs()} - settings.syncs.keys())
    waiting = Waits(store).counts(names)
    found = [
        {"sync": name, "linked": Ledger(store, name).count(), "waiting": waiting.get(name, 0)}
        for name in names
    ]
    return [each for each in found if each["linked"] or each["waiting"]]


def _left(history: History, sync: str, last: Run | None) -> dict[str, int | None]:
    """What the last run that came to a plan left and found; None where there is none."""
    runs = [last] if last is not None else []
    if last is not None and not _plan_of(last):
        runs = history.runs(sync, _LOOKED_AT)
    report = next((each.report or {} for each in runs if _plan_of(each)), {})
    plan = report.get("plan") or {}
    return {
        "pending": report.get("pending"),
        "kept": plan.get("kept"),
        "drift": report.get("drift"),
    }


def _plan_of(run: Run) -> Any:
    report = run.report or {}
    return None if report.get("undoes") else report.get("plan")


def _next_slot(settings: Settings, store: Store, sync: str, now: datetime) -> datetime | None:
    """When the schedule runs it next. An interval counts from the last slot that was taken; None
    where that is none, or so long ago that no service runs."""
    from sync.state.slots import Slots  # only who has a schedule pays for it

    parsed = settings.syncs[sync].parsed(sync)
    if parsed is None:
        return None
    if parsed.every is None:
        slot = parsed.slot(now)
        return None if slot is None else slot.due
    last = Slots(store).last(sync)
    due = parsed.due_after(last.at, last.slot) if last and last.schedule == parsed.key else None
    return due if due is not None and due > now else None


# -- for people ----------------------------------------------------------------------------------


def standing_lines(said: Mapping[str, Any], now: datetime) -> Iterator[str]:
    """One sync: how its last run ended and what there is, its last good run, its next one."""
    counts = [f"{said[name]:,} {word}" for name, word in _COUNTS.items() if said[name]]
    outcome = said["outcome"] or "no run yet"
    yield ", ".join([f"{said['sync']}: {outcome}", *counts])
    good = said["last_good"]
    if said["outcome"] is not None:
        yield f"  last good run {moment_text(good, now)}" if good else "  no good run yet"
    if said["paused"] is None and said["schedule"]:
        yield f"  next run {next_text(said, now)}"


def trouble_data(store: Store) -> list[dict[str, Any]]:
    """The notifiers that do not take what they are sent."""
    from sync.state.messages import Messages

    return [asdict(each) | {"since": each.since.isoformat()} for each in Messages(store).troubles()]


def trouble_line(said: Mapping[str, Any], now: datetime) -> str:
    """A notifier, what waits for it, and how that can be looked at."""
    name, count = said["notifier"], said["waiting"]
    many = "1 message is" if count == 1 else f"{count:,} messages are"
    since = f"not delivered since {moment_text(said['since'], now)}"
    return f"notify {name}: {many} {since}: {said['error']}; trueup notify {quote(name)} tries it"


def gone_line(said: Mapping[str, Any]) -> str:
    """A sync that left the settings."""
    there = f"{said['linked']:,} linked, {said['waiting']:,} waiting"
    return f"{said['sync']} is no more in the settings: {there}"


def next_text(said: Mapping[str, Any], now: datetime) -> str:
    """When a sync that has a schedule runs next."""
    if said["next_run"] is None:
        return f"by trueup serve ({said['schedule']})"
    return moment_text(said["next_run"], now)


def moment_text(moment: str, now: datetime) -> str:
    """A moment in local time, and how long ago it was, or until it comes."""
    at = datetime.fromisoformat(moment)
    age = f"in {age_of(at - now)}" if at > now else f"{age_of(now - at)} ago"
    return f"{local(at)} ({age})"


def local(at: datetime) -> str:
    """In local time, with its zone."""
    return f"{at.astimezone():%Y-%m-%d %H:%M %Z}"


def age_of(age: timedelta) -> str:
    """How long, in minutes up to two hours, in hours up to two days, else in days."""
    minutes = max(0, int(age.total_seconds())) // 60
    if minutes < 120:
        return f"{minutes} min"
    return f"{minutes // 60} h" if minutes < 48 * 60 else f"{minutes // 1440} days"
