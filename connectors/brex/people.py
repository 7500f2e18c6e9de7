"""Brex's users by the e-mail that the source has for them; a row of `entities` goes before.

What is no e-mail passes as Brex's own id. An e-mail is looked up with `GET /v2/users?email=` once
in a reading, which takes the scope `users.readonly` beside those of budgets.
"""

from collections.abc import Collection, Iterable, Mapping
from threading import Lock
from typing import Any, Final

from canonical.allocation import Entity
from canonical.identity import EntityMap
from connectors.brex.wire import OUT_OF_USE, USERS, BrexUser
from connectors.calling.client import HttpClient, Safety
from connectors.calling.paging import cursor_pages
from connectors.calling.parsing import decoded
from connectors.contract.errors import Forbidden, Malformed, Missing, Rejected
from connectors.contract.records import Resolved

_SCOPE: Final = "its token may not read users, which takes the scope users.readonly"


class People:
    """Who is who at Brex, for reading and for writing. Safe to use from several threads."""

    def __init__(self, http: HttpClient, rows: Mapping[str, str]) -> None:
        self._http, self._rows = http, rows
        self._read = EntityMap(rows)
        self._ids: dict[str, str] = {}  # by e-mail
        self._unknown: dict[str, str] = {}  # why, by e-mail
        self._may_ask = True
        self._lock = Lock()

    def outdated(self) -> None:
        """A new reading begins: who was looked up before is looked up again."""
        with self._lock:
            self._ids.clear()
            self._unknown.clear()
            self._may_ask = True

    @property
    def entities(self) -> EntityMap:
        """As listings are read: by the rows alone, so that each reading names everybody alike."""
        return self._read

    def writing(self, ids: Collection[str]) -> EntityMap:
        """To write with, and to name our users `ids`; raises `Rejected` for one who is unknown."""
        return EntityMap({f"user:{id}": self._required(id) for id in ids}) if ids else self._read

    def resolve(self, entities: Iterable[Entity]) -> Resolved:
        """Look up the users among `entities`, of which one may be several with commas between."""
        there, unknown = {}, {}
        for entity in entities:
            if entity.type != "user":
                continue
            found = [self._looked_up(id) for id in entity.id.split(",")]
            reasons = [reason for _, reason in found if reason]
            if reasons:
                unknown[entity] = "; ".join(reasons)
            else:
                shown = sorted(self._read.our_id("user", id) for id, _ in found)
                there[entity] = Entity("user", ",".join(shown))
        return Resolved(there, unknown)

    def _is_email(self, id: str) -> bool:
        return "@" in id and f"user:{id}" not in self._rows

    def _required(self, id: str) -> str:
        found, reason = self._looked_up(id)
        if reason:
            raise Rejected(reason)
        return found

    def _looked_up(self, id: str) -> tuple[str, str | None]:
        """Brex's id of our user, or why there is none."""
        if not self._is_email(id):
            return self._read.theirs(Entity("user", id)), None
        email = id.casefold()
        with self._lock:
            if email not in self._ids and email not in self._unknown:
                self._ask(id)
            return self._ids.get(email, ""), self._unknown.get(email)

    def _ask(self, id: str) -> None:
        """Look up one e-mail, unless the token was told that it may not."""
        name, email = self._http.vendor, id.casefold()
        hint = f'give "user:{id}" a row in [systems.{name}.entities]'
        try:
            users = self._users(id) if self._may_ask else []
        except Forbidden:
            self._may_ask = False
        except (Malformed, Missing, Rejected) as error:
            self._unknown[email] = f"{name} cannot look up {id} ({error.message}); {hint}"
            return
        if not self._may_ask:
            self._unknown[email] = f"{name} cannot look up {id}: {_SCOPE}; or {hint}"
            return
        usable = [user for user in users if user.status not in OUT_OF_USE]
        if len(usable) == 1:
            self._ids[email] = usable[0].id
            return
        if usable:
            seen = f"several users {id}: {', '.join(sorted(user.id for user in usable))}"
        elif users:
            seen = f"{id} only as {', '.join(sorted({str(user.status) for user in users}))}"
        else:
            seen = f"no user {id}"
        self._unknown[email] = f"{name} has {seen}; invite them, or {hint}"

    def _users(self, email: str) -> list[BrexUser]:
        """The users with that e-mail, by what their rows say, should a filter be ignored."""

        def fetch(token: str | None) -> Any:
            params = {"email": email, "cursor": token}
            return self._http.call("GET", USERS, params=params, safety=Safety.SAFE)

        pages = cursor_pages(fetch, items="items", next_token="next_cursor")  # noqa: S106
        users = (decoded(BrexUser, row) for raw in pages for row in raw.items)
        return [user for user in users if user.email.casefold() == email.casefold()]
