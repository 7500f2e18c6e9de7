"""REST: how a Tryton of 8.x is read under a user application's key."""

from base64 import urlsafe_b64encode
from collections.abc import Sequence
from typing import Any, Final
from urllib.parse import quote

from connectors.calling.client import HttpClient, Safety
from connectors.calling.exact_json import written
from connectors.calling.parsing import decoded
from connectors.tryton.records import Domain, Records
from connectors.tryton.wire import Preferences, data_of

_BY_ID: Final = [["id", "ASC"]]


class Rest(Records):
    """The records of one database, as the key's user sees them."""

    def __init__(self, database: str, http: HttpClient) -> None:
        super().__init__()
        self._http = http
        self._models = f"/{quote(database, safe='')}/rest/model"

    def preferences(self) -> Preferences:
        path = f"{self._models}/res.user/get_preferences"
        found = self._http.call("POST", path, json={"context_only": False}, safety=Safety.SAFE)
        return decoded(Preferences, data_of(found))

    def page(self, model: str, domain: Domain, fields: Sequence[str], size: int) -> Any:
        asked = {"f": ["id", *fields], "d": _packed(domain), "o": _packed(_BY_ID), "s": size}
        return self._http.call("GET", f"{self._models}/{model}", params=asked, safety=Safety.SAFE)

    def counted(self, model: str, domain: Domain) -> Any:
        path = f"{self._models}/{model}/search_count"
        return self._http.call("POST", path, json={"domain": domain}, safety=Safety.SAFE)

    def close(self) -> None:
        self._http.close()


def _packed(value: Any) -> str:
    return urlsafe_b64encode(written(value).encode("ascii")).decode("ascii")
