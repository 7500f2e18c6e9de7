"""How pages are made of templates: nothing foreign is markup in them, and no secret is in any."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from canonical.money import said
from trueup import plan_pages
from trueup.output import plain

_HERE: Final = Path(__file__).parent
STATIC: Final = _HERE / "static"
_MINUS: Final = "\N{MINUS SIGN}"


@cache
def templates() -> Environment:
    """The templates of the console, which may include those of a plan's own page."""
    made = Environment(
        loader=FileSystemLoader([_HERE / "templates", plan_pages.FOLDER]),
        autoescape=True,
        finalize=_harmless,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= _FILTERS
    return made


def _harmless(value: Any) -> Any:
    """Texts on one line and without a secret, whatever template they stand in."""
    return value if isinstance(value, Markup | int) else "" if value is None else plain(value)


def money(value: Decimal | None, *, signed: bool = False) -> str:
    """A number with thousands apart and a sign that is as wide as a digit; "" for none."""
    if value is None:
        return ""
    sign = _MINUS if value < 0 else "+" if signed and value > 0 else ""
    return f"{sign}{said(abs(value))}"


def step(value: Decimal | None) -> str:
    """As `money`, with a plus before what is above nothing."""
    return money(value, signed=True)


def percent(share: Decimal | None) -> str:
    """A share in whole hundredths; what is over the whole is never told as that."""
    if share is None:
        return ""
    rounded = (share * 100).quantize(Decimal(1))
    return f"{rounded + 1 if share > 1 and rounded == 100 else rounded:f} %"


def moment(at: datetime | str | None) -> Markup:
    """A moment in UTC, to the second, as an element that programs can read."""
    if at is None:
        return Markup("")
    found = datetime.fromisoformat(at) if isinstance(at, str) else at
    utc = found.astimezone(UTC)
    shown = f"{utc:%Y-%m-%d %H:%M}"
    return Markup('<time datetime="{}">{}</time>').format(f"{utc:%Y-%m-%dT%H:%M:%SZ}", shown)


def month(day: date) -> str:
    """A month as the ticks of a chart say it."""
    return f"{day:%b %Y}"


_FILTERS: Final[dict[str, Callable[..., Any]]] = {
    "plain": plain, "money": money, "step": step, "percent": percent, "moment": moment,
    "month": month,
}  # fmt: skip
