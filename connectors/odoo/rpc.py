"""JSON-RPC: how an Odoo of 14 to 18 is asked, under a user's login and password."""

from collections.abc import Callable, Mapping, Sequence
from threading import Lock
from typing import Any, Final

from connectors.calling.client import HttpClient, Safety
from connectors.calling.steps import in_steps
from connectors.contract.errors import Call, Malformed, Missing, Unauthorized, Unreadable
from connectors.odoo.faults import fault_of, is_undone
from connectors.odoo.records import Records

_PATH: Final = "/jsonrpc"
_LOG_IN: Final = "authenticate"


class JsonRpc(Records):
    """The records of `database`. `pair` are login and password, which go with each call."""

    def __init__(
        self, name: str, database: str, pair: tuple[str, str], opened: Callable[..., HttpClient]
    ) -> None:
        super().__init__()
        self._name, self._database, self._pair = name, database, pair
        self._http = opened(secrets=[pair[1]])
        self._lock = Lock()
        self._user: int | None = None
        self._refused: Unauthorized | None = None

    def user(self) -> int:
        with self._lock:
            if self._user is None:
                self._user = self._logged_in()
            return self._user

    def asked(
        self,
        model: str,
        method: str,
        said: Mapping[str, Any],
        *,
        ids: Sequence[int] | None = None,
        context: Mapping[str, Any] | None = None,
    ) -> Any:
        named = {"context": context} if context else {}
        given = [*([] if ids is None else [list(ids)]), *said.values()]
        answer = self._execute(model, method, given, named, Safety.SAFE)
        call = Call(self._name, "POST", f"{model}.{method}")
        self._raise_fault(answer, call)
        if "result" not in answer:
            raise Malformed("the answer has no result", call=call)
        return answer["result"]

    def change(self, model: str, ids: Sequence[int], values: Mapping[str, Any]) -> Any:
        with in_steps() as steps:
            before = steps.taken
            answer = self._execute(model, "write", [list(ids), dict(values)], {}, Safety.ONCE)
            if isinstance(answer, dict) and is_undone(answer.get("error")):
                steps.undone(before)
            self._raise_fault(answer, Call(self._name, "POST", f"{model}.write"))
            return answer.get("result")

    def close(self) -> None:
        self._http.close()

    def _execute(
        self, model: str, method: str, args: list[Any], named: Mapping[str, Any], safety: Safety
    ) -> Any:
        whole = [self._database, self.user(), self._pair[1], model, method, args, named]
        return self._call("object", "execute_kw", whole, safety)

    def _logged_in(self) -> int:
        login, password = self._pair
        args = [self._database, login, password, {}]
        answer = self._call("common", _LOG_IN, args, Safety.SAFE)
        call = Call(self._name, "POST", _LOG_IN)
        if isinstance(answer, dict) and answer.get("error") is not None:
            self._raise_fault_of_log_in(answer, call)
        found = answer.get("result") if isinstance(answer, dict) else None
        if found is False:
            hint = f"Check login and password of [systems.{self._name}]"
            self._refused = Unauthorized("login or password is wrong", call=call, hint=hint)
            raise self._refused
        if not isinstance(found, int) or isinstance(found, bool) or found <= 0:
            raise Malformed("the log-in is answered with no user", call=call)
        return found

    def _raise_fault_of_log_in(self, answer: Any, call: Call) -> None:
        try:
            self._raise_fault(answer, call)
        except Malformed as error:
            hint = f"Check the database of [systems.{self._name}]"
            message = f"database {self._database!r} cannot be logged in to: {error.message}"
            raise Unreadable(message, call=call, hint=hint) from None

    def _call(self, service: str, method: str, args: list[Any], safety: Safety) -> Any:
        if self._refused is not None:
            raise self._refused
        params = {"service": service, "method": method, "args": args}
        body = {"jsonrpc": "2.0", "method": "call", "id": 1, "params": params}
        try:
            return self._http.call("POST", _PATH, json=body, safety=safety)
        except Missing as error:
            hint = f"Check base_url of [systems.{self._name}]; an Odoo without it takes a key"
            raise Unreadable("no JSON-RPC answers here", call=error.call, hint=hint) from None
        except Unauthorized as error:
            self._refused = error
            raise

    def _raise_fault(self, answer: Any, call: Call) -> None:
        """Raise what the answer's error means, or that it is no answer."""
        if not isinstance(answer, dict):
            raise Malformed("the answer is no envelope with a result", call=call)
        if answer.get("error") is not None:
            credential = f"login and password of [systems.{self._name}]"
            fault = fault_of(answer["error"], call, credential, [self._pair[1]])
            if isinstance(fault, Unauthorized):
                self._refused = fault
            raise fault
