"""When an amount counts: the grammar of headers, dates, fiscal calendars, long and wide."""

import pytest

from connectors.layouts.loading import LayoutError
from tests.unit.test_connectors.layouts.laid_out import LONG, WIDE, amounts, made, problems, read


def months(folder, *headers, more="", cells=None):
    """The periods that those headers are read as, in their order."""
    cells = cells or [f"{number}.00" for number in range(1, len(headers) + 1)]
    text = f"Department;Account;{';'.join(headers)}\nA;1;{';'.join(cells)}\n"
    found = read(folder, text, more=more)
    return {**amounts(found).get("A", {}), **({"?": found.questions} if found.questions else {})}


HEADERS = {
    "Jan 2026": "2026-01", "January 2026": "2026-01", "jan-26": "2026-01", "Jan'26": "2026-01",
    "2026-01": "2026-01", "01/2026": "2026-01", "2026/01": "2026-01", "202601": "2026-01",
    "2026 M01": "2026-01", "Month ended Jan 2026": "2026-01", "Januar 2026": "2026-01",
    "janvier 2026": "2026-01", "enero 2026": "2026-01", "Budget Jan 2026": "2026-01",
    "Jan 2026 Budget": "2026-01", "2026-01-01": "2026-01", "31/01/2026": "2026-01",
    "Period end 1/31/26": "2026-01", "31.01.2026": "2026-01", "1 Jan 2026": "2026-01",
    "Q1 2026": "2026-Q1", "2026-Q1": "2026-Q1", "2026Q1": "2026-Q1", "FY2026": "2026",
    "FY 26": None, "FY26": "2026", "2026": "2026",
}  # fmt: skip


ENDS = {
    "Quarter ended Mar 2026": "2026-Q1", "Quarter Ending 31/03/2026": "2026-Q1",
    "Year ended Dec 2026": "2026", "Year end 30/06/2026": "2025-07-01/2026-06-30",
    "Quarter ended Feb 2026": "2025-12-01/2026-02-28", "Month ended Mar 2026": "2026-03",
    "Period ended Mar 2026": "2026-03",
}  # fmt: skip


@pytest.mark.parametrize(("header", "wanted"), ENDS.items())
def test_what_ended_with_a_month_is_as_long_as_it_says(tmp_path, header, wanted):
    assert months(tmp_path, header) == {wanted: "1.00"}


def test_the_form_of_a_layout_is_as_long_as_it_says_too(tmp_path):
    more = 'periods.headers = ["Quarter ended {mon} {yyyy}", "Month ended {mon} {yyyy}"]'
    assert months(tmp_path, "Quarter ended Mar 2026", more=more) == {"2026-Q1": "1.00"}
    headers = [f"Month ended {name} 2026" for name in ("Jan", "Feb", "Mar")]
    cells = ["1.00", "1.00", "1.00", "3.00"]
    found = months(tmp_path, *headers, "Quarter ended Mar 2026", more=more, cells=cells)
    assert [*found] == ["2026-01", "2026-02", "2026-03"]


def test_whether_the_year_stands_first_with_two_digits_is_asked(tmp_path):
    text = "Department,Date,Amount\nA,26-01-01,5.00\nA,26-02-01,6.00\n"
    (asked,) = read(tmp_path, text, LONG).open
    assert asked.setting == "dates.order"
    assert asked.readings == (
        "2001-01-26 with dates.order=dmy",
        "2026-01-01 with dates.order=ymd",
    )
    found = read(tmp_path, text, LONG, more='dates.order = "ymd"')
    assert amounts(found) == {"A": {"2026-01": "5.00", "2026-02": "6.00"}}
    ends = "Department,Date,Amount\nA,31.01.26,5.00\nA,28.02.26,6.00\n"
    assert [*amounts(read(tmp_path, ends, LONG))["A"]] == ["2026-01", "2026-02"]


