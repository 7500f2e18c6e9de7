"""What a query may not do, and what goes wrong on the way."""

import threading
import traceback

import pytest
from sqlalchemy import make_url

from canonical.kind import Kind
from connectors.contract.errors import (
    ConnectorError,
    Forbidden,
    Transient,
    Unauthorized,
    Unreadable,
)
from connectors.sql.queries import ensure_only_reads
from tests.vendors.sql.sql_books import listed

ROW = "INSERT INTO budgets VALUES ('A', 'Ads', 1020.00, 'USD', NULL, NULL, NULL)"


@pytest.mark.parametrize(
    "query",
    [
        "DELETE FROM budgets",
        "-- SELECT\nDROP TABLE budgets",
        "/* SELECT */ UPDATE budgets SET amount = 0",
        "SELECT 1; DELETE FROM budgets",
        "SELECT ';' ; DELETE FROM budgets",
        "SELECT 1 /**/ ; DELETE FROM budgets -- */",
        "SELECT '\\' ; DELETE FROM budgets; --'",
        "SELECT 1 --x it's\n; DELETE FROM budgets --'",
        "SELECT 1 # it's\n; DELETE FROM budgets --'",
        "SELECT [a'b]; DELETE FROM budgets --'",
        "SELECT 1 /*! ; DELETE FROM budgets */",
        "VACUUM INTO 'copy.db'",
        "PRAGMA query_only = OFF",
        "ATTACH 'other.db' AS other",
        "EXEC remove_all",
        "CALL remove_all()",
        "COPY budgets TO '/tmp/x'",
        "SET TRANSACTION READ WRITE",
        "",
        " ;",
    ],
)
def test_what_is_no_single_select_is_refused_before_it_is_sent(query):
    with pytest.raises(ValueError, match="SELECT"):
        ensure_only_reads(query)


@pytest.mark.parametrize(
    "query",
    [
        "SELECT 1",
        "select ';' as a, \";\" from x where y = 'it''s; so'",
        "-- budgets; all of them\n(SELECT 1) UNION (SELECT 2)",
        "/* a; b */ WITH a AS (SELECT 1) SELECT * FROM a",
        "VALUES (1)",
    ],
)
def test_a_select_is_taken_whatever_its_texts_and_comments_hold(query):
    assert ensure_only_reads(f"{query} ; -- the end\n") == query


@pytest.mark.parametrize(
    "query",
    [
        "WITH gone AS (DELETE FROM budgets RETURNING *) SELECT ref, name, amount FROM gone",
        "SELECT ref, name, amount INTO other FROM budgets",
        "SELECT set_config('transaction_read_only', 'off', true), ref, name, amount FROM budgets",
        "SELECT nextval('numbers') AS ref, 'a' AS name, 1 AS amount",
    ],
)
def test_postgresql_itself_keeps_a_query_from_writing(pg, query):
    pg.run(ROW, "CREATE SEQUENCE numbers")

    with pytest.raises(
        ConnectorError,
        match=r"read-only|only reads|DECLARE CURSOR|not allowed here|before any query",
    ):
        listed(pg.connector(budgets=query, currency="USD"))

    assert pg.rows("SELECT count(*) FROM budgets") == [(1,)]


def test_no_second_statement_reaches_postgresql(pg, monkeypatch):
    monkeypatch.setattr("connectors.sql.connector.query_text", lambda said, *_: said)
    pg.run(ROW)
    connector = pg.connector()
    several = "SELECT 1; COMMIT; DELETE FROM budgets"
    connector.settings = connector.settings.model_copy(update={"budgets": several})

    with pytest.raises(Unreadable):
        listed(connector)

    assert pg.rows("SELECT count(*) FROM budgets") == [(1,)]


def test_sqlite_itself_keeps_a_query_from_writing(lite, monkeypatch):
    monkeypatch.setattr("connectors.sql.connector.query_text", lambda said, *_: said)
    lite.run(ROW)
    connector = lite.connector()

    for query in ("DELETE FROM budgets RETURNING ref, name, amount", "CREATE TABLE x (a)"):
        connector.settings = connector.settings.model_copy(update={"budgets": query})
        with pytest.raises(Unreadable, match="readonly"):
            listed(connector)

    assert lite.rows("SELECT count(*) FROM budgets") == [(1,)]


def test_a_database_that_is_not_there_is_not_made(lite, tmp_path):
    with pytest.raises(Unreadable, match=r"unable to open.*must be there"):
        lite.connector(url="sqlite:///none.db").check()
    assert not (tmp_path / "none.db").exists()

    (tmp_path / "text.db").write_text("no database " * 1000)
    with pytest.raises(Unreadable, match="not a database"):
        lite.connector(url="sqlite:///text.db").check()


def test_a_wrong_password_is_unauthorized_and_told_to_nobody(pg, caplog):
    caplog.set_level(0)
    url = make_url(pg.url)
    wrong = f"postgresql://nobody:canary_9e1d@{url.host or ''}/{url.database}"
    wrong += "".join(f"?{key}={value}" for key, value in url.query.items())

    with pytest.raises(Unauthorized) as caught:
        pg.connector(url=wrong).check()

    shown = "\n".join([*traceback.format_exception(caught.value), caplog.text])
    assert "canary_9e1d" not in shown
    assert "Correct user and password" in str(caught.value)


def test_a_server_that_does_not_answer_is_transient(pg):
    with pytest.raises(Transient):
        pg.connector(url="postgresql://a:canary@127.0.0.1:1/x").check()


