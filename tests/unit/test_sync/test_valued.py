import pytest

from sync.state.waits import Undecidable
from sync.valued import fact_of


@pytest.mark.parametrize(
    ("field", "text", "fact"),
    [
        ("amount", "1250.5", "1250.50"),
        ("amount", "1250 USD", "1250.00"),
        ("name", " Travel ", "Travel"),
        ("start", "2026-01-31", "2026-01-31"),
        ("end", "2150-01-01", None),
        ("status", "retired", "retired"),
        ("cadence", "monthly", "monthly"),
        ("carry_over", "true", True),
        ("currency", "EUR", "EUR"),
        ("entity", "user:ada@example.com", "user:ada@example.com"),
        ("owners", "bob; ada;", ("ada", "bob")),
        ("dimensions", "b=2; a=1", (("a", "1"), ("b", "2"))),
    ],
)
def test_a_value_is_read_as_the_field_holds_it(field, text, fact):
    assert fact_of(field, text, "USD") == fact


@pytest.mark.parametrize(
    ("field", "text", "currency", "said"),
    [
        ("amount", "12.505", "USD", "12.50 would be right"),
        ("amount", "12.5", "JPY", "12 would be right"),
        ("amount", "1,250", "USD", "such as 1250.00"),
        ("amount", "-5", "USD", "such as 1250.00"),
        ("amount", "1e3", "USD", "such as 1250.00"),
        ("amount", "٣", "USD", "such as 1250.00"),
        ("amount", "12 EUR", "USD", "another currency than USD"),
        ("amount", "12", None, "in which currency"),
        ("start", "2026-02-30", "USD", "no day such as"),
        ("amount", "9" * 5000, "USD", "5000 digits is no amount"),
        ("start", "20260131", "USD", "no day such as"),
        ("start", "2026-W01-1", "USD", "no day such as"),
        ("status", "open", "USD", "active, inactive, retired"),
        ("carry_over", "yes", "USD", "true nor false"),
        ("currency", "usd", "USD", "write USD"),
        ("entity", "ada", "USD", "user:ada@example.com"),
        ("dimensions", "a", "USD", "KEY=VALUE"),
        ("phases", "2026-01 5", "USD", "cannot be typed"),
        ("name", "", "USD", "no value"),
        ("name", "a\0b", "USD", "U+0000"),
    ],
)
def test_what_the_field_cannot_hold_is_refused_with_what_would_be_right(
    field, text, currency, said
):
    with pytest.raises(Undecidable, match=None) as refused:
        fact_of(field, text, currency)
    assert said in str(refused.value)
