"""A plan is cut into waves: each object in one, and what hangs together in the same."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canonical.change import Change
from canonical.kind import Kind, Op
from sync.waves import cut, marks_of


def budget(ref: str, **more: object) -> Change:
    return Change(op=Op.CREATE, kind=Kind.BUDGET, ref=ref, **more)  # type: ignore[arg-type]


def share(ref: str, of: str) -> Change:
    return Change(op=Op.CREATE, kind=Kind.ALLOCATION, ref=ref, budget_ref=of)


@given(st.lists(st.integers(0, 4), max_size=12), st.sampled_from(["1%,10%,100%", "2,7,100%"]))
def test_each_object_is_in_one_wave_and_a_share_in_that_of_its_budget(
    shares: list[int], said: str
) -> None:
    changes = [budget(f"B{number}") for number in range(len(shares))]
    changes += [
        share(f"A{n}", f"B{number}") for number, many in enumerate(shares) for n in range(many)
    ]

    waves = cut(changes, marks_of(said))

    assert sorted(e.key for _, wave in waves for e in wave) == sorted(e.key for e in changes)
    homes = [{each.budget_ref or each.ref for each in wave} for _, wave in waves]
    assert sum(map(len, homes)) == len(shares)


def test_what_takes_a_name_is_in_the_wave_of_what_gives_it_up() -> None:
    taker = budget("A", after=((Kind.BUDGET, "", "Z"),))

    waves = cut([taker, budget("M"), budget("Z")], marks_of("1,100%"))

    assert [[each.ref for each in wave] for _, wave in waves] == [["A", "Z"], ["M"]]


def test_what_is_in_place_counts_towards_the_marks() -> None:
    waves = cut([budget("X"), budget("Y")], marks_of("10%,50%,100%"), done=2)

    assert [(str(mark), len(wave)) for mark, wave in waves] == [("100%", 2)]


@pytest.mark.parametrize("said", ["", "0%", "101%", "1.5", "10%,5%", "ten", "NaN", "-1", "1_0"])
def test_a_mark_that_is_none_is_refused(said: str) -> None:
    with pytest.raises(ValueError, match="wave"):
        marks_of(said)
