"""What breaks off in the middle at Vantage is put right by the next run, and nothing is left over."""

from contextlib import ExitStack
from datetime import UTC, date, datetime, timedelta

import pytest
from msgspec.structs import replace

from canonical.allocation import Allocation, Entity
from canonical.amount import Amount
from canonical.budget import Budget
from canonical.kind import Kind
from canonical.period import Cadence
from connectors.conformance import waitless
from connectors.contract.errors import Forbidden, Missing, Transient
from connectors.memory.connector import Memory
from connectors.sandbox.api import Refused
from connectors.sandbox.server import serve
from connectors.sandbox.vantage.api import WORKSPACE, VantageSandbox
from connectors.vantage.connector import Vantage
from sync.engine import Engine
from sync.spec import Limits, OnRemove, SyncSpec
from sync.state.store import Store

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
SHARES, REST = ("Platform / account:6200", "Platform / account:6300"), "Platform / (unallocated)"


def share(account, amount):
    entity = Entity("account", account)
    return Allocation(ref=account, budget="P", entity=entity, amount=Amount.of(amount, "USD"))


PLATFORM = Budget(
    ref="P",
    name="Platform",
    amount=Amount.of(1000, "USD"),
    cadence=Cadence.MONTHLY,
    start=date(2026, 1, 1),
    end=date(2026, 12, 31),
)


class Mirror:
    """An ERP and a Vantage that follows it; each run is a process of its own."""

    def __init__(self, stack, folder, **switches):
        self.stack, self.source = stack, Memory("erp")
        self.served = stack.enter_context(serve(VantageSandbox(rate_limit="off", **switches)))
        self.moment = datetime(2026, 3, 15, tzinfo=UTC)
        self.now = lambda: self.moment
        self.store = Store.open("sqlite:///trueup.db", folder, self.now)
        stack.callback(self.store.close)

    def target(self):
        settings = Vantage.Settings(**SAID, base_url=f"{self.served.url}/v2")
        return self.stack.enter_context(Vantage("vantage", settings, waitless()))

    def run(self):
        """Two hours after the last one: what Vantage asked to wait for is over."""
        self.moment += timedelta(hours=2)
        spec = SyncSpec(
            name="s", source="erp", target="vantage", limits=OPEN, on_remove=OnRemove.DELETE
        )
        engine = Engine(spec, self.source, self.target(), self.store, now=self.now)
        return engine.run(date(2026, 3, 15), command="test")

    def names(self):
        return sorted(row["name"] for row in self.served.state["budgets"].rows())

    def writes(self):
        return sum(call["method"] != "GET" for call in self.served.log)


@pytest.fixture
def open_mirror(tmp_path):
    with ExitStack() as stack:
        yield lambda folder=tmp_path, **switches: Mirror(stack, folder, **switches)


@pytest.fixture
def mirror(open_mirror):
    return open_mirror()


def with_shares(mirror):
    mirror.source.put(PLATFORM, share("6200", 600), share("6300", 300))
    assert mirror.run().verified
    return mirror


@pytest.mark.parametrize("how", ["429", "401", "403", "400", "500", "empty", "lost_answer"])
def test_a_share_whose_placing_broke_off_is_made_once(mirror, how):
    mirror.source.put(PLATFORM)
    mirror.run()
    mirror.source.put(PLATFORM, share("6200", 600), share("6300", 300))
    mend = mirror.served.faults.break_off(how, 1, -1)
    mirror.run()
    assert mend()
    mirror.run()
    assert mirror.run().verified
    assert mirror.names() == sorted(["Platform", *SHARES, REST])


@pytest.mark.parametrize("skip", range(9))
def test_a_removal_that_broke_off_leaves_nothing_behind(mirror, skip):
    with_shares(mirror)
    mirror.source.drop("P")
    mend = mirror.served.faults.break_off("500", skip, -1)
    mirror.run()
    mend()
    mirror.run()
    assert mirror.run().verified
    assert mirror.names() == []


def test_a_share_that_may_not_be_deleted_keeps_its_place_and_its_budget(mirror, monkeypatch):
    with_shares(mirror)
    refuse, delete = mirror.served.sandbox.refusal, mirror.served.sandbox._delete
    share_of = next(
        row["token"] for row in mirror.served.state["budgets"].rows() if row["name"] == SHARES[0]
    )

    def kept(table, token):
        if token == share_of:
            raise Refused(refuse(422))
        delete(table, token)

    monkeypatch.setattr(mirror.served.sandbox, "_delete", kept)
    mirror.source.drop("P")
    report = mirror.run()
    assert not report.verified
    rows = {row["name"]: row for row in mirror.served.state["budgets"].rows()}
    assert share_of in rows["Platform"]["child_budget_tokens"]


