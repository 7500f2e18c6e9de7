"""Endings that are read as those of another: tsv and txt as csv, xlsm as xlsx."""

import openpyxl
import pytest

from canonical.amount import Amount
from canonical.budget import Budget
from canonical.kind import Kind
from connectors.contract.errors import Rejected, Unreadable
from connectors.contract.records import Draft
from connectors.contract.runtime import Runtime
from connectors.file.connector import File
from connectors.file.declared import FileSettings

HEADER, ROW = ["ref", "name", "currency", "amount"], ["A", "Ads", "USD", "5.00"]
ADS = Budget(ref="A", name="Ads", amount=Amount.of("5.00", "USD"))


def opened(folder, path, **keys):
    return File("erp", FileSettings(connector="file", path=path, **keys), Runtime(base=folder))


@pytest.mark.parametrize(("path", "sign"), [("b.tsv", "\t"), ("b.txt", ",")])
def test_a_text_is_read_and_written_as_a_csv_is(tmp_path, path, sign):
    (tmp_path / path).write_text("".join(f"{sign.join(each)}\n" for each in (HEADER, ROW)))
    file = opened(tmp_path, path)
    assert file.get(Kind.BUDGET, "A").model == ADS
    made = Budget(ref="B", name="Ads", amount=Amount.of("7.00", "USD"))
    file.create(Draft(model=made), "key")
    assert (tmp_path / path).read_text().splitlines()[-1] == sign.join(["B", "Ads", "USD", "7.00"])


def test_a_tsv_may_have_another_delimiter(tmp_path):
    (tmp_path / "b.tsv").write_text("".join(f"{';'.join(each)}\n" for each in (HEADER, ROW)))
    assert opened(tmp_path, "b.tsv", delimiter=";").get(Kind.BUDGET, "A").model == ADS


def test_a_workbook_with_macros_is_read_and_never_written(tmp_path):
    workbook = openpyxl.Workbook()
    workbook.active.append(HEADER)
    workbook.active.append(ROW)
    workbook.save(tmp_path / "b.xlsm")
    file = opened(tmp_path, "b.xlsm")
    assert file.get(Kind.BUDGET, "A").model == ADS
    with pytest.raises(Rejected, match="may hold macros, which would be lost"):
        file.retire(Kind.BUDGET, "A", "key")


def test_another_ending_is_told_with_those_that_are_read(tmp_path):
    with pytest.raises(Unreadable, match=r"docx is not a format.*\.tsv, \.txt, \.xlsm"):
        opened(tmp_path, "b.docx").check()
