"""What the BILL connector survives, and how many calls it takes, over its sandbox."""

import time as clock
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from msgspec import structs
from pydantic import SecretStr

from canonical.allocation import Enforcement, Status
from canonical.amount import Amount
from canonical.budget import Phase
from canonical.facts import facts
from canonical.kind import Kind
from canonical.period import Cadence, Period
from connectors.contract.errors import (
    Malformed,
    Missing,
    Rejected,
    Stale,
    Unauthorized,
    Uncertain,
    Unsupported,
)
from connectors.contract.records import Draft
from connectors.sandbox.api import reply
from tests.vendors.bill.desk import ADA, GRACE, NOW, budget, listed, share, usd

APRIL, MAY = (
    Period(date(2026, 4, 1), date(2026, 4, 30)),
    Period(date(2026, 5, 1), date(2026, 5, 31)),
)


class Remembers:
    """Vouches for the budgets whose version is as it was."""

    def __init__(self, versions):
        self.versions, self.asked = versions, None

    def unchanged(self, versions):
        self.asked = set(versions)
        return {id for id, version in versions.items() if self.versions.get(id) == version}


# How many calls it takes


def test_five_hundred_budgets_that_did_not_change_cost_six_calls(open_desk):
    rows = [{"name": f"B{n:03}", "recurringLimit": Decimal(n)} for n in range(500)]
    desk = open_desk(seed={"budgets": rows})
    bill = desk.open()
    seen = listed(bill, Kind.BUDGET)
    known = Remembers({id: item.version for id, item in seen.items()})
    pages = [*bill.list(Kind.ALLOCATION, known=known)]
    assert len(desk.calls()) == 6
    assert [sorted(page.unchanged_within) for page in pages] == [sorted(seen)]


def test_members_cost_a_call_per_budget_in_use_that_moved(desk):
    bill = desk.open(default_owner=ADA)
    first, second, third = (bill.create(budget(name=name), "k").id for name in "ABC")
    bill.retire(Kind.BUDGET, third, "k")
    known = Remembers({id: item.version for id, item in listed(bill, Kind.BUDGET).items()})
    made = bill.create(share(second), "k")
    listed(bill, Kind.BUDGET)
    desk.calls()
    assert set(listed(bill, Kind.ALLOCATION, known)) == {made.id}
    assert known.asked == {first, second}
    assert desk.calls() == [("GET", f"/budgets/{second}/members")]


def test_a_write_outdates_what_a_listing_showed(desk):
    bill = desk.open(default_owner=ADA)
    listed(bill, Kind.BUDGET)
    made = bill.create(budget(), "k")
    member = bill.create(share(made.id), "k")
    assert set(listed(bill, Kind.ALLOCATION)) == {member.id}
    known = Remembers({id: item.version for id, item in listed(bill, Kind.BUDGET).items()})
    bill.update(member.id, share(made.id, number=7), {"amount"}, "k")
    assert listed(bill, Kind.ALLOCATION, known)[member.id].model.amount == usd(7)


def test_each_page_is_asked_for_with_the_whole_query(open_desk):
    desk = open_desk(largest_page=1, token_carries_query=False)
    bill = desk.open()
    for name in "AB":
        bill.create(budget(name=name), "k")
    desk.calls()
    listed(bill, Kind.BUDGET)
    said = [call["query"].partition("&nextPage")[0] for call in desk.served.log]
    half = "max=100&sort=name%3Aasc&filters=retired%3Aeq%3A"
    assert said == [f"{half}false", f"{half}false", f"{half}true"]


@pytest.mark.parametrize("switch", ["ignores_retired", "ignores_filters"])
def test_a_row_that_two_lists_show_counts_once(open_desk, switch):
    bill = open_desk(**{switch: True}).open()
    made = bill.create(budget(), "k")
    ids = [item.id for page in bill.list(Kind.BUDGET) for item in page.items]
    assert ids == [made.id]


