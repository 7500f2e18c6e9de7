"""What was spent, kept in a table of the user's."""

from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import pytest

from canonical.allocation import Status
from canonical.amount import Amount
from canonical.kind import Kind
from canonical.period import Period
from canonical.spent import Spent
from connectors.conformance import World
from connectors.conformance.recording import Recording
from connectors.contract.errors import ConnectorError, Rejected, Transient, Unreadable, Unsupported
from connectors.contract.records import Keeping

AT = datetime(2026, 3, 15, 13, tzinfo=timezone(timedelta(hours=1)))
MARCH = Period(date(2026, 3, 1), date(2026, 3, 31))


def spent(ref: str = "A", value: str = "12.34", **more: object) -> Spent:
    row = Spent(
        system="cards", sync="erp-to-cards", kind=Kind.BUDGET, ref=ref, budget_ref=None, name="Ads",
        target_id=f"b_{ref}", above=None, status=Status.ACTIVE, amount=Amount.of("100", "USD"),
        spent=Amount.of(value, "USD"), pending=None, remaining=Amount.of("7", "USD"), at=AT,
        source="erp", period=MARCH,
    )  # fmt: skip
    return replace(row, **more)


@pytest.fixture
def keeper(books):
    return books.connector(budgets=None, actuals="spent", create_actuals=True)


class TestKept(Recording):
    """The kit's checks of what was spent."""

    @pytest.fixture
    def world(self, books, monkeypatch):
        books.run("INSERT INTO budgets (ref, name, amount, currency) VALUES ('A', 'a', 1, 'USD')")
        numbers = iter(range(100))
        connector = books.connector(actuals="spent", create_actuals=True)
        writing = connector._database.writing

        def fault(kind, times):
            @contextmanager
            def broken():
                monkeypatch.undo()
                if kind == "error_before":
                    raise Transient("no connection")
                with writing() as connection:
                    yield connection
                raise Transient("the answer to the commit is lost")

            monkeypatch.setattr(connector._database, "writing", broken)

        return World(
            connector=connector,
            read_only=True,
            spent_of=lambda: spent(f"R{next(numbers)}"),
            fault=fault,
        )


def test_a_row_is_kept_whole_and_exact_with_its_time_in_utc(keeper, books):
    exact = "12345678901234567890.12"
    keeper.record_actuals(
        [spent(value=exact), spent("B", period=Period(date(2026, 1, 1)), at=None)]
    )

    query = (
        'SELECT ref, spent, period_end, remaining, pending, currency, "at" FROM spent ORDER BY ref'
    )
    first, second = books.rows(query)
    assert (Decimal(first[1]), Decimal(first[3]), first[4]) == (Decimal(exact), 7, None)
    at = datetime.fromisoformat(first[6]) if books.is_sqlite else first[6].astimezone(UTC)
    assert (at, at.utcoffset()) == (AT, timedelta())
    assert (str(second[2]), second[6]) == ("9999-12-31", None)


def test_a_later_amount_takes_the_place_of_the_first_and_the_time_alone_changes_nothing(
    keeper, books
):
    keeper.record_actuals([spent(), spent(period=Period(date(2026, 2, 1), date(2026, 2, 28)))])

    (said,) = keeper.record_actuals([spent(value="20")])
    (same,) = keeper.record_actuals([spent(value="20.00", at=AT + timedelta(days=1))])

    assert (said.outcome, said.before, said.after) == (
        Keeping.WRITTEN, Amount.of("12.34", "USD"), Amount.of("20", "USD"),
    )  # fmt: skip
    assert same.outcome is Keeping.UNCHANGED
    kept = [
        Decimal(value) for (value,) in books.rows("SELECT spent FROM spent ORDER BY period_start")
    ]
    assert kept == [Decimal("12.34"), Decimal(20)]


def test_a_row_of_another_currency_or_told_twice_is_refused_and_stops_no_other(keeper):
    keeper.record_actuals([spent()])

    said = keeper.record_actuals([spent(spent=Amount.of("1", "EUR")), spent("B"), spent("B")])

    assert [each.outcome for each in said] == [Keeping.REFUSED, Keeping.WRITTEN, Keeping.REFUSED]
    assert "stands there in USD" in said[0].reason


