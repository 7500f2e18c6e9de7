"""Delivery: sends messages within a few seconds, or says in a word why it could not.

A receiver may hang, drip its answer or break in any way; the run that tells goes on all the same.
"""

import queue
import threading
import time
from collections.abc import Callable, Mapping
from typing import Final

from connectors.contract.errors import Unreadable

WITHIN: Final = 5.0
"""Seconds that a run gives to all receivers together."""


class Undelivered(Exception):
    """A receiver did not take the message; the text holds no address and no secret."""


def delivered(
    sends: Mapping[str, Callable[[], None]], within: float = WITHIN
) -> dict[str, str | None]:
    """Let all of them send side by side; None for each that came through in time, else why not.

    An error is told by its type alone: its text may hold the address, which is a secret.
    """
    ended: queue.SimpleQueue[tuple[str, str | None]] = queue.SimpleQueue()

    def attempt(name: str, send: Callable[[], None]) -> None:
        try:
            send()
        except (Undelivered, Unreadable) as error:
            ended.put((name, str(error)))
        except Exception as error:  # whatever a receiver does, the run goes on
            ended.put((name, type(error).__name__))
        else:
            ended.put((name, None))

    for name, send in sends.items():
        threading.Thread(
            target=attempt, args=(name, send), name="trueup-notice", daemon=True
        ).start()
    found: dict[str, str | None] = dict.fromkeys(sends, f"no answer within {within:g} s")
    until = time.monotonic() + within
    for _ in sends:
        try:
            name, why = ended.get(timeout=max(0.0, until - time.monotonic()))
        except queue.Empty:
            break
        found[name] = why
    return found
