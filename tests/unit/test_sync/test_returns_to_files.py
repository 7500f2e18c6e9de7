"""What the target has is taken back into a file, row by row."""

from contextlib import closing
from datetime import UTC, date, datetime

import pytest

from canonical.allocation import Allocation, Entity
from canonical.amount import Amount
from canonical.budget import Budget
from canonical.kind import Kind
from canonical.period import Cadence
from canonical.side import Side
from connectors.contract.capabilities import Phasing
from connectors.contract.runtime import Runtime
from connectors.file.connector import File
from connectors.file.declared import FileSettings
from connectors.memory.connector import Memory
from sync.engine import Engine
from sync.fields import Fields, OnNew, Owner
from sync.spec import Limits, SyncSpec
from sync.state.store import Store

NOW, TODAY = datetime(2026, 3, 10, tzinfo=UTC), date(2026, 3, 10)
OPEN = Limits(
    max_changes=None,
    max_removals=None,
    max_money=None,
    max_budget_change=None,
    min_listing=None,
)
BUDGETS = (
    "ref,name,currency,amount,cadence,start,end,dimension:team\n"
    "A,Travel,EUR,100.00,monthly,2026-01-01,2026-01-31,ann\n"
    "A,Travel,EUR,110.00,monthly,2026-02-01,2026-02-28,ann\n"
    "A,Travel,EUR,120.00,monthly,2026-03-01,2026-03-31,ann\n"
    "B,Tools,EUR,50.00,monthly,2026-01-01,2026-12-31,bob\n"
)
SHARES = "budget,ref,entity_type,entity,amount\nB,b1,user,ann@example.com,20.00\n"


def eur(number):
    return Amount.of(number, "EUR")


class Desk:
    def __init__(self, store, folder):
        self.store, self.folder = store, folder
        (folder / "budgets.csv").write_text(BUDGETS)
        (folder / "shares.csv").write_text(SHARES)
        self.target = Memory.with_capabilities(phasing=Phasing.CURRENT)("shop")

    def run(self):
        settings = FileSettings(connector="file", path="budgets.csv", allocations="shares.csv")
        fields = Fields(default=Owner.EITHER, on_new=OnNew.CREATE)
        spec = SyncSpec(name="s", source="erp", target="shop", limits=OPEN, fields=fields)
        with File("erp", settings, Runtime(base=self.folder)) as source:
            engine = Engine(spec, source, self.target, self.store, now=lambda: NOW)
            report = engine.run(TODAY, command="run")
        assert report.verified, report.to_data()
        return report

    def id(self, name, kind=Kind.BUDGET):
        for page in self.target.list(kind):
            for item in page.items:
                if name in (getattr(item.model, "name", ""), getattr(item.model, "entity", "")):
                    return item.id
        raise LookupError(name)

    def lines(self, name):
        return (self.folder / name).read_text().splitlines()


@pytest.fixture
def desk(tmp_path):
    with closing(Store.open(f"sqlite:///{tmp_path}/state.db", tmp_path, lambda: NOW)) as opened:
        made = Desk(opened, tmp_path)
        made.run()
        yield made


def test_only_the_row_of_the_month_is_changed_and_what_stands_beside_it_stays(desk):
    desk.target.edit(desk.id("Travel"), amount=eur(500))

    report = desk.run()

    assert [each.side for each in report.operations] == [Side.SOURCE]
    assert desk.lines("budgets.csv")[3].split(",")[3:4] == ["500.00"]
    assert [line.split(",")[-1] for line in desk.lines("budgets.csv")[1:]] == [
        "ann", "ann", "ann", "bob",
    ]  # fmt: skip
    assert desk.lines("budgets.csv")[1:3] == BUDGETS.splitlines()[1:3]


def test_a_share_is_changed_in_its_own_file(desk):
    desk.target.edit(desk.id(Entity("user", "ann@example.com"), Kind.ALLOCATION), amount=eur(30))

    desk.run()

    assert desk.lines("shares.csv")[1] == "B,b1,user,ann@example.com,30.00"
    assert desk.lines("budgets.csv") == BUDGETS.splitlines()


def test_what_only_the_target_has_becomes_rows_once(desk):
    desk.target.put(
        Budget(
            ref="T-9", name="Ads", amount=eur(70), cadence=Cadence.MONTHLY, start=date(2026, 1, 1)
        ),
        Allocation(
            ref="x",
            budget="T-9",
            entity=Entity("user", "bob@example.com"),
            amount=eur(7),
            cadence=Cadence.MONTHLY,
            start=date(2026, 1, 1),
        ),
    )

    desk.run()
    written = desk.lines("budgets.csv"), desk.lines("shares.csv")

    assert desk.run().plan.changes == ()
    assert (desk.lines("budgets.csv"), desk.lines("shares.csv")) == written
    assert sum("Ads" in line for line in written[0]) == 1
    assert sum("bob@example.com" in line for line in written[1]) == 1
