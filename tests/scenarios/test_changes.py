"""What either side changes later: put right field by field, and nobody else's is touched."""

import httpx

from tests.scenarios.conftest import SYNC, TOKEN, Desk

AUTH = {"Authorization": f"Bearer {TOKEN}", "Idempotency-Key": "by-hand"}


def _edit(desk: Desk, id: str, **fields: object) -> None:
    """Somebody edits a budget in Brex."""
    httpx.put(f"{desk.brex.url}/v2/budgets/{id}", headers=AUTH, json=fields).raise_for_status()
    desk.clear_log()


def test_a_changed_amount_is_one_field_and_one_put(filled: Desk) -> None:
    filled.budget("CC0001", amount="1100.00")

    plan = filled.run("plan", SYNC, "--json").data

    (change,) = plan["changes"]
    assert (change["op"], change["ref"], change["cause"]) == ("update", "CC0001", "source")
    assert change["fields"] == {"amount": {"before": "1020.00", "after": "1100.00"}}
    assert filled.run("run", SYNC).code == 0
    (put,) = filled.calls("PUT")
    assert put["key"]
    assert filled.named("Cost centre 1 (CC0001)")["amount"]["amount"] == 110000


def test_an_edit_in_the_vendor_is_drift_and_is_put_back(filled: Desk) -> None:
    budget = filled.named("Cost centre 2 (CC0002)")
    before = dict(budget)
    _edit(filled, budget["budget_id"], amount={"amount": 120000, "currency": "USD"})

    plan = filled.run("plan", SYNC, "--json").data

    (change,) = plan["changes"]
    assert change["cause"] == "drift"
    assert change["fields"] == {"amount": {"before": "1200.00", "after": "1160.10"}}
    assert filled.run("verify", SYNC).code == 3
    report = filled.run("run", SYNC, "--json").data
    assert (report["outcome"], report["drift"], report["drift_money"]) == ("ok", 1, {"USD": "39.9"})
    assert filled.named("Cost centre 2 (CC0002)")["amount"] == before["amount"]
    assert filled.run("verify", SYNC).code == 0


def test_what_is_not_ours_is_never_touched(desk: Desk) -> None:
    body = {
        "name": "Theirs", "description": "", "parent_budget_id": "budget_root",
        "period_recurrence_type": "MONTHLY", "amount": {"amount": 1, "currency": "USD"},
    }  # fmt: skip
    httpx.post(f"{desk.brex.url}/v2/budgets", headers=AUTH, json=body).raise_for_status()
    theirs = dict(desk.named("Theirs"))
    desk.add_setting('on_remove = "retire"')

    for _ in range(2):
        assert desk.run("run", SYNC).code == 0

    assert desk.named("Theirs") == theirs


def test_a_lost_ledger_is_rebuilt_from_the_stamps(filled: Desk) -> None:
    for path in filled.folder.glob("trueup.db*"):
        path.unlink()

    result = filled.run("run", SYNC, "--json")

    assert result.code == 0
    assert result.data["plan"]["adopted"] == 15
    assert not filled.calls("POST", "PUT")
    assert len(filled.budgets) == 3


def test_a_namesake_is_adopted_and_not_made_twice(desk: Desk) -> None:
    body = {
        "name": "cost centre 1  (CC0001)", "description": "Operating budget of cost centre 1",
        "parent_budget_id": "budget_root", "period_recurrence_type": "MONTHLY",
        "amount": {"amount": 102000, "currency": "USD"}, "start_date": "2026-01-01",
        "end_date": "2026-12-31",
    }  # fmt: skip
    httpx.post(f"{desk.brex.url}/v2/budgets", headers=AUTH, json=body).raise_for_status()

    plan = desk.run("plan", SYNC, "--json").data

    (change,) = [each for each in plan["changes"] if each["op"] == "update"]
    assert change["matched"] == "natural key"
    assert set(change["fields"]) == {"name"}
    desk.run("run", SYNC, "--allow", "max_changes")
    assert len(desk.budgets) == 3