def test_a_create_is_one_call_and_users_are_listed_once(desk):
    bill = desk.open(default_owner=ADA)
    made = bill.create(budget(), "k")
    assert desk.calls() == [("POST", "/budgets")]
    bill.create(share(made.id), "k")
    bill.create(share(made.id, "ADA@example.com"), "k")
    paths = [f"/budgets/{made.id}/members/{user}" for user in (GRACE, ADA)]
    assert desk.calls() == [("GET", "/users")] * 2 + [("PUT", path) for path in paths]


def test_who_we_are_is_asked_once_however_many_budgets_are_made(desk):
    bill = desk.open()
    for name in "ABC":
        bill.create(budget(name=name), "k")
    assert desk.calls() == [("GET", "/users/current"), *[("POST", "/budgets")] * 3]


def test_a_limited_call_waits_as_long_as_bill_asks(open_desk):
    desk = open_desk(retry_after=40)
    desk.served.faults.add("rate_limit", retry_after=40)
    desk.open().check()
    assert sum(desk.slept) == 40


# What is not documented


@pytest.mark.parametrize(
    "switches",
    [
        {"uuids": False},
        {"parent_as_uuid": True},
        {"hides_parent": True},
        {"hides_recur_month": True},
        {"hides_retired": False},
        {"ignores_filters": True},
        {"ignores_retired": True},
        {"token_carries_query": False, "largest_page": 1},
        {"largest_page": 2, "last_page": "absent"},
        {"last_page": "empty"},
        {"empty_last_page": True},
        {"created": 201, "deleted": 204},
        {"delete_shows": True},
        {"second_delete": 400},
        {"second_delete": 200},
        {"put_resets_role": True},
        {"money_as_text": True},
        {"end_date": "inclusive"},
        {"end_date": "absent"},
        {"timezone": "US/Hawaii"},
    ],
)
def test_a_budgets_life_is_the_same_whatever_bill_does(open_desk, switches):
    desk = open_desk(**switches)
    bill = desk.open(budget_groups=True)
    group = bill.create(budget(name="Group"), "k")
    year = date(2026, 12, 31)
    phases = (Phase(Period(APRIL.start, year), usd(2)),)
    phased = budget(amount=usd(1), phases=phases, end=year)
    made = bill.create(replace(phased, container=group.id), "k")
    member = bill.create(share(made.id), "k")
    assert listed(bill, Kind.BUDGET) == {
        group.id: bill.get(Kind.BUDGET, group.id),
        made.id: bill.get(Kind.BUDGET, made.id),
    }
    assert listed(bill, Kind.ALLOCATION) == {member.id: member}
    assert (made.model.amount, made.model.phases) == (usd(1), phases)
    changed = bill.update(made.id, budget(name="Trips"), {"name", "amount", "end"}, "k")
    assert (changed.model.name, changed.model.end) == ("Trips", None)
    assert (changed.model.amount, changed.model.phases) == (usd("100.50"), ())
    assert bill.update(member.id, share(made.id, number=7), {"amount"}, "k").model.amount == usd(7)
    for _ in range(2):
        bill.retire(Kind.BUDGET, made.id, "k")
    assert bill.get(Kind.BUDGET, made.id).model.status is Status.RETIRED
    assert listed(bill, Kind.ALLOCATION) == {}


def test_what_no_list_shows_can_still_be_got(open_desk):
    bill = open_desk(blind=True).open()
    made = bill.create(budget(), "k")
    assert listed(bill, Kind.BUDGET) == {}
    assert bill.get(Kind.BUDGET, made.id).model.status is Status.ACTIVE


def test_retired_budgets_are_listed_though_lists_hide_them(desk):
    bill = desk.open()
    made = bill.create(budget(), "k")
    bill.retire(Kind.BUDGET, made.id, "k")
    assert listed(bill, Kind.BUDGET)[made.id].model.status is Status.RETIRED


@pytest.mark.parametrize("forgets", [True, False])
def test_a_member_removed_twice_is_no_error(open_desk, forgets):
    bill = open_desk(forgets_members=forgets).open()
    member = bill.create(share(bill.create(budget(), "k").id), "k")
    for _ in range(2):
        bill.retire(Kind.ALLOCATION, member.id, "k")
    if forgets:
        with pytest.raises(Missing):
            bill.get(Kind.ALLOCATION, member.id)
    else:
        assert bill.get(Kind.ALLOCATION, member.id).model.status is Status.RETIRED


