"""What was written to the source, by the commands: taken back again, and ended by a person."""

import pytest

from tests.scenarios.two_sides import pair

EITHER = '[syncs.pair.fields]\namount = "either"'


def amounts(at):
    return at.source.shown()["Travel"][0], at.target.shown()["Travel"][0]


def test_an_undo_takes_back_what_a_run_wrote_to_the_source_and_both_then_wait(tmp_path):
    with pair("brex", "vtex", tmp_path, EITHER) as at:
        assert at.run().code == 0
        at.target.edit("Travel", amount="1050.00")
        assert at.run().code == 0
        assert amounts(at) == ("1050.00", "1050.00")

        said = at.do("undo", at.last_run(), "--yes")

        assert said.code == 0, said.out + said.err
        assert amounts(at) == ("1000.00", "1050.00")
        assert at.do("resume", "pair").code == 0
        assert at.run().code == 6
        at.decide("source")
        assert at.run().code == 0
        assert amounts(at) == ("1000.00", "1000.00")
        assert at.is_quiet()


NOT_APPLIED = pytest.param("not-applied", "1000.00", marks=pytest.mark.faults)  # waits for retries


@pytest.mark.parametrize(("take", "source_has"), [("applied", "1050.00"), NOT_APPLIED])
def test_a_lost_answer_of_the_source_is_ended_by_a_persons_word(take, source_has, tmp_path):
    with pair("brex", "vtex", tmp_path, EITHER) as at:
        assert at.run().code == 0
        at.target.edit("Travel", amount="1050.00")
        (id,) = [each.id for each in at.source.every() if each.model.name == "Travel"]
        faults = at.source.served.faults
        faults.add(
            "garbage" if take == "applied" else "error_before", status=500, method="PUT", times=-1
        )
        faults.add("garbage", method="GET", path=f"/v2/budgets/{id}", times=-1)
        assert at.run().code != 0
        faults.clear()
        (wait,) = at.waits()
        assert (wait["rule"], wait["side"]) == ("uncertain", "source")
        assert amounts(at) == (source_has, "1050.00")

        said = at.do("decide", str(wait["number"]), "--take", take)

        assert said.code == 0, said.err
        assert at.run().code == 0
        assert amounts(at) == ("1050.00", "1050.00")
        assert at.waits() == []
        assert at.is_quiet()
