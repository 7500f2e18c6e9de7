"""Both databases, with empty tables of budgets and allocations in them.

PostgreSQL's is one for all tests, made empty for each: a database of its own takes a second.
"""

from uuid import uuid4

import psycopg
import pytest
from sqlalchemy import make_url

from tests.vendors.sql.sql_books import TABLES, Books


@pytest.fixture(scope="session")
def books_url(postgres_server):
    """The address of a database on PostgreSQL."""
    name = f"trueup_books_{uuid4().hex}"
    with psycopg.connect(postgres_server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    yield make_url(postgres_server).set(database=name).render_as_string(hide_password=False)
    with psycopg.connect(postgres_server, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def pg(books_url, tmp_path):
    """PostgreSQL alone."""
    made = Books(books_url, tmp_path)
    made.run(
        "DROP SCHEMA IF EXISTS finance CASCADE",
        "DROP SCHEMA public CASCADE",
        "CREATE SCHEMA public",
        *TABLES,
    )
    return made


@pytest.fixture
def lite(tmp_path):
    """SQLite alone."""
    made = Books(f"sqlite:///{tmp_path}/erp.db", tmp_path)
    made.run(*TABLES)
    return made


@pytest.fixture(params=["sqlite", "postgresql"])
def books(request):
    """Each of the two."""
    return request.getfixturevalue("lite" if request.param == "sqlite" else "pg")
