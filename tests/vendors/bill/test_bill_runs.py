"""Whole runs into BILL: who is unknown is blocked in the plan, and links outlive what ids are."""

from contextlib import closing
from datetime import date, timedelta

import pytest
from msgspec.structs import replace

from canonical.allocation import Allocation, Enforcement, Entity
from canonical.budget import Phase
from canonical.kind import Kind, Op
from canonical.loss import Effect
from canonical.period import Period
from connectors.contract.records import Draft
from connectors.memory.connector import Memory
from sync.engine import Engine
from sync.spec import Limits, SyncSpec
from sync.state.ledger import Ledger
from sync.state.store import Store
from tests.vendors.bill.desk import ADA, GRACE, NOW, usd
from tests.vendors.bill.desk import budget as budget_draft

TODAY = date(2026, 3, 10)
NOBODY = "nobody@example.com"
OPEN = Limits(max_changes=None, max_removals=None, max_money=None, max_budget_change=None)


def budget(ref="B", **said):
    return replace(budget_draft().model, ref=ref, name=f"Name {ref}", **said)


def share(user, ref="S", of="B", number=20):
    return Allocation(ref=ref, budget=of, entity=Entity("user", user), amount=usd(number))


class Round:
    """A company at BILL, a source in memory, and what runs between them remember."""

    def __init__(self, desk, store, **settings):
        self.desk, self.store, self.source = desk, store, Memory("erp")
        self.settings = settings
        self.bill = desk.open(**settings)

    def engine(self):
        spec = SyncSpec(name="s", source="a", target="b", limits=OPEN, parallel=1)
        return Engine(spec, self.source, self.bill, self.store, now=lambda: NOW)

    def run(self):
        return self.engine().run(TODAY, command="run")

    def blocked(self):
        """Why each that is blocked in a plan is."""
        found = {}
        for change in self.engine().plan(TODAY).changes:
            if change.op is Op.BLOCKED:
                reasons = [each for each in change.losses if each.effect is Effect.BLOCKED]
                found[change.ref] = reasons[0].reason
        return found

    def switch(self, **switches):
        sandbox = self.desk.served.sandbox
        sandbox.switches = sandbox.switches.model_copy(update=switches)
        self.bill = self.desk.open(**self.settings)


@pytest.fixture
def opened(open_desk, tmp_path):
    with closing(Store.open("sqlite:///s.db", tmp_path, lambda: NOW)) as store:

        def opened(switches=(), **settings):
            return Round(open_desk(**dict(switches)), store, **settings)

        yield opened


def test_unknown_people_are_blocked_in_the_plan_and_the_others_are_made(opened):
    round = opened()
    shares = (share("grace@example.com"), share(NOBODY, "T"))
    round.source.put(budget("A", owners=(NOBODY,)), budget(allocations=shares))

    found = round.blocked()
    counts = round.run().to_data()["counts"]

    assert set(found) == {"A", "T"}
    assert all(NOBODY in reason and "entities" in reason for reason in found.values())
    assert counts | {"applied": 2, "rejected": 0} == counts


STRANGERS = ["cuuser_ada", "VXNlcjo5OQ==", "usr_00000099", "7"]


@pytest.mark.parametrize("id", STRANGERS)
def test_ids_that_bill_does_not_have_are_blocked_in_the_plan(opened, id):
    round = opened()
    round.source.put(budget("A", owners=(id,)), budget(allocations=(share(id),)))

    found = round.blocked()
    counts = round.run().to_data()["counts"]

    assert set(found) == {"A", "S"}
    assert all(f"no user {id}" in reason and "entities" in reason for reason in found.values())
    assert counts | {"applied": 1, "rejected": 0} == counts


def test_owners_who_are_changed_to_ids_that_bill_does_not_have_stay_as_they_are(opened):
    round = opened()
    round.source.put(budget(owners=("ada@example.com",)))
    round.run()
    round.source.put(budget(owners=("cuuser_ada",), amount=usd(7)))

    assert "cuuser_ada" in told(round)["B"]
    counts = round.run().to_data()["counts"]
    assert counts | {"applied": 1, "rejected": 0} == counts


@pytest.mark.parametrize("id", [GRACE, "usr_00000002"])
def test_bills_own_ids_pass_through_for_owners_and_members(opened, id):
    round = opened()
    round.source.put(budget(owners=(id,), allocations=(share(id),)))

    assert round.run().verified
    assert round.run().plan.changes == ()
    (member,) = round.desk.rows["members"].rows()
    assert (member["userId"], member["limit"], member["budgetRole"]) == (GRACE, 20, "OWNER")


