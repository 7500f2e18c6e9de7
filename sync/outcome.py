"""How runs and their operations end, in words and as exit codes."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from canonical.kind import Kind, Op
from canonical.side import Side

COUNTS: Final = ("applied", "rejected", "uncertain", "deferred", "skipped")


class Outcome(StrEnum):
    """How a run ended, from best to worst."""

    OK = "ok"
    PARTIAL = "partial"
    ABORTED = "aborted"
    FAILED = "failed"


WORSE: Final = list(Outcome)
"""From best to worst."""


class Exit:
    """The command line's exit codes; frozen."""

    OK: Final = 0
    FAILED: Final = 1
    USAGE: Final = 2
    PENDING: Final = 3
    PARTIAL: Final = 4
    GUARD: Final = 5
    CONFLICTS: Final = 6
    UNCERTAIN: Final = 7
    LOCKED: Final = 8


@dataclass(frozen=True, slots=True)
class Done:
    """What became of one operation; `outcome` is one of `COUNTS`. `target_id` is the object's id in
    the system of its `side`."""

    op: Op
    kind: Kind
    ref: str
    budget_ref: str | None
    target_id: str | None
    outcome: str
    error: str | None = None
    side: Side = Side.TARGET
