import os

import pytest

from connectors.sandbox.brex.api import BrexSandbox
from sync.state.store import Store
from trueup.files import write_private
from trueup.starter import write_starter


def mode(path):
    return path.stat().st_mode & 0o777


@pytest.fixture(autouse=True)
def open_hands():
    """A umask that keeps nothing from anybody."""
    before = os.umask(0)
    yield
    os.umask(before)


def test_a_file_is_its_owners_alone_also_where_it_was_not_before(tmp_path):
    path = tmp_path / "plan.json"
    path.write_text("before")
    path.chmod(0o666)
    write_private(path, "é")
    assert path.read_text(encoding="utf-8") == "é"
    assert mode(path) == 0o600


def test_what_cannot_be_written_leaves_what_was_there(tmp_path, monkeypatch):
    path = tmp_path / "plan.json"
    path.write_text("before")

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OSError, match="No space left"):
        write_private(path, "after")
    assert path.read_text() == "before"
    assert list(tmp_path.iterdir()) == [path]


def test_a_link_is_followed(tmp_path):
    (tmp_path / "link").symlink_to(tmp_path / "plan.json")
    write_private(tmp_path / "link", "x")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "plan.json").read_text() == "x"


def test_all_that_we_write_is_its_owners_alone(tmp_path, clock):
    write_starter(tmp_path)
    Store.open("sqlite:///trueup.db", tmp_path, clock).close()
    sandbox = BrexSandbox(persist=tmp_path / "sandbox.json")
    sandbox.state["users"].clear()
    sandbox.state.save()
    found = {path.name: mode(path) for path in tmp_path.iterdir()}
    assert set(found) >= {
        "trueup.toml",
        "budgets.csv",
        "allocations.csv",
        "trueup.db",
        "sandbox.json",
    }
    assert set(found.values()) == {0o600}
