"""A database as the source, and as the place for what was spent, by the real commands."""

from decimal import Decimal

import pytest
from sqlalchemy import create_engine, make_url
from sqlalchemy.pool import NullPool

from tests.scenarios.conftest import SYNC, Desk

SETTINGS = '''\
[systems.erp]
connector = "sql"
url = "env:ERP_DATABASE"
currency = "USD"
budgets = """
SELECT code AS ref, title AS name, amount, 'monthly' AS cadence, first AS start, last AS "end"
FROM plan ORDER BY code
"""
allocations = "SELECT code AS budget, 'account' AS entity_type, account AS entity, part AS amount FROM plan"
actuals = "spent"
create_actuals = true

[systems.brex]
connector = "brex"
base_url = "{url}"
token = "env:BREX_TOKEN"

[syncs.erp-to-brex]
source = "erp"
target = "brex"
'''
PASSWORD = "canary_51bd"


@pytest.fixture
def office(desk: Desk, database_url, monkeypatch):
    """The desk with a database in the place of the files; `do` is somebody who works in it."""
    url = make_url(database_url)
    if url.drivername == "postgresql":
        url = url.set(password=PASSWORD)  # the server lets everybody in, also with a password
    monkeypatch.setenv("ERP_DATABASE", url.render_as_string(hide_password=False))
    desk.settings.write_text(SETTINGS.replace("{url}", desk.brex.url))
    url = url.set(drivername="postgresql+psycopg") if "postgres" in url.drivername else url
    engine = create_engine(url, poolclass=NullPool)

    def do(statement):
        with engine.begin() as connection:
            found = connection.exec_driver_sql(statement)
            return [tuple(row) for row in found] if found.returns_rows else []

    desk.do = do
    do(
        "CREATE TABLE plan (code text, title text, amount numeric(20, 4), first date, last date, account text, part numeric(20, 4))"
    )
    do(
        "INSERT INTO plan VALUES "
        + ", ".join(
            f"('CC{n}', 'Centre {n}', {n}00.50, '2026-03-01', NULL, '6100', {n}0.25)"
            for n in (1, 2, 3)
        )
    )
    return desk


def test_a_plan_is_applied_from_a_database_and_a_changed_row_is_one_put(office):
    checked = office.run("check", "erp")
    assert checked.code == 0, checked.out + checked.err
    assert "3 budgets" in checked.out
    assert PASSWORD not in checked.out + checked.err
    planned = office.run("plan", SYNC, "--out", str(office.folder / "plan.json"))
    assert planned.code == 0, planned.out
    assert office.run("apply", str(office.folder / "plan.json"), "--yes").code == 0
    assert {row["name"] for row in office.budgets} == {"Centre 1", "Centre 2", "Centre 3"}
    assert len(office.limits) == 3

    office.clear_log()
    office.do("UPDATE plan SET amount = 205.75 WHERE code = 'CC2'")
    assert office.run("run", SYNC).code == 0

    assert [call["method"] for call in office.calls("POST", "PUT", "DELETE")] == ["PUT"]
    assert office.named("Centre 2")["amount"]["amount"] == 20575
    assert office.run("verify", SYNC).code == 0


def test_a_database_that_shows_nothing_removes_nothing(office):
    assert office.run("run", SYNC).code == 0
    office.clear_log()
    office.do("DELETE FROM plan")

    said = office.run("run", SYNC)

    assert said.code == 1
    assert "answers with no row at all" in said.out + said.err
    assert office.calls("POST", "PUT", "DELETE") == []


def test_what_was_spent_is_kept_in_the_database(office):
    assert office.run("run", SYNC).code == 0
    (limit,) = (row for row in office.limits if row["parent_budget_id"] == _id(office, "Centre 1"))
    spent = {"amount_spent": {"amount": 1234, "currency": "USD"}}
    office.brex.state["spend_limits"].put(limit | {"current_period_balance": spent})

    first, second = (office.run("actuals", "--into", "erp", "--json") for _ in range(2))

    assert first.code == second.code == 0, first.out + first.err
    kept = office.do("SELECT kind, ref, spent FROM spent")
    found = sorted((kind, ref, Decimal(value)) for kind, ref, value in kept if Decimal(value))
    assert found == [
        ("allocation", "account:6100", Decimal("12.34")),
        ("budget", "CC1", Decimal("12.34")),
    ]


def _id(office, name):
    return office.named(name)["budget_id"]
