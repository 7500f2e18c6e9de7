"""The language: what a person gets wrong is told with the key and what would be right."""

import re
import tomllib

import pytest
from pydantic import ValidationError

from config.load import load
from connectors.file.declared import FileSettings
from connectors.layouts.loading import (
    LayoutError,
    changed,
    layout_of,
    ready_table,
    ready_text,
    table_of,
)
from connectors.layouts.toml import toml_lines
from tests.readme import ROOT, example
from tests.unit.test_connectors.layouts.laid_out import WIDE, amounts, read

WRONG = {
    'rows.skp = "x"': r'rows\.skp: unknown key; did you mean "skip"\?',
    "columns.a = { find = 'x' }": r"columns\.a: a column has one of any, match, at, value",
    "columns.a = { any = 'x', split = '-' }": r"columns\.a: split and part go together",
    "columns.a = { of = 'b', find = '(' }": r"columns\.a\.find: '\(' is not a regular expression",
    "columns.a = { of = 'a', find = 'x' }": r"columns: column a is made of itself",
    'rows.skip = { column = "a" }': r"rows\.skip\.0: a condition says equals, like",
    'numbers.decimal = ";"': r"numbers\.decimal: input should be '\.' or ','",
    'currency = "Euro"': r"currency: 'Euro' is not an ISO 4217 currency code",
    "fiscal.starts = 13": r"fiscal\.starts: input should be less than or equal to 12",
    'like = "xerro"': r'no layout is named "xerro"; did you mean "xero"\?',
    'periods.headers = "{moon}"': r"periods\.headers: \{moon\} is no place of a form",
}


@pytest.mark.parametrize(("text", "message"), WRONG.items())
def test_a_mistake_in_a_layout_is_told_with_its_key(text, message):
    with pytest.raises(LayoutError, match=message):
        layout_of(tomllib.loads(text))


def test_all_mistakes_are_told_at_once():
    with pytest.raises(LayoutError) as caught:
        layout_of({"rows": {"skp": 1}, "fiscal": {"starts": 0}})
    assert len(str(caught.value).splitlines()) == 2


def test_a_layout_of_ones_own_stands_in_a_file(tmp_path):
    (tmp_path / "own.toml").write_text('like = "xero"\nfiscal.starts = 4\n')
    layout = layout_of(table_of("own.toml", tmp_path))
    assert layout.fiscal.starts == 4
    assert layout.columns["code"].of == "account"
    with pytest.raises(LayoutError, match=r"no\.toml: No such file"):
        table_of("no.toml", tmp_path)
    (tmp_path / "bad.toml").write_text("rows = [")
    with pytest.raises(LayoutError, match=r"bad\.toml"):
        table_of("bad.toml", tmp_path)


def test_a_column_may_add_to_what_the_layout_says_of_it():
    layout = layout_of({"like": "xero", "columns": {"account": {"numbers": True}}})
    assert layout.columns["account"].numbers
    assert "Account" in layout.columns["account"].any
    anew = layout_of({"like": "xero", "columns": {"account": "Konto"}})
    assert anew.columns["account"].any == ("Konto",)


def test_changes_by_key_and_value_take_the_type_that_fits():
    sets = ["numbers.decimal=,", "fiscal.starts=7", "numbers.sign=-1", "ignore=Old", "ignore=New",
            'fiscal.begins."2026"=2026-01-04', "rows.only.plan=2026", "columns.account=Konto"]  # fmt: skip
    layout = layout_of(changed(ready_table("xero"), sets))
    assert (layout.numbers.decimal, layout.numbers.sign, layout.fiscal.starts) == (",", -1, 7)
    assert layout.ignore == ("Old", "New")
    assert str(layout.fiscal.begins["2026"]) == "2026-01-04"
    assert layout.rows.only == {"plan": ("2026",)}
    assert layout.columns["account"].any == ("Konto",)


@pytest.mark.parametrize("said", ["numbers.decimal", "=x", "numbers.decmal=,", "fiscal.starts=x"])
def test_a_change_that_is_none_is_told(said):
    with pytest.raises(LayoutError):
        changed(ready_table("xero"), [said])


