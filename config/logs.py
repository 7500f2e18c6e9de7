"""Logging: what happens goes to stderr, and no secret with it.

On a terminal it is a line of text, elsewhere a JSON object on a line; `TRUEUP_LOG` (text or json)
says it otherwise. Each tells the run, sync, system, budget and request id that it is about.

Every secret that a reference resolved to is registered here; whatever is logged, by us or by a
library, then shows ``***`` in its place: in messages, arguments, fields and tracebacks.
"""

import logging
import os
import sys
import threading
from collections.abc import Iterable
from contextlib import suppress
from functools import cache
from typing import Final, TextIO

from connectors.calling.masking import masked
from connectors.contract.work import NAMES, work

_SHORTEST = 4  # a shorter value would blank out ordinary text, and is no secret anyway
_LEVELS = (logging.WARNING, logging.INFO, logging.DEBUG)
_OURS: Final = "trueup"
_FORM: Final = "TRUEUP_LOG"
_FORMS: Final = ("text", "json")

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

    Of libraries warnings alone are logged. Calling it again changes the level and adds secrets;
    lines are never doubled.
    """
    for secret in secrets:
        register_secret(secret)
    ours = logging.getLogger(_OURS)
    ours.setLevel(_LEVELS[max(0, min(verbosity, len(_LEVELS) - 1))])
    _handle(ours, _Stderr())
    _handle(logging.getLogger(), _OfLibraries(logging.WARNING))
    said = os.environ.get(_FORM, "")
    if said and said not in _FORMS:
        ours.warning('%s is "%s", and is to be text or json', _FORM, said)


def _handle(logger: logging.Logger, handler: logging.Handler) -> None:
    if not any(type(each) is type(handler) for each in logger.handlers):
        handler.addFilter(_Redactor())
        logger.addHandler(handler)


class _Stderr(logging.Handler):
    """Writes to the stderr of the moment, which tests and progress bars replace."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            said = _formatter(_form(sys.stderr)).format(record)
        except Exception:
            self.handleError(record)
            return
        with suppress(OSError, ValueError, AttributeError):  # talk is best effort: a disk is full
            print(said, file=sys.stderr)


class _OfLibraries(_Stderr):
    """The same for what is not ours, which has a handler already."""

    def handle(self, record: logging.LogRecord) -> bool:
        ours = record.name == _OURS or record.name.startswith(f"{_OURS}.")
        return False if ours else bool(super().handle(record))


def _form(stream: TextIO | None) -> str:
    said = os.environ.get(_FORM, "")
    if said in _FORMS:
        return said
    with suppress(OSError, ValueError, AttributeError):
        if stream is not None and stream.isatty():
            return "text"
    return "json"


@cache
def _formatter(form: str) -> logging.Formatter:
    from config.log_forms import formatter  # most commands log nothing

    return formatter(form)


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
            record.exc_text = _lines(record.exc_text)
        if record.stack_info:
            record.stack_info = _lines(record.stack_info)
        _tell_work(record)
        return True


def _tell_work(record: logging.LogRecord) -> None:
    """Put what is being worked on into the record; what it was given by `extra` counts more."""
    here = work()
    for name in NAMES:
        value = getattr(record, name, None) or here.get(name)
        if value is not None:
            setattr(record, name, one_line(redact(str(value))))


def _lines(text: str) -> str:
    return "\n".join(map(one_line, redact(text).split("\n")))


def one_line(text: str) -> str:
    """Control characters spelled out: a vendor's words can neither forge a line nor colour it."""
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() else repr(each)[1:-1] for each in text)
