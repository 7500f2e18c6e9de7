"""What the Vantage connector survives of Vantage, at which cost in calls, over the sandbox."""

from collections import Counter
from contextlib import ExitStack
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from msgspec.structs import replace
from pydantic import SecretStr, ValidationError

from canonical.allocation import Alert, Allocation, Entity
from canonical.amount import Amount
from canonical.budget import Budget, Phase
from canonical.facts import facts
from canonical.kind import Kind
from canonical.loss import Effect
from canonical.period import Cadence, Period
from connectors.contract.errors import (
    Forbidden,
    Malformed,
    Missing,
    RateLimited,
    Rejected,
    Transient,
    Uncertain,
)
from connectors.contract.records import Draft
from connectors.contract.runtime import Runtime
from connectors.sandbox.api import Refused
from connectors.sandbox.server import serve
from connectors.sandbox.vantage.api import WORKSPACE, VantageSandbox
from connectors.vantage.connector import Vantage
from connectors.vantage.declared import VantageSettings

ENTITIES = {"account:6200": "rprt_6200", "account:6300": "rprt_6300", "user:ada": "usr_ada"}


def usd(number):
    return Amount.of(number, "USD")


def budget(name="Platform", amount="1000", **said):
    fields = {"start": date(2026, 1, 1), "end": date(2026, 12, 31), "cadence": Cadence.MONTHLY}
    return Budget(ref=name, name=name, amount=usd(amount), **fields | said)


def months(*amounts):
    return tuple(
        Phase(Period(date(2026, n, 1), date(2026, n, 28)), usd(each))
        for n, each in enumerate(amounts, start=1)
    )


class Desk:
    """A connector at a served sandbox; `calls` are those since they were last asked for."""

    def __init__(self, stack, **switches):
        self.served = stack.enter_context(serve(VantageSandbox(rate_limit="off", **switches)))
        self.clock = 0.0
        self.stack = stack
        self.at = self.opened()
        self._counted = 0

    def opened(self, **settings):
        keys = {"workspace_token": WORKSPACE, "currency": "USD", "entities": ENTITIES} | settings
        told = VantageSettings(
            connector="vantage",
            base_url=f"{self.served.url}/v2",
            token=SecretStr("vntg_sandbox"),
            **keys,
        )
        now = datetime(2026, 3, 15, tzinfo=UTC)
        runtime = Runtime(
            now=lambda: now, sleep=self.sleep, monotonic=lambda: self.clock, patience=100
        )
        return self.stack.enter_context(Vantage("vantage", told, runtime))

    def sleep(self, seconds):
        self.clock += seconds

    def calls(self):
        seen = self.served.log[self._counted :]
        self._counted += len(seen)
        return Counter(f"{call['method']} {call['path'].split('/')[2]}" for call in seen)

    def make(self, model, below=None):
        return self.at.create(Draft(model=model, container=below), "key")

    def share(self, amount, below, entity="account:6200"):
        kind, _, id = entity.partition(":")
        allocation = Allocation(
            ref=entity, budget=below, entity=Entity(kind, id), amount=usd(amount), alerts=None
        )
        return self.make(allocation, below)

    def change(self, made, fields, **changed):
        model = replace(made.model, **changed)
        draft = Draft(model=model, container=made.container)
        return self.at.update(made.id, draft, fields, "key")

    def listed(self, kind=Kind.BUDGET, connector=None):
        pages = [*(connector or self.at).list(kind)]
        return {each.model.ref: each.model for page in pages for each in page.items}

    def rows(self):
        return {row["name"]: row for row in self.served.state["budgets"].rows()}


@pytest.fixture
def open_desk():
    with ExitStack() as stack:
        yield lambda **switches: Desk(stack, **switches)


@pytest.fixture
def desk(open_desk):
    return open_desk()


# Calls


def test_five_hundred_budgets_and_their_shares_are_one_read(open_desk):
    desk = open_desk(seed=None)
    table = desk.served.state["budgets"]
    for number in range(500):
        table.put(desk.served.sandbox.completed("budgets", {"name": f"B{number}"}))
    assert len(desk.listed()) == 500
    assert desk.listed(Kind.ALLOCATION) == {}
    assert desk.calls() == {"GET budgets": 1}


