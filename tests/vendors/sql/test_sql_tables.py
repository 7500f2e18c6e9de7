"""Tables in our own columns are written, and nothing beside what is meant changes in them."""

from decimal import Decimal

import pytest
from msgspec import structs

from canonical.amount import Amount
from canonical.kind import Kind
from connectors.conformance import ConformanceSuite, World
from connectors.contract.capabilities import Hold, Removal
from connectors.contract.errors import Forbidden, Missing, Rejected, Stale, Unreadable
from connectors.contract.records import Draft
from connectors.sql.declared import SqlSettings
from connectors.sql.writing import Held, write
from tests.vendors.sql.sql_books import listed

NUMBER = {True: "text", False: "numeric(40, 6)"}
FULL = """CREATE TABLE plan (id integer, ref text, name text, description text, amount {number},
 currency text, cadence text, start date, "end" date, status text, parent text, owners text,
 enforcement text, carry_over {truth}, impressions {number}, conversions {number},
 "dimension:team" text, "dimension:region" text, note text DEFAULT 'ours')"""
SHARES = """CREATE TABLE shares (budget text, ref text, entity_type text, entity text,
 amount {number}, status text, start date, "end" date, note text DEFAULT 'ours')"""


def tables(books):
    number, truth = NUMBER[books.is_sqlite], "text" if books.is_sqlite else "boolean"
    return [each.format(number=number, truth=truth) for each in (FULL, SHARES)]


def kept(books, **keys):
    said = {"budgets": None, "budgets_table": "plan", "allocations_table": "shares", "empty": True}
    return books.connector(**said | keys)


@pytest.fixture
def plan(books):
    """Two budgets, one of three phases, with columns that are not ours."""
    books.run(
        *tables(books),
        'INSERT INTO plan (id, ref, name, amount, currency, cadence, start, "end", status, note) VALUES'
        " (7, 'P', ' Phased  one ', '10.00', 'USD', 'once', '2026-01-01', '2026-01-31', 'Active', 'a'),"
        " (8, 'P', ' Phased  one ', '20.50', 'USD', 'once', '2026-02-01', '2026-02-28', 'Active', 'b'),"
        " (9, 'P', ' Phased  one ', '30.00', 'USD', 'once', '2026-03-01', '2026-03-31', 'Active', 'c'),"
        " (1, 'Q', 'Other', '5.00', 'USD', 'monthly', '2026-01-01', NULL, NULL, 'd')",
        "INSERT INTO shares (budget, ref, entity_type, entity, amount, note) VALUES"
        " ('Q', 'u', 'user', 'ann', '1.10', 'e'), ('Q', 'v', 'user', 'bob', '1.20', 'f')",
    )
    return books


def everything(books):
    return books.rows("SELECT * FROM plan ORDER BY id"), books.rows(
        "SELECT * FROM shares ORDER BY ref"
    )


class _Whole(ConformanceSuite):
    @pytest.fixture
    def world(self, books):
        books.run(*tables(books))

        def refused():
            draft = world.draft(Kind.BUDGET)
            return Draft(model=structs.replace(draft.model, name=" "))

        dimensions = ({"team": "blue"}, {"team": "red", "region": "north"})
        values = {"budget.dimensions": dimensions}
        world = World(connector=kept(books), refused=refused, values=values)
        return world


class TestSqlite(_Whole):
    @pytest.fixture
    def books(self, lite):
        return lite


@pytest.mark.faults
class TestPostgresql(_Whole):
    @pytest.fixture
    def books(self, pg):
        return pg


