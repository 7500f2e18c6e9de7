"""Odoo's errors: those that JSON-RPC answers with status 200, by the name of their exception."""

from collections.abc import Collection
from typing import Any, Final

from connectors.calling.masking import masked
from connectors.contract.errors import (
    Call,
    ConnectorError,
    Forbidden,
    Malformed,
    Missing,
    Rejected,
    Transient,
    Unauthorized,
)

_RIGHTS: Final = "Give the user the group Show Full Accounting Features, and access to the company"
_REFUSALS: Final = frozenset({"UserError", "ValidationError", "RedirectWarning", "Warning"})
_BUSY: Final = frozenset(
    {"SerializationFailure", "TransactionRollbackError", "DeadlockDetected", "LockNotAvailable"}
)
"""Another transaction had the record."""
_UNDONE: Final = frozenset({"AccessError", "AccessDenied", "MissingError"}) | _REFUSALS | _BUSY
"""Of these the transaction is known to be rolled back."""


def fault_of(error: Any, call: Call, credential: str, secrets: Collection[str]) -> ConnectorError:
    """What the `error` of an answer means; `credential` names the settings to look at, `secrets`
    are not shown."""
    name, words = _words(error)
    said = masked(words, secrets)
    if name in _REFUSALS:
        return Rejected(said or "Odoo refuses it", call=call)
    if name in _BUSY:
        return Transient(said or "another transaction had the record", call=call)
    match name:
        case "AccessDenied":
            return Unauthorized(said or "access denied", call=call, hint=f"Check {credential}")
        case "AccessError":
            return Forbidden(said or "access is refused", call=call, hint=_RIGHTS)
        case "MissingError":
            return Missing(said or "the record is not there", call=call)
    shown = masked(name, secrets)
    return Malformed(f"Odoo failed with {shown or 'an error without a name'}: {said}", call=call)


def is_undone(error: Any) -> bool:
    """Whether the error proves that nothing was changed."""
    return _words(error)[0] in _UNDONE


def _words(error: Any) -> tuple[str, str]:
    """The exception's own name, without that of its module, and what it says, on one line."""
    if not isinstance(error, dict):
        return "", ""
    data = error.get("data")
    data = data if isinstance(data, dict) else {}
    name = data.get("name")
    said = data.get("message") or error.get("message") or ""
    text = "".join(each if each.isprintable() else " " for each in f"{said}"[:2000])
    return f"{name or ''}".rpartition(".")[2][:80], " ".join(text.split())[:500].rstrip(".")
