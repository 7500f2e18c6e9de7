"""What a database says has gone wrong, as what comes next.

The words are the database's own, without the statement, its values and the address, of which
SQLAlchemy's errors hold all; and nothing that is a secret is in them.
"""

import re
from collections.abc import Collection
from typing import Any, Final

from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from connectors.calling.masking import masked
from connectors.contract.errors import (
    ConnectorError,
    Forbidden,
    Rejected,
    Transient,
    Unauthorized,
    Unreadable,
)

_LONGEST: Final = 300
_CANCELLED: Final = "Set timeout, or make the query faster"
_LOGIN: Final = "Correct user and password in the url"
_RIGHT: Final = "Give the user of the url the right to it"
_ONLY_READS: Final = "A query only reads; write a SELECT that changes nothing"
_WRONG_QUERY: Final = "Correct the query"
_ADDRESS: Final = "Correct the url"

_Told = tuple[type[ConnectorError], str]
_TOO_LONG: Final[_Told] = Transient, _CANCELLED
_BY_STATE: Final[tuple[tuple[str, _Told], ...]] = (
    ("23505", (Transient, "Another process wrote the same row; do it again")),
    ("23", (Rejected, "")),
    ("28", (Unauthorized, _LOGIN)),
    ("42501", (Forbidden, _RIGHT)),
    ("42", (Unreadable, _WRONG_QUERY)),
    ("3D", (Unreadable, _ADDRESS)),
    ("3F", (Unreadable, _WRONG_QUERY)),
    ("25006", (Unreadable, _ONLY_READS)),
    ("57014", _TOO_LONG),
    ("08", (Transient, "")),
    ("57", (Transient, "")),
    ("53", (Transient, "")),
    ("40", (Transient, "")),
    ("55", (Transient, "")),
    ("22", (Unreadable, _WRONG_QUERY)),
)
"""SQLSTATE, by the first of these that it begins with."""
_BY_NUMBER: Final[dict[int, _Told]] = {
    **dict.fromkeys((1045, 1698, 18456), (Unauthorized, _LOGIN)),
    **dict.fromkeys((1044, 1142, 1143, 229), (Forbidden, _RIGHT)),
    **dict.fromkeys((1049, 4060), (Unreadable, _ADDRESS)),
    **dict.fromkeys((1054, 1064, 1146, 207, 208), (Unreadable, _WRONG_QUERY)),
    1792: (Unreadable, _ONLY_READS),
    **dict.fromkeys((1969, 3024), _TOO_LONG),
}
"""Of MySQL, MariaDB and SQL Server."""
_BY_NAME: Final[dict[str, _Told]] = {
    "SQLITE_CANTOPEN": (Unreadable, "The file must be there, and this user may read it"),
    "SQLITE_NOTADB": (Unreadable, "It is no SQLite database; name another file"),
    "SQLITE_CORRUPT": (Unreadable, "It is damaged"),
    "SQLITE_PERM": (Unreadable, "Let this user read it"),
    "SQLITE_AUTH": (Forbidden, _RIGHT),
    "SQLITE_READONLY": (Unreadable, _ONLY_READS),
    "SQLITE_CONSTRAINT": (Rejected, ""),
    "SQLITE_INTERRUPT": _TOO_LONG,
    "SQLITE_BUSY": (Transient, "Another process has it locked"),
    "SQLITE_LOCKED": (Transient, "Another process has it locked"),
    "SQLITE_IOERR": (Transient, ""),
    "SQLITE_ERROR": (Unreadable, _WRONG_QUERY),
}
_BY_WORDS: Final[tuple[tuple[re.Pattern[str], _Told], ...]] = (
    (
        re.compile(r"authentication failed|no password|login failed|role .* does not exist|"
                   r"access denied|ORA-01017|no pg_hba", re.IGNORECASE),
        (Unauthorized, _LOGIN),
    ),
    (
        re.compile(r"translate host|resolve host|name or service not known|nodename nor|"
                   r"no address associated|getaddrinfo|unknown.*host|"
                   r"temporary failure in name", re.IGNORECASE),
        (Unreadable, f"No such host is known. {_ADDRESS}"),
    ),
    (re.compile(r"database .* does not exist", re.IGNORECASE), (Unreadable, _ADDRESS)),
    (re.compile(r"read.only", re.IGNORECASE), (Unreadable, _ONLY_READS)),
)  # fmt: skip
"""Where a driver tells no code, as when no connection came about."""


def told(error: SQLAlchemyError, where: str, secrets: Collection[str]) -> ConnectorError:
    """The error of ours that says what comes next; nothing of `secrets` is in it."""
    if isinstance(error, PoolTimeout):
        return Transient(f"{where}: no connection came free in time")
    orig: Any = error.orig if isinstance(error, DBAPIError) else None
    if orig is None:
        said = masked(_short(str(error.args[0]) if error.args else type(error).__name__), secrets)
        return Unreadable(f"{where}: {said}", hint=_ADDRESS)
    said = masked(_short(str(orig)), secrets)
    kind, hint = _kind(error, orig, said)
    return kind(f"{where}: {said}", hint=hint)


def refused(found: ConnectorError, error: SQLAlchemyError) -> ConnectorError:
    """What a failed write of a budget is: a value or a row that a database does not take is its
    refusal, and a database that may not be written lacks a right."""
    orig: Any = error.orig if isinstance(error, DBAPIError) else None
    name = str(getattr(orig, "sqlite_errorname", ""))
    if name.startswith("SQLITE_READONLY"):
        return Forbidden(found.message, hint="Let this user write the file and its folder")
    state = str(getattr(orig, "sqlstate", None) or "")
    return Rejected(found.message) if state.startswith("22") else found


def _kind(error: SQLAlchemyError, orig: Any, said: str) -> _Told:
    state = getattr(orig, "sqlstate", None) or getattr(orig, "pgcode", None)
    if isinstance(state, str):
        for begin, found in _BY_STATE:
            if state.startswith(begin):
                return found
    name = str(getattr(orig, "sqlite_errorname", ""))
    if found_name := next((each for each in _BY_NAME if name.startswith(each)), None):
        return _BY_NAME[found_name]
    number = next(iter(getattr(orig, "args", ())), None)
    if isinstance(number, int) and number in _BY_NUMBER:
        return _BY_NUMBER[number]
    for words, found in _BY_WORDS:
        if words.search(said):
            return found
    lost = isinstance(error, DBAPIError) and error.connection_invalidated
    if lost or isinstance(error, OperationalError | InterfaceError):
        return Transient, ""
    return Unreadable, _WRONG_QUERY


def _short(text: str) -> str:
    """The first line that says something: the next ones quote the statement."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    line = lines[0] if lines else "it says nothing"
    return line.rstrip(".") if len(line) <= _LONGEST else f"{line[:_LONGEST]}…"
