"""What was spent is kept in budgets of actuals in a real Tryton, and nothing else is touched."""

import re
from contextlib import ExitStack
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from canonical.allocation import Status
from canonical.amount import Amount
from canonical.kind import Kind
from canonical.period import Period
from canonical.spent import Spent
from connectors.conformance import World
from connectors.conformance.recording import Recording
from connectors.contract.errors import Rejected
from connectors.contract.records import Keeping
from tests.vendors.tryton.conftest import LINE
from tests.vendors.tryton.tryton_books import Hand, number

BUDGET = "analytic_account.budget"
FEBRUARY = Period(date(2026, 2, 1), date(2026, 2, 28))


def spent(ref: str, amount: str = "12.34", unit: str = "USD", **said) -> Spent:
    row = Spent(
        system="brex", sync="mirror", kind=Kind.BUDGET, ref=ref, budget_ref=None, name=ref,
        target_id=f"b-{ref}", above=None, status=Status.ACTIVE, amount=None,
        spent=Amount.of(amount, unit), pending=None, remaining=None, at=None, source="erp",
        period=FEBRUARY,
    )  # fmt: skip
    return replace(row, **said)


class Kept:
    """The projects' budgets of actuals, copied from those that are read, their lines blank."""

    erp: Any

    def __init__(self, hand: Hand, stack: ExitStack) -> None:
        self.hand, self._stack = hand, stack
        self.january, self.february = (self.copy(m, f"Actuals {m}") for m in ("2026-01", "2026-02"))
        self._lines = self.hand.find(LINE, ["budget", "in", [self.january, self.february]])

    def blank(self) -> None:
        """All lines that there were say nothing."""
        self.hand.write(LINE, self._lines, amount=None)

    def copy(self, month: str, name: str, root: str = "PR") -> int:
        """What Tryton's wizard does: another budget with the same lines."""
        (id,) = self.hand.find(BUDGET, ["name", "=", month], ["root.code", "=", root])
        (made,) = self.hand.model(BUDGET, "copy", [id], {"name": name})
        self._stack.callback(self.hand.model, BUDGET, "delete", [made])
        return made

    def line(self, budget: int, code: str) -> int:
        (id,) = self.hand.find(LINE, ["budget", "=", budget], ["account.code", "=", code])
        return id

    def amounts(self, budget: int) -> dict[str, str | None]:
        """What its lines say, by code, where they say anything."""
        ids = self.hand.find(LINE, ["budget", "=", budget])
        rows = self.hand.model(LINE, "read", ids, ["account.code", "amount"])
        found = {row["account."]["code"]: row["amount"] for row in rows}
        return {code: each["decimal"] for code, each in found.items() if each is not None}

    def connector(self, **said):
        own = {"root": "PR", "names": ["2026-*"], "actuals_budget": "Actuals *"}
        return self.erp.connector(**own | said)


@pytest.fixture(scope="module")
def copied(hand):
    with ExitStack() as stack:
        yield Kept(hand, stack)


@pytest.fixture
def kept(erp, copied):
    copied.erp = erp
    copied.blank()
    return copied


def outcomes(connector, *rows: Spent):
    return [(each.outcome, each.reason) for each in connector.record_actuals(rows)]


def test_what_was_spent_is_the_amount_of_its_month_below_zero_in_one_call(kept):
    said = kept.connector().record_actuals([spent("PR1"), spent("PR2", "0")])
    assert [each.outcome for each in said] == [Keeping.WRITTEN] * 2
    assert {each.place for each in said} == {"Actuals 2026-02"}
    assert kept.amounts(kept.february) == {"PR1": "-12.34", "PR2": "0.00"}
    assert (kept.amounts(kept.january), kept.erp.proxy.sandbox.written()) == ({}, 1)


def test_no_budget_that_is_read_is_one_of_actuals(kept):
    before, _ = kept.erp.budgets(root="PR", names=["2026-*"])
    kept.connector().record_actuals([spent("PR1")])
    listed = {each.id: each.model for each in next(kept.connector().list(Kind.BUDGET)).items}
    assert listed == before


@pytest.mark.parametrize(
    ("names", "actuals", "said"),
    [
        (["2026-*"], "2026-*", "is read as a budget, and to keep actuals"),
        (["2026-0?"], "2026-02", "'2026-02' is read as a budget, and to keep actuals"),
        (["*"], "Actuals *", "'Actuals 2026-01' is read as a budget, and to keep"),
        (["Actuals *"], "*", "is read as a budget, and to keep actuals"),
        (["2026-*"], "Actual 2026*", "no analytic budget is called 'Actual 2026"),
    ],
)
def test_a_name_that_is_wrong_is_told_and_nothing_is_written(kept, names, actuals, said):
    with pytest.raises(Rejected, match=re.escape(said)):
        kept.connector(names=names, actuals_budget=actuals).record_actuals([spent("PR1")])
    assert kept.erp.proxy.sandbox.written() == 0


