"""Scripts change and print the nouns with `dataclasses`, as they did when these were such."""

from dataclasses import asdict, fields, replace
from datetime import date
from decimal import Decimal

import pytest
from msgspec import Struct

from canonical.actual import Actual
from canonical.allocation import Alert, Allocation, Entity
from canonical.amount import Amount
from canonical.budget import Budget, Phase
from canonical.period import Period
from connectors.contract.records import Observed

NOUNS = (Amount, Period, Phase, Entity, Alert, Allocation, Budget, Actual, Observed)


@pytest.mark.parametrize("noun", NOUNS)
def test_every_noun_has_its_fields(noun: type[Struct]) -> None:
    assert [field.name for field in fields(noun)] == [*noun.__struct_fields__]


def test_a_budget_is_changed_by_replace() -> None:
    budget = Budget(ref="SAL", name="Sales", amount=Amount(Decimal("12.50"), "USD"))

    changed = replace(budget, amount=Amount(Decimal(13), "USD"))

    assert changed == Budget(ref="SAL", name="Sales", amount=Amount(Decimal(13), "USD"))


def test_asdict_goes_down_to_the_amounts() -> None:
    phase = Phase(Period(date(2026, 1, 1), date(2026, 1, 31)), Amount(Decimal("12.50"), "USD"))

    assert asdict(phase) == {
        "period": {"start": date(2026, 1, 1), "end": date(2026, 1, 31)},
        "amount": {"value": Decimal("12.50"), "unit": "USD"},
    }