@pytest.mark.parametrize("write", ["create", "update", "delete"])
def test_allocations_are_read_again_after_a_write(desk, write):
    parent, other = desk.make(budget()), desk.make(budget("Other"))
    share = desk.share(600, parent.id)
    desk.listed()
    if write == "create":
        desk.make(budget("Third"))
    elif write == "update":
        desk.change(other, {"name"}, name="Renamed")
    else:
        desk.at.delete(Kind.BUDGET, other.id, "key")
    table = desk.served.state["budgets"]
    edited = {"name": "Platform / account:6300", "cost_report_token": "rprt_6300"}
    table.put(table.get(share.id) | edited)
    assert desk.listed(Kind.ALLOCATION)[share.id].entity == Entity("account", "6300")


def test_alerts_are_read_once_and_only_where_a_budget_has_some(desk):
    desk.make(budget("A"))
    desk.make(budget("B", alerts=(Alert(Decimal(80)), Alert(Decimal(90)))))
    desk.calls()
    assert [len(each.alerts) for each in desk.listed().values()] == [0, 2]
    assert desk.calls() == {"GET budgets": 1, "GET budget_alerts": 1}


def test_a_budget_is_one_call(desk):
    made = desk.make(budget())
    assert desk.calls() == {"POST budgets": 1}
    desk.listed()
    desk.calls()
    desk.change(made, {"name", "amount"}, name="Renamed", amount=usd(5))
    assert desk.calls() == {"PUT budgets": 1}


def test_a_share_is_three_calls_the_first_and_any_later_one(desk):
    parent = desk.make(budget())
    desk.listed()
    desk.calls()
    desk.share(600, parent.id)
    assert desk.calls() == {"POST budgets": 2, "PUT budgets": 1}  # with the rest
    desk.share(300, parent.id, "account:6300")
    assert desk.calls() == {"POST budgets": 1, "PUT budgets": 2}


@pytest.mark.parametrize("switch", ["relative_links", "bare_links", "ignores_workspace"])
def test_pages_of_every_kind_lead_to_all_budgets_of_the_workspace(open_desk, switch):
    desk = open_desk(largest_page=2, **{switch: True})
    foreign = {"name": "Foreign", "workspace_token": "wrkspc_other"}
    desk.served.state["budgets"].put(desk.served.sandbox.completed("budgets", foreign))
    for number in range(4):
        desk.make(budget(f"B{number}"))
    assert [each.name for each in desk.listed().values()] == ["B0", "B1", "B2", "B3"]
    asked = [call["query"] for call in desk.served.log if call["method"] == "GET"]
    assert all("limit=1000" in each and "page=" in each for each in asked)


def test_what_is_stored_already_is_not_sent_again(desk):
    made = desk.make(budget())
    desk.listed()
    desk.calls()
    desk.change(made, {"amount", "end"})
    assert desk.calls() == {}


# Periods


@pytest.mark.parametrize("how", ["null", "empty", "absent"])
@pytest.mark.parametrize("replaces", [True, False])
@pytest.mark.parametrize(
    "model",
    [
        budget(),
        budget(end=None),
        budget(amount="10.10", end=date(2026, 3, 28), phases=months("10.10", "20", "20")),
    ],
)
def test_what_is_written_reads_back_the_same(open_desk, model, how, replaces):
    desk = open_desk(open_end=how, replaces_periods=replaces)
    made = desk.make(replace(model, alerts=()))
    wanted = replace(model, ref=made.id, alerts=())
    assert facts(made.model) == facts(wanted) == facts(desk.listed()[made.id])


@pytest.mark.parametrize("replaces", [True, False])
@pytest.mark.parametrize(
    "change",
    [
        {"amount": usd("5.55")},
        {"end": date(2026, 6, 30)},
        {"end": None},
        {"amount": usd(1), "end": date(2026, 2, 28), "phases": months(1, 2)},
        {"start": date(2025, 7, 1)},
    ],
)
def test_periods_change_the_same_way_whether_a_put_replaces_or_merges(open_desk, replaces, change):
    desk = open_desk(replaces_periods=replaces)
    made = desk.make(budget())
    changed = desk.change(made, change, **change)
    assert facts(changed.model) == facts(replace(made.model, **change))


