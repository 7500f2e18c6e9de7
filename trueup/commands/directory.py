"""People: whom the source names and the target does not know."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sync.outcome import Exit

if TYPE_CHECKING:
    from trueup.session import Session


def people(session: Session, sync: str, write: bool = False) -> int:
    """`trueup people`."""
    from config.rows import rows_file
    from trueup.people import as_data, tell_people, write_rows

    with session.workspace() as workspace:
        found = workspace.people(sync)
        settings = workspace.settings
    file = rows_file(settings, found.target)
    written = write_rows(settings, found) if write else None
    if session.as_json:
        session.print(as_data(found, file, written))
    else:
        tell_people(found, file, written)
    return Exit.OK
