"""What queries answer, as budgets and allocations."""

from datetime import date
from decimal import Decimal

import pytest

from canonical.kind import Kind
from canonical.period import Cadence
from connectors.contract.errors import Missing, Unreadable
from connectors.sql.database import Database
from tests.vendors.sql.sql_books import ALLOCATIONS, listed, said

ROWS = (
    "INSERT INTO budgets VALUES ('A', 'Ads', 1020.00, 'USD', 'monthly', '2026-03-01', '2026-03-31'),"
    " ('B', 'Booths', 0, 'EUR', NULL, NULL, NULL)"
)


def test_rows_under_our_own_names_are_budgets_and_allocations(books):
    books.run(ROWS, "INSERT INTO allocations VALUES ('A', 'user', 'ada@example.com', 12.5)")
    connector = books.connector(allocations=ALLOCATIONS)

    (first, second), _ = listed(connector)
    (share,), problems = listed(connector, Kind.ALLOCATION)

    assert (first.model.ref, first.model.amount.text()) == ("A", "1020.00")
    assert (first.model.cadence, first.model.end) == (Cadence.MONTHLY, date(2026, 3, 31))
    assert (second.model.amount.text(), second.model.start) == ("0.00", None)
    assert (share.id, share.model.amount.text()) == ("A/user:ada@example.com", "12.50")
    assert problems == []
    assert connector.get(Kind.BUDGET, "B") == second
    with pytest.raises(Missing):
        connector.get(Kind.ALLOCATION, "A/user:eve")


def test_null_states_nothing_and_zero_is_an_amount(books):
    books.run(ROWS, "UPDATE budgets SET amount = NULL WHERE ref = 'A'")

    items, problems = listed(books.connector())

    assert [item.model.amount.value for item in items] == [Decimal(0)]
    assert [said(each) for each in problems] == ["erp query budgets row 1, column amount: is empty"]


def test_what_is_wrong_names_query_row_and_column_and_sets_aside_its_budget_alone(books):
    books.run(ROWS, "INSERT INTO budgets VALUES ('C', 'Cars', 1.005, 'USD', 'weekly', NULL, NULL)")

    items, problems = listed(books.connector())

    assert [item.id for item in items] == ["A", "B"]
    (problem,) = problems
    assert said(problem).startswith(
        "erp query budgets row 3, column amount: '1.005' has 3 decimals"
    )
    assert problem.ref == "C"


def test_an_answer_without_rows_is_not_believed_unless_the_settings_say_so(books):
    with pytest.raises(Unreadable, match="answers with no row at all"):
        listed(books.connector())

    assert listed(books.connector(empty=True)) == ([], [])


def test_both_queries_are_answered_at_one_moment(books):
    books.run(ROWS, "INSERT INTO allocations VALUES ('A', 'user', 'ada', 1)")
    connector = books.connector(allocations=ALLOCATIONS)
    listed(connector)

    books.run("DELETE FROM allocations", "DELETE FROM budgets WHERE ref = 'A'")

    assert [item.id for item in listed(connector, Kind.ALLOCATION)[0]] == ["A/user:ada"]
    assert listed(connector, Kind.ALLOCATION)[0] == []
    assert [item.id for item in listed(connector)[0]] == ["B"]


def test_what_is_written_between_the_queries_is_seen_by_neither(pg, monkeypatch):
    pg.run(ROWS, "INSERT INTO allocations VALUES ('A', 'user', 'ada', 1)")
    ask = Database.ask

    def asked(self, connection, label, query):
        found = ask(self, connection, label, query)
        pg.run("UPDATE allocations SET amount = amount + 1", "UPDATE budgets SET amount = 7")
        return found

    monkeypatch.setattr(Database, "ask", asked)
    connector = pg.connector(allocations=ALLOCATIONS)

    (budget, _), _ = listed(connector)
    ((share,), _) = listed(connector, Kind.ALLOCATION)

    assert (budget.model.amount.text(), share.model.amount.text()) == ("1020.00", "1.00")


def test_a_column_that_stands_twice_is_refused(books):
    books.run(ROWS)

    with pytest.raises(Unreadable, match=r"column ref stands there twice.*AS ref_2"):
        listed(books.connector(budgets="SELECT ref, ref, name, amount, currency FROM budgets"))


def test_a_column_that_is_not_ours_is_refused_with_what_is_right(books):
    books.run(ROWS)

    with pytest.raises(Unreadable, match=r"'title' is not a column of budgets.*AS \(ref, name"):
        listed(books.connector(budgets="SELECT ref, name AS title, amount, currency FROM budgets"))


def test_a_query_may_stand_in_a_file_of_its_own(books):
    books.run(ROWS)
    (books.folder / "b.sql").write_text(
        "SELECT ref, name, amount, currency FROM budgets -- all\n;\n"
    )

    assert len(listed(books.connector(budgets="b.sql"))[0]) == 2
    with pytest.raises(Unreadable, match=r"none\.sql: No such file"):
        listed(books.connector(budgets="none.sql"))


def test_a_percent_sign_and_a_colon_are_those_of_the_query(books):
    books.run(ROWS)
    query = "SELECT ref, name, amount, currency FROM budgets WHERE name LIKE 'A%' AND ' :x' <> ''"

    assert [item.id for item in listed(books.connector(budgets=query))[0]] == ["A"]


def test_check_says_where_and_how_much_and_no_password(books):
    books.run(ROWS)

    check = books.connector().check()

    assert check.identity.endswith(": 2 rows")
    assert check.notes[:2] == ["2 budgets", "0 allocations"]


def test_several_rows_of_a_ref_are_phases_in_whatever_order_they_come(books):
    books.run(
        "INSERT INTO budgets VALUES ('A', 'Ads', 2, 'USD', 'monthly', '2026-02-01', '2026-02-28'),"
        " ('B', 'Booths', 7, 'USD', NULL, NULL, NULL),"
        " ('A', 'Ads', 1, 'USD', 'monthly', '2026-01-01', '2026-01-31')"
    )
    query = 'SELECT ref, name, amount, currency, cadence, start, "end" FROM budgets'

    items, _ = listed(books.connector(budgets=query))

    found = {item.id: [each.amount.text() for each in item.model.phases] for item in items}
    assert found == {"A": ["1.00", "2.00"], "B": []}
