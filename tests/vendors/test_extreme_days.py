"""The edges of the calendar at every vendor, both ways: what cannot be reckoned with is blocked or a
problem by itself, whatever stands beside it is written and agreed.
"""

from contextlib import ExitStack
from copy import deepcopy
from datetime import date, timedelta
from itertools import count

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from canonical.amount import Amount
from canonical.budget import Budget, Phase
from canonical.period import Cadence, Period
from tests.examples import examples
from tests.vendors.every_vendor import SHARED, Account

EDGES = [
    date.min, date(1, 12, 31), date(4, 2, 29), date(1970, 1, 1), date(2024, 2, 29),
    date(2025, 12, 31), date(2026, 1, 1), date(2026, 3, 15), date(2028, 2, 29), date(2149, 12, 31),
    date(2150, 1, 1), date(9999, 1, 1), date(9999, 12, 30), date.max,
]  # fmt: skip
HUNDRED = Amount.of(100, "USD")
PLAIN = {"cadence": Cadence.MONTHLY, "start": date(2026, 3, 1), "end": date(2026, 3, 31)}
OURS = st.sampled_from([None, *EDGES])
SERIAL = count(101)
SLOW = {"deadline": None, "suppress_health_check": list(HealthCheck)}

VENDORS = [
    pytest.param(each, marks=pytest.mark.faults) if each == "kaireon" else each for each in SHARED
]  # a call for each row: it takes as long as all the others


@st.composite
def odd(draw):
    """A budget whose days are at the edges, perhaps the wrong way round."""
    phases, days = [], sorted(draw(st.sets(st.sampled_from(EDGES), max_size=4)))
    for index, first in enumerate(days):
        last = days[index + 1] - timedelta(days=1) if index + 1 < len(days) else None
        end = draw(st.sampled_from([first, last]))
        phases.append(Phase(Period(first, end), Amount.of(draw(st.integers(1, 9)), "USD")))
    return {
        "amount": draw(st.sampled_from([HUNDRED, None])) if phases else HUNDRED,
        "cadence": draw(st.sampled_from(Cadence)),
        "start": draw(OURS), "end": draw(OURS), "phases": tuple(phases),
    }  # fmt: skip


@pytest.fixture(scope="module")
def accounts(tmp_path_factory):
    """An account at each vendor, with one plain budget in it."""
    opened = {}
    with ExitStack() as stack:

        def account(vendor):
            if vendor not in opened:
                made = Account(vendor, tmp_path_factory.mktemp(vendor), stack)
                made.source.put(Budget(ref="z", name="Z", amount=HUNDRED, **PLAIN))
                assert made.run().verified
                opened[vendor] = made
            return opened[vendor]

        yield account


def _plain():
    return Budget(ref="z", name="Z", amount=Amount.of(next(SERIAL), "USD"), **PLAIN)


def goes_on(report, expected):
    """Nothing stops the run, and the plain budget is written."""
    assert report.error is None
    assert not report.plan.uncertain
    assert "mistake in Trueup" not in str(report.to_data())
    assert expected in {each.ref for each in report.operations if each.outcome == "applied"}


@pytest.mark.parametrize("vendor", VENDORS)
@settings(max_examples=examples(3), **SLOW)
@given(said=st.lists(odd(), min_size=3, max_size=6))
@example(said=[{"amount": HUNDRED, "start": date.max, "end": date.min}])
def test_what_is_stated_at_the_edges_never_stops_the_others(accounts, vendor, said):
    account = accounts(vendor)
    plain = _plain()
    for index, each in enumerate(said):
        if vendor == "kaireon":
            each = each | {"cadence": Cadence.YEARLY}  # a call for each row
        account.source.put(Budget(ref=f"{index}", name=f"N{index}", **each))
    account.source.put(plain)
    goes_on(account.run(), "z")


def vtex(row, first, last):
    row["cycleConfiguration"] |= {"startDate": f"{first}T00:00:00Z", "endDate": f"{last}T00:00:00Z"}


def brex(row, first, last):
    row |= {"start_date": str(first), "end_date": str(last)}


def bill(row, first, last):
    row |= {"startDate": str(first), "expirationDate": str(last)}
    row["currentPeriod"] |= {"startDate": str(first), "endDate": str(last)}


def vantage(row, first, last):
    row["periods"] = [{"start_at": str(first), "end_at": str(last), "amount": "5.0"}]


def kaireon(row, first, last):
    row |= {"periodType": "monthly", "periodKey": str(first)[:7]}  # of days, each is a call


THEIRS = {"vtex": vtex, "brex": brex, "bill": bill, "vantage": vantage, "kaireon": kaireon}
ID = {"vtex": "id", "brex": "budget_id", "bill": "id", "vantage": "token", "kaireon": "id"}


@pytest.mark.parametrize("vendor", VENDORS)
@settings(max_examples=examples(4), **SLOW)
@given(first=st.sampled_from(EDGES), last=st.sampled_from(EDGES), again=st.booleans())
@example(first=date.max, last=date.min, again=False)
@example(first=date.min, last=date.max, again=True)
def test_what_a_vendor_shows_at_the_edges_never_stops_the_others(
    accounts, vendor, first, last, again
):
    account = accounts(vendor)
    plain = next(row for row in account.rows() if row["name"] == "Z")
    strange = deepcopy(plain) | {ID[vendor]: f"{plain[ID[vendor]]}x", "name": "Odd"}
    THEIRS[vendor](strange, first, last)
    account.served.state["budgets"].put(strange)
    if again:  # what is odd is wanted too, and so met
        account.source.put(Budget(ref="o", name="Odd", amount=HUNDRED, start=first, end=last))
    account.source.put(_plain())
    goes_on(account.run(), "z")
