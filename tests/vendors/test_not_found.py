"""At every vendor: one answer "not found" to a listing, or to a read of what is listed, proves
nothing."""

from contextlib import ExitStack

import pytest

from tests.vendors.every_vendor import SHARED, SHARES, Account


@pytest.fixture(params=SHARED)
def account(request, tmp_path):
    with ExitStack() as stack:
        yield Account(request.param, tmp_path, stack)


@pytest.mark.parametrize("nth", [0, 1, 2])
def test_a_read_that_is_not_found_makes_nothing_anew(account, nth):
    account.source.put(*account.stated())
    assert account.run().verified
    before = account.rows(), account.rows(SHARES[account.name])
    account.sleep(24 * 3600)  # on a new day all is read again
    account.served.faults.add("error_before", method="GET", status=404, skip=nth, times=1)
    report = account.run()
    assert report.operations == []
    assert (account.rows(), account.rows(SHARES[account.name])) == before
    account.served.faults.clear()
    assert account.run().verified
