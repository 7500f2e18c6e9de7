"""Layouts as TOML: the block of settings that reads a file, to be copied as it is."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from connectors.layouts.language import Layout
from connectors.layouts.loading import Table
from connectors.layouts.toml import toml_lines, value_text


def settings_block(
    path: Path, name: str, base: Table, made: Table, layout: Layout, named_currency: bool
) -> str:
    """The system's table of the settings file; what was changed of the layout stands below it."""
    lines = ["[systems.erp]", 'connector = "file"', f"path = {value_text(str(path))}"]
    changes = _as_read(difference(base, made), layout.model_dump())
    currency = changes.pop("currency", None) or layout.currency
    if currency:
        lines.append(f"currency = {value_text(currency)}")
    elif not named_currency:
        lines.append(
            '# currency = "…"            the file names none: write the currency that it is in'
        )
    own = name.casefold().endswith(".toml")
    if not changes:
        return "\n".join([*lines, f"layout = {value_text(name)}"]) + "\n"
    table = {**changes} if not name else {"like": name, **changes}
    if own:  # a table cannot be like a file, so the file takes the changes
        lines += [f"layout = {value_text(name)}", f"# change in {name}:"]
        return "\n".join([*lines, *(f"# {line}" for line in toml_lines((), changes))]) + "\n"
    return "\n".join([*lines, "", *toml_lines(("systems", "erp", "layout"), table)]) + "\n"


def difference(base: Mapping[str, Any], made: Mapping[str, Any]) -> Table:
    """What `made` has that `base` has not, or otherwise."""
    found: Table = {}
    for key, value in made.items():
        before = base.get(key)
        if isinstance(value, dict) and isinstance(before, dict):
            if inner := difference(before, value):
                found[key] = inner
        elif value != before:
            found[key] = value
    return found


def _as_read(changes: Table, whole: Mapping[str, Any]) -> Table:
    """The changes with their values as the layout holds them: a number that was typed as text."""
    found: Table = {}
    for key, value in changes.items():
        held = whole.get(key, value)
        if isinstance(value, dict) and isinstance(held, dict):
            found[key] = _as_read(value, held)
        else:
            plain = isinstance(held, bool | int | Decimal | date | str)
            found[key] = held if plain and not isinstance(value, dict | list) else value
    return found