def test_two_namesakes_are_a_conflict_and_neither_is_guessed(desk: Desk) -> None:
    body = {
        "name": "Cost centre 1 (CC0001)", "description": "", "parent_budget_id": "budget_root",
        "period_recurrence_type": "MONTHLY", "amount": {"amount": 1, "currency": "USD"},
    }  # fmt: skip
    for number in "12":
        headers = AUTH | {"Idempotency-Key": number}
        httpx.post(f"{desk.brex.url}/v2/budgets", headers=headers, json=body).raise_for_status()

    result = desk.run("run", SYNC, "--json")

    assert result.code == 6
    (conflict,) = result.data["plan"]["conflicts"]
    assert (conflict["ref"], len(conflict["candidates"])) == ("CC0001", 2)
    assert len(desk.budgets) == 4  # the other two were made
    assert result.data["counts"]["applied"] == 10


def test_a_budget_that_leaves_the_source_is_kept_unless_told_otherwise(filled: Desk) -> None:
    filled.write([row for row in filled.rows() if row["ref"] != "CC0003"])
    shares = [r for r in filled.rows("allocations.csv") if r["budget"] != "CC0003"]
    filled.write(shares, "allocations.csv")

    assert filled.run("run", SYNC, "--json").data["plan"]["kept"] == 5
    assert not filled.calls("POST", "PUT")
    filled.add_setting('on_remove = "retire"')
    assert filled.run("run", SYNC).code == 5
    assert filled.run("run", SYNC, "--allow", "max_removals,max_changes,max_money").code == 0

    assert filled.named("Cost centre 3 (CC0003)")["spend_budget_status"] == "ARCHIVED"
    assert filled.run("plan", SYNC, "--detailed-exitcode").code == 0


def test_a_retired_budget_is_archived_with_its_shares(filled: Desk) -> None:
    filled.budget("CC0003", status="retired")

    result = filled.run("run", SYNC, "--json", "--allow", "max_removals,max_changes,max_money")

    assert result.code == 0
    assert [each["kind"] for each in result.data["operations"]] == ["allocation"] * 4 + ["budget"]
    assert filled.named("Cost centre 3 (CC0003)")["spend_budget_status"] == "ARCHIVED"
    assert filled.run("plan", SYNC, "--detailed-exitcode").code == 0


def test_an_object_deleted_in_the_vendor_is_made_again(filled: Desk) -> None:
    limit = filled.limits[0]
    filled.brex.state["spend_limits"].remove(limit["id"])

    result = filled.run("run", SYNC, "--json")

    assert result.code == 0
    assert [each["op"] for each in result.data["operations"]] == ["create"]
    assert len(filled.limits) == 12


def test_an_archived_budget_is_reported_and_not_doubled(filled: Desk) -> None:
    id = filled.budgets[0]["budget_id"]
    httpx.post(f"{filled.brex.url}/v2/budgets/{id}/archive", headers=AUTH).raise_for_status()

    result = filled.run("run", SYNC, "--json")

    assert result.code == 4
    assert "blocked:status" in str(result.data["plan"]["lossy"])
    assert len(filled.budgets) == 3


def test_the_calendar_brings_the_next_months_amount_past_the_guards(filled: Desk) -> None:
    result = filled.run("run", SYNC, "--json", "--as-of", "2026-07-01", day=None)

    assert result.code == 0
    assert result.data["counts"]["applied"] == 3
    assert filled.named("Cost centre 1 (CC0001)")["amount"]["amount"] == 108000


def test_a_saved_plan_does_only_what_is_still_as_planned(filled: Desk) -> None:
    filled.budget("CC0001", amount="1100.00")
    filled.budget("CC0002", amount="1200.00")
    saved = filled.folder / "plan.json"
    filled.run("plan", SYNC, "--out", str(saved))
    filled.budget("CC0002", amount="1210.00")

    result = filled.run("apply", str(saved), "--yes", "--json")

    assert result.code == 4
    assert result.data["counts"] | {"applied": 1, "skipped": 1} == result.data["counts"]
    assert filled.named("Cost centre 1 (CC0001)")["amount"]["amount"] == 110000
    assert filled.named("Cost centre 2 (CC0002)")["amount"]["amount"] == 116010


def test_a_plan_is_saved_over_an_earlier_plan_and_over_nothing_else(filled: Desk) -> None:
    saved, settings = filled.folder / "plan.json", filled.folder / "trueup.toml"
    before = settings.read_text()

    assert filled.run("plan", SYNC, "--out", str(saved)).code == 0
    assert filled.run("plan", SYNC, "--out", str(saved)).code == 0
    refused = filled.run("plan", SYNC, "--out", str(settings))

    assert refused.code == 2
    assert "is there and is not a plan" in refused.err
    assert settings.read_text() == before
