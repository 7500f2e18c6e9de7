"""The demo's workbook states what the sample's csv files state."""

from datetime import date

import pytest

from canonical.amount import Amount
from canonical.kind import Kind
from connectors.contract.runtime import Runtime
from connectors.file.connector import File
from connectors.file.declared import FileSettings
from trueup.sample import write_sample
from trueup.sample_workbook import write_workbook


def read(folder, kind, **keys):
    settings = FileSettings(connector="file", **keys)
    with File("erp", settings, Runtime(base=folder)) as file:
        pages = [*file.list(kind)]
    assert [problem for page in pages for problem in page.problems] == []
    return {item.id: item.model for page in pages for item in page.items}


def workbook(folder, kind, path="export.xlsx"):
    return read(folder, kind, path=path, layout="business-central", currency="USD")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sample")
    write_sample(folder, year=2026)
    write_workbook(folder / "export.xlsx", year=2026)
    write_workbook(folder / "later.xlsx", year=2026, more=Amount.of("20", "USD"))
    return folder


def test_each_budget_has_the_amounts_of_the_sample(folder):
    stated = read(folder, Kind.BUDGET, path="budgets.csv")
    shown = workbook(folder, Kind.BUDGET)
    assert {ref: budget.phases for ref, budget in shown.items()} == {
        ref: budget.phases for ref, budget in stated.items()
    }
    assert len(shown) == 40


def test_a_budget_s_shares_add_up_to_it_in_each_month(folder):
    shares = workbook(folder, Kind.ALLOCATION).values()
    for ref, budget in workbook(folder, Kind.BUDGET).items():
        parts = [share.phases for share in shares if share.budget == ref]
        assert len(parts) == 4
        for phase in budget.phases:
            amounts = [amount_on(part, phase.period.start) for part in parts]
            assert sum(amounts, Amount.of("0", "USD")) == phase.amount


def amount_on(phases, day: date) -> Amount:
    return next(phase.amount for phase in phases if day in phase.period)


def test_the_later_export_differs_in_one_share(folder):
    before = workbook(folder, Kind.ALLOCATION)
    after = workbook(folder, Kind.ALLOCATION, path="later.xlsx")
    assert [ref for ref in before if before[ref] != after[ref]] == ["CC0001/account:6100"]
