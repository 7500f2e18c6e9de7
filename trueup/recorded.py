"""What `trueup actuals --into` tells, as data and for people."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, Final

from canonical.amount import Amount
from canonical.kind import Kind
from canonical.money import said
from connectors.contract.records import Keeping
from sync.recording import SKIPPED, Entry, Recording
from trueup.spent import row_data

TITLES: Final = ("system", "ref", "name", "currency", "spent", "kept in", "before", "after")
AMOUNTS: Final = ("spent", "before", "after")
SHOWN: Final = 40
"""Rows that are listed; `--json` has all of them."""
_NAMED: Final = 10
_ROW: Final = (
    "system",
    "kind",
    "ref",
    "budget_ref",
    "target_id",
    "currency",
    "spent",
    "start",
    "end",
)


def recording_data(recording: Recording) -> dict[str, Any]:
    """What stands under `recorded` in the document of `--json`; amounts are exact decimal texts."""
    return {
        "into": recording.into,
        "dry_run": recording.dry_run,
        "counts": dict(recording.counts),
        "rows": [*map(_entry_data, recording.entries)],
    }


def _entry_data(entry: Entry) -> dict[str, str | None]:
    row = row_data(entry.row)
    return {name: row[name] for name in _ROW} | {
        "outcome": entry.outcome,
        "place": entry.place or None,
        "before": entry.before.text() if entry.before else None,
        "after": entry.after.text() if entry.after else None,
        "reason": entry.reason or None,
    }


def written_rows(recording: Recording) -> Sequence[tuple[str, ...]]:
    """Lines for a table of `TITLES`: what is written."""
    return [
        (
            entry.row.system,
            _named(entry),
            entry.row.name,
            entry.row.spent.unit if entry.row.spent else "",
            *map(_said, (entry.row.spent,)),
            entry.place,
            *map(_said, (entry.before, entry.after)),
        )
        for entry in recording.entries
        if entry.outcome == Keeping.WRITTEN.value
    ]


def left_out(recording: Recording) -> Iterator[tuple[str, str]]:
    """What is not kept: the outcome, and how many rows there are of one reason, and which."""
    for outcome in (Keeping.REFUSED.value, SKIPPED):
        found: Mapping[str, list[str]] = defaultdict(list)
        for entry in recording.entries:
            if entry.outcome == outcome:
                found[f"{entry.row.system}: {entry.reason}"].append(_named(entry))
        for reason, names in found.items():
            yield outcome, f"{len(names)} × {reason}: {_listed(names)}"


def in_short(recording: Recording) -> Iterator[str]:
    """What could not be kept, and how many rows ended how."""
    yield from (text for outcome, text in left_out(recording) if outcome != SKIPPED)
    yield summary(recording)


def summary(recording: Recording) -> str:
    """How many rows ended how, on one line."""
    counts = recording.counts
    written = "would be written" if recording.dry_run else "written"
    others = ", ".join(f"{counts[each]} {each}" for each in counts if each != Keeping.WRITTEN.value)
    return f"{recording.into}: {counts[Keeping.WRITTEN.value]} {written}, {others}"


def _named(entry: Entry) -> str:
    row = entry.row
    if row.ref is None:
        return f"{row.name} ({row.target_id})"
    return row.ref if row.kind is Kind.BUDGET else f"{row.budget_ref} / {row.ref}"


def _listed(names: Collection[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join([*names][:_NAMED]) + more


def _said(amount: Amount | None) -> str:
    return "" if amount is None else said(amount.value)
