"""The budget alerts of one workspace as last read or written, and the calls that change them."""

import logging
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from canonical.allocation import Alert
from canonical.identity import EntityMap
from connectors.calling.absence import prove_gone
from connectors.calling.paging import RawPage
from connectors.calling.parsing import parsed
from connectors.contract.errors import Malformed, Missing
from connectors.vantage.mapping import alert_key, alert_of, alert_write
from connectors.vantage.wire import ALERTS, VantageAlert, VantageAlertWrite, VantageBudget, path_of

log = logging.getLogger("trueup.vantage")


class Alerts:
    """Alerts by token. `send` is a method, a path and a body, and gives back the answer."""

    def __init__(self, send: Callable[..., Any], entities: EntityMap) -> None:
        self._send, self._entities = send, entities
        self._stored: dict[str, VantageAlert] = {}
        self._unread = set[str]()

    def take(self, pages: Iterable[RawPage]) -> None:
        """Forget all, and take those of a listing; one that cannot be read is not there."""
        found, unread = {}, set[str]()
        for raw in pages:
            for record in raw.items:
                try:
                    alert = parsed(VantageAlert, record)
                except Malformed as error:
                    log.warning("an alert cannot be read: %s", error)
                    unread.add(str(record.get("token")) if isinstance(record, dict) else "")
                else:
                    found[alert.token] = alert
        self._stored, self._unread = found, unread

    def of(self, budget: VantageBudget) -> list[Alert]:
        """Those of a budget. Raises `Malformed` where one of them cannot be read."""
        found = [
            self._stored.get(token) or self._read(token) for token in budget.budget_alert_tokens
        ]
        return [alert_of(each, self._entities) for each in found]

    def say(self, budget: VantageBudget, alerts: Sequence[Alert]) -> list[str]:
        """Bring those of a budget to `alerts`, with as few calls as can be; returns their tokens.

        An alert of other budgets too is left to them.
        """
        missing, kept, extra = [*alerts], list[str](), list[str]()
        for id, there in zip(budget.budget_alert_tokens, self.of(budget), strict=True):
            same = next((each for each in missing if alert_key(each) == alert_key(there)), None)
            (extra if same is None else kept).append(id)
            if same is not None:
                missing.remove(same)
        for id in extra:
            others = [each for each in self._stored[id].budget_tokens if each != budget.token]
            if others:
                self._put(id, VantageAlertWrite(budget_tokens=others))
            elif missing:
                kept.append(self._put(id, self._instead(id, missing.pop(0))))
            else:
                self._remove(id)
        for alert in missing:
            said = alert_write(alert, self._entities)
            said.budget_tokens, said.duration_in_days = [budget.token], ""  # "" is the whole month
            kept.append(self._keep(self._send("POST", ALERTS, said.body())))
        return kept

    def _read(self, id: str) -> VantageAlert:
        """One that the listing did not show, or not so that it can be read; asked for once."""
        if id not in self._unread:
            try:
                self._keep(self._send("GET", path_of(ALERTS, id)))
            except (Missing, Malformed):
                self._unread.add(id)
        if id in self._unread:
            raise Malformed("one of its alerts cannot be read")
        return self._stored[id]

    def _remove(self, id: str) -> None:
        try:
            self._send("DELETE", path_of(ALERTS, id))
        except Missing as error:
            prove_gone(error, lambda: self._shows(id))

    def _shows(self, id: str) -> bool:
        try:
            self._send("GET", path_of(ALERTS, id))
        except Missing:
            return False
        return True

    def _instead(self, id: str, alert: Alert) -> VantageAlertWrite:
        """What makes `alert` of a stored one: a PUT leaves what it does not name."""
        said = alert_write(alert, self._entities)
        if self._stored[id].recipient_emails and said.recipient_emails is None:
            said.recipient_emails = []
        return said

    def _put(self, id: str, said: VantageAlertWrite) -> str:
        return self._keep(self._send("PUT", path_of(ALERTS, id), said.body()))

    def _keep(self, answer: Any) -> str:
        alert = parsed(VantageAlert, answer)
        self._stored[alert.token] = alert
        return alert.token
