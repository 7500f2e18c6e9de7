"""Vantage on the wire: the shapes that it answers and takes, and what its words mean to us."""

from datetime import date
from decimal import Decimal
from typing import Annotated, Any
from urllib.parse import quote

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from canonical.period import Cadence
from connectors.calling.parsing import begun
from connectors.contract.errors import Malformed

BUDGETS, ALERTS, COST_REPORTS = "/budgets", "/budget_alerts", "/cost_reports"


def path_of(collection: str, token: str) -> str:
    """Where one object of a collection is."""
    return f"{collection}/{quote(token, safe='')}"


def _day(value: Any) -> Any:
    """Dates are documented as YYYY-MM-DD; the schema's own examples have a time behind it."""
    return value[:10] or None if isinstance(value, str) else value


def _listed(value: Any) -> Any:
    return value or []  # old pages show "" for an empty list


Day = Annotated[date, BeforeValidator(_day)]
OpenDay = Annotated[date | None, BeforeValidator(_day)]
Tokens = Annotated[list[str], BeforeValidator(_listed)]


class _Read(BaseModel):
    """As Vantage answers: fields come without notice, so unknown ones are ignored."""

    model_config = ConfigDict(extra="ignore")


class VantagePeriod(_Read):
    start_at: Day
    end_at: OpenDay = None
    amount: Decimal


class VantageCadence(_Read):
    interval_count: int
    interval_unit: str


class VantageBudget(_Read):
    token: str
    name: str | None = None
    workspace_token: str
    cost_report_token: str | None = None
    budget_alert_tokens: Tokens = Field(default_factory=list)
    child_budget_tokens: Tokens = Field(default_factory=list)
    periods: Annotated[list[VantagePeriod], BeforeValidator(_listed)]
    period_cadence: VantageCadence | None = None
    type: str | None = None


class VantageAlert(_Read):
    token: str
    budget_tokens: Tokens
    threshold: Decimal
    user_tokens: Tokens = Field(default_factory=list)
    recipient_emails: Tokens = Field(default_factory=list)


class VantageWorkspace(_Read):
    token: str
    name: str
    currency: str


class VantageBearer(_Read):
    description: str
    scope: list[str]


class VantageReport(_Read):
    token: str
    title: str | None = None


class VantageMe(_Read):
    workspaces: list[VantageWorkspace]
    bearer_token: VantageBearer


class _Write(BaseModel):
    """As Vantage is told: a field that it does not know is our mistake, not its problem."""

    model_config = ConfigDict(extra="forbid")

    def body(self) -> dict[str, Any]:
        """What was set, and nothing else: an absent field stays as it is."""
        return self.model_dump(exclude_unset=True)


class VantagePeriodWrite(_Write):
    start_at: date
    end_at: date | None
    amount: Decimal


class VantageBudgetWrite(_Write):
    name: str | None = None
    workspace_token: str | None = None
    cost_report_token: str | None = None
    child_budget_tokens: list[str] | None = None
    periods: list[VantagePeriodWrite] | None = None


class VantageAlertWrite(_Write):
    budget_tokens: list[str] | None = None
    threshold: int | None = None
    user_tokens: list[str] | None = None
    recipient_emails: list[str] | None = None
    duration_in_days: str | None = None


CADENCE = {
    (1, "day"): Cadence.DAILY,
    (1, "week"): Cadence.WEEKLY,
    (1, "month"): Cadence.MONTHLY,
    (3, "month"): Cadence.QUARTERLY,
    (12, "month"): Cadence.YEARLY,
    (1, "year"): Cadence.YEARLY,
}


def cadence_of(theirs: VantageCadence | None) -> Cadence:
    """What their interval means; without one an amount counts per month."""
    if theirs is None:
        return Cadence.MONTHLY
    try:
        return CADENCE[theirs.interval_count, theirs.interval_unit]
    except KeyError:
        said = f"{theirs.interval_count} {theirs.interval_unit}"
        raise Malformed(f"period_cadence is {said}, which is no cadence of ours") from None


def counts_money(record: Any) -> bool:
    """Whether a budget is of money; raises `Malformed` for a type that is not known."""
    said = record.get("type") if isinstance(record, dict) else None
    if said not in (None, "cost", "usage"):
        raise Malformed(f"type is {begun(said)}, which is none of cost, usage")
    return said != "usage"
