"""Endings: which exit code an error ends a command in, and what a person is told of it."""

from collections.abc import Collection, Sequence
from typing import Final

from config.load import SettingsError
from connectors.contract.errors import ConnectorError, RateLimited, Uncertain
from sync.links import CannotLink, LinkWaits
from sync.outcome import Exit
from sync.renames import CannotRename, RenameWaits
from sync.state.approvals import NotApproved
from sync.state.history import UnknownRun
from sync.state.journal import JournalError
from sync.state.lease import LeaseHeld, LeaseLost
from sync.state.ledger import LedgerError
from sync.state.owners import OtherAccount, UnknownHandover
from sync.state.retention import BrokenChain
from sync.state.stops import Paused
from sync.state.store import StoreError
from sync.state.waits import Undecidable
from trueup.output import plain

_CODES: Final[Sequence[tuple[type[Exception], int]]] = (
    (SettingsError, Exit.USAGE),
    (UnknownRun, Exit.USAGE),
    (UnknownHandover, Exit.USAGE),
    (Undecidable, Exit.USAGE),
    (NotApproved, Exit.USAGE),
    (RenameWaits, Exit.UNCERTAIN),
    (CannotRename, Exit.USAGE),
    (LinkWaits, Exit.UNCERTAIN),
    (CannotLink, Exit.USAGE),
    (LeaseHeld, Exit.LOCKED),
    (Paused, Exit.LOCKED),
    (RateLimited, Exit.PARTIAL),
    (Uncertain, Exit.UNCERTAIN),
    (ConnectorError, Exit.FAILED),
    (StoreError, Exit.FAILED),
    (LedgerError, Exit.FAILED),
    (OtherAccount, Exit.FAILED),
    (BrokenChain, Exit.FAILED),
    (JournalError, Exit.FAILED),
    (LeaseLost, Exit.FAILED),
)
KNOWN: Final = tuple(known for known, _ in _CODES)
"""What a person can cause or mend."""
_PRESSING: Final = (
    Exit.FAILED,
    Exit.USAGE,
    Exit.GUARD,
    Exit.LOCKED,
    Exit.UNCERTAIN,
    Exit.CONFLICTS,
    Exit.PARTIAL,
)
"""Which exit code speaks for several runs, the most pressing first."""


def lines_of(error: Exception) -> str:
    """What a person is told of it: a line for each problem of the settings, else one."""
    if isinstance(error, SettingsError):
        return "\n".join(map(plain, error.problems))
    return plain(error)


def code_of(error: Exception) -> int:
    """The exit code of an error that is among `KNOWN`."""
    return next(code for known, code in _CODES if isinstance(error, known))


def odd(error: Exception) -> str:
    """What is told of an error that nobody foresaw."""
    return plain(f"{type(error).__name__}: {error}")


def pressing(codes: Collection[int]) -> int:
    """The code that speaks for all of these."""
    return next((code for code in _PRESSING if code in codes), Exit.OK)
