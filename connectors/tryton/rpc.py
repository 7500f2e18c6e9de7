"""JSON-RPC: how a Tryton of 6.0 to 8.2 is asked under a user's session."""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from connectors.calling.auth import RenewedToken
from connectors.calling.client import HttpClient, Safety
from connectors.calling.parsing import decoded
from connectors.calling.steps import in_steps
from connectors.contract.errors import Call
from connectors.contract.runtime import Runtime
from connectors.tryton.records import Domain, Records
from connectors.tryton.session import HEADER, Session, result_of, said
from connectors.tryton.wire import Preferences, data_of, number

_BY_ID: Final = [["id", "ASC"]]


class JsonRpc(Records):
    """The records of one database, as one user sees them."""

    def __init__(
        self, name: str, session: Session, opened: Callable[..., HttpClient], runtime: Runtime
    ) -> None:
        super().__init__()
        self._name, self._session = name, session
        token = RenewedToken(HEADER, session.token, runtime.now, runtime.hide)
        self._http = opened(auth=token)

    def preferences(self) -> Preferences:
        found = self._call("res.user", "get_preferences", False, {})
        return decoded(Preferences, data_of(found))

    def page(self, model: str, domain: Domain, fields: Sequence[str], size: int) -> Any:
        return self._call(model, "search_read", domain, 0, size, _BY_ID, ["id", *fields], {})

    def counted(self, model: str, domain: Domain) -> Any:
        return self._call(model, "search_count", domain, {})

    def write(self, model: str, amounts: Mapping[int, Decimal], stamps: Mapping[int, str]) -> None:
        pairs = [part for id, amount in amounts.items() for part in _pair(id, amount)]
        context = {"_timestamp": {f"{model},{id}": stamps[id] for id in amounts}}
        self._change(model, "write", *pairs, context)

    def create(self, model: str, values: Sequence[Mapping[str, Any]]) -> None:
        self._change(model, "create", values, {})

    def close(self) -> None:
        self._http.close()
        self._session.close()

    def _call(self, model: str, method: str, *params: Any) -> Any:
        answer = self._answer(model, method, *params, safety=Safety.SAFE)
        return result_of(answer, Call(self._name, "POST", f"{model}.{method}"))

    def _change(self, model: str, method: str, *params: Any) -> None:
        """A call that is done as a whole or not at all, and sent once."""
        with in_steps() as steps:
            before = steps.taken
            answer = self._answer(model, method, *params, safety=Safety.ONCE)
            if isinstance(answer, dict) and "error" in answer:
                steps.undone(before)  # its transaction was rolled back
            result_of(answer, Call(self._name, "POST", f"{model}.{method}"))

    def _answer(self, model: str, method: str, *params: Any, safety: Safety) -> Any:
        body = said(f"model.{model}.{method}", *params)
        return self._http.call("POST", self._session.address(), json=body, safety=safety)


def _pair(id: int, amount: Decimal) -> tuple[list[int], dict[str, Any]]:
    return [id], {"amount": number(amount)}