def test_a_phased_budget_becomes_flat_again_where_a_put_merges(desk):
    phases = months(10, 20, 30)
    made = desk.make(budget(amount=10, phases=phases, end=phases[-1].period.end))
    flat = desk.change(made, {"phases", "end"}, phases=(), end=None)
    assert (flat.model.phases, flat.model.end, flat.model.amount) == ((), None, usd(10))


@pytest.mark.parametrize("replaces", [True, False])
@pytest.mark.parametrize(
    "change",
    [
        {"amount": usd(10), "end": date(2026, 2, 28), "phases": months(10, 20)},
        {"amount": usd(20), "start": date(2026, 2, 1), "phases": months(10, 20, 30)[1:]},
        {"amount": usd(10), "phases": (*months(10), months(10, 20, 30)[2])},
        {"amount": usd(9), "start": date(2026, 1, 15), "end": None, "phases": ()},
        {
            "amount": usd(9),
            "start": date(2025, 1, 1),
            "end": date(2025, 12, 31),
            "phases": (),
        },
    ],
)
def test_a_period_that_no_put_removes_is_emptied(open_desk, change, replaces):
    desk = open_desk(replaces_periods=replaces)
    phases = months(10, 20, 30)
    made = desk.make(budget(amount=10, phases=phases, end=phases[-1].period.end))
    changed = desk.change(made, change, **change)
    assert facts(changed.model) == facts(replace(made.model, **change))
    desk.calls()
    desk.change(changed, change)
    assert desk.calls() == {}


def test_a_period_is_emptied_only_where_a_put_left_it(open_desk):
    desk = open_desk(replaces_periods=True)
    phases = months(10, 20, 30)
    made = desk.make(budget(amount=10, phases=phases, end=phases[-1].period.end))
    desk.change(made, {"phases", "end"}, phases=phases[:2], end=phases[1].period.end)
    assert [each["amount"] for each in desk.rows()["Platform"]["periods"]] == ["10.0", "20.0"]


def test_an_open_period_that_a_later_start_overlaps_is_cut_and_emptied(desk):
    made = desk.make(budget(end=None))
    changed = desk.change(made, {"start"}, start=date(2026, 3, 1))
    assert (changed.model.start, changed.model.phases) == (date(2026, 3, 1), ())
    assert [tuple(each.values()) for each in desk.rows()["Platform"]["periods"]] == [
        ("2026-01-01", "2026-02-28", "0.0"),
        ("2026-03-01", None, "1000.0"),
    ]


def test_a_time_that_is_cut_within_a_month_is_the_vendors_to_refuse(open_desk):
    desk = open_desk(mid_month="refused")
    with pytest.raises(Rejected, match="whole months"):
        desk.make(budget(start=date(2026, 2, 13)))
    assert desk.rows() == {}


def test_a_time_that_the_vendor_widens_is_read_back_as_it_is(open_desk):
    desk = open_desk(mid_month="widened")
    made = desk.make(budget(start=date(2026, 2, 13), end=date(2026, 4, 2)))
    assert (made.model.start, made.model.end) == (date(2026, 2, 1), date(2026, 4, 30))


def test_a_budget_without_a_start_begins_this_month_and_keeps_its_start(desk):
    made = desk.make(budget(start=None, end=None))
    assert made.model.start == date(2026, 3, 1)
    again = desk.change(made, {"amount"}, start=None, amount=usd(7))
    assert (again.model.start, again.model.amount) == (date(2026, 3, 1), usd(7))


def test_fields_that_are_to_come_change_nothing(open_desk):
    desk = open_desk(coming_fields=True)
    made = desk.make(budget())
    assert facts(desk.listed()[made.id]) == facts(made.model)


def test_a_usage_budget_is_passed_over_and_is_no_budget_of_ours(desk):
    usage = desk.served.sandbox.completed("budgets", {"name": "Hours", "type": "usage"})
    desk.served.state["budgets"].put(usage)
    (page,) = desk.at.list(Kind.BUDGET)
    assert (page.items, page.problems) == ([], [])
    with pytest.raises(Missing, match="usage"):
        desk.at.get(Kind.BUDGET, usage["token"])


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"type": "credits"}, "none of cost, usage"),
        ({"child_budget_tokens": ["bdgt_hours"]}, "usage"),
    ],
)
def test_what_may_not_be_money_is_a_problem_and_no_amount(desk, fields, says):
    rows = [
        {"token": "bdgt_hours", "name": "Hours", "type": "usage"},
        {"token": "bdgt_mixed", "name": "Mixed", **fields},
    ]
    for row in rows:
        desk.served.state["budgets"].put(desk.served.sandbox.completed("budgets", row))
    (page,) = desk.at.list(Kind.BUDGET)
    assert [problem.ref for problem in page.problems] == ["bdgt_mixed"]
    assert says in page.problems[0].message
    assert page.items == []
    with pytest.raises(Malformed, match=says):
        desk.at.get(Kind.BUDGET, "bdgt_mixed")


