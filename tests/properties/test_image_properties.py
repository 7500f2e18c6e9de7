"""Images: an object that is made again from its facts has the same facts."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canonical.allocation import Alert, Allocation, Enforcement, Entity, Status
from canonical.amount import Amount
from canonical.budget import Budget
from canonical.compare import Baseline
from canonical.facts import facts
from canonical.image import NotWhole, image_of, is_whole, model_from
from canonical.kind import FIELDS, Kind, kind_of
from canonical.period import Cadence, Period
from canonical.phase import Phase

WORDS = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), min_size=1, max_size=8)
NAMES = WORDS.filter(lambda text: bool(text.strip()))
DAYS = st.dates(date(2020, 1, 1), date(2030, 12, 31))
UNITS = st.sampled_from(["USD", "JPY", "KWD"])


@st.composite
def phases(draw, unit):
    day, found = draw(DAYS), []
    for _ in range(draw(st.integers(0, 3))):
        end = day + timedelta(days=draw(st.integers(0, 90)))
        found.append(Phase(Period(day, end), draw(amounts(unit))))
        day = end + timedelta(days=draw(st.integers(1, 40)))
    return tuple(found)


def amounts(unit):
    numbers = st.decimals(-1000, 100_000, places=2)
    return numbers.map(lambda number: Amount.of(number, unit))


ALERTS = st.builds(
    Alert,
    st.decimals("0.1", 500, places=1),
    st.booleans(),
    st.lists(NAMES, max_size=2, unique=True).map(tuple),
)
SAID = {
    "status": st.sampled_from(Status),
    "start": st.none() | DAYS,
    "end": st.none() | DAYS,
    "enforcement": st.none() | st.sampled_from(Enforcement),
    "carry_over": st.none() | st.booleans(),
    "alerts": st.none() | st.lists(ALERTS, max_size=2).map(tuple),
}


@st.composite
def budgets(draw):
    unit = draw(UNITS)
    return Budget(
        ref="B",
        name=draw(NAMES),
        amount=draw(amounts(unit)),
        phases=draw(phases(unit)),
        cadence=draw(st.sampled_from(Cadence)),
        description=draw(st.none() | WORDS),
        limits=draw(st.lists(st.builds(Amount.of, st.integers(0, 99), UNITS), max_size=2).map(tuple)),
        parent=draw(st.none() | NAMES),
        owners=draw(st.none() | st.lists(NAMES, max_size=3).map(tuple)),
        dimensions=draw(st.dictionaries(NAMES, WORDS, max_size=2)),
        **{name: draw(values) for name, values in SAID.items()},
    )  # fmt: skip


@st.composite
def allocations(draw):
    unit = draw(UNITS)
    return Allocation(
        ref="A",
        budget="B",
        entity=Entity("account", draw(WORDS)),
        amount=draw(amounts(unit)),
        phases=draw(phases(unit)),
        cadence=draw(st.none() | st.sampled_from(Cadence)),
        **{name: draw(values) for name, values in SAID.items()},
    )


def image(model):
    return dict(zip(FIELDS[kind_of(model)], facts(model), strict=True))


def lasts(model):
    """Whether it ends no earlier than it starts, as all that is written does."""
    return model.start is None or model.end is None or model.start <= model.end


@given((budgets() | allocations()).filter(lasts))
def test_what_is_made_of_an_image_has_the_same_facts(model):
    kind = kind_of(model)
    assert facts(model_from(kind, model.ref, "B", image(model))) == facts(model)


@given(budgets())
def test_an_image_in_our_own_spelling_still_tells_what_money_was_there(observed):
    there = facts(observed)
    said = tuple(None if value is None else f"ours {value}" for value in there)
    found = image_of(Kind.BUDGET, there, Baseline(said, there))
    assert found["amount"] == image(observed)["amount"]
    assert found["name"] == f"ours {image(observed)['name']}"


@pytest.mark.parametrize(
    "broken",
    [
        {"amount": "a lot"},
        {"status": "asleep"},
        {"end": "tomorrow"},
        {"start": "2026-02-01", "end": "2026-01-31"},
        {"name": None},
        {"phases": (("2026-01-01..2026-01-31", "1.00", "more"),)},
        {"currency": None, "phases": (("2026-01-01..2026-01-31", "1.00"),)},
    ],
    ids=str,
)
def test_what_makes_no_object_is_not_guessed(broken):
    whole = image(Budget(ref="B", name="Travel", amount=Amount(Decimal(5), "USD")))
    with pytest.raises(NotWhole):
        model_from(Kind.BUDGET, "B", "", whole | broken)


def test_a_part_of_an_object_is_no_whole_one():
    assert not is_whole(Kind.BUDGET, {"status": "active"})
    with pytest.raises(NotWhole):
        model_from(Kind.BUDGET, "B", "", {"status": "active"})
