"""`trueup actuals --into`: what is kept, what is told, and how it ends, with the real commands.

The system that keeps is in memory: it takes what it is told, but of budgets alone.
"""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

import trueup
from canonical.amount import Amount
from canonical.kind import Kind
from canonical.spent import Place
from connectors.contract.errors import Uncertain
from connectors.contract.records import Keeping, Recorded
from connectors.memory.connector import Memory
from connectors.sandbox.brex.api import BrexSandbox
from connectors.sandbox.server import serve
from sync.state.lease import Lease
from tests.scenarios.conftest import SYNC, TOKEN, Desk
from tests.scenarios.test_actuals import spend
from trueup.commands import serving
from trueup.session import Session

BOOK = '\n[systems.book]\nconnector = "memory"\n'
KEPT: dict[str, Amount] = {}


@pytest.fixture
def kept(monkeypatch: pytest.MonkeyPatch) -> dict[str, Amount]:
    """What the book keeps, by ref, from one command to the next."""

    def keeping(memory: Memory, place: Place, spent: Amount) -> Recorded:
        before = KEPT.get(place.ref)
        if place.ref == "CC0003":
            return Recorded(Keeping.REFUSED, reason="the page is torn")
        outcome = Keeping.UNCHANGED if before == spent else Keeping.WRITTEN
        return Recorded(outcome, f"page {place.ref}", before, spent)

    class Page(dict[Place, Amount]):
        def __setitem__(self, place: Place, amount: Amount) -> None:
            KEPT[place.ref] = amount

    usual = Memory.__init__

    def opened(memory: Memory, *arguments: object) -> None:
        usual(memory, *arguments)  # type: ignore[arg-type]
        memory.kept = Page()

    able = replace(Memory.capabilities, takes_actuals=frozenset({Kind.BUDGET}), reads_actuals=False)
    monkeypatch.setattr(Memory, "__init__", opened)
    monkeypatch.setattr(Memory, "_keeping", keeping)
    monkeypatch.setattr(Memory, "capabilities", able)
    KEPT.clear()
    return KEPT


@pytest.fixture
def desk_of(desk: Desk, kept: dict[str, Amount]) -> Desk:
    desk.add_setting(BOOK)
    assert desk.run("run", SYNC).code == 0
    spend(desk, name_of(desk, "CC0001"), 12_345)
    return desk


