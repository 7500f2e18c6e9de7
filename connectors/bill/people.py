"""BILL's users by the names that the source has for them: a row of `entities`, their email, or an
id of BILL's own.

The API has no search by email. All users are listed when a first one is met, and once more in a
later reading for one who is not found. Whom new and changed objects name is looked up while
planning, so that an email or an id which nobody has is blocked in the plan.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from threading import Lock
from urllib.parse import quote

from canonical.allocation import Entity
from canonical.identity import EntityMap
from connectors.bill.mapping import new_user
from connectors.bill.users import UUID, Users, may_be_an_id
from connectors.bill.wire import USERS, BillUser
from connectors.calling.client import HttpClient, Safety
from connectors.calling.parsing import parsed
from connectors.contract.errors import Missing, Rejected
from connectors.contract.records import Listed, Resolved


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
        self._users: Users | None = None
        self._fresh = False
        self._unlisted: dict[str, BillUser | None] = {}  # asked for one by one, by id
        self._unknown: dict[str, str] = {}  # why, by our name
        self._me: str | None = None
        self._moved: dict[str, str] | None = None  # uuid → the id that a row still gives
        self._lock, self._making, self._moving = Lock(), Lock(), Lock()

    def outdated(self) -> None:
        """Who is not found from now on is looked for in a new list, once."""
        self._fresh = False
        self._unlisted.clear()
        self._unknown.clear()

    def current(self) -> BillUser:
        """The user who made the token."""
        return parsed(BillUser, self._http.call("GET", f"{USERS}/current", safety=Safety.SAFE))

    def ourselves(self) -> str:
        """BILL's id of the user who made the token, asked for once."""
        with self._making:
            self._me = self._me or self.current().id
            return self._me

    def spelled(self, id: str) -> str:
        """BILL's id of our user by a row, else the email in one spelling; makes no call."""
        found = self._entities.theirs(Entity("user", id))
        return found.casefold() if "@" in found else found

    def spellings(self, id: str) -> frozenset[str]:
        """All that `spelled` may say of the user whom we name so, as far as users were listed."""
        found = self.spelled(id)
        user = self._listed(found)
        said = (user.id, user.uuid, user.email and user.email.casefold()) if user else ()
        return frozenset({found, *filter(None, said)})

    def resolve(self, entities: Iterable[Entity]) -> Resolved:
        """Look up users; unknown is who is not there, nor to be made."""
        there, unknown = {}, {}
        for entity in entities:
            if entity.type != "user":
                continue
            user, reason = self._looked_up(entity.id)
            if reason:
                unknown[entity] = self._unknown[entity.id] = reason
            elif user is not None:
                there[entity] = Entity("user", self.ours(user.id, user.uuid))
        return Resolved(there, unknown)

    def in_use(self) -> Iterator[Listed]:
        """Everybody to whom something can be given, by the id that a row gives already, else by
        the one that costs no call to look up."""
        for user in self._read():
            if not user.retired:
                id = user.id if user.id in self._mapped else user.uuid or user.id
                name = " ".join(filter(None, (user.first_name, user.last_name)))
                yield Listed(id, name or None, user.email)

    def lacks(self, id: str) -> str | None:
        """Why a write cannot name our user, as far as they were looked up; makes no call."""
        return self._unknown.get(id)

    def theirs(self, id: str) -> str | None:
        """BILL's id of our user; None for an email that no user in use has."""
        found = self._entities.theirs(Entity("user", id))
        if "@" in found:
            user = self._with_email(found)
            return user.id if user else None
        if found.startswith(UUID):
            user = self._found(lambda users: users.named(found))
        else:
            user = self._unlisted.get(found)
        if user is not None:
            return user.id
        return next((new for new, old in (self._moved or {}).items() if old == found), found)

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
                self._users = self._users or Users()
                self._users.add(user)
            return user.id

    def ours(self, id: str, uuid: str | None) -> str:
        """Our name of their user; their own id for one who has neither row nor email."""
        for spelling in (id, uuid):
            if spelling is not None and spelling in self._mapped:
                return self._entities.ours("user", spelling).id
        if id.startswith(UUID) and (old := self._given_up().get(id)):
            return self._entities.ours("user", old).id
        user = self._found(lambda users: users.named(id))
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

    def _looked_up(self, id: str) -> tuple[BillUser | None, str | None]:
        """Our user at BILL, or why a write that names them would be refused."""
        found, name = self.spelled(id), self._http.vendor
        if "@" in found:
            user = self._with_email(found)
            return user, None if user or self._make else self._nobody(id)
        user = self._found(lambda users: users.named(found)) or self._asked_for(found)
        if user is not None and not user.retired:
            return user, None
        seen = f"{name} has {f'the user {found} only as retired' if user else f'no user {found}'}"
        if f"user:{id}" in self._rows:
            return None, f'{seen}; correct the row "user:{id}" in [systems.{name}.entities]'
        hint = f'name them by email, or give "user:{id}" a row in [systems.{name}.entities]'
        return None, f"{seen}; {hint}"

    def _asked_for(self, id: str) -> BillUser | None:
        """A user whom no list shows by that id: one that answers show no more, or a hidden one."""
        if id not in self._unlisted:
            self._unlisted[id] = self._by_id(id) if may_be_an_id(id) else None
        return self._unlisted[id]

    def _nobody(self, id: str) -> str:
        name = self._http.vendor
        hint = f'invite them, or give "user:{id}" a row in [systems.{name}.entities]'
        return f"{name} has no user in use with the email {id}; {hint}"

    def _with_email(self, email: str) -> BillUser | None:
        return self._found(lambda users: users.with_email(email))

    def _listed(self, spelled: str) -> BillUser | None:
        with self._lock:
            users = self._users or Users()
        return users.with_email(spelled) or users.named(spelled)

    def _found(self, wanted: Callable[[Users], BillUser | None]) -> BillUser | None:
        with self._lock:
            found = wanted(self._users) if self._users else None
            if found is None and not self._fresh:
                self._users, self._fresh = Users(self._read()), True
                found = wanted(self._users)
            return found
