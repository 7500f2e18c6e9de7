"""Vantage's listings: page and limit, filters and links, as its page on pagination has them."""

from collections.abc import Callable
from urllib.parse import urlencode

from connectors.sandbox.api import Call
from connectors.sandbox.fields import count
from connectors.sandbox.state import Row
from connectors.sandbox.vantage.wire import invalid

_PAGING = {"page": "1", "limit": "100"}


def paging(call: Call, largest: int) -> tuple[int, int]:
    """Where the page begins, and how many rows it may hold."""
    page, asked = (count(call.query.get(name, said), 10**9) for name, said in _PAGING.items())
    if page is None or asked is None:
        raise invalid("page or limit is invalid")
    limit = min(asked, largest)
    return (page - 1) * limit, limit


def where(call: Call, ignores_workspace: bool) -> Callable[[Row], bool]:
    """Whether a row is asked for: by workspace, by budget, or by a part of its name."""
    space, budget = call.query.get("workspace_token"), call.query.get("budget_token")
    name = call.query.get("q", "").lower()
    if ignores_workspace:
        space = None

    def asked(row: Row) -> bool:
        return (
            space in (None, row["workspace_token"])
            and name in (row.get("name") or "").lower()
            and (budget is None or budget in row.get("budget_tokens", ()))
        )

    return asked


def links(call: Call, following: int | None, relative: bool) -> Row:
    """Addresses of this page, the first, the one before and the `following`; null for none."""
    host = "" if relative else f"http://{call.headers['host']}"

    def link(page: int | None) -> str | None:
        said = {**dict(call.query), "page": page}
        return f"{host}{call.path}?{urlencode(said)}" if page else None

    here = int(call.query.get("page", "1"))
    return {"self": link(here), "first": link(1), "next": link(following), "prev": link(here - 1)}
