"""What a token of Vantage does not show is not gone, unless that is proved."""

from contextlib import ExitStack

import pytest
from msgspec.structs import replace

from canonical.amount import Amount
from sync.outcome import Outcome
from tests.vendors.every_vendor import Account

MADE = ["Travel", "Travel / (unallocated)", "Travel / account:6100"]


class Team(Account):
    """An account whose token may become one that does not see the budget Travel."""

    def see(self, *, all_of_it):
        (self._folder / "vantage.token").write_text("canary" if all_of_it else "vntg_narrow")

    def names(self):
        return sorted(row["name"] for row in self.rows())

    def told(self):
        report = self.run()
        return report, {each.where: each.message for each in report.plan.problems}


@pytest.fixture
def opened(tmp_path):
    with ExitStack() as stack:

        def opened(*hidden, **switches):
            team = Team("vantage", tmp_path, stack, hides=hidden, **switches)
            team.source.put(*team.stated())
            assert team.run().verified
            assert team.names() == MADE
            return team

        yield opened


@pytest.mark.parametrize("silent", [False, True])
def test_a_budget_that_a_narrower_token_does_not_see_is_neither_made_again_nor_lost(opened, silent):
    team = opened("Travel", silent=silent)
    team.see(all_of_it=False)

    report, told = team.told()

    assert (report.outcome, report.operations) == (Outcome.PARTIAL, [])
    assert team.names() == MADE
    assert "it was deleted, or is hidden" in told["budget B-Travel"]
    assert "--allow unseen" in told["budget B-Travel"]

    team.see(all_of_it=True)
    assert team.run().verified
    assert team.run().operations == []
    assert team.names() == MADE


def test_what_is_hidden_is_not_forgotten_as_the_source_gives_it_up(opened):
    team = opened("Travel")
    team.see(all_of_it=False)
    team.source.drop("B-Travel")

    report = team.run()
    assert {each.ref for each in report.plan.kept_objects} == {"B-Travel", "S-Travel"}

    team.see(all_of_it=True)
    team.run()
    assert team.names() == []


@pytest.mark.parametrize("silent", [False, True])
def test_a_share_that_a_narrower_token_does_not_see_is_not_made_again(opened, silent):
    team = opened("Travel / account", silent=silent)
    team.see(all_of_it=False)
    _, share = team.stated()
    team.source.put(replace(share, amount=Amount.of(200, "USD")))

    report = team.run()

    assert not report.verified
    assert team.names() == MADE
    assert not [each for each in report.operations if each.outcome == "applied"]


@pytest.mark.parametrize("silent", [False, True])
def test_a_share_that_somebody_deleted_is_made_again(opened, silent):
    team = opened(silent=silent)
    (token,) = [row["token"] for row in team.rows() if row["name"] == MADE[2]]
    team.served.sandbox._delete("budgets", token)

    team.run()

    assert team.run().verified
    assert team.names() == MADE


def test_a_budget_that_somebody_deleted_waits_for_a_person_to_say_so(opened):
    team = opened()
    for row in team.rows():
        team.served.state["budgets"].remove(row["token"])

    report, told = team.told()

    assert (report.operations, team.names()) == ([], [])
    assert "--allow unseen" in told["budget B-Travel"]
    assert team.run("unseen").verified
    assert team.names() == MADE