def test_a_database_that_only_keeps_actuals_is_in_order(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    (desk.folder / "warehouse.db").touch()
    monkeypatch.setenv("WAREHOUSE", f"sqlite:///{desk.folder / 'warehouse.db'}")
    own = 'connector = "sql"\nurl = "env:WAREHOUSE"\nactuals = "spent"\ncreate_actuals = true\n'
    desk.add_setting(f"\n[systems.warehouse]\n{own}")

    found = desk.run("check", "warehouse", day=None)

    assert (found.code, "✓ warehouse (sql)" in found.out) == (0, True)


def name_of(desk: Desk, ref: str) -> str:
    return next(row["name"] for row in desk.rows() if row["ref"] == ref)


def counts(desk: Desk, *arguments: str, code: int = 0) -> dict[str, int]:
    result = desk.run("actuals", "--into", "book", "--json", *arguments)
    assert result.code == code, result.out
    found: dict[str, int] = result.data["recorded"]["counts"]
    return found


def test_what_is_kept_and_what_is_not_is_shown_with_the_reason(desk_of: Desk) -> None:
    result = desk_of.run("actuals", "brex", "--into", "book")

    lines = result.out.splitlines()
    (line,) = [each for each in lines if "page CC0001" in each]
    assert line.split()[:2] == ["brex", "CC0001"]
    assert line.split()[-3:] == ["page", "CC0001", "123.45"]
    assert "! refused 1 × brex: the page is torn: CC0003" in lines
    assert any(each.startswith("· skipped 1 × brex: no sync links it: ") for each in lines)
    assert lines[-1] == "book: 2 written, 0 unchanged, 1 refused, 1 skipped"
    assert result.code == 4


def test_the_same_again_is_unchanged_and_more_takes_its_place(
    desk_of: Desk, kept: dict[str, Amount]
) -> None:
    counts(desk_of, code=4)
    assert counts(desk_of, code=4)["unchanged"] == 2
    spend(desk_of, name_of(desk_of, "CC0001"), 20_000)

    result = desk_of.run("actuals", "--into", "book", "--json")

    (row,) = [each for each in result.data["recorded"]["rows"] if each["outcome"] == "written"]
    assert (row["ref"], row["before"], row["after"]) == ("CC0001", "123.45", "200.00")
    assert kept["CC0001"] == Amount.of(200, "USD")


def test_a_dry_run_writes_nothing_and_needs_no_lease(
    desk_of: Desk, kept: dict[str, Amount]
) -> None:
    with trueup.open(desk_of.settings) as workspace:
        lease = Lease.take(workspace.store, "actuals --into book", now=lambda: datetime.now(UTC))
        with lease:
            assert counts(desk_of, "--dry-run", code=4)["written"] == 2
            result = desk_of.run("actuals", "--into", "book")

    assert (result.code, kept) == (8, {})
    assert "actuals --into book is being run by process" in result.err


def test_nothing_is_kept_of_what_a_system_could_not_tell(
    desk_of: Desk, kept: dict[str, Amount], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BREX_TOKEN", "another")

    result = desk_of.run("actuals", "--into", "book", "--json")

    assert (result.code, kept) == (1, {})
    assert [*result.data["failed"]] == ["brex"]


def test_a_sum_waits_for_the_system_that_was_not_asked_or_failed(
    desk_of: Desk, kept: dict[str, Amount], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTHER_TOKEN", TOKEN)
    with serve(BrexSandbox(token=TOKEN)) as other:
        desk_of.add_setting(
            f'[systems.other]\nconnector = "brex"\nbase_url = "{other.url}"\n'
            'token = "env:OTHER_TOKEN"\n[syncs.to-other]\nsource = "erp"\ntarget = "other"\n'
        )
        assert desk_of.run("run", "to-other").code == 0
        result = desk_of.run("actuals", "other", "--into", "book")
        assert (result.code, kept) == (4, {})
        assert "3 × other: brex holds it too, and has not told what is spent of it" in result.out
        monkeypatch.setenv("OTHER_TOKEN", "another")
        result = desk_of.run("actuals", "--into", "book")
        assert (result.code, kept) == (1, {})
        assert "3 × brex: other holds it too, and has not told what is spent of it" in result.out
        monkeypatch.setenv("OTHER_TOKEN", TOKEN)
        counts(desk_of, code=4)

    assert kept["CC0001"] == Amount.of("123.45", "USD")


def test_a_write_of_which_nobody_knows_the_end_says_so(
    desk_of: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lost(*arguments: object, **said: object) -> None:
        raise Uncertain("the answer is lost")

    monkeypatch.setattr(Memory, "record_actuals", lost)

    assert desk_of.run("actuals", "--into", "book").code == 7


def test_a_script_keeps_it_too(desk_of: Desk, kept: dict[str, Amount]) -> None:
    with trueup.open(desk_of.settings) as workspace:
        tried = workspace.record_actuals("book", dry_run=True)
        assert kept == {}
        done = workspace.record_actuals("book", ["brex"])

    assert tried.counts == done.counts
    assert kept["CC0001"] == Amount.of("123.45", "USD")


def test_a_schedule_keeps_it(desk_of: Desk, kept: dict[str, Amount]) -> None:
    desk_of.add_setting('[actuals.book]\nsystems = ["brex"]\nschedule = "every 1 hours"\n')

    class Once:
        def now(self) -> datetime:
            return datetime(2026, 3, 1, tzinfo=UTC) + timedelta(seconds=self.monotonic())

        def monotonic(self) -> float:
            return 0.0

        def wait(self, seconds: float) -> None:
            session.stop.set()

    with Session(desk_of.settings) as session:
        assert serving.serve(session, Once()) == 0

    assert kept["CC0001"] == Amount.of("123.45", "USD")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--into", "brex"], '"brex" keeps no actuals; there are memory, odoo, sql, tryton'),
        (["--into", "bok"], 'did you mean "book"'),
        (["erp", "--into", "book"], "it does not tell what is spent"),
        (["brx", "--into", "book"], 'did you mean "brex"'),
        (["book", "--into", "book"], "there already"),
        (["--dry-run"], "--dry-run is for --into"),
    ],
)
def test_what_cannot_be_kept_so_is_a_usage_error(
    desk: Desk, kept: dict[str, Amount], arguments: list[str], said: str
) -> None:
    desk.add_setting(BOOK)

    result = desk.run("actuals", *arguments)

    assert result.code == 2
    assert said in result.err


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ("[actuals.bok]", 'did you mean "book"'),
        ('[actuals.book]\nsystems = ["brx"]', 'did you mean "brex"'),
        ('[actuals.book]\nsystems = ["book"]', "there already"),
        ('[actuals.book]\nschedule = "now and then"', "not a schedule"),
    ],
)
def test_a_table_of_actuals_that_is_wrong_is_told(desk: Desk, table: str, said: str) -> None:
    desk.add_setting(BOOK + table)

    result = desk.run("status")

    assert result.code == 2
    assert said in result.err
