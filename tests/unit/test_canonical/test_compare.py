"""One field at a time: who moved it, and what a blank says of it."""

import pytest

from canonical.compare import Baseline, Cause, differences


def compared(name, desired, observed, agreed=None):
    """The differences in one field that is held; `agreed` is what was wanted, and its echo."""
    baseline = None if agreed is None else Baseline(*((value,) for value in agreed))
    found = differences([name], {name}, (desired,), (observed,), baseline)
    return [(each.before, each.after, each.cause) for each in found]


def test_what_the_source_states_anew_is_the_sources():
    assert compared("name", "new", "old", ("old", "old")) == [("old", "new", Cause.SOURCE)]
    assert compared("name", "new", "OLD", ("old", "OLD")) == [("OLD", "new", Cause.SOURCE)]


def test_what_was_never_agreed_is_the_sources():
    assert compared("name", "new", "old") == [("old", "new", Cause.SOURCE)]


def test_a_text_in_the_vendors_own_spelling_is_no_difference():
    assert compared("name", "Ads & Co", "ads & co", ("Ads & Co", "ads & co")) == []


def test_money_in_the_vendors_own_spelling_is_drift():
    found = compared("amount", "5.005", "5.00", ("5.005", "5.00"))
    assert found == [("5.00", "5.005", Cause.DRIFT)]


def test_an_end_that_is_blank_is_none_whoever_set_it():
    assert compared("end", None, "2026-12-31") == [("2026-12-31", None, Cause.SOURCE)]


@pytest.mark.parametrize("agreed", [None, (None, "theirs"), ("ours", "ours")])
def test_a_description_that_is_blank_leaves_what_is_theirs(agreed):
    assert compared("description", None, "theirs", agreed) == []


def test_a_description_that_was_stated_and_is_blank_is_taken_back():
    assert compared("description", None, "ours", ("ours", "ours")) == [("ours", None, Cause.SOURCE)]


def test_a_blank_takes_back_no_name():
    assert compared("name", None, "ours", ("ours", "ours")) == []
