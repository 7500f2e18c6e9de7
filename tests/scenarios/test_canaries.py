"""No secret of any vendor is kept or told, also where the vendor repeats it in its records."""

import json
from contextlib import ExitStack
from pathlib import Path

import pytest
from typer.testing import CliRunner

from config import logs
from connectors.sandbox.__main__ import load as sandbox_of
from connectors.sandbox.server import Served, serve
from sync.grace import Wait
from tests.scenarios.mortal_vendors import NOON, VENDORS, Erp
from trueup.cli import app

CANARY = "c4n4ry-of-the-token-6f1e"
KEY = "app_key_sandbox"
SETTINGS = """\
[systems.erp]
connector = "file"
path = "budgets.json"

[systems.it]
connector = "{name}"
base_url = "{url}"
rate_limit = "1000000/1s"
{own}

[syncs.s]
source = "erp"
target = "it"
"""
TEXTS = {
    "vtex": "name",
    "brex": "description",
    "bill": "name",
    "vantage": "name",
    "kaireon": "name",
}
"""A field of each vendor's budgets into which a person could put any text."""


class Office:
    """A folder with settings, one vendor's sandbox, and all that was printed."""

    def __init__(self, name: str, folder: Path, served: Served) -> None:
        self.folder, self.served, self.name = folder, served, name
        self.said = ""
        self.file = folder / "trueup.toml"
        vendor = VENDORS[name]
        url = served.url + vendor.path
        self.file.write_text(SETTINGS.format(name=name, url=url, own=vendor.own))
        (folder / "budgets.json").write_text(json.dumps(Erp(vendor).few()))

    def run(self, *arguments: str) -> str:
        done = CliRunner().invoke(app, [*arguments, "--config", str(self.file)])
        assert done.exception is None or isinstance(done.exception, SystemExit), done.exc_info
        self.said += done.output
        return done.stdout

    def repeat(self) -> None:
        """Somebody writes the secret into the vendor's records."""
        table = self.served.state["budgets"]
        for row in table.rows():
            table.put(row | {TEXTS[self.name]: f"made with {CANARY}"})

    def kept(self) -> bytes:
        files = (path for path in self.folder.rglob("*") if path.is_file())
        return b"".join(path.read_bytes() for path in files)


@pytest.fixture(params=VENDORS)
def office(request, tmp_path, monkeypatch):
    name = request.param
    vendor = VENDORS[name]
    monkeypatch.setenv("TRUEUP_TEST_SECRET", CANARY)
    monkeypatch.setenv("TRUEUP_TEST_KEY", KEY)
    monkeypatch.setattr(logs, "_secrets", ())
    monkeypatch.setattr(Wait, "more", lambda *_: False)  # nobody waits for what is not shown
    with ExitStack() as stack:
        said = {key: value for key, value in vendor.sandbox.items() if key != "users"}
        sandbox = sandbox_of(name)(token=CANARY, rate_limit="off", **said)
        served = stack.enter_context(serve(sandbox))
        for id in vendor.sandbox.get("users", ()):
            served.state["users"].put(sandbox.completed("users", {"id": id}))
        yield Office(name, tmp_path, served)


DAY = f"{NOON:%Y-%m-%d}"


def test_a_secret_is_in_nothing_that_is_kept_or_told(office, monkeypatch):
    assert json.loads(office.run("run", "s", "--as-of", DAY, "--json"))["counts"]["applied"] > 0
    office.repeat()
    office.run("plan", "s", "--as-of", DAY, "-vv")
    office.run("run", "s", "--as-of", DAY, "-vv", "--allow", "max_changes")
    office.run("run", "s", "--as-of", DAY, "--json")
    monkeypatch.setenv("TRUEUP_TEST_SECRET", f"{CANARY}-wrong")
    office.run("run", "s", "--as-of", DAY)
    # what was kept is told by another process, which knows no secret
    monkeypatch.setattr(logs, "_secrets", ())
    (last, *_) = json.loads(office.run("history", "--json"))["runs"]
    for command in (["audit"], ["audit", "--json"], ["audit", "--format", "csv"], ["audit", "--check"],
                    ["show", last["run_id"]], ["show", last["run_id"], "--json"], ["status"]):  # fmt: skip
        assert office.run(*command)

    assert CANARY not in office.said
    assert KEY not in office.said or office.name != "vtex"
    assert CANARY.encode() not in office.kept()
