"""The members of BILL's budgets: read a budget at a time, written one by one.

A member is put, not made: the same call makes and changes it, so it may be repeated. It also says
the role, which BILL may otherwise reset; who was not listed is read before.
"""

from collections.abc import Collection, Iterator
from threading import Lock
from typing import Any

from canonical.allocation import Allocation
from canonical.change import Kind
from connectors.bill.mapping import (
    allocation_of,
    has_a_share,
    member_write,
    new_owner,
    with_role,
)
from connectors.bill.people import People
from connectors.bill.reading import Reader, member_path, page_of
from connectors.bill.wire import BillBudget, BillMember, BillMemberWrite
from connectors.errors import ConnectorError, Missing, Rejected
from connectors.http import HttpClient, Safety
from connectors.interface import Draft, Observed, Page
from connectors.paging import RawPage, ahead
from connectors.parsing import parsed


class Members:
    """Allocations, as the members that BILL holds them in; their id is "BUDGET/USER"."""

    def __init__(self, http: HttpClient, reader: Reader, people: People, currency: str) -> None:
        self._http, self._reader, self._people = http, reader, people
        self._currency = currency
        self._roles: dict[str, dict[str, str | None]] = {}
        self._shares: dict[str, set[str]] = {}
        self._lock = Lock()

    def forget(self) -> None:
        """A new reading begins: who was a member before may be none any more."""
        self._roles.clear()
        self._shares.clear()

    def pages(self, budget: BillBudget, token: str, following: str | None) -> Iterator[Page]:
        """A budget's members from `token` on; `following` is the cursor after its last page."""
        id, roles, shares = budget.id, dict[str, str | None](), set[str]()

        def read(row: Any) -> Observed | None:
            member = parsed(BillMember, row)
            roles[member.user_id] = member.budget_role
            if not has_a_share(member):
                return None
            if not member.retired:
                shares.add(member.user_id)
            return self._observed(budget, member)

        for raw in ahead(self._reader.members(id, token or None)):
            here = f"{id} {raw.cursor}" if raw.cursor else id
            after = f"{id} {raw.next_cursor}" if raw.next_cursor else following
            listed = RawPage(raw.items, here, after)
            yield page_of(self._http.vendor, Kind.ALLOCATION, listed, read, f"{id}/")
        if not token:
            self._roles[id], self._shares[id] = roles, shares

    def against(self, allocation: Allocation) -> Iterator[tuple[str, str]]:
        """Fields in which a new member cannot be made, and why."""
        if not self._people.has_name(allocation.entity.id):
            name = self._http.vendor
            hint = f"an email, or a row in [systems.{name}.entities]"
            yield "entity", f"{name} lists users by email: {allocation.entity} needs {hint}"

    def get(self, id: str) -> Observed:
        """One member; raises `Missing`."""
        budget, user = split(id)
        member = self._reader.member(budget, user)
        return self._observed(self._reader.known(budget), member)

    def create(self, draft: Draft) -> Observed:
        """Put the user of the draft into its budget, in the role that they may have there.

        Raises `Rejected` for who has a share of it already: a second one would replace the first.
        """
        assert isinstance(draft.model, Allocation)
        budget, entity = draft.container, draft.model.entity
        assert budget is not None
        user = self._people.required(entity.id)
        role, has_money = self._there(budget, user)
        with self._lock:
            shared = self._shares.setdefault(budget, set())
            if has_money or user in shared:
                hint = "Make one allocation of theirs"
                raise Rejected(f"{entity} has a share of this budget already", hint=hint)
            shared.add(user)
        try:
            return self._limit(budget, user, draft, role or "MEMBER")
        except ConnectorError:
            shared.discard(user)
            raise

    def update(self, id: str, draft: Draft, fields: Collection[str]) -> Observed:
        """Put the member's amount; raises `Rejected` where they should be another user."""
        if set(fields) == {"entity"}:
            raise Rejected("a member of a budget is the user that they are")
        if {"amount", "currency"}.isdisjoint(fields):
            return self.get(id)
        budget, user = split(id)
        roles = self._roles.get(budget, {})
        role = roles[user] if user in roles else self._reader.member(budget, user).budget_role
        return self._limit(budget, user, draft, role)

    def like(self, draft: Draft) -> Collection[Observed]:
        """The member that the draft would make, if they are there."""
        assert isinstance(draft.model, Allocation)
        user = self._people.theirs(draft.model.entity.id)
        if user is None or draft.container is None:
            return ()
        try:
            member = self._reader.member(draft.container, user)
        except Missing:
            return ()
        if member.retired or not has_a_share(member):
            return ()
        return (self._observed(self._reader.known(draft.container), member),)

    def left(self, id: str) -> None:
        """Remember that the member of that id is none any more."""
        budget, user = split(id)
        self._shares.get(budget, set()).discard(user)

    def owned(self, budget: str, owners: Collection[str]) -> None:
        """Remember whom a new budget was given as owners: they are its members."""
        self._roles[budget] = dict.fromkeys(owners, "OWNER")

    def move_owners(self, budget: str, owners: Collection[str]) -> None:
        """First make the new owners, then members of those who are none any more."""
        pages = self._reader.members(budget)
        members = [parsed(BillMember, row) for raw in pages for row in raw.items]
        there = {each.user_id: each for each in members if not each.retired}
        for user in owners:
            member = there.get(user)
            if member is None:
                self._put(budget, user, new_owner())
            elif member.budget_role != "OWNER":
                self._put(budget, user, with_role(member, "OWNER"))
        for user, member in there.items():
            if member.budget_role == "OWNER" and user not in owners:
                self._put(budget, user, with_role(member, "MEMBER"))

    def _observed(self, budget: BillBudget, member: BillMember) -> Observed:
        user = self._people.ours(member.user_id, member.user_uuid)
        return allocation_of(member, budget, user, self._currency)

    def _there(self, budget: str, user: str) -> tuple[str | None, bool]:
        """The role of a user; and where it was not listed, whether they have money there."""
        if budget in self._roles:
            return self._roles[budget].get(user), False
        try:
            member = self._reader.member(budget, user)
        except Missing:
            return None, False
        return member.budget_role, bool(member.limit) and not member.retired

    def _limit(self, budget: str, user: str, draft: Draft, role: str | None) -> Observed:
        write = member_write(draft.model.amount, role, self._currency)
        member = self._put(budget, user, write)
        return self._observed(self._reader.known(budget), member)

    def _put(self, budget: str, user: str, write: BillMemberWrite) -> BillMember:
        path = member_path(budget, user)
        found = self._http.call("PUT", path, json=write.body(), safety=Safety.IDEMPOTENT)
        member = parsed(BillMember, found)
        self._reader.outdate()
        if budget in self._roles:
            self._roles[budget][member.user_id] = member.budget_role
        return member


def split(id: str) -> tuple[str, str]:
    """The budget and the user of a member's id; raises `Missing` for what cannot be one."""
    budget, _, user = id.rpartition("/")
    if not budget:
        raise Missing(f"{id} is no member of a budget, such as BUDGET/USER")
    return budget, user
