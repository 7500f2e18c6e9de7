"""What waits says in which currency each side's amount is."""

import pytest

from canonical.waiting import Rule, Waiting


@pytest.mark.parametrize(
    ("money", "beside", "currencies"),
    [
        ("100.00 USD", None, ("USD", "USD")),
        (None, None, (None, None)),
        ("100.00 USD", (("currency", "EUR", "USD"),), ("EUR", "USD")),
        ("100.00 USD", [["currency", None, "GBP"]], ("USD", "GBP")),
        ("100.00 USD", (("cadence", "monthly", "yearly"),), ("USD", "USD")),
        ("100.00 USD", (("currency", "EUR"),), ("USD", "USD")),
        ("100.00 USD", ("currency",), ("USD", "USD")),
    ],
)
def test_each_side_has_its_own_currency_where_it_says_one(money, beside, currencies):
    waiting = Waiting(rule=Rule.CONFLICT, reason="both moved", money=money, beside=beside)

    assert waiting.currencies == currencies
