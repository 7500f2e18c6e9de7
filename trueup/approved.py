"""What is told of approvals: that one is needed, waits, was given or was made use of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sync.state.approvals import Request


def asked_text(request: Request) -> str:
    """Who asked for it, why, and until when it can be given."""
    return (
        f"plan {request.id} of {request.sync}, asked for by {request.asked_by} at "
        f"{request.asked_at:%Y-%m-%d %H:%M} UTC: {request.reason}; it can be approved and applied "
        f"until {request.until:%Y-%m-%d %H:%M} UTC"
    )


def waits_text(request: Request) -> str:
    """What a run that asked says, with what to do."""
    if request.rejected_at is not None:
        return (
            f"this needs an approval: {request.reason}; {rejected_text(request)}; one that differs "
            f"is asked for anew, this one after {request.until:%Y-%m-%d %H:%M} UTC"
        )
    return (
        f"this needs an approval: {request.reason}; plan {request.id} waits until "
        f"{request.until:%Y-%m-%d %H:%M} UTC: trueup approve {request.id}"
    )


def rejected_text(request: Request) -> str:
    """Who said no, when and why."""
    note = f" ({request.note})" if request.note else ""
    at = f" at {request.rejected_at:%Y-%m-%d %H:%M} UTC" if request.rejected_at else ""
    return f"{request.ended_by} rejected the plan {request.id} of {request.sync}{at}{note}"


def approved_text(request: Request) -> str:
    """What was given, and how it goes on."""
    note = f" ({request.note})" if request.note else ""
    return (
        f"{request.approved_by} approved the plan {request.id} of {request.sync}{note}; its next "
        f"run until {request.until:%Y-%m-%d %H:%M} UTC applies it, once: trueup run {request.sync}"
    )


def used_text(said: Mapping[str, Any]) -> str:
    """What a run that had one says, by what its report says of it (`approved`)."""
    note = f" ({said['note']})" if said["note"] else ""
    who = f"approved by {said['approved_by']} on {_moment(said['approved_at'])}{note}"
    return f"the plan {said['plan_id'][:12]} was applied, {who}"


def became_text(said: Mapping[str, Any], request: Request | None) -> str:
    """What became of the plan that a run asked to approve; None where that was let go of."""
    asked = f"it asked to approve the plan {said['plan_id'][:12]}: {said['reason']}"
    if request is None:
        return asked
    return f"{asked}; {_became(request)}"


def _became(request: Request) -> str:
    if request.rejected_at is not None:
        return rejected_text(request)
    if request.approved_at is None:
        until = f"{request.until:%Y-%m-%d %H:%M} UTC"
        waits = f"it waits until {until}: trueup approve {request.id}"
        return f"it was {request.ended_as}" if request.ended_as else waits
    note = f" ({request.note})" if request.note else ""
    given = f"approved by {request.approved_by} on {request.approved_at:%Y-%m-%d %H:%M} UTC{note}"
    if request.run_id:
        return f"{given} and applied by the run {request.run_id[:12]}"
    return f"{given} and {request.ended_as}" if request.ended_as else given


def _moment(said: str | None) -> str:
    return f"{said[:10]} {said[11:16]} UTC" if said else "a day that is not known"


def standing_text(request: Request) -> str:
    """As `trueup status` says it."""
    if request.approved_at is not None:
        return f"{request.sync}: {approved_text(request)}"
    return f"{request.sync}: {waits_text(request)}"
