"""What the tests of layouts have in common: a file, a layout as TOML, and what comes of both."""

import tomllib
from decimal import Decimal

from connectors.file.layouts.choosing import read_file
from connectors.file.layouts.look import texts
from connectors.layouts.grouping import Grouped
from connectors.layouts.loading import layout_of
from connectors.layouts.reading import Reading

WIDE = """
currency = "USD"
[columns]
department = "Department"
account = "Account"
[budget]
ref = "department"
[allocation]
entity = "account"
"""
"""Departments of accounts, a column a month."""

LONG = """
currency = "USD"
amount = "amount"
[columns]
department = "Department"
amount = "Amount"
date = "Date"
[periods]
day = "date"
[budget]
ref = "department"
"""
"""Departments, a row a month."""


def read(folder, text, layout=WIDE, name="budgets.csv", more="") -> Reading:
    """The file of that content, read by that layout; `more` is TOML that is put over it."""
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_file(path, made(layout, more))


def made(layout, more=""):
    from connectors.layouts.loading import over

    table = tomllib.loads(layout, parse_float=Decimal)
    return layout_of(over(table, tomllib.loads(more, parse_float=Decimal)))


def amounts(reading: Reading) -> dict[str, dict[str, str]]:
    """Each budget's amounts by period."""
    return {each.ref: texts(each.amounts) for each in reading.budgets()}


def shares(reading: Reading) -> dict[tuple[str, str], dict[str, str]]:
    """Each allocation's amounts by period."""
    return {
        (each.ref, share.entity): texts(share.amounts)
        for each in reading.budgets()
        for share in each.shares
    }


def budgets(reading: Reading) -> list[Grouped]:
    """The budgets that were read whole."""
    return [*reading.budgets()]


def problems(reading: Reading) -> list[str]:
    """What was told, with its place."""
    return [f"{each.where}: {each.message}" for each in reading.problems()]
