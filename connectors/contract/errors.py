"""What can go wrong at a connector, named by what comes next.

ConnectorError
 ├── Transient      nothing happened, or it is safe to repeat: try again
 ├── RateLimited    try again after `after` seconds
 ├── Uncertain      sent, and the answer was lost: look before repeating
 ├── Stale          the object is no longer what the change was made for
 ├── Missing        there is no object with that id
 │    └── Unseen    or there is, and we do not see it: leave alone what was known of it
 ├── Rejected       the vendor refuses this change: skip it and report it
 ├── Malformed      an answer or a record that cannot be read: set it aside as seen
 ├── Unsupported    the vendor has no such operation: a plan never asks for it
 ├── Unauthorized   the credential is wrong: stop this connector
 ├── Forbidden      the credential is right and not allowed: stop this connector
 └── Unreadable     a file or a server that cannot be opened at all: stop this connector
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Call:
    """Which call failed. Never holds a secret: no header, no query string, no body."""

    vendor: str
    method: str = ""
    path: str = ""
    status: int | None = None
    request_id: str | None = None

    def __str__(self) -> str:
        said = f"{self.vendor}: {self.method} {self.path}".rstrip().rstrip(":")
        if self.status is not None:
            said += f" answered {self.status}"
        if self.request_id:
            said += f" (request id {self.request_id})"
        return said


class ConnectorError(Exception):
    """`message` is the vendor's own words or ours; `call` is where it happened, if it was a call;
    `hint` says what would be right."""

    def __init__(self, message: str, *, call: Call | None = None, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.call = call
        self.hint = hint

    def __str__(self) -> str:
        said = f"{self.call}: {self.message}" if self.call else self.message
        return f"{said}. {self.hint}" if self.hint else said


class Transient(ConnectorError):
    """It did not work this time; repeating it does no harm."""


class RateLimited(Transient):
    """Too many calls; `after` is how many seconds to wait, None where the vendor does not say."""

    def __init__(
        self, message: str, *, after: float | None = None, call: Call | None = None, hint: str = ""
    ) -> None:
        super().__init__(message, call=call, hint=hint)
        self.after = after


class Uncertain(ConnectorError):
    """The request left and no answer came back: the vendor may or may not have done it."""


class Stale(ConnectorError):
    """The object changed since it was read."""


class Missing(ConnectorError):
    """There is no such object."""


class Unseen(Missing):
    """There is no such object to be seen: whether it is gone, this system does not tell."""


class Rejected(ConnectorError):
    """The vendor understood the change and refuses it."""


class Malformed(ConnectorError):
    """An answer or a record does not have the documented shape."""


class Unsupported(ConnectorError):
    """The vendor has no such operation."""


class Unauthorized(ConnectorError):
    """The credential is missing, wrong or expired."""


class Forbidden(ConnectorError):
    """The credential is known and lacks the right."""


class Unreadable(ConnectorError):
    """The file cannot be opened, or no server answers at the address."""


STOPS_CONNECTOR = (Unauthorized, Forbidden, Unreadable)
"""Errors after which no further call to the same system makes sense."""
