"""Who owns which field, by the commands: an edit on either side, what a plan and a run make of it,
and what both systems hold afterwards."""

import pytest

from tests.scenarios.two_sides import pair

WORDS = {
    "source": ("1000.00", "1000.00"),
    "target": ("1050.00", "1050.00"),
    "either": ("1050.00", "1050.00"),
    "ask": ("1000.00", "1050.00"),
    "ignore": ("1000.00", "1050.00"),
}
"""By word, what the source and the target hold after a run that met an edit in the target."""
SIDES = {"source": "in there", "target": "in here", "either": "in here"}
MOVED = {"source": "1040.00", "target": "1000.00", "either": "1040.00", "ask": "1040.00"}
"""By word, what both hold after a run that met an edit in the source."""
PAIRS = [("file", "brex"), ("brex", "bill"), ("vtex", "brex"), ("kaireon", "vtex"),
         ("bill", "kaireon"), ("file", "vantage"), ("vantage", "brex")]  # fmt: skip


def word(value: str, *more: str) -> str:
    return "\n".join([*more, f'[syncs.pair.fields]\namount = "{value}"'])


def amounts(at, name="Travel"):
    return at.source.shown()[name][0], at.target.shown()[name][0]


@pytest.mark.sampled(24)
@pytest.mark.parametrize("said", WORDS)
@pytest.mark.parametrize(("source", "target"), PAIRS)
def test_an_edit_in_the_target_goes_as_its_word_says(source, target, said, tmp_path):
    with pair(source, target, tmp_path, word(said)) as at:
        assert at.run().code == 0
        # BILL holds one amount: that of a single month could not be told it
        at.target.edit("Travel", amount="1050.00", throughout=source == "bill")
        plan, run = at.plan(), at.run()
        assert amounts(at) == WORDS[said]
        assert SIDES.get(said, "") in plan
        if said == "ask":
            assert run.code == 6
            assert "? budget" in plan
        else:
            assert run.code == 0
            assert at.is_quiet()


@pytest.mark.sampled(24)
@pytest.mark.parametrize("said", WORDS)
@pytest.mark.parametrize(("source", "target"), PAIRS)
def test_an_edit_in_the_source_goes_as_its_word_says(source, target, said, tmp_path):
    with pair(source, target, tmp_path, word(said)) as at:
        assert at.run().code == 0
        at.source.edit("Travel", amount="1040.00")
        assert at.run().code == 0
        assert amounts(at) == ((MOVED[said],) * 2 if said in MOVED else ("1040.00", "1000.00"))
        assert at.is_quiet()