@pytest.mark.parametrize(("header", "wanted"), HEADERS.items())
def test_a_header_names_its_period_in_many_forms(tmp_path, header, wanted):
    if wanted is not None:
        assert months(tmp_path, header) == {wanted: "1.00"}


def test_the_form_of_headers_is_said_by_a_template(tmp_path):
    more = 'periods.headers = "Plan ({mon}, {yyyy})"'
    assert months(tmp_path, "plan (jan, 2026)", "Actual (Jan, 2026)", more=more) == {
        "2026-01": "1.00"
    }
    with pytest.raises(LayoutError, match=r"\{day\} is no place of a form"):
        made(WIDE, 'periods.headers = "{day}"')


def test_numbered_columns_are_periods_of_the_year_in_a_column(tmp_path):
    text = "Year,Department,Account,Amount 1,Amount 2\nFY 2026,A,1,1.00,2.00\nFY2027,A,1,3.00,\n"
    found = read(tmp_path, text, more='periods.year = "Year"')
    assert amounts(found)["A"] == {"2026-01": "1.00", "2026-02": "2.00", "2027-01": "3.00"}
    assert any("the fiscal year starts in January" in note for note in found.notes)


def test_a_fiscal_year_that_starts_in_july_asks_for_its_name(tmp_path):
    text = "Year,Department,Account,Amount 1\nFY2026,A,1,1.00\n"
    more = 'periods.year = "Year"\nfiscal.starts = 7\n'
    (asked,) = read(tmp_path, text, more=more).questions
    assert asked.setting == "fiscal.named"
    assert asked.readings == (
        "2025-07-01..2026-06-30 with fiscal.named=end",
        "2026-07-01..2027-06-30 with fiscal.named=start",
    )
    ended = read(tmp_path, text, more=more + 'fiscal.named = "end"')
    assert amounts(ended) == {"A": {"2025-07": "1.00"}}


@pytest.mark.parametrize("year", ["2026/27", "FY2026-27", "2026-2027", "FY 26/27"])
def test_a_year_of_two_names_itself_and_only_its_month_is_asked(tmp_path, year):
    text = f"Department,Account,Year,Amount 1,Amount 12\nA,1,{year},1.00,2.00\n"
    more = 'periods.year = "Year"\n'
    (asked,) = read(tmp_path, text, more=more).questions
    assert asked.what.startswith(f"in which month fiscal year {year} starts")
    assert asked.setting == "fiscal.starts"
    wanted = {"A": {"2026-07": "1.00", "2027-06": "2.00"}}
    for named in ("", 'fiscal.named = "end"\n', 'fiscal.named = "start"\n'):
        found = read(tmp_path, text, more=more + named + "fiscal.starts = 7")
        assert amounts(found) == wanted, named
    found = read(tmp_path, text, more=more + "fiscal.starts = 1")
    assert "is two years, and fiscal.starts = 1 makes it one" in problems(found)[0]


def test_a_yearly_amount_far_to_the_right_or_of_a_year_of_two_is_spread(tmp_path):
    more = "periods.spread = [1, 1, 1, 1]\n"
    text = f"Department,Account,{','.join('abcdefghij')},FY2026\nA,1{',' * 11}8.00\n"
    found = read(tmp_path, text, more=more)
    assert amounts(found) == {"A": {f"2026-Q{number}": "2.00" for number in range(1, 5)}}
    long = 'amount = "Amount"\nperiods.year = "Year"\nfiscal.starts = 7\n'
    text = "Department,Account,Year,Amount\nA,1,2026/27,8.00\n"
    assert [*amounts(read(tmp_path, text, more=more + long))["A"]] == [
        "2026-Q3", "2026-Q4", "2027-Q1", "2027-Q2",
    ]  # fmt: skip


def test_months_by_name_alone_take_the_year_that_is_said(tmp_path):
    assert months(tmp_path, "Jan", "Feb", more='periods.year = "2026"') == {
        "2026-01": "1.00",
        "2026-02": "2.00",
    }
    fiscal = 'periods.year = "2026"\nfiscal = { starts = 7, named = "end" }'
    assert months(tmp_path, "Jul", "Jan", more=fiscal) == {"2025-07": "1.00", "2026-01": "2.00"}


