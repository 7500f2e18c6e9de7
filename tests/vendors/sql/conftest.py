"""Both databases, with empty tables of budgets and allocations in them."""

import pytest

from tests.vendors.sql.sql_books import TABLES, Books


@pytest.fixture
def books(database_url, tmp_path):
    """Each of the two."""
    made = Books(database_url, tmp_path)
    made.run(*TABLES)
    return made


@pytest.fixture
def lite(tmp_path):
    """SQLite alone."""
    made = Books(f"sqlite:///{tmp_path}/erp.db", tmp_path)
    made.run(*TABLES)
    return made


@pytest.fixture
def pg(fresh_postgres, tmp_path):
    """PostgreSQL alone."""
    made = Books(fresh_postgres, tmp_path)
    made.run(*TABLES)
    return made
