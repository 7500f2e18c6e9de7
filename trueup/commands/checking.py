"""Check: what each system is, and whether it can be read."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Any

from canonical.kind import Kind
from config.load import SettingsError
from connectors.contract.errors import ConnectorError, Unsupported
from connectors.contract.settings import HttpSettings
from sync.outcome import Exit

if TYPE_CHECKING:
    from connectors.contract.interface import Connector
    from trueup.session import Session
    from trueup.workspace import Workspace

_CHECKING = 3.5
"""Seconds that `check` gives each system: whoever types it waits for the answer."""


def check(session: Session, system: str | None) -> int:
    """`trueup check`."""
    with session.workspace(patience=_CHECKING) as workspace:
        names = [system] if system else list(workspace.settings.systems)
        with ThreadPoolExecutor(max_workers=max(1, len(names))) as pool:
            found = list(pool.map(partial(_checked, session, workspace), names))
    if session.as_json:
        session.print({"systems": found})
    else:
        for each in found:
            said = " · ".join([each["identity"] or each["error"], *each["notes"]])
            session.console.checked(each["ok"], f"{each['system']} ({each['connector']}): {said}")
    codes = {each["code"] for each in found}
    return max(codes - {Exit.OK}, default=Exit.OK)


def _checked(session: Session, workspace: Workspace, name: str) -> dict[str, Any]:
    found: dict[str, Any] = {"system": name, "connector": None, "ok": False, "identity": None}
    found |= {"notes": [], "error": None, "code": Exit.OK}
    own = workspace.settings.systems.get(name)
    found["connector"] = own.connector if own else None
    try:
        checked = workspace.system(name).check()
        unread = [] if isinstance(own, HttpSettings) else _unreadable(workspace.system(name))
        more = [*_notes(workspace, name)]
    except (ConnectorError, SettingsError) as error:
        if own is None:
            raise
        code = Exit.USAGE if isinstance(error, SettingsError) else Exit.FAILED
        return found | {"error": str(error), "code": code}
    found |= {"ok": True, "identity": checked.identity, "notes": [*checked.notes, *more]}
    if unread:
        others = f"; and {len(unread) - 1} more" if len(unread) > 1 else ""
        said = f"not all of it can be read: {unread[0]}{others}"
        found["notes"].append(said)
        found |= {"ok": False, "error": said, "code": Exit.FAILED}
    return found


def _unreadable(system: Connector) -> list[str]:
    """What a run could not read of a system that is read without a call; nothing of one that has
    no budgets to be read."""
    try:
        return [
            f"{problem.where}: {problem.message}"
            for kind in Kind
            for page in system.list(kind)
            for problem in page.problems
        ]
    except Unsupported:
        return []


def _notes(workspace: Workspace, system: str) -> Iterator[str]:
    """What else is to be known before a first run."""
    from trueup.checked import notes

    return notes(workspace, system, workspace.system(system).today())