def test_one_phase_of_several_changes_one_cell_of_one_row(plan):
    before, shares = everything(plan)
    with kept(plan) as connector:
        seen = connector.get(Kind.BUDGET, "P")
        first, second, third = seen.model.phases
        moved = structs.replace(second, amount=Amount(Decimal("21.75"), "USD"))
        wanted = structs.replace(seen.model, phases=(first, moved, third))
        stored = connector.update("P", Draft(model=wanted), {"phases"}, "k")
        assert stored == connector.get(Kind.BUDGET, "P")
        assert stored.model.phases == (first, moved, third)
    after, left = everything(plan)
    assert left == shares
    changed = [
        (one[0], was, now)
        for one, other in zip(before, after, strict=True)
        for was, now in zip(one, other, strict=True)
        if was != now
    ]
    assert [(id, Decimal(now)) for id, _, now in changed] == [(8, Decimal("21.75"))]


def test_a_write_of_what_stands_there_changes_nothing(plan):
    before = everything(plan)
    with kept(plan) as connector:
        for each in listed(connector)[0]:
            connector.update(each.id, Draft(model=each.model), {"name", "amount", "status"}, "k")
        for each in listed(connector, Kind.ALLOCATION)[0]:
            connector.update(each.id, Draft(model=each.model), {"amount", "status"}, "k")
    assert everything(plan) == before


def test_a_phase_more_is_a_row_more_and_a_phase_less_a_row_less(plan):
    with kept(plan) as connector:
        model = connector.get(Kind.BUDGET, "P").model
        less = structs.replace(model, phases=model.phases[:2], end=model.phases[1].period.end)
        connector.update("P", Draft(model=less), {"phases"}, "k")
        assert [row[0] for row in everything(plan)[0]] == [1, 7, 8]
        connector.update("P", Draft(model=model), {"phases"}, "k")
        assert connector.get(Kind.BUDGET, "P").model == model


def test_an_amount_of_a_share_leaves_its_neighbour(plan):
    with kept(plan) as connector:
        seen = connector.get(Kind.ALLOCATION, "Q/u")
        wanted = structs.replace(seen.model, amount=Amount(Decimal("2.35"), "USD"))
        connector.update("Q/u", Draft(model=wanted), {"amount"}, "k")
    (one, other) = everything(plan)[1]
    assert (Decimal(one[4]), one[-1]) == (Decimal("2.35"), "e")
    assert (Decimal(other[4]), other[-1]) == (Decimal("1.20"), "f")


def test_a_row_that_moved_since_it_was_read_is_stale_and_nothing_is_written(plan):
    before = everything(plan)
    read = Held({"ref": "Q", "name": "Read before"}, "2026-01-01")
    with kept(plan) as connector, connector._database.changing() as opened:
        table = connector._tables(opened)[Kind.BUDGET]
        with pytest.raises(Stale):
            write(opened, table, [read], [{"name": "Other"}], [{"name": "New"}])
    assert everything(plan) == before


def test_what_has_no_column_cannot_be_held(books):
    books.run("CREATE TABLE plan (ref text, name text, amount numeric(20, 2), currency text)")
    with kept(books, allocations_table=None) as connector:
        able = connector.capabilities
        assert able.budget == dict.fromkeys(("amount", "currency", "name"), Hold.EXACT)
        assert able.allocation == {}
        assert able.removal is Removal.NONE


@pytest.mark.parametrize(("column", "amount"), [("integer", "1.50"), ("double precision", "1.5")])
def test_a_column_that_would_lose_a_cent_is_refused(books, column, amount):
    books.run(
        f"CREATE TABLE plan (ref text, name text, amount {column}, currency text)",
        "INSERT INTO plan VALUES ('Q', 'Other', 5, 'USD')",
    )
    with kept(books, allocations_table=None) as connector:
        seen = connector.get(Kind.BUDGET, "Q")
        wanted = structs.replace(seen.model, amount=Amount(Decimal(amount), "USD"))
        with pytest.raises(Rejected, match="amount"):
            connector.update("Q", Draft(model=wanted), {"amount"}, "k")
        assert connector.get(Kind.BUDGET, "Q") == seen


