"""Amounts as files write them: exact, with their sign, and asked about where they may be two."""

import pytest

from connectors.layouts.language import Numbers
from connectors.layouts.numbers import NumberForm, Unclear, plain_text
from connectors.rows.layout import Wrong
from tests.unit.test_connectors.layouts.laid_out import WIDE, amounts, problems, read


def value(text, digits=2, **said):
    found = NumberForm(Numbers(**said), digits).read(text)
    return None if found is None else plain_text(found, digits)


CLEAR = {
    "1234.50": "1234.50", "1234,50": "1234.50", "1,234.50": "1234.50", "1.234,50": "1234.50",
    "1.863.577,00": "1863577.00", "1,863,577": "1863577.00", "1 234,50": "1234.50",
    "1'234.50": "1234.50", "12,34,567.89": "1234567.89", "7": "7.00", "0.125": None,
    "75,50-": "-75.50", "-75.50": "-75.50", "−75.50": "-75.50", "(120.05)": "-120.05",
    "$1,234.50": "1234.50", "-$5.00": "-5.00", "($5.00)": "-5.00", "1.234,50 €": "1234.50",
    "USD 5.25": "5.25", "+5.00": "5.00", "5287.430000": "5287.43", ".50": "0.50", "12345.678": None,
    "0": "0.00", "-0.00": "0.00",
}  # fmt: skip


@pytest.mark.parametrize(("text", "wanted"), CLEAR.items(), ids=lambda each: repr(each))
def test_an_amount_with_one_reading_is_read_whatever_its_signs(text, wanted):
    if wanted is None:
        with pytest.raises(Wrong, match=r"more decimals than the 2.*numbers\.round"):
            value(text)
    else:
        assert value(text) == wanted


@pytest.mark.parametrize("text", ["1'250.-", "1.250,-", "1'250.—", "1.250,-- €", "CHF 1250.–"])
def test_a_stroke_in_the_place_of_cents_is_no_minus(text):
    assert value(text) == "1250.00"
    assert value(f"-{text}" if text[0].isdigit() else "CHF -1250.-") == "-1250.00"


@pytest.mark.parametrize("text", ["12.500", "1,234", "-1.000", "(9,999)", "$100.000"])
def test_an_amount_with_two_readings_is_refused_with_both(text):
    with pytest.raises(Unclear, match=r'may be .* or .*numbers\.decimal = "\." or ","'):
        value(text)


def test_the_layout_says_which_of_two_readings_it_is():
    assert value("12.500", decimal=".") == "12.50"
    assert value("12.500", decimal=",") == "12500.00"
    assert value("1,234", thousands=",") == "1234.00"
    assert value("1.234,5", decimal=",") == "1234.50"


@pytest.mark.parametrize("text", ["n/a", "12a", "1.2.3,4", "--5", "12..5", "1,23.4,5", "1e5", "€"])
def test_what_is_no_amount_is_told_and_never_blank(text):
    with pytest.raises(Wrong, match="is not an amount"):
        value(text)


@pytest.mark.parametrize("text", ["5,00CR", "5.00 DR", "5,00 x"])
def test_what_has_letters_is_not_laid_to_the_decimal_sign(text):
    with pytest.raises(Wrong, match=r"is not an amount$"):
        value(text)


def test_another_decimal_sign_than_the_layout_says_is_told_with_the_setting():
    with pytest.raises(
        Wrong, match=r"'-3033,46' is not an amount whose decimal sign is \.; numbers"
    ):
        value("-3033,46", decimal=".")


def test_a_blank_says_nothing_and_zero_says_zero():
    assert value("") is None
    assert value("   ") is None
    assert value("", blank="zero") == "0.00"
    assert value("n/a", none=("N/A",)) is None
    assert value("-", zero=("-",)) == "0.00"


def test_a_sign_of_minus_one_turns_spending_round():
    assert value("-75.50", sign=-1) == "75.50"
    assert value("75.50", sign=-1) == "-75.50"


def test_what_is_finer_than_the_currency_is_rounded_only_where_that_is_said():
    form = NumberForm(Numbers(round="cents", decimal="."))
    assert plain_text(form.read("0.125") or 0) == "0.12"
    assert plain_text(form.read("0.135") or 0) == "0.14"
    assert (form.rounded.count, form.rounded.lost) == (2, 100)
    assert value("10.125", digits=3, decimal=".") == "10.125"
    with pytest.raises(Wrong, match="more decimals than the 0"):
        value("10.5", digits=0)


