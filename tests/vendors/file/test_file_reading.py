"""Reading: every format says the same, phases come together, memory and time stay small."""

import json
import tracemalloc
from datetime import UTC, date, datetime, time
from decimal import Decimal

import openpyxl
import pytest

from canonical.allocation import Allocation, Enforcement, Entity, Status
from canonical.amount import Amount
from canonical.budget import Budget, Phase
from canonical.kind import Kind
from canonical.period import Cadence, Period
from connectors.contract.errors import Missing, Stale, Transient
from connectors.contract.runtime import Runtime
from connectors.file.connector import File
from connectors.file.declared import FileSettings

HEADER = (
    "ref,name,description,currency,amount,cadence,start,end,status,parent,owners,"
    "enforcement,carry_over,impressions,dimension:Cost Centre\n"
)
ROWS = HEADER + (
    "7,Ads,,USD,1250.50,,,,,,,,,,\n"
    "017,Trips,All of them,JPY,9000,monthly,2026-01-01,2026-02-28,inactive,7,"
    "ada@example.com; bo@example.com,hard,true,1000,CC-1\n"
    "Q,Fair,,EUR,10.00,monthly,2026-01-01,2026-01-31,,,,,,,\n"
    "Q,Fair,,EUR,20.00,monthly,2026-02-01,2026-02-28,,,,,,,\n"
)
SHARES = "budget,ref,entity_type,entity,amount,status\n7,,user,ada@example.com,10.25,inactive\n"
RECORDS = [
    {"ref": 7, "name": "Ads", "currency": "USD", "amount": 1250.50, "allocations": [
        {"entity_type": "user", "entity": "ada@example.com", "amount": "10.25", "status": "inactive"}
    ]},
    {"ref": "017", "name": "Trips", "description": "All of them", "currency": "JPY", "amount": "9000",
     "cadence": "monthly", "start": "2026-01-01", "end": "2026-02-28", "status": "inactive",
     "parent": "7", "owners": ["ada@example.com", "bo@example.com"], "enforcement": "hard",
     "carry_over": True, "limits": {"impressions": 1000}, "dimensions": {"Cost Centre": "CC-1"}},
    {"ref": "Q", "name": "Fair", "currency": "EUR", "cadence": "monthly", "phases": [
        {"start": "2026-01-01", "end": "2026-01-31", "amount": 10},
        {"start": "2026-02-01", "end": "2026-02-28", "amount": "20.00"}]},
]  # fmt: skip
BUDGETS = [
    Budget(ref="7", name="Ads", amount=Amount.of("1250.50", "USD")),
    Budget(
        ref="017",
        name="Trips",
        description="All of them",
        amount=Amount.of(9000, "JPY"),
        limits=(Amount.of(1000, "impressions"),),
        cadence=Cadence.MONTHLY,
        start=date(2026, 1, 1),
        end=date(2026, 2, 28),
        status=Status.INACTIVE,
        enforcement=Enforcement.HARD,
        carry_over=True,
        parent="7",
        owners=("ada@example.com", "bo@example.com"),
        dimensions={"Cost Centre": "CC-1"},
    ),
    Budget(
        ref="Q",
        name="Fair",
        amount=Amount.of("10.00", "EUR"),
        cadence=Cadence.MONTHLY,
        start=date(2026, 1, 1),
        end=date(2026, 2, 28),
        phases=(
            Phase(Period(date(2026, 1, 1), date(2026, 1, 31)), Amount.of("10.00", "EUR")),
            Phase(Period(date(2026, 2, 1), date(2026, 2, 28)), Amount.of("20.00", "EUR")),
        ),
    ),
]


def opened(folder, path="budgets.csv", **keys):
    return File("erp", FileSettings(connector="file", path=path, **keys), Runtime(base=folder))


def csv_file(folder, text, **keys):
    (folder / "budgets.csv").write_bytes(text if isinstance(text, bytes) else text.encode())
    return opened(folder, **keys)


def models(file, kind=Kind.BUDGET):
    pages = list(file.list(kind))
    assert [problem for page in pages for problem in page.problems] == []
    return [item.model for page in pages for item in page.items]


def write_csv(folder):
    (folder / "budgets.csv").write_text(ROWS)
    (folder / "allocations.csv").write_text(SHARES)
    return opened(folder, allocations="allocations.csv")