def test_a_parent_that_is_listed_later_and_by_its_uuid_is_asked_for(open_desk):
    desk = open_desk(parent_as_uuid=True, largest_page=1)
    bill = desk.open(budget_groups=True)
    group = bill.create(budget(name="Z"), "k")
    child = bill.create(replace(budget(name="A"), container=group.id), "k")
    assert listed(desk.open(), Kind.BUDGET)[child.id].container == group.id


def test_a_plain_401_is_unauthorized(open_desk):
    desk = open_desk(text_401=True)
    with pytest.raises(Unauthorized, match="Check the api_token of"):
        desk.open(api_token=SecretStr("wrong")).check()


def test_a_record_that_cannot_be_read_is_a_problem_with_its_id(desk):
    bill = desk.open()
    made = bill.create(budget(), "k")
    member = bill.create(share(made.id), "k")
    rows = desk.rows["members"]
    rows.put({**rows.get(member.id), "limit": "much"})
    problems = [each for page in bill.list(Kind.ALLOCATION) for each in page.problems]
    assert [each.ref for each in problems] == [member.id]


# Periods


def test_a_reset_brings_the_next_amount_as_it_was_written(desk):
    bill = desk.open()
    made = bill.create(budget(amount=usd(1), phases=(Phase(APRIL, usd(2)),)), "k")
    desk.move("2026-04-01T04:00:00+00:00")
    seen = bill.get(Kind.BUDGET, made.id)
    assert (seen.model.amount, seen.model.phases) == (usd(2), ())
    wanted = budget(amount=usd(2), phases=(Phase(Period(MAY.start), usd(3)),))
    changed = bill.update(made.id, wanted, {"phases"}, "k")
    expected = structs.replace(
        wanted.model, start=date(2026, 3, 10), enforcement=Enforcement.HARD, carry_over=False
    )
    assert facts(changed.model) == facts(expected)


def test_a_reset_is_another_version_as_it_resets_the_members_too(desk):
    bill = desk.open()
    made = bill.create(budget(), "k")
    desk.move("2026-04-02T00:00:00+00:00")
    assert bill.get(Kind.BUDGET, made.id).version != made.version


@pytest.fixture
def utc(monkeypatch):
    monkeypatch.setenv("TZ", "UTC")
    clock.tzset()
    yield
    monkeypatch.undo()
    clock.tzset()


@pytest.mark.usefixtures("utc")
def test_what_is_meant_for_tomorrow_waits_for_midnight_at_bill(desk):
    bill = desk.open()
    made = bill.create(budget(), "k")
    desk.move("2026-04-01T02:00:00+00:00")  # 10 in the evening of 31 March in US/Eastern
    lower = budget(amount=usd(1))
    with pytest.raises(Stale, match="midnight in US/Eastern"):
        bill.update(made.id, lower, {"amount"}, "k")
    assert bill.update(made.id, budget(name="Trips"), {"name"}, "k").model.amount == usd("100.50")
    desk.move("2026-04-01T04:00:00+00:00")
    assert bill.update(made.id, lower, {"amount"}, "k").model.amount == usd(1)


def test_a_phase_that_bill_cannot_hold_yet_is_not_said_before_its_time(desk):
    bill = desk.open()
    made = bill.create(budget(amount=usd(1), phases=(Phase(MAY, usd(9)),)), "k")
    assert (made.model.amount, made.model.phases) == (usd(1), ())


def test_a_budget_seen_before_its_reset_is_read_again(desk):
    bill = desk.open(default_owner=ADA)
    made = bill.create(budget(), "k")
    desk.move("2026-04-01T12:00:00+00:00")
    desk.calls()
    wanted = budget(amount=usd(1), phases=(Phase(Period(MAY.start), usd(2)),))
    changed = bill.update(made.id, wanted, {"amount", "phases"}, "k")
    assert (changed.model.amount, changed.model.phases) == (usd(1), wanted.model.phases)
    assert [method for method, _ in desk.calls()] == ["GET", "PATCH"]


