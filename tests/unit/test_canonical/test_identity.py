import pytest

from canonical.allocation import Allocation, Entity
from canonical.amount import Amount
from canonical.budget import Budget
from canonical.identity import EntityMap, natural_key, stamped, unstamped


@pytest.mark.parametrize("ref", ["B1", "a b", "x]y", "[z", "kö/ln", "100%", "日本"])
@pytest.mark.parametrize("text", [None, "of the year", "[in brackets]"])
def test_a_stamp_is_read_back_and_leaves_the_text_as_it_was(text, ref):
    assert unstamped(stamped(text, ref)) == (text, ref)


def test_a_stamp_is_ascii_and_readable_where_the_ref_is():
    assert stamped("Travel", "cc/6100:eu") == "Travel [trueup:cc/6100:eu]"
    assert stamped(None, "kö").isascii()


def test_without_a_ref_nothing_is_stamped():
    assert stamped("Travel", None) == "Travel"
    assert stamped(None, None) == ""


@pytest.mark.parametrize("text", [None, "", "Travel", "[trueup:B1] first", "[trueup:]"])
def test_text_without_a_stamp_at_its_end_is_left_alone(text):
    assert unstamped(text) == (text, None)


def test_only_the_last_stamp_counts():
    assert unstamped("x [trueup:A] [trueup:B]") == ("x [trueup:A]", "B")


def test_a_stamp_survives_blanks_that_a_vendor_adds():
    assert unstamped("Travel  [trueup:B1] \n") == ("Travel", "B1")


def named(name):
    return natural_key(Budget(ref="B", name=name, amount=Amount.of(1, "USD")))


def test_natural_keys_ignore_case_blanks_and_ways_to_write_a_letter():
    assert named(" Büro  BERLIN ") == named("bu\u0308ro berlin")
    assert named("ﬁnance") == named("Finance")
    assert named("Büro") != named("Buro")


def test_an_allocation_is_recognised_by_its_entity():
    share = Allocation(ref="a", budget="B", entity=Entity("user", "Ada"), amount=None)
    assert natural_key(share) == "user:ada"


def test_who_has_a_row_is_translated_and_who_has_none_passes_through():
    people = EntityMap({"user:ada@example.com": "u_1"})
    assert people.theirs(Entity("user", "ada@example.com")) == "u_1"
    assert people.ours("user", "u_1") == Entity("user", "ada@example.com")
    assert people.theirs(Entity("user", "bob")) == "bob"
    assert people.ours("user", "bob") == Entity("user", "bob")


def test_a_row_counts_only_for_its_own_type():
    people = EntityMap({"user:ada": "x_1"})
    assert people.theirs(Entity("department", "ada")) == "ada"
    assert people.ours("department", "x_1") == Entity("department", "x_1")


@pytest.mark.parametrize(
    ("said", "ref"), [("A%00", None), ("A%07", None), ("Cafe%CC%81%C2%A01", "Café 1")]
)
def test_a_stamp_names_a_ref_in_its_one_spelling_or_is_none(said, ref):
    text = f"of the year [trueup:{said}]"
    assert unstamped(text) == (("of the year", ref) if ref else (text, None))
