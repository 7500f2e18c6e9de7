"""One workspace, over HTTP: read whole, and changed budget by budget."""

import logging
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from threading import Lock
from typing import Any
from urllib.parse import parse_qs, urlsplit

from canonical.allocation import Alert
from canonical.identity import EntityMap
from connectors.calling.absence import of_a_listing, prove_gone
from connectors.calling.answers import Dialect
from connectors.calling.client import HttpClient, Safety
from connectors.calling.limiter import Limiter
from connectors.calling.paging import RawPage, link_pages
from connectors.calling.parsing import parsed
from connectors.contract.errors import (
    Forbidden,
    Malformed,
    Missing,
    Rejected,
    Transient,
    Uncertain,
)
from connectors.contract.runtime import Runtime
from connectors.contract.settings import parse_rate
from connectors.vantage.alerts import Alerts
from connectors.vantage.budget_tree import BudgetTree
from connectors.vantage.declared import CAPABILITIES, VantageSettings
from connectors.vantage.first_hand import FirstHand
from connectors.vantage.listing import Listing
from connectors.vantage.periods import Phases, emptied, joined, period_write, phases_of
from connectors.vantage.wire import (
    ALERTS,
    BUDGETS,
    VantageBudget,
    VantageBudgetWrite,
    VantageMe,
    counts_money,
    path_of,
)

log = logging.getLogger("trueup.vantage")

PAGE_SIZE = 1000
"""The most that a page may hold; what Vantage does above it is not documented."""


_SAFETY = {
    "GET": Safety.SAFE,
    "POST": Safety.ONCE,
    "PUT": Safety.IDEMPOTENT,
    "DELETE": Safety.IDEMPOTENT,
}