def test_two_decimal_signs_in_one_file_are_told(tmp_path):
    text = 'Department,Account,Jan 2026\nA,1,"1.234,50"\nB,1,12.50\n'
    found = read(tmp_path, text)
    assert amounts(found) == {"A": {"2026-01": "1234.50"}}
    assert "another decimal sign" in problems(found)[0]


def test_an_unclear_amount_sets_its_budget_aside_and_is_asked_about(tmp_path):
    text = "Department,Account,Jan 2026\nA,1,12.500\nA,2,1.00\nB,1,3.50\n"
    found = read(tmp_path, text)
    assert amounts(found) == {"B": {"2026-01": "3.50"}}
    (asked,) = found.questions
    assert asked.what == "what '12.500' in budgets.csv row 2, column C (Jan 2026) is"
    assert asked.readings == (
        "12.50 with numbers.decimal=.",
        "12500.00 with numbers.decimal=,",
    )
    assert asked.setting == "numbers.decimal"
    assert problems(found)[0].startswith("budgets.csv row 2, column C (Jan 2026): '12.500' may be")


def test_rounding_is_told_by_count_and_amount(tmp_path):
    text = "Department,Account,Jan 2026\nA,1,0.1250\n"
    found = read(tmp_path, text, more='numbers.round = "cents"')
    assert amounts(found) == {"A": {"2026-01": "0.12"}}
    assert "rounded: 1 amounts, by 0.005 USD in all" in found.notes


def test_months_below_zero_are_amounts_like_any_other(tmp_path):
    text = "Department,Account,Jan 2026,Feb 2026\nA,1,-120.05,5.00\nA,2,200.00,5.00\n"
    assert amounts(read(tmp_path, text)) == {"A": {"2026-01": "79.95", "2026-02": "10.00"}}


def test_a_file_that_is_below_zero_as_a_whole_is_asked_about(tmp_path):
    text = "Department,Account,Jan 2026\nA,1,-120.05\n"
    (asked,) = read(tmp_path, text).questions
    assert asked.setting == "numbers.sign"
    assert asked.readings[0] == "120.05 of spending with numbers.sign=-1"
    said = read(tmp_path, text, more="numbers.sign = -1")
    assert (said.questions, amounts(said)) == ([], {"A": {"2026-01": "120.05"}})


def test_the_digits_are_those_of_the_currency_of_the_row(tmp_path):
    layout = WIDE.replace('currency = "USD"\n', "") + "\n"
    layout = layout.replace("[budget]", '[budget]\ncurrency = "Currency"')
    text = "Department,Account,Currency,Jan 2026\nA,1,KWD,1.2345\nB,1,JPY,100\nC,1,XYZ,1.00\n"
    found = read(tmp_path, text, layout)
    assert [each.currency for each in found.budgets()] == ["JPY"]
    assert "more decimals than the 3" in problems(found)[0]
    assert "'XYZ' is not an ISO 4217 currency code" in problems(found)[1]


def test_an_amount_beyond_any_is_told(tmp_path):
    text = "Department,Account,Jan 2026\nA,1,99999999999999999999999\nB,1,1.00\n"
    found = read(tmp_path, text)
    assert amounts(found) == {"B": {"2026-01": "1.00"}}
    assert "beyond any amount" in problems(found)[0]


def test_an_amount_in_another_currency_than_its_row_is_told_and_not_summed(tmp_path):
    text = "Department;Account;Jan 2026\nA;1;1250.00 EUR\nB;1;$ 3000.00\nC;1;USD 5.00\n"
    found = read(tmp_path, text)
    assert amounts(found) == {"B": {"2026-01": "3000.00"}, "C": {"2026-01": "5.00"}}
    (said,) = problems(found)
    assert "row 2, column C (Jan 2026): '1250.00 EUR' is in EUR, and its currency is USD" in said


def test_signs_of_two_currencies_in_a_file_that_names_none_are_told(tmp_path):
    text = "Department;Account;Jan 2026\nA;1;€ 1250.00\nB;1;£ 3000.00\n"
    (said,) = problems(read(tmp_path, text, WIDE.replace('currency = "USD"', "")))
    assert "row 3, column C (Jan 2026): '£ 3000.00' is in £, others in €" in said


@pytest.mark.parametrize("text", ["6.00 TSD", "5 MIO", "NET 5.00"])
def test_a_word_that_is_no_currency_makes_no_amount(text):
    with pytest.raises(Wrong, match=r"is not an amount: [A-Z]{3} is no currency"):
        value(text)
