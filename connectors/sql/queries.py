"""Queries as they stand in the settings: one statement that reads, or a file that holds it.

That nothing is written is seen to by the database, in a transaction that only reads; not every
database has one, and some run several statements at once. So what is no single SELECT is refused
before it is sent.
"""

import re
from itertools import product
from pathlib import Path
from typing import Final

from connectors.contract.errors import Unreadable

_READING: Final = ("select", "with", "values", "table", "from")
_COMMENTS: Final = r"--[^\n]*+(?:\n|\Z)|/\*(?:(?!\*/).)*+\*/"
_BEGIN = re.compile(rf"(?:[\s(]|{_COMMENTS})*+([a-z]++)", re.IGNORECASE | re.DOTALL)
_END = re.compile(rf";(?:\s|{_COMMENTS})*+\Z", re.DOTALL)
_STRINGS: Final = (r"'(?:[^']|'')*'", r'"(?:[^"]|"")*"', "`[^`]*`")
_COMMENT: Final = r"/\*(?![!M])(?:(?!/\*|\*/).)*\*/"
_LINES: Final = (r"--[^\n]*", r"--\s[^\n]*|\#[^\n]*")
_BRACKETS: Final = ((), (r"\[[^\]]*\]",))
_HIDING = [
    re.compile("|".join((*_STRINGS, _COMMENT, line, *brackets)), re.DOTALL)
    for line, brackets in product(_LINES, _BRACKETS)
]
"""What a semicolon may stand in, as one kind of database or another reads it."""


def is_file(text: str) -> bool:
    """Whether the text names a file that holds the query."""
    return text.casefold().endswith(".sql") and "\n" not in text and " " not in text.strip()


def ensure_only_reads(text: str) -> str:
    """The query without its last semicolon; raises `ValueError` for what is no single SELECT."""
    if not text.strip():
        raise ValueError("is empty; write a SELECT")
    bare = _END.sub("", text.strip()).strip()
    begin = _BEGIN.match(bare)
    if begin is None or begin[1].casefold() not in _READING:
        word = f", not {begin[1].upper()}" if begin is not None else ""
        raise ValueError(f"a query begins with SELECT or WITH{word}; Trueup only reads")
    if ";" in bare and _may_be_several(bare):
        raise ValueError("holds several statements; write one SELECT, without a semicolon in it")
    return bare


def _may_be_several(text: str) -> bool:
    """Whether some database may find a second statement; what a backslash means differs too."""
    return "\\" in text or any(";" in each.sub("''", text) for each in _HIDING)


def query_text(said: str, base: Path, key: str) -> str:
    """The query that the settings name under `key`; raises `Unreadable` with its place."""
    if not is_file(said):
        return said
    path = base / Path(said.strip()).expanduser()
    try:
        return ensure_only_reads(path.read_bytes().decode("utf-8-sig"))
    except OSError as error:
        raise Unreadable(
            f"{path}: {error.strerror or error}", hint=f"Put the query of {key} there"
        ) from None
    except UnicodeDecodeError:
        raise Unreadable(f"{path} is not UTF-8 text") from None
    except ValueError as error:
        raise Unreadable(f"{path}: {error}") from None
