"""The table of figures: medians of each side, and the ratio of the two."""

from benchmarks.figures import Figure, heading


def test_each_side_has_the_median_of_its_rounds():
    assert Figure("x", [[9, 1], [2, 3], [3, 2]]).middle() == [3, 2]


def test_the_ratio_is_the_median_of_the_rounds_own():
    # the second round was slow for both sides, and says the same as the others
    assert Figure("x", [[2, 1], [200, 100], [4, 2]]).ratio() == 0.5


def test_a_row_shows_both_sides_and_their_ratio():
    assert Figure("plan, s", [[2000.0, 1.5]]).line(2).split() == [
        "plan,",
        "s",
        "2,000.0",
        "1.5",
        "0.00",
    ]


def test_what_is_no_sides_own_stands_in_the_last_column_of_figures():
    columns = heading(["d19d797", "now"])
    row = Figure("plain", [[7.0]]).line(2)
    assert row.endswith("7.0")
    assert len(row) == columns.index("now") + len("now")


def test_a_single_side_has_no_ratio():
    assert heading(["now"]).split() == ["now"]
    assert Figure("x", [[1.25]], digits=2).line(1).split() == ["x", "1.25"]