class Workspace:
    """The budgets of one workspace. `tree` and `alerts` are what is known of them; `placed` tells
    what hung below what when it was last agreed.

    `unreadable` are the records of the last reading that have not the documented shape. `guessed`
    are the budgets of which no answer says what hangs below them, and neither did we say it.
    """

    def __init__(
        self,
        name: str,
        settings: VantageSettings,
        entities: EntityMap,
        runtime: Runtime,
        placed: Callable[[], Mapping[str, str]],
    ) -> None:
        self._token, self._currency = settings.workspace_token, settings.currency
        self._placed, self._is_whole, self._silent = placed, False, False
        self._reading = Lock()
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
        self.tree = BudgetTree(self._currency)
        self.alerts = Alerts(self._send, entities)
        self.unreadable: list[tuple[Any, Malformed]] = []
        self.guessed: set[str] = set()
        self._half: dict[str, set[str]] = {}
        self._first_hand = FirstHand(runtime.monotonic, CAPABILITIES.grace)

    def close(self) -> None:
        """Give back the connections."""
        self._http.close()

    # -- reading -----------------------------------------------------------------------------

    def me(self) -> VantageMe:
        """Who we are, and which workspaces we see."""
        return parsed(VantageMe, self._http.call("GET", "/me", safety=Safety.SAFE))

    def read(self, about: str | None = None) -> Iterator[RawPage]:
        """The pages of a listing; once it has ended, the tree is what it showed.

        What it shows otherwise than an answer of late is read by its id; with `about`, only what
        may tell the place of that one.
        """
        records: list[Any] = []
        for raw in self._pages(BUDGETS, "budgets"):
            records += raw.items
            if raw.next_cursor is None:
                self._take(records, about)
            yield raw

    def read_whole(self, *, again: bool = False, about: str | None = None) -> None:
        """Read all there is, unless that was done and no call has failed since."""
        with self._reading:
            if again or not self._is_whole:
                for _ in self.read(about):
                    pass

    def known(self, token: str) -> VantageBudget:
        """The budget as last read or written; reads where it was not seen. Raises `Missing`."""
        if self.tree.get(token) is None:
            self.read_whole(again=True)
        if self.tree.get(token) is None:
            self._see(token)
            self._find_place(token)
        found = self.tree.get(token)
        if found is None:
            raise Missing(f"{self._http.vendor} shows no budget {token}")
        return found

    def doubt(self) -> None:
        """What is known may not be so: the next that asks for the whole reads it again."""
        self._is_whole = False

    def fetch(self, token: str) -> None:
        """Read one budget, and the others for its place; raises `Missing` where it is gone.

        A token sees what its team sees: what it may no longer see is `Forbidden`, not gone.
        """
        try:
            budget = self._read_one(token)
        except Missing as error:
            if error.call is not None:
                self._prove_sight(token, error)
            raise
        self.read_whole(again=True, about=token)
        for unread, reason in self.unreadable:
            if isinstance(unread, dict) and unread.get("token") == token:
                raise reason
        self._keep(budget, None)
        self._find_place(token)

    def _find_place(self, token: str) -> None:
        """Ask the budget that the ledger says is above, where no listing tells one yet."""
        if self.tree.get(token) and not self.tree.above(token):
            above = self._placed().get(token)
            if above is not None:
                self.look(above, token)

    def look(self, token: str, part: str | None = None) -> None:
        """Read a budget by its id, unless that, or a write of it, was just done: a listing may not
        show yet what hangs below it.

        `part` is what the ledger says hangs below it, which counts where no answer names children.
        """
        if self._first_hand.get(token) is None:
            self._see(token)
        found = self.tree.get(token)
        if self._silent and part and found:
            self._half.setdefault(token, set()).add(part)
            below = [*dict.fromkeys([*found.child_budget_tokens, part])]
            self.tree.put(found.model_copy(update={"child_budget_tokens": below}))

    def ensure_whole(self, token: str) -> None:
        """Raises `Rejected` where there may be more below a budget than is shown yet: where no
        answer names children, only a listing tells."""
        found = self.tree.get(token)
        if token in self._half and found and not self.tree.is_allocation(token, found.name):
            raise Rejected(f"what hangs below {token} is not all shown yet; the next run looks")

    def see_parts(self, token: str, but: Collection[str] = ()) -> None:
        """Read by its id each child of a budget, `but` those, that the listing does not show."""
        found = self.tree.get(token)
        for child in found.child_budget_tokens if found else ():
            if child not in but and not self._shows(child):
                self._see(child)

    def _see(self, token: str) -> None:
        """Take a budget of the workspace as a read by its id shows it, if one does."""
        with suppress(Missing, Forbidden, Malformed):
            budget = self._read_one(token)
            if budget.workspace_token == self._token:
                self._keep(budget, None)

    def _read_one(self, token: str) -> VantageBudget:
        params, path = {"include_performance": "false"}, path_of(BUDGETS, token)
        record = self._http.call("GET", path, params=params, safety=Safety.SAFE)
        if not counts_money(record):
            raise Missing(f"{self._http.vendor}: {token} counts usage, not money")
        return parsed(VantageBudget, record)

    def _prove_sight(self, token: str, error: Missing) -> None:
        """Raises `Forbidden` where a budget that is not shown may be there all the same."""
        hint = f"Let the token of [systems.{self._http.vendor}] see what it saw before"
        self.read_whole(again=True, about=token)
        above = self.tree.above(token)
        if above is not None:
            said = f"the token does not see budget {token}, which {above} names as its part"
            raise Forbidden(said, call=error.call, hint=hint) from error
        if all(each.token != self._token for each in self.me().workspaces):
            said = f"the token no longer sees workspace {self._token}"
            raise Forbidden(said, call=error.call, hint=hint) from error

    def _pages(self, path: str, items: str) -> Iterator[RawPage]:
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

    def _take(self, records: Sequence[Any], about: str | None) -> None:
        listing = Listing(BudgetTree(self._currency))
        listing.take(each for each in records if self._is_ours(each))
        listing.complete(self.tree, self._placed, self._half)
        self._half = {
            token: parts
            for token, parts in self._half.items()
            if not all(map(listing.tree.get, {token, *parts}))
        }
        self._silent = listing.silent
        self._first_hand.correct(listing, lambda id: self._whole(self._read_one(id), None), about)
        if listing.usage:
            log.info("%s: %d usage budgets are passed over", self._http.vendor, len(listing.usage))
        if any(budget.budget_alert_tokens for budget in listing.tree.all()):
            self.alerts.take(self._pages(ALERTS, "budget_alerts"))
        self.unreadable, self.guessed = listing.unreadable, listing.guessed
        self.tree, self._is_whole = listing.tree, True

    def _is_ours(self, record: Any) -> bool:
        """Whether it is of the workspace: older versions of the API list all that a token sees."""
        said = record if isinstance(record, dict) else {}
        return bool(said.get("workspace_token", self._token) == self._token)

    # -- one budget --------------------------------------------------------------------------

    def post(self, said: VantageBudgetWrite) -> str:
        """Make a budget; returns its token."""
        said.workspace_token = self._token
        return self._said("POST", BUDGETS, said)

    def put(self, token: str, said: VantageBudgetWrite) -> None:
        """Change what is said, if anything is."""
        if said.body():
            self._said("PUT", path_of(BUDGETS, token), said)

    def put_phases(
        self, token: str, phases: Phases, said: VantageBudgetWrite | None = None
    ) -> None:
        """Give a budget without children these periods, and what else is `said`.

        A PUT that keeps what it does not name leaves periods over, or takes them to overlap: those
        are then named too, with nothing in them.
        """
        stored, said, wanted = self.known(token), said or VantageBudgetWrite(), joined(phases)
        over, written = emptied(wanted, stored.periods), period_write(wanted, stored.periods)
        held = stored.model_dump()["periods"]
        if all(each.model_dump() in held for each in [*over, *written]):
            self.put(token, said)
            return
        said.periods = written
        try:
            self.put(token, said)
        except Rejected:
            if not over:
                raise
        else:
            if not over or phases_of(self.known(token), self._currency) == wanted:
                return
        said.periods = sorted([*over, *written], key=lambda each: each.start_at)
        self.put(token, said)

    def say_alerts(self, token: str, alerts: Sequence[Alert] | None) -> None:
        """Bring a budget's alerts to `alerts`; None leaves them."""
        if alerts is not None:
            budget = self.known(token)
            kept = self.alerts.say(budget, alerts)
            self._remember(budget.model_copy(update={"budget_alert_tokens": kept}))

    def remove(self, token: str) -> None:
        """Delete a budget; no error if it is gone, which one 404 does not prove."""
        try:
            self._send("DELETE", path_of(BUDGETS, token))
        except Missing as error:
            self.read_whole(again=True)
            prove_gone(error, lambda: self._shows(token))
        else:
            self._first_hand.note(token, None)
        self.tree.drop(token)

    def _shows(self, token: str) -> bool:
        """Whether the last reading showed it, readable or not."""
        unread = (each for each, _ in self.unreadable if isinstance(each, dict))
        return self.tree.get(token) is not None or any(
            each.get("token") == token for each in unread
        )

    def _said(self, method: str, path: str, said: VantageBudgetWrite) -> str:
        """Send it, and take the answer into the tree; returns the budget's token."""
        answer = self._send(method, path, said.body())
        try:
            budget = parsed(VantageBudget, answer)
        except Malformed:
            self.doubt()
            raise
        return self._keep(budget, said)

    def _send(self, method: str, path: str, body: Any = None) -> Any:
        try:
            return self._http.call(method, path, json=body, safety=_SAFETY[method])
        except (Transient, Uncertain, Malformed):
            self.doubt()
            raise

    def _keep(self, budget: VantageBudget, said: VantageBudgetWrite | None) -> str:
        """Take an answer about one budget into the tree; returns the budget's token."""
        whole = self._whole(budget, said)
        if self._silent and not (whole is budget or said or self._before(budget.token)):
            self._half.setdefault(budget.token, set())
            self.tree.put(whole)  # and not remembered: it may have children
        else:
            self._remember(whole)
        return budget.token

    def _whole(self, budget: VantageBudget, said: VantageBudgetWrite | None) -> VantageBudget:
        """An answer with the budget's children: no sample of one names them, so they may lack."""
        if "child_budget_tokens" in budget.model_fields_set:
            return budget
        before = self._before(budget.token)
        told = said.child_budget_tokens if said else None
        kept = before.child_budget_tokens if told is None and before else told
        return budget.model_copy(update={"child_budget_tokens": kept or []})

    def _before(self, token: str) -> VantageBudget | None:
        return self._first_hand.get(token) or self.tree.get(token)

    def _remember(self, budget: VantageBudget) -> None:
        self.tree.put(budget)
        self._first_hand.note(budget.token, budget)


def _message(body: Any) -> str | None:
    """{"errors": ["text", …]}"""
    said = body.get("errors") if isinstance(body, dict) else None
    return "; ".join(map(str, said)) if isinstance(said, list) else None
