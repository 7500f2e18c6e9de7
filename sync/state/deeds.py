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
    op: str,
    kind: str,
    fields: Sequence[str],
    before: Mapping[str, Any],
    after: Mapping[str, Any],
) -> dict[str, dict[str, Any]]:
    """Each field with what was there `before` and what was to be there `after` it.

    Of a create those that were stated, of an update those that were sent, of a removal those that
    are known of what was removed; there nothing comes after.
    """
    if op in REMOVALS:
        names, after = [name for name, value in before.items() if value is not None], {}
    elif op == Op.CREATE:
        names = [name for name, value in after.items() if value is not None]
    else:
        names = [*fields]
    return {
        name: {"before": before.get(name), "after": after.get(name)}
        for name in FIELDS[Kind(kind)]
        if name in names
    }


def sent(draft: Any) -> Mapping[str, Any]:
    """What the journal's draft says of each field; nothing for a removal."""
    model = draft.get("model") if isinstance(draft, Mapping) else None
    if not isinstance(model, Mapping):
        return {}
    kind = Kind.ALLOCATION if "entity" in model else Kind.BUDGET
    return dict(zip(FIELDS[kind], facts(model_of(model)), strict=True))
