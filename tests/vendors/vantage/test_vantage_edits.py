"""What a person does in Vantage to budgets and shares of ours shows as drift, and is put back."""

from contextlib import ExitStack
from datetime import UTC, date, datetime

import pytest

from canonical.allocation import Allocation, Entity
from canonical.amount import Amount
from canonical.budget import Budget, Phase
from canonical.period import Cadence, Period
from connectors.conformance import waitless
from connectors.memory.connector import Memory
from connectors.sandbox.server import serve
from connectors.sandbox.vantage.api import WORKSPACE, VantageSandbox
from connectors.vantage.connector import Vantage
from sync.engine import Engine
from sync.spec import Limits, SyncSpec
from sync.state.store import Store

TODAY = date(2026, 3, 15)
OPEN = Limits(
    max_changes=None, max_removals=None, max_money=None, max_budget_change=None, min_listing=None
)
SAID = {
    "connector": "vantage",
    "token": "vntg_sandbox",
    "workspace_token": WORKSPACE,
    "currency": "USD",
    "entities": {"account:6200": "rprt_6200", "account:6300": "rprt_6300"},
}
FIRST, SECOND = "Platform / account:6200", "Platform / account:6300"
REST = "Platform / (unallocated)"


def usd(number):
    return Amount.of(number, "USD")


def share(account, amount):
    entity = Entity("account", account)
    return Allocation(ref=account, budget="P", entity=entity, amount=usd(amount))


PLATFORM = Budget(
    ref="P",
    name="Platform",
    amount=usd(1000),
    cadence=Cadence.MONTHLY,
    start=date(2026, 1, 1),
    end=date(2026, 12, 31),
    allocations=(share("6200", 600), share("6300", 300)),
)


class Mirror:
    """An ERP with one budget and two shares, and a Vantage that follows it."""

    def __init__(self, stack, folder):
        self.served = stack.enter_context(serve(VantageSandbox(rate_limit="off")))
        settings = Vantage.Settings(**SAID, base_url=f"{self.served.url}/v2")
        target = stack.enter_context(Vantage("vantage", settings, waitless()))
        self.source = source = Memory("erp")
        source.put(PLATFORM)
        now = lambda: datetime(2026, 3, 15, tzinfo=UTC)  # noqa: E731
        store = Store.open("sqlite:///trueup.db", folder, now)
        stack.callback(store.close)
        spec = SyncSpec(name="s", source="erp", target="vantage", limits=OPEN)
        self.engine = Engine(spec, source, target, store, now=now)

    def run(self, *allow):
        """One run, and how many writes it took."""
        before = len(self.served.log)
        report = self.engine.run(TODAY, command="test", allow=allow)
        assert report.verified, report.to_data()
        return sum(call["method"] != "GET" for call in self.served.log[before:])

    def row(self, name):
        return next(row for row in self.rows() if row["name"] == name)

    def rows(self):
        return self.served.state["budgets"].rows()

    def edit(self, which, **fields):
        self.served.state["budgets"].put(self.row(which) | fields)

    def children(self, parent, *names):
        self.edit(parent, child_budget_tokens=[self.row(name)["token"] for name in names])

    def shape(self):
        """Each budget by name: its report, its periods, and the names of its children."""
        names = {row["token"]: row["name"] for row in self.rows()}
        return {
            row["name"]: (
                row["cost_report_token"],
                [] if row["child_budget_tokens"] else row["periods"],
                {names[token] for token in row["child_budget_tokens"]},
            )
            for row in self.rows()
        }


@pytest.fixture
def mirror(tmp_path):
    with ExitStack() as stack:
        made = Mirror(stack, tmp_path)
        made.run()
        yield made


def year(amount):
    return [{"start_at": "2026-01-01", "end_at": "2026-12-31", "amount": amount}]


def december(amount):
    return {"start_at": "2026-12-01", "end_at": "2026-12-31", "amount": amount}


