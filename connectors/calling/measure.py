"""Measure: how many bytes of answers a thread has read, so that a listing knows its own size."""

from threading import local


class _Total(local):
    bytes = 0


_total = _Total()


def received(count: int) -> None:
    """To be called by whoever reads an answer, with its size when unpacked."""
    _total.bytes += count


def total() -> int:
    """Bytes that this thread has received so far."""
    return _total.bytes
