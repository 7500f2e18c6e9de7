"""Members that are put together, as the BILL connector does it over its sandbox; and who has which
membership."""

from dataclasses import replace
from datetime import date

import pytest
from msgspec import structs

from canonical.allocation import Entity, Status
from canonical.amount import Amount
from canonical.kind import Kind
from connectors.bill.declared import AT_ONCE
from connectors.contract.errors import (
    Missing,
    Rejected,
    Transient,
    Unauthorized,
    Uncertain,
)
from tests.vendors.bill.desk import GRACE, budget, listed, share, usd

PEOPLE = [
    {"id": f"u{n}", "firstName": "U", "lastName": str(n), "email": f"u{n}@x.com"} for n in range(6)
]
EMAILS = [each["email"] for each in PEOPLE]
LATER = date(2027, 3, 10)
ROWS = {"user:gone": "u4", "user:nobody": "u9"}


@pytest.fixture
def office(open_desk):
    """A company of six, of whom u4 is retired, one budget, and a connector that has listed it."""

    def opened(**switches):
        people = [{**each, "retired": each["id"] == "u4"} for each in PEOPLE]
        desk = open_desk(seed={"users": people}, **switches)
        bill = desk.open(default_owner="u0", entities=ROWS)
        made = bill.create(budget(), "k")
        listed(bill, Kind.BUDGET)
        listed(bill, Kind.ALLOCATION)
        bill.probe([share(made.id, "u1@x.com")])  # from here on it knows who is who
        desk.calls()
        return desk, bill, made.id

    return opened


def together(bill, drafts):
    return [*bill.create_many(drafts, ["k"] * len(drafts))]


def shares(id, *names):
    return [share(id, name, 10 + n) for n, name in enumerate(names)]


def words(calls):
    return [(method, path.rpartition("/")[2]) for method, path in calls]


# Calls


def test_five_members_are_put_in_one_call_and_listed_in_another(office):
    desk, bill, id = office()
    made = together(bill, shares(id, *EMAILS[:4], "u5@x.com"))
    assert words(desk.calls()) == [("PUT", "bulk"), ("GET", "members")]
    assert [each.model.amount for each in made] == [usd(10 + n) for n in range(5)]
    assert len(made) == AT_ONCE == bill.capabilities.batch


def test_one_that_is_left_is_put_by_itself(office):
    desk, bill, id = office()
    refused, made = together(bill, shares(id, "who@x.com", "u1@x.com"))
    assert isinstance(refused, Rejected)
    assert words(desk.calls()) == [("PUT", "u1")]
    assert made.model.amount == usd(11)


def test_the_members_of_a_budget_that_was_not_listed_are_listed_once_before(office):
    desk, _, id = office()
    bill = desk.open(default_owner="u0")
    bill.create_many(shares(id, "u1@x.com"), ["k"])
    later = desk.open(default_owner="u0")
    later.probe(shares(id, "u1@x.com"))
    desk.calls()
    taken, made, owner = together(later, shares(id, "u1@x.com", "u2@x.com", "u0@x.com"))
    assert isinstance(taken, Rejected)
    assert words(desk.calls()) == [("GET", "members"), ("PUT", "bulk"), ("GET", "members")]
    assert (made.model.amount, owner.model.amount) == (usd(11), usd(12))


def test_the_role_of_who_was_put_together_is_known(office):
    desk, bill, id = office()
    made, _ = together(bill, shares(id, "u1@x.com", "u2@x.com"))
    desk.calls()
    bill.update(made.id, share(id, "u1@x.com", 5), {"amount"}, "k")
    assert words(desk.calls()) == [("PUT", "u1")]


def test_who_was_put_together_counts_in_the_next_reading(office):
    desk, bill, id = office()
    listed(bill, Kind.BUDGET)
    together(bill, shares(id, "u1@x.com", "u2@x.com"))
    desk.calls()
    listed(bill, Kind.ALLOCATION)
    assert ("GET", "/budgets") in desk.calls()


# What is not documented


@pytest.mark.parametrize("answer", ["nothing", "members", "text"])
def test_whatever_the_one_call_answers_the_list_is_believed(office, answer):
    desk, bill, id = office(bulk_answer=answer)
    made = together(bill, shares(id, *EMAILS[:3]))
    assert words(desk.calls()) == [("PUT", "bulk"), ("GET", "members")]
    assert {each.id: each for each in made} == listed(bill, Kind.ALLOCATION)


