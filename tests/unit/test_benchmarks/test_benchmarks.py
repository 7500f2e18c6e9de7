"""The benchmarks themselves, on a few budgets: they run, and count what they say they count."""

from benchmarks import allocations, layouts, listing
from benchmarks.sides import NOW


def test_a_listing_is_measured_plainly_and_through_each_side():
    plain, ours, times = listing.figures([NOW, NOW], budgets=3, rounds=1)
    assert [len(each.rounds[0]) for each in (plain, ours, times)] == [1, 2, 2]


def test_an_adopted_erp_is_planned_without_a_change():
    figures = [*allocations.figures([NOW], budgets=1, shares=1, rounds=1)]
    assert [each.what.partition(",")[0] for each in figures] == [
        "first plan",
        "first plan",
        "plan unchanged",
        "plan unchanged",
    ]


def test_files_of_each_form_are_read_by_their_layouts():
    figures = [*layouts.figures([NOW], rows=24, rounds=1)]
    assert [each.what.split(", ")[1] for each in figures[::2]] == [
        "wide csv",
        "long csv",
        "long xlsx",
    ]