def test_one_user_by_two_names_has_one_share_in_the_plan(opened):
    round = opened()
    round.source.put(budget(allocations=(share(GRACE), share("grace@example.com", "T"))))

    assert "both for user:grace@example.com" in round.blocked()["T"]


def test_a_row_of_entities_that_names_nobody_is_blocked_in_the_plan(opened):
    round = opened(entities={"user:E7": "VXNlcjo5OQ=="})
    round.source.put(budget(allocations=(share("E7"),)))

    assert 'correct the row "user:E7"' in round.blocked()["S"]


def test_who_is_retired_is_blocked_in_the_plan_by_id_too(opened):
    round = opened()
    users = round.desk.rows["users"]
    users.put(users.get(GRACE) | {"retired": True})
    round.source.put(budget(allocations=(share(GRACE),)))

    assert "only as retired" in round.blocked()["S"]


@pytest.mark.parametrize("named", [GRACE, "usr_00000002", "grace@example.com"])
@pytest.mark.parametrize("by_default", [False, True])
def test_an_owner_who_is_retired_is_blocked_before_anything_is_written(opened, named, by_default):
    round = opened(**({"default_owner": named} if by_default else {}))
    users = round.desk.rows["users"]
    users.put(users.get(GRACE) | {"retired": True})
    round.source.put(budget(owners=None if by_default else (named,)))

    assert "B" in round.blocked()
    round.run()
    assert {method for method, _ in round.desk.calls()} == {"GET"}


def test_a_default_owner_by_an_id_that_nobody_has_blocks_what_has_no_other(opened):
    round = opened(default_owner="cuuser_ada")
    round.source.put(budget("A"), budget(owners=("ada@example.com",)))

    assert set(round.blocked()) == {"A"}


def test_users_are_listed_while_planning_and_not_again(opened):
    round = opened()
    round.source.put(
        budget(allocations=(share("grace@example.com"), share("ada@example.com", "T")))
    )
    round.run()

    assert [call for call in round.desk.calls() if call[1] == "/users"] == [("GET", "/users")] * 2


def test_a_default_owner_whom_bill_does_not_know_blocks_what_has_no_other(opened):
    round = opened(default_owner=NOBODY)
    round.source.put(budget("A"), budget(owners=("ada@example.com",)))

    found = round.blocked()

    assert set(found) == {"A"}
    assert "default_owner" in found["A"]


def test_who_is_made_where_that_is_wished_is_not_unknown(opened):
    round = opened(create_users=True, default_owner=ADA)
    round.source.put(budget(allocations=(share(NOBODY),)))

    assert round.blocked() == {}
    assert round.run().verified


def test_a_share_found_there_under_another_spelling_is_no_difference(opened):
    round = opened()
    made = round.bill.create(budget_draft(), "k")
    round.bill.create(Draft(model=share("grace@example.com"), container=made.id), "k")
    stated = budget_draft().model
    round.source.put(replace(stated, allocations=(share("GRACE@Example.com", of="CC1"),)))
    round.desk.calls()

    assert round.run().verified
    assert [call for call in round.desk.calls() if call[0] != "GET"] == []


def stated():
    shares = (share("grace@example.com"), share("ada@example.com", "T", number=7))
    return budget("G"), budget(parent="G", owners=("ada@example.com",), allocations=shares)


def test_links_outlive_the_ids_that_bill_gives_up_for_uuids(opened):
    round = opened(budget_groups=True)
    round.source.put(*stated())
    assert round.run().verified
    round.desk.calls()
    round.switch(ids=False)

    moved = round.run()
    after = round.desk.calls()

    assert moved.verified, moved.to_data()
    assert [call for call in after if call[0] != "GET"] == []
    assert round.run().verified
    assert [call for call in round.desk.calls() if "/budgets/QnVk" in call[1]] == []
    (link,) = Ledger(round.store, "s").by_refs(Kind.BUDGET, [("", "B")]).values()
    assert link.target_id.startswith("bgt_")


def test_rows_by_ids_that_bill_gave_up_still_name_who_they_named(opened):
    rows = {"user:E1": ADA, "user:E7": GRACE}
    round = opened(budget_groups=True, entities=rows)
    shares = (share("E7"), share("E1", "T", number=7))
    whole = budget(owners=("E1",), allocations=shares)
    round.source.put(budget("G"), whole)
    assert round.run().verified
    round.switch(ids=False)
    round.desk.calls()

    assert round.run().verified
    assert [call for call in round.desk.calls() if call[0] != "GET"] == []
    assert round.run().plan.changes == ()
    raised = tuple(replace(each, amount=usd(8)) for each in shares)
    round.source.put(budget("G"), replace(whole, allocations=raised), budget("N", owners=("E7",)))
    assert round.run().verified
    members = round.desk.rows["members"].rows()
    assert sorted((row["limit"], row["budgetRole"]) for row in members) == [
        (0, "OWNER"), (0, "OWNER"), (8, "MEMBER"), (8, "OWNER"),
    ]  # fmt: skip


