"""What an ERP states in the tests of whole runs, and what Kaireon then holds."""

from datetime import date

from canonical.allocation import Allocation, Entity
from canonical.amount import Amount
from canonical.budget import Budget, Phase
from canonical.period import Cadence, Period


def usd(number):
    return Amount.of(number, "USD")


def day(text):
    return date.fromisoformat(text) if text else None


def phase(first, last, amount):
    return Phase(Period(day(first), day(last)), usd(amount))


def budget(ref="B", cadence="monthly", amount=100, start="2026-03-01", end="2026-05-31", **said):
    amount = amount if isinstance(amount, Amount) else usd(amount)
    span = {"start": day(start), "end": day(end)}
    said = {"name": f"Name {ref}", **said}
    return Budget(ref=ref, amount=amount, cadence=Cadence(cadence), **span, **said)


def share(ref, of="B", entity="channel:email", amount=40):
    entity = Entity(*entity.split(":"))
    return Allocation(ref=ref, budget=of, entity=entity, amount=usd(amount))


def told(tenant):
    """Name, period key and money of every row, in order."""
    return sorted((row["name"], row["periodKey"], row["maxSpend"]) for row in tenant.rows())
