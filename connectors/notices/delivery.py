"""Delivery: sends a message within a few seconds, or says in a word why it could not.

A receiver may hang, drip its answer or break in any way; the run that tells goes on all the same.
"""

import queue
import threading
from collections.abc import Callable
from typing import Final

WITHIN: Final = 5.0
"""Seconds that a run gives to one receiver."""


class Undelivered(Exception):
    """A receiver did not take the message; the text holds no address and no secret."""


def delivered(send: Callable[[], None], within: float = WITHIN) -> str | None:
    """None when `send` came through within so many seconds, else why not.

    An error is told by its type alone: its text may hold the address, which is a secret.
    """
    ended: queue.SimpleQueue[str | None] = queue.SimpleQueue()

    def attempt() -> None:
        try:
            send()
        except Undelivered as error:
            ended.put(str(error))
        except Exception as error:  # whatever a receiver does, the run goes on
            ended.put(type(error).__name__)
        else:
            ended.put(None)

    threading.Thread(target=attempt, name="trueup-notice", daemon=True).start()
    try:
        return ended.get(timeout=within)
    except queue.Empty:
        return f"no answer within {within:g} s"
