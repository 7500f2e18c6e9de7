"""A state that is copied to another database, and what is told of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from config.load import SettingsError, SettingsProblem
from config.secrets import SecretError
from config.settings import Settings, State
from config.wiring import database_url
from sync.state.checking import Finding, check
from sync.state.copying import copy, ensure_something, held
from sync.state.store import Store
from trueup.audited import checked_data, checked_text
from trueup.console import Console
from trueup.output import plain, tell
from trueup.recording import name_of
from trueup.refusal import Refusal


@dataclass(frozen=True, slots=True, kw_only=True)
class Copied:
    """What went where: `rows` by table; `url` is the new address as it was said, for the settings.

    `audit` is how the audit was found at the new place.
    """

    old: str
    new: str
    url: str
    rows: Mapping[str, int]
    audit: Finding


def checked_address(url: str) -> None:
    """Raise `Refusal` for what is neither a database's address nor a reference to one."""
    try:
        State.model_validate({"url": url})
    except ValidationError as error:
        said = error.errors()[0]["msg"].removeprefix("Value error, ")
        raise Refusal(f"URL: {said}") from None


def copied(old: Store, settings: Settings, url: str, now: Callable[[], datetime]) -> Copied:
    """Copy the state of these settings to `url`; a relative file is one beside the settings."""
    try:
        address = database_url(url, settings.base)
    except SecretError as error:
        raise SettingsError(
            [SettingsProblem(settings.origin.file, None, "URL", str(error))]
        ) from None
    ensure_something(old)
    names = {*settings.syncs, *map(name_of, settings.actuals)}
    with held(old, names, now) as ensure, closing(Store.open(address, settings.base, now)) as new:
        rows = copy(old, new, ensure)
        return Copied(old=old.where, new=new.where, url=url, rows=rows, audit=check(new))


def copied_data(copied: Copied) -> dict[str, Any]:
    """The document of `state copy --json`."""
    return {
        "from": copied.old,
        "to": copied.new,
        "url": copied.url,
        "rows": dict(copied.rows),
        "audit": checked_data(copied.audit),
    }


def tell_copied(console: Console, copied: Copied, settings: Path) -> None:
    """How much went, that it is the same there, and what is to be done now."""
    counted = [(name, f"{rows:,}") for name, rows in copied.rows.items()]
    console.table(("table", "rows"), counted, right={"rows"})
    total = sum(copied.rows.values())
    console.checked(True, f"{total:,} rows copied to {copied.new}, and the same when read back")
    console.checked(copied.audit.fault is None, checked_text(copied.audit))
    console.say(
        f"{copied.old} is left as it is; now set in {settings}, before anything runs again:"
    )
    tell("[state]")
    tell(plain(f"url = {json.dumps(copied.url, ensure_ascii=False)}"))
