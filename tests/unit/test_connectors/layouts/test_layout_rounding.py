"""What `numbers.round` takes from amounts is a loss of the budget and of the share, by name."""

from canonical.kind import Kind
from connectors.contract.runtime import Runtime
from connectors.file.connector import File
from connectors.file.declared import FileSettings
from connectors.layouts.loading import layout_of
from tests.unit.test_connectors.layouts.laid_out import WIDE, made

HEAD = "Department,Account,Jan 2026,Feb 2026\n"
ROUND = 'numbers = { decimal = ".", round = "cents" }'


def losses(folder, kind, layout=ROUND, **texts):
    for name, text in texts.items():
        (folder / f"{name}.csv").write_text(HEAD + text)
    settings = FileSettings(connector="file", path="*.csv", layout=made(WIDE, layout))
    pages = [*File("erp", settings, Runtime(base=folder)).list(kind)]
    assert not [problem for page in pages for problem in page.problems]
    return {
        item.id: [f"{each.name}: {each.reason}" for each in item.losses]
        for page in pages
        for item in page.items
    }


def test_each_budget_and_share_tells_its_own(tmp_path):
    text = "A,1,0.125,1.00\nA,2,0.111,0.222\nA,3,1.00,1.00\nB,1,5.00,5.00\n"
    assert losses(tmp_path, Kind.BUDGET, a=text) == {
        "A": [
            "rounded:amount: 3 amounts of the source had more decimals than USD has: 0.008 in all"
        ],
        "B": [],
    }
    assert losses(tmp_path, Kind.ALLOCATION) == {
        "A/account:1": [
            "rounded:amount: 1 amount of the source had more decimals than USD has: 0.005 in all"
        ],
        "A/account:2": [
            "rounded:amount: 2 amounts of the source had more decimals than USD has: 0.003 in all"
        ],
        "A/account:3": [],
        "B/account:1": [],
    }


def test_a_row_that_is_passed_over_is_nobodys_loss(tmp_path):
    layout = ROUND + "\nrows.only = { account = ['2'] }"
    text = "A,1,0.125,1.00\nA,2,1.00,1.00\n"
    assert losses(tmp_path, Kind.BUDGET, layout, a=text) == {"A": []}


def test_rows_of_several_files_are_told_together(tmp_path):
    (tmp_path / "b.csv").write_text("Department,Account,Mar 2026\nA,1,0.001\nA,2,0.125\n")
    found = losses(tmp_path, Kind.ALLOCATION, a="A,1,0.125,1.00\n")
    assert "2 amounts" in found["A/account:1"][0]
    assert "1 amount" in found["A/account:2"][0]
    assert "3 amounts" in losses(tmp_path, Kind.BUDGET)["A"][0]


def test_where_entities_are_the_budgets_it_is_theirs(tmp_path):
    (tmp_path / "a.csv").write_text("Account,Jan 2026\n1,0.125\n2,0.12\n")
    layout = layout_of(
        {
            "currency": "USD",
            "columns": {"account": "Account"},
            "allocation": {"entity": "account"},
            "numbers": {"decimal": ".", "round": "cents"},
        }
    )
    settings = FileSettings(connector="file", path="a.csv", layout=layout)
    (page,) = File("erp", settings, Runtime(base=tmp_path)).list(Kind.BUDGET)
    assert [len(each.losses) for each in page.items] == [1, 0]