# Hierarchies


@pytest.mark.parametrize(
    "switches",
    [
        {},
        {"parent_periods": "none"},
        {"parent_periods": "own"},
        {"lean_answers": True},
        {"lean_writes": True},
        {"lean_answers": True, "lean_writes": True},
    ],
)
def test_a_budget_keeps_its_amount_whatever_is_shared_out_of_it(open_desk, switches):
    desk = open_desk(**switches)
    parent = desk.make(budget())
    shares = [desk.share(600, parent.id), desk.share("250.50", parent.id, "account:6300")]
    assert facts(desk.listed()[parent.id]) == facts(parent.model)
    assert desk.listed(Kind.ALLOCATION) == {each.id: each.model for each in shares}
    assert [each.container for each in shares] == [parent.id, parent.id]
    rows = desk.rows()
    assert rows["Platform / (unallocated)"]["periods"][0]["amount"] == "149.5"
    assert rows["Platform / account:6200"]["cost_report_token"] == "rprt_6200"


def test_shares_beyond_the_budget_are_refused_before_anything_is_made(desk):
    parent = desk.make(budget())
    desk.share(600, parent.id)
    before = desk.rows()
    with pytest.raises(Rejected, match=r"200\.00 USD a month less"):
        desk.share(600, parent.id, "account:6300")
    assert desk.rows() == before


def test_a_share_raised_beyond_the_budget_is_refused_before_anything_is_sent(desk):
    parent = desk.make(budget())
    share = desk.share(600, parent.id)
    before = desk.rows()
    with pytest.raises(Rejected, match=r"100\.00 USD a month less"):
        desk.change(share, {"amount"}, amount=usd(1100))
    assert desk.rows() == before


def test_a_budget_that_gets_no_place_does_not_stay(desk, monkeypatch):
    parent = desk.make(budget())
    before = {name for name in desk.rows() if "unallocated" not in name}

    def refuses(row):
        raise Refused(desk.served.sandbox.refusal(422))

    monkeypatch.setattr(desk.served.sandbox, "_check_children", refuses)
    with pytest.raises(Rejected):
        desk.share(600, parent.id)
    assert {name for name in desk.rows() if "unallocated" not in name} == before


def test_a_parent_with_a_part_that_we_cannot_see_is_not_shared_out(desk):
    rows = [
        {"token": "bdgt_far", "name": "Far", "workspace_token": "wrkspc_other"},
        {"token": "bdgt_near", "name": "Near", "child_budget_tokens": ["bdgt_far"]},
    ]
    rows[0]["periods"] = [{"start_at": "2026-01-01", "end_at": None, "amount": "70.0"}]
    for row in rows:
        desk.served.state["budgets"].put(desk.served.sandbox.completed("budgets", row))
    assert desk.listed()["bdgt_near"].amount == usd(70)
    desk.calls()
    with pytest.raises(Rejected, match="bdgt_far cannot be seen"):
        desk.share(5, "bdgt_near")
    assert desk.calls() == {"GET budgets": 1}  # the part, which another workspace has


def test_a_share_that_changes_or_goes_leaves_the_budget_as_it_was(desk):
    parent = desk.make(budget())
    share = desk.share(600, parent.id)
    assert desk.change(share, {"amount"}, amount=usd(1000)).model.amount == usd(1000)
    assert facts(desk.listed()[parent.id]) == facts(parent.model)
    desk.at.delete(Kind.ALLOCATION, share.id, "key")
    assert facts(desk.listed()[parent.id]) == facts(parent.model)


