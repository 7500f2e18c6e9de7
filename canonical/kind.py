"""The kinds of objects, the fields that each has, and what can be done to one."""

from collections.abc import Collection, Mapping
from enum import StrEnum
from typing import Final

from canonical.allocation import Allocation
from canonical.budget import Budget
from canonical.facts import ALLOCATION_FIELDS, BUDGET_FIELDS, Facts


class Kind(StrEnum):
    """What a change is about."""

    BUDGET = "budget"
    ALLOCATION = "allocation"


FIELDS: Final[Mapping[Kind, tuple[str, ...]]] = {
    Kind.BUDGET: BUDGET_FIELDS,
    Kind.ALLOCATION: ALLOCATION_FIELDS,
}
"""The names that go with the facts of an object, by its kind."""

NAMED: Final[Mapping[Kind, str]] = {Kind.BUDGET: "name", Kind.ALLOCATION: "entity"}
"""The field by which people call an object, by its kind."""


def unsaid(kind: Kind) -> Facts:
    """The facts of an object of which nothing is known."""
    return (None,) * len(FIELDS[kind])


def where(kind: Kind, names: Collection[str], new: Facts, old: Facts) -> Facts:
    """The new values of the fields that are named, the old ones of all others."""
    fields = zip(FIELDS[kind], new, old, strict=True)
    return tuple(now if name in names else then for name, now, then in fields)


def kind_of(model: Budget | Allocation) -> Kind:
    """Which kind of object `model` is."""
    return Kind.BUDGET if isinstance(model, Budget) else Kind.ALLOCATION


class Op(StrEnum):
    """What a change does; `blocked` marks one that the target cannot hold."""

    CREATE = "create"
    UPDATE = "update"
    RETIRE = "retire"
    DELETE = "delete"
    BLOCKED = "blocked"
