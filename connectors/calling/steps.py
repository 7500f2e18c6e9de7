"""Steps: an operation of several calls, which is done as a whole, or not, or nobody knows.

Once a call of it has had an effect, nothing that fails later in the same operation is a refusal or
may simply be tried again: it is `Uncertain`, whatever the failing call was answered, and is settled
by looking at the whole object. Put `@in_steps()` on each method of a connector that writes; the
client counts the calls by itself. An operation is followed in its own thread.

So that a look finds what broke off, also where the process was killed: make an object before what
hangs on it, remove it after, and let `probe` find what has no place yet.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from connectors.contract.errors import ConnectorError, Uncertain


@dataclass(slots=True)
class Steps:
    """How many calls of one operation have had an effect."""

    taken: int = 0

    def took(self) -> None:
        """A call was answered as done."""
        self.taken += 1

    def undone(self, before: int = 0) -> None:
        """What was done since so many were taken is proved to be taken back: where that is all,
        what failed is a plain refusal again."""
        self.taken = before

    def judged(self, error: ConnectorError) -> ConnectorError:
        """What `error` means now: `Uncertain`, caused by it, if a call has had an effect."""
        if not self.taken or isinstance(error, Uncertain):
            return error
        message = f"{error.message}; of the same operation {self.taken} calls had been done"
        if self.taken == 1:
            message = f"{error.message}; of the same operation one call had been done"
        found = Uncertain(message, call=error.call, hint=error.hint)
        found.__cause__ = error
        return found


_under_way: ContextVar[Steps | None] = ContextVar("steps", default=None)


@contextmanager
def in_steps() -> Iterator[Steps]:
    """All calls made within are one operation; within another one they are a part of that.

    Raises `Uncertain` in place of any other `ConnectorError` once a call has had an effect.
    Whatever else is raised passes: its operation stays open in the journal.
    """
    outer = _under_way.get()
    if outer is not None:
        yield outer
        return
    steps = Steps()
    token = _under_way.set(steps)
    try:
        yield steps
    except ConnectorError as error:
        found = steps.judged(error)
        if found is error:
            raise
        raise found from error
    finally:
        _under_way.reset(token)


def step_taken() -> None:
    """To be called by whoever sends: a write was done, or may have been."""
    steps = _under_way.get()
    if steps is not None:
        steps.took()
