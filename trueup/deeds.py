"""What the operations of a run did, field by field, for `trueup show`."""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from canonical.money import said as told
from canonical.side import Side
from sync.state.deeds import moved, sent
from sync.state.journal import Operation

COLUMNS: Final = ("object", "field", "from", "to")


def deed_data(done: Operation) -> dict[str, Any]:
    """One operation as JSON-ready data."""
    fields, currency = _moved(done)
    return {
        "op": done.op.value,
        "side": done.side.value,
        "kind": done.kind.value,
        "ref": done.ref,
        "budget_ref": done.budget_ref or None,
        "target_id": done.target_id,
        "state": done.state.value,
        "error": done.error,
        "sent_at": done.sent_at.isoformat() if done.sent_at else None,
        "ended_at": done.ended_at.isoformat() if done.ended_at else None,
        "currency": currency,
        "fields": fields,
    }


def table_rows(operations: Iterable[Operation]) -> list[Sequence[str]]:
    """A line for each field; what removes, or was not done, says so in place of a value."""
    return [line for each in operations for line in _lines(each)]


def _lines(done: Operation) -> Iterable[Sequence[str]]:
    name = f"{done.budget_ref} / {done.ref}" if done.budget_ref else done.ref
    fields, currency = _moved(done)
    for field, both in fields.items():
        before, after = (value_text(field, both[side], currency) for side in ("before", "after"))
        gone = f"({done.op.value}d)" if both["after"] is None else ""
        undone = "" if done.state == "applied" else f" ({done.state})"
        where = "" if done.side is Side.TARGET else f" in the {done.side}"
        yield f"{done.op} {done.kind} {name}{where}", field, before, (after or gone) + undone


def _moved(done: Operation) -> tuple[dict[str, dict[str, Any]], str | None]:
    """The fields, and what the amounts among them are in."""
    before, after = done.before or {}, sent(done.draft)
    fields = moved(done.op, done.kind, done.fields, before, after)
    return fields, after.get("currency") or before.get("currency")


def value_text(field: str, value: Any, currency: str | None = None) -> str:
    """A value for people: an amount with its currency and thousands apart, a list with commas."""
    if value is None:
        return ""
    if field == "amount":
        return f"{told(Decimal(value))} {currency or ''}".rstrip()
    if isinstance(value, list | tuple):
        return ", ".join(
            " ".join(map(str, each)) if isinstance(each, list | tuple) else str(each)
            for each in value
        )
    return str(value)


def moved_text(fields: Mapping[str, Mapping[str, Any]], currency: str | None) -> str:
    """All fields in one line."""
    parts = []
    for field, both in fields.items():
        before, after = (value_text(field, both[side], currency) for side in ("before", "after"))
        parts.append(f"{field} {before} → {after}" if before else f"{field} {after}")
    return ", ".join(parts)
