"""Tryton's errors: those that come as an answer with status 200, by the words that it has for them.

Sessions ask for English: the words are the same whatever the user's language.
"""

from typing import Any

from connectors.contract.errors import (
    Call,
    ConnectorError,
    Forbidden,
    Malformed,
    RateLimited,
    Rejected,
    Stale,
    Transient,
    Unauthorized,
)

_NOT_ALLOWED = "You are not allowed to"


def fault_of(error: Any, call: Call, credential: str) -> ConnectorError:
    """What the `error` of an answer means; `credential` names the settings to look at."""
    name, said = _words(error)
    match name:
        case "UserError" if said.startswith(_NOT_ALLOWED):
            hint = "Give the user the groups Accounting, and Account Budget where he is to write"
            return Forbidden(said, call=call, hint=hint)
        case "UserError":
            return Rejected(said, call=call)
        case "UserWarning":
            return Rejected(f"Tryton wants a person to confirm: {said}", call=call)
        case "ConcurrencyException":
            return Stale(said or "the record was changed meanwhile", call=call)
        case "LoginException":
            hint = f"Check {credential}; a second factor cannot be given"
            return Unauthorized(f"Tryton asks for more to log in: {said}", call=call, hint=hint)
        case "RateLimitException":
            return RateLimited(said or "too many calls", call=call)
        case "TimeOutException":
            return Transient(said or "it took too long", call=call)
    if name.startswith("'") and name.endswith("'"):  # a model or a field that is not there
        hint = "Activate the modules account_budget and analytic_budget that are to be read"
        return Malformed(f"this Tryton knows no {name}", call=call, hint=hint)
    return Malformed(f"Tryton failed: {name}" if name else "Tryton names no error", call=call)


def _words(error: Any) -> tuple[str, str]:
    """The kind of error, and what it says, on one line."""
    if not isinstance(error, list) or not error:
        return "", ""
    name, *rest = error
    said = rest[0] if rest else ""
    if isinstance(said, list):  # a message, and what explains it
        said = " ".join(each for each in said[:2] if isinstance(each, str) and each)
    plain = " ".join(f"{said}".split())[:500]
    return f"{name}"[:80], "".join(each for each in plain if each.isprintable()).rstrip(".")
