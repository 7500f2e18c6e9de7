"""Words of Brex, and what they mean to us."""

from canonical.allocation import Enforcement, Status
from canonical.period import Cadence

NATIVE = frozenset({"user", "department", "legal_entity"})
"""The types of entities that a spend limit has fields for."""
OUT_OF_USE = frozenset({"CLOSED", "DISABLED", "DELETED", "INACTIVE", "ARCHIVED"})
"""Statuses of a user to whom nothing can be given."""

STATUS = {
    "ACTIVE": Status.ACTIVE,
    "EXPIRED": Status.ACTIVE,
    "ARCHIVED": Status.RETIRED,
    "DELETED": Status.RETIRED,
}
CADENCE = {
    "ONE_TIME": Cadence.ONCE,
    "WEEKLY": Cadence.WEEKLY,
    "MONTHLY": Cadence.MONTHLY,
    "QUARTERLY": Cadence.QUARTERLY,
    "YEARLY": Cadence.YEARLY,
}
SPEND_LIMIT_CADENCE = {
    "ONE_TIME": Cadence.ONCE,
    "PER_WEEK": Cadence.WEEKLY,
    "PER_MONTH": Cadence.MONTHLY,
    "PER_QUARTER": Cadence.QUARTERLY,
    "PER_YEAR": Cadence.YEARLY,
}
ENFORCEMENT = {"HARD": Enforcement.HARD, "SOFT": Enforcement.SOFT}
