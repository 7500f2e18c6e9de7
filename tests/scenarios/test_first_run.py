"""An empty vendor is filled once, exactly, with as few calls as there can be."""

from collections import Counter
from pathlib import Path

import pytest

from connectors.sandbox.server import Served
from tests.scenarios.conftest import SYNC, TOKEN, Desk
from trueup.sample import write_sample


@pytest.fixture
def large(tmp_path: Path, brex: Served, monkeypatch: pytest.MonkeyPatch) -> Desk:
    monkeypatch.setenv("BREX_TOKEN", TOKEN)
    write_sample(tmp_path, cost_centres=40)
    return Desk(tmp_path, brex)


def test_forty_budgets_and_their_shares_take_one_keyed_post_each_and_four_reads(
    large: Desk,
) -> None:
    result = large.run("run", SYNC, "--json")

    assert result.code == 0
    assert result.data["outcome"] == "ok"
    assert result.data["counts"]["applied"] == 200
    assert result.data["verified"] is True
    assert (len(large.budgets), len(large.limits)) == (40, 160)
    posts = large.calls("POST")
    assert len(posts) == 200
    assert len({call["key"] for call in posts}) == 200
    assert len(large.calls("GET")) == 4
    assert not large.calls("PUT", "DELETE")


def test_the_second_run_writes_nothing(large: Desk) -> None:
    large.run("run", SYNC)
    large.clear_log()

    result = large.run("run", SYNC, "--json")

    assert (result.code, result.data["operations"]) == (0, [])
    assert result.data["verified"] is True
    assert Counter(call["method"] for call in large.brex.log) == {"GET": 2}


def test_the_plan_has_the_promised_shape(desk: Desk) -> None:
    plan = desk.run("plan", SYNC, "--json").data

    assert plan["summary"] == {
        "create": 15, "update": 0, "retire": 0, "delete": 0,
        "unchanged": 0, "conflict": 0, "blocked": 0,
    }  # fmt: skip
    assert (plan["sync"], plan["source"], plan["target"]) == (SYNC, "erp", "brex")
    assert plan["as_of"] == "2026-03-15"
    change = plan["changes"][0]
    assert (change["op"], change["kind"], change["ref"]) == ("create", "budget", "CC0001")
    assert change["fields"]["amount"] == {"before": None, "after": "1020.00"}
    share = next(each for each in plan["changes"] if each["kind"] == "allocation")
    assert (share["ref"], share["budget_ref"]) == ("CC0001-6100", "CC0001")
    assert share["losses"][0]["effect"] == "emulated"


def test_planning_writes_nothing_to_the_vendor(desk: Desk) -> None:
    desk.run("plan", SYNC)

    assert not desk.calls("POST", "PUT", "DELETE")


@pytest.mark.parametrize(
    ("currency", "amount", "minor"),
    [("USD", "1250.07", 125007), ("JPY", "125007", 125007), ("KWD", "125.007", 125007)],
)
def test_amounts_are_exact_in_every_currency(
    desk: Desk, currency: str, amount: str, minor: int
) -> None:
    row = {"ref": "B1", "name": "One", "currency": currency, "amount": amount}
    desk.has_user("u1")
    desk.write([row])
    desk.write([{"budget": "B1", "ref": "B1-1", "entity_type": "user", "entity": "u1",
                 "amount": amount, "status": "active"}], "allocations.csv")  # fmt: skip

    assert desk.run("run", SYNC).code == 0

    assert desk.named("One")["amount"] == {"amount": minor, "currency": currency}
    (limit,) = desk.limits
    assert limit["authorization_settings"]["base_limit"]["amount"] == minor
    assert limit["member_user_ids"] == ["u1"]


def test_detailed_exit_code_tells_pending_changes(desk: Desk) -> None:
    assert desk.run("plan", SYNC).code == 0
    assert desk.run("plan", SYNC, "--detailed-exitcode").code == 3
    desk.run("run", SYNC)
    assert desk.run("plan", SYNC, "--detailed-exitcode").code == 0


def test_apply_without_a_terminal_asks_for_yes(desk: Desk) -> None:
    result = desk.run("apply", SYNC)

    assert result.code == 2
    assert "--yes" in result.err
    assert not desk.budgets
