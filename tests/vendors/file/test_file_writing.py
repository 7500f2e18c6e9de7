"""Writing: what is written reads back equal, the rest stays, and a crash leaves the old file."""

import json
import os
import stat
import subprocess
import sys
from datetime import date
from decimal import Decimal

import openpyxl
import pytest
from msgspec.structs import replace

from canonical.allocation import Allocation, Enforcement, Entity, Status
from canonical.amount import Amount
from canonical.budget import Budget, Phase
from canonical.facts import facts
from canonical.kind import Kind
from canonical.period import Cadence, Period
from connectors.contract.errors import Missing, Rejected
from connectors.contract.records import Draft
from connectors.contract.runtime import Runtime
from connectors.file.connector import File
from connectors.file.declared import FileSettings

FORMATS = ["csv", "json", "jsonl", "xlsx"]


def opened(folder, path="budgets.csv", **keys):
    if path.endswith(".csv"):
        keys.setdefault("allocations", "allocations.csv")
    return File("mirror", FileSettings(connector="file", path=path, **keys), Runtime(base=folder))


def budget(ref="A", **fields):
    return Budget(**{"ref": ref, "name": "Ads", "amount": Amount.of("5.00", "USD"), **fields})


def share(ref="S", **fields):
    said = {"budget": "A", "entity": Entity("user", "ada"), "amount": Amount.of("2.50", "USD")}
    return Allocation(**{"ref": ref, **said, **fields})


def put(file, *models):
    for model in models:
        file.create(Draft(model=model), "key")


def models(file, kind=Kind.BUDGET):
    pages = list(file.list(kind))
    assert [problem for page in pages for problem in page.problems] == []
    return [item.model for page in pages for item in page.items]


def phases(*amounts):
    return tuple(
        Phase(Period(date(2026, n, 1), date(2026, n, 28)), Amount.of(amount, "USD"))
        for n, amount in enumerate(amounts, start=1)
    )


def varied(n):
    """The n-th of many budgets; all fields and their blanks come by."""
    said = {}
    if n % 2:
        said |= {"description": f'=SUM("{n}"), "quoted"\nand broken', "owners": ("a", "b")[: n % 3]}
    if n % 3:
        said |= {"enforcement": list(Enforcement)[n % 3], "carry_over": n % 4 == 0}
        said |= {"dimensions": {"Cost Centre": f"0{n}"}, "status": list(Status)[n % 3]}
    if n % 5 == 0:
        months = phases("1.10", "2.20", "3.30")
        said |= {"phases": months, "amount": months[0].amount, "cadence": Cadence.MONTHLY}
        said |= {"start": months[0].period.start, "end": months[-1].period.end}
    elif n % 5 == 1:
        said |= {"amount": Amount.of(f"{n}.125", "KWD"), "start": date(2026, 1, 31)}
    if n > 1:
        said["parent"] = "000"
    if n % 7 == 0:
        said["limits"] = (Amount.of(n, "impressions"), Amount.of(1, "conversions"))
    return budget(f"{n:03}", name=f"Büro {n}", **said)


@pytest.mark.parametrize("ending", FORMATS)
def test_many_budgets_read_back_as_they_were_written(tmp_path, ending):
    file, wanted = opened(tmp_path, f"b.{ending}"), [varied(n) for n in range(30)]
    put(file, *wanted)
    assert [facts(each) for each in models(file)] == [facts(each) for each in wanted]


@pytest.mark.parametrize("ending", FORMATS)
def test_allocations_are_written_changed_and_taken_out(tmp_path, ending):
    file = opened(tmp_path, f"b.{ending}")
    put(file, budget(), budget("B"), share("1"), share("2"), share("1", budget="B"))
    more = Draft(model=share("1", amount=Amount.of(3, "USD"), status=Status.INACTIVE))
    file.update("A/1", more, ["amount"], "key")
    file.delete(Kind.ALLOCATION, "A/2", "key")
    file.delete(Kind.ALLOCATION, "A/2", "key")
    assert models(file, Kind.ALLOCATION) == [
        share("1", amount=Amount.of("3.00", "USD")),
        share("1", budget="B"),
    ]


@pytest.mark.parametrize("ending", FORMATS)
def test_update_changes_the_named_fields_and_keeps_the_place(tmp_path, ending):
    file = opened(tmp_path, f"b.{ending}")
    put(file, budget("A"), budget("B"), budget("C"), share(budget="B"))
    wanted = Draft(model=budget("B", name="Other", description="New", status=Status.INACTIVE))
    seen = file.update("B", wanted, ["name", "description"], "key")
    assert seen.model == budget("B", name="Other", description="New")
    assert models(file) == [budget("A"), seen.model, budget("C")]
    assert models(file, Kind.ALLOCATION) == [share(budget="B")]


def test_phases_become_one_amount_and_back(tmp_path):
    file = opened(tmp_path)
    put(file, budget("000"), varied(5))
    flat = replace(varied(5), amount=Amount.of(9, "USD"), phases=())
    file.update("005", Draft(model=flat), ["amount"], "key")
    assert facts(file.get(Kind.BUDGET, "005").model) == facts(flat)
    file.update("005", Draft(model=varied(5)), ["phases"], "key")
    assert facts(file.get(Kind.BUDGET, "005").model) == facts(varied(5))


