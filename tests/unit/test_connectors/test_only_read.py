"""Each connector says of a system as it is set up whether its budgets can be changed."""

import pytest

from connectors.contract import registry

HTTP = {"base_url": "https://api.example.com"}


def said(connector, **keys):
    """What settings with these keys say; of what they leave out only the connector is there."""
    cls = registry.settings(connector)
    return cls.model_construct(connector=connector, **keys).only_read()


def test_erpnext_is_only_read():
    assert "only read" in said("erpnext", **HTTP)


@pytest.mark.parametrize(
    "connector",
    sorted({*registry.BUILT_IN} - {"erpnext", "sql", "file"}),
)
def test_what_takes_amounts_is_not_only_read(connector):
    assert said(connector) == ""


def test_every_connector_that_is_only_read_holds_nothing():
    for name in registry.BUILT_IN:
        written = {"exact", "rounded", "truncated", "emulated"}
        holds = {hold.value for hold in registry.load(name).capabilities.budget.values()}
        if name not in ("sql", "file"):
            assert bool(holds & written) is (said(name) == ""), name


@pytest.mark.parametrize("path", ["a.csv", "a.TSV", "a.txt", "a.json", "a.jsonl", "a.xlsx"])
def test_a_file_in_our_own_columns_is_written(path):
    assert registry.settings("file")(connector="file", path=path).only_read() == ""


@pytest.mark.parametrize(
    ("keys", "reason"),
    [
        ({"path": "a.csv", "layout": "netsuite.toml"}, "layout"),
        ({"path": "exports/*.csv"}, "several files"),
        ({"path": "a.csv", "allocations": "shares-?.csv"}, "several files"),
        *[({"path": f"a{end}"}, end) for end in (".parquet", ".xlsm", ".xls", ".xlsb", ".ods")],
        ({"path": "a.csv", "allocations": "b.parquet"}, ".parquet"),
    ],
)
def test_a_file_that_is_never_written_says_why(keys, reason):
    settings = registry.settings("file").model_construct(
        **{"connector": "file", "layout": None, "allocations": None, **keys}
    )
    assert reason in settings.only_read()
