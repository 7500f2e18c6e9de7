"""People: whom the source names and the target does not know, and who they may be there."""

from dataclasses import replace

import pytest

from canonical.allocation import Allocation, Entity, Status
from canonical.amount import Amount
from canonical.budget import Budget
from connectors.contract.errors import Forbidden
from connectors.contract.records import Listed, Resolved
from connectors.memory.connector import Memory
from sync.intake.selection import Rule, Selection
from sync.likeness import By, Register
from sync.people import people

ADA = Listed("u1", "Ada Lovelace", "ada@example.com")
GRACE = Listed("u2", "Grace Brewster Hopper", "ghopper@example.com")
JOSE = Listed("u3", "José Núñez", "jn@example.com")
EVERYBODY = (ADA, GRACE, JOSE)


class Platform(Memory):
    """Knows by id those whom it lists, and by e-mail Ada."""

    def resolve(self, entities):
        ids = {each.id for some in self.listed.values() for each in some}
        there = {each: Entity("user", "u1") for each in entities if each.id == "ada@example.com"}
        unknown = {each: f"no {each}" for each in entities if each.id not in ids}
        return Resolved(there, {each: why for each, why in unknown.items() if each not in there})


def platform(*listed, of="user", **able):
    made = Platform.with_capabilities(**able)("cards") if able else Platform("cards")
    made.listed = {of: listed}
    return made


def source(*entities, owners=(), status=Status.ACTIVE):
    erp = Memory("erp")
    shares = tuple(
        Allocation(ref=f"S{n}", budget="B", entity=Entity(*each.split(":", 1)), amount=usd())
        for n, each in enumerate(entities)
    )
    budget = Budget(ref="B", name="B", amount=usd(), owners=owners, allocations=shares)
    erp.put(replace(budget, status=status))
    return erp


def usd():
    return Amount.of(10, "USD")


def found(*entities, listed=EVERYBODY, rows=None, **said):
    return people("s", source(*entities, **said), platform(*listed), rows or {})


def proposals(looked):
    return {str(each.entity): each.proposal and each.proposal.id for each in looked.unknown}


@pytest.mark.parametrize(
    ("ours", "id", "by"),
    [
        ("ADA@example.com", "u1", By.EMAIL),
        ("U1", "u1", By.ID),
        ("ada@old.example.org", "u1", By.LOCAL_PART),
        ("ada", "u1", By.LOCAL_PART),
        ("Lovelace, Ada", "u1", By.NAME),
        ("ada.lovelace@old.example.org", "u1", By.NAME),
        ("jose NUNEZ", "u3", By.NAME),
    ],
)
def test_somebody_is_found_by_the_surest_way_there_is(ours, id, by):
    way, (one,) = Register(EVERYBODY).like(ours)
    assert (way, one.id) == (by, id)


@pytest.mark.parametrize("ours", ["", "@", "ada lovelace hopper", "adalovelace", "-", "a"])
def test_what_only_resembles_a_name_is_nobody(ours):
    assert Register(EVERYBODY).like(ours) == (None, ())


def test_an_email_decides_before_anything_else_that_is_alike():
    named_so = Listed("u9", "ada@example.com")
    assert Register([named_so, ADA]).like("ada@example.com") == (By.EMAIL, (ADA,))


def test_several_who_are_alike_are_shown_and_none_is_proposed():
    twins = (Listed("u1", "Ada", "ada@a.com"), Listed("u2", "Ada", "ada@b.com"))
    (unknown,) = found("user:ada@old.com", listed=twins).unknown
    assert (unknown.found, unknown.proposal) == (twins, None)


def test_whom_the_target_knows_is_not_asked_about():
    looked = found("user:u2", "user:ada@example.com")
    assert (looked.named, looked.unknown) == (2, ())


def test_owners_are_people_too_and_each_is_named_with_one_budget():
    looked = found("user:ghopper", owners=("ghopper", "u1"))
    (unknown,) = looked.unknown
    assert (str(unknown.entity), unknown.where, unknown.count) == ("user:ghopper", "B", 2)
    assert unknown.proposal == GRACE


def test_two_of_ours_are_never_one_of_theirs():
    looked = found("user:ada@old.com", "user:Ada Lovelace")
    assert proposals(looked) == {"user:Ada Lovelace": None, "user:ada@old.com": None}
    assert "user:Ada Lovelace" in (looked.unknown[1].against or "")


def test_one_who_has_a_row_is_nobody_else():
    looked = found("user:ada@old.com", rows={"user:countess": "u1"})
    assert proposals(looked) == {"user:ada@old.com": None}
    assert looked.unknown[0].against == "u1 is user:countess as well"


def test_one_whom_the_target_knows_by_email_is_nobody_else():
    looked = found("user:ada@old.com", "user:ada@example.com")
    assert looked.unknown[0].against == "u1 is user:ada@example.com as well"


def test_a_row_that_is_wrong_is_left_to_whoever_wrote_it():
    looked = found("user:ada@old.com", rows={"user:ada@old.com": "gone"})
    assert proposals(looked) == {"user:ada@old.com": None}
    assert looked.unknown[0].found == ()


def test_what_is_out_of_use_names_nobody():
    assert found("user:nobody", owners=("x",), status=Status.RETIRED).named == 0


@pytest.mark.parametrize(("ref", "named"), [("B", 2), ("C*", 0)])
def test_only_what_the_sync_selects_names_anybody(ref, named):
    erp, select = source("user:ada@old.com", owners=("x",)), Selection((Rule("ref", (ref,)),))
    assert people("s", erp, platform(*EVERYBODY), {}, select).named == named


def test_one_whom_only_an_unselected_budget_names_is_nobody_else():
    erp, select = source("user:ada@old.com"), Selection((Rule("ref", ("B",)),))
    erp.put(Budget(ref="C", name="C", amount=usd(), owners=("ada@example.com",)))
    (unknown,) = people("s", erp, platform(*EVERYBODY), {}, select).unknown
    assert unknown.against == "u1 is user:ada@example.com as well"


def test_the_users_of_a_share_that_several_have_are_told_one_by_one():
    assert proposals(found("user:u2,ada@old.com")) == {"user:ada@old.com": "u1"}


def test_a_target_without_a_directory_says_so_by_type():
    looked = found("account:6100", "user:ada@old.com")
    assert looked.unasked == {"account": "cards lists no account"}
    assert proposals(looked) == {"account:6100": None, "user:ada@old.com": "u1"}


def test_a_credential_that_may_not_list_is_told_and_is_no_empty_list():
    target = platform(ADA)
    target.before = _refusing
    looked = people("s", source("user:ada@old.com"), target, {})
    assert looked.unasked == {"user": "the token may not"}


def test_types_that_the_target_has_no_place_for_are_counted_apart():
    target = platform(ADA, entity_types=frozenset({"user"}))
    looked = people("s", source("account:1", "account:2", "user:ada@old.com"), target, {})
    assert (looked.named, dict(looked.unheld)) == (1, {"account": 2})


def test_whom_a_system_only_doubts_is_unknown_too():
    target = platform(ADA)
    target.resolve = lambda entities: Resolved(doubtful=dict.fromkeys(entities, "no row"))
    assert [each.reason for each in people("s", source("user:x"), target, {}).unknown] == ["no row"]


def _refusing(operation, subject):
    if operation == "directory":
        raise Forbidden("the token may not")