def test_a_budget_that_is_raised_or_moved_in_time_takes_its_shares_along(desk):
    parent = desk.make(budget())
    share = desk.share(600, parent.id)
    wanted = {"amount": usd(1200), "end": date(2027, 12, 31)}
    changed = desk.change(parent, wanted, **wanted)
    assert facts(changed.model) == facts(replace(parent.model, **wanted))
    assert desk.listed(Kind.ALLOCATION)[share.id] == share.model
    assert desk.rows()["Platform / account:6200"]["periods"][0]["end_at"] == "2027-12-31"


def test_a_budget_is_not_lowered_below_its_shares(desk):
    parent = desk.make(budget())
    desk.share(600, parent.id)
    with pytest.raises(Rejected, match="lower a part or raise the budget"):
        desk.change(parent, {"amount"}, amount=usd(500))
    assert facts(desk.listed()[parent.id]) == facts(parent.model)


def test_budgets_below_budgets_keep_all_sums(desk):
    top = desk.make(budget("Top", amount=5000))
    middle = desk.make(budget("Middle", amount=2000), top.id)
    desk.share(500, middle.id)
    raised = desk.change(middle, {"amount"}, amount=usd(3000))
    assert (raised.model.amount, raised.container) == (usd(3000), top.id)
    amounts = {each.name: each.amount for each in desk.listed().values()}
    assert amounts == {"Top": usd(5000), "Middle": usd(3000)}
    assert desk.rows()["Top / (unallocated)"]["periods"][0]["amount"] == "2000.0"


def test_a_budget_moves_from_one_parent_to_another(desk):
    first, second = desk.make(budget("First")), desk.make(budget("Second"))
    made = desk.make(budget("Moved", amount=100), first.id)
    draft = Draft(model=made.model, container=second.id)
    assert desk.at.update(made.id, draft, {"parent"}, "key").container == second.id
    models = desk.listed()
    assert models[made.id].parent == second.id
    assert models[first.id].amount == models[second.id].amount == usd(1000)


def test_a_child_that_may_not_be_deleted_loses_its_place_first(open_desk):
    desk = open_desk(keeps_children=True)
    parent = desk.make(budget())
    share = desk.share(600, parent.id)
    desk.at.delete(Kind.ALLOCATION, share.id, "key")
    assert desk.listed(Kind.ALLOCATION) == {}
    assert facts(desk.listed()[parent.id]) == facts(parent.model)


@pytest.mark.parametrize("keeps_children", [True, False])
def test_a_budget_that_may_not_be_deleted_loses_its_alerts_first(open_desk, keeps_children):
    desk = open_desk(keeps_alerted=True, keeps_children=keeps_children)
    parent = desk.make(budget())
    child = desk.make(budget("Child", amount=1, alerts=(Alert(Decimal(80)),)), parent.id)
    desk.at.delete(Kind.BUDGET, child.id, "key")
    assert desk.served.state["budget_alerts"].rows() == []
    assert "Child" not in desk.rows()
    assert desk.listed()[parent.id].amount == usd(1000)


def test_a_deleted_budget_takes_its_rest_along(desk):
    parent = desk.make(budget())
    share = desk.share(600, parent.id)
    desk.at.delete(Kind.ALLOCATION, share.id, "key")
    desk.at.delete(Kind.BUDGET, parent.id, "key")
    assert desk.rows() == {}


def test_a_renamed_budget_keeps_its_shares(desk):
    parent = desk.make(budget())
    share = desk.share(600, parent.id)
    desk.change(parent, {"name"}, name="Other")
    assert desk.listed(Kind.ALLOCATION) == {share.id: share.model}
    desk.share(400, parent.id, "account:6300")
    assert desk.listed()[parent.id].amount == usd(1000)


def test_a_persons_own_children_are_budgets_below_a_budget(desk):
    child = desk.make(budget("EMEA", amount=400))
    row = {"name": "Sales", "child_budget_tokens": [child.id]}
    parent = desk.served.sandbox.completed("budgets", row)
    desk.served.state["budgets"].put(parent)
    models = desk.listed()
    assert models[child.id].parent == parent["token"]
    assert models[parent["token"]].amount == usd(400)
    assert desk.listed(Kind.ALLOCATION) == {}


# Lost answers