def test_retire_keeps_the_row_and_can_be_repeated(tmp_path):
    file = opened(tmp_path)
    put(file, budget())
    for _ in range(2):
        file.retire(Kind.BUDGET, "A", "key")
    assert models(file) == [budget(status=Status.RETIRED)]
    with pytest.raises(Missing):
        file.retire(Kind.BUDGET, "B", "key")


@pytest.mark.parametrize("ending", FORMATS)
def test_delete_takes_the_allocations_along_and_can_be_repeated(tmp_path, ending):
    file = opened(tmp_path, f"b.{ending}")
    put(file, budget("A"), budget("B"), share("1"), share("2", budget="B"))
    for _ in range(2):
        file.delete(Kind.BUDGET, "A", "key")
    assert models(file) == [budget("B")]
    assert models(file, Kind.ALLOCATION) == [share("2", budget="B")]


def test_a_budget_with_others_below_it_is_not_deleted(tmp_path):
    file = opened(tmp_path)
    put(file, budget("A"), budget("B", parent="A"))
    with pytest.raises(Rejected, match="B hang below A"):
        file.delete(Kind.BUDGET, "A", "key")
    assert len(models(file)) == 2


def test_create_again_is_the_same_object_only_with_equal_facts(tmp_path):
    file = opened(tmp_path)
    first = file.create(Draft(model=budget("x"), stamp="A"), "key")
    assert first.id == "A"
    assert file.create(Draft(model=budget("x"), stamp="A"), "other") == first
    with pytest.raises(Rejected, match="A is there already with another name"):
        file.create(Draft(model=budget(name="Other")), "key")
    assert models(file) == [budget()]


def test_the_container_is_the_parent_and_the_budget(tmp_path):
    file = opened(tmp_path)
    put(file, budget())
    child = file.create(Draft(model=budget("B", parent="theirs"), container="A"), "key")
    inside = file.create(Draft(model=share(budget="theirs"), container="B"), "key")
    assert (child.model.parent, inside.id) == ("A", "B/S")


def test_probe_finds_what_has_the_ref(tmp_path):
    file = opened(tmp_path)
    drafts = [Draft(model=budget()), Draft(model=budget("B")), Draft(model=share())]
    assert file.probe(drafts) == {}
    put(file, budget(), share())
    assert {n: seen[0].id for n, seen in file.probe(drafts).items()} == {0: "A", 2: "A/S"}


REFUSED = {
    "no amount": (budget("B", amount=None), "has no amount"),
    "negative": (budget("B", limits=(Amount.of(-1, "impressions"),)), "below zero"),
    "too precise": (budget("B", amount=Amount.of("0.001", "USD")), "3 decimals"),
    "no name": (budget("B", name=" "), "name is empty"),
    "no parent": (budget("B", parent="GONE"), "no budget 'GONE'"),
    "owners": (budget("B", owners=("a;b",)), "cannot hold its owners"),
    "limits": (budget("B", limits=(Amount.of(1, "USD"),)), "cannot hold its limits"),
    "ref": (budget(" B"), "cannot hold its ref"),
    "gap before phases": (
        budget("B", phases=phases(1, 2), cadence=Cadence.MONTHLY, start=date(2025, 1, 1)),
        "cannot hold its start, end",
    ),
    "allocation without budget": (share(budget="GONE"), "no budget 'GONE'"),
    "another currency": (share(amount=Amount.of(1, "EUR")), "not its budget's; write USD"),
    "allocation without amount": (share(amount=None), "has no amount"),
}


@pytest.mark.parametrize(("model", "said"), REFUSED.values(), ids=REFUSED)
def test_what_a_row_cannot_hold_is_refused_and_nothing_changes(tmp_path, model, said):
    file = opened(tmp_path)
    put(file, budget())
    before = (tmp_path / "budgets.csv").read_bytes()
    with pytest.raises(Rejected, match=said):
        put(file, model)
    assert (tmp_path / "budgets.csv").read_bytes() == before
    assert not (tmp_path / "allocations.csv").exists()


def test_a_parent_below_itself_is_refused(tmp_path):
    file = opened(tmp_path)
    put(file, budget("A"), budget("B", parent="A"))
    with pytest.raises(Rejected, match="circle: B → A → B"):
        file.update("A", Draft(model=budget("A", parent="B")), ["parent"], "key")


def test_allocations_need_a_file(tmp_path):
    file = opened(tmp_path, allocations=None)
    put(file, budget())
    with pytest.raises(Rejected, match=r'Set allocations = "allocations\.csv"'):
        put(file, share())


