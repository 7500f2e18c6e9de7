"""Worker: run what is put down for workers, until told to stop."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from sync.outcome import Exit
from trueup.commands.serving import say, tell, timed

if TYPE_CHECKING:
    from trueup.session import Session

_OTHERS: Final = ("procrastinate", "psycopg.pool", "asyncio")


def work(session: Session, at_once: int = 1) -> int:
    """`trueup worker`: until SIGTERM or Ctrl-C, which let the operation in hand finish and give
    the rest back."""
    from sync.state.jobs import Jobs

    with session.workspace(quiet=True) as workspace:
        waiting = len(Jobs.open(workspace.store).standing())  # told before more is loaded
        from trueup.notices import Notices
        from trueup.worker import Worker

        _quieten(session.verbosity)
        session.console = timed(lambda: datetime.now(UTC))
        worker = Worker(
            workspace,
            session.stop,
            say=lambda text: say(session, text),
            heard=[
                lambda ended: tell(session, ended, datetime.now(UTC)),
                Notices(workspace, lambda text: say(session, text)).heard,
            ],
            at_once=at_once,
        )
        what = "1 job waits" if waiting == 1 else f"{waiting} jobs wait"
        say(session, f"a worker on {workspace.store.where}, where {what}; Ctrl-C ends it")
        worker.work()
    return Exit.OK


def _quieten(verbosity: int) -> None:
    """What the queue logs is seen where every detail is asked for; else our own lines say it."""
    ours = logging.getLogger("trueup")
    for name in _OTHERS:
        logger = logging.getLogger(name)
        logger.handlers, logger.propagate = list(ours.handlers), False
        logger.setLevel(logging.DEBUG if verbosity > 1 else logging.CRITICAL)
