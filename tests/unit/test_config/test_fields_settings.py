"""`[syncs.NAME.fields]` as it may stand in the settings, and what is said of what may not."""

import pytest

from canonical.kind import FIELDS, Kind
from config.load import SettingsError, load
from config.schema import settings_schema
from config.wiring import spec_of
from sync.fields import OnConflict, OnNew, Owner
from sync.unread import TOGETHER

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
{said}
"""


@pytest.fixture
def loaded(tmp_path):
    def load_it(said):
        path = tmp_path / "trueup.toml"
        path.write_text(SETTINGS.format(said=said))
        return load(path)

    return load_it


def fields(loaded, said):
    return spec_of(loaded(said), "cards").fields


def test_a_sync_that_says_nothing_is_a_mirror(loaded):
    assert fields(loaded, "").is_mirror


@pytest.mark.parametrize(
    "said",
    [
        'fields = { "allocations.amount" = "target", description = "ask" }',
        'fields = { allocations = { amount = "target" }, description = "ask" }',
        '[syncs.cards.fields]\ndescription = "ask"\nallocations.amount = "target"',
        '[syncs.cards.fields]\ndescription = "ask"\nallocations = { amount = "target" }',
    ],
)
def test_the_fields_of_shares_are_named_in_every_spelling(loaded, said):
    found = fields(loaded, said)

    assert found.of(Kind.ALLOCATION, "amount") is Owner.TARGET
    assert found.of(Kind.BUDGET, "amount") is Owner.SOURCE
    assert found.of(Kind.BUDGET, "description") is Owner.ASK
    assert not found.is_mirror


@pytest.mark.parametrize("kind", Kind)
def test_what_says_how_much_counts_when_goes_with_the_amount(loaded, kind):
    name = "amount" if kind is Kind.BUDGET else "allocations.amount"

    found = fields(loaded, f'fields = {{ "{name}" = "target" }}')

    assert {found.of(kind, each) for each in TOGETHER & {*FIELDS[kind]}} == {Owner.TARGET}


def test_two_way_is_either_for_what_both_sides_hold(loaded):
    found = fields(loaded, 'mode = "two-way"\non_conflict = "source"\non_new = "create"')

    assert (found.on_conflict, found.on_new) == (OnConflict.SOURCE, OnNew.CREATE)
    assert found.of(Kind.BUDGET, "amount") is Owner.EITHER
    assert found.of(Kind.BUDGET, "dimensions") is Owner.SOURCE  # Brex has none


@pytest.mark.parametrize(
    ("said", "line", "where", "message"),
    [
        ('fields = { amonut = "ask" }', 12, "amonut", 'did you mean "amount"?'),
        ('fields = { entity = "ask" }', 12, "entity", 'did you mean "allocations.entity"?'),
        ('fields = { name = "sorce" }', 12, "name", 'did you mean "source"?'),
        ("fields = { name = 3 }", 12, "name", "this is no text"),
        ('fields = { allocations = "ask" }', 12, "allocations", "a word is for one field"),
        (
            '[syncs.cards.fields]\nname = "ask"\ndimensions = "target"',
            14,
            "dimensions",
            "has no place for it",
        ),
        (
            '[syncs.cards.fields]\nallocations = { budget = "target" }',
            13,
            "budget",
            "lets nobody change it",
        ),
        (
            '[syncs.cards.fields]\namount = "target"\ncurrency = "source"',
            14,
            "currency",
            'goes with "amount", which is "target"',
        ),
        (
            '[syncs.cards.fields]\n"allocations.budget" = "target"',
            13,
            "budget",
            "lets nobody change it",
        ),
        ('mode = "both"', 12, "mode", "two-way"),
        ('on_conflict = "nobody"', 12, "on_conflict", "ask"),
    ],
)
def test_what_cannot_be_is_told_with_its_line(loaded, said, line, where, message):
    with pytest.raises(SettingsError) as raised:
        loaded(said)

    (problem,) = raised.value.problems
    assert (problem.line, where in problem.where) == (line, True)
    assert message in problem.message


@pytest.mark.parametrize("said", ['mode = "two-way"', 'on_new = "create"'])
def test_a_source_that_is_only_read_is_not_written_to(loaded, monkeypatch, said):
    from connectors.file.declared import FileSettings

    monkeypatch.setattr(FileSettings, "only_read", lambda self: "it is a picture")

    with pytest.raises(SettingsError, match=r"erp.*only read: it is a picture"):
        loaded(said)


def test_a_source_that_is_only_read_may_have_its_fields_owned_elsewhere(loaded, monkeypatch):
    from connectors.file.declared import FileSettings

    monkeypatch.setattr(FileSettings, "only_read", lambda self: "it is a picture")

    assert fields(loaded, 'fields = { amount = "target" }').of(Kind.BUDGET, "amount") == "target"


def test_editors_are_told_the_fields_and_the_words():
    sync = settings_schema()["$defs"]["Sync"]["properties"]

    assert sync["fields"]["properties"]["allocations"]["properties"]["amount"]["enum"] == [*Owner]
    assert "allocations.amount" in sync["fields"]["properties"]
