"""Actuals: what has been spent, shown, written to a file, or kept in another system."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from config.load import SettingsError
from connectors.contract.errors import ConnectorError
from sync.outcome import Exit
from trueup.endings import code_of, lines_of, pressing
from trueup.files import write_private
from trueup.output import tell
from trueup.refusal import Refusal

if TYPE_CHECKING:
    from canonical.spent import Spent
    from trueup.session import Session
    from trueup.spent import Form
    from trueup.workspace import Workspace


def actuals(
    session: Session,
    systems: Sequence[str],
    said: str | None = None,
    out: Path | None = None,
    *,
    shares: bool = True,
) -> int:
    """`trueup actuals`."""
    from trueup.spent import Form, as_data, as_text, form_of, in_order

    form = form_of(said or ("json" if session.as_json else None), out)
    with session.workspace(quiet=True) as workspace:
        names = systems or list(workspace.telling)
        with ThreadPoolExecutor(max_workers=max(1, len(names))) as pool:
            found = list(pool.map(partial(_spent, session, workspace, shares=shares), names))
    rows = in_order(row for each, _ in found for row in each)
    failed = {name: error for name, (_, error) in zip(names, found, strict=True) if error}
    if out is not None:
        _written(session, out, form, rows)
    elif form is Form.JSON:
        told = {name: lines_of(error) for name, error in failed.items()}
        session.print(as_data(rows) | {"failed": told})
    else:
        tell(as_text(form, rows)) if form is Form.CSV else session.console.spent(rows)
    for name, error in failed.items():
        session.console.fail(f"{name}: {lines_of(error)}")
    return max((code_of(error) for error in failed.values()), default=Exit.OK)


def record_actuals(
    session: Session,
    into: str,
    systems: Sequence[str] = (),
    said: str | None = None,
    out: Path | None = None,
    *,
    shares: bool = True,
    dry_run: bool = False,
) -> int:
    """`trueup actuals --into`."""
    from trueup.recorded import recording_data
    from trueup.spent import Form, as_data, as_text, form_of, in_order

    form = form_of(said or ("json" if session.as_json else None), out)
    with session.workspace(quiet=True) as workspace:
        kept = workspace.record_actuals(into, systems, shares=shares, dry_run=dry_run)
    rows = in_order(entry.row for entry in kept.entries)
    told = {name: lines_of(error) for name, error in kept.failed.items()}
    if out is not None:
        _written(session, out, form, rows)
    if session.as_json or (out is None and form is Form.JSON):
        more = {"failed": told, "recorded": recording_data(kept)}
        session.print(as_data(rows) | more)
    elif out is None and form is Form.CSV:
        tell(as_text(form, rows))
    else:
        session.console.recorded(kept)
    for name, text in told.items():
        session.console.fail(f"{name}: {text}")
    codes = {kept.exit_code, *map(code_of, kept.failed.values())}
    return pressing(codes)


def _spent(
    session: Session, workspace: Workspace, system: str, *, shares: bool
) -> tuple[list[Spent], Exception | None]:
    """What one system tells, and what kept it from telling more."""
    found: list[Spent] = []
    try:
        found.extend(workspace.spending(system, shares=shares))
    except (ConnectorError, SettingsError) as error:
        if system not in workspace.settings.systems:
            raise
        return found, error
    return found, None


def _written(session: Session, out: Path, form: Form, rows: Sequence[Spent]) -> None:
    from trueup.spent import Form, as_text, write_workbook

    try:
        if form is Form.XLSX:
            write_workbook(out, rows)
        else:
            write_private(out, as_text(form, rows))
    except OSError as error:
        raise Refusal(f"{out} cannot be written: {error.strerror}") from None
    session.console.say(f"{len(rows)} rows written to {out}")
