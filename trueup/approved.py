"""What is told of approvals: that one is needed, waits, was given or was made use of."""

from __future__ import annotations

from typing import TYPE_CHECKING

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


def used_text(request: Request) -> str:
    """What a run that had one says."""
    note = f" ({request.note})" if request.note else ""
    at = f" at {request.approved_at:%Y-%m-%d %H:%M} UTC" if request.approved_at else ""
    return f"the plan {request.id} was applied, as {request.approved_by} approved it{at}{note}"


def standing_text(request: Request) -> str:
    """As `trueup status` says it."""
    if request.approved_at is not None:
        return f"{request.sync}: {approved_text(request)}"
    return f"{request.sync}: {waits_text(request)}"
