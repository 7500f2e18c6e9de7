"""Where layouts come from: ready-made by name, a TOML file, a table of the settings; and changes.

A layout that is `like` a ready-made one is that one with its own keys put over it.
"""

import re
import tomllib
from collections.abc import Mapping, Sequence
from decimal import Decimal
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Any, Final, TypeAlias

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from connectors.layouts.language import COLUMN_KEYS, Layout, column_table
from connectors.layouts.periods import check_form

Table: TypeAlias = dict[str, Any]

READY: Final = Path(__file__).with_name("ready")


class LayoutError(ValueError):
    """A layout that cannot be used; one line for each thing to put right."""


@cache
def names() -> tuple[str, ...]:
    """The ready-made layouts."""
    return tuple(sorted(path.stem for path in READY.glob("*.toml")))


def ready_text(name: str) -> str:
    """A ready-made layout as it stands in its file; raises `LayoutError` for an unknown name."""
    if name not in names():
        close = get_close_matches(name, names(), 1)
        hint = f'; did you mean "{close[0]}"?' if close else f"; there are {', '.join(names())}"
        raise LayoutError(f'no layout is named "{name}"{hint}')
    return READY.joinpath(f"{name}.toml").read_text(encoding="utf-8")


def ready_table(name: str) -> Table:
    """A ready-made layout as data."""
    return tomllib.loads(ready_text(name), parse_float=Decimal)


def table_of(said: str, base: Path) -> Table:
    """The layout that `said` names, as data: a ready-made one, or a TOML file below `base`."""
    if not said.casefold().endswith(".toml"):
        return ready_table(said)
    path = base / Path(said).expanduser()
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise LayoutError(f"{path}: {error.strerror or error}") from None
    except UnicodeDecodeError:
        raise LayoutError(f"{path} is not UTF-8 text") from None
    try:
        return tomllib.loads(text, parse_float=Decimal)
    except (tomllib.TOMLDecodeError, ValueError, RecursionError, ArithmeticError) as error:
        raise LayoutError(f"{path}: {error}") from None


def merged(table: Mapping[str, Any]) -> Table:
    """The table over the ready-made layout that it is like, if it is like one."""
    like = table.get("like")
    if not isinstance(like, str):
        return dict(table)
    own = {key: value for key, value in table.items() if key != "like"}
    return over(merged(ready_table(like)), own)


def over(below: Table, above: Mapping[str, Any]) -> Table:
    """`below` with the keys of `above` put over it, table by table."""
    found = dict(below)
    for key, value in above.items():
        held = found.get(key)
        if key == "columns" and isinstance(held, dict) and isinstance(value, dict):
            found[key] = _columns(held, value)
        elif isinstance(held, dict) and isinstance(value, dict):
            found[key] = over(held, value)
        else:
            found[key] = value
    return found


def _columns(below: Table, above: Table) -> Table:
    """Columns: one that says anew where it comes from stands alone, else it adds to what it was."""
    found = dict(below)
    for name, said in above.items():
        table = column_table(said)
        held = column_table(below.get(name))
        adds = isinstance(table, dict) and not set(COLUMN_KEYS) & set(table)
        found[name] = {**held, **table} if adds and isinstance(held, dict) else said
    return found


def layout_of(table: Mapping[str, Any]) -> Layout:
    """The layout that a table says; raises `LayoutError` with everything that is wrong in it."""
    try:
        found = Layout.model_validate(merged(table))
    except ValidationError as error:
        said = [_said(each) for each in error.errors(include_url=False)]
        raise LayoutError("\n".join(dict.fromkeys(said))) from None
    for form in found.periods.headers:
        try:
            check_form(form)
        except ValueError as error:
            raise LayoutError(f"periods.headers: {error}") from None
    return found


def changed(table: Table, sets: Sequence[str]) -> Table:
    """The table with `KEY=VALUE` changes; raises `LayoutError` for one that is none."""
    for each in sets:
        key, sign, text = each.partition("=")
        path = _path(key.strip())
        if not sign or not all(path):
            raise LayoutError(f"{each!r} is not KEY=VALUE, such as numbers.decimal=,")
        table = _with(table, path, text, each)
    return table


def _path(key: str) -> list[str]:
    return [part.strip('"') for part in re.findall(r'"[^"]*"|[^."]+', key)] or [""]


def _with(table: Table, path: Sequence[str], text: str, said: str) -> Table:
    """With the value as text, or where no text can stand there, or what it spells is plainly no
    text, as the TOML that it spells."""
    if path == ["ignore"]:
        held = table.get("ignore", [])
        return {**table, "ignore": [*([held] if isinstance(held, str) else held), text]}
    tried = [_nested(path, text)]
    try:
        value = tomllib.loads(f"value = {text}", parse_float=Decimal)["value"]
        tried.append(_nested(path, value))
    except (tomllib.TOMLDecodeError, ValueError):
        pass
    if text.startswith(("[", "{")) or (path[0] == "columns" and text.isdecimal()):
        tried.reverse()  # a list, a table or a position, and no spelling of a header
    problems = ""
    for change in tried:
        found = over(table, change)
        try:
            layout_of(found)
        except LayoutError as error:
            problems = problems or str(error)
        else:
            return found
    raise LayoutError(f"--set {said}: {problems}")


def _nested(path: Sequence[str], value: Any) -> Table:
    for key in reversed(path):
        value = {key: value}
    found: Table = value
    return found


# Words for what pydantic found.


def _said(error: ErrorDetails) -> str:
    loc = [str(each) for each in error["loc"]]
    key = ".".join(loc)
    if error["type"] == "extra_forbidden":
        return f"{key}: unknown key{nearest_key(loc)}"
    if error["type"] == "value_error":
        return f"{key}: {error['ctx']['error']}" if key else str(error["ctx"]["error"])
    return f"{key}: {error['msg'][:1].lower()}{error['msg'][1:]}"


def nearest_key(loc: Sequence[str]) -> str:
    """The end of a refusal of the last key of `loc`: the likeliest right one, or all there are."""
    model: Any = Layout
    for part in loc[:-1]:
        info = getattr(model, "model_fields", {}).get(part)
        if info is not None:
            model = _model_in(info.annotation) or model
    keys = sorted(getattr(model, "model_fields", {}))
    close = get_close_matches(loc[-1], keys, 1)
    return f'; did you mean "{close[0]}"?' if close else f"; there are {', '.join(keys)}"


def _model_in(annotation: Any) -> type[BaseModel] | None:
    """The model that an annotation is, or holds."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    inner = [*getattr(annotation, "__args__", ()), getattr(annotation, "__origin__", None)]
    for each in inner:
        if each is not None and (found := _model_in(each)) is not None:
            return found
    return None
