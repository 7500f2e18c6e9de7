"""JSON-2: how an Odoo of 19 and later is asked, under a user's API key."""

from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import quote

from connectors.calling.client import HttpClient, Safety
from connectors.calling.parsing import begun
from connectors.contract.errors import Malformed, Missing, Unreadable
from connectors.odoo.records import Records
from connectors.odoo.wire import USERS

DATABASE: Final = "X-Odoo-Database"
"""The header that names the database."""


class Json2(Records):
    """The records of the database that `http` names, as the key's user sees them."""

    def __init__(self, name: str, http: HttpClient) -> None:
        super().__init__()
        self._name, self._http = name, http
        self._user: int | None = None

    def user(self) -> int:
        if self._user is None:
            self._user = self._who()
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
        body = {**said, **({} if ids is None else {"ids": list(ids)})}
        body |= {"context": context} if context else {}
        return self._http.call("POST", _path(model, method), json=body, safety=Safety.SAFE)

    def change(self, model: str, ids: Sequence[int], values: Mapping[str, Any]) -> Any:
        body = {"ids": list(ids), "vals": dict(values)}
        return self._http.call("POST", _path(model, "write"), json=body, safety=Safety.ONCE)

    def close(self) -> None:
        self._http.close()

    def _who(self) -> int:
        try:
            found = self.asked(USERS, "context_get", {})
        except Missing as error:
            hint = (
                f"Check base_url and database of [systems.{self._name}]; an Odoo before 19 takes "
                "login and password"
            )
            raise Unreadable("no JSON-2 answers here", call=error.call, hint=hint) from None
        user = found.get("uid") if isinstance(found, dict) else None
        if not isinstance(user, int) or isinstance(user, bool) or user <= 0:
            raise Malformed(f"{USERS}: {begun(user)} is no user")
        return user


def _path(model: str, method: str) -> str:
    return f"/json/2/{quote(model, safe='')}/{method}"
