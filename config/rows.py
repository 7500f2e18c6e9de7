"""Rows of `entities` that are added to the settings: into the CSV file that they name, else into a
new one that they name from then on.

What stands in a file stays as it is, to the letter: other rows, their order, further columns and
comments. A file is replaced as a whole or not at all.
"""

import csv
import io
import os
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from config.load import ENTITY_COLUMNS, key_lines
from config.settings import Settings

Row = tuple[str, str, str]
"""Type and id of ours, and the id of theirs."""

_BOM: Final = "\ufeff"


class NotWritten(Exception):
    """The rows cannot be added; the message says why, and what to write by hand."""


@dataclass(frozen=True, slots=True)
class Written:
    """The file that has the rows now; `named` says whether the settings name it since then."""

    file: Path
    named: bool


def rows_file(settings: Settings, system: str) -> Path:
    """The file that rows of that system go to."""
    raw = tomllib.loads(_text(settings.origin.file))
    return settings.base / (_named(raw, system) or _new_name(system))


def add_rows(settings: Settings, system: str, rows: Sequence[Row]) -> Written:
    """Add `rows` to the entities of that system; raises `NotWritten`."""
    toml = _text(settings.origin.file)
    raw = tomllib.loads(toml)
    named = _named(raw, system)
    file = settings.base / (named or _new_name(system))
    told = None if named else _naming(toml, raw, system, file.name)
    _replace(file, _added(file, rows))
    if told is not None:
        _replace(settings.origin.file, told)
    return Written(file, named is None)


def _named(raw: Mapping[str, Any], system: str) -> str | None:
    entities = raw["systems"][system].get("entities", {})
    said = entities.get("file")
    return said if isinstance(said, str) else None


def _new_name(system: str) -> str:
    return f"people-{re.sub(r'[^A-Za-z0-9_-]', '-', system)}.csv"


# The settings. One line more, and nothing else read otherwise than before.


def _naming(text: str, raw: Mapping[str, Any], system: str, name: str) -> str:
    """The settings' text with the file's name in it."""
    line, path = f'file = "{name}"', ("systems", system, "entities")
    key = system if re.fullmatch(r"[A-Za-z0-9_-]+", system) else None
    ends = "\r\n" if "\r\n" in text else "\n"
    lines, at = text.split("\n"), key_lines(text.removeprefix(_BOM)).get(path)
    made = None
    if at is not None and lines[at - 1].lstrip().startswith("["):
        made = "\n".join([*lines[:at], line + ends[:-1], *lines[at:]])
    elif at is None and key is not None:
        gap = "" if text.endswith("\n") else ends
        made = f"{text}{gap}{ends}[systems.{key}.entities]{ends}{line}{ends}"
    wanted = raw["systems"] | {
        system: raw["systems"][system]
        | {"entities": {**raw["systems"][system].get("entities", {}), "file": name}}
    }
    if made is None or _parsed(made) != {**raw, "systems": wanted}:
        raise NotWritten(f"write {line} into [systems.{system}.entities] yourself, then repeat")
    return made


def _parsed(text: str) -> Mapping[str, Any] | None:
    try:
        return tomllib.loads(text.removeprefix(_BOM))
    except tomllib.TOMLDecodeError:
        return None


# The rows' own file.


def _added(file: Path, rows: Sequence[Row]) -> str:
    """What stands in the file, with the rows below; a file that is not there has a header first."""
    text = _text(file, ",".join(ENTITY_COLUMNS) + "\n")
    header = next(csv.reader(io.StringIO(text.removeprefix(_BOM), newline="")), [])
    if missing := [each for each in ENTITY_COLUMNS if each not in header]:
        raise NotWritten(f"{file} has no column {', '.join(missing)}; it is left as it is")
    ends = "\r\n" if "\r\n" in text else "\n"
    more = io.StringIO(newline="")
    writer = csv.writer(more, lineterminator=ends)
    for row in rows:
        cells = dict(zip(ENTITY_COLUMNS, row, strict=True))
        writer.writerow([cells.get(column, "") for column in header])
    made = text + ("" if text.endswith(("\n", "\r")) else ends) + more.getvalue()
    read = [*csv.DictReader(io.StringIO(made.removeprefix(_BOM), newline=""))][-len(rows) :]
    for row, found in zip(rows, read, strict=True):
        if row != tuple((found[each] or "").strip() for each in ENTITY_COLUMNS):
            raise NotWritten(f"no row can say {row[0]}:{row[1]}; nothing is written")
    return made


def _text(file: Path, absent: str = "") -> str:
    try:
        with file.open(encoding="utf-8", newline="") as opened:
            return opened.read()
    except FileNotFoundError:
        return absent
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "not UTF-8 text"
        raise NotWritten(f"{file} cannot be read: {reason}") from None


def _replace(file: Path, text: str) -> None:
    """Write the whole file, or leave it as it is; it keeps who may read it."""
    place = file.resolve()
    half = place.with_name(f".{place.name}.{os.getpid()}.part")
    try:
        mode = place.stat().st_mode & 0o777 if place.exists() else None
        number = os.open(half, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
        with open(number, "w", encoding="utf-8", newline="") as opened:
            opened.write(text)
            if mode is not None:
                os.fchmod(number, mode)
        os.replace(half, place)
    except OSError as error:
        half.unlink(missing_ok=True)
        raise NotWritten(f"{file} cannot be written: {error.strerror}") from None
