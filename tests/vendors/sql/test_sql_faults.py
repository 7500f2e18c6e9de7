"""What a database says has gone wrong, as what comes next; and nothing that is a secret."""

import sqlite3
from contextlib import closing

import pytest
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError, ProgrammingError

from connectors.contract.errors import (
    Forbidden,
    Rejected,
    Transient,
    Unauthorized,
    Unreadable,
)
from connectors.contract.runtime import Runtime
from connectors.sql.database import Database
from connectors.sql.faults import told

PASSWORD = "p@ss/canary"


class Orig(Exception):
    """A driver's own error, which has a code under one name or another."""

    def __init__(self, *args, **codes):
        super().__init__(*args)
        vars(self).update(codes)


@pytest.mark.parametrize(
    ("orig", "kind", "hint"),
    [
        (Orig("x", sqlstate="28P01"), Unauthorized, "Correct user and password"),
        (Orig("x", sqlstate="42501"), Forbidden, "the right to it"),
        (Orig("x", sqlstate="42P01"), Unreadable, "Correct the query"),
        (Orig("x", sqlstate="25006"), Unreadable, "only reads"),
        (Orig("x", sqlstate="57014"), Transient, "Set timeout"),
        (Orig("x", sqlstate="57P01"), Transient, ""),
        (Orig("x", sqlstate="40001"), Transient, ""),
        (Orig("x", sqlstate="53300"), Transient, ""),
        (Orig("x", sqlstate="23505"), Transient, "do it again"),
        (Orig("x", sqlstate="23502"), Rejected, ""),
        (Orig("x", pgcode="28000"), Unauthorized, ""),
        (Orig(1045, "Access denied"), Unauthorized, ""),
        (Orig(1142, "denied"), Forbidden, ""),
        (Orig(1146, "no table"), Unreadable, "Correct the query"),
        (Orig(1792, "Cannot execute in a READ ONLY transaction"), Unreadable, "only reads"),
        (Orig(3024, "maximum statement execution time exceeded"), Transient, "Set timeout"),
        (Orig(2013, "Lost connection"), Transient, ""),
        (Orig("x", sqlite_errorname="SQLITE_BUSY_SNAPSHOT"), Transient, "locked"),
        (Orig("x", sqlite_errorname="SQLITE_CANTOPEN"), Unreadable, "must be there"),
        (Orig("ORA-01017: invalid username"), Unauthorized, ""),
        (Orig("password authentication failed for user"), Unauthorized, ""),
        (Orig('could not translate host name "x" to address'), Unreadable, "No such host"),
        (Orig("[Errno -2] Name or service not known"), Unreadable, "No such host"),
        (Orig("Connection refused"), Transient, ""),
    ],
)
def test_what_a_driver_says_is_what_comes_next(orig, kind, hint):
    found = told(OperationalError("SELECT 1", {}, orig), "erp", ())

    assert type(found) is kind
    assert hint in found.hint


def test_what_nobody_knows_is_the_query_or_the_way():
    assert type(told(ProgrammingError("S", {}, Orig("x")), "erp", ())) is Unreadable
    assert type(told(InterfaceError("S", {}, Orig("x")), "erp", ())) is Transient
    lost = DBAPIError("S", {}, Orig("x"), connection_invalidated=True)
    assert type(told(lost, "erp", ())) is Transient


def test_an_error_holds_no_statement_no_value_and_no_secret():
    orig = Orig(f"cannot log in with {PASSWORD} or p%40ss%2Fcanary\nLINE 1: SELECT salary FROM x")

    found = told(OperationalError("SELECT salary", {"a": "value-1"}, orig), "erp", {PASSWORD})

    for hidden in ("canary", "salary", "value-1"):
        assert hidden not in repr(found) + str(found)
    assert len(str(told(OperationalError("S", {}, Orig("y" * 9999)), "erp", ()))) < 500


def test_a_database_that_has_no_reading_transaction_says_so():
    def notes(url):
        return " ".join(Database("erp", url, 300, Runtime()).notes())

    assert "use a login that may only read" in notes("mssql+pyodbc://u:p@h/d")
    assert "timeout" in notes("duckdb:///x")
    assert (
        notes("mysql+pymysql://u:p@h/d") == notes("postgresql://h/d") == notes("sqlite:///x") == ""
    )


def test_a_database_is_named_without_user_and_password():
    named = Database("erp", "postgresql://u:canary@h:5433/d?password=canary", 300, Runtime()).name()

    assert named == "postgresql h:5433/d"


def test_sqlite_has_a_name_for_each_of_its_errors():
    with closing(sqlite3.connect(":memory:")) as plain, pytest.raises(sqlite3.Error) as caught:
        plain.execute("SELECT * FROM nowhere")
    found = told(OperationalError("S", {}, caught.value), "erp query budgets", ())

    assert str(found) == "erp query budgets: no such table: nowhere. Correct the query"
