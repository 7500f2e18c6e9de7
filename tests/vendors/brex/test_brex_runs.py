"""Whole runs into Brex and out of it: whatever its pages leave open, they end in agreement."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from pydantic import SecretStr

from canonical.allocation import Allocation, Entity, Status
from canonical.amount import Amount
from canonical.budget import Budget
from canonical.kind import Kind, Op
from canonical.period import Cadence
from connectors.brex.connector import Brex
from connectors.brex.declared import BrexSettings
from connectors.conformance import waitless
from connectors.contract.interface import Connector
from connectors.memory.connector import Memory
from connectors.sandbox.brex.api import BrexSandbox
from connectors.sandbox.server import Served, serve
from sync.engine import Engine
from sync.report import Report
from sync.spec import Limits, SyncSpec
from sync.state.store import Store

TODAY, NOW = date(2026, 3, 15), datetime(2026, 3, 15, 12, tzinfo=UTC)
PEOPLE = {"users": [{"id": id, "email": f"{id}@x.com"} for id in ("ada", "grace", "cuuser_1")]}
OPEN = Limits(
    max_changes=None, max_removals=None, max_money=None, max_budget_change=None, min_listing=None
)


@dataclass
class Round:
    """A Brex account, a source in memory, and what runs from the one to the other remember."""

    served: Served
    brex: Brex
    store: Store
    source: Memory

    def run(
        self, source: Connector | None = None, target: Connector | None = None, sync: str = "s"
    ) -> Report:
        spec = SyncSpec(name=sync, source="a", target="b", limits=OPEN, parallel=1)
        source, target = source or self.source, target or self.brex
        engine = Engine(spec, source, target, self.store, now=lambda: NOW)
        return engine.run(TODAY, command="run")

    def settled(self) -> list[Op]:
        """What a run does that must leave nothing for the next one; agreement is proved."""
        report = self.run()
        assert report.verified, report.to_data()
        self.served.sandbox.log.clear()
        again = self.run()
        assert [call for call in self.served.log if call["method"] != "GET"] == []
        assert again.verified
        assert report.plan
        return [change.op for change in report.plan.changes]

    def rows(self, table: str, **like: Any) -> list[dict[str, Any]]:
        rows = self.served.state[table].rows()
        return [row for row in rows if all(row[name] == value for name, value in like.items())]

    def edit(self, table: str, name: str, **said: Any) -> None:
        """Somebody changes an object in Brex."""
        (row,) = self.rows(table, name=name)
        self.served.state[table].put(self.served.sandbox.completed(table, row | said))


Open = Callable[..., Round]


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Open]:
    with ExitStack() as stack:

        def opened(entities: Any = (), **switches: Any) -> Round:
            sandbox = BrexSandbox(token="bxt_test", rate_limit="off", seed=PEOPLE, **switches)
            served = stack.enter_context(serve(sandbox))
            settings = BrexSettings(
                connector="brex",
                base_url=served.url,
                token=SecretStr("bxt_test"),
                parent_budget_id="budget_root",
                expense_policy_id="policy_default",
                entities=dict(entities),
            )
            brex = stack.enter_context(Brex("cards", settings, waitless()))
            folder = tmp_path / str(len(list(tmp_path.iterdir())))
            folder.mkdir()
            store = stack.enter_context(closing(Store.open("sqlite:///s.db", folder, lambda: NOW)))
            return Round(served, brex, store, Memory("erp"))

        yield opened


@pytest.fixture
def round(opened: Open) -> Round:
    return opened()


def usd(number: str | int) -> Amount:
    return Amount.of(number, "USD")


def budget(ref: str = "B", **said: Any) -> Budget:
    whole = {"name": f"Name {ref}", "amount": usd(100), "cadence": Cadence.MONTHLY, **said}
    return Budget(ref=ref, **whole)


def share(entity: str, ref: str = "S", of: str = "B", **said: Any) -> Allocation:
    type, _, id = entity.partition(":")
    return Allocation(ref=ref, budget=of, entity=Entity(type, id), **{"amount": usd(40), **said})


@pytest.mark.parametrize(
    "switches",
    [
        {},
        {"lenient_keys": True},
        {"replay": "nothing"},
        {"replay": "refused"},
        {"absent_last_cursor": True, "largest_page": 1},
        {"hides_archived": True},
        {"archives_below": True},
        {"archives_once": True},
        {"null_clears": True},
        {"tidies": True},
        {"without_limits": True},
    ],
    ids=str,
)
@pytest.mark.sampled(4)
@pytest.mark.parametrize("fault", [None, "lost_answer", "key_expiry"])
def test_budgets_and_shares_live_and_end_whatever_brex_leaves_open(
    opened: Open, switches: dict[str, Any], fault: str | None
) -> None:
    round = opened(**switches)
    whole = (
        budget("A", name=" Group "),
        budget(
            "B", parent="A", owners=(), allocations=(share("user:ada"), share("account:1", "T"))
        ),
    )
    later = tuple(replace(each, amount=usd(7), description="Less") for each in whole)
    over = tuple(replace(each, status=Status.RETIRED) for each in later)
    for stated in (whole, later, over):
        round.source.put(*stated)
        if fault:
            round.served.faults.add(fault, every=2, times=2)
            round.run()
            round.served.faults.clear()
        round.settled()

    assert [row["spend_budget_status"] for row in round.rows("budgets")[1:]] == ["ARCHIVED"] * 2
    shares = round.rows("spend_limits", parent_budget_id=round.rows("budgets")[2]["budget_id"])
    assert [row["status"] for row in shares] == ["ARCHIVED"] * 2


@pytest.mark.parametrize(
    ("before", "after", "fields"),
    [
        ("user:ada", "department:d", {"member_user_ids": [], "department_id": "d"}),
        ("user:ada", "account:6100", {"member_user_ids": []}),
        ("user:ada", "user:ada,grace", {"member_user_ids": ["ada", "grace"]}),
        ("department:d", "legal_entity:l", {"legal_entity_id": "l"}),
        ("legal_entity:l", "department:d", {"department_id": "d"}),
        ("department:d", "user:ada", {"member_user_ids": ["ada"]}),
        ("account:6100", "cost-centre2:K1", {"member_user_ids": []}),
    ],
)
def test_a_share_that_is_for_another_now_is_read_as_the_others(
    round: Round, before: str, after: str, fields: dict[str, Any]
) -> None:
    for entity in (before, after):
        round.source.put(budget(allocations=(share(entity),)))
        round.settled()

    (limit,) = round.rows("spend_limits", name=after.partition(":")[2])
    assert {name: limit[name] for name in fields} == fields
    assert str(round.brex.get(Kind.ALLOCATION, limit["id"]).model.entity) == after


def test_people_who_use_the_wallet_of_a_department_stay(round: Round) -> None:
    round.source.put(budget(allocations=(share("department:d"),)))
    round.run()
    round.edit("spend_limits", "d", member_user_ids=["ada"])
    assert round.settled() == []

    round.source.put(budget(allocations=(share("department:e"),)))
    round.settled()

    (limit,) = round.rows("spend_limits", name="e")
    assert (limit["department_id"], limit["member_user_ids"]) == ("e", ["ada"])


def test_a_department_that_was_taken_away_by_hand_is_put_back(round: Round) -> None:
    round.source.put(budget(allocations=(share("department:d"),)))
    round.run()
    round.edit("spend_limits", "d", department_id=None)

    assert round.settled() == [Op.UPDATE]
    assert round.rows("spend_limits", department_id="d")


def test_a_person_whose_name_is_not_ascii_gets_a_wallet(opened: Open) -> None:
    round = opened(entities={"user:jürgen@example.com": "cuuser_1"})
    round.source.put(budget(allocations=(share("user:jürgen@example.com"),)))

    round.settled()

    assert round.rows("spend_limits", member_user_ids=["cuuser_1"])


def test_authorization_settings_that_are_not_there_are_made_whole(round: Round) -> None:
    round.source.put(budget(allocations=(share("user:ada"),)))
    round.run()
    round.edit("spend_limits", "ada", authorization_settings=None)

    assert round.settled() == [Op.UPDATE]
    (limit,) = round.rows("spend_limits", name="ada")
    assert limit["authorization_settings"]["base_limit"]["amount"] == 4000


def test_how_strict_a_wallet_is_stays_where_only_its_currency_is_put_back(round: Round) -> None:
    round.source.put(budget(allocations=(share("user:ada"),)))
    round.run()
    theirs = {"base_limit": {"amount": 1, "currency": "EUR"}, "authorization_type": "SOFT"}
    kept = {"rollover_refresh_rate": "PER_MONTH", "limit_buffer_percentage": 7}
    round.edit("spend_limits", "ada", authorization_settings=theirs | kept)

    round.settled()

    (limit,) = round.rows("spend_limits", name="ada")
    settings = limit["authorization_settings"]
    assert settings["base_limit"] == {"amount": 4000, "currency": "USD"}
    assert settings.items() >= (kept | {"authorization_type": "SOFT"}).items()


def test_what_a_person_changes_in_a_budget_is_put_back(round: Round) -> None:
    said = {"description": "All trips", "owners": ("ada",), "start": date(2026, 1, 1)}
    round.source.put(budget("A"), budget(parent="A", **said))
    round.run()
    (made,) = round.rows("budgets", name="Name B")
    for field, value in {
        "amount": {"amount": 1, "currency": "EUR"},
        "description": "[trueup:B] All",
        "owner_user_ids": [],
        "start_date": None,
        "period_recurrence_type": "YEARLY",
        "parent_budget_id": "budget_root",
    }.items():
        round.edit("budgets", "Name B", **{field: value})
        assert round.settled() == [Op.UPDATE], field

    assert round.rows("budgets", name="Name B") == [made]


def test_a_spend_limit_below_no_budget_is_nothing_that_a_source_states(round: Round) -> None:
    round.source.put(budget(allocations=(share("user:ada"),)))
    round.run()
    (limit,) = round.rows("spend_limits", name="ada")
    alone = limit | {"id": "spend_limit_alone", "parent_budget_id": None}
    round.served.state["spend_limits"].put(alone)

    copy = Memory("copy")
    report = round.run(round.brex, copy, sync="copy")

    assert report.plan
    assert not report.plan.problems
    (item,) = [item for page in copy.list(Kind.ALLOCATION) for item in page.items]
    assert str(item.model.entity) == "user:ada"
