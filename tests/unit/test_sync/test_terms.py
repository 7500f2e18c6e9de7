"""Terms: found once for shares that say the same, and anew for each that says anything else."""

from datetime import date
from decimal import Decimal

import pytest
from msgspec.structs import replace

from canonical.allocation import Alert, Allocation, Enforcement, Entity, Status
from canonical.period import Cadence
from connectors.contract.capabilities import Capabilities, Hold
from sync.terms import ShareTerms

ABLE = Capabilities(
    vendor="shop",
    budget={},
    allocation={"entity": Hold.EMULATED, "end": Hold.EXACT, "enforcement": Hold.EXACT},
    native_entity_types=frozenset({"user"}),
    statuses=frozenset({Status.ACTIVE}),
    enforcements=frozenset({Enforcement.HARD}),
)
SHARE = Allocation(ref="S", budget="B", entity=Entity("user", "ada"), amount=None)
DAY = date(2026, 3, 1)


def is_far(cadence, start, end):
    return cadence is Cadence.DAILY and start == DAY and end is not None


@pytest.mark.parametrize(
    "said",
    [
        {"entity": Entity("team", "ada")},
        {"status": Status.INACTIVE},
        {"cadence": Cadence.MONTHLY},
        {"start": date(2026, 4, 1)},
        {"enforcement": Enforcement.SOFT},
        {"carry_over": True},
        {"alerts": (Alert(Decimal(80)),)},
    ],
    ids=lambda said: next(iter(said)),
)
def test_a_share_that_says_anything_else_has_terms_of_its_own(said):
    terms = ShareTerms(ABLE, is_far)
    terms.of(SHARE)
    other = replace(SHARE, **said)
    assert terms.of(other) == ShareTerms(ABLE, is_far).of(other) != terms.of(SHARE)


def test_an_end_is_far_by_cadence_start_and_end():
    terms = ShareTerms(ABLE, is_far)
    far = replace(SHARE, cadence=Cadence.DAILY, start=DAY, end=date(2140, 1, 1))
    near = [replace(far, end=None), replace(far, start=None), replace(far, cadence=Cadence.WEEKLY)]
    assert ["end" in terms.of(each).changed for each in (far, *near)] == [True, False, False, False]


def test_whom_a_share_is_for_and_its_amount_make_no_difference():
    terms = ShareTerms(ABLE, is_far)
    other = replace(SHARE, ref="T", budget="C", entity=Entity("user", "bob"))
    assert terms.of(other) is terms.of(SHARE)
