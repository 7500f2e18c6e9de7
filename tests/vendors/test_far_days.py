"""An ERP's "no end", and starts of long ago, at every vendor: written, agreed, and never a fault."""

from contextlib import ExitStack
from datetime import date

import pytest

from canonical.amount import Amount
from canonical.budget import Budget, Phase
from canonical.period import Cadence, Period
from tests.vendors.every_vendor import SHARED, Account

HUNDRED, MORE = Amount.of(100, "USD"), Amount.of(200, "USD")
NEVER = date.max


@pytest.mark.parametrize("vendor", SHARED)
def test_an_end_that_never_comes_is_open_and_stops_nothing(vendor, tmp_path):
    with ExitStack() as stack:
        account = Account(vendor, tmp_path, stack)
        from_now = Period(date(2026, 3, 1), NEVER)
        plain = {"cadence": Cadence.MONTHLY, "amount": HUNDRED, "end": NEVER}
        account.source.put(
            Budget(ref="a", name="A", start=date(2026, 3, 1), **plain),
            Budget(ref="b", name="B", start=date(2026, 1, 1), phases=_phases(from_now), **plain),
        )
        report = account.run()
        assert report.verified
        assert report.error is None


def _phases(last):
    return (
        Phase(Period(date(2026, 1, 1), date(2026, 2, 28)), HUNDRED),
        Phase(last, MORE),
    )


@pytest.mark.parametrize("vendor", SHARED)
def test_the_edges_of_the_calendar_never_leave_a_write_uncertain(vendor, tmp_path):
    with ExitStack() as stack:
        account = Account(vendor, tmp_path, stack)
        for cadence in Cadence:
            for start in (date.min, date(2149, 12, 31), date.max):
                ref = f"{cadence} {start}"
                account.source.put(
                    Budget(ref=ref, name=ref, amount=HUNDRED, cadence=cadence, start=start)
                )
        account.source.put(Budget(ref="z", name="Z", amount=HUNDRED, cadence=Cadence.MONTHLY,
                                  start=date(2026, 3, 1)))  # fmt: skip
        report = account.run()
        assert report.error is None
        assert not report.plan.uncertain
        assert {each.ref for each in report.operations if each.ref == "z"} == {"z"}
