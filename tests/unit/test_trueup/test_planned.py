"""What a plan says for people: names, steps and shares, only the phases that move, and sums."""

import io
import re
from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from canonical.allocation import Allocation, Entity
from canonical.amount import Amount
from canonical.budget import Budget
from canonical.change import Change, Plan, Unstated
from canonical.compare import Cause
from canonical.kind import Kind, Op
from canonical.loss import Effect, Loss
from canonical.money import Counted, Move
from canonical.period import Cadence
from canonical.side import Side
from trueup.console import Console
from trueup.output import terminal
from trueup.plan_pages import Form, form_of, page
from trueup.planned import Later, Line, Sum, entries, later, next_steps, sums
from trueup.refusal import Refusal
from trueup.streams import Stream

DAY = date(2026, 3, 1)
USD = Amount.of("12500.00", "USD")
TRAVEL = Budget(ref="CC1", name="Travel", cadence=Cadence.MONTHLY, amount=USD)
SHARE = Allocation(ref="a", budget="CC1", entity=Entity("account", "6100"), amount=USD)
HOSTILE = "<script>alert(1)</script>|*x*"


def counted(amount, unit="USD", cadence=Cadence.MONTHLY):
    return Counted(Decimal(amount), unit, cadence)


def change(op=Op.UPDATE, model=TRAVEL, money=(), **also):
    kind = Kind.BUDGET if isinstance(model, Budget) else Kind.ALLOCATION
    above = None if kind is Kind.BUDGET else model.budget
    return Change(
        op=op, kind=kind, ref=model.ref, budget_ref=above, desired=model, money=money, **also
    )


def plan(*changes, **also):
    return Plan(
        plan_id="p", sync="s", source="erp", target="brex", as_of=DAY, changes=changes, **also
    )


def told(*changes):
    return list(entries(changes, DAY))


RAISED = Move(DAY, counted("12000.00"), counted("12500.00"))


def test_an_amount_tells_how_far_and_by_what_share_it_moves():
    (entry,) = told(change(money=(RAISED,)))
    assert entry.title == "CC1 Travel"
    assert entry.lines == (
        Line("amount", "12,000.00 USD", "12,500.00 USD", "+500.00", "+4.2%"),
    )  # fmt: skip


def test_a_share_is_named_with_its_budget():
    names = [entry.title for entry in told(change(), change(model=SHARE))]
    assert names == ["CC1 Travel", "account:6100 of CC1 Travel"]
    assert told(change(model=SHARE))[0].title == "account:6100 of CC1"


def test_what_is_removed_is_named_as_the_target_calls_it():
    gone = Change(
        op=Op.RETIRE, kind=Kind.BUDGET, ref="CC1", fields={"status": ("active", "retired")},
        name="Travel", money=(Move(DAY, counted("5.00"), None),),
    )  # fmt: skip
    (entry,) = told(gone)
    assert entry.title == "CC1 Travel"
    assert entry.lines[0] == Line("amount", "5.00 USD", "")


def test_what_is_adopted_says_so():
    assert told(change(matched="stamp"))[0].because == "source, adopted by its stamp"
    assert told(change(matched="natural key"))[0].because == "source, adopted by its name"
    found = change(model=SHARE, matched="natural key")
    assert told(found)[0].because == "source, adopted by its entity"


def test_of_phases_only_those_that_move_are_told():
    months = [(f"2026-{m:02}-01..2026-{m:02}-28", "1.00") for m in range(1, 6)]
    after = [*months]
    after[0] = (months[0][0], "2.00")
    later_on = Move(date(2026, 5, 1), counted("1.00"), counted("3.00"))
    moved = change(money=(later_on,), fields={"phases": (tuple(months), tuple(after))})
    (entry,) = told(moved)
    assert [line.what for line in entry.lines] == ["from 2026-05-01", months[0][0]]


def test_money_of_another_currency_has_no_step():
    move = Move(DAY, counted("5.00", "EUR"), counted("6.00"))
    assert told(change(money=(move,)))[0].lines == (Line("amount", "5.00 EUR", "6.00 USD"),)


def test_sums_tell_what_is_added_raised_lowered_and_removed_apart():
    new = change(Op.CREATE, money=(Move(DAY, None, counted("10.00")),))
    less = change(money=(Move(DAY, counted("9.00"), counted("7.00")),))
    gone = change(Op.DELETE, money=(Move(DAY, counted("4.00"), None),))
    blocked = change(Op.BLOCKED, money=(Move(DAY, None, counted("99.00")),))
    (found,) = sums(plan(new, change(money=(RAISED,)), less, gone, blocked))
    assert found == Sum(
        Kind.BUDGET, "USD", Decimal("10.00"), Decimal("500.00"), Decimal("-2.00"), Decimal("-4.00")
    )
    assert found.net == Decimal("504.00")


