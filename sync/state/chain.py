"""The chain of the audit: how a row is written, and what its digest is of.

    entry    the row as JSON: keys sorted, no blanks, nothing but ASCII (others as \\uXXXX)
    digest   SHA-256, in hex, of the digest of the row before, a line feed, and the entry

So whoever has the rows can check them without Trueup; `docs/audit.md` shows how. The first row
follows `NOTHING`.
"""

import json
from collections.abc import Mapping
from hashlib import sha256
from typing import Any, Final

NOTHING: Final = "0" * 64
"""The digest before the first row."""

_write: Final = json.JSONEncoder(
    sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False
).encode


def canonical(data: Mapping[str, Any]) -> str:
    """The one text of `data`; tuples are lists. Raises `TypeError` for what JSON does not have."""
    return _write(data)


def digest_of(previous: str, entry: str) -> str:
    """The digest of a row that says `entry` and follows the row of the digest `previous`."""
    return sha256(f"{previous}\n{entry}".encode("utf-8", "surrogatepass")).hexdigest()
