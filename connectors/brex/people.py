"""Brex's users by the e-mail that the source has for them; a row of `entities` goes before.

What is no e-mail is Brex's own id. An e-mail is looked up with `GET /v2/users?email=`, once in a
reading; for ids all users are listed, once in a reading. Both take the scope `users.readonly`
beside those of budgets: a token without it cannot look up e-mails, and passes ids as they are.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from threading import Lock
from typing import Any, Final

from canonical.allocation import Entity
from canonical.identity import EntityMap
from connectors.brex.wire import USERS, BrexUser
from connectors.brex.words import OUT_OF_USE
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
        self._all: dict[str, BrexUser] | None = None  # by id, once they were listed
        self._may_ask = True
        self._lock = Lock()

    def outdated(self) -> None:
        """A new reading begins: who was looked up before is looked up again."""
        with self._lock:
            self._ids.clear()
            self._unknown.clear()
            self._all = None
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
            ids = entity.id.split(",")
            found = [self._looked_up(id) for id in ids]
            said = [reason or self._absent(id) for id, (_, reason) in zip(ids, found, strict=True)]
            reasons = [reason for reason in said if reason]
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

    def _absent(self, id: str) -> str | None:
        """Why Brex would refuse our user, where we name them by an id that it shows of nobody."""
        if self._is_email(id):
            return None
        theirs, name = self._read.theirs(Entity("user", id)), self._http.vendor
        there = self._listed()
        user = there.get(theirs) if there is not None else None
        if there is None or (user is not None and user.status not in OUT_OF_USE):
            return None
        seen = f"{theirs} only as {user.status}" if user else f"no user {theirs}"
        if f"user:{id}" in self._rows:
            return f'{name} has {seen}; correct the row "user:{id}" in [systems.{name}.entities]'
        hint = f'name them by e-mail, or give "user:{id}" a row in [systems.{name}.entities]'
        return f"{name} has {seen}; {hint}"

    def _listed(self) -> Mapping[str, BrexUser] | None:
        """All users by id; None where they cannot be listed, which says nothing of any."""
        with self._lock:
            if self._all is None and self._may_ask:
                try:
                    self._all = {user.id: user for user in self._users()}
                except Forbidden:
                    self._may_ask = False
                except (Malformed, Missing, Rejected):
                    return None
            return self._all

    def _ask(self, id: str) -> None:
        """Look up one e-mail, unless the token was told that it may not."""
        name, email = self._http.vendor, id.casefold()
        hint = f'give "user:{id}" a row in [systems.{name}.entities]'
        try:
            users = self._with_email(id) if self._may_ask else []
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

    def _with_email(self, email: str) -> list[BrexUser]:
        """The users with that e-mail, by what their rows say, should a filter be ignored."""
        users = self._users(email)
        return [user for user in users if user.email.casefold() == email.casefold()]

    def _users(self, email: str | None = None) -> Iterator[BrexUser]:
        def fetch(token: str | None) -> Any:
            params = {"email": email, "cursor": token}
            return self._http.call("GET", USERS, params=params, safety=Safety.SAFE)

        pages = cursor_pages(fetch, items="items", next_token="next_cursor")  # noqa: S106
        return (decoded(BrexUser, row) for raw in pages for row in raw.items)
