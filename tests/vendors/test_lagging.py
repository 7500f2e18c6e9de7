"""At every vendor: whose listings, or reads too, are behind all writes, there is no twin."""

from contextlib import ExitStack

import pytest
from msgspec import structs

from canonical.amount import Amount
from canonical.kind import Kind
from tests.vendors.every_vendor import SHARED, Account

BEHIND = pytest.mark.parametrize(
    "switches", [{}, {"lag_reads": True}], ids=["listings lag", "reads lag too"]
)


@pytest.fixture(params=SHARED)
def opened(request, tmp_path):
    with ExitStack() as stack:

        def opened(lag=20, **switches):
            folder = tmp_path / str(lag)
            folder.mkdir()
            account = Account(request.param, folder, stack, lag=lag, **switches)
            account.source.put(*account.stated())
            return account

        yield opened


def records(account):
    return sorted(row.split()[0] for row in account.served.state.records())


def settled(account):
    """Run until a run is verified."""
    reports = [account.run()]
    while not reports[-1].verified and len(reports) < 4:
        account.sleep(30)
        reports.append(account.run())
    assert reports[-1].verified, reports[-1].to_data()
    return reports


@pytest.mark.sampled(2)
@BEHIND
@pytest.mark.parametrize("nth", [0, 1, pytest.param(2, marks=pytest.mark.faults)])
def test_a_create_whose_answer_is_lost_is_made_once(opened, switches, nth):
    whole = opened(lag=0)
    assert whole.run().verified
    account = opened(**switches)
    account.served.faults.add("lost_answer", writes=True, skip=nth)
    settled(account)
    assert records(account) == records(whole)
    account.sleep(60)
    assert account.run().operations == []


@BEHIND
def test_what_was_written_is_not_written_again(opened, switches):
    account = opened(**switches)
    settled(account)
    before = len(account.served.log)
    account.sleep(60)
    report = account.run()
    assert (report.operations, report.verified) == ([], True)
    assert {call["method"] for call in account.served.log[before:]} <= {"GET"}


@pytest.mark.sampled(2)
@BEHIND
@pytest.mark.parametrize("changes", [True, False], ids=["changed", "removed"])
def test_what_was_changed_or_removed_is_seen_in_the_end(opened, switches, changes):
    account = opened(**switches)
    settled(account)
    account.sleep(60)
    _, share = account.stated()
    if changes:
        account.source.put(structs.replace(share, amount=Amount.of(200, "USD")))
    else:
        (page,) = account.source.list(Kind.ALLOCATION)
        account.source.drop(page.items[0].id)
    settled(account)
    account.sleep(60)
    account.run()  # a removal may be said once more, where it was still seen when it was verified
    report = account.run()
    assert (report.operations, report.verified) == ([], True)