def swap(mirror):
    first, second = mirror.row(FIRST), mirror.row(SECOND)
    mirror.served.state["budgets"].put(first | {"name": SECOND})
    mirror.served.state["budgets"].put(second | {"name": FIRST})


EDITS = {
    "another name": lambda mirror: mirror.edit(FIRST, name="Travel"),
    "the name of another share": lambda mirror: mirror.edit(FIRST, name="Platform / account:9"),
    "two names exchanged": swap,
    "another report": lambda mirror: mirror.edit(FIRST, cost_report_token="rprt_x"),
    "the report of another share": lambda mirror: mirror.edit(FIRST, cost_report_token="rprt_6300"),
    "no report": lambda mirror: mirror.edit(FIRST, cost_report_token=None),
    "a higher amount": lambda mirror: mirror.edit(FIRST, periods=year("700.0")),
    "a lower amount": lambda mirror: mirror.edit(FIRST, periods=year("500.0")),
    "no periods": lambda mirror: mirror.edit(FIRST, periods=[]),
    "another rest": lambda mirror: mirror.edit(REST, periods=year("1.0")),
    "a share taken out": lambda mirror: mirror.children("Platform", SECOND, REST),
    "the rest taken out": lambda mirror: mirror.children("Platform", FIRST, SECOND),
    "all taken out": lambda mirror: mirror.children("Platform"),
    "the budget renamed": lambda mirror: mirror.edit("Platform", name="Company"),
    "a share deleted": lambda mirror: mirror.served.sandbox._delete(
        "budgets", mirror.row(FIRST)["token"]
    ),
}


@pytest.mark.parametrize("edit", EDITS)
def test_an_edit_is_put_back_and_then_nothing_is_written(mirror, edit):
    before = mirror.shape()
    EDITS[edit](mirror)
    assert mirror.shape() != before
    assert mirror.run() > 0
    assert mirror.shape() == before
    assert mirror.run() == 0


def test_a_budget_that_was_deleted_is_put_back_once_a_person_says_so(mirror):
    before = mirror.shape()
    mirror.served.sandbox._delete("budgets", mirror.row("Platform")["token"])
    left = mirror.shape()
    report = mirror.engine.run(TODAY, command="test")
    assert (report.exit_code, report.operations, mirror.shape()) == (4, [], left)
    assert mirror.run("unseen") > 0
    assert mirror.shape() == before
    assert mirror.run() == 0


def test_a_rest_that_was_renamed_is_a_budget_of_its_own(mirror):
    mirror.edit(REST, name="Reserve")
    before = mirror.shape()
    assert mirror.run() == 0
    assert mirror.shape() == before


def test_fields_that_are_not_ours_survive_what_is_put_back(mirror):
    mirror.edit("Platform", name="Company", cost_report_token="rprt_theirs", future={"x": 1})
    mirror.run()
    row = mirror.row("Platform")
    assert (row["cost_report_token"], row["future"]) == ("rprt_theirs", {"x": 1})


def test_a_share_with_a_time_of_its_own_stays_when_its_budget_lasts_longer(mirror):
    half = Phase(Period(date(2026, 1, 1), date(2026, 6, 30)), usd(600))
    mirror.source.edit("P/6200", phases=(half,))
    mirror.run()
    mirror.source.edit("P", end=date(2027, 12, 31))
    mirror.run()
    ends = [mirror.row(name)["periods"][-1]["end_at"] for name in (FIRST, SECOND)]
    assert ends == ["2026-06-30", "2027-12-31"]
    assert mirror.run() == 0


@pytest.mark.parametrize("month", [[], [december("500.0")]], ids=["none", "another amount"])
def test_a_month_of_a_share_that_somebody_changes_is_put_back(mirror, month):
    mirror.edit(FIRST, periods=[year("600.0")[0] | {"end_at": "2026-11-30"}, *month])
    assert mirror.run() > 0
    assert {each["amount"] for each in mirror.row(FIRST)["periods"]} == {"600.0"}
    assert mirror.row(FIRST)["periods"][-1]["end_at"] == "2026-12-31"
    assert mirror.run() == 0
