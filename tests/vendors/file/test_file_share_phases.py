"""Shares whose amount differs in time: several rows of one ref, as a budget's are."""

import json
from datetime import date

import pytest
from msgspec.structs import replace

from canonical.allocation import Allocation, Entity
from canonical.amount import Amount
from canonical.budget import Budget, Phase
from canonical.facts import facts
from canonical.kind import Kind
from canonical.period import Cadence, Period
from connectors.contract.records import Draft
from connectors.contract.runtime import Runtime
from connectors.file.connector import File
from connectors.file.declared import FileSettings

FORMATS = ["csv", "json", "jsonl", "xlsx"]
HEADER = "budget,ref,entity_type,entity,amount,status,start,end"
BUDGETS = "ref,name,currency,amount,cadence,start,end\nA,Ads,USD,90,monthly,2026-01-01,2026-12-31\n"


def usd(number):
    return Amount.of(number, "USD")


JANUARY = Phase(Period(date(2026, 1, 1), date(2026, 1, 31)), usd(5))
CREDIT = Phase(Period(date(2026, 2, 1), date(2026, 2, 28)), usd("-2.50"))
REST = Phase(Period(date(2026, 3, 1)), usd(7))
ADA = Allocation(
    ref="1",
    budget="A",
    entity=Entity("user", "ada"),
    amount=usd(5),
    phases=(JANUARY, CREDIT, REST),
)
BUDGET = Budget(ref="A", name="Ads", amount=usd(90), cadence=Cadence.MONTHLY)


def opened(folder, path="budgets.csv", **keys):
    if path.endswith(".csv"):
        keys.setdefault("allocations", "allocations.csv")
    return File("erp", FileSettings(connector="file", path=path, **keys), Runtime(base=folder))


def csv(folder, *rows):
    (folder / "budgets.csv").write_text(BUDGETS)
    (folder / "allocations.csv").write_text("\n".join([HEADER, *rows]) + "\n")
    return opened(folder)


def listed(file):
    pages = list(file.list(Kind.ALLOCATION))
    return (
        [item.model for page in pages for item in page.items],
        [problem for page in pages for problem in page.problems],
    )


def test_rows_of_one_ref_are_one_share_wherever_they_stand(tmp_path):
    file = csv(
        tmp_path,
        "A,1,user,ada,7,active,2026-03-01,9999-12-31",
        "A,2,user,bob,1,active,,",
        "A,1,,,5,,2026-01-01,2026-01-31".replace(",,,", ",user,ada,"),
        "A,1,user,ada,-2.50,active,2026-02-01,2026-02-28",
    )
    shares, problems = listed(file)
    assert problems == []
    assert shares == [
        replace(ADA, ref="2", entity=Entity("user", "bob"), amount=usd(1), phases=()),
        ADA,
    ]


def test_a_row_with_a_time_of_its_own_is_a_phase(tmp_path):
    (share,), _ = listed(csv(tmp_path, "A,1,user,ada,5,active,2026-01-01,2026-01-31"))
    assert share == replace(ADA, phases=(JANUARY,))


@pytest.mark.parametrize(
    ("rows", "line", "column", "said"),
    [
        (["5,active,2026-01-01,2026-01-31", "6,active,2026-01-31,2026-02-28"], 3, "start", "the end in row 2"),
        (["5,active,2026-01-01,2026-01-31", "6,inactive,2026-02-01,2026-02-28"], 3, "status", "inactive is not what"),
        (["5,active,2026-01-01,2026-01-31", "6,active,2026-02-01,"], 3, "end", "states start and end"),
        (["5,active,2026-01-01,2026-01-31", "6,active,2026-01-01,2026-01-31"], 3, "ref", "for the same time"),
        (["5,active,2026-01-01,2026-01-31", "6,active,,"], 3, "ref", "give each row its own start and end"),
        (["5,active,,2026-01-31"], 2, "start", "states both"),
        (["5,active,2026-02-01,2026-01-31"], 2, "end", "is before the start"),
    ],
)  # fmt: skip
def test_rows_that_are_no_phases_of_one_share_are_told(tmp_path, rows, line, column, said):
    file = csv(tmp_path, *(f"A,1,user,ada,{row}" for row in rows), "A,2,user,bob,1,active,,")
    (left,), (problem,) = listed(file)
    assert left.ref == "2"
    assert (problem.where, problem.ref) == (f"allocations.csv row {line}, column {column}", "A/1")
    assert said in problem.message


@pytest.mark.parametrize("apart", [False, True])
def test_json_has_them_as_a_budget_has(tmp_path, apart):
    share = {
        "ref": "1", "entity_type": "user", "entity": "ada",
        "phases": [
            {"start": "2026-01-01", "end": "2026-01-31", "amount": "5"},
            {"start": "2026-02-01", "end": "2026-02-28", "amount": "-2.50"},
            {"start": "2026-03-01", "end": "9999-12-31", "amount": 7},
        ],
    }  # fmt: skip
    budget = {"ref": "A", "name": "Ads", "currency": "USD", "amount": 90, "cadence": "monthly"}
    inside = {} if apart else {"allocations": [share]}
    (tmp_path / "b.json").write_text(json.dumps([budget | inside]))
    (tmp_path / "a.json").write_text(json.dumps([share | {"budget": "A"}]))
    shares, problems = listed(opened(tmp_path, "b.json", allocations="a.json" if apart else None))
    assert (shares, problems) == ([ADA], [])


@pytest.mark.parametrize("ending", FORMATS)
def test_what_is_written_reads_back(tmp_path, ending):
    file = opened(tmp_path, f"b.{ending}")
    flat = replace(ADA, phases=(), amount=usd(9))
    for model in (BUDGET, ADA, replace(ADA, ref="2", phases=(JANUARY,))):
        file.create(Draft(model=model), "key")
    assert [facts(each) for each in listed(file)[0]] == [
        facts(ADA),
        facts(replace(ADA, phases=(JANUARY,))),
    ]
    file.update("A/1", Draft(model=flat), ["amount", "phases"], "key")
    assert file.get(Kind.ALLOCATION, "A/1").model == flat
    file.update("A/1", Draft(model=ADA), ["phases"], "key")
    assert file.get(Kind.ALLOCATION, "A/1").model == ADA


def test_a_file_without_phases_keeps_its_columns(tmp_path):
    file = opened(tmp_path)
    file.create(Draft(model=BUDGET), "key")
    file.create(Draft(model=replace(ADA, phases=())), "key")
    header = (tmp_path / "allocations.csv").read_text().splitlines()[0]
    assert header == "budget,ref,entity_type,entity,amount,status"
