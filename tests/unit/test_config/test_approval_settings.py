"""The words of a sync for what needs an approval."""

from datetime import timedelta
from decimal import Decimal

import pytest
from pydantic import ValidationError

from config.settings import Sync
from config.wiring import approval_of
from sync.spec import Approval, Limit

TENTH = Decimal("0.1")


@pytest.mark.parametrize(
    ("word", "over"),
    [
        ("always", None),
        ("over 10%", Limit(TENTH)),
        ("over 5000 USD", Limit(money={"USD": Decimal(5000)})),
        ("over 10%, 5000 USD", Limit(TENTH, 0, {"USD": Decimal(5000)})),
        ("over 5000 USD, 4000.50 EUR", Limit(None, 0, {"USD": Decimal(5000), "EUR": Decimal("4000.50")})),
        ("over 0%", Limit(Decimal(0))),
    ],
)  # fmt: skip
def test_each_word_says_what_passes_without(word, over):
    own = Sync(source="a", target="b", approval=word, approval_expires="12h", four_eyes=True)
    assert approval_of(own) == Approval(over, timedelta(hours=12), True)


def test_none_is_needed_unless_it_is_said():
    own = Sync(source="a", target="b")
    assert approval_of(own) is None
    assert own.expires() == timedelta(days=7)


@pytest.mark.parametrize(
    "word",
    ["", "over", "10%", "over 10", "over ten%", "over 5000", "over 5 XXQ", "over 5 USD, 6 USD",
     "over 5 USD, 10%", "Always", "over -5%", "over 10%\n", 10, True, "over 5000USD"],
)  # fmt: skip
def test_what_is_no_word_is_refused_with_what_would_be_right(word):
    with pytest.raises(ValidationError, match=r"over|twice|currency"):
        Sync(source="a", target="b", approval=word)


@pytest.mark.parametrize("time", ["7", "0d", "a week", "-1d", 7])
def test_a_time_that_is_none_is_refused(time):
    with pytest.raises(ValidationError, match="approval_expires"):
        Sync(source="a", target="b", approval_expires=time)
