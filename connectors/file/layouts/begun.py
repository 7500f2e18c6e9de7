"""How a file begins: the first rows of its sheets, read once for all layouts that look at them."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Final

from connectors.file.layouts.sources import ASKING, open_sheets
from connectors.layouts.headers import Head, cell_words, head_of
from connectors.layouts.language import FileForm
from connectors.layouts.sheet import Row, Sheet

_ANY: Final = FileForm()


class Begun:
    """The beginning of a sheet; none of a hidden one."""

    def __init__(self, sheet: Sheet) -> None:
        self.whole = sheet
        self.label, self.name, self.hidden = sheet.label, sheet.name, sheet.hidden
        self.typed, self.unsure = sheet.typed, sheet.unsure
        rows = [] if sheet.hidden else [*head_of(sheet)]
        self.head = Head(rows)
        self.words = [[cell_words(each) for each in cells] for _, cells, _ in rows]

    def rows(self) -> Iterator[Row]:
        return iter(self.head.rows)


class Beginnings:
    """The file at `path`, in each form in which somebody asks for it; open as long as `held`."""

    def __init__(self, path: Path, held: ExitStack) -> None:
        self.path, self._held = path, held
        self._opened: dict[FileForm, Sequence[Begun]] = {}

    def sheets(self, form: FileForm) -> Sequence[Begun]:
        """The sheets, for each way in which a file of that form may be read."""
        if self.path.suffix.casefold() not in ASKING:
            form = _ANY
        if form not in self._opened:
            ways = open_sheets(self.path, form, self._held)
            self._opened[form] = [Begun(sheet) for sheets in ways for sheet in sheets]
        return self._opened[form]
