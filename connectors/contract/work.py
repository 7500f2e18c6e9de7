"""Work: what is being worked on, by name, so that whatever is logged or traced meanwhile tells it.

The names are `run`, `sync`, `system`, `budget` and `request_id`; `span` is what a trace hangs its
calls on. They hold in the thread that set them, and in one that was handed its work by `carried`.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final, ParamSpec, TypeVar

NAMES: Final = ("run", "sync", "system", "budget", "request_id")
"""What a log tells of it, in this order."""

Taken = ParamSpec("Taken")
Given = TypeVar("Given")

_work: ContextVar[Mapping[str, object]] = ContextVar("work")
_NOTHING: Final[Mapping[str, object]] = {}


def work() -> Mapping[str, object]:
    """What is being worked on here and now."""
    return _work.get(_NOTHING)


@contextmanager
def working(**names: object) -> Iterator[None]:
    """Within the block these names hold, beside those around it."""
    token = _work.set({**work(), **names})
    try:
        yield
    finally:
        _work.reset(token)


def carried(job: Callable[Taken, Given]) -> Callable[Taken, Given]:
    """`job` for another thread, where it works on what is worked on here now.

    Nothing else goes with it: gates, terms and steps of an operation are those of its own thread.
    """
    here = work()

    def done(*args: Taken.args, **kwargs: Taken.kwargs) -> Given:
        token = _work.set(here)
        try:
            return job(*args, **kwargs)
        finally:
            _work.reset(token)

    return done
