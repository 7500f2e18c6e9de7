"""Every reader, whatever it is given: read exactly, refused with a place, or one record's problem."""

import json
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from canonical.amount import Amount
from canonical.budget import Budget
from canonical.facts import facts, fingerprint
from canonical.kind import Kind
from canonical.text import kept, ref
from connectors.contract.errors import Unreadable
from connectors.contract.runtime import Runtime
from connectors.file.connector import File
from connectors.file.declared import FileSettings
from connectors.file.tables import unguarded
from tests.vendors.file import workbook

ENDINGS = ["csv", "json", "jsonl", "xlsx"]
COLUMNS = ("ref", "name", "currency", "amount", "cadence", "start", "end", "status", "parent")
GOOD = {"ref": "OK", "name": "Fine", "currency": "USD", "amount": "5.00"}
ODD = {"ref": "A", "name": "Ads", "currency": "USD", "amount": "7.25", "cadence": "monthly",
       "start": "2026-01-01", "end": "2026-12-31", "status": "inactive", "parent": "OK"}  # fmt: skip
WANTED = {"cadence": "monthly", "start": date(2026, 1, 1), "end": date(2026, 12, 31),
          "status": "inactive", "parent": "OK"}  # fmt: skip

QUICK, LONG = 25, 1500
PLAIN = {
    "deadline": None,
    "suppress_health_check": [HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
}


def opened(folder, ending):
    keys = {"path": f"b.{ending}"}
    if ending == "csv":
        keys["allocations"] = "a.csv"
        (folder / "a.csv").write_text("budget,entity_type,entity,amount\nOK,user,ada,1\n")
    return File("erp", FileSettings(connector="file", **keys), Runtime(base=folder))


def sample(ending, *records):
    """A file of these budgets, as bytes."""
    if ending == "csv":
        rows = [COLUMNS, *([each.get(column, "") for column in COLUMNS] for each in records)]
        return "".join(",".join(map(quoted, row)) + "\n" for row in rows).encode(
            "utf-8", "surrogatepass"
        )
    if ending == "xlsx":
        rows = [[each.get(column) or None for column in COLUMNS] for each in records]
        return workbook.book({"One": workbook.sheet(COLUMNS, *rows)})
    shares = {"allocations": [{"entity_type": "user", "entity": "ada", "amount": 1}]}
    said = [json.dumps(each | shares) for each in records]
    return ("\n".join(said) if ending == "jsonl" else f"[{','.join(said)}]").encode()


def quoted(text):
    return '"' + text.replace('"', '""') + '"'


def outcome(file):
    """What it comes to: nothing where it was refused, otherwise the budgets and the problems."""
    found, problems = [], []
    try:
        for kind in Kind:
            for page in file.list(kind):
                found += page.items
                problems += page.problems
    except Unreadable as error:
        sound(str(error))
        return None
    for each in found:
        sound(each.id)
        assert each.model.ref
        assert getattr(each.model, "name", "share").strip()
        assert ref(each.model.ref) == each.model.ref
        assert each.model.amount.is_exact()
        fingerprint(facts(each.model))
    for problem in problems:
        sound(problem.where)
        sound(problem.message)
        sound(problem.ref or "")
    return {each.id: each.model for each in found}, problems


def sound(text):
    """It can be kept in any state, and shown to people."""
    assert text.encode().decode() == text
    assert "\x00" not in text
    assert len(text) < 2000


# Damage: a sound file with bytes changed anywhere

TOKENS = [b"\x00", b"\xff", b"\xed\xa0\x80", b'"', b",", b"\r", b"\n", b"{", b"]", b"\\u0000", b"\\ud800", b"1e999999",
          b"9" * 70, b"<", b"&amp;", b"</v>", b'<c r="XFD1048576" t="e"><v>#N/A</v></c>', b"<f>1</f>", b'r="', b't="s"',
          b"\xef\xbb\xbf", b"NaN", b"null", b"true", b"9999-12-31", b"-", b"<!DOCTYPE a>", b"_x0000_"]  # fmt: skip
CUTS = st.tuples(
    st.floats(0, 1), st.integers(0, 40), st.sampled_from(TOKENS) | st.binary(max_size=4)
)


def damaged(raw, cuts):
    for place, length, token in cuts:
        at = int(place * len(raw))
        raw = raw[:at] + token + raw[at + length :]
    return raw


def survives_damage(folder, ending, cuts):
    (folder / f"b.{ending}").write_bytes(damaged(sample(ending, GOOD, ODD), cuts))
    outcome(opened(folder, ending))


def survives_damage_within(folder, part, cuts):
    parts = workbook.parts_of(sample("xlsx", GOOD, ODD))
    name = [*parts][part % len(parts)]
    parts[name] = damaged(parts[name], cuts)
    (folder / "b.xlsx").write_bytes(workbook.packed(parts))
    outcome(opened(folder, "xlsx"))


SOME_CUTS = st.lists(CUTS, min_size=1, max_size=4)


@pytest.mark.parametrize("ending", ENDINGS)
@given(cuts=SOME_CUTS)
@settings(max_examples=QUICK, **PLAIN)
def test_a_damaged_file_is_read_or_refused(tmp_path, ending, cuts):
    survives_damage(tmp_path, ending, cuts)


@given(part=st.integers(0, 20), cuts=SOME_CUTS)
@settings(max_examples=QUICK * 2, **PLAIN)
def test_a_workbook_with_a_damaged_part_is_read_or_refused(tmp_path, part, cuts):
    survives_damage_within(tmp_path, part, cuts)


@pytest.mark.faults
@pytest.mark.parametrize("ending", ENDINGS)
@given(cuts=SOME_CUTS)
@settings(max_examples=LONG, **PLAIN)
def test_a_damaged_file_is_read_or_refused_many_times(tmp_path, ending, cuts):
    survives_damage(tmp_path, ending, cuts)


@pytest.mark.faults
@given(part=st.integers(0, 20), cuts=SOME_CUTS)
@settings(max_examples=LONG * 2, **PLAIN)
def test_a_workbook_with_a_damaged_part_is_read_or_refused_many_times(tmp_path, part, cuts):
    survives_damage_within(tmp_path, part, cuts)


# Cells: one odd text in one column of a sound file

TEXTS = st.one_of(
    st.text(st.characters(exclude_categories=[]), max_size=8),
    st.text("0123456789.,-+eE", max_size=10),
    st.sampled_from(["#N/A", "12.500", "9999-12-31", "0001-01-01", "ok", "OK", "00OK", "\u200b", "a\u0301",
                     "=1", "'=1", "true", "\x00", "\ud800", "\x85", "A", "active", "9" * 62, ";", "once"]),
)  # fmt: skip
VALUES = TEXTS | st.integers() | st.booleans() | st.none() | st.lists(TEXTS, max_size=2)


def right(column, model, said):
    """Whether the budget says exactly what stands in the cell."""
    value = getattr(model, column) if column not in ("amount", "currency") else model.amount
    if column == "amount":
        return value == Amount(Decimal(said), "USD")
    if column == "currency":
        return value.unit == said
    if column in ("ref", "parent"):
        return value == ref(said)
    if column == "name":
        return value == kept(said).strip()
    if column == "end" and said >= "2150":
        return value is None
    return str(value) == said.casefold()


def is_told_or_exact(folder, ending, column, said):
    record = ODD | {column: said}
    try:
        raw = sample(ending, GOOD, record)
    except UnicodeEncodeError:
        return  # no such file can be made
    (folder / f"b.{ending}").write_bytes(raw)
    result = outcome(opened(folder, ending))
    if result is None:
        return
    found, problems = result
    budgets = [each for each in found.values() if isinstance(each, Budget) and each.ref != "OK"]
    text = (unguarded(said) if ending == "csv" else said).strip()
    blank = text == ""
    if not budgets:
        assert problems or (blank and column == "ref")
        return
    (budget,) = budgets
    if blank:
        default = {
            "start": None,
            "end": None,
            "status": "active",
            "cadence": "once",
            "parent": None,
        }
        assert getattr(budget, column) == default[column]
        return
    assert right(column, budget, text)
    for other, wanted in WANTED.items():
        if other != column:
            assert getattr(budget, other) == wanted


@pytest.mark.parametrize("ending", ENDINGS)
@given(column=st.sampled_from(COLUMNS), said=TEXTS)
@settings(max_examples=QUICK, **PLAIN)
def test_an_odd_text_in_a_cell_is_read_exactly_or_told(tmp_path, ending, column, said):
    is_told_or_exact(tmp_path, ending, column, said)


@pytest.mark.faults
@pytest.mark.parametrize("ending", ENDINGS)
@given(column=st.sampled_from(COLUMNS), said=TEXTS)
@settings(max_examples=LONG, **PLAIN)
def test_an_odd_text_in_a_cell_is_read_exactly_or_told_many_times(tmp_path, ending, column, said):
    is_told_or_exact(tmp_path, ending, column, said)


# Records: JSON of any shape where a budget should be

KEYS = (
    st.sampled_from([*COLUMNS, "phases", "allocations", "dimensions", "limits", "owners"]) | TEXTS
)
SHAPES = st.recursive(
    VALUES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4)
)


def survives_shape(folder, ending, shape):
    said = [
        json.dumps(each) for each in (GOOD, shape, {**ODD, "phases": shape}, {**GOOD, "ref": shape})
    ]
    text = "\n".join(said) if ending == "jsonl" else f"[{','.join(said)}]"
    (folder / f"b.{ending}").write_text(text)
    result = outcome(opened(folder, ending))
    assert result is not None
    assert result[1] or len(result[0]) > 1


@pytest.mark.parametrize("ending", ["json", "jsonl"])
@given(shape=SHAPES)
@settings(max_examples=QUICK, **PLAIN)
def test_a_record_of_any_shape_is_read_or_told(tmp_path, ending, shape):
    survives_shape(tmp_path, ending, shape)


@pytest.mark.faults
@pytest.mark.parametrize("ending", ["json", "jsonl"])
@given(shape=SHAPES)
@settings(max_examples=LONG, **PLAIN)
def test_a_record_of_any_shape_is_read_or_told_many_times(tmp_path, ending, shape):
    survives_shape(tmp_path, ending, shape)
