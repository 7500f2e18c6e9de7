"""One workspace, over HTTP: read whole, and changed budget by budget."""

import logging
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from threading import Lock
from typing import Any

from canonical.allocation import Alert
from canonical.identity import EntityMap
from connectors.calling.absence import prove_gone
from connectors.calling.paging import RawPage
from connectors.calling.parsing import parsed
from connectors.contract.errors import (
    ConnectorError,
    Forbidden,
    Malformed,
    Missing,
    Rejected,
    Transient,
    Uncertain,
)
from connectors.contract.runtime import Runtime
from connectors.vantage.alerts import Alerts
from connectors.vantage.budget_tree import BudgetTree
from connectors.vantage.calls import Calls
from connectors.vantage.declared import CAPABILITIES, VantageSettings
from connectors.vantage.first_hand import FirstHand
from connectors.vantage.listing import Listing
from connectors.vantage.periods import Phases, emptied, joined, period_write, phases_of
from connectors.vantage.sight import absence
from connectors.vantage.wire import (
    ALERTS,
    BUDGETS,
    VantageBudget,
    VantageBudgetWrite,
    VantageMe,
    path_of,
)

log = logging.getLogger("trueup.vantage")


class Workspace:
    """The budgets of one workspace. `tree` and `alerts` are what is known of them; `placed` tells
    what hung below what when it was last agreed; `calls` are what it asks by.

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
        self.calls = Calls(name, settings, runtime)
        self.tree = BudgetTree(self._currency)
        self.alerts = Alerts(self._send, entities)
        self.unreadable: list[tuple[Any, Malformed]] = []
        self.guessed: set[str] = set()
        self._half: dict[str, set[str]] = {}
        self._first_hand = FirstHand(runtime.monotonic, CAPABILITIES.grace)

    def close(self) -> None:
        """Give back the connections."""
        self.calls.close()

    def me(self) -> VantageMe:
        """Who we are, and which workspaces we see."""
        return self.calls.me()

    # -- reading -----------------------------------------------------------------------------

    def read(self, about: str | None = None) -> Iterator[RawPage]:
        """The pages of a listing; once it has ended, the tree is what it showed.

        What it shows otherwise than an answer of late is read by its id; with `about`, only what
        may tell the place of that one.
        """
        records: list[Any] = []
        for raw in self.calls.pages(BUDGETS, "budgets"):
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
            raise Missing(f"{self.calls.vendor} shows no budget {token}")
        return found

    def doubt(self) -> None:
        """What is known may not be so: the next that asks for the whole reads it again."""
        self._is_whole = False

    def fetch(self, token: str) -> None:
        """Read one budget, and the others for its place; raises `Missing` where it is gone, and
        `Unseen` or `Forbidden` where it may be hidden, or is."""
        try:
            budget = self.calls.budget(token)
        except Missing as error:
            if error.call is None:
                raise
            raise self._absence(token, error) from error
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
            budget = self.calls.budget(token)
            if budget.workspace_token == self._token:
                self._keep(budget, None)

    def _absence(self, token: str, answered: Missing) -> ConnectorError:
        """What it means that a budget is not to be read: `sight.absence`."""
        self.read_whole(again=True, about=token)
        agreed = self._placed().get(token)
        return absence(
            answered,
            f"budget {token}",
            workspace=self._token,
            named_by=self.tree.above(token),
            sees_workspace=lambda: any(
                each.token == self._token for each in self.calls.me().workspaces
            ),
            is_whole=lambda: agreed is not None and self._is_all_seen(agreed),
        )

    def _is_all_seen(self, parent: str) -> bool:
        """Whether no child of a budget can be hidden: it is seen and names all of them, or where no
        answer does, those that are seen make up the sum that it shows."""
        found = self.tree.get(parent)
        if found is None or not self._silent:
            return found is not None
        below = found.child_budget_tokens
        total = phases_of(found, self._currency)
        return bool(below) and total == self.tree.phases(parent)

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
        self._first_hand.correct(
            listing, lambda id: self._whole(self.calls.budget(id), None), about
        )
        if listing.usage:
            log.info("%s: %d usage budgets are passed over", self.calls.vendor, len(listing.usage))
        if any(budget.budget_alert_tokens for budget in listing.tree.all()):
            self.alerts.take(self.calls.pages(ALERTS, "budget_alerts"))
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
            return self.calls.send(method, path, body)
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

    def _read_by_id(self, token: str) -> VantageBudget:
        return self._whole(self.calls.budget(token), None)

    def _before(self, token: str) -> VantageBudget | None:
        return self._first_hand.get(token) or self.tree.get(token)

    def _remember(self, budget: VantageBudget) -> None:
        self.tree.put(budget)
        self._first_hand.note(budget.token, budget)
