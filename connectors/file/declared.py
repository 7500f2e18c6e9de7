"""What a file connector may be told in the settings file, and what a file can hold."""

import codecs
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import (
    AfterValidator,
    Field,
)

from canonical.allocation import Status
from canonical.kind import Kind
from connectors.contract.capabilities import Capabilities, Hold, Phasing, Removal
from connectors.contract.settings import SystemSettings, Unit
from connectors.file.paths import is_pattern
from connectors.layouts.setting import LayoutSetting

_WRITTEN: Final = frozenset({".csv", ".tsv", ".txt", ".json", ".jsonl", ".xlsx"})
"""Endings of files into which rows are written."""


def _encoding(name: str) -> str:
    try:
        "".encode(name)
    except (LookupError, UnicodeError):
        raise ValueError(f'{name!r} is not an encoding such as "utf-8" or "cp1252"') from None
    return "utf-8-sig" if codecs.lookup(name).name == "utf-8" else name  # read with a mark too


class FileSettings(SystemSettings):
    """The keys of a system that is a file."""

    path: str = Field(
        description="The file of budgets: csv, tsv, txt, json, jsonl, xlsx, xlsm or parquet; by a "
        "layout also iif, xls, xlsb and ods. It may be a pattern, `exports/*.csv`; then it is only "
        "read.",
        min_length=1,
    )
    layout: LayoutSetting = Field(
        default=None,
        description="How the file means budgets: the name of a ready-made layout, a TOML file, or "
        "a table; without it the columns have our own names.",
    )
    files: Literal["all", "newest"] = Field(
        default="all", description="Which of the files that a pattern fits are read."
    )
    allocations: str | None = Field(
        default=None,
        description="The file of allocations. Without it, those inside a json or jsonl file of "
        "budgets, or on the sheet `allocations` of a workbook.",
    )
    encoding: Annotated[str, AfterValidator(_encoding)] = Field(
        default="utf-8-sig", description="How text is encoded; UTF-8, with a mark or without."
    )
    delimiter: str = Field(
        default=",", description="What parts the columns of a csv file.", min_length=1, max_length=1
    )
    decimal: Literal[".", ","] = Field(
        default=".", description="The decimal sign of amounts in csv files and text cells."
    )
    sheet: str | None = Field(
        default=None,
        description="The worksheet of budgets; without it the first one that is not hidden.",
    )
    currency: Unit | None = Field(default=None, description="The currency of rows that name none.")

    def only_read(self) -> str:
        """Why nothing is written into this file; blank where it is."""
        if self.layout is not None:
            return "a file that a layout reads is another system's, and is never written"
        for path in filter(None, (self.path, self.allocations)):
            if is_pattern(path):
                return f"{path} stands for several files, of which none is written"
            ending = Path(path).suffix.casefold()
            if ending not in _WRITTEN:
                return f"a file that ends in {ending or 'nothing'} is only read"
        return ""

    def account(self, system: str, base: Path) -> str:
        """The file, whichever way its path is written."""
        return f"{self.connector} {(base / Path(self.path).expanduser()).resolve()}"


CAPABILITIES: Final = Capabilities(
    vendor="file",
    budget={
        "name": Hold.EXACT,
        "description": Hold.EXACT,
        "amount": Hold.EXACT,
        "currency": Hold.EXACT,
        "limits": Hold.EXACT,
        "cadence": Hold.EXACT,
        "start": Hold.EXACT,
        "end": Hold.EXACT,
        "phases": Hold.EXACT,
        "status": Hold.EXACT,
        "enforcement": Hold.EXACT,
        "carry_over": Hold.EXACT,
        "parent": Hold.EXACT,
        "owners": Hold.EXACT,
        "dimensions": Hold.EXACT,
    },
    allocation={
        "budget": Hold.READ_ONLY,
        "entity": Hold.EXACT,
        "amount": Hold.EXACT,
        "currency": Hold.FOLLOWS,
        "status": Hold.EXACT,
        "cadence": Hold.FOLLOWS,
        "start": Hold.FOLLOWS,
        "end": Hold.FOLLOWS,
        "phases": Hold.EXACT,
        "enforcement": Hold.FOLLOWS,
        "carry_over": Hold.FOLLOWS,
    },
    native_entity_types=frozenset({"user"}),
    statuses=frozenset(Status),
    removal=Removal.RETIRE,
    revives=frozenset(Kind),
    phasing=Phasing.ALL,
    below_zero=True,
    clearable=frozenset(
        {
            "description",
            "limits",
            "start",
            "end",
            "phases",
            "enforcement",
            "carry_over",
            "parent",
            "owners",
            "dimensions",
        }
    ),
    grace=timedelta(),
    unit_of_writing="the whole file",
)
HELD: Final = {
    Kind.BUDGET: {name for name, hold in CAPABILITIES.budget.items() if hold is Hold.EXACT},
    Kind.ALLOCATION: {name for name, hold in CAPABILITIES.allocation.items() if hold is Hold.EXACT},
}
"""The fields that a row must give back as they were written."""
