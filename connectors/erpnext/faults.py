"""Faults: what an error of Frappe's says, without the traceback and the markup that it has."""

import re
from typing import Any, Final

from connectors.calling.exact_json import UNREADABLE, read

_MARKUP: Final = re.compile(r"<[^<>]{0,200}>")
_MOST: Final = 20_000


def message_of(body: Any) -> str | None:
    """The words of an error's body: those for the user, else those of the exception.

    `exc` is a traceback, with values of the server in it; nothing of it is told.
    """
    if not isinstance(body, dict):
        return None
    for said in (_of_server(body.get("_server_messages")), body.get("_error_message")):
        if isinstance(said, str) and said.strip():
            return _plain(said)
    named, kind = body.get("exception"), body.get("exc_type")
    if isinstance(named, str) and named.strip():
        _, _, words = named[:_MOST].partition(": ")
        return _plain(words or named)
    message = body.get("message")
    return next((_plain(each) for each in (message, kind) if isinstance(each, str)), None)


def _of_server(text: Any) -> str | None:
    """The first of the messages, which are JSON in a list that is JSON in the body."""
    if not isinstance(text, str) or len(text) > _MOST:
        return None
    try:
        found = read(text.encode())
        first = found[0] if isinstance(found, list) and found else None
        if isinstance(first, str):
            first = read(first.encode())
    except UNREADABLE:
        return None
    said = first.get("message") if isinstance(first, dict) else None
    return said if isinstance(said, str) else None


def _plain(text: str) -> str:
    return " ".join(_MARKUP.sub(" ", text[:_MOST]).split())
