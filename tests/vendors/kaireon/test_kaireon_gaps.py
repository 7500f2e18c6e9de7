"""Rows that somebody takes away or changes are put back, whichever period they are of."""

import pytest

from tests.vendors.kaireon.stated import budget, share, told

YEAR = {"start": "2026-01-01", "end": "2026-12-31"}


def without(tenant, key, scope=None):
    """Somebody deletes the rows of that period."""
    table = tenant.served.state["budgets"]
    for row in tenant.rows():
        if row["periodKey"] == key and scope in (None, row["scope"]):
            table.remove(row["id"])


@pytest.mark.parametrize("scope", ["global", "channel"])
@pytest.mark.parametrize("key", ["2026-01", "2026-02", "2026-03", "2026-04", "2026-12"])
def test_a_row_that_is_deleted_is_made_again(mirror, tenant, scope, key):
    stated = budget(**YEAR, allocations=(share("A"),))
    assert mirror(stated)[0].verified
    before = told(tenant)
    without(tenant, key, scope)
    assert len(mirror.planned().changes) == 1
    assert not mirror.verified().agree
    report, writes = mirror(stated)
    assert (report.verified, writes, told(tenant)) == (True, ["POST"], before)


@pytest.mark.parametrize("scope", ["global", "channel"])
def test_without_a_start_the_row_of_today_is_missed(mirror, tenant, scope):
    stated = budget(start=None, end="2026-12-31", allocations=(share("A"),))
    assert mirror(stated)[0].verified
    before = told(tenant)
    without(tenant, "2026-03", scope)
    assert not mirror.verified().agree
    assert mirror(stated)[0].verified
    assert told(tenant) == before


def test_a_passed_row_of_an_allocation_that_is_not_as_agreed_is_put_right(mirror, tenant):
    stated = budget(**YEAR, allocations=(share("A"),))
    mirror(stated)
    share_of_january = next(
        row for row in tenant.rows() if (row["scope"], row["periodKey"]) == ("channel", "2026-01")
    )
    tenant.edit(share_of_january["id"], maxSpend=7)
    assert not mirror.verified().agree
    report, writes = mirror(stated)
    assert (report.verified, writes) == (True, ["PUT"])
