"""Deeds: what a run did to each object, its operations taken together."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from canonical.data import model_of
from canonical.facts import Fact, facts
from canonical.image import Image
from canonical.kind import FIELDS, Kind, Op
from canonical.side import Side
from sync.match import Key
from sync.state.journal import Operation, State


@dataclass(frozen=True, slots=True, kw_only=True)
class Deed:
    """What became of one object: `before` is what was there, `after` what it was left as.

    Of an update `before` tells the `fields` that it wrote, of a removal all, of a create nothing.
    """

    op: Op
    kind: Kind
    key: Key
    target_id: str | None
    fields: tuple[str, ...] = ()
    before: Image = field(default_factory=dict)
    after: Image = field(default_factory=dict)

    @property
    def object(self) -> tuple[Kind, Key]:
        """Names the object within its sync."""
        return self.kind, self.key


def deeds_of(operations: Iterable[Operation], side: Side = Side.TARGET) -> list[Deed]:
    """What the applied ones of a run did on that side, an object each, in the order in which it was
    done.

    Of several parts of one change the first tells what was there, the last what was left.
    """
    found: dict[tuple[Kind, Key], Deed] = {}
    for each in operations:
        if each.state is State.APPLIED and each.side is side:
            deed = _deed(each)
            earlier = found.get(deed.object)
            found[deed.object] = deed if earlier is None else _together(earlier, deed)
    return list(found.values())


def _deed(operation: Operation) -> Deed:
    names = FIELDS[operation.kind]
    return Deed(
        op=operation.op,
        kind=operation.kind,
        key=(operation.budget_ref, operation.ref),
        target_id=operation.target_id,
        fields=tuple(name for name in names if name in operation.fields),
        before={name: _fact(said) for name, said in (operation.before or {}).items()},
        after=_after(operation.draft),
    )


def _together(first: Deed, second: Deed) -> Deed:
    """What a later part wrote counts, of what it did not write what the earlier one wrote."""
    written = {name: first.after.get(name) for name in first.fields if name not in second.fields}
    return replace(
        second,
        op=first.op if first.op is Op.CREATE else second.op,
        fields=tuple(dict.fromkeys((*first.fields, *second.fields))),
        before={**second.before, **first.before},
        after={**second.after, **written},
    )


def _after(draft: Any) -> dict[str, Fact]:
    if not isinstance(draft, Mapping):
        return {}
    model = model_of(draft["model"])
    kind = Kind.ALLOCATION if "entity" in draft["model"] else Kind.BUDGET
    return dict(zip(FIELDS[kind], facts(model), strict=True))


def _fact(value: Any) -> Fact:
    return tuple(map(_fact, value)) if isinstance(value, list) else value
