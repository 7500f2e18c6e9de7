"""Watch: how a run tells what it is doing, and how it is asked to stop."""

from collections.abc import Callable
from dataclasses import dataclass
from threading import Event

from sync.outcome import Done, Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """What a run tells while it goes on, and how it is asked to stop.

    `stage` is called with the name of each step as it begins, `planned` with the number of
    operations before the first is sent, `done` with each as it ends, `ended` with how all ended.
    """

    stage: Callable[[str], None] = lambda name: None
    planned: Callable[[int], None] = lambda count: None
    done: Callable[[Done], None] = lambda done: None
    ended: Callable[[Outcome], None] = lambda outcome: None
    stop: Event
