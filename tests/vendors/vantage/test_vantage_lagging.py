"""Where Vantage's listings are behind its writes, what was made is there all the same."""

from contextlib import ExitStack
from decimal import Decimal

import pytest
from msgspec.structs import replace

from canonical.allocation import Alert, Entity
from canonical.amount import Amount
from canonical.kind import Kind
from tests.vendors.every_vendor import Account

MADE = ["Travel", "Travel / (unallocated)", "Travel / account:6100"]


@pytest.fixture
def opened(tmp_path):
    with ExitStack() as stack:

        def opened(**switches):
            account = Account("vantage", tmp_path, stack, lag=20, **switches)
            account.source.put(*account.stated())
            return account

        yield opened


def ends_well(account):
    report = account.run()
    assert (report.exit_code, report.verified) == (0, True), report.to_data()
    return report


def at_once(account):
    """A run with no time between; it ends well, and this is what it wrote."""
    before = len(account.served.log)
    ends_well(account)
    return [call["method"] for call in account.served.log[before:] if call["method"] != "GET"]


def held(account):
    """Name → what hangs below it, by name."""
    names = {row["token"]: row["name"] for row in account.rows()}
    return {
        row["name"]: sorted(names[each] for each in row["child_budget_tokens"])
        for row in account.rows()
    }


def amounts(account):
    return {
        row["name"].removeprefix("Travel / "): row["periods"][0]["amount"]
        for row in account.rows()
        if not row["child_budget_tokens"]
    }


def second(account, amount=50):
    """A share for somebody else, of the same budget."""
    _, share = account.stated()
    other = Entity("account", "6200")
    return replace(share, ref="S-more", entity=other, amount=Amount.of(amount, "USD"))


def drop(account, kind, ref):
    """The source states it no more, nor what is below it."""
    (page,) = account.source.list(kind)
    account.source.drop(next(each.id for each in page.items if each.model.ref == ref))


@pytest.mark.parametrize("silent", [False, True])
def test_a_first_run_ends_well_and_so_does_one_at_once_after_it(opened, silent):
    account = opened(silent=silent)
    ends_well(account)
    assert at_once(account) == []
    assert sorted(held(account)) == MADE


def test_a_share_that_comes_at_once_takes_none_from_its_place(opened):
    account = opened()
    ends_well(account)
    account.source.put(second(account))
    assert at_once(account) == ["POST", "PUT", "PUT"]
    assert held(account)["Travel"] == [*MADE[1:], "Travel / account:6200"]
    assert amounts(account)["(unallocated)"] == "850.0"


def test_what_was_changed_is_read_by_its_id(opened):
    account = opened()
    ends_well(account)
    account.sleep(60)
    _, share = account.stated()
    account.source.put(replace(share, amount=Amount.of(200, "USD")))
    ends_well(account)
    assert amounts(account) == {"(unallocated)": "800.0", "account:6100": "200.0"}


def test_a_share_that_was_removed_is_gone_though_it_is_listed(opened):
    account = opened()
    account.source.put(second(account))
    ends_well(account)
    account.sleep(60)
    drop(account, Kind.ALLOCATION, "S-more")
    ends_well(account)
    assert held(account)["Travel"] == MADE[1:]


def test_a_budget_that_is_removed_at_once_takes_its_rest_along(opened):
    account = opened()
    ends_well(account)
    drop(account, Kind.BUDGET, "B-Travel")
    account.run()
    assert account.rows() == []


@pytest.mark.parametrize("lost", [1, 2, 3], ids=["share", "rest", "place"])
@pytest.mark.parametrize("reads", [False, True])
def test_what_was_made_without_an_answer_is_made_once(opened, lost, reads):
    account = opened(lag_reads=reads)
    account.served.faults.add("lost_answer", writes=True, skip=lost)
    ends_well(account)
    assert sorted(row["name"] for row in account.rows()) == MADE
    assert held(account)["Travel"] == MADE[1:]


def test_an_alert_that_is_not_listed_yet_is_read_by_its_id(opened):
    account = opened()
    budget, share = account.stated()
    alert = Alert(Decimal(80), recipients=("ada@example.com",))
    account.source.put(replace(budget, alerts=(alert,)), share)
    ends_well(account)
    assert at_once(account) == []


def test_what_answers_do_not_name_is_neither_lost_nor_made_twice_while_it_is_hidden(opened):
    account = opened(silent=True)
    ends_well(account)
    before = held(account)
    account.source.put(second(account))
    account.run()  # where no answer names the rest, nobody can tell yet what is left
    assert held(account) == before
    account.sleep(60)
    ends_well(account)
    assert held(account)["Travel"] == [*MADE[1:], "Travel / account:6200"]


@pytest.mark.parametrize("reads", [False, True])
def test_a_rest_that_an_update_made_is_not_made_again_by_the_process_that_comes_next(opened, reads):
    account = opened(lag_reads=reads)
    budget, share = account.stated()
    account.source.put(budget, replace(share, amount=Amount.of(1000, "USD")))
    ends_well(account)
    account.sleep(60)
    account.source.put(budget, replace(share, amount=Amount.of(900, "USD")))
    account.run()
    account.source.put(budget, replace(share, amount=Amount.of(800, "USD")))
    account.run()
    account.sleep(60)
    ends_well(account)
    assert sorted(row["name"] for row in account.rows()) == MADE
    assert amounts(account) == {"(unallocated)": "200.0", "account:6100": "800.0"}
