"""A real Tryton: installed once into an environment of its own, its books made once, and served.

It is GPL, and nothing of it is imported: its own programs run in processes of their own, and all
else is said to it over HTTP. What is built stays in a cache folder outside of the checkout,
`TRUEUP_TEST_CACHE` or the user's own; a test serves a copy.
"""

import fcntl
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.vendors.tryton.tryton_books import PASSWORD, Hand, keep

HERE = Path(__file__).parent
REQUIREMENTS = HERE / "requirements-tryton.txt"
MODULES = ("account_budget", "analytic_budget")
BOOKS = "books"
_PATIENCE = 600


class NotInstalled(Exception):
    """Tryton cannot be had on this machine; the message says why."""


@dataclass(frozen=True)
class Built:
    """Where Tryton's environment is, and the database with the books."""

    env: Path
    books: Path


def built() -> Built:
    """What a server needs; it is built where it is not there. Raises `NotInstalled`.

    Of several processes that ask, one builds.
    """
    cache, books = _cache(), HERE / "tryton_books.py"
    env = cache / f"tryton-{_digest(sys.executable, sys.version, REQUIREMENTS.read_text())}"
    made = Built(env, cache / f"{env.name}-{_digest(books.read_text())}.sqlite")
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / "tryton.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (env / "whole").exists():
            shutil.rmtree(env, ignore_errors=True)
            _install(env)
        if not made.books.exists():
            _make_books(made)
    return made


@contextmanager
def served(made: Built, databases: Path) -> Iterator[str]:
    """The address of a server of all databases in `databases`."""
    names = ",".join(each.stem for each in databases.glob("*.sqlite"))
    command = [made.env / "bin/waitress-serve", "--listen=127.0.0.1:0", "trytond.application:app"]
    more = {"TRYTOND_CONFIG": str(_config(databases)), "TRYTOND_DATABASE_NAMES": names}
    with subprocess.Popen(
        command, env=_env(more), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None
        lines = []
        for line in process.stderr:
            lines.append(line)
            if "Serving on " in line:
                break
        else:
            raise AssertionError(f"the server did not start: {''.join(lines)}")
        # what it has to say later must not fill the pipe
        rest = threading.Thread(target=process.stderr.read, daemon=True)
        rest.start()
        try:
            yield line.rpartition("Serving on ")[2].strip()
        finally:
            process.kill()
            rest.join()


def copy_of(made: Built, databases: Path) -> None:
    """A database with the books, for a server to be started."""
    databases.mkdir(exist_ok=True)
    shutil.copy(made.books, databases / f"{BOOKS}.sqlite")


def _install(env: Path) -> None:
    pip = [env / "bin/python", "-m", "pip", "--disable-pip-version-check", "--quiet"]
    locked = ["--retries", "1", "--require-hashes", "--requirement", REQUIREMENTS]
    try:
        _run([sys.executable, "-m", "venv", env])
        _run([*pip, "install", *locked])
    except subprocess.CalledProcessError as error:
        said = (error.stderr or error.stdout or "").strip().splitlines()
        raise NotInstalled(said[-1] if said else str(error)) from None
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NotInstalled(str(error)) from None
    (env / "whole").touch()


def _make_books(made: Built) -> None:
    """A database with the modules, by Tryton's own program, and books kept over HTTP."""
    with TemporaryDirectory(dir=made.env) as folder:
        databases = Path(folder)
        database, password = databases / f"{BOOKS}.sqlite", databases / "password"
        database.touch()
        password.write_text(PASSWORD)
        command = [made.env / "bin/trytond-admin", "-c", _config(databases), "-d", BOOKS]
        asked = {"TRYTONPASSFILE": str(password)}
        _run([*command, "--all", "--email", "admin@example.com"], asked)
        _run([*command, "-u", *MODULES, "--activate-dependencies"])
        with served(made, databases) as url, Hand(url, BOOKS) as hand:
            keep(hand)
        _whole(database)
        database.rename(made.books)


def _whole(database: Path) -> None:
    """Put what stands in the log beside the file into the file."""
    script = "import sqlite3, sys; sqlite3.connect(sys.argv[1]).execute('PRAGMA wal_checkpoint')"
    _run([sys.executable, "-c", script, database])


def _run(command: list[object], more: Mapping[str, str] | None = None) -> None:
    subprocess.run(
        [str(each) for each in command],
        env=_env(more or {}),
        check=True,
        capture_output=True,
        text=True,
        timeout=_PATIENCE,
    )


def _env(more: Mapping[str, str]) -> dict[str, str]:
    """Without what would let it see this checkout."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    return kept | more


def _config(databases: Path) -> Path:
    path = databases / "trytond.conf"
    path.write_text(f"[database]\nuri = sqlite://\npath = {databases}\n")
    return path


def _cache() -> Path:
    if given := os.environ.get("TRUEUP_TEST_CACHE"):
        return Path(given)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "trueup-tests"


def _digest(*texts: str) -> str:
    return blake2b("\n".join(texts).encode(), digest_size=6).hexdigest()
