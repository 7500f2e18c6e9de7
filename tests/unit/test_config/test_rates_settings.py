"""`[systems.NAME.rates]` and files of rates, and what is said of those that cannot be used."""

from datetime import date
from decimal import Decimal

import pytest

from canonical.rate import Rate, Rounding
from config.load import SettingsError, load
from config.wiring import spec_of

SETTINGS = """\
[systems.erp]
connector = "file"
path = "budgets.csv"

[systems.bill]
connector = "bill"
api_token = "env:BILL_API_TOKEN"

[systems.bill.rates]
{rates}

[syncs.bills]
source = "erp"
target = "bill"
"""


@pytest.fixture
def rates(tmp_path):
    def read(said, rows=None):
        path = tmp_path / "trueup.toml"
        path.write_text(SETTINGS.format(rates=said))
        if rows is not None:
            (tmp_path / "rates.csv").write_text("date,from,to,rate\n" + rows)
        return spec_of(load(path), "bills").rates

    return read


def refused(rates, *said):
    with pytest.raises(SettingsError) as raised:
        rates(*said)
    return [f"{each.line}: {each.where}: {each.message}" for each in raised.value.problems]


@pytest.mark.parametrize("number", ["1.0850", '"1.0850"'])
def test_a_pair_is_read_to_the_digit(rates, number):
    found = rates(f'"EUR/USD" = {number}\nrounding = "half-up"')

    rate = found.on("EUR", date(2026, 3, 1))
    assert (str(rate.value), rate.day, found.rounding) == ("1.0850", None, Rounding.HALF_UP)


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ('"EUR/USD" = 0', '10: systems.bill.rates."EUR/USD": 0 is not above zero'),
        ('"EUR/USD" = -1.1', '10: systems.bill.rates."EUR/USD": -1.1 is not above zero'),
        ('"EUR/USD" = "1,08"', "is not a number such as 1.0850"),
        ('"EUR/USD" = inf', "is not a number such as 1.0850"),
        ('"EUR/USD" = 1e999', "neither huge nor next to nothing"),
        ('"EUR/USD" = true', "a rate is a number such as 1.0850"),
        ('"USD/EUR" = 0.9', "an inverse is not guessed"),
        ('"EUR/GBP" = 0.9', "this system holds USD"),
        ('"EUR/EUR" = 1', "not from EUR to itself"),
        ('"EURO/USD" = 1', "'EURO' is not an ISO 4217 currency code"),
        ('"impressions/USD" = 1', "impressions is a count"),
        ('"EURUSD" = 1', "10: systems.bill.rates.EURUSD: a rate is stated of a pair, such as"),
        ('"EUR-USD" = 1', "10: systems.bill.rates.EUR-USD: a rate is stated of a pair, such as"),
        ("EUR = 1", '10: systems.bill.rates.EUR: a rate is stated of a pair, such as "EUR/USD"'),
        ('"EUR/USD" = 1\nmax_age_days = 7', "those that stand here have no day"),
        ("", "it states no rate"),
        ('"EUR/USD" = 1\nfile = "rates.csv"', "not in both"),
        ('"EUR/USD" = 1\nrounding = "up"', '"up" cannot stand here'),
        ('"EUR/USD" = 1\nround = "down"', 'unknown key; did you mean "rounding"?'),
        ('file = "rates.csv"\nmax_age_days = -1', "must be at least 0"),
        ('"EUR/USD" = 1\n[systems.bill.rates.pairs]\n"EUR/USD" = 2', "EUR/USD is stated twice"),
        ('file = "nowhere.csv"', "10: systems.bill.rates.file:"),
    ],
)
def test_what_cannot_be_meant_is_told(rates, said, message):
    (told,) = refused(rates, said)

    assert message in told


def test_all_wrong_pairs_are_told_at_once(rates):
    assert len(refused(rates, '"EUR/USD" = 0\n"GBP/USD" = -1')) == 2


def test_a_system_that_holds_all_currencies_has_no_rates(tmp_path):
    path = tmp_path / "trueup.toml"
    path.write_text(
        '[systems.erp]\nconnector = "file"\npath = "b.csv"\nrates = { "EUR/USD" = 1 }\n'
    )

    with pytest.raises(SettingsError, match="rates are for systems that hold one"):
        load(path)


def test_a_file_is_read_by_day_and_other_pairs_are_passed_over(rates):
    found = rates(
        'file = "rates.csv"\nmax_age_days = 30',
        "2026-03-02,EUR,USD,1.09\n2026-03-01,EUR,USD,1.08\n\n2026-03-01,CHF,JPY,?\n"
        "2026-03-01,USD,GBP,0.8\n",
    )

    assert found.rates == {
        "EUR": (
            Rate("EUR", "USD", Decimal("1.08"), date(2026, 3, 1)),
            Rate("EUR", "USD", Decimal("1.09"), date(2026, 3, 2)),
        )
    }
    assert (found.max_age, found.inverses) == (30, {"GBP"})


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ("2026-03-01,EUR,USD,0\n", "2: EUR/USD: 0 is not above zero"),
        ("2026-03-01,EUR,USD,-1\n", "2: EUR/USD: -1 is not above zero"),
        ("2026-03-01,EUR,USD,x\n", '2: EUR/USD: "x" is not a number such as 1.0850'),
        ("2026-03-01,EUR,USD,1,0850\n", "2: : more cells than the header has"),
        ("2026-03-01,EUR,USD\n", "2: rate: the cell is empty"),
        ("01/03/2026,EUR,USD,1\n", '"01/03/2026" is not a date such as 2026-03-02'),
        ("2026-02-30,EUR,USD,1\n", '"2026-02-30" is not a date such as 2026-03-02'),
        ("2026-03-01,EURO,USD,1\n", "'EURO' is not an ISO 4217 currency code"),
        ("2026-03-01,USD,USD,1\n", "not from USD to itself"),
        ("2026-03-01,EUR,USD,1\n2026-03-01,EUR,USD,1\n", "3: EUR/USD: a second rate of 2026-03-01"),
        ('2026-03-01,"EUR,USD,1\n', "cannot be read"),
    ],
)
def test_a_row_that_cannot_be_used_is_told_with_its_line(rates, rows, message):
    (told,) = refused(rates, 'file = "rates.csv"', rows)

    assert message in told


def test_a_file_without_its_columns_is_told(rates, tmp_path):
    (tmp_path / "other.csv").write_text("day,pair,rate\n")

    (told,) = refused(rates, 'file = "other.csv"')

    assert "no column date, from, to; the columns are date,from,to,rate" in told


def test_a_file_is_read_anew_for_each_run(rates, tmp_path):
    assert rates('file = "rates.csv"', "2026-03-01,EUR,USD,1\n").rates["EUR"][0].value == 1
    settings = load(tmp_path / "trueup.toml")
    (tmp_path / "rates.csv").write_text("date,from,to,rate\n2026-03-01,EUR,USD,2\n")

    assert spec_of(settings, "bills").rates.rates["EUR"][0].value == 2
