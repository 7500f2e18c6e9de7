"""Vantage's API, call by call; nothing is remembered here."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

from connectors.calling.absence import of_a_listing
from connectors.calling.answers import Dialect
from connectors.calling.client import HttpClient, Safety
from connectors.calling.limiter import Limiter
from connectors.calling.paging import RawPage, link_pages
from connectors.calling.parsing import parsed
from connectors.contract.errors import Missing
from connectors.contract.runtime import Runtime
from connectors.contract.settings import parse_rate
from connectors.vantage.declared import VantageSettings
from connectors.vantage.wire import BUDGETS, VantageBudget, VantageMe, counts_money, path_of

PAGE_SIZE = 1000
"""The most that a page may hold; what Vantage does above it is not documented."""


_SAFETY = {
    "GET": Safety.SAFE,
    "POST": Safety.ONCE,
    "PUT": Safety.IDEMPOTENT,
    "DELETE": Safety.IDEMPOTENT,
}


class Calls:
    """What may be asked of one workspace, and told it."""

    def __init__(self, name: str, settings: VantageSettings, runtime: Runtime) -> None:
        self.vendor, self._token = name, settings.workspace_token
        self._http = HttpClient(
            name,
            settings.base_url,
            headers={"Authorization": f"Bearer {settings.token.get_secret_value()}"},
            limiter=Limiter(*parse_rate(settings.rate_limit), runtime),
            runtime=runtime,
            dialect=Dialect(
                message=_message,
                reset_headers=("x-rate-limit-reset",),
                left_header="x-rate-limit-remaining",
            ),
        )

    def close(self) -> None:
        """Give back the connections."""
        self._http.close()

    def me(self) -> VantageMe:
        """Who we are, and which workspaces we see."""
        return parsed(VantageMe, self._http.call("GET", "/me", safety=Safety.SAFE))

    def budget(self, token: str) -> VantageBudget:
        """Read one budget; raises `Missing`, without a call for one that counts usage."""
        params, path = {"include_performance": "false"}, path_of(BUDGETS, token)
        record = self._http.call("GET", path, params=params, safety=Safety.SAFE)
        if not counts_money(record):
            raise Missing(f"{self.vendor}: {token} counts usage, not money")
        return parsed(VantageBudget, record)

    def pages(self, path: str, items: str) -> Iterator[RawPage]:
        """The pages of a listing of what is in the workspace."""
        params = {"limit": PAGE_SIZE, "workspace_token": self._token}

        def fetch(token: str | None) -> Any:
            whole = token is not None and not token.isdecimal()
            asked = None if whole else {"page": token or "1", **params}
            where = token if token and whole else path
            return self._http.call("GET", where, params=asked, safety=Safety.SAFE)

        return link_pages(
            of_a_listing(fetch), items=items, next_link="links.next", resolve=self._page_number
        )

    def _page_number(self, link: str) -> str:
        """The page that a next-link means; one without a number is followed as it is."""
        whole = self._http.absolute(link)
        number = parse_qs(urlsplit(whole).query).get("page", [""])[0]
        return number if number.isdecimal() else whole

    def send(self, method: str, path: str, body: Any = None) -> Any:
        """Send a write; a POST once, anything else as often as it takes."""
        return self._http.call(method, path, json=body, safety=_SAFETY[method])


def _message(body: Any) -> str | None:
    """{"errors": ["text", …]}"""
    said = body.get("errors") if isinstance(body, dict) else None
    return "; ".join(map(str, said)) if isinstance(said, list) else None
