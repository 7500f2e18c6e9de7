"""News: how a sync stands after a run, and whether that is something to tell.

Only a change is told: a sync that fails every hour is told once, and once more when it is well.
"""

from dataclasses import dataclass, replace
from enum import StrEnum

from sync.drift import drifted
from sync.outcome import Outcome
from sync.report import Report


class Standing(StrEnum):
    """How a sync stands: well, also where it put back what was edited in the target; or what is the
    most pressing thing about its last run."""

    GOOD = "good"
    DRIFT = "drift"
    FAILED = "failed"
    GUARD = "guard"
    APPROVAL = "approval"
    WAITS = "waits"

    @property
    def is_good(self) -> bool:
        """Whether a run that ended so did all it meant."""
        return self in (Standing.GOOD, Standing.DRIFT)


class Event(StrEnum):
    """What is told."""

    FAILED = "failed"
    GUARD = "guard"
    APPROVAL = "approval"
    WAITS = "waits"
    DRIFT = "drift"
    RECOVERED = "recovered"
    OVERDUE = "overdue"


@dataclass(frozen=True, slots=True)
class Told:
    """What was told of a sync until now: how it stood, None where nothing ever was, and whether it
    has had no good run for too long."""

    standing: Standing | None = None
    overdue: bool = False

    def after(self, standing: Standing) -> "Told":
        """After a run; only a good one ends that a good one is overdue."""
        return Told(standing, self.overdue and not standing.is_good)

    def late(self) -> "Told":
        """Now that a good run is overdue. Who waits for a person was told so."""
        if self.standing is None or self.standing.is_good or self.standing is Standing.FAILED:
            return replace(self, overdue=True)
        return self

    @property
    def is_bad(self) -> bool:
        """Whether a good run is news."""
        return self.overdue or (self.standing is not None and not self.standing.is_good)


def standing(report: Report) -> Standing | None:
    """The most pressing thing about a run; None of one that says nothing new, such as one that put
    off the rest since its rate was used up, or that nobody agreed to."""
    counts, plan = report.counts, report.plan
    if report.outcome is Outcome.FAILED:
        return Standing.FAILED
    if report.asked is not None:
        return Standing.APPROVAL
    if plan is not None and plan.guards:
        return Standing.GUARD
    if counts["rejected"] or counts["uncertain"]:
        return Standing.FAILED
    if report.waiting or (plan is not None and (plan.waits or plan.conflicts)):
        return Standing.WAITS
    if plan is not None and (plan.problems or plan.unaccepted):
        return Standing.FAILED
    if report.outcome is not Outcome.OK:
        return None
    return Standing.DRIFT if plan is not None and drifted(plan) else Standing.GOOD


def news(before: Told, after: Told) -> Event | None:
    """What to tell where that was told `before` and it is so now."""
    if after.overdue and not before.overdue:
        return Event.OVERDUE
    if after.standing is None or after.standing is before.standing:
        return Event.RECOVERED if before.overdue and not after.overdue else None
    if before.is_bad and after.standing.is_good:
        return Event.RECOVERED
    return None if after.standing is Standing.GOOD else Event(after.standing.value)
