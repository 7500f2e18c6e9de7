"""News: how a sync stands after a run, and whether that is something to tell.

Only a change is told: a sync that fails every hour is told once, and once more when it is well.
"""

from enum import StrEnum

from sync.outcome import COUNTS, Outcome
from sync.report import Report


class Standing(StrEnum):
    """How a sync stands: well, or what is the most pressing thing about its last run."""

    GOOD = "good"
    FAILED = "failed"
    GUARD = "guard"
    APPROVAL = "approval"
    WAITS = "waits"


class Event(StrEnum):
    """What is told."""

    FAILED = "failed"
    GUARD = "guard"
    APPROVAL = "approval"
    WAITS = "waits"
    RECOVERED = "recovered"


def standing(report: Report) -> Standing:
    """The most pressing thing about a run; one that left operations undone counts as failed."""
    if report.outcome is Outcome.FAILED:
        return Standing.FAILED
    if report.asked is not None:
        return Standing.APPROVAL
    if report.plan is not None and report.plan.guards:
        return Standing.GUARD
    if any(report.counts[name] for name in COUNTS if name != "applied"):
        return Standing.FAILED
    plan = report.plan
    if report.waiting or (plan is not None and (plan.waits or plan.conflicts)):
        return Standing.WAITS
    return Standing.GOOD if report.outcome is Outcome.OK else Standing.FAILED


def news(before: Standing | None, after: Standing) -> Event | None:
    """What to tell when a sync stood `before` (None: never told) and stands `after` now."""
    if before is after:
        return None
    if after is not Standing.GOOD:
        return Event(after.value)
    return None if before is None else Event.RECOVERED