def test_a_share_lost_before_it_had_its_place_is_found_by_name_and_given_it(desk):
    parent = desk.make(budget())
    desk.listed()
    desk.served.faults.add("error_before", method="PUT", times=-1)
    allocation = Allocation(
        ref="A", budget="B", entity=Entity("account", "6200"), amount=usd(600), alerts=None
    )
    draft = Draft(model=allocation, container=parent.id, stamp="A")
    with pytest.raises((Transient, Uncertain)):
        desk.at.create(draft, "key")
    assert desk.listed(Kind.ALLOCATION) == {}
    desk.served.faults.clear()
    (found,) = desk.at.probe([draft])[0]
    assert found.container == parent.id
    assert desk.listed(Kind.ALLOCATION) == {found.id: found.model}
    assert facts(desk.listed()[parent.id]) == facts(parent.model)


def test_a_rest_that_was_lost_is_not_made_twice(desk):
    parent = desk.make(budget())
    desk.listed()
    desk.served.faults.add("lost_answer", method="POST", every=2, times=1)
    allocation = Allocation(
        ref="A", budget="B", entity=Entity("account", "6200"), amount=usd(600), alerts=None
    )
    draft = Draft(model=allocation, container=parent.id)
    with pytest.raises(Uncertain):
        desk.at.create(draft, "key")
    assert len(desk.at.probe([draft])[0]) == 1
    assert [*desk.rows()] == ["Platform", "Platform / account:6200", "Platform / (unallocated)"]
    assert len(desk.served.state["budgets"].rows()) == 3


def test_a_lost_alert_is_written_when_the_budget_is_found(desk):
    draft = Draft(model=budget(alerts=(Alert(Decimal(80)),)))
    desk.served.faults.add("error_before", path="/v2/budget_alerts", method="POST")
    with pytest.raises(Uncertain):
        desk.at.create(draft, "key")
    (found,) = desk.at.probe([draft])[0]
    assert found.model.alerts == (Alert(Decimal(80)),)


def test_several_of_one_name_are_all_shown_and_left_alone(desk):
    parent = desk.make(budget("Top"))
    for _ in range(2):
        desk.make(budget("Twin", amount=1))
    desk.calls()
    found = desk.at.probe([Draft(model=budget("Twin"), container=parent.id)])
    assert [each.container for each in found[0]] == [None, None]
    assert desk.calls() == {"GET budgets": 1}


# Alerts


def test_alerts_change_with_as_few_calls_as_can_be(desk):
    people = ("ada", "cfo@example.com")
    first = (Alert(Decimal(50)), Alert(Decimal(80), recipients=people))
    made = desk.make(budget(alerts=first))
    (with_people,) = [
        row for row in desk.served.state["budget_alerts"].rows() if row["threshold"] == 80
    ]
    assert (with_people["user_tokens"], with_people["recipient_emails"]) == (
        ["usr_ada"],
        ["cfo@example.com"],
    )
    desk.listed()
    desk.calls()
    second = (Alert(Decimal(60)), Alert(Decimal(80), recipients=people[::-1]))
    changed = desk.change(made, {"alerts"}, alerts=second)
    assert desk.calls() == {"PUT budget_alerts": 1}
    assert facts(changed.model) == facts(replace(made.model, alerts=second))
    desk.change(made, {"alerts"}, alerts=())
    assert desk.calls() == {"DELETE budget_alerts": 2}
    assert desk.listed()[made.id].alerts == ()


def test_who_is_taken_off_an_alert_is_told_no_more(desk):
    people = ("ada", "cfo@example.com")
    made = desk.make(budget(alerts=(Alert(Decimal(80), recipients=people),)))
    for left in (("ada",), ()):
        alerts = (Alert(Decimal(80), recipients=left),)
        changed = desk.change(made, {"alerts"}, alerts=alerts)
        assert changed.model.alerts == desk.listed()[made.id].alerts == alerts


def test_alerts_read_the_same_as_old_pages_show_them(open_desk):
    desk = open_desk(old_alerts=True)
    made = desk.make(budget(alerts=(Alert(Decimal(80)),)))
    assert made.model.alerts == desk.listed()[made.id].alerts == (Alert(Decimal(80)),)


