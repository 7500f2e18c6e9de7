"""Reading trueup.toml: all that is wrong with it at once, each with file, line and key.

No secret is resolved here, and no value is repeated that could be one.
"""

import csv
import re
import tomllib
from bisect import bisect
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from config.console import ConsoleSettings, Oidc, Roles
from config.notify import Notify
from config.select import Select, Unselected
from config.settings import (
    Actuals,
    Guard,
    KeyPath,
    Origin,
    Settings,
    State,
    Sync,
    line_fields,
    nearest,
)
from connectors.contract import registry
from connectors.contract.rating import RatesSettings
from connectors.contract.settings import SystemSettings

ENTITY_COLUMNS: Final = ("entity_type", "entity", "id")
"""Those of a file of `entities`; further ones are not looked at, nor lines that begin with #."""


@dataclass(frozen=True, slots=True)
class SettingsProblem:
    """One thing to put right. `line` is None where the file itself is the problem."""

    file: Path
    line: int | None
    where: str
    message: str
    column: int | None = None

    def __str__(self) -> str:
        place = ":".join(str(part) for part in (self.file, self.line, self.column) if part)
        return ": ".join(part for part in (place, self.where, self.message) if part)


class SettingsError(Exception):
    """The settings cannot be used; one line for each of the `problems`."""

    exit_code = 2

    def __init__(self, problems: list[SettingsProblem]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = tuple(problems)


def load(path: Path) -> Settings:
    """The settings in the file at `path`; raises `SettingsError` with every problem in it."""
    text = _text(path)
    raw = _parsed(path, text)
    origin = Origin(path, key_lines(text))
    if controls := list(_controls(raw, origin, lines=_with_lines(raw))):
        raise SettingsError(controls)
    problems = list(_take_entity_files(raw, origin))
    try:
        settings = Settings.model_validate(raw, context=origin)
    except ValidationError as error:
        found = error.errors(include_url=False)
        said = {_path(each, raw): each for each in reversed(found)}  # of several, the first
        problems += [_problem(path, each, raw, origin) for path, each in said.items()]
    if problems:
        raise SettingsError(sorted(problems, key=lambda each: (each.line or 0, each.where)))
    return settings


def _text(path: Path) -> str:
    try:
        if path.exists() and not path.is_file() and not path.is_dir():
            message = "is not a file but a device or a pipe; name the settings file"
            raise SettingsError([SettingsProblem(path, None, "", message)])
        return path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        folder = path.parent.absolute()
        message = f"no {path.name} in {folder}; `trueup init` writes one"
    except OSError as error:
        message = f"cannot be read: {error.strerror}"
    except UnicodeDecodeError as error:
        message = f"is not UTF-8 text, from byte {error.start}; save it as UTF-8"
    raise SettingsError([SettingsProblem(path, None, "", message)])


_PLAIN: Final = (
    (r"Cannot overwrite a value", "this key is written twice"),
    (r"Invalid statement", "a line is a [table], or a key with = and its value"),
    (r"Expected '=' after a key.*", "a key is followed by = and its value"),
    (r"Invalid value", "the value is not TOML; text stands in quotes"),
    (r"Illegal character '\\n'", "the text is not closed on its line"),
    (r"Unclosed array.*|Expected.*array.*", "the list is not closed with ]"),
    (r"Unterminated string|Expected.*\"'.*", "the text is not closed"),
    (r"Expected newline or end of document.*", "one key a line: something follows the value"),
    (r"Expected '\]+' at the end of a table declaration", "the table's name is not closed with ]"),
)


def _parsed(path: Path, text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text, parse_float=Decimal)
    except tomllib.TOMLDecodeError as error:
        reason, _, place = str(error).rpartition(" (at ")
        at = [int(number) for number in re.findall(r"\d+", place)]
        line, column = at or (text.count("\n") + 1, None)
        message = f"not valid TOML: {_plainly(reason)}"
        raise SettingsError([SettingsProblem(path, line, "", message, column)]) from None
    except RecursionError:
        message = "not valid TOML: lists or tables stand too deep in each other"
        raise SettingsError([SettingsProblem(path, _longest(text), "", message)]) from None
    except (ValueError, ArithmeticError):
        message = "not valid TOML: a number has too many digits"
        number = _line_of(r"[0-9_]{400}|[0-9][eE][-+]?[0-9_]{6}", text)
        raise SettingsError([SettingsProblem(path, number, "", message)]) from None


def _longest(text: str) -> int:
    lines = text.split("\n")
    return 1 + max(range(len(lines)), key=lambda number: len(lines[number]))


def _line_of(pattern: str, text: str) -> int | None:
    found = re.search(pattern, text)
    return None if found is None else text.count("\n", 0, found.start()) + 1


_DEEPEST: Final = 40
_CONTROLS = re.compile(r"[\x00-\x08\x0a-\x1f\x7f-\x9f]")
_IN_LINES = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")


def _with_lines(raw: Mapping[str, Any]) -> frozenset[KeyPath]:
    """The keys whose text may have several lines, as their connectors declare."""
    systems = raw.get("systems")
    found: set[KeyPath] = set()
    for name, own in systems.items() if isinstance(systems, dict) else ():
        connector = own.get("connector") if isinstance(own, dict) else None
        if isinstance(connector, str):
            with suppress(KeyError, ImportError, AttributeError, AssertionError):  # told later
                keys = line_fields(registry.settings(connector))
                found |= {("systems", name, key) for key in keys}
    return frozenset(found)


def _controls(
    raw: object, origin: Origin, path: KeyPath = (), lines: frozenset[KeyPath] = frozenset()
) -> Iterator[SettingsProblem]:
    """A problem for each text in which a control character stands: none is meant, some do harm."""
    if len(path) > _DEEPEST:
        message = "lists or tables stand too deep in each other"
        yield SettingsProblem(origin.file, origin.line(path[:1]), _dotted(path[:1]), message)
    elif isinstance(raw, dict):
        for key, value in raw.items():
            yield from _controls(value, origin, (*path, key), lines)
            yield from _controls(key, origin, (*path, key)) if isinstance(key, str) else ()
    elif isinstance(raw, list):
        for number, value in enumerate(raw):
            yield from _controls(value, origin, (*path, number), lines)
    elif isinstance(raw, str) and (_CONTROLS if path not in lines else _IN_LINES).search(raw):
        message = "a control character cannot stand here"
        yield SettingsProblem(origin.file, origin.line(path), _dotted(path), message)


def _plainly(reason: str) -> str:
    if twice := re.fullmatch(r"Cannot declare \((.*?),?\) twice", reason):
        table = ".".join(re.findall("'([^']*)'", twice[1]))
        return f"the table [{table}] is written twice"
    for pattern, plain in _PLAIN:
        if re.fullmatch(pattern, reason):
            return plain
    return reason[:1].lower() + reason[1:]


# Lines. tomllib tells none, so a second look at the text, which is known to be valid by now.

_QUOTED = r'"(?:\\.|[^"\\\n])*"|\'[^\'\n]*\''
_KEY = rf"(?:{_QUOTED}|[A-Za-z0-9_-]+)"
_DOTTED = rf"{_KEY}(?:[ \t]*\.[ \t]*{_KEY})*"
_BLANK = re.compile(r"(?:\s|#[^\n]*)*")
_STATEMENT = re.compile(rf"\[\[?[ \t]*(?P<table>{_DOTTED})[ \t]*\]\]?|(?P<key>{_DOTTED})[ \t]*=")
_LONG = r'"""(?:\\.|[^\\])*?"""(?!")' + r"|'''.*?'''(?!')"
_PIECE = re.compile(rf"{_LONG}|{_QUOTED}|#[^\n]*|[\[\]{{}}\n]", re.DOTALL)


def key_lines(text: str) -> dict[KeyPath, int]:
    """The line of every table header and every key of a valid TOML text, by its whole path."""
    ends = [found.start() for found in re.finditer("\n", text)]
    lines: dict[KeyPath, int] = {}
    table: tuple[str, ...] = ()
    at = _skip_blank(text, 0)
    while statement := _STATEMENT.match(text, at):
        line = bisect(ends, at) + 1
        if statement["table"]:
            path = table = _parts(statement["table"])
            at = statement.end()
        else:
            path = table + _parts(statement["key"])
            at = _end_of_value(text, statement.end())
        for length in range(1, len(path)):
            lines.setdefault(path[:length], line)
        lines[path] = line
        at = _skip_blank(text, at)
    return lines


def _skip_blank(text: str, at: int) -> int:
    blank = _BLANK.match(text, at)
    return blank.end() if blank else at


def _parts(dotted: str) -> tuple[str, ...]:
    parts, rest = [], tomllib.loads(f"{dotted}=0")
    while isinstance(rest, dict):
        ((key, rest),) = rest.items()
        parts.append(key)
    return tuple(parts)


def _end_of_value(text: str, at: int) -> int:
    depth = 0
    for piece in _PIECE.finditer(text, at):
        if piece[0] in "[{":
            depth += 1
        elif piece[0] in "]}":
            depth -= 1
        elif piece[0] == "\n" and not depth:
            return piece.end()
    return len(text)


# Entities. A system's `file` row is replaced by the rows of that file.


def _take_entity_files(raw: Mapping[str, Any], origin: Origin) -> Iterator[SettingsProblem]:
    systems = raw.get("systems")
    for name, system in systems.items() if isinstance(systems, dict) else ():
        entities = system.get("entities") if isinstance(system, dict) else None
        if not isinstance(entities, dict) or not isinstance(entities.get("file"), str):
            continue
        path = ("systems", name, "entities", "file")
        file = origin.file.parent / entities.pop("file")
        rows: dict[str, str] = {}
        try:
            problems = list(_read_rows(file, rows))
        except (OSError, csv.Error, ValueError) as error:
            reason = getattr(error, "strerror", None) or "not a CSV file in UTF-8"
            message = f"{file} cannot be read: {reason}"
            yield SettingsProblem(origin.file, origin.line(path), _dotted(path), message)
            continue
        yield from problems
        system["entities"] = rows | entities


def _read_rows(file: Path, rows: dict[str, str]) -> Iterator[SettingsProblem]:
    """Fills `rows` from the file; a row that cannot be used is a problem."""
    with file.open(encoding="utf-8-sig", newline="") as opened:
        reader = csv.DictReader(opened, strict=True)
        if absent := [each for each in ENTITY_COLUMNS if each not in (reader.fieldnames or ())]:
            message = f"no column {', '.join(absent)}; the columns are {','.join(ENTITY_COLUMNS)}"
            yield SettingsProblem(file, 1, "", message)
            return
        for row in reader:
            if (row[reader.fieldnames[0]] or "").startswith("#"):  # type: ignore[index]
                continue
            if any(cell.strip() for cell in row.get(None) or ()):
                message = "more cells than columns; a text with a comma in it stands in quotes"
                yield SettingsProblem(file, reader.line_num, "", message)
                continue
            cells = [(row[column] or "").strip() for column in ENTITY_COLUMNS]
            if not all(cells):
                empty = ENTITY_COLUMNS[cells.index("")]
                yield SettingsProblem(file, reader.line_num, empty, "the cell is empty")
                continue
            ours = f"{cells[0]}:{cells[1]}"
            if rows.setdefault(ours, cells[2]) != cells[2]:
                message = f"{ours} stands here a second time, with another id"
                yield SettingsProblem(file, reader.line_num, "", message)


# Words. What pydantic found, said in terms of the file.

_WANTED: Final = {
    "string": ("text", '"text"'),
    "int": ("a whole number", "8"),
    "bool": ("true or false without quotes", "true"),
    "decimal": ("a number", "12.50"),
    "float": ("a number", "12.50"),
    "dict": ("a table", '{ key = "value" }'),
    "model": ("a table", '{ key = "value" }'),
    "list": ("a list", '["text"]'),
    "tuple": ("a list", '["text"]'),
    "date": ("a date", "2026-01-31"),
    "path": ("text", '"folder/file"'),
}
_KINDS: Final[tuple[tuple[type, str], ...]] = (
    (str, "text"),
    (bool, "true or false"),
    (int, "a whole number"),
    (Decimal, "a number with a fraction"),
    (list, "a list"),
    (dict, "a table"),
)
_BOUNDS: Final = {
    "greater_than_equal": ("ge", "at least"),
    "greater_than": ("gt", "more than"),
    "less_than_equal": ("le", "at most"),
    "less_than": ("lt", "less than"),
}


def _problem(path: KeyPath, error: ErrorDetails, raw: object, origin: Origin) -> SettingsProblem:
    message = _said(path, error, raw)
    return SettingsProblem(origin.file, origin.line(path), _dotted(path), message)


def _said(path: KeyPath, error: ErrorDetails, raw: object) -> str:
    kind, context = error["type"], error.get("ctx", {})
    if kind == "trueup":
        return error["msg"]
    if kind == "value_error":
        return str(context["error"])
    if kind == "extra_forbidden":
        model = _model(path[:-1], raw)
        known = [info.alias or key for key, info in model.model_fields.items()] if model else []
        return f"unknown key{nearest(str(path[-1]), known) if known else ''}"
    if kind == "missing":
        return f"this key is missing{_description(path, raw)}"
    if kind in _BOUNDS:
        key, bound = _BOUNDS[kind]
        return f"must be {bound} {context[key]}"
    found = _value(path, raw)
    if kind in ("literal_error", "enum"):
        words = re.findall(r"'([^']*)'", context["expected"])
        named = f'"{found}"' if isinstance(found, str) else _named(found)
        return f"{named} cannot stand here{nearest(str(found), words)}"
    typed = re.fullmatch(r"([a-z]+)_(type|parsing|from_float|attributes_type)", kind)
    if not typed or typed[1] not in _WANTED:
        return f"the value does not fit{_description(path, raw)}"
    wanted, example = _WANTED[typed[1]]
    return f"wants {wanted}, such as {example}; found {_named(found)}"


def _path(error: ErrorDetails, raw: object) -> KeyPath:
    """Where in the file the error is: pydantic also names the branch of a union it tried."""
    path: KeyPath = ()
    here: Any = raw
    for part in error["loc"]:
        if not _holds(here, part):
            return (*path, error["loc"][-1]) if error["type"] == "missing" else path
        path, here = (*path, part), here[part]
    return path


def _holds(table: object, part: str | int) -> bool:
    if isinstance(table, list):
        return isinstance(part, int)
    return isinstance(table, dict) and part in table


def _value(path: KeyPath, raw: Any) -> Any:
    for part in path:
        raw = raw[part]
    return raw


def _model(path: KeyPath, raw: Any) -> type[BaseModel] | None:
    match path:
        case ():
            return Settings
        case ("state",):
            return State
        case ("console",):
            return ConsoleSettings
        case ("console", "roles"):
            return Roles
        case ("console", "oidc"):
            return Oidc
        case ("systems", _):
            name = _value(path, raw).get("connector")
            return registry.settings(name) if isinstance(name, str) else SystemSettings
        case ("systems", _, "rates"):
            return RatesSettings
        case ("actuals", _):
            return Actuals
        case ("notify", _):
            return Notify
        case ("syncs", _):
            return Sync
        case ("syncs", _, "guard"):
            return Guard
        case ("syncs", _, "select"):
            return Select
        case ("syncs", _, "select", "not"):
            return Unselected
    return None


def _description(path: KeyPath, raw: object) -> str:
    model = _model(path[:-1], raw)
    info = model.model_fields.get(str(path[-1])) if model else None
    return f": {info.description}" if info and info.description else ""


def _named(value: object) -> str:
    for kind, name in _KINDS:
        if isinstance(value, kind):
            return name
    return "a date or time"


def _dotted(path: KeyPath) -> str:
    said = ""
    for part in path:
        if isinstance(part, int):
            said += f"[{part}]"
        else:
            plain = re.fullmatch(r"[A-Za-z0-9_-]+", part)
            said += ("." if said else "") + (part if plain else f'"{part}"')
    return said
