"""What "not found" proves as an answer, and what it does not."""

import pytest

from connectors.calling.absence import of_a_listing, prove_gone
from connectors.contract.errors import Call, Missing, Transient

CALL = Call("acme", "DELETE", "/budgets/1", 404)
NOT_FOUND = Missing("not found", call=CALL, hint="look")


def test_what_a_look_does_not_show_is_gone():
    prove_gone(NOT_FOUND, lambda: False)


def test_what_a_look_shows_is_not_gone_whatever_the_removal_was_answered():
    with pytest.raises(Transient, match="not found, and it is there all the same") as caught:
        prove_gone(NOT_FOUND, lambda: True)
    assert (caught.value.call, caught.value.hint) == (CALL, "look")


def test_a_listing_that_is_not_found_is_to_be_asked_again():
    def fetch(token):
        raise NOT_FOUND

    with pytest.raises(Transient, match="not found") as caught:
        of_a_listing(fetch)(None)
    assert caught.value.call == CALL


def test_a_listing_that_is_found_is_what_it_is():
    assert of_a_listing(lambda token: [token])("2") == ["2"]