def test_values_are_no_part_of_a_statement(keeper, books):
    nasty = "x'; DROP TABLE spent; --\" %s :a {}"
    keeper.record_actuals([spent(nasty, name=nasty)])
    keeper.record_actuals([spent(nasty, value="3", name=nasty)])

    assert books.rows("SELECT ref, name FROM spent") == [(nasty, nasty)]


def test_a_name_of_a_table_is_quoted(books):
    name = 'my "odd" table; --'
    keeper = books.connector(budgets=None, actuals=name, create_actuals=True)

    keeper.record_actuals([spent()])

    assert keeper.record_actuals([spent()])[0].outcome is Keeping.UNCHANGED
    assert books.rows('SELECT ref FROM "my ""odd"" table; --"') == [("A",)]


def test_a_table_in_a_schema_of_its_own(pg):
    pg.run("CREATE SCHEMA finance")
    keeper = pg.connector(budgets=None, actuals="finance.spent", create_actuals=True)

    assert keeper.record_actuals([spent()])[0].outcome is Keeping.WRITTEN
    assert pg.rows("SELECT ref FROM finance.spent") == [("A",)]


def test_a_table_that_is_not_there_is_made_only_where_the_settings_say_so(books):
    keeper = books.connector(budgets=None, actuals="spent")

    with pytest.raises(Unreadable, match=r"no table spent.*create_actuals = true"):
        keeper.record_actuals([spent()])
    dry = books.connector(budgets=None, actuals="spent", create_actuals=True)
    assert dry.record_actuals([spent()], dry_run=True)[0].outcome is Keeping.WRITTEN
    with pytest.raises(Unreadable, match="no table spent"):
        keeper.record_actuals([spent()])
    with pytest.raises(Unsupported, match="actuals"):
        books.connector().record_actuals([spent()])


def test_a_table_of_the_users_own_needs_no_more_than_what_tells_rows_apart(books):
    columns = "system text, kind text, target_id text, period_start date, period_end date, budget_ref text, ref text, currency text"
    money = "text" if books.is_sqlite else "numeric"
    books.run(f"CREATE TABLE own ({columns}, spent {money}, note text)")
    books.run("CREATE TABLE less (ref text, spent numeric)")
    keeper = books.connector(budgets=None, actuals="own")

    assert keeper.record_actuals([spent()])[0].outcome is Keeping.WRITTEN
    assert keeper.record_actuals([spent()])[0].outcome is Keeping.UNCHANGED
    with pytest.raises(Unreadable, match=r"table less lacks system, kind"):
        books.connector(budgets=None, actuals="less").record_actuals([spent()])


def test_a_column_that_does_not_keep_an_amount_is_told_and_nothing_is_written(books):
    columns = "system text, kind text, target_id text, period_start date, period_end date, budget_ref text, ref text, currency text"
    money = "real" if books.is_sqlite else "double precision"
    books.run(f"CREATE TABLE own ({columns}, spent {money})")
    keeper = books.connector(budgets=None, actuals="own")

    with pytest.raises(Rejected, match=r"does not keep spent.*NUMERIC"):
        keeper.record_actuals([spent("B"), spent(value="12345678901234567.89")])

    assert books.rows("SELECT * FROM own") == []


def test_one_row_that_cannot_be_written_undoes_all_of_them(books):
    keeper = books.connector(budgets=None, actuals="spent", create_actuals=True)
    keeper.record_actuals([spent()])
    books.run("CREATE UNIQUE INDEX once ON spent (name)")

    with pytest.raises(ConnectorError):
        keeper.record_actuals([spent(value="50"), spent("B", name="B"), spent("C", name="B")])

    assert [Decimal(value) for (value,) in books.rows("SELECT spent FROM spent")] == [
        Decimal("12.34")
    ]


def test_reading_budgets_still_writes_nothing_where_actuals_are_kept(books):
    books.run("INSERT INTO budgets (ref, name, amount, currency) VALUES ('A', 'a', 1, 'USD')")
    connector = books.connector(actuals="spent", create_actuals=True)

    connector.check()

    with pytest.raises(Unreadable, match="no table spent"):
        books.connector(actuals="spent").record_actuals([spent()])


def test_a_settings_block_reads_budgets_or_keeps_actuals(books):
    for keys in ({"budgets": None}, {"budgets": None, "actuals": "t", "allocations": "SELECT 1"}):
        with pytest.raises(ValueError, match="budgets"):
            books.connector(**keys)
