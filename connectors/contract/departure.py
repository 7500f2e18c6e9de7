"""Departure: whoever answers for a write is asked at the moment at which its call leaves.

Between the decision to write and the call lies time: a slot of the limiter, a pause that the vendor
asked for, a lock. What was true before may not be true after. So the caller of a connector opens a
gate, and the connector asks it before each call that may change something, last of all.

A gate holds for what is called in its own thread. Without one every write may leave.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TypeAlias

Gate: TypeAlias = Callable[[], None]
"""Asked before a write leaves; raises where it may not, which is no `ConnectorError`."""

_gate: ContextVar[Gate | None] = ContextVar("gate", default=None)


@contextmanager
def departing(gate: Gate) -> Iterator[None]:
    """Writes that leave inside the block ask this `gate`, and none that was opened around it."""
    token = _gate.set(gate)
    try:
        yield
    finally:
        _gate.reset(token)


def leaving() -> None:
    """To be called directly before each attempt of each call that is not only a reading.

    Raises what the gate raises. Such an error ends the write: it is not repeated, and no connector
    makes another of it.
    """
    gate = _gate.get()
    if gate is not None:
        gate()
