"""What is printed: it obeys nobody, holds no secret, fits any stream and stops nothing."""

import errno
import io
import json
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from canonical.change import Cause, Change, Conflict, Handover, Plan, Trip
from canonical.kind import Kind, Op
from canonical.problem import Problem
from config import logs
from sync.outcome import Done
from sync.report import Report
from trueup import output
from trueup.console import Console
from trueup.output import json_text, plain, terminal
from trueup.streams import Stream

HOSTILE = "\x1b]0;owned\x07\x1b[2J[bold]x[/bold]\r\n\x9b31m\u202egnp\x00\ud800"


class Full(io.StringIO):
    """A disk on which there is no room."""

    encoding = "utf-8"

    def write(self, text):
        raise OSError(errno.ENOSPC, "No space left on device")


class Narrow(io.StringIO):
    """A terminal of an old code page."""

    encoding = "cp1252"

    def write(self, text):
        text.encode("cp1252")
        return super().write(text)


def test_a_stream_that_takes_nothing_more_raises_nothing_and_says_why():
    stream = Stream(lambda: full)
    full = Full()
    assert stream.write("lost") == 4
    assert stream.lost == "No space left on device"


def test_a_reader_that_has_gone_has_lost_nothing():
    class Gone(io.StringIO):
        def write(self, text):
            raise BrokenPipeError(errno.EPIPE, "Broken pipe")

    gone = Gone()
    stream = Stream(lambda: gone)
    stream.write("unheard")
    assert stream.lost is None


def test_a_stream_that_was_closed_from_the_start_loses_what_is_said():
    stream = Stream(lambda: None)
    stream.write("x")
    assert stream.lost


def test_what_an_encoding_does_not_have_is_spelled_out():
    narrow = Narrow()
    Stream(lambda: narrow).write("a → ✓ ■ é Ω\n")
    assert narrow.getvalue() == "a -> + # é \\u03a9\n"


def test_json_is_json_in_any_encoding(monkeypatch):
    narrow = Narrow()
    monkeypatch.setattr("sys.stdout", narrow)
    output.tell_json({"name": f"é → {HOSTILE}"})
    assert json.loads(narrow.getvalue()) == {"name": f"é → {HOSTILE}"}


@settings(deadline=None, max_examples=60)
@given(st.text(st.characters()))
def test_json_is_read_as_it_was_and_shows_no_control(text):
    said = json_text({"a": [text]})
    assert json.loads(said) == {"a": [text]}
    assert said.replace("\n", "").isprintable()


@settings(deadline=None, max_examples=60)
@given(st.text(st.characters()))
def test_plain_text_is_one_line_that_any_terminal_can_show(text):
    shown = plain(text)
    assert shown.isprintable()
    assert shown.encode() or not text


def test_a_secret_is_in_no_json_and_the_json_is_still_json(monkeypatch):
    monkeypatch.setattr(logs, "_secrets", ('to"ken\\7',))
    said = json_text({"error": 'saw to"ken\\7 and to%22ken%5C7', "n": 7})
    assert json.loads(said) == {"error": "saw *** and ***", "n": 7}


@pytest.fixture
def printed():
    """A console, and what it has printed."""
    out, err = io.StringIO(), io.StringIO()
    console = Console(terminal(Stream(lambda: out)), terminal(Stream(lambda: err)))
    return console, lambda: out.getvalue() + err.getvalue()


def hostile_plan(**also):
    change = Change(
        op=Op.UPDATE,
        kind=Kind.BUDGET,
        ref=HOSTILE,
        target_id=HOSTILE,
        fields={"name": (HOSTILE, HOSTILE)},
        cause=Cause.SOURCE,
        matched=HOSTILE,
    )
    return Plan(
        plan_id="1",
        sync=HOSTILE,
        source=HOSTILE,
        target=HOSTILE,
        as_of=date(2026, 3, 1),
        changes=(change,),
        conflicts=(Conflict(Kind.BUDGET, HOSTILE, HOSTILE, HOSTILE, (HOSTILE,)),),
        problems=(Problem(HOSTILE, HOSTILE, HOSTILE),),
        guards=(Trip(HOSTILE, HOSTILE, HOSTILE, HOSTILE, HOSTILE),),
        handovers=(Handover(Kind.BUDGET, HOSTILE, None, HOSTILE, HOSTILE),),
        **also,
    )


def test_no_word_of_a_vendor_or_a_file_reaches_the_terminal_raw(printed):
    console, said = printed
    plan = hostile_plan()
    done = Done(Op.CREATE, Kind.BUDGET, HOSTILE, None, HOSTILE, "rejected", HOSTILE)
    console.plan(plan)
    console.plan_in_short(plan)
    console.report(Report(run_id="r", sync=HOSTILE, plan=plan, operations=[done], error=HOSTILE))
    console.table(("a",), [(HOSTILE,)])
    console.title(HOSTILE)
    console.say(plain(HOSTILE))
    console.checked(False, HOSTILE)
    console.fail(plain(HOSTILE))
    lines = said().split("\n")
    assert all(line.isprintable() for line in lines)
    assert not any(line.startswith(("owned", "gnp")) for line in lines)


def test_faults_that_are_alike_are_counted(printed):
    console, said = printed
    rows = [Problem("erp", f"row {n}", f"'n{n}' is not a number") for n in range(1000)]
    console.plan(replace(hostile_plan(), problems=(*rows, Problem("erp", "row 7", "no ref"))))
    assert said().count("is not a number") == 6
    assert "… and 995 more like it, the last: erp: row 999" in said()
    assert "no ref" in said()


def test_a_report_of_a_hundred_thousand_faults_is_small():
    rows = tuple(Problem("erp", f"row {n}", "odd") for n in range(100_000))
    data = Report(run_id="r", sync="s", plan=replace(hostile_plan(), problems=rows)).to_data()
    assert len(json_text(data)) < 300_000
    assert data["plan"]["omitted"] == {"problems": 99_000}


def test_brackets_of_a_vendor_are_shown_as_brackets(printed):
    console, said = printed
    console.table(("a",), [("[red]x[/]",)])
    console.say("[/bold] \\")
    assert "[red]x[/]" in said()
    assert "[/bold] \\" in said()


def test_what_is_piped_is_not_wrapped_whatever_columns_says(printed, monkeypatch):
    monkeypatch.setenv("COLUMNS", "0")
    console, said = printed
    console.table(("a", "b"), [("x" * 300, "y" * 300)])
    assert "x" * 300 + "  " + "y" * 300 in said()
