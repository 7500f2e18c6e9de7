"""Moving a state: the copy is told, checked, and runs go on from it."""

from contextlib import closing
from datetime import UTC, datetime
from functools import partial

from sync.state.lease import Lease
from sync.state.store import Store
from tests.scenarios.conftest import SYNC, Desk


def test_after_a_move_the_next_run_has_nothing_to_do(filled: Desk) -> None:
    head = filled.run("audit", "--check", "--json").data["head"]
    moved = filled.run("state", "copy", "sqlite:///moved.db")
    assert moved.code == 0, moved.err
    assert f"✓ audit: 19 rows as they were written; head {head}" in moved.out
    assert moved.out.endswith('[state]\nurl = "sqlite:///moved.db"\n')

    filled.add_setting('[state]\nurl = "sqlite:///moved.db"')
    (filled.folder / "trueup.db").unlink()
    plan = filled.run("plan", SYNC, "--json").data
    assert (plan["changes"], plan["adopted"]) == ([], 0)
    assert filled.run("run", SYNC).code == 0
    assert not filled.calls("POST", "PUT", "DELETE")
    assert filled.run("audit", "--check", "--head", head).code == 0


def test_json_tells_what_went_where(filled: Desk) -> None:
    said = filled.run("state", "copy", "sqlite:///moved.db", "--json").data
    assert said["to"] == str(filled.folder / "moved.db")
    assert (said["rows"]["links"], said["rows"]["runs"], said["audit"]["ok"]) == (15, 1, True)


def test_a_move_to_a_state_that_is_used_says_what_is_there(filled: Desk) -> None:
    assert filled.run("state", "copy", "sqlite:///moved.db").code == 0
    again = filled.run("state", "copy", "sqlite:///moved.db")
    assert again.code == 1
    assert "moved.db: it is not empty, it holds " in again.err
    assert ", 15 links," in again.err


def test_an_address_that_is_none_exits_2_and_repeats_no_password(filled: Desk) -> None:
    refused = filled.run("state", "copy", "mysql://me:hunter22@host/db")
    assert refused.code == 2
    assert "URL: not an address such as" in refused.err
    assert "hunter22" not in refused.err + refused.out


def test_a_reference_to_nothing_exits_2(filled: Desk) -> None:
    refused = filled.run("state", "copy", "env:TRUEUP_NO_SUCH_STATE")
    assert refused.code == 2
    assert "TRUEUP_NO_SUCH_STATE is not set" in refused.err


def test_a_run_that_goes_on_keeps_the_copy_from_beginning(filled: Desk) -> None:
    now = partial(datetime.now, UTC)
    with closing(Store.open("sqlite:///trueup.db", filled.folder, now)) as state:
        with Lease.take(state, SYNC, now=now):
            moved = filled.run("state", "copy", "sqlite:///moved.db")
        assert moved.code == 8
        assert f"{SYNC} is being run by process" in moved.err
        assert not (filled.folder / "moved.db").exists()
        assert filled.run("state", "copy", "sqlite:///moved.db").code == 0
