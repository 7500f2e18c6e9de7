"""The settings of a database, as a file states them."""

from pathlib import Path

import pytest

from config.load import SettingsError, load
from config.logs import redact
from config.wiring import connect

BLOCK = """\
[systems.erp]
connector = "sql"
url = "env:ERP_DATABASE"
budgets = {query}
"""


def read(folder: Path, text: str):
    path = folder / "trueup.toml"
    path.write_text(text)
    return load(path)


def refused(folder: Path, text: str) -> str:
    with pytest.raises(SettingsError) as caught:
        read(folder, text)
    return str(caught.value).replace(f"{folder}/", "")


def test_a_query_may_have_several_lines(tmp_path):
    query = '"""\nSELECT ref,\r\n\tname\nFROM budgets\n"""'

    found = read(tmp_path, BLOCK.format(query=query)).systems["erp"]

    assert found.budgets == "SELECT ref,\n\tname\nFROM budgets"


def test_other_controls_and_other_keys_may_not(tmp_path):
    block = BLOCK.format(query='"SELECT 1\\u001b"')
    assert "a control character cannot stand here" in refused(tmp_path, block)
    block = BLOCK.format(query='"SELECT 1"') + 'actuals = "a\\nb"\n'
    assert "systems.erp.actuals: a control character" in refused(tmp_path, block)


@pytest.mark.parametrize("query", ['"DELETE FROM budgets"', '"SELECT 1; DROP TABLE x"', '""'])
def test_a_query_that_does_not_only_read_is_told_with_its_line(tmp_path, query):
    assert refused(tmp_path, BLOCK.format(query=query)).startswith(
        "trueup.toml:4: systems.erp.budgets"
    )


def test_an_address_is_a_reference(tmp_path):
    block = BLOCK.format(query='"SELECT 1"').replace(
        "env:ERP_DATABASE", "postgresql://u:canary@h/d"
    )

    said = refused(tmp_path, block)

    assert "systems.erp.url: a secret is not written here" in said
    assert "canary" not in said


def test_the_password_within_an_address_is_hidden_from_the_log(tmp_path, monkeypatch):
    monkeypatch.setenv("ERP_DATABASE", "postgresql://reader:c%40nary-77@host/erp")

    with connect(read(tmp_path, BLOCK.format(query='"SELECT 1"')), "erp"):
        assert redact("as c@nary-77 or c%40nary-77 it is") == "as *** or *** it is"


def test_a_layout_is_a_table_of_the_block_as_for_files(tmp_path):
    block = BLOCK.format(query='"SELECT 1"') + '[systems.erp.layout]\namount = "a"\nperods = 1\n'

    assert 'systems.erp.layout.perods: unknown key; did you mean "periods"?' in refused(
        tmp_path, block
    )
    assert "no layout is named" in refused(
        tmp_path, BLOCK.format(query='"SELECT 1"') + 'layout = "sapp"\n'
    )


def test_a_database_is_no_target_of_a_sync(tmp_path):
    block = BLOCK.format(query='"SELECT 1"') + '[systems.f]\nconnector = "file"\npath = "f.csv"\n'

    said = refused(tmp_path, block + '[syncs.s]\nsource = "f"\ntarget = "erp"\n')

    assert said.startswith("trueup.toml:10: syncs.s.target: a database is a source")
    read(tmp_path, block + '[syncs.s]\nsource = "erp"\ntarget = "f"\n')
