"""The kinds of objects, and what can be done to one."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from canonical.allocation import Allocation
from canonical.budget import Budget
from canonical.facts import ALLOCATION_FIELDS, BUDGET_FIELDS


class Kind(StrEnum):
    """What a change is about."""

    BUDGET = "budget"
    ALLOCATION = "allocation"


FIELDS: Final[Mapping[Kind, tuple[str, ...]]] = {
    Kind.BUDGET: BUDGET_FIELDS,
    Kind.ALLOCATION: ALLOCATION_FIELDS,
}
"""The names that go with the facts of an object, by its kind."""


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