def test_a_database_of_another_name_and_a_query_of_no_table_are_unreadable(pg):
    other = make_url(pg.url).set(database="nowhere").render_as_string(hide_password=False)

    with pytest.raises(Unreadable, match=r"does not exist.*Correct the url"):
        pg.connector(url=other).check()
    with pytest.raises(Unreadable, match=r"erp query budgets: .*nothing.*Correct the query"):
        pg.connector(budgets="SELECT ref FROM nothing").check()


def test_a_user_who_may_not_read_is_forbidden(pg):
    pg.run(ROW, "CREATE ROLE shut NOLOGIN", "GRANT USAGE ON SCHEMA public TO shut")
    query = "SELECT ref, name, amount FROM budgets"
    url = make_url(pg.url).update_query_dict({"options": "-c role=shut"})
    try:
        with pytest.raises(Forbidden, match="permission denied"):
            pg.connector(
                url=url.render_as_string(hide_password=False), budgets=query, currency="USD"
            ).check()
    finally:
        pg.run("DROP OWNED BY shut", "DROP ROLE shut")


def test_a_statement_that_takes_too_long_is_ended(pg):
    query = "SELECT 'A' AS ref, 'a' AS name, 1 AS amount, pg_sleep(30)"
    connector = pg.connector(budgets=query, currency="USD")
    connector._database._timeout = 0.02

    with pytest.raises(Transient, match=r"statement timeout. Set timeout"):
        connector.check()


def test_sqlite_is_interrupted_when_its_time_is_over(lite):
    moments = iter(range(0, 10**9, 2))
    endless = (
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) "
        "SELECT 'A' AS ref, 'a' AS name, max(i) AS amount FROM n"
    )
    lite.runtime = {"monotonic": lambda: next(moments)}

    with pytest.raises(Transient, match=r"interrupted.*timeout"):
        lite.connector(budgets=endless, currency="USD", timeout=1).check()


def test_an_answer_that_breaks_off_is_none(pg):
    pg.run(*[f"INSERT INTO budgets VALUES ('R{n}', 'n', 1, 'USD')" for n in range(30)])
    broken = "SELECT ref, name, 1 / (29 - substr(ref, 2)::int) AS amount FROM budgets"
    killed = (
        "SELECT ref, name, amount, CASE WHEN ref = 'R29' THEN "
        "pg_terminate_backend(pg_backend_pid())::text ELSE '' END AS currency FROM budgets"
    )

    with pytest.raises(Unreadable, match="division by zero"):
        next(pg.connector(budgets=broken, currency="USD").list(Kind.BUDGET))
    with pytest.raises(Transient):
        next(pg.connector(budgets=killed).list(Kind.BUDGET))


def test_each_connection_is_given_back_whatever_happened(pg):
    pg.run(ROW)
    connector = pg.connector()
    listed(connector)
    pages = connector.list(Kind.BUDGET)
    next(pages)
    with pytest.raises(Unreadable):
        pg.connector(budgets="SELECT ref FROM nothing").check()

    open_ = pg.rows(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
        "AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
    )
    assert open_ == [(0,)]


def test_several_threads_may_read_at_once(books):
    books.run(
        *[
            f"INSERT INTO budgets (ref, name, amount, currency) VALUES ('R{n}', 'n', {n}, 'USD')"
            for n in range(50)
        ]
    )
    connector = books.connector(budgets="SELECT ref, name, amount, currency FROM budgets")
    found, failed = [], []

    def read():
        try:
            found.extend(
                {i.id: i.model.amount.text() for i in listed(connector)[0]} for _ in range(3)
            )
        except Exception as error:
            failed.append(error)

    threads = [threading.Thread(target=read) for _ in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()

    assert failed == []
    assert found == [{f"R{n}": f"{n}.00" for n in range(50)}] * 12


def test_a_query_of_much_space_is_judged_at_once():
    for text in (
        " " * 50_000 + "1",
        "/*" * 20_000,
        "-" * 50_000,
        "(" * 50_000,
        "SELECT 1" + ";" * 300,
    ):
        with pytest.raises(ValueError, match="SELECT"):
            ensure_only_reads(text)


def test_a_driver_that_is_missing_names_its_package(lite, monkeypatch):
    for url, said in {
        "mysql+pymysql://u:canary@h/d": r"pymysql.*pip install pymysql",
        "oracle://u:canary@h/d": r"pip install oracledb",
        "duckdb:///x": r"pip install duckdb-engine",
        "posgresql://u:canary@h/d": r"spelled right",
    }.items():
        with pytest.raises(Unreadable, match=said) as caught:
            lite.connector(url=url).check()
        assert "canary" not in "\n".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize("url", ["canary", "sqlite://", "sqlite:///file:x?uri=true", "://canary"])
def test_an_address_that_is_none_is_told_without_it(lite, url):
    with pytest.raises(Unreadable, match="Write it like") as caught:
        lite.connector(url=url).check()
    assert "canary" not in "\n".join(traceback.format_exception(caught.value))


def test_an_answer_that_finds_no_room_on_the_disk_is_told(lite, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("tempfile.SpooledTemporaryFile.write", full)
    lite.run(ROW)

    with pytest.raises(Unreadable, match=r"No space left on device.*Make room"):
        listed(lite.connector())


@pytest.mark.parametrize("password", ["can@ary", "c@n/a?ry"])
def test_a_password_that_is_not_encoded_is_told_as_that_and_no_part_of_it(lite, password):
    with pytest.raises(Unreadable, match=r"Write @ as %40") as caught:
        lite.connector(url=f"postgresql://u:{password}@127.0.0.1:1/d").check()

    assert "ary" not in "\n".join(traceback.format_exception(caught.value))
