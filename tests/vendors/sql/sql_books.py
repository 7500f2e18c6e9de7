"""A database with budgets in it, as a user has one: SQLite or PostgreSQL."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import SecretStr
from sqlalchemy import create_engine, make_url
from sqlalchemy.pool import NullPool

from canonical.kind import Kind
from canonical.problem import Problem
from connectors.contract.records import Observed
from connectors.contract.runtime import Runtime
from connectors.sql.connector import Sql
from connectors.sql.declared import SqlSettings

BUDGETS = 'SELECT ref, name, amount, currency, cadence, start, "end" FROM budgets ORDER BY ref'
ALLOCATIONS = "SELECT budget, entity_type, entity, amount FROM allocations ORDER BY budget, entity"
TABLES = (
    'CREATE TABLE budgets (ref text, name text, amount numeric(30, 4), currency text, cadence text, start date, "end" date)',
    "CREATE TABLE allocations (budget text, entity_type text, entity text, amount numeric(30, 4))",
)


@dataclass
class Books:
    """One database, and a connector to it."""

    url: str
    folder: Path
    runtime: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_sqlite(self) -> bool:
        return self.url.startswith("sqlite")

    def run(self, *statements: str) -> None:
        """Done by somebody who works in the database."""
        url = make_url(self.url)
        if url.drivername == "postgresql":
            url = url.set(drivername="postgresql+psycopg")
        engine = create_engine(url, poolclass=NullPool)
        with engine.begin() as connection:
            for each in statements:
                connection.exec_driver_sql(each, execution_options={"no_parameters": True})
        engine.dispose()

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        url = make_url(self.url)
        if url.drivername == "postgresql":
            url = url.set(drivername="postgresql+psycopg")
        engine = create_engine(url, poolclass=NullPool)
        with engine.connect() as connection:
            found = [tuple(row) for row in connection.exec_driver_sql(query)]
        engine.dispose()
        return found

    def connector(self, url: str | None = None, **keys: Any) -> Sql:
        said = {"budgets": BUDGETS} | keys
        settings = SqlSettings(
            connector="sql",
            url=SecretStr(url or self.url),
            **{key: value for key, value in said.items() if value is not None},
        )
        return Sql("erp", settings, Runtime(base=self.folder, **self.runtime))


def listed(connector: Sql, kind: Kind = Kind.BUDGET) -> tuple[list[Observed], list[Problem]]:
    """Every object of a kind, and every problem."""
    found = [*connector.list(kind)]
    items = [item for page in found for item in page.items]
    return items, [problem for page in found for problem in page.problems]


def said(problem: Problem) -> str:
    return f"{problem.where}: {problem.message}"
