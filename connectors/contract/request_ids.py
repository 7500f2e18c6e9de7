"""Request ids: by what a vendor finds a write of ours again, should anybody ask it.

The caller of a connector collects them; whoever sends tells each that an answer had. They are
collected for what is called in the same thread; without a collector none is kept.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_ids: ContextVar[list[str] | None] = ContextVar("request_ids", default=None)


@contextmanager
def noting(ids: list[str]) -> Iterator[None]:
    """The ids of writes that are answered inside the block are put into `ids`, in their order."""
    token = _ids.set(ids)
    try:
        yield
    finally:
        _ids.reset(token)


def note(id: str | None) -> None:
    """To be called for each answer to a write with the vendor's own id of the call, if it has."""
    ids = _ids.get()
    if ids is not None and id is not None and id not in ids:
        ids.append(id)
