"""Several files that one pattern fits, in our own columns."""

import os

import pytest

from canonical.amount import Amount
from canonical.budget import Budget
from canonical.kind import Kind
from connectors.contract.errors import Malformed, Rejected, Unreadable
from connectors.contract.records import Draft
from connectors.contract.runtime import Runtime
from connectors.file.connector import File
from connectors.file.declared import FileSettings
from tests.vendors.file.workbook import book, sheet

HEAD = "ref,name,amount,currency,start,end\n"


@pytest.fixture
def erp(tmp_path):
    def opened(content, path="budgets-*.csv", **more):
        for name, text in content.items():
            place = tmp_path / name
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(text if isinstance(text, bytes) else text.encode())
        settings = FileSettings(connector="file", path=path, **more)
        return File("erp", settings, Runtime(base=tmp_path))

    return opened


def read(erp, kind=Kind.BUDGET):
    pages = [*erp.list(kind)]
    found = {item.id: item.model for page in pages for item in page.items}
    return found, [f"{each.where}: {each.message}" for page in pages for each in page.problems]


TWO = {
    "budgets-1.csv": HEAD + "A,Travel,10,USD,,\n",
    "budgets-2.csv": "currency,ref,name,amount\nUSD,B,Food,20\n",
    "other.csv": HEAD + "C,No,1,USD,,\n",
}


def test_all_that_fit_are_read_in_the_order_of_their_names(erp):
    found, problems = read(erp(TWO))
    assert (list(found), problems) == (["A", "B"], [])
    assert found["B"].amount == Amount.of(20, "USD")


def test_the_newest_is_read_alone_where_the_setting_says_so(erp, tmp_path):
    connector = erp(TWO, files="newest")
    os.utime(tmp_path / "budgets-1.csv", (2e9, 2e9))
    assert list(read(connector)[0]) == ["A"]


def test_a_budget_may_have_its_months_in_several_files(erp):
    head = "cadence," + HEAD
    january = head + "monthly,A,Travel,10,USD,2026-01-01,2026-01-31\n"
    february = head + "monthly,A,Travel,20,USD,2026-02-01,2026-02-28\n"
    found, problems = read(erp({"budgets-1.csv": january, "budgets-2.csv": february}))
    assert problems == []
    assert [each.amount for each in found["A"].phases] == [
        Amount.of(10, "USD"), Amount.of(20, "USD"),
    ]  # fmt: skip


def test_one_ref_in_two_files_is_told_with_both_and_set_aside(erp):
    same = HEAD + "A,Travel,10,USD,,\n"
    found, problems = read(erp({"budgets-1.csv": same, "budgets-2.csv": same}))
    assert found == {}
    assert len(problems) == 1
    assert "budgets-1.csv" in problems[0]
    assert "budgets-2.csv" in problems[0]


def test_a_cell_that_cannot_be_read_is_told_with_its_file(erp):
    files = TWO | {"budgets-2.csv": HEAD + "B,Food,much,USD,,\n"}
    found, problems = read(erp(files))
    assert list(found) == ["A"]
    assert problems[0].startswith("budgets-*.csv (budgets-2.csv) row 2, column amount: ")


@pytest.mark.parametrize("kind", Kind)
def test_no_file_that_fits_is_an_error_and_no_empty_list(erp, kind):
    connector = erp({"other.csv": HEAD}, allocations="shares-*.csv")
    for use in (connector.check, lambda: [*connector.list(kind)], lambda: connector.get(kind, "A")):
        with pytest.raises(Unreadable, match="no file fits it"):
            use()


def test_a_header_that_is_wrong_in_one_file_is_told_with_its_file(erp):
    with pytest.raises(Unreadable, match=r"budgets-2\.csv line 1: 'sum' is not a column"):
        read(erp(TWO | {"budgets-2.csv": "ref,name,sum\n"}))


def test_allocations_may_be_in_several_files_too(erp):
    head = "budget,ref,entity_type,entity,amount\n"
    shares = {
        "shares-1.csv": head + "A,S,user,ada,1\n",
        "shares-2.csv": head + "B,S,user,ada,2\n",
    }
    connector = erp(TWO | shares, allocations="shares-*.csv")
    found, problems = read(connector, Kind.ALLOCATION)
    assert (list(found), problems) == (["A/S", "B/S"], [])
    assert connector.check().notes == ["2 budgets", "shares-*.csv: 2 allocations"]


def test_workbooks_and_json_bring_their_own_allocations(erp):
    head = ("ref", "name", "amount", "currency")
    shares = sheet(("budget", "entity_type", "entity", "amount"), ("A", "user", "ada", "4"))
    one = {"budgets": sheet(head, ("A", "Travel", "10", "USD")), "allocations": shares}
    other = {"budgets": sheet(head, ("B", "Food", "10", "USD"))}
    books = {"b-1.xlsx": book(one), "b-2.xlsx": book(other)}
    connector = erp(books, path="b-*.xlsx")
    assert list(read(connector)[0]) == ["A", "B"]
    assert list(read(connector, Kind.ALLOCATION)[0]) == ["A/user:ada"]


def test_a_file_that_has_the_signs_of_a_pattern_in_its_name_is_itself(erp):
    connector = erp({"budgets-[1].csv": TWO["budgets-1.csv"]}, path="budgets-[1].csv")
    assert list(read(connector)[0]) == ["A"]


def test_signs_in_the_folder_of_the_settings_are_no_pattern(tmp_path):
    base = tmp_path / "a[b]"
    base.mkdir()
    for name, text in TWO.items():
        (base / name).write_text(text)
    settings = FileSettings(connector="file", path="budgets-*.csv")
    assert list(read(File("erp", settings, Runtime(base=base)))[0]) == ["A", "B"]


def test_several_files_are_never_written(erp, tmp_path):
    connector = erp(TWO)
    draft = Draft(model=Budget(ref="D", name="D", amount=Amount.of(1, "USD")))
    with pytest.raises(Rejected, match="stands for several files"):
        connector.create(draft, "key")
    assert (tmp_path / "budgets-1.csv").read_text() == TWO["budgets-1.csv"]


def test_one_object_is_found_by_its_id_whichever_file_has_it(erp):
    connector = erp(TWO)
    assert connector.get(Kind.BUDGET, "B").model.name == "Food"


def test_a_new_file_is_seen_by_the_next_reading(erp, tmp_path):
    connector = erp(TWO)
    read(connector)
    (tmp_path / "budgets-3.csv").write_text(HEAD + "C,Rent,1,USD,,\n")
    assert list(read(connector)[0]) == ["A", "B", "C"]


def test_a_page_is_found_again_by_its_cursor(erp):
    rows = "".join(f"R{n},Name,1,USD,,\n" for n in range(1100))
    connector = erp({"budgets-1.csv": HEAD + rows, "budgets-2.csv": HEAD + "Z,Z,1,USD,,\n"})
    first, second = connector.list(Kind.BUDGET)
    (again,) = connector.list(Kind.BUDGET, first.next_cursor)
    assert [each.id for each in again.items] == [each.id for each in second.items]


def test_get_of_a_budget_that_cannot_be_read_names_the_file(erp):
    connector = erp(TWO | {"budgets-2.csv": HEAD + "B,Food,much,USD,,\n"})
    with pytest.raises(Malformed, match=r"\(budgets-2\.csv\) row 2"):
        connector.get(Kind.BUDGET, "B")
