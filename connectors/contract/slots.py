"""Slots: what several processes that call under one credential tell each other about its limit.

A limit of N calls in a window is N slots, kept where all of them look. A process leases some for a
short term, uses them by itself for as long as it comes by in time, and gives them back when others
want them or it is done. One that dies gives them back by time. Seconds are from now on, never a
moment: no two of them need have one clock.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

_LONGEST_STAY: Final = 2.0
_SHORTEST_STAY: Final = 0.5


def stay(window: float) -> float:
    """Seconds after which whoever holds slots of such a window comes by again.

    It sends nothing after two of them, and after four the slots are no longer its own.
    """
    return min(_LONGEST_STAY, max(_SHORTEST_STAY, window / 30))


@dataclass(frozen=True, slots=True)
class Left:
    """What the vendor's own counter says: `calls` may follow within the next `seconds`."""

    calls: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Visit:
    """What a holder of slots says when it comes by."""

    holder: str
    calls: int
    """The limit that the holder goes by, in `window` seconds."""
    window: float
    held: int
    """Slots that it keeps; those under way count."""
    back: Sequence[float] = ()
    """Slots that it gives back, each with the seconds that it has still to rest."""
    wants: int = 0
    fresh: bool = False
    """Whether what it holds was taken without asking, as it came by for the first time."""
    pause: float = 0
    """Seconds in which the vendor wants no call."""
    left: Left | None = None
    over: bool = False
    """Whether it comes by no more."""


@dataclass(frozen=True, slots=True)
class Grant:
    """What it is answered."""

    slots: int = 0
    """New ones, free at once."""
    kept: bool = True
    """Whether those that it holds are its own still."""
    owed: int = 0
    """How many of them others are to have."""
    wanted: bool = False
    """Whether anybody else waits for a slot."""
    sharers: int = 1
    """How many call under this credential at present, itself too."""
    pause: float = 0
    left: Left | None = None
    """What the vendor told another of them."""


class Slots(Protocol):
    """Where the slots of all credentials are kept."""

    def visit(self, credential: str, visit: Visit) -> Grant | None:
        """Come by; None where nothing is shared at present, and each goes by its own count."""