def write_json(folder):
    (folder / "budgets.json").write_text(json.dumps(RECORDS))
    return opened(folder, "budgets.json")


def write_jsonl(folder):
    (folder / "budgets.jsonl").write_text("\n\n".join(map(json.dumps, RECORDS)))
    return opened(folder, "budgets.jsonl")


def write_xlsx(folder):
    def typed(column, text):
        if column in ("amount", "impressions") and text:
            return float(text)
        if column == "start" and text:
            return date.fromisoformat(text)
        if column == "end" and text:
            return datetime.combine(date.fromisoformat(text), time(), UTC).replace(tzinfo=None)
        return text or None

    def fill(sheet, text):
        names, *rows = [line.split(",") for line in text.splitlines()]
        sheet.append(names)
        for row in rows:
            sheet.append([typed(*each) for each in zip(names, row, strict=True)])

    book = openpyxl.Workbook()
    fill(book.active, ROWS)
    fill(book.create_sheet("allocations"), SHARES)
    book.save(folder / "budgets.xlsx")
    return opened(folder, "budgets.xlsx")


@pytest.mark.parametrize("write", [write_csv, write_json, write_jsonl, write_xlsx])
def test_every_format_gives_the_same_budgets_and_allocations(write, tmp_path):
    file = write(tmp_path)
    assert models(file) == BUDGETS
    assert models(file, Kind.ALLOCATION) == [
        Allocation(
            ref="user:ada@example.com",
            budget="7",
            entity=Entity("user", "ada@example.com"),
            amount=Amount.of("10.25", "USD"),
            status=Status.INACTIVE,
        )
    ]


def test_ids_are_refs_and_containers_the_parents(tmp_path):
    file = write_csv(tmp_path)
    assert [(i.id, i.container) for p in file.list(Kind.BUDGET) for i in p.items] == [
        ("7", None), ("017", "7"), ("Q", None),
    ]  # fmt: skip
    (share,) = [i for p in file.list(Kind.ALLOCATION) for i in p.items]
    assert (share.id, share.container) == ("7/user:ada@example.com", "7")


def test_rows_of_a_budget_may_stand_apart_and_out_of_order(tmp_path):
    rows = (
        "ref,name,currency,amount,cadence,start,end\n"
        "A,Ads,USD,30,monthly,2026-03-01,2026-03-31\n"
        "B,Trips,USD,1,monthly,2026-01-01,2026-01-31\n"
        "A,,,10,,2026-01-01,2026-01-31\n"
        "B,Trips,USD,2,monthly,2026-02-01,2026-02-28\n"
        "A,Ads,USD,20,monthly,2026-02-01,2026-02-28\n"
    )
    found = models(csv_file(tmp_path, rows))
    assert [(each.ref, [int(p.amount.value) for p in each.phases]) for each in found] == [
        ("B", [1, 2]), ("A", [10, 20, 30]),
    ]  # fmt: skip
    assert (found[1].amount, found[1].start, found[1].end) == (
        Amount.of(10, "USD"), date(2026, 1, 1), date(2026, 3, 31),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("second_start", "phases"), [("2026-02-01", 0), ("2026-02-02", 2)], ids=["contiguous", "gap"]
)
def test_equal_phases_are_one_only_where_no_day_is_between(tmp_path, second_start, phases):
    rows = (
        "ref,name,currency,amount,cadence,start,end\n"
        "A,Ads,USD,10,monthly,2026-01-01,2026-01-31\n"
        f"A,Ads,USD,10.00,monthly,{second_start},2026-02-28\n"
    )
    (budget,) = models(csv_file(tmp_path, rows))
    assert (len(budget.phases), budget.end) == (phases, date(2026, 2, 28))


def test_a_mark_at_the_beginning_is_no_part_of_the_header(tmp_path):
    (budget,) = models(csv_file(tmp_path, "\ufeffref,name,currency,amount\nÄ,Büro,USD,1\n"))
    assert (budget.ref, budget.name) == ("Ä", "Büro")


def test_semicolons_and_decimal_commas(tmp_path):
    rows = "Ref; NAME ;currency;amount\nA;Büro;EUR;1250,50\n".encode("cp1252")
    (budget,) = models(csv_file(tmp_path, rows, delimiter=";", decimal=",", encoding="cp1252"))
    assert (budget.name, budget.amount) == ("Büro", Amount.of("1250.50", "EUR"))