def test_the_settings_take_a_name_a_file_or_a_table():
    def settings(layout):
        return FileSettings(connector="file", path="b.csv", layout=layout)

    assert settings("xero").layout == "xero"
    assert settings({"like": "xero", "currency": "EUR"}).layout.currency == "EUR"
    with pytest.raises(ValidationError, match='unknown key; did you mean "skip"'):
        settings({"rows": {"skp": 1}})
    with pytest.raises(ValidationError, match="no layout is named"):
        settings({"like": "nothing"})
    with pytest.raises(ValidationError, match='no layout is named "xerro"; did you mean "xero"'):
        settings("xerro")
    with pytest.raises(ValidationError, match="its name, its file or a table"):
        settings(7)


def test_the_layouts_of_the_pages_can_be_used_as_they_stand(tmp_path):
    page = (ROOT / "docs/layouts.md").read_text(encoding="utf-8")
    settings, layout = re.findall(r"^```toml\n(.*?)^```$", page, re.DOTALL | re.MULTILINE)
    for text in (settings, example("layout")):
        (tmp_path / "trueup.toml").write_text(text, encoding="utf-8")
        assert load(tmp_path / "trueup.toml").systems["erp"].layout is not None
    assert layout_of(tomllib.loads(layout)).budget.ref == "department"


def test_a_layout_is_written_as_toml_that_says_the_same():
    table = tomllib.loads(ready_text("quickbooks-online"))
    assert tomllib.loads("\n".join(toml_lines((), table))) == table


def test_constants_texts_pieces_and_defaults_make_values(tmp_path):
    layout = WIDE.replace('department = "Department"', (
        'department = { text = "{cc}-{Year}" }\ncc = { of = "Key", split = "-", part = 3 }\n'
        'account_number = { of = "Key", find = "^([0-9]+)" }'
    )).replace('account = "Account"', 'account = { first = ["Short", "account_number"] }')  # fmt: skip
    text = "Key,Short,Year,Jan 2026\n4500-DEP1-CC20,,2026,1.00\n4600-DEP1-CC20,x,2026,2.00\n"
    found = read(tmp_path, text, layout)
    assert amounts(found) == {"CC20-2026": {"2026-01": "3.00"}}
    (budget,) = found.budgets()
    assert [share.entity for share in budget.shares] == ["4500", "x"]


def test_a_column_is_found_by_pattern_or_asked_about_where_several_fit(tmp_path):
    layout = WIDE.replace('"Department"', '{ match = ".* code" }')
    one = read(tmp_path, "Cost Code,Account,Jan 2026\nA,1,1.00\n", layout)
    assert amounts(one) == {"A": {"2026-01": "1.00"}}
    two = read(tmp_path, "Cost Code,Project Code,Account,Jan 2026\nA,B,1,1.00\n", layout)
    (asked,) = two.questions
    assert asked.setting == "columns.department"
    assert asked.readings == ("columns.department=Cost Code", "columns.department=Project Code")
    assert amounts(two) == {}


def test_what_else_a_budget_says_is_taken_from_the_first_row(tmp_path):
    more = """
    columns = { title = "Title" }
    budget = { name = "title", owners = "Owner", dimensions = { site = "Site" } }
    """
    text = "Department,Account,Title,Owner,Site,Jan 2026\nA,1,Ads,a@b.c,Nice,1.00\nA,2,,,,2.00\n"
    (budget,) = read(tmp_path, text, more=more).budgets()
    assert (budget.name, budget.facts) == ("Ads", {"owners": "a@b.c", "dimension:site": "Nice"})


def test_two_currencies_in_one_budget_are_told(tmp_path):
    layout = WIDE.replace("[budget]", '[budget]\ncurrency = "Unit"').replace(
        'currency = "USD"\n', "", 1
    )
    text = "Department,Account,Unit,Jan 2026\nA,1,USD,1.00\nA,2,EUR,2.00\nB,1,EUR,1.00\n"
    found = read(tmp_path, text, layout)
    assert [(each.ref, each.currency) for each in found.budgets()] == [("B", "EUR")]
    assert "EUR where row 2 of 'A' has USD" in next(iter(found.problems())).message
