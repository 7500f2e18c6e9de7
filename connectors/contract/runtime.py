"""What a connector needs from the world besides its settings, passed in so that tests own it."""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from connectors.contract.errors import Call
from connectors.contract.slots import Slots


def _utc_now() -> datetime:
    return datetime.now(UTC)


class Calls(Protocol):
    """Hears of calls to vendors, each in its own thread; `system` is a name of the settings."""

    def called(self, call: Call, seconds: float, attempt: int) -> None:
        """A call was sent so many seconds ago, as that attempt from 1 on; its status is None where
        no answer came."""

    def waited(self, system: str, seconds: float) -> None:
        """A call waited so long for a slot of its limit."""


class Unheard:
    """Nobody listens."""

    def called(self, call: Call, seconds: float, attempt: int) -> None:
        """Not kept."""

    def waited(self, system: str, seconds: float) -> None:
        """Not kept."""


@dataclass(frozen=True, slots=True)
class HeardBy:
    """All of these listen."""

    each: tuple[Calls, ...]

    def called(self, call: Call, seconds: float, attempt: int) -> None:
        """Told to each."""
        for one in self.each:
            one.called(call, seconds, attempt)

    def waited(self, system: str, seconds: float) -> None:
        """Told to each."""
        for one in self.each:
            one.waited(system, seconds)


@dataclass(frozen=True, slots=True)
class Runtime:
    """Clock, sleep, chance, and the folder that relative paths start from.

    `patience` is how many seconds one call may go on waiting and repeating altogether; a vendor
    that asks for more ends the call as rate limited, and the run as deferred. `stopping` tells that
    the process was asked to end: calls go on for some seconds then, and no longer. `hide` is told
    of each secret that only comes up while calling, so that it is nowhere shown or kept. `slots` is
    where other processes that call under the same `credential`, which is a name and no secret, take
    their share of its limit; without it a process goes by its own count. `calls` is told of each
    call.
    """

    base: Path = field(default_factory=Path)
    now: Callable[[], datetime] = _utc_now
    monotonic: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    random: Callable[[], float] = random.random
    patience: float = 300.0
    stopping: Callable[[], bool] = lambda: False
    hide: Callable[[str], None] = lambda secret: None
    slots: Slots | None = None
    credential: str = ""
    calls: Calls = field(default_factory=Unheard)