@pytest.mark.parametrize(
    ("refusal", "puts"), [("all", ["u1", "u4", "u2"]), ("one", ["u4"]), ("silent", ["u4"])]
)
@pytest.mark.parametrize("answer", ["nothing", "text"])
def test_of_those_that_bill_did_not_take_each_is_put_once_by_itself(office, refusal, puts, answer):
    desk, bill, id = office(bulk_refusal=refusal, bulk_answer=answer)
    first, gone, other = together(bill, shares(id, "u1@x.com", "gone", "u2@x.com"))
    assert isinstance(gone, Rejected)
    assert "is retired" in str(gone)
    assert (first.model.amount, other.model.amount) == (usd(10), usd(12))
    calls = words(desk.calls())
    assert calls == [("PUT", "bulk"), ("GET", "members"), *[("PUT", user) for user in puts]]


def test_an_owner_without_a_share_is_not_taken_for_one_who_was_made(office):
    desk, bill, id = office(bulk_refusal="all")
    owner, gone = together(bill, shares(id, "u0@x.com", "gone"))
    assert (owner.model.amount, type(gone)) == (usd(10), Rejected)
    row = desk.rows["members"].get(owner.id)
    assert (row["budgetRole"], row["limit"]) == ("OWNER", 10)


def test_a_list_that_shows_nobody_leads_to_single_calls(office):
    desk, bill, id = office()
    desk.served.sandbox._members.of = lambda budget: []
    made = together(bill, shares(id, "u1@x.com", "u2@x.com"))
    assert words(desk.calls())[2:] == [("PUT", "u1"), ("PUT", "u2")]
    assert [each.model.amount for each in made] == [usd(10), usd(11)]


# Drafts that cannot be sent


def test_what_cannot_be_sent_is_refused_by_itself(office):
    _, bill, id = office()
    good, *bad = shares(id, "u1@x.com", "who@x.com", "u2@x.com", "U1@X.com", "nobody")
    bad[1] = replace(bad[1], model=structs.replace(bad[1].model, amount=Amount.of(1, "EUR")))
    made, *refused = together(bill, [good, *bad])
    assert made.model.amount == usd(10)
    said = ["no user in use", "not EUR", "has a share of this budget already", "There is no user"]
    for error, expected in zip(refused, said, strict=True):
        assert expected in str(error)
    assert list(listed(bill, Kind.ALLOCATION)) == [made.id]


@pytest.mark.parametrize("listed_before", [True, False])
def test_a_budget_that_is_gone_is_missing_for_each(office, listed_before):
    desk, bill, id = office()
    desk.rows["budgets"].remove(id)
    made = together(bill, shares(id if listed_before else "b9", "u1@x.com", "u2@x.com"))
    assert [type(each) for each in made] == [Missing, Missing]


# Answers that get lost


def test_who_is_not_listed_after_a_lost_answer_is_uncertain_and_not_put_again(office):
    desk, bill, id = office()
    desk.served.faults.add("error_before", method="PUT", times=-1)
    made = together(bill, shares(id, "u1@x.com", "u2@x.com"))
    assert [type(each) for each in made] == [Uncertain, Uncertain]
    assert {path for method, path in words(desk.calls()) if method == "PUT"} == {"bulk"}
    desk.served.faults.clear()
    assert [each.model.amount for each in together(bill, shares(id, "u1@x.com", "u2@x.com"))] == [
        usd(10),
        usd(11),
    ]


def test_what_is_made_and_cannot_be_listed_is_uncertain(office):
    desk, bill, id = office()
    desk.served.faults.add("unauthorized", method="GET")
    made = together(bill, shares(id, "u1@x.com", "u2@x.com"))
    assert [type(each) for each in made] == [Uncertain, Uncertain]
    assert "cannot be listed" in str(made[0])


@pytest.mark.parametrize(
    ("fault", "error"), [("unauthorized", Unauthorized), ("rate_limit", Transient)]
)
def test_what_was_not_done_is_no_more_than_that(office, fault, error):
    desk, bill, id = office()
    desk.served.faults.add(fault, method="PUT", times=-1)
    made = together(bill, shares(id, "u1@x.com", "u2@x.com"))
    assert all(isinstance(each, error) for each in made)
    assert {path for _, path in words(desk.calls())} == {"bulk"}


def test_a_row_that_cannot_be_read_leaves_open_who_is_not_listed(office):
    desk, bill, id = office(bulk_refusal="silent")
    kept = bill.create(share(id, "u3@x.com"), "k")
    rows = desk.rows["members"]
    rows.put({**rows.get(kept.id), "budgetRole": 7})
    made, unknown = together(bill, shares(id, "u1@x.com", "gone"))
    assert made.model.amount == usd(10)
    assert isinstance(unknown, Uncertain)


# whose membership it is


