"""Bad input: one screen that says what, where and what would be right; nothing half done."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.scenarios.conftest import SYNC, TOKEN, Desk

Break = Callable[[Desk], object]


def _replace(old: str, new: str) -> Break:
    def change(desk: Desk) -> None:
        text = desk.settings.read_text()
        assert old in text
        desk.settings.write_text(text.replace(old, new))

    return change


def _line(number: int, text: str, name: str = "budgets.csv") -> Break:
    """Put `text` in place of a line of a file, counted as an editor counts."""

    def change(desk: Desk) -> None:
        lines = (desk.folder / name).read_text().splitlines()
        lines[number - 1] = text
        (desk.folder / name).write_text("\n".join(lines) + "\n")

    return change


def _more(text: str, name: str = "budgets.csv") -> Break:
    def change(desk: Desk) -> None:
        with (desk.folder / name).open("a") as file:
            file.write(text + "\n")

    return change


def _alone(ref: str, **fields: str) -> str:
    row = {"name": ref, "description": "", "currency": "USD", "amount": "1.00",
           "cadence": "monthly", "start": "2026-01-01", "end": "", "status": "active",
           "parent": "", "owners": ""} | fields  # fmt: skip
    return ",".join([ref, *row.values()])


SETTINGS = {
    "broken TOML": (_replace('path = "budgets.csv"', 'path = "budgets.csv'), ["trueup.toml:3"]),
    "an unknown key": (_replace("token =", "tokn ="), ["trueup.toml:9", "tokn", '"token"']),
    "a wrong type": (_replace('path = "budgets.csv"', "path = 7"), ["trueup.toml:3", "path"]),
    "an unknown system": (_replace('source = "erp"', 'source = "erpp"'), ["erpp", '"erp"']),
    "an unknown connector": (_replace('"brex"\nbase', '"brexx"\nbase'), ["brexx", '"brex"']),
    "a literal secret": (_replace("env:BREX_TOKEN", "bxt_secret"), ["trueup.toml:9", "env:"]),
    "a bad guard": (
        lambda desk: desk.add_setting('[syncs.erp-to-brex.guard]\nmax_money = "lots"'),
        ["max_money", "30%"],
    ),
    "no settings file": (lambda desk: desk.settings.unlink(), ["trueup.toml", "trueup init"]),
}


@pytest.mark.parametrize("name", SETTINGS)
def test_bad_settings_exit_2_with_file_line_and_key(desk: Desk, name: str) -> None:
    break_it, said = SETTINGS[name]
    break_it(desk)

    result = desk.run("run", SYNC)

    assert result.code == 2, result.err
    for word in said:
        assert word in result.err
    assert "bxt_secret" not in result.err
    assert len(result.err.splitlines()) < 25
    assert not desk.brex.log


def test_every_settings_problem_is_told_at_once(desk: Desk) -> None:
    _replace("token =", "tokn =")(desk)
    _replace('target = "brex"', 'target = "brx"')(desk)

    said = desk.run("plan", SYNC).err

    assert "tokn" in said
    assert "brx" in said


def test_a_missing_secret_names_the_variable_and_the_line(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("BREX_TOKEN")

    result = desk.run("plan", SYNC)

    assert result.code == 2
    assert "BREX_TOKEN" in result.err
    assert "trueup.toml:9" in result.err


ROWS = {
    "a duplicate ref": (_more(_alone("CC0001")), ["CC0001"]),
    "a bad date": (_more(_alone("X", start="01/02/2026")), ["row 38", "start", "YYYY-MM-DD"]),
    "a negative amount": (_more(_alone("X", amount="-5")), ["X", "no amount below zero", "-5"]),
    "an over-precise amount": (_more(_alone("X", amount="5.001")), ["row 38", "amount", "5.001"]),
    "not a number": (_more(_alone("X", amount="five")), ["row 38", "amount", "five"]),
    "an unknown currency": (_more(_alone("X", currency="usd")), ["row 38", "currency", "USD"]),
    "an unknown cadence": (_more(_alone("X", cadence="montly")), ["row 38", "cadence", "monthly"]),
    "an unknown parent": (_more(_alone("X", parent="nobody")), ["row 38", "parent", "nobody"]),
    "a cycle of parents": (
        _more(_alone("X", parent="Y") + "\n" + _alone("Y", parent="X")),
        ["X", "Y"],
    ),
    "an allocation without budget": (
        _more("nobody,n-1,account,6100,1.00,active", "allocations.csv"),
        ["allocations.csv", "row 14", "nobody"],
    ),
}


@pytest.mark.parametrize("name", ROWS)
def test_a_bad_row_is_reported_and_the_rest_is_done(desk: Desk, name: str) -> None:
    break_it, said = ROWS[name]
    break_it(desk)

    result = desk.run("run", SYNC)

    assert result.code == 4, result.out
    for word in said:
        assert word in result.out
    expected = 2 if name == "a duplicate ref" else 3
    assert len(desk.budgets) == expected


@pytest.mark.parametrize("name", ROWS)
def test_a_source_with_a_bad_row_removes_nothing(filled: Desk, name: str) -> None:
    filled.add_setting('on_remove = "retire"\n[syncs.erp-to-brex.guard]\nmax_removals = "off"')
    break_it, _ = ROWS[name]
    break_it(filled)

    assert filled.run("run", SYNC, "--allow", "max_changes").code == 4

    assert not [call for call in filled.calls("POST") if call["path"].endswith("/archive")]


FILES = {
    "a missing file": (lambda desk: (desk.folder / "budgets.csv").unlink(), ["budgets.csv"]),
    "a folder instead": (
        lambda desk: (
            (desk.folder / "budgets.csv").unlink(),
            (desk.folder / "budgets.csv").mkdir(),
        ),
        ["budgets.csv"],
    ),
    "not text": (
        lambda desk: (desk.folder / "budgets.csv").write_bytes(b"ref,name,amount\n\xff\xfe,1,2"),
        ["budgets.csv"],
    ),
    "no header": (lambda desk: (desk.folder / "budgets.csv").write_text(""), ["budgets.csv"]),
    "a missing column": (_line(1, "ref,title,amount"), ["budgets.csv", "name"]),
}


@pytest.mark.parametrize("name", FILES)
def test_an_unreadable_file_fails_and_sends_nothing(filled: Desk, name: str) -> None:
    break_it, said = FILES[name]
    break_it(filled)

    result = filled.run("run", SYNC)

    assert result.code == 1, result.out
    for word in said:
        assert word in result.out + result.err
    assert not filled.calls("POST", "PUT")


def test_a_state_that_cannot_be_written_is_told_before_anything_is_sent(desk: Desk) -> None:
    (desk.folder / "trueup.db").mkdir()

    result = desk.run("run", SYNC)

    assert result.code == 1
    assert "trueup.db" in result.err
    assert not desk.brex.log


def test_a_server_that_is_down_is_named(desk: Desk) -> None:
    _replace(desk.brex.url, "http://127.0.0.1:9")(desk)
    (desk.folder / "fast").touch()

    result = desk.run("check", "brex")

    assert result.code == 1
    assert "127.0.0.1:9" in result.out
    assert "base_url" in result.out


@pytest.mark.parametrize("command", [["check"], ["run", SYNC], ["plan", SYNC]])
def test_a_wrong_token_names_the_setting_and_not_the_token(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, command: list[str]
) -> None:
    monkeypatch.setenv("BREX_TOKEN", "bxt_wrong_canary")

    result = desk.run(*command)

    assert result.code == 1
    said = result.out + result.err
    assert "token of [systems.brex]" in said
    assert "bxt_wrong_canary" not in said


@pytest.mark.parametrize("kind", ["garbage", "cut"])
def test_a_garbled_answer_stops_the_run_before_it_writes(filled: Desk, kind: str) -> None:
    filled.budget("CC0001", amount="1100.00")
    filled.brex.faults.add(kind, times=-1, method="GET")

    result = filled.run("run", SYNC)

    assert result.code == 1
    assert "JSON" in result.out
    assert not filled.calls("POST", "PUT")


@pytest.mark.parametrize(
    "command", [["plan", "nope"], ["run", "nope"], ["verify", "nope"], ["apply", "nope", "--yes"]]
)
def test_an_unknown_sync_names_the_nearest_one(desk: Desk, command: list[str]) -> None:
    result = desk.run(*command)

    assert result.code == 2
    assert "erp-to-brex" in result.err


def test_an_error_is_json_where_json_was_asked_for(desk: Desk) -> None:
    result = desk.run("plan", "nope", "--json")

    assert result.data["exit_code"] == 2
    assert "nope" in result.data["error"]


def test_an_empty_source_stops_at_the_guard(filled: Desk) -> None:
    (filled.folder / "budgets.csv").write_text("ref,name,currency,amount\n")
    (filled.folder / "allocations.csv").write_text("budget,ref,entity_type,entity,amount\n")
    filled.add_setting('on_remove = "retire"')

    result = filled.run("run", SYNC)

    assert result.code == 5
    assert "min_listing" in result.out
    assert "--allow min_listing" in result.out
    assert not filled.calls("POST", "PUT")


def test_no_secret_reaches_the_state(filled: Desk) -> None:
    for path in Path(filled.folder).glob("trueup.db*"):
        assert TOKEN.encode() not in path.read_bytes()