def test_one_404_to_a_delete_does_not_prove_that_it_is_gone(mirror):
    with_shares(mirror)
    target = mirror.target()
    (page,) = target.list(Kind.BUDGET)
    mirror.served.faults.add("error_before", method="DELETE", status=404, times=-1)
    with pytest.raises(Transient, match="there all the same"):
        target.delete(Kind.BUDGET, page.items[0].id, "key")


def test_a_listing_that_is_not_found_says_nothing_of_a_budget(mirror):
    with_shares(mirror)
    target = mirror.target()
    id = mirror.served.state["budgets"].rows()[0]["token"]
    mirror.served.faults.add("error_before", method="GET", status=404, skip=1, times=1)
    with pytest.raises(Transient):
        target.get(Kind.BUDGET, id)


def test_what_a_narrower_token_does_not_see_is_not_gone(mirror):
    with_shares(mirror)
    target, table = mirror.target(), mirror.served.state["budgets"]
    hidden = next(row for row in table.rows() if row["name"] == SHARES[0])
    table.put(hidden | {"workspace_token": "wrkspc_other"})  # so that no listing shows it
    path = f"/v2/budgets/{hidden['token']}"
    mirror.served.faults.add("error_before", path=path, status=404, times=-1)
    with pytest.raises(Forbidden, match="names as its part"):
        target.get(Kind.ALLOCATION, hidden["token"])


def test_a_budget_is_gone_only_while_its_workspace_is_seen(mirror, monkeypatch):
    target = mirror.target()
    with pytest.raises(Missing):
        target.get(Kind.BUDGET, "bdgt_none")
    monkeypatch.setattr("connectors.sandbox.vantage.api.WORKSPACE", "wrkspc_other")
    with pytest.raises(Forbidden, match="no longer sees workspace"):
        target.get(Kind.BUDGET, "bdgt_none")


def test_answers_that_name_no_children_are_no_reason_to_write_again(open_mirror):
    mirror = with_shares(open_mirror(silent=True))
    before = mirror.writes()
    assert mirror.run().verified
    assert mirror.writes() == before
    mirror.source.put(PLATFORM, share("6200", 500), share("6300", 300))
    assert mirror.run().verified
    amounts = {
        row["name"]: row["periods"][0]["amount"] for row in mirror.served.state["budgets"].rows()
    }
    assert (amounts[SHARES[0]], amounts[REST]) == ("500.0", "200.0")


def nested(mirror, **amounts):
    """Two budgets of 300 and 200 below one of 1000, and a share of the first."""
    parts = {"Data": 300, "Web": 200} | amounts
    budgets = [
        replace(PLATFORM, ref=name, name=name, parent="P", amount=Amount.of(amount, "USD"))
        for name, amount in parts.items()
    ]
    mirror.source.put(PLATFORM, *budgets, replace(share("6200", 100), budget="Data"))
    return mirror


def held(mirror):
    """Name → the sum that is shown first, and the names of what hangs below."""
    rows = {row["token"]: row for row in mirror.served.state["budgets"].rows()}
    shown = mirror.served.sandbox._shown
    return {
        row["name"]: (
            shown(row, full=False)["periods"][0]["amount"],
            sorted(rows[each]["name"] for each in row["child_budget_tokens"]),
        )
        for row in rows.values()
    }


@pytest.mark.parametrize("silent", [False, True])
def test_nested_budgets_are_not_placed_again_by_the_next_process(open_mirror, silent):
    mirror = nested(open_mirror(silent=silent))
    assert mirror.run().verified
    before = mirror.writes()
    report = mirror.run()
    assert (report.operations, report.verified, mirror.writes()) == ([], True, before)


def test_a_nested_budget_is_changed_as_if_answers_named_children(open_mirror, tmp_path):
    ends = []
    for silent in (False, True):
        folder = tmp_path / str(silent)
        folder.mkdir()
        mirror = nested(open_mirror(folder, silent=silent))
        assert mirror.run().verified
        nested(mirror, Data=350)
        assert mirror.run().verified
        before = mirror.writes()
        assert (mirror.run().verified, mirror.writes()) == (True, before)
        ends.append(held(mirror))
    assert ends[0] == ends[1]
    assert ends[1]["Platform"] == ("1000.0", ["Data", "Platform / (unallocated)", "Web"])