def test_the_plan_says_that_two_allocations_are_for_one_user(desk):
    bill = desk.open(entities={"user:E7": GRACE})
    first = share("b").model
    second = structs.replace(share("b", "GRACE@example.com").model, ref="a2")
    other = structs.replace(share("b", "E7").model, ref="a3")
    for model in (first, second, other):
        bill.fit(model, LATER)
    assert bill.objections(first) == bill.objections(other) == []
    (loss,) = bill.objections(second)
    assert loss.name == "blocked:entity"
    assert "a and a2 are both for user:GRACE@example.com" in loss.reason
    listed(bill, Kind.ALLOCATION)
    bill.fit(second, LATER)
    assert bill.objections(second) == []


def test_an_allocation_that_is_retired_leaves_its_seat_to_another(desk):
    bill = desk.open()
    first, second = share("b").model, structs.replace(share("b").model, ref="a2")
    for model in (first, structs.replace(first, status=Status.RETIRED), second):
        bill.fit(model, LATER)
    assert bill.objections(second) == []


def test_who_is_no_user_has_no_seat(desk):
    bill = desk.open(entities={"user:7": GRACE})
    user = share("b", "7").model
    for model in (structs.replace(user, ref="a0", entity=Entity("account", "7")), user):
        bill.fit(model, LATER)
    assert bill.objections(user) == []


@pytest.mark.parametrize("read_before", [True, False])
def test_a_member_who_was_removed_is_brought_back_without_their_role(desk, read_before):
    bill = desk.open()
    made = bill.create(budget(), "k")
    member = bill.create(share(made.id, "ada@example.com"), "k")
    rows = desk.rows["members"]
    rows.put({**rows.get(member.id), "retired": True})
    if read_before:
        listed(bill, Kind.ALLOCATION)
    else:
        bill = desk.open()
    back = bill.update(member.id, share(made.id, "ada@example.com", 7), {"status"}, "k")
    assert (back.model.status, back.model.amount) == (Status.ACTIVE, usd(7))
    assert rows.get(member.id)["budgetRole"] == "MEMBER"


def test_who_has_a_share_again_is_not_brought_back_into_it(desk):
    bill = desk.open()
    made = bill.create(budget(), "k")
    member = bill.create(share(made.id), "k")
    bill.retire(Kind.ALLOCATION, member.id, "k")
    bill.create(share(made.id, number=3), "k")
    with pytest.raises(Rejected, match="has a share of this budget already"):
        bill.update(member.id, share(made.id, number=7), {"status"}, "k")


def test_a_member_of_a_retired_budget_is_not_brought_back(desk):
    bill = desk.open()
    made = bill.create(budget(), "k")
    member = bill.create(share(made.id), "k")
    bill.retire(Kind.BUDGET, made.id, "k")
    desk.calls()
    with pytest.raises(Rejected, match="its budget is retired"):
        bill.update(member.id, share(made.id), {"status"}, "k")
    assert {method for method, _ in desk.calls()} == {"GET"}


@pytest.mark.parametrize("read_before", [True, False])
def test_an_owner_whose_share_is_retired_stays_owner_and_may_have_it_again(desk, read_before):
    made = desk.open().create(budget(), "k")
    member = desk.open().create(share(made.id, "ada@example.com"), "k")
    bill = desk.open()
    if read_before:
        listed(bill, Kind.ALLOCATION)
    for _ in range(2):
        bill.retire(Kind.ALLOCATION, member.id, "k")
    row = desk.rows["members"].get(member.id)
    assert (row["budgetRole"], row["limit"], row["retired"]) == ("OWNER", 0, False)
    assert bill.get(Kind.ALLOCATION, member.id).model.status is Status.RETIRED
    assert listed(bill, Kind.ALLOCATION) == {}
    back = bill.update(member.id, share(made.id, "ada@example.com", 7), {"status"}, "k")
    assert (back.model.status, back.model.amount) == (Status.ACTIVE, usd(7))
    assert desk.rows["members"].get(member.id)["budgetRole"] == "OWNER"


def test_an_owner_cannot_have_a_share_of_nothing(desk):
    bill = desk.open()
    made = bill.create(budget(), "k")
    with pytest.raises(Rejected, match="OWNER has no allocation without money"):
        bill.create(share(made.id, "ada@example.com", 0), "k")
    member = bill.create(share(made.id, "ada@example.com", 5), "k")
    with pytest.raises(Rejected, match="Retire the allocation"):
        bill.update(member.id, share(made.id, "ada@example.com", 0), {"amount"}, "k")
    assert bill.get(Kind.ALLOCATION, member.id).model.amount == usd(5)