def test_what_changed_while_the_ids_went_is_written_to_the_same_objects(opened):
    round = opened(budget_groups=True)
    round.source.put(*stated())
    round.run()
    round.switch(ids=False)
    group, whole = stated()
    fewer = replace(whole, amount=usd(90), allocations=(share("grace@example.com", number=5),))
    round.source.put(group, fewer)

    assert round.run().verified
    rows = round.desk.rows
    assert sorted(str(row["currentPeriod"]["limit"]) for row in rows["budgets"].rows()) == [
        "100.50",
        "90.00",
    ]
    assert {row["limit"] for row in rows["members"].rows() if row["budgetRole"] == "MEMBER"} == {5}


def test_rows_that_have_only_a_uuid_are_read(opened):
    round = opened({"ids": False}, budget_groups=True)
    round.source.put(*stated())

    assert round.run().verified
    again = round.run()
    assert again.verified
    assert again.plan.summary["unchanged"] == 4


def test_a_row_without_any_id_is_named_as_a_problem(opened):
    round = opened({"ids": False, "uuids": False})
    sandbox = round.desk.served.sandbox
    round.desk.rows["budgets"].put(sandbox.completed("budgets", {"name": "B", "recurringLimit": 1}))

    (problem,) = [each for page in round.bill.list(Kind.BUDGET) for each in page.problems]

    assert problem.where == "budget without an id"


def told(round):
    """What the plan says of amounts that is neither lost nor blocked, by ref."""
    changes = round.engine().plan(TODAY).changes
    return {each.ref: loss.reason for each in changes for loss in each.losses}


@pytest.mark.parametrize(
    ("said", "over"),
    [
        ({}, {"T"}),
        ({"enforcement": Enforcement.HARD}, {"T"}),
        ({"enforcement": Enforcement.SOFT}, {"T"}),
        ({"amount": usd(101)}, set()),
    ],
)
def test_shares_above_their_budget_are_told_and_sent(opened, said, over):
    round = opened()
    shares = (share("ada@example.com", number=60), share("grace@example.com", "T", number=41))
    round.source.put(budget(allocations=shares, **said))

    assert set(told(round)) == over
    assert all("101.00 USD" in reason for reason in told(round).values())
    assert round.run().verified


def test_what_is_told_of_shares_is_told_anew_in_each_plan(opened):
    round = opened()
    shares = [share("ada@example.com", number=60), share("grace@example.com", "T", number=41)]
    round.source.put(budget(allocations=tuple(shares)))
    round.run()
    round.source.put(budget(allocations=(share("ada@example.com", number=50), shares[1])))

    assert told(round) == {}


@pytest.mark.parametrize("soft", ["made", "changed"])
def test_a_soft_budget_may_be_given_a_buffer(opened, soft):
    round = opened(overspend_buffer="250.00")
    if soft == "changed":
        round.source.put(budget(enforcement=Enforcement.HARD))
        round.run()
    round.source.put(budget(enforcement=Enforcement.SOFT))

    assert round.run().verified
    (row,) = round.desk.rows["budgets"].rows()
    assert (row["limitlessOverspend"], row["currentPeriod"]["overspendBuffer"]) == (False, 250)


@pytest.mark.parametrize("month", [1, 6])
def test_a_run_for_another_month_tells_when_the_next_amount_begins_and_is_verified(opened, month):
    round, day = opened(), date(2026, month, 10)
    first, second = date(2026, month, 1), date(2026, month + 1, 1)
    phases = (
        Phase(Period(first, second - timedelta(days=1)), usd(100)),
        Phase(Period(second, date(2026, 12, 31)), usd(250)),
    )
    round.source.put(budget(start=first, end=date(2026, 12, 31), amount=usd(100), phases=phases))
    (change,) = round.engine().plan(day).changes
    assert [loss.reason for loss in change.losses] == [
        "bill goes by its own day: the next amount begins on 2026-04-01"
    ]
    assert round.engine().run(day, command="run").verified
    (row,) = round.desk.rows["budgets"].rows()
    assert (row["currentPeriod"]["limit"], row["recurringLimit"]) == (100, 250)
    assert round.engine().plan(day).changes == ()
    assert round.engine().verify(day).agree
