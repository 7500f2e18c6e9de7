"""Budgets and allocations as JSON-ready data, for saved plans and the journal; and back."""

from collections.abc import Mapping
from typing import Any

from msgspec import convert, json

from canonical.allocation import Allocation
from canonical.budget import Budget


def model_data(model: Budget | Allocation) -> dict[str, Any]:
    """Every field by its name; amounts and dates are text, tuples are lists."""
    data: dict[str, Any] = json.decode(json.encode(model, enc_hook=dict))
    return data


def model_of(data: Mapping[str, Any]) -> Budget | Allocation:
    """The model that `model_data` made the data of; raises `ValueError` where it made no such."""
    kind: type[Budget] | type[Allocation] = Allocation if "entity" in data else Budget
    return convert(data, kind)
