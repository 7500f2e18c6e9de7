"""Spelling: the cells of a csv file with the very characters that say them, quotes and all."""

import csv
import io
from collections.abc import Iterator

_QUOTE = '"'


class Spelled(str):
    """What a cell says; `spelling` is how it stands in the file."""

    spelling: str

    def __new__(cls, text: str, spelling: str) -> "Spelled":
        made = super().__new__(cls, text)
        made.spelling = spelling
        return made


class SpelledRow(list[str]):
    """The cells of a record, and the end of its line: blank where the file just ends."""

    def __init__(self, cells: list[str], end: str) -> None:
        super().__init__(cells)
        self.end = end


def spelled_rows(text: str, delimiter: str) -> Iterator[SpelledRow]:
    """The records of a csv file, blank ones too."""
    taken: list[str] = []

    def lines() -> Iterator[str]:
        for line in io.StringIO(text, newline=""):
            taken.append(line)
            yield line

    for cells in csv.reader(lines(), delimiter=delimiter):
        raw = "".join(taken)
        taken.clear()
        inner = raw.rstrip("\r\n")
        spellings = _split(inner, delimiter)
        if len(spellings) == len(cells):
            cells = [Spelled(*each) for each in zip(cells, spellings, strict=True)]
        yield SpelledRow(cells, raw[len(inner) :])


def _split(line: str, delimiter: str) -> list[str]:
    """The spellings of the cells; a quote means something only where a cell begins with it."""
    if not line:
        return []
    found: list[str] = []
    begin = at = 0
    quoted = line.startswith(_QUOTE)
    at = 1 if quoted else 0
    while at < len(line):
        if quoted and line[at] == _QUOTE:
            if line[at + 1 : at + 2] == _QUOTE:
                at += 1
            else:
                quoted = False
        elif not quoted and line[at] == delimiter:
            found.append(line[begin:at])
            begin = at + 1
            if quoted := line.startswith(_QUOTE, begin):
                at += 1
        at += 1
    return [*found, line[begin:]]