def test_all_other_rows_keep_their_text_order_encoding_and_line_ends(tmp_path):
    path = tmp_path / "budgets.csv"
    before = (
        "\ufeffName;REF;Currency;Amount\r\nBüro;1;EUR;007,5\r\nbad;2;EUR\r\nTrips;3;EUR;1,00\r\n"
    )
    path.write_bytes(before.encode())
    file = opened(tmp_path, delimiter=";", decimal=",")
    file.update("3", Draft(model=budget("3", amount=Amount.of("2.25", "EUR"))), ["amount"], "key")
    assert path.read_bytes().decode() == before.replace("1,00", "2,25")


def test_a_column_is_added_only_for_what_needs_one(tmp_path):
    path = tmp_path / "budgets.csv"
    path.write_text("ref,name,currency,amount\nA,Ads,USD,5\n")
    file = opened(tmp_path)
    put(file, budget("B"))
    assert path.read_text() == "ref,name,currency,amount\nA,Ads,USD,5\nB,Ads,USD,5.00\n"
    put(file, budget("C", dimensions={"Site": "Lyon"}))
    assert path.read_text().splitlines()[0] == "ref,name,currency,amount,dimension:Site"
    assert models(file)[0] == budget("A")


def test_a_new_file_has_the_whole_header(tmp_path):
    put(opened(tmp_path), budget(), share())
    assert (tmp_path / "budgets.csv").read_text().splitlines()[0] == (
        "ref,name,description,currency,amount,cadence,start,end,status,parent,owners"
    )
    assert (tmp_path / "allocations.csv").read_text() == (
        "budget,ref,entity_type,entity,amount,status\nA,S,user,ada,2.50,active\n"
    )


def test_json_keeps_the_numbers_of_others_as_they_were_written(tmp_path):
    path = tmp_path / "b.json"
    path.write_text(
        '[{"ref": "N", "name": "N", "currency": "USD", "amount": 12345678901234567.10}]'
    )
    put(opened(tmp_path, "b.json"), budget())
    assert '"amount": 12345678901234567.10' in path.read_text()
    assert json.loads(path.read_text())[1]["amount"] == "5.00"


def test_jsonl_keeps_a_line_that_is_no_record(tmp_path):
    path = tmp_path / "b.jsonl"
    path.write_text('{"broken\n')
    put(opened(tmp_path, "b.jsonl"), budget())
    first, second = path.read_text().splitlines()
    assert first == '{"broken'
    assert json.loads(second)["ref"] == "A"


def test_a_workbook_holds_numbers_days_and_text(tmp_path):
    file = opened(tmp_path, "b.xlsx")
    put(file, budget("007", name="=1+1", start=date(2026, 1, 1)), budget("8"))
    put(file, budget("9", amount=Amount.of("12345678901234567.89", "USD")))
    header, row, *_ = openpyxl.load_workbook(tmp_path / "b.xlsx").active.iter_rows()
    first = {name.value: cell for name, cell in zip(header, row, strict=True)}
    assert (first["ref"].value, first["name"].value) == ("007", "=1+1")
    assert (first["name"].data_type, first["amount"].value) == ("s", 5)
    assert first["start"].value.date() == date(2026, 1, 1)
    assert models(file)[2].amount.value == Decimal("12345678901234567.89")


@pytest.mark.parametrize("ending", FORMATS)
def test_a_crash_while_writing_leaves_the_old_file_whole(tmp_path, ending, monkeypatch):
    file, path = opened(tmp_path, f"b.{ending}"), tmp_path / f"b.{ending}"
    put(file, budget())
    before = path.read_bytes()

    def crash(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", crash)
    with pytest.raises(KeyboardInterrupt):
        put(file, budget("B"))
    assert path.read_bytes() == before
    assert [each.name for each in tmp_path.iterdir()] == [path.name]


def test_what_is_written_is_on_the_disk_before_it_takes_the_name(tmp_path, monkeypatch):
    order = []
    fsync, rename = os.fsync, os.replace
    monkeypatch.setattr(os, "fsync", lambda n: (order.append("fsync"), fsync(n)))
    monkeypatch.setattr(os, "replace", lambda *a: (order.append("replace"), rename(*a)))
    put(opened(tmp_path), budget())
    assert order[:2] == ["fsync", "replace"]


def test_a_read_only_file_is_refused_and_a_writable_one_keeps_its_mode(tmp_path):
    file, path = opened(tmp_path), tmp_path / "budgets.csv"
    put(file, budget())
    path.chmod(0o640)
    put(file, budget("B"))
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    path.chmod(0o440)
    with pytest.raises(Rejected, match="is read-only"):
        put(file, budget("C"))
    assert len(models(file)) == 2


def test_a_full_disk_is_refused_with_its_reason(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(Rejected, match="No space left on device"):
        put(opened(tmp_path), budget())
    assert list(tmp_path.iterdir()) == []


def test_delete_makes_no_file_of_allocations(tmp_path):
    file = opened(tmp_path)
    put(file, budget())
    file.delete(Kind.ALLOCATION, "A/S", "key")
    file.delete(Kind.BUDGET, "A", "key")
    assert [each.name for each in tmp_path.iterdir()] == ["budgets.csv"]


def test_who_writes_no_workbook_does_not_load_what_writes_one():
    code = "import sys, connectors.file.connector; sys.exit('openpyxl' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