@pytest.mark.usefixtures("utc")
def test_what_is_meant_for_a_period_that_is_over_at_bill_is_not_said(desk, monkeypatch):
    bill = desk.open()
    made = bill.create(budget(), "k")
    monkeypatch.setenv("TZ", "US/Hawaii")
    clock.tzset()
    desk.move("2026-04-01T05:00:00+00:00")  # one in the morning of 1 April in US/Eastern
    with pytest.raises(Stale, match="has begun in US/Eastern"):
        bill.update(made.id, budget(amount=usd(1)), {"amount"}, "k")


def fiscal(desk):
    """What BILL shows of a budget whose years begin in July."""
    row = {"name": "Y", "recurringInterval": "YEARLY", "recurMonth": 7, "recurringLimit": 5}
    desk.rows["budgets"].put(desk.served.sandbox.completed("budgets", {**row, "limit": 5}))
    bill = desk.open()
    (seen,) = listed(bill, Kind.BUDGET).values()
    return bill, seen.id


def test_a_budget_adopted_in_july_keeps_its_fiscal_year(desk):
    bill, id = fiscal(desk)
    bill.update(id, budget(cadence=Cadence.YEARLY, amount=usd(6)), {"amount"}, "k")
    assert desk.rows["budgets"].get(id)["recurMonth"] == 7


@pytest.mark.parametrize("hides", [True, False])
def test_years_of_other_amounts_begin_in_the_month_in_which_the_budget_does(open_desk, hides):
    bill, id = fiscal(open_desk(hides_recur_month=hides))
    phases = (Phase(Period(date(2027, 1, 1)), usd(6)),)
    start = date(2026, 1, 1)
    wanted = budget(cadence=Cadence.YEARLY, amount=usd(5), phases=phases, start=start)
    assert bill.update(id, wanted, {"phases"}, "k").model.phases == phases


def test_a_budget_that_becomes_daily_spends_beyond_its_limit_no_more(desk):
    bill = desk.open()
    made = bill.create(budget(enforcement=Enforcement.SOFT), "k")
    assert made.model.enforcement is Enforcement.SOFT
    daily, losses = bill.fit(
        budget(cadence=Cadence.DAILY, enforcement=Enforcement.SOFT).model, date(2027, 1, 1)
    )
    assert [loss.name for loss in losses] == ["dropped:enforcement"]
    changed = bill.update(made.id, Draft(model=daily), {"cadence"}, "k")
    assert changed.model.enforcement is Enforcement.HARD


# People


def test_users_are_named_by_row_else_by_email(desk):
    rows = {"user:E7": "usr_00000002", "user:boss": ADA}
    bill = desk.open(entities=rows)
    made = bill.create(budget(), "k")
    for name in ("E7", "boss"):
        assert bill.create(share(made.id, name), "k").model.entity.id == name
    assert {item.model.entity.id for item in listed(bill, Kind.ALLOCATION).values()} == {
        "E7",
        "boss",
    }
    names = {item.model.entity.id for item in listed(desk.open(), Kind.ALLOCATION).values()}
    assert names == {"ada@example.com", "grace@example.com"}


def test_a_user_who_came_meanwhile_is_found_in_the_next_reading(desk):
    bill = desk.open(default_owner=ADA)
    made = bill.create(budget(), "k")
    late = share(made.id, "new@x.com")
    with pytest.raises(Rejected, match="no user in use with the email"):
        bill.create(late, "k")
    sandbox, row = desk.served.sandbox, {"firstName": "N", "lastName": "W", "email": "New@X.com"}
    desk.rows["users"].put(sandbox.completed("users", row))
    listed(bill, Kind.BUDGET)
    assert bill.create(late, "k").model.amount == usd("20.25")


def test_a_user_who_is_retired_is_not_meant_by_their_email(desk):
    rows = desk.rows["users"]
    rows.put({**rows.get(GRACE), "retired": True})
    bill = desk.open(default_owner=ADA)
    made = bill.create(budget(), "k")
    with pytest.raises(Rejected, match="no user in use"):
        bill.create(share(made.id), "k")


