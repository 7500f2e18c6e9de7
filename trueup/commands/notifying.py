"""`trueup notify NAME`: a message that shows whether what is told arrives."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from config.settings import nearest
from sync.outcome import Exit
from trueup.output import plain
from trueup.refusal import Refusal

if TYPE_CHECKING:
    from trueup.session import Session


def notify(session: Session, name: str) -> int:
    """`trueup notify`."""
    from sync.state.messages import Message
    from trueup.notice_text import of_test
    from trueup.receivers import send

    with session.workspace(quiet=True) as workspace:
        settings = workspace.settings
    if name not in settings.notify:
        hint = nearest(name, settings.notify)
        raise Refusal(f"no [notify.{name}] is in {session.config}{hint}")
    said = of_test(name, datetime.now(UTC))
    error = send(settings.notify, [Message(0, name, said, 0)], settings.base).errors.get(name)
    if session.as_json:
        session.print({"notify": name, "delivered": error is None, "error": error})
    elif error is None:
        session.console.say(plain(f"notify {name}: the test message was taken"))
    if error is None:
        return Exit.OK
    if not session.as_json:
        session.console.fail(plain(f"notify {name}: {error}"))
    return Exit.FAILED
