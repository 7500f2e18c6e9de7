"""Parquet files: in our own columns, and by a layout. Without pyarrow they are skipped by name."""

import sys
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from canonical.amount import Amount
from canonical.budget import Budget
from canonical.kind import Kind
from connectors.contract.errors import Rejected, Unreadable
from connectors.contract.records import Draft
from connectors.contract.runtime import Runtime
from connectors.file.connector import File
from connectors.file.declared import FileSettings
from connectors.file.layouts.look import look
from tests.unit.test_connectors.layouts.laid_out import LONG, WIDE, made

OWN = {"ref": ["A"], "name": ["Travel"], "currency": ["USD"]}


@pytest.fixture
def pa():
    return pytest.importorskip("pyarrow", reason="pyarrow, of the extra parquet, is not installed")


@pytest.fixture
def save(pa, tmp_path):
    def written(columns, name="b.parquet", **more):
        parquet = pytest.importorskip("pyarrow.parquet")
        table = columns if isinstance(columns, pa.Table) else pa.table(columns)
        parquet.write_table(table, tmp_path / name, **more)
        return tmp_path / name

    return written


def read(path, kind=Kind.BUDGET, **settings):
    file = File("erp", FileSettings(connector="file", path=path.name, **settings),
                Runtime(base=path.parent))  # fmt: skip
    pages = [*file.list(kind)]
    found = {item.id: item.model for page in pages for item in page.items}
    return found, [f"{each.where}: {each.message}" for page in pages for each in page.problems]


def test_without_pyarrow_the_extra_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    (tmp_path / "b.parquet").write_bytes(b"PAR1")
    with pytest.raises(Unreadable, match=r"pip install 'trueup\[parquet\]'"):
        read(tmp_path / "b.parquet")
    with pytest.raises(Unreadable, match=r"pip install 'trueup\[parquet\]'"):
        look(tmp_path / "b.parquet")


def test_decimals_are_exact_beyond_what_a_worksheet_keeps(pa, save):
    kind = pa.decimal128(38, 2)
    told = pa.array([Decimal("12345678901234567890.12")], kind)
    found, problems = read(save(OWN | {"amount": told}))
    assert problems == []
    assert found["A"].amount == Amount(Decimal("12345678901234567890.12"), "USD")


@pytest.mark.parametrize(("told", "amount"), [(0.1 + 0.2, "0.30"), (1234.5, "1234.50")])
def test_a_double_is_read_at_the_digits_of_a_worksheet(save, told, amount):
    found, problems = read(save(OWN | {"amount": [told]}))
    assert problems == []
    assert found["A"].amount == Amount.of(amount, "USD")


def test_a_float_of_32_bits_is_refused_with_its_row(pa, save):
    found, problems = read(save(OWN | {"amount": pa.array([12.1], pa.float32())}))
    assert found == {}
    assert problems[0].startswith("b.parquet row 1, column amount: is a float of 32 bits")


def test_days_are_days_and_a_moment_with_a_zone_is_refused(pa, save):
    days = {"start": [date(2026, 1, 1)], "end": [datetime(2026, 12, 31)]}  # noqa: DTZ001
    found, problems = read(save(OWN | days | {"amount": [5]}))
    assert problems == []
    assert (found["A"].start, found["A"].end) == (date(2026, 1, 1), date(2026, 12, 31))
    moment = pa.array([datetime(2026, 1, 1, 5, tzinfo=UTC)], pa.timestamp("ns", "UTC"))
    found, problems = read(save(OWN | {"amount": [5], "start": moment}))
    assert "another day in another time zone" in problems[0]


def test_whole_numbers_are_codes_and_doubles_are_not(save):
    found, problems = read(save(OWN | {"ref": [4500], "amount": [5]}))
    assert (list(found), problems) == (["4500"], [])
    found, problems = read(save(OWN | {"ref": [4500.0], "amount": [5]}))
    assert found == {}
    assert "export it as text" in problems[0]