def test_users_are_made_only_where_that_is_wished(desk):
    bill = desk.open(create_users=True, default_owner=ADA)
    made = bill.create(budget(), "k")
    member = bill.create(share(made.id, "mary.shelley@x.com"), "k")
    user = desk.rows["users"].rows()[-1]
    assert (user["firstName"], user["lastName"], user["role"]) == ("Mary", "Shelley", "MEMBER")
    assert member.model.entity.id == "mary.shelley@x.com"


@pytest.mark.parametrize(("repeats", "made"), [(True, 3), (False, 2)])
def test_the_email_of_a_retired_user_is_given_again_or_is_refused(open_desk, repeats, made):
    desk = open_desk(repeats_emails=repeats)
    rows = desk.rows["users"]
    rows.put({**rows.get(GRACE), "retired": True})
    bill = desk.open(create_users=True, default_owner=ADA)
    id = bill.create(budget(), "k").id
    with nullcontext() if repeats else pytest.raises(Rejected, match="email: is in use"):
        bill.create(share(id), "k")
    assert len(rows.rows()) == made


def test_a_user_whom_many_threads_miss_is_made_once(desk):
    bill = desk.open(create_users=True, default_owner=ADA)
    budgets = [bill.create(budget(name=name), "k").id for name in "ABCDEF"]
    with ThreadPoolExecutor(6) as threads:
        jobs = [threads.submit(bill.create, share(id, "new@x.com"), "k") for id in budgets]
        members = {job.result().model.entity.id for job in jobs}
    assert (members, len(desk.rows["users"].rows())) == ({"new@x.com"}, 3)


def roles(desk, made):
    rows = [row for row in desk.rows["members"].rows() if row["_budget"] == made.id]
    return {row["userId"]: row["budgetRole"] for row in rows}


def test_the_owner_is_who_is_stated_else_the_setting_else_ourselves(desk):
    stated = desk.open(default_owner=ADA).create(budget(owners=("grace@example.com",)), "k")
    assert roles(desk, stated) == {GRACE: "OWNER"}
    assert roles(desk, desk.open(default_owner="usr_00000002").create(budget(), "k")) == {
        GRACE: "OWNER"
    }
    assert roles(desk, desk.open().create(budget(), "k")) == {ADA: "OWNER"}


def test_owners_move_and_keep_what_they_had(desk):
    bill = desk.open(default_owner=ADA)
    made = bill.create(budget(), "k")
    bill.create(share(made.id, "ada@example.com"), "k")
    bill.update(made.id, budget(owners=("grace@example.com",)), {"owners"}, "k")
    assert roles(desk, made) == {ADA: "MEMBER", GRACE: "OWNER"}
    (ada,) = listed(bill, Kind.ALLOCATION).values()
    assert ada.model.amount == usd("20.25")


@pytest.mark.parametrize("read_before", [True, False])
def test_an_owner_with_a_share_stays_owner(open_desk, read_before):
    desk = open_desk(put_resets_role=True)
    made = desk.open().create(budget(), "k")
    bill = desk.open()
    if read_before:
        assert listed(bill, Kind.ALLOCATION) == {}
    member = bill.create(share(made.id, "ada@example.com"), "k")
    desk.open().update(member.id, share(made.id, "ada@example.com", 3), {"amount"}, "k")
    assert roles(desk, made) == {ADA: "OWNER"}


def test_who_shared_the_whole_budget_gets_a_limit(desk):
    bill = desk.open()
    made = bill.create(budget(), "k")
    member = bill.create(share(made.id), "k")
    rows = desk.rows["members"]
    rows.put({**rows.get(member.id), "shareBudgetFunds": True, "limit": None})
    assert listed(bill, Kind.ALLOCATION)[member.id].model.amount is None
    bill.update(member.id, share(made.id, number=4), {"amount"}, "k")
    assert bill.get(Kind.ALLOCATION, member.id).model.amount == usd(4)


def test_a_user_has_one_share_of_a_budget(desk):
    bill = desk.open()
    made = bill.create(budget(), "k")
    first = bill.create(share(made.id, number=0), "k")
    with pytest.raises(Rejected, match="has a share of this budget already"):
        bill.create(share(made.id, number=5), "k")
    assert bill.get(Kind.ALLOCATION, first.id).model.amount == usd(0)
    bill.retire(Kind.ALLOCATION, first.id, "k")
    assert bill.create(share(made.id, number=5), "k").model.amount == usd(5)


