"""What every connector promises and is given: all that a connector of your own needs."""

from connectors.contract.capabilities import Capabilities, Hold, Numbers, Phasing, Removal, Unique
from connectors.contract.departure import departing, leaving
from connectors.contract.errors import (
    STOPS_CONNECTOR,
    Call,
    ConnectorError,
    Forbidden,
    Malformed,
    Missing,
    RateLimited,
    Rejected,
    Stale,
    Transient,
    Unauthorized,
    Uncertain,
    Unreadable,
    Unseen,
    Unsupported,
)
from connectors.contract.interface import Connector
from connectors.contract.records import (
    Check,
    Draft,
    Keeping,
    Known,
    Listed,
    Observed,
    Page,
    Recorded,
    Resolved,
)
from connectors.contract.runtime import Runtime
from connectors.contract.settings import HttpSettings, SystemSettings

__all__ = [
    "STOPS_CONNECTOR",
    "Call",
    "Capabilities",
    "Check",
    "Connector",
    "ConnectorError",
    "Draft",
    "Forbidden",
    "Hold",
    "HttpSettings",
    "Keeping",
    "Known",
    "Listed",
    "Malformed",
    "Missing",
    "Numbers",
    "Observed",
    "Page",
    "Phasing",
    "RateLimited",
    "Recorded",
    "Rejected",
    "Removal",
    "Resolved",
    "Runtime",
    "Stale",
    "SystemSettings",
    "Transient",
    "Unauthorized",
    "Uncertain",
    "Unique",
    "Unreadable",
    "Unseen",
    "Unsupported",
    "departing",
    "leaving",
]
