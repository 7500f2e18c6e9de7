"""Data that carries its own digest shows where somebody changed it."""

import pytest

from canonical.digest import digest_of, is_sealed

DATA = {"plan": "p", "changes": [{"amount": "1.00"}]}


def test_data_with_its_digest_is_sealed_in_whatever_order():
    assert is_sealed({"digest": digest_of(DATA), "changes": DATA["changes"], "plan": "p"})


@pytest.mark.parametrize(
    "said", [{"plan": "q"}, {"more": 1}, {"digest": ""}, {"changes": [{"amount": "1.0"}]}]
)
def test_what_was_changed_is_not(said):
    assert not is_sealed(DATA | {"digest": digest_of(DATA)} | said)


def test_what_says_no_digest_is_not_sealed():
    assert not is_sealed(DATA)
