"""Texts: what no state can hold is refused, what nobody can tell apart is one ref."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canonical.text import Unkept, joined, kept, likeness, ref

ANY = st.text(st.characters(exclude_categories=[]))  # with halves of surrogate pairs


@pytest.mark.parametrize(
    "spelled",
    ["Caf\u0065\u0301 1", "Caf\u00e9\u00a01", "\u200bCaf\u00e9 1", "Caf\u00e9\u20091\ufeff", " Caf\u00e9\t1\n"],
    ids=["decomposed", "no-break space", "zero width", "thin space and mark", "tab"],
)  # fmt: skip
def test_spellings_that_nobody_can_tell_apart_are_one_ref(spelled):
    assert ref(spelled) == "Caf\u00e9 1"


@pytest.mark.parametrize("bad", ["A\x00", "A\x07B", "A\ud800", "\x9b"])
def test_a_ref_with_a_control_character_is_refused_by_its_number(bad):
    with pytest.raises(Unkept, match=r"U\+[0-9A-F]{4}, which is no part of a ref"):
        ref(bad)


def test_a_text_loses_what_nobody_sees_and_keeps_its_lines():
    assert kept("a\x1b[31m\u009b\tb\r\nc") == "a[31m\tb\r\nc"


@pytest.mark.parametrize("bad", ["a\x00b", "\udc80"])
def test_a_text_that_no_state_can_hold_is_refused(bad):
    with pytest.raises(Unkept, match="no part of a text"):
        kept(bad)


@given(ANY)
def test_a_text_that_is_kept_can_be_written_and_read_again_is_the_same(text):
    try:
        once = kept(text)
    except Unkept:
        return
    assert once.encode().decode() == once == kept(once)
    assert "\x00" not in once


@given(ANY)
def test_a_ref_that_is_read_again_is_the_same_in_composed_form(text):
    try:
        once = ref(text)
    except Unkept:
        return
    assert ref(once) == once == unicodedata.normalize("NFC", once)
    assert ref(unicodedata.normalize("NFD", once)) == once
    assert once == kept(once)


@pytest.mark.parametrize(("one", "other"), [("MKT", "mkt"), ("00123", "123"), ("0", "000")])
def test_capitals_and_leading_zeros_alone_make_refs_alike(one, other):
    assert likeness(one) == likeness(other)


@pytest.mark.parametrize(("one", "other"), [("MKT", "MKT1"), ("100", "10"), ("A01", "A1")])
def test_other_refs_are_not_alike(one, other):
    assert likeness(one) != likeness(other)


@given(*[st.text("/%25F:A", max_size=5)] * 4)
def test_two_pairs_never_have_one_key(container, inner, other, its):
    same = (container, inner) == (other, its)
    assert (joined(container, inner) == joined(other, its)) is same


def test_a_key_is_readable_where_nothing_speaks_against_it():
    assert joined("MKT", "user:ada@example.com") == "MKT/user:ada@example.com"