def test_what_is_null_is_blank_and_words_of_a_dictionary_are_words(pa, save):
    names = pa.array(["Travel"]).dictionary_encode()
    blank = pa.array([None], pa.string())
    found, problems = read(save(OWN | {"name": names, "amount": [5], "description": blank}))
    assert (found["A"].name, found["A"].description, problems) == ("Travel", None, [])


@pytest.mark.parametrize("amount", [[float("nan")], [float("inf")], [[1, 2]], [b"12"], [True]])
def test_what_is_no_amount_is_told_with_its_row(save, amount):
    found, problems = read(save(OWN | {"amount": amount}))
    assert found == {}
    assert problems[0].startswith("b.parquet row 1, column amount")


def test_a_row_group_after_the_other_is_one_table(save):
    many = 10_000
    rows = {"ref": [f"R{n}" for n in range(many)], "name": ["N"] * many, "amount": [*range(many)]}
    found, problems = read(save(rows, row_group_size=999), currency="USD")
    assert problems == []
    assert len(found) == many
    assert found["R9999"].amount == Amount.of(9999, "USD")


def test_a_layout_reads_wide_and_long_ones(pa, save, tmp_path):
    wide = {"Department": ["A", "A"], "Account": [1, 2], "Jan 2026": [1.5, 2.25]}
    settings = {"layout": made(WIDE)}
    found, problems = read(save(wide), **settings)
    assert problems == []
    assert found["A"].amount == Amount.of("3.75", "USD")
    days = pa.array([date(2026, 1, 1), date(2026, 2, 1)])
    long = {"Department": ["A", "A"], "Amount": [10, 20], "Date": days}
    found, problems = read(save(long), layout=made(LONG))
    assert problems == []
    assert [each.amount for each in found["A"].phases] == [
        Amount.of(10, "USD"), Amount.of(20, "USD"),
    ]  # fmt: skip


def test_a_look_names_the_columns_that_are_ours(save):
    found = look(save(OWN | {"amount": [5]}))
    assert [each.ref for each in found.budgets] == ["A"]


def test_a_ready_made_layout_is_recognised_in_parquet_too(save):
    head = {"BUDGET_ID": ["P"], "ACCT_NO": ["6001"], "DEPT_ID": ["A"], "LOCATION_ID": ["NYC"]}
    found = look(save(head | {"Month ended Jan 2026": [5.0]}))
    assert found.layout == "sage-intacct"


@pytest.mark.parametrize("raw", [b"", b"PAR1", b"PAR1PAR1", b"not a parquet file at all" * 9])
def test_a_damaged_file_ends_in_one_message(pa, tmp_path, raw):
    (tmp_path / "b.parquet").write_bytes(raw)
    with pytest.raises(Unreadable, match="is a damaged parquet file"):
        read(tmp_path / "b.parquet")


def test_a_file_that_is_cut_in_its_rows_ends_in_one_message(save):
    path = save({"ref": [f"R{n}" for n in range(5000)], "name": ["N"] * 5000, "amount": [1] * 5000})
    raw = bytearray(path.read_bytes())
    raw[40:400] = b"\xff" * 360
    path.write_bytes(raw)
    with pytest.raises(Unreadable, match="is a damaged parquet file"):
        read(path, currency="USD")


def test_a_column_that_stands_twice_is_refused(pa, save):
    table = pa.table([["A"], ["B"], ["N"], [1]], names=["ref", "Ref", "name", "amount"])
    with pytest.raises(Unreadable, match="column ref stands there twice"):
        read(save(table))


def test_it_is_never_written(save):
    path = save(OWN | {"amount": [5]})
    before = path.read_bytes()
    file = File("erp", FileSettings(connector="file", path=path.name), Runtime(base=path.parent))
    with pytest.raises(Rejected, match="is only read"):
        file.create(Draft(model=Budget(ref="B", name="B", amount=Amount.of(1, "USD"))), "key")
    assert path.read_bytes() == before


def test_several_of_a_pattern_are_one(save):
    save(OWN | {"amount": [5]}, "b-1.parquet")
    path = save(OWN | {"ref": ["B"], "amount": [5]}, "b-2.parquet")
    found, problems = read(path.with_name("b-*.parquet"))
    assert (list(found), problems) == (["A", "B"], [])
