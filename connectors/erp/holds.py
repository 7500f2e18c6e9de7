"""Holds: what the connectors of ERP systems declare alike."""

from collections.abc import Mapping
from typing import Final

from connectors.contract.capabilities import Hold

AMOUNTS_ARE_WRITTEN: Final[Mapping[str, Hold]] = {
    "name": Hold.READ_ONLY,
    "amount": Hold.EXACT,
    "currency": Hold.EXACT,
    "cadence": Hold.EXACT,
    "start": Hold.READ_ONLY,
    "end": Hold.READ_ONLY,
    "phases": Hold.EXACT,
    "status": Hold.READ_ONLY,
}
"""Of budgets whose lines take other amounts."""
SHARES_ARE_READ: Final[Mapping[str, Hold]] = {
    "budget": Hold.READ_ONLY,
    "entity": Hold.READ_ONLY,
    "amount": Hold.READ_ONLY,
    "currency": Hold.FOLLOWS,
    "status": Hold.READ_ONLY,
    "cadence": Hold.READ_ONLY,
    "start": Hold.READ_ONLY,
    "end": Hold.READ_ONLY,
    "phases": Hold.READ_ONLY,
}
"""Of allocations, into which nothing is written."""