def test_weeks_of_4_4_5_begin_on_the_days_that_are_said(tmp_path):
    more = 'periods.year = "2026"\nfiscal = { weeks = "4-4-5", begins = { 2026 = 2025-12-29 } }'
    assert months(tmp_path, "Period 1", "Period 3", "Period 12", more=more) == {
        "2025-12-29/2026-01-25": "1.00",
        "2026-02-23/2026-03-29": "2.00",
        "2026-11-23/2026-12-27": "3.00",
    }
    long_year = more.replace("2025-12-29 }", "2025-12-29, 2027 = 2027-01-04 }")
    assert "2026-11-23/2027-01-03" in months(tmp_path, "Period 12", more=long_year)


def test_a_year_of_weeks_without_its_first_day_is_told(tmp_path):
    text = "Department,Account,Period 1\nA,1,1.00\n"
    found = read(tmp_path, text, more='periods.year = "2026"\nfiscal.weeks = "4-4-5"')
    assert "on which day fiscal year 2026 begins is not said" in problems(found)[0]


def test_columns_that_add_up_others_are_not_counted(tmp_path):
    names = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
    headers = [f"{name} 2026" for name in names]
    quarters = [*headers[:3], "Q1 2026", *headers[3:], "FY2026"]
    cells = ["1.00"] * 3 + ["3.00"] + ["1.00"] * 9 + ["12.00"]
    found = months(tmp_path, *quarters, cells=cells)
    assert [*found] == [f"2026-{number:02d}" for number in range(1, 13)]


def test_the_total_of_a_fiscal_year_is_not_counted_either(tmp_path):
    names = ["Jul", "Aug", "Sep", "Oct", "Nov", "Dec", "Jan", "Feb", "Mar", "Apr", "May", "Jun"]
    headers = [f"{name} {2025 + (number > 5)}" for number, name in enumerate(names)]
    cells = ["1.00"] * 12 + ["12.00"]
    assert len(months(tmp_path, *headers, "FY2026", cells=cells)) == 12


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        (["", "", "", "9.00"], "says 9.00 and the columns that it adds up are blank"),
        (["1.00", "2.00", "", "9.00"], "says 9.00 and the columns that it adds up add up to 3.00"),
        (["", "", "", "12.500"], "cannot be read and the columns that it adds up are blank"),
    ],
)
def test_a_total_that_is_more_than_what_it_adds_up_is_told_and_not_lost(tmp_path, cells, said):
    headers = "Jan 2026;Feb 2026;Mar 2026;Q1 2026"
    text = f"Department;Account;{headers}\nA;1;{';'.join(cells)}\nB;1;1.00;1.00;1.00;3.00\n"
    found = read(tmp_path, text)
    assert [*amounts(found)] == ["B"]
    assert f"row 2, column F (Q1 2026): {said}; correct it, or" in problems(found)[0]
    left_out = read(tmp_path, text, more='ignore = "Q1 2026"')
    assert problems(left_out) == []


def test_a_total_may_be_blank_or_a_word_and_rounded_parts_may_miss_it(tmp_path):
    text = "Department;Account;Jan 2026;Feb 2026;Mar 2026;Q1 2026\nA;1;1.005;1.005;1.005;{}\n"
    for total in ("", "n/a", "3.02"):
        found = read(tmp_path, text.format(total), more='numbers = {decimal=".", round="cents"}')
        assert problems(found) == []


def test_columns_about_the_same_days_are_asked_about(tmp_path):
    (asked,) = months(tmp_path, "Jan 2026", "Q1 2026")["?"]
    assert asked.setting == "ignore"
    assert set(asked.readings) == {"ignore=Jan 2026", "ignore=Q1 2026"}
    assert months(tmp_path, "Jan 2026", "Q1 2026", more='ignore = "Q1 2026"') == {"2026-01": "1.00"}