def test_what_is_named_in_both_is_not_read_as_a_budget_either(kept):
    with pytest.raises(Rejected, match="not in both"):
        next(kept.connector(names=["*"]).list(Kind.BUDGET))


def test_a_check_counts_them_and_tells_a_name_that_is_wrong(kept):
    assert kept.connector().check().notes[1] == "2 of them keep what is spent"
    with pytest.raises(Rejected, match="no analytic budget is called 'Actul'"):
        kept.connector(actuals_budget="Actul").check()


def test_a_period_that_no_budget_counts_keeps_nothing_whatever_its_name(kept):
    ((outcome, reason),) = outcomes(kept.connector(names=["2026-01"]), spent("PR1"))
    assert outcome is Keeping.REFUSED
    assert "beside 'Actuals 2026-02' no budget that is read counts" in reason


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (spent("PR9"), "nor a budget that is read has a line"),
        (spent("PR1", unit="EUR"), "keeps its books in USD"),
        (spent("PR1", "1.005"), "not a whole number"),
        (spent("PR1", period=Period(date(2026, 3, 1), date(2026, 3, 31))), "copy the one that"),
        (spent("PR1", period=Period(date(2026, 2, 9), date(2026, 2, 15))), "copy the one that"),
    ],
)
def test_what_has_no_place_is_refused_and_the_others_are_kept(kept, row, said):
    refused, other = outcomes(kept.connector(), row, spent("PR2"))
    assert refused[0] is Keeping.REFUSED
    assert said in refused[1]
    assert other == (Keeping.WRITTEN, "")
    assert kept.amounts(kept.february) == {"PR2": "-12.34"}


def test_copies_of_another_roots_budgets_are_not_its_own(kept):
    other = kept.copy("2026-02", "Actuals of centres", root="CC")
    said = outcomes(kept.connector(), spent("PR1"))
    kept.hand.write(BUDGET, [other], name="Of centres")
    assert said == [(Keeping.WRITTEN, "")]


def test_two_budgets_of_actuals_for_one_month_are_both_named(kept):
    other = kept.copy("2026-02", "Actuals of mine")
    ((outcome, reason),) = outcomes(kept.connector(), spent("PR1"))
    kept.hand.write(BUDGET, [other], name="Of mine")
    assert outcome is Keeping.REFUSED
    assert "'Actuals 2026-02', 'Actuals of mine'" in reason


def test_a_line_that_is_missing_is_told_or_made_as_the_settings_say(kept):
    kept.hand.model(LINE, "delete", [kept.line(kept.february, "PR1")])
    kept._lines = kept.hand.find(LINE, ["budget", "in", [kept.january, kept.february]])
    ((outcome, reason),) = outcomes(kept.connector(), spent("PR1"))
    assert outcome is Keeping.REFUSED
    assert "make_actuals_lines = true" in reason
    makes = kept.connector(make_actuals_lines=True)
    assert outcomes(makes, spent("PR1"), spent("PR2")) == [(Keeping.WRITTEN, "")] * 2
    assert kept.amounts(kept.february) == {"PR1": "-12.34", "PR2": "-12.34"}
    assert outcomes(makes, spent("PR1"), spent("PR2")) == [(Keeping.UNCHANGED, "")] * 2
    kept._lines.append(kept.line(kept.february, "PR1"))


def test_a_line_that_somebody_changes_meanwhile_is_read_again_and_set(kept):
    line = kept.line(kept.february, "PR1")
    connector = kept.connector()
    read = connector._books.kept

    def then_changed(periods):
        found = read(periods)
        connector._books.kept = read
        kept.hand.write(LINE, [line], amount=number("-99"))
        return found

    connector._books.kept = then_changed
    (said,) = connector.record_actuals([spent("PR1")])
    assert (said.outcome, said.before) == (Keeping.WRITTEN, Amount.of(99, "USD"))
    assert kept.amounts(kept.february) == {"PR1": "-12.34"}


def test_without_a_budget_of_actuals_and_by_a_key_nothing_is_kept(kept):
    with pytest.raises(Rejected, match="no budget of actuals is named"):
        kept.connector(actuals_budget=None).record_actuals([spent("PR1")])
    with pytest.raises(ValueError, match="login and password"):
        kept.connector(key=kept.erp.key())
    with pytest.raises(ValueError, match="needs names too"):
        kept.connector(names=[])


@pytest.mark.faults
class TestKit(Recording):
    """The kit's checks of what is kept."""

    @pytest.fixture
    def world(self, kept):
        refs = iter(["PR1", "PR2", "PR3", "PR4"])

        def fault(kind, times):
            kept.erp.proxy.faults.add(kind, times=times)

        return World(
            connector=kept.connector(),
            read_only=True,
            spent_of=lambda: spent(next(refs)),
            fault=fault,
        )
