"""Logging: plain lines on stderr, and no secret in any of them.

Every secret that a reference resolved to is registered here; whatever is logged below the logger
``trueup`` then shows ``***`` in its place, in messages, arguments and tracebacks.
"""

import logging
import sys
import threading
from collections.abc import Iterable
from contextlib import suppress

from connectors.calling.masking import masked

_SHORTEST = 4  # a shorter value would blank out ordinary text, and is no secret anyway
_LEVELS = (logging.WARNING, logging.INFO, logging.DEBUG)

_secrets: tuple[str, ...] = ()
_lock = threading.Lock()


def register_secret(value: str) -> None:
    """From now on `value` is never shown; values under four characters are not hidden."""
    global _secrets
    if len(value) >= _SHORTEST:
        with _lock:
            # the longest first: a secret may contain another one
            _secrets = tuple(sorted({*_secrets, value}, key=len, reverse=True))


def redact(text: str) -> str:
    """`text` with every registered secret, in whatever form, replaced by ``***``."""
    return masked(text, _secrets)


def configure(verbosity: int = 0, secrets: Iterable[str] = ()) -> None:
    """Log to stderr: warnings, from 1 also what happens, from 2 also every detail.

    Calling it again changes the level and adds secrets; lines are never doubled.
    """
    for secret in secrets:
        register_secret(secret)
    logger = logging.getLogger("trueup")
    logger.setLevel(_LEVELS[max(0, min(verbosity, len(_LEVELS) - 1))])
    if not any(isinstance(handler, _Stderr) for handler in logger.handlers):
        handler = _Stderr()
        handler.setFormatter(
            logging.Formatter("%(asctime)s %(levelname)s %(name)s %(message)s", "%H:%M:%S")
        )
        handler.addFilter(_Redactor())
        logger.addHandler(handler)


class _Stderr(logging.Handler):
    """Writes to the stderr of the moment, which tests and progress bars replace."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            said = self.format(record)
        except Exception:
            self.handleError(record)
            return
        with suppress(OSError, ValueError, AttributeError):  # talk is best effort: a disk is full
            print(said, file=sys.stderr)


class _Redactor(logging.Filter):
    """Rewrites the record itself, so that handlers further up see no secret either."""

    def filter(self, record: logging.LogRecord) -> bool:
        try:
            said = record.getMessage()
        except (TypeError, ValueError, KeyError):  # arguments that do not fit the message
            said = f"{record.msg} {record.args}"
        record.msg, record.args = one_line(redact(said)), ()
        if record.exc_info and not record.exc_text:
            record.exc_text = logging.Formatter().formatException(record.exc_info)
        record.exc_info = None
        if record.exc_text:
            record.exc_text = "\n".join(map(one_line, redact(record.exc_text).split("\n")))
        return True


def one_line(text: str) -> str:
    """Control characters spelled out: a vendor's words can neither forge a line nor colour it."""
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() else repr(each)[1:-1] for each in text)
