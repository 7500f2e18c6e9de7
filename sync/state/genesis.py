"""The row that a state's audit begins with."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from sync.state.author import Author
from sync.state.chain import NOTHING, canonical, digest_of


def genesis(now: datetime, before: Mapping[str, int]) -> dict[str, Any]:
    """The columns of that row: it names the state, and says what the audit tells nothing of.

    `before` has the numbers of the last run and the last operation that there were.
    """
    author = Author.here()
    at = now.astimezone(UTC).isoformat(timespec="microseconds")
    columns = {"kind": "genesis", "sync": "", "run_id": "", "budget_ref": "", "ref": ""}
    told = {
        "number": 1,
        "at": at,
        "by": {"user": author.user, "host": author.host, "name": None},
        "settings": None,
        "said": {"state": uuid4().hex, "before": dict(before)},
    }
    entry = canonical(columns | told)
    row = {"number": 1, "at": at, **columns, "entry": entry}
    return row | {"previous": NOTHING, "digest": digest_of(NOTHING, entry)}