def test_an_alert_that_other_budgets_share_is_left_to_them(desk):
    one, other = desk.make(budget("One")), desk.make(budget("Other"))
    shared = {"token": "bdgt_alrt_1", "budget_tokens": [one.id, other.id], "threshold": 90}
    desk.served.state["budget_alerts"].put(desk.served.sandbox.completed("budget_alerts", shared))
    assert [each.alerts for each in desk.listed().values()] == [(Alert(Decimal(90)),)] * 2
    desk.change(one, {"alerts"}, alerts=(Alert(Decimal(70)),))
    models = desk.listed()
    assert models[one.id].alerts == (Alert(Decimal(70)),)
    assert models[other.id].alerts == (Alert(Decimal(90)),)


def test_a_budget_with_an_alert_that_cannot_be_read_is_a_problem(desk):
    made = desk.make(budget(alerts=(Alert(Decimal(80)),)))
    (row,) = desk.served.state["budget_alerts"].rows()
    desk.served.state["budget_alerts"].put(row | {"threshold": "most"})
    (page,) = desk.at.list(Kind.BUDGET)
    assert [problem.ref for problem in page.problems] == [made.id]


# What is refused, and who says so


def test_an_entity_without_a_report_names_the_row_to_add(desk):
    share = Allocation(ref="A", budget="B", entity=Entity("team", "ops"), amount=usd(1))
    (loss,) = desk.at.objections(share)
    assert loss.name == "blocked:entity"
    assert 'add "team:ops" = "rprt_…" to [systems.vantage.entities]' in loss.reason
    for entity in (Entity("account", "6200"), Entity("cost_report", "rprt_1")):
        assert desk.at.objections(replace(share, entity=entity)) == []


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"amount": Amount.of(1, "EUR")}, "currency"),
        ({"amount": usd("12345678901234.56")}, "amount"),
        ({"phases": months("1", "12345678901234.56")}, "amount"),
        ({"alerts": (Alert(Decimal("82.5")),)}, "alerts"),
        ({"alerts": (Alert(Decimal(80), percent=False),)}, "alerts"),
        ({"name": "Platform / (unallocated)"}, "name"),
        ({"name": "Sales / region:emea", "parent": "P"}, "name"),
    ],
)
def test_what_has_no_words_is_objected_to_and_never_sent(desk, said, field):
    model = replace(budget(), **said)
    _, unfit = desk.at.fit(model, date(2027, 1, 1))
    blocked = [loss.field for loss in unfit if loss.effect is Effect.BLOCKED]
    assert [*blocked, *(loss.field for loss in desk.at.objections(model))] == [field]
    with pytest.raises(Rejected, match=field):
        desk.make(model)
    assert desk.calls() == {}


def test_only_a_system_that_splits_has_other_cadences(desk):
    splits = desk.opened(emulate=["yearly"])
    assert Cadence.YEARLY in splits.capabilities.cadences
    assert Cadence.YEARLY not in desk.at.capabilities.cadences
    assert splits.fit(budget(cadence=Cadence.YEARLY), date(2027, 1, 1))[0].amount == usd("83.34")


def test_another_cadence_is_refused(desk):
    made = desk.make(budget())
    with pytest.raises(Rejected, match="how often"):
        desk.change(made, {"cadence"}, cadence=Cadence.YEARLY)


def test_check_tells_who_we_are_and_what_may_surprise(desk):
    assert desk.at.check().identity == "token 'sandbox', workspace 'Sandbox'"
    assert desk.opened(currency="EUR").check().notes == [
        "the workspace is in USD, the settings say otherwise"
    ]
    with pytest.raises(Forbidden, match="wrkspc_other"):
        desk.opened(workspace_token="wrkspc_other").check()


def test_a_limited_call_waits_until_the_window_resets(open_desk):
    desk = open_desk()
    desk.served.faults.add("rate_limit", retry_after=60)
    desk.listed()
    assert desk.clock == 60
    desk.served.faults.add("rate_limit")  # the header of the sandbox's window: an hour
    with pytest.raises(RateLimited) as caught:
        desk.listed()
    assert caught.value.after > 100


def test_the_words_of_a_refusal_are_the_vendors(desk):
    with pytest.raises(Rejected, match="name is missing"):
        desk.make(budget(" "))


def test_an_unknown_currency_is_a_setting_error():
    with pytest.raises(ValidationError, match="US"):
        VantageSettings(connector="vantage", token="t", workspace_token="w", currency="US")