def test_a_scale_that_rounds_is_refused(pg):
    pg.run(
        "CREATE TABLE plan (ref text, name text, amount numeric(20, 1), currency text)",
        "INSERT INTO plan VALUES ('Q', 'Other', 5, 'USD')",
    )
    with kept(pg, allocations_table=None) as connector:
        seen = connector.get(Kind.BUDGET, "Q")
        wanted = structs.replace(seen.model, amount=Amount(Decimal("5.25"), "USD"))
        with pytest.raises(Rejected, match="does not keep its amount"):
            connector.update("Q", Draft(model=wanted), {"amount"}, "k")
        assert connector.get(Kind.BUDGET, "Q") == seen


def test_what_a_constraint_forbids_is_refused(books):
    books.run(
        "CREATE TABLE plan (ref text, name text, amount numeric(20, 2) CHECK (amount < 10),"
        " currency text)",
        "INSERT INTO plan VALUES ('Q', 'Other', 5, 'USD')",
    )
    with kept(books, allocations_table=None) as connector:
        seen = connector.get(Kind.BUDGET, "Q")
        wanted = structs.replace(seen.model, amount=Amount(Decimal(50), "USD"))
        with pytest.raises(Rejected):
            connector.update("Q", Draft(model=wanted), {"amount"}, "k")
        with pytest.raises(Missing):
            connector.update("Z", Draft(model=wanted), {"amount"}, "k")


def test_a_file_that_may_only_be_read_says_which_right_lacks(lite, monkeypatch):
    lite.run(
        *tables(lite), "INSERT INTO plan (ref, name, amount, currency) VALUES ('Q','O','5','USD')"
    )
    with kept(lite) as connector:
        seen = connector.get(Kind.BUDGET, "Q")
        sqlite = connector._database._sqlite
        monkeypatch.setattr(connector._database, "_sqlite", lambda url, writing: sqlite(url, False))
        with pytest.raises(Forbidden, match="write the file"):
            connector.retire(Kind.BUDGET, seen.id, "k")


def test_a_user_without_the_right_is_told_so(pg):
    pg.run(
        *tables(pg),
        "INSERT INTO plan (ref, name, amount, currency) VALUES ('Q', 'O', 5, 'USD')",
        "DROP ROLE IF EXISTS trueup_reader",
        "CREATE ROLE trueup_reader LOGIN",
        "GRANT USAGE ON SCHEMA public TO trueup_reader",
        "GRANT SELECT ON plan, shares TO trueup_reader",
    )
    from sqlalchemy import make_url

    url = make_url(pg.url).set(username="trueup_reader").render_as_string(hide_password=False)
    with kept(pg, url=url) as connector:
        with pytest.raises(Forbidden, match="permission denied"):
            connector.retire(Kind.BUDGET, "Q", "k")
        assert connector.get(Kind.BUDGET, "Q").model.status.value == "active"
    pg.run("DROP OWNED BY trueup_reader", "DROP ROLE trueup_reader")


def test_a_table_that_is_not_there_is_told(books):
    with (
        kept(books, budgets_table="nowhere") as connector,
        pytest.raises(Unreadable, match="nowhere"),
    ):
        connector.check()


def test_only_tables_in_our_own_columns_are_written():
    said = {"connector": "sql", "url": "sqlite:///a.db"}
    assert SqlSettings(**said, budgets="SELECT 1").only_read()
    assert SqlSettings(**said, budgets_table="plan").only_read() == ""
    assert SqlSettings.bars_target(said | {"budgets": "SELECT 1"})
    assert SqlSettings.bars_target(said | {"budgets_table": "plan"}) == ""


@pytest.mark.parametrize(
    "keys",
    [
        {"budgets_table": "plan", "budgets": "SELECT 1"},
        {"budgets_table": "plan", "layout": "netsuite"},
        {"allocations_table": "shares", "budgets": "SELECT 1"},
    ],
)
def test_a_table_and_a_query_are_not_both(keys):
    with pytest.raises(ValueError):
        SqlSettings(connector="sql", url="sqlite:///a.db", **keys)