def test_one_header_over_all_columns_counts_from_a_date(tmp_path):
    text = "Department,Account,AMOUNT,AMOUNT,START\nA,1,1.00,2.00,4/1/26\n"
    more = 'periods = { repeat = "Amount", begins = "start" }\ncolumns.start = "START"\n'
    (asked,) = read(tmp_path, text, more=more).questions
    assert asked.setting == "dates.order"
    found = read(tmp_path, text, more=more + 'dates.order = "mdy"')
    assert amounts(found) == {"A": {"2026-04": "1.00", "2026-05": "2.00"}}
    constant = 'periods = { repeat = "Amount", begins = 2026-01-01 }'
    assert amounts(read(tmp_path, text, more=constant)) == {
        "A": {"2026-01": "1.00", "2026-02": "2.00"}
    }


def test_an_ambiguous_date_in_a_header_is_asked_with_both_readings(tmp_path):
    (asked,) = months(tmp_path, "01-02-2026", "01-03-2026")["?"]
    assert asked.setting == "dates.order"
    assert asked.what == "which day 01 02 2026 is (and 1 more)"
    assert asked.readings == (
        "2026-02-01 with dates.order=dmy",
        "2026-01-02 with dates.order=mdy",
    )
    assert months(tmp_path, "01-02-2026", "01-03-2026", more='dates.order = "dmy"') == {
        "2026-02": "1.00",
        "2026-03": "2.00",
    }


def test_a_day_above_twelve_decides_for_all(tmp_path):
    assert months(tmp_path, "01-02-2026", "31-03-2026") == {"2026-02": "1.00", "2026-03": "2.00"}


def test_dates_that_begin_periods_say_by_their_distance_how_long_they_are(tmp_path):
    more = 'periods.dates_are = "start"'
    assert months(tmp_path, "2026-01-01", "2026-04-01", more=more) == {
        "2026-Q1": "1.00",
        "2026-Q2": "2.00",
    }
    (asked,) = months(tmp_path, "2026-01-01", more=more)["?"]
    assert asked.setting == "periods.step"


def test_long_dates_are_asked_about_unless_one_decides(tmp_path):
    text = "Department,Date,Amount\nA,01/02/2026,1.00\nA,03/02/2026,2.00\n"
    (asked,) = read(tmp_path, text, LONG).questions
    assert asked.readings[0] == "2026-02-01 with dates.order=dmy"
    decided = read(tmp_path, text + "A,02/28/2026,4.00\n", LONG)
    assert amounts(decided) == {"A": {"2026-01": "1.00", "2026-02": "4.00", "2026-03": "2.00"}}
    assert "dates are mdy: 02/28/2026 can be nothing else" in decided.notes


def test_a_likely_order_is_asked_about_where_the_dates_speak_against_it(tmp_path):
    rows = "".join(f"A,{day},1.00\n" for day in ("1/1/2026", "1/2/2026", "1/3/2026"))
    more = 'dates.likely = "mdy"'
    found = read(tmp_path, "Department,Date,Amount\n" + rows, LONG, more=more)
    assert found.questions[0].setting == "dates.order"
    turned = "".join(f"A,{day},1.00\n" for day in ("1/1/2026", "2/1/2026", "3/1/2026"))
    found = read(tmp_path, "Department,Date,Amount\n" + turned, LONG, more=more)
    assert list(amounts(found)["A"]) == ["2026-01", "2026-02", "2026-03"]
    assert any(note.startswith("taken for granted: dates are mdy") for note in found.notes)


def test_a_date_that_does_not_fit_the_order_is_told(tmp_path):
    text = "Department,Date,Amount\nA,01/31/2026,1.00\nB,01/02/2026,2.00\n"
    found = read(tmp_path, text, LONG, more='dates.order = "dmy"')
    assert amounts(found) == {"B": {"2026-02": "2.00"}}
    assert problems(found) == [
        (
            "budgets.csv row 2: '01/31/2026' is not a date in the order dmy; "
            "dates.order says how dates are read"
        )
    ]


