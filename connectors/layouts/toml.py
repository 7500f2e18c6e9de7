"""Values and tables as TOML writes them."""

import re
from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

_BARE = re.compile(r"[A-Za-z0-9_-]+")
_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t", "\r": "\\r"}
_CONTROL = re.compile(r'[\\"\x00-\x1f\x7f]')


def toml_lines(path: tuple[str, ...], table: Mapping[str, Any]) -> Iterator[str]:
    """The table as lines of TOML, its own values first."""
    plain = {key: value for key, value in table.items() if not _is_table(value)}
    if path and (plain or not table):
        yield f"[{'.'.join(map(_key, path))}]"
    for key, value in plain.items():
        yield f"{_key(key)} = {value_text(value)}"
    for key, value in table.items():
        if _is_table(value):
            yield from toml_lines((*path, key), value)


def _is_table(value: Any) -> bool:
    """Whether a value gets a table of its own: one with tables inside, or a long one."""
    return isinstance(value, dict) and (
        any(isinstance(each, dict) for each in value.values()) or len(value_text(value)) > 60
    )


def _key(text: str) -> str:
    return text if _BARE.fullmatch(text) else value_text(text)


def value_text(value: Any) -> str:
    """A value as TOML writes it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return f'"{_CONTROL.sub(_escaped, value)}"'
    if isinstance(value, dict):
        inner = ", ".join(f"{_key(key)} = {value_text(each)}" for key, each in value.items())
        return f"{{ {inner} }}" if inner else "{}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(value_text, value))}]"
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, int | Decimal):
        return str(value)
    raise TypeError(f"{value!r} is no value of a layout")


def _escaped(found: re.Match[str]) -> str:
    return _ESCAPES.get(found[0]) or f"\\u{ord(found[0]):04x}"