@pytest.mark.parametrize("read_before", [True, False])
def test_a_share_that_is_there_is_not_replaced_by_a_new_one(desk, read_before):
    made = desk.open().create(budget(), "k")
    desk.open().create(share(made.id), "k")
    bill = desk.open()
    if read_before:
        listed(bill, Kind.ALLOCATION)
    with pytest.raises(Rejected, match="has a share of this budget already"):
        bill.create(share(made.id, number=5), "k")


def test_of_many_threads_one_gives_a_user_a_share(desk):
    bill = desk.open(default_owner=ADA)
    made = bill.create(budget(), "k")
    with ThreadPoolExecutor(6) as threads:
        jobs = [threads.submit(bill.create, share(made.id, number=n), "k") for n in range(1, 7)]
        refused = [job.exception() for job in jobs if job.exception()]
    assert [type(each) for each in refused] == [Rejected] * 5
    assert sum(method == "PUT" for method, _ in desk.calls()) == 1


def test_a_share_that_was_refused_can_be_given_later(desk):
    bill = desk.open()
    made = bill.create(budget(), "k")
    rows = desk.rows["users"]
    grace = rows.get(GRACE)
    bill.probe([share(made.id)])
    rows.put({**grace, "retired": True})
    with pytest.raises(Rejected, match="is retired"):
        bill.create(share(made.id), "k")
    rows.put(grace)
    assert bill.create(share(made.id), "k").model.amount == usd("20.25")


def test_a_new_reading_forgets_who_had_a_share(desk):
    bill = desk.open()
    member = bill.create(share(bill.create(budget(), "k").id), "k")
    desk.open().retire(Kind.ALLOCATION, member.id, "k")
    known = Remembers({id: item.version for id, item in listed(bill, Kind.BUDGET).items()})
    assert listed(bill, Kind.ALLOCATION, known) == {}
    assert bill.create(share(member.container, number=5), "k").model.amount == usd(5)


def test_who_was_removed_can_be_made_a_member_again(open_desk):
    desk = open_desk(hides_retired=False)
    member = desk.open().create(share(desk.open().create(budget(), "k").id), "k")
    desk.open().retire(Kind.ALLOCATION, member.id, "k")
    bill = desk.open()
    assert listed(bill, Kind.ALLOCATION)[member.id].model.status is Status.RETIRED
    assert bill.create(share(member.container, number=5), "k").model.amount == usd(5)


def test_an_owner_who_is_none_any_more_can_be_given_a_share_at_once(desk):
    bill = desk.open(default_owner=ADA)
    made = bill.create(budget(), "k")
    listed(bill, Kind.BUDGET)
    listed(bill, Kind.ALLOCATION)
    bill.update(made.id, budget(owners=("grace@example.com",)), {"owners"}, "k")
    assert bill.create(share(made.id, "ada@example.com", 5), "k").model.amount == usd(5)


# Writes that get lost


def lost(bill, desk, draft):
    desk.served.faults.add("lost_answer", method="POST")
    with pytest.raises(Uncertain):
        bill.create(draft, "k")
    desk.calls()


def test_a_lost_budget_is_found_by_name_and_stamp_in_two_calls(desk):
    bill = desk.open(default_owner=ADA)
    bill.create(replace(budget(), stamp="CC2"), "k")
    lost(bill, desk, budget())
    (found,) = bill.probe([budget()])[0]
    assert (found.stamp, len(desk.calls())) == ("CC1", 2)


@pytest.mark.parametrize("name", ['A, "B": C', " Travel "])
@pytest.mark.parametrize("trims", [True, False])
def test_a_name_that_no_filter_can_hold_is_looked_for_in_the_whole_list(open_desk, name, trims):
    desk = open_desk(trims_names=trims)
    bill = desk.open(default_owner=ADA)
    draft = replace(budget(name=name), stamp=None)
    lost(bill, desk, draft)
    assert len(bill.probe([draft])[0]) == 1


