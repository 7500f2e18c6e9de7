"""Budgets, allocations and moves as JSON-ready data, for saved plans and the journal; and back."""

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import convert, json

from canonical.allocation import Allocation
from canonical.budget import Budget
from canonical.money import Move


def model_data(model: Budget | Allocation) -> dict[str, Any]:
    """Every field by its name; amounts and dates are text, tuples are lists."""
    data: dict[str, Any] = json.decode(json.encode(model, enc_hook=dict))
    return data


def model_of(data: Mapping[str, Any]) -> Budget | Allocation:
    """The model that `model_data` made the data of; raises `ValueError` where it made no such."""
    kind: type[Budget] | type[Allocation] = Allocation if "entity" in data else Budget
    return convert(data, kind)


def moves_data(moves: Sequence[Move]) -> list[dict[str, Any]]:
    """As `model_data`, of how an amount moves from which day on."""
    data: list[dict[str, Any]] = json.decode(json.encode(moves))
    return data


def moves_of(data: Sequence[Mapping[str, Any]]) -> tuple[Move, ...]:
    """The moves that `moves_data` made the data of; raises `ValueError` where it made no such."""
    return convert(data, tuple[Move, ...])