def test_money_of_two_sides_is_summed_apart_and_told_where():
    both = plan(change(money=(RAISED,)), change(money=(RAISED,), side=Side.SOURCE))
    raised = Decimal("500.00")
    assert [(each.of, each.net) for each in sums(both)] == [
        ("budgets in erp", raised),
        ("budgets in brex", raised),
    ]
    assert [each.of for each in sums(plan(change(money=(RAISED,))))] == ["budgets"]


def test_what_goes_back_into_the_source_is_the_targets_and_no_drift():
    back = {"side": Side.SOURCE, "cause": Cause.DRIFT}
    gone = Change(op=Op.RETIRE, kind=Kind.BUDGET, ref="CC1", **back)
    assert [each.because for each in told(change(**back), gone)] == [
        "target", "gone from the target",
    ]  # fmt: skip


def test_what_moves_later_is_counted_from_its_first_day():
    on = date(2026, 7, 1)
    moved = change(money=(Move(on, counted("1.00"), counted("2.00")),))
    assert later(plan(moved)) == [Later(Kind.BUDGET, "USD", 1, on)]
    assert sums(plan(moved)) == []


def test_a_plan_ends_with_what_to_do_next():
    lossy = {"rounded:amount": (1, "cents")}
    assert next_steps(plan(change(), lossy=lossy)) == [
        'to accept what is lost, write in [syncs.s]: accept = ["rounded:amount"]',
        "to make these changes: trueup run s",
    ]
    assert next_steps(plan()) == []


def test_whom_the_target_does_not_know_is_said_to_be_found_by_people():
    unknown = change(Op.BLOCKED, losses=(Loss("entity", Effect.BLOCKED, "nobody"),))
    assert next_steps(plan(unknown))[0] == (
        "whom brex does not know, and who it may be: trueup people s"
    )


@pytest.fixture
def on_a_terminal(monkeypatch):
    """What a console of that many columns prints of a plan."""

    def printed(plan, columns):
        out = io.StringIO()
        out.isatty = lambda: True
        monkeypatch.setenv("COLUMNS", str(columns))
        console = Console(terminal(Stream(lambda: out)), terminal(Stream(lambda: out)))
        console.plan(plan)
        return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", out.getvalue())

    return printed


@pytest.mark.parametrize("columns", [30, 60, 90, 200])
def test_no_word_is_broken_and_no_column_lost_however_narrow_the_terminal_is(
    on_a_terminal, columns
):
    named = replace_name("Reisekostenerstattungen Außendienst")
    words = {"Reisekostenerstattungen", "Außendienst", "12,000.00", "+500.00", "+4.2%", "source"}
    said = on_a_terminal(plan(change(model=named, money=(RAISED,))), columns)
    assert words <= {*said.split()}


def replace_name(name):
    return Budget(ref="CC1", name=name, cadence=Cadence.MONTHLY, amount=USD)


def test_with_more_than_forty_changes_the_rest_is_counted_and_whole_shows_all(on_a_terminal):
    many = plan(*(replace(change(), ref=f"R{n}") for n in range(50)))
    assert "… and 10 more (10 update); -v lists all" in on_a_terminal(many, 200)


@pytest.mark.parametrize("form", [Form.HTML, Form.MARKDOWN])
def test_a_page_holds_all_that_a_controller_asks_for(form):
    lost = Loss("amount", Effect.ROUNDED, "cents only")
    stranger = Unstated(
        kind=Kind.BUDGET, target_id="b9", name="Old", amount="1000.00", currency="USD"
    )
    kept = replace(stranger, name="Kept", ref="CC9", reason="it stays")
    text = page(
        form,
        plan(
            change(money=(RAISED,), losses=(lost,)), kept_objects=(kept,), strangers=(stranger,),
            stranger_count=3,
        ),
    )  # fmt: skip
    for said in (
        "CC1 Travel", "12,000.00 USD", "12,500.00 USD", "+500.00", "+4.2%", "rounded:amount",
        "cents only", "1,000.00 USD", "it stays", "and 2 more that nobody stated",
    ):  # fmt: skip
        assert said in text, said


def test_a_page_asks_no_other_host_and_runs_nothing():
    text = page(Form.HTML, plan(change(money=(RAISED,))))
    assert not re.search(r"https?:|src=|@import|url\(|<script|<link", text)


def test_names_mean_nothing_in_a_page():
    named = replace_name(HOSTILE)
    hostile = plan(change(model=named, money=(RAISED,)))
    assert "<script" not in page(Form.HTML, hostile)
    row = next(line for line in page(Form.MARKDOWN, hostile).split("\n") if "alert" in line)
    assert len(re.findall(r"(?<!\\)\|", row)) == 9
    assert r"\<script\>" in row
    assert r"\*x\*" in row


@pytest.mark.parametrize("text", ["# x", "- x", "+ x", "1. x", "1) x"])
def test_what_would_begin_something_in_markdown_begins_nothing(text):
    said = page(Form.MARKDOWN, replace(plan(), source=text))
    assert f"s: {text}" not in said


def test_a_form_that_is_none_is_refused_with_those_there_are():
    with pytest.raises(Refusal, match="text, json, markdown, html"):
        form_of("pdf")
