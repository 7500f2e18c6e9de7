"""The program that reads a workbook of another kind, and prints its rows as JSON, one a line.

    python foreign_reader.py FILE

It runs in a process of its own, with a limit of memory, and imports nothing of ours: a hostile
workbook may ask for rooms that no sheet has. A line {"sheet", "hidden"} begins each sheet, a line
{} ends it; a row is its number and its cells.
"""

import json
import re
import sys
import zipfile
from datetime import date, datetime, time, timedelta
from typing import Any

MEMORY = 1 << 30
"""Bytes that the process may have."""


def _limit() -> None:
    try:
        import resource
    except ImportError:  # another system: the time still is limited
        return
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _cell(value: Any) -> Any:
    """A cell as JSON: text, true or false as they are, everything else by kind and text."""
    if isinstance(value, bool):
        return value
    if isinstance(value, str):
        return value
    if isinstance(value, int | float):
        return ["number", repr(int(value)) if value == int(value) else repr(value)]
    if isinstance(value, datetime):
        return ["day", value.isoformat()]
    if isinstance(value, date):
        return ["day", datetime.combine(value, time()).isoformat()]
    if isinstance(value, time | timedelta):
        return str(value)
    return ["other", type(value).__name__]


_UNSHOWN = re.compile(
    rb'<table:table-cell[^>]*(calcext:value-type="error"|table:formula="(?![^>]*office:value))[^>]*>'
)
"""Cells of an ods that show an error, or hold a formula without a result."""


def _ensure_shown(path: str) -> None:
    """Ends the program where cells of an ods would be shown as blank and are not."""
    with zipfile.ZipFile(path) as book, book.open("content.xml") as content:
        found = len(_UNSHOWN.findall(content.read(MEMORY // 4)))
    if found:
        print(f"holds {found} cells with an error, or a formula without a result", file=sys.stderr)
        sys.exit(3)


def main(path: str) -> None:
    """Print the workbook at `path`; what goes wrong is the last line on stderr."""
    _limit()
    from python_calamine import CalamineWorkbook, SheetVisibleEnum

    out = sys.stdout
    if path.casefold().endswith(".ods"):
        _ensure_shown(path)
    book = CalamineWorkbook.from_path(path)
    for about in book.sheets_metadata:
        hidden = about.visible != SheetVisibleEnum.Visible
        out.write(json.dumps({"sheet": about.name, "hidden": hidden}) + "\n")
        sheet = book.get_sheet_by_name(about.name)
        first = (sheet.start or (0, 0))[0]
        left = (sheet.start or (0, 0))[1]
        for number, cells in enumerate(sheet.iter_rows(), start=first + 1):
            said = [""] * left + [_cell(each) for each in cells]
            while said and said[-1] == "":
                said.pop()
            if said:
                out.write(json.dumps([number, said]) + "\n")
        out.write("{}\n")


if __name__ == "__main__":
    try:
        main(sys.argv[1])
    except Exception as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        sys.exit(1)