def test_rows_from_start_to_end_keep_their_time(tmp_path):
    layout = LONG.replace('day = "date"', 'start = "From"\nend = "To"').replace(
        '\ndate = "Date"', ""
    )
    text = (
        "Department,From,To,Amount\nA,2026-01-01,2026-03-31,1.00\nB,2026-01-01,2026-12-31,2.00\n"
        "C,2026-01-05,2026-02-07,3.00\n"
    )
    assert amounts(read(tmp_path, text, layout)) == {
        "A": {"2026-Q1": "1.00"},
        "B": {"2026": "2.00"},
        "C": {"2026-01-05/2026-02-07": "3.00"},
    }


def test_a_period_of_a_number_that_no_year_has_is_told(tmp_path):
    layout = LONG.replace('day = "date"', 'number = "Period"\nyear = "Year"').replace(
        '\ndate = "Date"', ""
    )
    text = "Department,Year,Period,Amount\nA,2026,001,1.00\nB,2026,013,2.00\n"
    found = read(tmp_path, text, layout)
    assert amounts(found) == {"A": {"2026-01": "1.00"}}
    assert "period 13 is none of the year's twelve" in problems(found)[0]


def test_yearly_amounts_are_spread_by_ratios_and_no_cent_is_lost(tmp_path):
    layout = LONG.replace('day = "date"', 'year = "Year"\nspread = [1, 1, 1, 3]').replace(
        '\ndate = "Date"', ""
    )
    found = read(tmp_path, "Department,Year,Amount\nA,2026,100.00\n", layout)
    assert amounts(found) == {
        "A": {"2026-Q1": "16.67", "2026-Q2": "16.67", "2026-Q3": "16.66", "2026-Q4": "50.00"}
    }


def test_one_period_for_the_whole_file(tmp_path):
    layout = LONG.replace('day = "date"', 'whole = "FY2026"').replace('\ndate = "Date"', "")
    assert amounts(read(tmp_path, "Department,Amount\nA,5.00\n", layout)) == {"A": {"2026": "5.00"}}


def test_amounts_of_a_budget_whose_times_overlap_are_told(tmp_path):
    layout = LONG.replace('day = "date"', 'name = "date"')
    text = "Department,Date,Amount\nA,Jan 2026,1.00\nA,2026,2.00\nB,2026,3.00\n"
    found = read(tmp_path, text, layout)
    assert amounts(found) == {"B": {"2026": "3.00"}}
    assert "which overlap" in problems(found)[0]


def test_columns_among_the_periods_that_name_none_are_told(tmp_path):
    text = "Department,Account,Jan 2026,Adjustment,Feb 2026,Total\nA,1,1.00,5.00,2.00,8.00\n"
    found = read(tmp_path, text, more='ignore = "Total"')
    said = "not read, though they stand among the columns of periods: D (Adjustment)"
    assert said in found.notes
    assert read(tmp_path, text, more='ignore = ["Total", "Adjustment"]').notes == []


@pytest.mark.parametrize("day", ["9999-12-31", "31.12.9999"])
def test_a_day_at_the_end_of_the_calendar_is_told_with_its_row(tmp_path, day):
    text = f"Department,Date,Amount\nA,2026-01-31,1.00\nB,{day},2.00\n"
    found = read(tmp_path, text, LONG)
    assert problems(found) == ["budgets.csv row 3: 9999-12 is at the end of the calendar, no time"]
    assert [*amounts(found)] == ["A"]


def test_a_quarter_before_the_calendar_is_told(tmp_path):
    text = "Department,Account,Quarter ended 0001-01-31\nA,1,1.00\n"
    assert "is at the begin of the calendar" in problems(read(tmp_path, text))[0]
