"""Which object of the target is meant, by the command line and over HTTP."""

from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from connectors.sandbox.server import serve
from connectors.sandbox.vtex.api import VtexSandbox
from tests.scenarios.conftest import COPYING, HEAD, SYNC, TOKEN, Desk
from trueup.workspace import open_workspace

AUTH = {"Authorization": f"Bearer {TOKEN}", "Idempotency-Key": "by-hand"}
ALLOWED = ("--allow", "max_money,max_changes,max_budget_change")
VTEX = """\
[systems.erp]
connector = "file"
path = "budgets.csv"
currency = "USD"

[systems.vtex]
connector = "vtex"
base_url = "{url}"
app_key = "env:VTEX_APP_KEY"
app_token = "env:VTEX_APP_TOKEN"
context_id = "unit-first"
currency = "USD"

[syncs.erp-to-vtex]
source = "erp"
target = "vtex"
"""


def test_what_brex_archived_for_good_is_made_anew(filled: Desk) -> None:
    old = filled.named("Cost centre 1 (CC0001)")["budget_id"]
    url = f"{filled.brex.url}/v2/budgets/{old}/archive"
    httpx.post(url, headers=AUTH).raise_for_status()
    blocked = filled.run("plan", SYNC)
    assert f"trueup unlink {SYNC} CC0001 --anew" in blocked.out
    filled.clear_log()
    before = {row["budget_id"] for row in filled.budgets}

    said = filled.run("unlink", SYNC, "CC0001", "--anew", "--yes", "--json")

    assert (said.code, said.data["target_ids"], len(said.data["below"])) == (0, [old], 4)
    assert filled.calls("GET", "POST", "PUT") == []
    result = filled.run("run", SYNC, "--json", *ALLOWED)
    assert (result.code, result.data["verified"]) == (0, True)
    (new,) = {row["budget_id"] for row in filled.budgets} - before
    assert filled.run("plan", SYNC, "--detailed-exitcode").code == 0
    assert refused(filled, "CC0001", old) == f"{SYNC} has linked CC0001 to {new}"


def refused(desk: Desk, ref: str, id: str) -> str:
    result = desk.run("link", SYNC, ref, id, "--yes", "--json")
    assert result.code == 2
    return str(result.data["error"]).partition(";")[0]


def test_a_brex_budget_of_another_name_is_linked_and_adopted(filled: Desk) -> None:
    by_hand = filled.named("Cost centre 2 (CC0002)") | {
        "budget_id": "budget_hr", "name": "Human Resources", "description": "by hand",
    }  # fmt: skip
    filled.brex.state["budgets"].put(by_hand)
    row = {**filled.rows()[0], "ref": "HR", "name": "HR", "amount": "700.00", "parent": ""}
    filled.write([*filled.rows(), row])

    said = filled.run("link", SYNC, "HR", "budget_hr", "--yes")
    result = filled.run("run", SYNC, "--json", *ALLOWED)

    assert said.code == 0
    assert "HR ≠ Human Resources" in said.err
    assert (result.code, result.data["verified"]) == (0, True)
    assert filled.named("HR")["budget_id"] == "budget_hr"
    assert "budget HR is budget_hr" in filled.run("audit").out


def test_a_stamped_vtex_budget_that_was_unlinked_is_asked_about(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VTEX_APP_KEY", "app_key_sandbox")
    monkeypatch.setenv("VTEX_APP_TOKEN", "app_token_sandbox")
    with ExitStack() as stack:
        served = stack.enter_context(serve(VtexSandbox(rate_limit="off")))
        desk = Desk(tmp_path, served)
        desk.settings.write_text(VTEX.format(url=served.url))
        (tmp_path / "budgets.csv").write_text("ref,name,amount\nMKT,Marketing,500.00\n")
        assert desk.run("run", "erp-to-vtex").code == 0

        assert desk.run("unlink", "erp-to-vtex", "MKT", "--yes").code == 0
        asked = desk.run("run", "erp-to-vtex", "--json")

        assert asked.code == 6
        (conflict,) = asked.data["plan"]["conflicts"]
        assert conflict["reason"].startswith(f"it was unlinked from {conflict['candidates'][0]}")
        assert len(served.state["budgets"].rows()) == 1
        (wait,) = desk.run("waiting", "--json").data["waits"]
        number = str(wait["number"])
        assert desk.run("decide", number, "--take", "none").code == 0
        assert desk.run("run", "erp-to-vtex", "--allow", "max_money").code == 0
        assert len(served.state["budgets"].rows()) == 2
        assert desk.run("run", "erp-to-vtex").code == 0, "its stamp is borne twice, as was said"


# -- the command line ----------------------------------------------------------------------------


@pytest.fixture
def copied(tmp_path: Path, desk: Desk) -> Desk:
    """A sync of one file into another, after its first run."""
    desk.settings.write_text(COPYING)
    (tmp_path / "budgets.csv").write_text(HEAD + "A,Travel,10.00,USD\n")
    (tmp_path / "copy.csv").write_text(HEAD)
    assert desk.run("run", "copy").code == 0
    return desk


def test_both_ask_on_a_terminal_alone(copied: Desk) -> None:
    for said in (("link", "copy", "A", "x"), ("unlink", "copy", "A")):
        result = copied.run(*said)
        assert (result.code, "add --yes" in result.err) == (2, True)


def test_what_was_never_linked_ends_with_two(copied: Desk) -> None:
    result = copied.run("unlink", "copy", "Z", "--yes", "--json")

    assert (result.code, result.data["error"]) == (
        2,
        "copy has linked no budget Z: nothing can be unlinked",
    )


def test_a_script_links_and_unlinks(copied: Desk) -> None:
    with open_workspace(copied.settings) as workspace:
        found = workspace.unlink("copy", "A")
        assert found.done
        linking = workspace.link("copy", "A", found.target_ids[0])
        assert (linking.done, linking.change) == (True, None)
        assert workspace.apply("copy").verified


def test_a_page_and_markdown_tell_what_may_be_renamed(copied: Desk) -> None:
    (copied.folder / "budgets.csv").write_text(HEAD + "B,Trips,10.00,USD\n")

    for form in ("text", "markdown", "html"):
        out = copied.run("plan", "copy", "--format", form).out
        assert "rename copy A B" in out, form
