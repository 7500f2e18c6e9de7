"""BILL's users by the names that the source has for them: a row of `entities`, else their email.

The API has no search by email. All users are listed when a first one is met who has no row, and
once more in a later reading for one who is not found. New objects are resolved while planning, so
that an email which nobody has is blocked in the plan.
"""

from collections.abc import Callable, Iterable, Mapping
from threading import Lock
from typing import Final
from urllib.parse import quote

from canonical.allocation import Entity
from canonical.identity import EntityMap
from connectors.bill.mapping import new_user
from connectors.bill.wire import USERS, BillUser
from connectors.calling.client import HttpClient, Safety
from connectors.calling.parsing import parsed
from connectors.contract.errors import Missing, Rejected
from connectors.contract.records import Resolved

UUID: Final = "usr_"
"""How the other spelling of a user's id begins; paths take both, answers are compared by `id`."""


class People:
    """Who is who. `read` lists all users; with `make`, one whose email is unknown is made."""

    def __init__(
        self,
        http: HttpClient,
        rows: Mapping[str, str],
        read: Callable[[], Iterable[BillUser]],
        *,
        make: bool,
    ) -> None:
        self._http, self._read, self._make = http, read, make
        self._entities = EntityMap(rows)
        self._rows = {ours for ours in rows if ours.startswith("user:")}
        self._mapped = {rows[ours] for ours in self._rows}
        self._users: list[BillUser] | None = None
        self._fresh = False
        self._me: str | None = None
        self._moved: dict[str, str] | None = None  # uuid → the id that a row still gives
        self._lock, self._making, self._moving = Lock(), Lock(), Lock()

    def outdated(self) -> None:
        """Who is not found from now on is looked for in a new list, once."""
        self._fresh = False

    def current(self) -> BillUser:
        """The user who made the token."""
        return parsed(BillUser, self._http.call("GET", f"{USERS}/current", safety=Safety.SAFE))

    def ourselves(self) -> str:
        """BILL's id of the user who made the token, asked for once."""
        with self._making:
            self._me = self._me or self.current().id
            return self._me

    def has_name(self, id: str) -> bool:
        """Whether a listing can name our user so: by a row, or by email."""
        return f"user:{id}" in self._rows or "@" in id

    def spelled(self, id: str) -> str:
        """BILL's id of our user by a row, else the email in one spelling; makes no call."""
        found = self._entities.theirs(Entity("user", id))
        return found.casefold() if "@" in found else found

    def resolve(self, entities: Iterable[Entity]) -> Resolved:
        """Look up those whom an email names; unknown is who is not there, nor to be made."""
        there, unknown = {}, {}
        for entity in entities:
            found = self.spelled(entity.id)
            if entity.type != "user" or "@" not in found:
                continue
            user = self._with_email(found)
            if user is not None:
                there[entity] = Entity("user", self.ours(user.id, user.uuid))
            elif not self._make:
                unknown[entity] = self._nobody(entity.id)
        return Resolved(there, unknown)

    def lacks(self, id: str) -> str | None:
        """Why a write cannot name our user, as far as users were listed; makes no call."""
        found = self.spelled(id)
        if "@" not in found or self._make or self._users is None:
            return None
        there = any(map(_has_email(found), self._users))
        return None if there else self._nobody(id)

    def theirs(self, id: str) -> str | None:
        """BILL's id of our user; None for an email that no user in use has."""
        found = self._entities.theirs(Entity("user", id))
        if found.startswith(UUID):
            user = self._found(lambda user: user.uuid == found)
            return user.id if user else found
        if "@" not in found:
            return next((new for new, old in (self._moved or {}).items() if old == found), found)
        user = self._with_email(found)
        return user.id if user else None

    def required(self, id: str) -> str:
        """BILL's id of our user; one who is not there is made if that is wished, or `Rejected`."""
        with self._making:  # two threads may miss one user at once
            found = self.theirs(id)
            if found is not None:
                return found
            if not self._make:
                raise Rejected(self._nobody(id))
            made = self._http.call("POST", USERS, json=new_user(id), safety=Safety.ONCE)
            user = parsed(BillUser, made)
            with self._lock:
                self._users = [*(self._users or ()), user]
            return user.id

    def ours(self, id: str, uuid: str | None) -> str:
        """Our name of their user; their own id for one who has neither row nor email."""
        for spelling in (id, uuid):
            if spelling is not None and spelling in self._mapped:
                return self._entities.ours("user", spelling).id
        if id.startswith(UUID) and (old := self._given_up().get(id)):
            return self._entities.ours("user", old).id
        user = self._found(lambda user: user.id == id)
        return self._entities.ours("user", user.email).id if user and user.email else id

    def _given_up(self) -> Mapping[str, str]:
        """Whom rows of `entities` name by an id that answers show no more, by uuid.

        Each is read by that id, once: a path takes both.
        """
        with self._moving:
            if self._moved is None:
                old = sorted(id for id in self._mapped if not id.startswith(UUID) and "@" not in id)
                self._moved = {user.id: id for id in old if (user := self._by_id(id))}
            return self._moved

    def _by_id(self, id: str) -> BillUser | None:
        try:
            path = f"{USERS}/{quote(id, safe='')}"
            return parsed(BillUser, self._http.call("GET", path, safety=Safety.SAFE))
        except (Missing, Rejected):
            return None

    def _nobody(self, id: str) -> str:
        name = self._http.vendor
        hint = f'invite them, or give "user:{id}" a row in [systems.{name}.entities]'
        return f"{name} has no user in use with the email {id}; {hint}"

    def _with_email(self, email: str) -> BillUser | None:
        return self._found(_has_email(email))

    def _found(self, wanted: Callable[[BillUser], bool]) -> BillUser | None:
        with self._lock:
            found = next(filter(wanted, self._users or ()), None)
            if found is None and not self._fresh:
                self._users, self._fresh = list(self._read()), True
                found = next(filter(wanted, self._users), None)
            return found


def _has_email(email: str) -> Callable[[BillUser], bool]:
    wanted = email.casefold()
    return lambda user: not user.retired and (user.email or "").casefold() == wanted
