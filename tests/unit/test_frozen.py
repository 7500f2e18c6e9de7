"""Budgets are made in a quicker way than dataclasses are, and must be like them in all else."""

import copy
import pickle
from dataclasses import FrozenInstanceError, replace

import pytest
from pydantic import TypeAdapter

from canonical.budget import Budget

BUDGET = Budget(ref="CC1", name="Travel", amount=None, owners=("ada",))


def test_what_was_made_is_of_its_own_class_and_frozen():
    assert type(BUDGET) is Budget
    with pytest.raises(FrozenInstanceError):
        BUDGET.name = "Software"
    with pytest.raises(FrozenInstanceError):
        del BUDGET.name


def test_defaults_are_filled_in_and_not_shared():
    other = Budget(ref="CC2", name="Software", amount=None)
    assert other.owners is None
    assert other.dimensions == {}
    assert other.dimensions is not BUDGET.dimensions


@pytest.mark.parametrize(
    "said", [{}, {"ref": "CC1"}, {"ref": "1", "name": "", "amount": None, "x": 1}]
)
def test_a_missing_or_unknown_field_is_refused(said):
    with pytest.raises(TypeError):
        Budget(**said)


@pytest.mark.parametrize(
    "again",
    [
        replace,
        copy.copy,
        copy.deepcopy,
        lambda budget: pickle.loads(pickle.dumps(budget)),
        lambda budget: TypeAdapter(Budget).validate_python(TypeAdapter(Budget).dump_python(budget)),
    ],
)
def test_a_copy_of_any_kind_is_equal_and_frozen_too(again):
    found = again(BUDGET)
    assert found == BUDGET
    assert type(found) is Budget
    with pytest.raises(FrozenInstanceError):
        found.name = "Software"
