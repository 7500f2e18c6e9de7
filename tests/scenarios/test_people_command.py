"""`trueup people`, by the real command, against Brex over HTTP."""

from tests.scenarios.conftest import Desk


def owned(desk: Desk, *owners: str) -> None:
    rows = desk.rows()
    refs = sorted({row["ref"] for row in rows})
    who = dict(zip(refs, owners, strict=False))
    desk.write([row | {"owners": who.get(row["ref"], "")} for row in rows])


def test_rows_that_are_written_are_what_the_next_plan_reads(desk: Desk) -> None:
    owned(desk, "ada@old.example.com", "ada@old.example.com", "nobody@example.com")
    before = desk.run("plan", "erp-to-brex", "--json").data["summary"]["blocked"]

    told = desk.run("people", "erp-to-brex", "--write")

    assert told.code == 0
    assert "→ cuuser_ada <ada@example.com>, by what stands before the @" in told.out
    assert "1 row written to" in told.out
    rows = (desk.folder / "people-brex.csv").read_text()
    assert rows == "entity_type,entity,id\nuser,ada@old.example.com,cuuser_ada\n"
    after = desk.run("plan", "erp-to-brex", "--json").data["summary"]["blocked"]
    assert after < before
    assert desk.calls("POST", "PUT") == []


def test_without_write_nothing_is_written_and_json_says_who_is_meant(desk: Desk) -> None:
    owned(desk, "grace@old.example.com", "linus")
    settings = desk.settings.read_text()

    told = desk.run("people", "erp-to-brex", "--json").data

    people = {each["entity"]: (each["standing"], each["proposal"]) for each in told["unknown"]}
    assert people == {
        "grace@old.example.com": ("proposed", "cuuser_grace"),
        "linus": ("nobody", None),
    }
    assert told["written"] == 0
    assert desk.settings.read_text() == settings
    assert not (desk.folder / "people-brex.csv").exists()


def test_a_second_time_there_is_nothing_left_to_write(desk: Desk) -> None:
    owned(desk, "grace@old.example.com")
    desk.run("people", "erp-to-brex", "--write")
    settings, rows = desk.settings.read_text(), (desk.folder / "people-brex.csv").read_text()

    told = desk.run("people", "erp-to-brex", "--write", "--json").data

    assert (told["unknown"], told["written"]) == ([], 0)
    assert (desk.settings.read_text(), (desk.folder / "people-brex.csv").read_text()) == (
        settings,
        rows,
    )


def test_a_plan_says_where_to_look_who_they_are(desk: Desk) -> None:
    owned(desk, "nobody@example.com")
    assert "trueup people erp-to-brex" in desk.run("plan", "erp-to-brex").out
    owned(desk, "ada@example.com")
    assert "trueup people" not in desk.run("plan", "erp-to-brex").out


def test_a_sync_that_is_not_there_is_refused_by_name(desk: Desk) -> None:
    told = desk.run("people", "erp-to-brx")
    assert told.code == 2
    assert 'did you mean "erp-to-brex"' in told.err
