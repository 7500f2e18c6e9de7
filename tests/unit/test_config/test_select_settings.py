"""`[syncs.NAME.select]` as it may stand in the settings, and what is said of what may not."""

import pytest

from config.load import SettingsError, load
from config.wiring import spec_of

SETTINGS = """\
[systems.erp]
connector = "file"
path = "budgets.csv"

[systems.brex]
connector = "brex"
token = "env:BREX_TOKEN"

[syncs.cards]
source = "erp"
target = "brex"
{select}
"""


@pytest.fixture
def loaded(tmp_path):
    def load_it(select):
        path = tmp_path / "trueup.toml"
        path.write_text(SETTINGS.format(select=select))
        return load(path)

    return load_it


def test_a_pattern_and_a_list_of_them_are_both_taken(loaded):
    said = """\
[syncs.cards.select]
ref = "CC*"
dimension = { department = ["it", "mar*"], region = "" }
[syncs.cards.select.not]
status = "retired"
"""

    selection = spec_of(loaded(said), "cards").select

    assert str(selection) == (
        'ref = "CC*"; dimension.department = ["it", "mar*"]; dimension.region = ""; '
        'not status = "retired"'
    )


def test_without_a_select_all_is_carried(loaded):
    assert spec_of(loaded(""), "cards").select is None


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ('select = { refs = "A" }', 'refs: unknown key; did you mean "ref"?'),
        ('select = { nott = { ref = "A" } }', 'nott: unknown key; did you mean "not"?'),
        ('select = { not = { nme = "A" } }', 'not.nme: unknown key; did you mean "name"?'),
        ("select = {}", "select: it says nothing"),
        ("select = { dimension = {} }", "select: it says nothing"),
        ("select = { not = {} }", "select.not: it says nothing"),
        ("select = { ref = [] }", "select.ref: an empty list selects nothing"),
        ('select = { name = "" }', "select.name: every budget has one"),
        ('select = { status = "actve" }', '"actve" is none of active, inactive, retired'),
        ('select = { currency = "EURO" }', "'EURO' is not an ISO 4217 currency code"),
        ('select = { ref = ["A", 3] }', "select.ref[1]: wants text"),
        ('select = { dimension = "it" }', "select.dimension: wants a table"),
    ],
)  # fmt: skip
def test_what_cannot_be_meant_is_told_with_its_line(loaded, said, message):
    with pytest.raises(SettingsError) as raised:
        loaded(said)

    (problem,) = raised.value.problems
    assert message in str(problem)
    assert problem.line == 12


@pytest.mark.parametrize(
    ("first", "second", "allowed"),
    [
        ('select = { ref = "A" }', 'select = { ref = "B" }', True),
        ('select = { ref = "A" }', "", False),
        ("", 'select = { ref = "B" }', False),
    ],
)
def test_two_syncs_between_the_same_two_need_a_select_each(loaded, first, second, allowed):
    said = f'{first}\n[syncs.more]\nsource = "erp"\ntarget = "brex"\n{second}'

    if allowed:
        assert set(loaded(said).syncs) == {"cards", "more"}
        return
    with pytest.raises(SettingsError, match="where each has a select of its own"):
        loaded(said)
