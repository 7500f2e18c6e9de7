"""Which sheet of a file is read: the first that people see and that has the layout's header; and
what stands in it.
"""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from itertools import islice
from pathlib import Path

from connectors.contract.errors import Unreadable
from connectors.file.layouts.sources import TextSheet, open_sheets
from connectors.layouts.headers import DEEPEST, Bound, all_blank, find_header
from connectors.layouts.language import Layout
from connectors.layouts.questions import Finding, Question
from connectors.layouts.reading import Reading, read_sheet
from connectors.layouts.sheet import Sheet


def read_file(path: Path, layout: Layout) -> Reading:
    """The file at `path` as `layout` says; raises `Unreadable` where it has not its shape."""
    with ExitStack() as held:
        ways = open_sheets(path, layout.file, held)
        sheet, bound, hidden = choose(ways, layout, path)
        found = read_sheet(sheet, layout, bound)
        found.questions += _ask_which(sheet, ways, layout)
        for each in hidden:
            said = f'is hidden and was not read; file.sheet = "{each.name}" reads it'
            found.findings.told.append(Finding(each.label, said))
        if not found.rows and not found.findings.told:
            said = "no row has an amount; the columns, `rows` and `periods` say which rows count"
            found.findings.told.append(Finding(sheet.label, said))
        return found


def choose(
    ways: Sequence[Sequence[Sheet]], layout: Layout, path: Path
) -> tuple[Sheet, Bound, list[Sheet]]:
    """The sheet that is read, its header, and the hidden sheets before it that nobody named."""
    wanted = layout.file.sheet
    for sheets in ways:
        for number, sheet in enumerate(sheets):
            if wanted is not None and (sheet.name or "").casefold() != wanted.casefold():
                continue
            if (sheet.hidden and wanted is None) or (bound := find_header(sheet, layout)) is None:
                continue
            if bound.missing:
                continue
            before = [each for each in sheets[:number] if each.hidden and wanted is None]
            return sheet, bound, before
    raise Unreadable(*_not_found(ways, layout, path))


def _ask_which(sheet: Sheet, ways: Sequence[Sequence[Sheet]], layout: Layout) -> Iterator[Question]:
    """Which sheet is meant, where several that people see have the header, and rows below it."""
    if layout.file.sheet is not None:
        return
    beside = [each for sheets in ways if any(one is sheet for one in sheets) for each in sheets]
    others = [each for each in beside if each is not sheet and _fits(each, layout)]
    if others:
        readings = tuple(f"file.sheet={each.name}" for each in (sheet, *others))
        what = f"which sheet is meant, as {len(readings)} have the header of the layout"
        yield Question(what, readings, "file.sheet")


def _fits(sheet: Sheet, layout: Layout) -> bool:
    bound = None if sheet.hidden else find_header(sheet, layout)
    if bound is None or bound.missing:
        return False
    return any(row > bound.last and not all_blank(cells) for row, cells, _ in sheet.rows())


def _not_found(ways: Sequence[Sequence[Sheet]], layout: Layout, path: Path) -> tuple[str]:
    names = [each.name for each in ways[0] if each.name is not None]
    if layout.file.sheet is not None and layout.file.sheet.casefold() not in [
        each.casefold() for each in names
    ]:
        return (f"{path} has no sheet {layout.file.sheet!r}; it has {', '.join(names) or 'none'}",)
    best: Bound | None = None
    for sheets in ways:
        for sheet in sheets:
            found = find_header(sheet, layout)
            if found is not None and (best is None or len(found.missing) < len(best.missing)):
                best = found
    if isinstance(ways[0][0], TextSheet):
        for _ in islice(ways[0][0].rows(), DEEPEST):  # raises where that is what is wrong
            pass
    if best is None or not best.missing:
        wanted = [name for name, each in layout.columns.items() if not each.optional]
        hidden = [each.name for sheets in ways for each in sheets if each.hidden]
        also = f" (hidden sheets: {', '.join(map(str, hidden))})" if hidden else ""
        return (
            (
                f"{path} has no header with the columns of the layout: "
                f"{', '.join(_spelled(layout, name) for name in wanted) or 'a period in a column'}"
                f"{also}"
            ),
        )
    said = ", ".join(_spelled(layout, name) for name in best.missing)
    return (f"{path} row {best.row}: the header lacks {said}",)


def _spelled(layout: Layout, name: str) -> str:
    column = layout.columns.get(name)
    if column is None:
        return repr(name)
    return f"{name} ({column.any[0]!r})" if column.any and column.any[0] else name
