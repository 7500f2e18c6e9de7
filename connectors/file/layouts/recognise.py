"""Recognising: which ready-made layout a file has, and by what."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from connectors.file.layouts.begun import Beginnings, Begun
from connectors.file.layouts.sources import TextSheet
from connectors.layouts.headers import Bound, find_header, fold, head_of
from connectors.layouts.language import Layout
from connectors.layouts.loading import changed, layout_of, names, ready_table
from connectors.layouts.sheet import Sheet

_HAS, _WIDTH, _ALONE = 5, 5, 5
"""What each sign is worth beside a column that is found by its header, which is worth 1."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A ready-made layout that fits a file, how well, and why."""

    name: str
    score: int
    why: tuple[str, ...]


def candidates(begun: Beginnings, sets: Sequence[str] = ()) -> list[Candidate]:
    """The ready-made layouts that fit a file, opened as `sets` say, the best first."""
    found: list[Candidate] = []
    for name in names():
        layout = layout_of(changed(ready_table(name), sets))
        candidate = _candidate(begun.sheets(layout.file), layout, name)
        found += [candidate] if candidate is not None else []
    return sorted(found, key=lambda each: -each.score)


def _candidate(sheets: Sequence[Begun], layout: Layout, name: str) -> Candidate | None:
    for sheet in sheets:
        if sheet.hidden:
            continue
        bound = find_header(sheet, layout, sheet.head)
        if bound is not None and not bound.missing:
            return _judged(sheet, layout, bound, name)
    return None


def _judged(sheet: Begun, layout: Layout, bound: Bound, name: str) -> Candidate | None:
    said, score = layout.recognise, 0
    why = [*how_read(sheet.whole, bound, layout)]
    by_header = [each for each, at in bound.places.items() if bound.texts[at]]
    score += len({bound.places[each] for each in by_header})
    if len(bound.periods) < said.periods and not layout.is_long:
        return None
    head = [cells for _, cells, _ in head_of(sheet)]
    for pattern in said.has:
        text = _first_like(sheet.words, pattern)
        if text is None:
            return None
        why.append(f"a cell says {text!r}")
        score += _HAS
    if said.columns is not None:
        filled = [cells for cells in head if any(cells)]
        if not filled or {len(cells) for cells in filled} != {said.columns}:
            return None
        why.append(f"each row has {said.columns} columns")
        score += _WIDTH
    if said.nothing_else:
        if any(_strangers(bound)):
            return None
        score += _ALONE
    return Candidate(name, score, tuple(why)) if score else None


def how_read(sheet: Sheet, bound: Bound, layout: Layout) -> Iterator[str]:
    """How the file was opened, and which header was found, in words."""
    if isinstance(sheet, TextSheet):
        sign = {"\t": "tabs", ",": "commas", ";": "semicolons"}.get(sheet.delimiter, "|")
        yield f"text in {sheet.encoding}, columns parted by {sign}"
    elif sheet.name is not None:
        yield f"sheet {sheet.name}"
    if layout.header.none:
        yield "it has no header; columns go by position"
        return
    named = [bound.texts[at] for at in sorted(set(bound.places.values())) if bound.texts[at]]
    others = [text for at, text in enumerate(bound.texts) if text and at not in bound.periods]
    yield f"header in row {bound.row}: {', '.join(named or others)}"
    if bound.periods:
        texts = [bound.texts[at] for at in bound.periods]
        yield f"{len(texts)} columns of periods, {texts[0]} to {texts[-1]}"


def _first_like(head: Sequence[Sequence[str]], pattern: str) -> str | None:
    like = re.compile(pattern, re.IGNORECASE)
    for cells in head:
        for text in cells:
            if text and like.fullmatch(text):
                return text
    return None


def _strangers(bound: Bound) -> Iterator[str]:
    """Headers that are neither a named column nor a period."""
    known = {*bound.places.values(), *bound.periods}
    for at, text in enumerate(bound.texts):
        if fold(text) and at not in known:
            yield text
