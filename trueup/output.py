"""Where everything that Trueup prints passes: what it may look like, and that it never stops a run.

Foreign words are shown without effect on a terminal (`plain`), JSON stays JSON in any encoding, and
no secret is in either. What they are written to never raises (`trueup.streams`).
"""

import json
import os
import re
from collections.abc import Mapping
from typing import Any, Final

from rich.console import Console as Terminal
from rich.markup import escape

from config.logs import one_line, redact
from trueup.streams import ERR, OUT, Stream

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
