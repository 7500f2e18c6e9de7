"""One workspace, read whole and changed budget by budget, so that every sum stays as it was meant.

In Vantage a budget with children is their sum. What its children do not use is held by one more
child, the rest; whoever changes a child changes the rest with it, and nothing is sent where the
children would need more than the budget has.
"""

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from threading import Lock
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

from canonical.allocation import Alert
from canonical.identity import EntityMap
from connectors.errors import Malformed, Missing, Rejected, Transient, Uncertain
from connectors.http import HttpClient, Safety
from connectors.paging import RawPage, link_pages
from connectors.parsing import parsed
from connectors.vantage.family import Family
from connectors.vantage.mapping import (
    Phases,
    alert_key,
    alert_of,
    alert_write,
    is_rest,
    period_write,
    phases_of,
    remainder,
    rest_name,
    throughout,
)
from connectors.vantage.wire import (
    ALERTS,
    BUDGETS,
    VantageAlert,
    VantageAlertWrite,
    VantageBudget,
    VantageBudgetWrite,
)

log = logging.getLogger("trueup.vantage")

PAGE_SIZE = 1000
"""The most that a page may hold; what Vantage does above it is not documented."""


class Workspace:
    """The budgets of one workspace, over `http`. `family` is what is known of them.

    `unreadable` are the records of the last reading that have not the documented shape.
    """

    def __init__(self, http: HttpClient, token: str, currency: str, entities: EntityMap) -> None:
        self._http, self._token, self._currency = http, token, currency
        self._entities = entities
        self._is_whole = False
        self._reading = Lock()
        self.family = Family(currency)
        self.unreadable: list[tuple[Any, Malformed]] = []

    # -- reading -----------------------------------------------------------------------------

    def read(self) -> Iterator[RawPage]:
        """The pages of a listing; once it has ended, the family is what it showed."""
        records: list[Any] = []
        for raw in self._pages(BUDGETS, "budgets"):
            records += raw.items
            if raw.next_cursor is None:
                self._take(records)
            yield raw

    def read_whole(self, *, again: bool = False) -> None:
        """Read all there is, unless that was done and no call has failed since."""
        with self._reading:
            if again or not self._is_whole:
                for _ in self.read():
                    pass

    def known(self, token: str) -> VantageBudget:
        """The budget as last read or written; reads where it was not seen. Raises `Missing`."""
        if self.family.get(token) is None:
            self.read_whole(again=True)
        found = self.family.get(token)
        if found is None:
            raise Missing(f"{self._http.vendor} shows no budget {token}")
        return found

    def fetch(self, token: str) -> None:
        """Read one budget, and the others for its place; raises `Missing`."""
        params = {"include_performance": "false"}
        record = self._http.call("GET", _path(BUDGETS, token), params=params, safety=Safety.SAFE)
        if isinstance(record, dict) and record.get("type") == "usage":
            raise Missing(f"{self._http.vendor}: {token} counts usage, not money")
        budget = parsed(VantageBudget, record)
        self.read_whole(again=True)
        self._keep(budget, None)

    def alerts_of(self, budget: VantageBudget) -> list[Alert]:
        """Its alerts. Raises `Malformed` where one of them cannot be read."""
        found = [self.family.alerts.get(token) for token in budget.budget_alert_tokens]
        if None in found:
            raise Malformed("one of its alerts cannot be read")
        return [alert_of(each, self._entities) for each in found if each]

    def _pages(self, path: str, items: str) -> Iterator[RawPage]:
        params = {"limit": PAGE_SIZE, "workspace_token": self._token}

        def fetch(token: str | None) -> Any:
            if token and not token.isdecimal():
                return self._http.call("GET", token, safety=Safety.SAFE)
            asked = {"page": token or "1", **params}
            return self._http.call("GET", path, params=asked, safety=Safety.SAFE)

        return link_pages(fetch, items=items, next_link="links.next", resolve=self._page_number)

    def _page_number(self, link: str) -> str:
        """The page that a next-link means; one without a number is followed as it is."""
        whole = self._http.absolute(link)
        number = parse_qs(urlsplit(whole).query).get("page", [""])[0]
        return number if number.isdecimal() else whole

    def _take(self, records: Sequence[Any]) -> None:
        family, self.unreadable, usage = Family(self._currency), [], 0
        for record in records:
            said = record if isinstance(record, dict) else {}
            if said.get("workspace_token", self._token) != self._token:
                continue  # older versions of the API list all that the token sees
            if said.get("type") == "usage":
                usage += 1
                continue
            try:
                family.put(parsed(VantageBudget, record))
            except Malformed as error:
                self.unreadable.append((record, error))
                family.adopt(str(said.get("token")), _tokens(said.get("child_budget_tokens")))
        if usage:
            log.info("%s: %d usage budgets are passed over", self._http.vendor, usage)
        if any(budget.budget_alert_tokens for budget in family.all()):
            family.alerts.update(self._alerts())
        self.family, self._is_whole = family, True

    def _alerts(self) -> Iterator[tuple[str, VantageAlert]]:
        for raw in self._pages(ALERTS, "budget_alerts"):
            for record in raw.items:
                try:
                    alert = parsed(VantageAlert, record)
                except Malformed as error:
                    log.warning("%s: an alert cannot be read: %s", self._http.vendor, error)
                else:
                    yield alert.token, alert

    # -- one budget --------------------------------------------------------------------------

    def post(self, said: VantageBudgetWrite) -> str:
        """Make a budget; returns its token."""
        said.workspace_token = self._token
        return self._keep(parsed(VantageBudget, self._send("POST", BUDGETS, said.body())), said)

    def put(self, token: str, said: VantageBudgetWrite) -> None:
        """Change what is said, if anything is."""
        if body := said.body():
            answer = self._send("PUT", _path(BUDGETS, token), body)
            self._keep(parsed(VantageBudget, answer), said)

    def put_phases(
        self, token: str, phases: Phases, said: VantageBudgetWrite | None = None
    ) -> None:
        """Give a budget without children these periods, and what else is `said`."""
        stored, said = self.known(token), said or VantageBudgetWrite()
        if phases_of(stored, self._currency) != phases:
            said.periods = period_write(phases, {each.start_at for each in stored.periods})
        self.put(token, said)

    def remove(self, token: str) -> None:
        """Delete a budget; no error if it is gone."""
        with suppress(Missing):
            self._send("DELETE", _path(BUDGETS, token))
        self.family.drop(token)

    def _send(self, method: str, path: str, body: Any = None) -> Any:
        safety = Safety.ONCE if method == "POST" else Safety.IDEMPOTENT
        try:
            return self._http.call(method, path, json=body, safety=safety)
        except (Transient, Uncertain, Malformed):
            self._is_whole = False
            raise

    def _keep(self, budget: VantageBudget, said: VantageBudgetWrite | None) -> str:
        """Take an answer into the family; no sample of one names the children, so they may lack."""
        if "child_budget_tokens" not in budget.model_fields_set:
            before = self.family.get(budget.token)
            told = said.child_budget_tokens if said else None
            kept = before.child_budget_tokens if told is None and before else told
            budget = budget.model_copy(update={"child_budget_tokens": kept or []})
        self.family.put(budget)
        return budget.token

    # -- sums --------------------------------------------------------------------------------

    def left(self, parent: str, total: Phases, instead: Mapping[str, Phases]) -> Phases:
        """What the children of `parent` leave of `total`, where some hold something else `instead`.

        Raises `Rejected` where they need more, or where one of them cannot be seen.
        """
        parts = dict(instead)
        for child in self.known(parent).child_budget_tokens:
            if child in parts:
                continue
            found = self.family.get(child)
            if found is None:
                raise Rejected(f"its part {child} cannot be seen, so that no sum can be made")
            if not is_rest(found.name):
                parts[child] = self.family.phases(child)
        return remainder(total, [each for part in parts.values() for each in part], self._currency)

    def resize(self, token: str, phases: Phases, said: VantageBudgetWrite) -> None:
        """Let a budget hold `phases`; its shares follow in time, the rests keep all sums."""
        above = self.family.above(token)
        total = self.family.phases(above) if above else ()
        if above:
            self.left(above, total, {token: phases})
        if self.known(token).child_budget_tokens:
            shares = self._in_time(token, phases)
            self.left(token, phases, shares)
            for share, wanted in shares.items():
                self.put_phases(share, wanted)
            self.put(token, said)
            self.rebalance(token, phases)
        else:
            self.put_phases(token, phases, said)
        if above:
            self.rebalance(above, total)

    def _in_time(self, token: str, phases: Phases) -> dict[str, Phases]:
        """The shares of a budget for as long as `phases` last, each with the amount it has."""
        shares = {
            each.token: self.family.phases(each.token) for each in self.family.allocations(token)
        }
        return {
            share: throughout(held[0].amount, phases)
            for share, held in shares.items()
            if len({phase.amount for phase in held}) == 1
        }

    def rebalance(
        self, parent: str, total: Phases, *, joining: str | None = None, leaving: str | None = None
    ) -> None:
        """Make children and rest of `parent` sum to `total`, with one more child or one less."""
        before = self.known(parent).child_budget_tokens
        tokens = [child for child in before if child != leaving]
        if joining is not None and joining not in tokens:
            tokens.append(joining)
        changed = {joining: self.family.phases(joining)} if joining else {}
        left = self.left(parent, total, changed | ({leaving: ()} if leaving else {}))
        rest = self.family.rest_of(parent)
        if rest is not None and rest.token in tokens:
            self._place(parent, tokens, before)
            self.put_phases(rest.token, left)
            return
        if not tokens or any(phase.amount.value for phase in left):
            tokens.append(self._held(parent, rest, left))
        self._place(parent, tokens, before)

    def _held(self, parent: str, rest: VantageBudget | None, left: Phases) -> str:
        """The token of a rest that holds `left`, not yet below its parent."""
        if rest is not None:
            self.put_phases(rest.token, left)
            return rest.token
        name = rest_name(self.known(parent).name or "")
        return self.post(VantageBudgetWrite(name=name, periods=period_write(left)))

    def _place(self, parent: str, tokens: Sequence[str], before: Sequence[str]) -> None:
        if [*tokens] != [*before]:
            self.put(parent, VantageBudgetWrite(child_budget_tokens=[*tokens]))

    # -- alerts ------------------------------------------------------------------------------

    def say_alerts(self, token: str, alerts: Sequence[Alert] | None) -> None:
        """Bring a budget's alerts to `alerts`, with as few calls as can be; None leaves them."""
        if alerts is None:
            return
        budget, missing = self.known(token), [*alerts]
        kept: list[str] = []
        extra: list[str] = []
        for id, there in zip(budget.budget_alert_tokens, self.alerts_of(budget), strict=True):
            same = next((each for each in missing if alert_key(each) == alert_key(there)), None)
            (extra if same is None else kept).append(id)
            if same is not None:
                missing.remove(same)
        for id in extra:
            others = [other for other in self.family.alerts[id].budget_tokens if other != token]
            if others:  # it is an alert of other budgets too
                self._put_alert(id, VantageAlertWrite(budget_tokens=others))
            elif missing:
                kept.append(self._put_alert(id, alert_write(missing.pop(0), self._entities)))
            else:
                with suppress(Missing):
                    self._send("DELETE", _path(ALERTS, id))
        for alert in missing:
            said = alert_write(alert, self._entities)
            said.budget_tokens, said.duration_in_days = [token], ""  # "" is the whole month
            kept.append(self._alert(self._send("POST", ALERTS, said.body())))
        self.family.put(budget.model_copy(update={"budget_alert_tokens": kept}))

    def _put_alert(self, id: str, said: VantageAlertWrite) -> str:
        return self._alert(self._send("PUT", _path(ALERTS, id), said.body()))

    def _alert(self, answer: Any) -> str:
        alert = parsed(VantageAlert, answer)
        self.family.alerts[alert.token] = alert
        return alert.token


def _path(collection: str, token: str) -> str:
    return f"{collection}/{quote(token, safe='')}"


def _tokens(value: Any) -> list[str]:
    return [each for each in value if isinstance(each, str)] if isinstance(value, list) else []
