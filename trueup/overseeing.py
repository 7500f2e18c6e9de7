"""Overseeing: what a service tells of by itself, between the runs.

That a sync has had no good run for too long, and what could not be sent before.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Thread
from typing import Final

_EVERY: Final = 30.0
"""Seconds between two looks."""


@contextmanager
def overseeing(look: Callable[[], None], stop: Event) -> Iterator[None]:
    """While this lasts `look` is called twice a minute, beside the runs; it raises nothing."""
    over = Event()

    def keep_looking() -> None:
        while not over.wait(_EVERY) and not stop.is_set():
            look()

    thread = Thread(target=keep_looking, name="trueup-overseer", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
