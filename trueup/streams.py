"""The streams that everything is printed to: what is said on them never stops a run.

A stream that takes nothing more (a full disk, a reader that has gone) is given up, as what was done
counts and not who heard of it. Letters that its encoding does not have are spelled out.
"""

import io
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Final, TextIO

_SIGNS: Final = str.maketrans(
    {"→": "->", "✓": "+", "✗": "x", "■": "#", "·": "-", "…": "...", "×": "x", "–": "-", "─": "-"}
)
"""Our own signs, where a terminal has none of them."""


class Stream(io.TextIOBase):
    """A text stream that never raises; `find` gives what it writes to, None where that is closed.

    `lost` is why some of what was said did not arrive, None where all did or nobody wants it.
    """

    errors = "backslashreplace"

    def __init__(self, find: Callable[[], TextIO | None]) -> None:
        self._find = find
        self._lost: str | None = None
        self._given_up: TextIO | None = None

    @property
    def _now(self) -> TextIO | None:
        found = self._find()
        return getattr(found, "rich_proxied_file", found)  # a progress bar's, which prints to us

    @property
    def lost(self) -> str | None:
        return getattr(self._now, "lost", None) or self._lost

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return getattr(self._now, "encoding", None) or "utf-8"

    def isatty(self) -> bool:
        try:
            return self._now is not None and self._now.isatty()
        except ValueError:  # it is closed
            return False

    def fileno(self) -> int:
        if self._now is None:
            raise io.UnsupportedOperation("it was closed from the start")
        return self._now.fileno()

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        stream = self._now
        if stream is None:
            self._lost = "it is closed"
        elif stream is not self._given_up:
            try:
                stream.write(self._fit(text))
                stream.flush()
            except (OSError, ValueError) as error:
                self._give_up(stream, error)
        return len(text)

    def flush(self) -> None:
        """Nothing: each `write` arrives, or never will."""

    def _fit(self, text: str) -> str:
        try:
            text.encode(self.encoding)
        except (UnicodeError, LookupError):
            known = text.translate(_SIGNS).encode(self.encoding, "backslashreplace")
            return known.decode(self.encoding)
        return text

    def _give_up(self, stream: TextIO, error: Exception) -> None:
        self._given_up = stream
        if not isinstance(error, BrokenPipeError):
            self._lost = getattr(error, "strerror", None) or "it is closed"
        # What is in the buffer would be tried again when the process ends, and be its exit code.
        with suppress(OSError, ValueError):
            number = stream.fileno()
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, number)
            os.close(nowhere)


class Stamped(Stream):
    """As a stream, in which each line begins with what `stamp` says then."""

    def __init__(self, find: Callable[[], TextIO | None], stamp: Callable[[], str]) -> None:
        super().__init__(find)
        self._stamp = stamp
        self._begins = True

    def write(self, text: str) -> int:
        lines = text.splitlines(keepends=True)
        begun = self._begins
        if lines:
            self._begins = lines[-1].endswith("\n")
        said = [f"{self._stamp()} {line}" for line in lines]
        if said and not begun:
            said[0] = lines[0]
        super().write("".join(said))
        return len(text)


OUT: Final = Stream(lambda: sys.stdout)
ERR: Final = Stream(lambda: sys.stderr)


def guard_streams() -> None:
    """From now on whatever prints, of ours or not, prints to streams that never raise."""
    out, err = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = Stream(lambda: out), Stream(lambda: err)
