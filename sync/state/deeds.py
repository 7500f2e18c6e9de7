"""Deeds: what an operation of the journal did to its object, field by field.

As it is told to people and to the audit: what the target held, and what it was sent.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from canonical.data import model_of
from canonical.facts import facts
from canonical.kind import FIELDS, Kind, Op

REMOVALS: Final = (Op.RETIRE, Op.DELETE)


def moved(
    op: str, kind: str, fields: Sequence[str], before: Mapping[str, Any] | None, draft: Any
) -> dict[str, dict[str, Any]]:
    """Each field with what was there `before` and what was to be there `after` it.

    Of a create those that were stated, of an update those that were sent, of a removal those that
    are known of what was removed; there nothing comes after.
    """
    had, after = before or {}, _sent(draft)
    if op in REMOVALS:
        names = [*had]
    elif op == Op.CREATE:
        names = [name for name, value in after.items() if value is not None]
    else:
        names = [*fields]
    if op in REMOVALS:
        after = {}
    return {
        name: {"before": had.get(name), "after": after.get(name)}
        for name in FIELDS[Kind(kind)]
        if name in names
    }


def currency_of(before: Mapping[str, Any] | None, draft: Any) -> str | None:
    """What the amounts are in: what is sent says it, else what was there."""
    found: str | None = _sent(draft).get("currency") or (before or {}).get("currency")
    return found


def _sent(draft: Any) -> Mapping[str, Any]:
    model = draft.get("model") if isinstance(draft, Mapping) else None
    if not isinstance(model, Mapping):
        return {}
    made = model_of(model)
    kind = Kind.ALLOCATION if "entity" in model else Kind.BUDGET
    return dict(zip(FIELDS[kind], facts(made), strict=True))