def test_a_filter_that_does_nothing_finds_no_stranger(open_desk):
    bill = open_desk(ignores_filters=True).open()
    for number in range(3):
        bill.create(replace(budget(name=f"B{number}"), stamp=None), "k")
    assert bill.probe([replace(budget(), stamp=None), budget()]) == {}


def test_a_retired_budget_is_never_what_a_lost_create_left(desk):
    bill = desk.open()
    bill.retire(Kind.BUDGET, bill.create(budget(), "k").id, "k")
    assert bill.probe([budget()]) == {}


def test_a_budget_that_may_be_ours_and_cannot_be_read_decides_nothing(desk):
    bill = desk.open()
    made = bill.create(budget(), "k")
    rows = desk.rows["budgets"]
    rows.put({**rows.get(made.id), "recurringInterval": "HOURLY"})
    with pytest.raises(Malformed):
        bill.probe([budget()])


def test_an_answer_to_a_create_that_cannot_be_read_leaves_it_uncertain(desk):
    bill = desk.open(default_owner=ADA)
    desk.served.sandbox._shown = lambda row, status=200: reply({"id": row["id"]})
    with pytest.raises(Uncertain, match="cannot be read"):
        bill.create(budget(), "k")


def test_an_owner_without_a_share_is_not_what_a_lost_create_left(desk):
    bill = desk.open()
    made = bill.create(budget(), "k")
    assert bill.probe([share(made.id, "ada@example.com"), share(made.id, "nobody@x.com")]) == {}


# What BILL cannot be told


def test_status_and_parent_do_not_change_and_a_member_stays_who_they_are(desk):
    bill = desk.open()
    made = bill.create(budget(), "k")
    member = bill.create(share(made.id), "k")
    with pytest.raises(Unsupported):
        bill.update(made.id, budget(), {"status"}, "k")
    with pytest.raises(Rejected, match="stays below"):
        bill.update(made.id, budget(), {"parent"}, "k")
    with pytest.raises(Rejected, match="the user that they are"):
        bill.update(member.id, share(made.id), {"entity"}, "k")
    assert bill.update(made.id, budget(name="Trips"), {"parent", "name"}, "k").model.name == "Trips"


@pytest.mark.parametrize(
    ("model", "field"),
    [
        (budget(start=date(2026, 3, 11)).model, "start"),
        (budget(parent="CC0").model, "parent"),
    ],
)
def test_what_cannot_be_made_is_said_while_planning(desk, model, field):
    (loss,) = desk.open().objections(model)
    assert loss.name == f"blocked:{field}"


@pytest.mark.parametrize("model", [budget().model, share("b").model])
def test_other_money_is_blocked_also_where_something_is_there(desk, model):
    euros = replace(model, amount=Amount.of(1, "EUR"))
    _, (loss,) = desk.open().fit(euros, date(2027, 1, 1))
    assert (loss.name, loss.reason) == ("blocked:currency", "bill holds USD, not EUR")


def test_nothing_is_said_against_the_rest(desk):
    bill = desk.open(entities={"user:7": GRACE})
    bill.create(budget(), "k")
    desk.open(budget_groups=True).create(budget(name="Group"), "k")
    listed(bill, Kind.BUDGET)
    for model in (budget(start=date(2026, 3, 10), parent="CC0").model, share("b", "7").model):
        assert bill.objections(model) == []


def test_actuals_are_what_was_spent_in_the_current_period(desk):
    bill = desk.open()
    made = bill.create(budget(), "k")
    desk.served.sandbox.controls()["spend"]({"budgetId": made.id, "amount": "12.34"})
    (actual,) = bill.actuals()
    assert (actual.ref, actual.spent, actual.remaining) == (made.id, usd("12.34"), usd("88.16"))
    assert actual.at == NOW


def test_check_says_who_made_the_token_and_that_it_takes_an_administrator(desk):
    assert desk.open().check().identity == "ada@example.com"
    rows = desk.rows["users"]
    rows.put({**rows.get(ADA), "role": "AUDITOR"})
    assert desk.open().check().notes == ["the token's user is AUDITOR, not ADMIN"]
