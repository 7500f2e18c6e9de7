"""Where everything that Trueup prints passes: what it may look like, and that it never stops a run.

Foreign words are shown without effect on a terminal (`plain`), JSON stays JSON in any encoding, no
secret is in either, and a stream that takes nothing more (a full disk, a reader that has gone) is
given up, as what was done counts and not who heard of it.
"""

import io
import json
import os
import re
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, Final, TextIO

from rich.console import Console as Terminal
from rich.markup import escape

from config.logs import one_line, redact

_SIGNS: Final = str.maketrans(
    {"→": "->", "✓": "+", "✗": "x", "■": "#", "·": "-", "…": "...", "×": "x", "–": "-", "─": "-"}
)
"""Our own signs, where a terminal has none of them."""
_NARROWEST: Final = 20
_ENDLESS: Final = 1_000_000
"""Characters in a line that is not wrapped: nobody reads a pipe by its width."""
_BEYOND_ASCII: Final = re.compile(r"[^\n -~]")


def plain(text: object) -> str:
    """Foreign text on one line, its control characters spelled out, without a secret."""
    return one_line(redact(str(text)))


def marked(text: object) -> str:
    """As `plain`, for a place in which brackets would be Rich's."""
    return escape(plain(text))


def json_text(data: Any, indent: int | None = 2, *, ascii: bool = False) -> str:
    """`data` as JSON, in which what a terminal would obey, or cannot show, is an escape."""
    said = json.dumps(data, indent=indent, ensure_ascii=ascii)
    if redact(said) != said:
        said = json.dumps(_redacted(data), indent=indent, ensure_ascii=ascii)
    return _BEYOND_ASCII.sub(_escaped, said)


def _redacted(data: Any) -> Any:
    if isinstance(data, str):
        return redact(data)
    if isinstance(data, Mapping):
        return {redact(str(key)): _redacted(value) for key, value in data.items()}
    return [_redacted(each) for each in data] if isinstance(data, list | tuple) else data


def _escaped(found: re.Match[str]) -> str:
    return found[0] if found[0].isprintable() else json.dumps(found[0])[1:-1]


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


OUT: Final = Stream(lambda: sys.stdout)
ERR: Final = Stream(lambda: sys.stderr)


def guard_streams() -> None:
    """From now on whatever prints, of ours or not, prints to streams that never raise."""
    out, err = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = Stream(lambda: out), Stream(lambda: err)


def terminal(stream: Stream) -> Terminal:
    """Rich's console on that stream: as wide as its window; where it has none, no line is wrapped.

    What `COLUMNS` says counts where it can be a width.
    """
    file: Any = stream
    if not stream.isatty():
        return Terminal(file=file, highlight=False, emoji=False, width=_ENDLESS, height=25)
    columns = os.environ.get("COLUMNS", "")
    odd = columns.isdecimal() and int(columns[:9]) < _NARROWEST
    width = _NARROWEST * 4 if odd else None
    return Terminal(file=file, highlight=False, emoji=False, width=width)


def tell(text: str) -> None:
    """A line of data, on stdout."""
    OUT.write(f"{text}\n")


def tell_json(data: Any, indent: int | None = 2) -> None:
    """A document on stdout; a letter that its encoding does not have is an escape too."""
    said = json_text(data, indent)
    try:
        said.encode(OUT.encoding)
    except (UnicodeError, LookupError):
        said = json_text(data, indent, ascii=True)
    tell(said)


def talk(text: object) -> None:
    """A line of talk, on stderr."""
    ERR.write(f"{plain(text)}\n")
