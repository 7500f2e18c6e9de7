"""State copy: all that is remembered goes to another database."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sync.outcome import Exit
from trueup.copied import checked_address, copied_data, tell_copied

if TYPE_CHECKING:
    from trueup.session import Session


def copy_state(session: Session, url: str) -> int:
    """`trueup state copy`."""
    checked_address(url)
    with session.workspace(quiet=True) as workspace:
        copied = workspace.copy_state(url)
    if session.as_json:
        session.print(copied_data(copied))
    else:
        tell_copied(session.console, copied, session.config)
    return Exit.OK
