"""A database whose tables are written: what was changed in Brex is taken back into one cell."""

import pytest
from sqlalchemy import create_engine, make_url
from sqlalchemy.pool import NullPool

from tests.scenarios.conftest import SYNC, Desk

SETTINGS = """\
[systems.erp]
connector = "sql"
url = "env:ERP_DATABASE"
currency = "USD"
budgets_table = "plan"

[systems.brex]
connector = "brex"
base_url = "{url}"
token = "env:BREX_TOKEN"

[syncs.erp-to-brex]
source = "erp"
target = "brex"
mode = "two-way"
"""


@pytest.fixture
def office(desk: Desk, database_url, monkeypatch):
    """The desk with a table in the place of the files, which has a column of its owner's own."""
    if database_url.startswith("sqlite"):  # a file of its own: the state keeps the other locked
        database_url = f"sqlite:///{desk.folder / 'erp.db'}"
    monkeypatch.setenv("ERP_DATABASE", database_url)
    desk.settings.write_text(SETTINGS.replace("{url}", desk.brex.url))
    url = make_url(database_url)
    url = url.set(drivername="postgresql+psycopg") if "postgres" in url.drivername else url
    engine = create_engine(url, poolclass=NullPool)

    def do(statement):
        with engine.begin() as connection:
            found = connection.exec_driver_sql(statement)
            return [tuple(row) for row in found] if found.returns_rows else []

    desk.do = do
    do(
        "CREATE TABLE plan (ref text, name text, amount numeric(20, 4), cadence text,"
        ' start date, "end" date, note text)'
    )
    do(
        "INSERT INTO plan VALUES "
        + ", ".join(
            f"('CC{n}', 'Centre {n}', {n}00.50, 'monthly', '2026-03-01', NULL, 'mine {n}')"
            for n in (1, 2, 3)
        )
    )
    return desk


def test_what_was_raised_in_brex_is_one_cell_of_the_table_and_then_all_is_done(office):
    assert office.run("run", SYNC).code == 0
    before = office.do("SELECT * FROM plan ORDER BY ref")
    row = office.named("Centre 2")
    office.brex.state["budgets"].put({**row, "amount": {"amount": 25075, "currency": "USD"}})

    planned = office.run("plan", SYNC)
    assert office.do("SELECT * FROM plan ORDER BY ref") == before
    done = office.run("run", SYNC, "--allow", "max_money,max_budget_change")

    assert "200.50" in planned.out
    assert "250.75" in planned.out
    assert done.code == 0, done.out + done.err
    after = office.do("SELECT * FROM plan ORDER BY ref")
    assert [str(each[2]).rstrip("0") for each in after] == ["100.5", "250.75", "300.5"]
    assert [each[:2] + each[3:] for each in after] == [each[:2] + each[3:] for each in before]
    assert office.named("Centre 2")["amount"]["amount"] == 25075
    again = office.run("run", SYNC, "--json")
    assert again.data["operations"] == [], again.data