def test_the_setting_gives_a_currency_to_rows_without_one(tmp_path):
    (budget,) = models(csv_file(tmp_path, "ref,name,amount\nA,Ads,5\n", currency="CHF"))
    assert budget.amount == Amount.of(5, "CHF")


def test_a_lone_semicolon_says_that_nobody_owns_it(tmp_path):
    nobody, silent = models(
        csv_file(tmp_path, "ref,name,currency,amount,owners\nA,Ads,USD,5,;\nB,Ads,USD,5,\n")
    )
    assert (nobody.owners, silent.owners) == ((), None)


def test_json_amounts_never_pass_through_a_float(tmp_path):
    (tmp_path / "b.json").write_text(
        '[{"ref":"A","name":"Ads","currency":"USD","amount":12345678901234567.89}]'
    )
    (budget,) = models(opened(tmp_path, "b.json"))
    assert budget.amount.value == Decimal("12345678901234567.89")


def test_a_sheet_can_be_named(tmp_path):
    book = openpyxl.Workbook()
    for row in (["ref", "name", "currency", "amount"], ["A", "Ads", "USD", 5]):
        book.create_sheet("2026") if "2026" not in book.sheetnames else None
        book["2026"].append(row)
    book.save(tmp_path / "b.xlsx")
    assert [b.ref for b in models(opened(tmp_path, "b.xlsx", sheet="2026"))] == ["A"]


def many(folder, count):
    with (folder / "budgets.csv").open("w") as file:
        file.write("ref,name,currency,amount\n")
        file.writelines(f"R{n},Budget {n},USD,{n}\n" for n in range(count))
    return opened(folder)


def test_pages_have_a_thousand_and_go_on_from_any_cursor(tmp_path):
    file = many(tmp_path, 2500)
    first, second, third = file.list(Kind.BUDGET)
    assert [len(page.items) for page in (first, second, third)] == [1000, 1000, 500]
    assert (first.cursor, third.next_cursor) == (None, None)
    again = list(file.list(Kind.BUDGET, second.cursor))
    assert [page.items[0].id for page in again] == ["R1000", "R2000"]
    assert again[0].cursor == second.cursor


def test_a_cursor_of_another_content_is_stale(tmp_path):
    file = many(tmp_path, 1500)
    cursor = next(file.list(Kind.BUDGET)).next_cursor
    many(tmp_path, 1501)
    with pytest.raises(Stale, match=r"budgets\.csv changed"):
        list(file.list(Kind.BUDGET, cursor))


def test_a_file_written_over_while_it_is_read_proves_nothing(tmp_path):
    listing = many(tmp_path, 1500).list(Kind.BUDGET)
    next(listing)
    with (tmp_path / "budgets.csv").open("a") as file:
        file.write("X,Late,USD,1\n")
    with pytest.raises(Transient, match="changed while it was read"):
        list(listing)


def test_what_changed_since_is_read_afresh(tmp_path):
    file = csv_file(tmp_path, "ref,name,currency,amount\nA,Ads,USD,5\n")
    assert file.get(Kind.BUDGET, "A").model.amount == Amount.of(5, "USD")
    csv_file(tmp_path, "ref,name,currency,amount\nB,New,USD,5\nA,Ads,USD,60\n")
    assert file.get(Kind.BUDGET, "A").model.amount == Amount.of(60, "USD")
    assert [each.ref for each in models(file)] == ["B", "A"]


@pytest.mark.parametrize("kind", Kind)
def test_an_unknown_id_is_missing(tmp_path, kind):
    with pytest.raises(Missing, match="nobody"):
        write_csv(tmp_path).get(kind, "nobody")


def test_check_counts_rows(tmp_path):
    check = write_csv(tmp_path).check()
    assert check.identity == "budgets.csv: 4 rows"
    assert list(check.notes) == ["3 budgets", "allocations.csv: 1 allocations"]


def test_memory_stays_far_below_the_size_of_what_is_listed(tmp_path):
    file = many(tmp_path, 20_000)
    tracemalloc.start()
    try:
        assert sum(len(page.items) for page in file.list(Kind.BUDGET)) == 20_000
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 8_000_000  # all the budgets at once take five times as much
