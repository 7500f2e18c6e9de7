"""The connector of databases keeps the contract, as far as a source can."""

import pytest
from sqlalchemy import make_url
from sqlalchemy.exc import OperationalError

from canonical.kind import Kind
from connectors.conformance import World
from connectors.conformance.failing import Failing
from connectors.conformance.reading import Reading
from tests.vendors.sql.sql_books import ALLOCATIONS

PASSWORD = "canary_77ab"
GARBLED = {
    Kind.BUDGET: "UPDATE budgets SET name = NULL WHERE ref = 'B2'",
    Kind.ALLOCATION: "UPDATE allocations SET entity_type = NULL WHERE budget = 'B2'",
}


class _Books:
    """What is there is read; nothing is written."""

    @pytest.fixture
    def world(self, books, monkeypatch):
        books.run(
            *[
                f"INSERT INTO budgets (ref, name, amount, currency) VALUES ('B{n}', 'Budget {n}', {n}.5, 'USD')"
                for n in range(6)
            ],
            *[f"INSERT INTO allocations VALUES ('B{n}', 'user', 'u{n}', {n}.25)" for n in range(6)],
        )
        url = make_url(books.url)
        if not books.is_sqlite:  # the server lets everybody in, also with a password
            url = url.set(password=PASSWORD)
        connector = books.connector(
            url=url.render_as_string(hide_password=False), allocations=ALLOCATIONS
        )

        def wrong():
            nobody = url.set(username="nobody")
            return books.connector(url=nobody.render_as_string(hide_password=False))

        engine = connector._database._engine
        left = []

        def fault(kind, times):
            if kind not in ("error_before", "cut"):
                raise NotImplementedError(kind)
            left.append(times)

            def failing(writing):
                if left[-1]:
                    left[-1] -= 1
                    orig = ConnectionError(f"no route to {PASSWORD}")
                    raise OperationalError(f"SELECT {PASSWORD}", {"a": PASSWORD}, orig)
                return engine(writing)

            monkeypatch.setattr(connector._database, "_engine", failing)

        return World(
            connector=connector,
            read_only=True,
            secrets=[books.url if books.is_sqlite else PASSWORD],
            wrong_credential=None if books.is_sqlite else wrong,
            garble=lambda kind: books.run(GARBLED[kind]),
            fault=fault,
        )


class TestSqlite(_Books, Reading, Failing):
    @pytest.fixture
    def books(self, lite):
        return lite


@pytest.mark.faults
class TestPostgresql(_Books, Reading, Failing):
    @pytest.fixture
    def books(self, pg):
        return pg
