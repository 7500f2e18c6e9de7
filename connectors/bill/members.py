"""The members of BILL's budgets: read a budget at a time, written one by one.

A member is put, not made: the same call makes and changes it, so it may be repeated. It also says
the role, which BILL may otherwise reset; who was not listed is read before.
"""

from collections.abc import Collection, Iterator
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
from connectors.errors import Missing, Rejected
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

    def pages(self, budget: BillBudget, token: str, following: str | None) -> Iterator[Page]:
        """A budget's members from `token` on; `following` is the cursor after its last page."""
        roles: dict[str, str | None] = {}

        def read(row: Any) -> Observed | None:
            member = parsed(BillMember, row)
            roles[member.user_id] = member.budget_role
            return self._observed(budget, member) if has_a_share(member) else None

        id = budget.id
        for raw in ahead(self._reader.members(id, token or None)):
            here = f"{id} {raw.cursor}" if raw.cursor else id
            after = f"{id} {raw.next_cursor}" if raw.next_cursor else following
            listed = RawPage(raw.items, here, after)
            yield page_of(self._http.vendor, Kind.ALLOCATION, listed, read, f"{id}/")
        if not token:
            self._roles[id] = roles

    def get(self, id: str) -> Observed:
        """One member; raises `Missing`."""
        budget, user = split(id)
        member = self._reader.member(budget, user)
        return self._observed(self._reader.known(budget), member)

    def create(self, draft: Draft) -> Observed:
        """Put the user of the draft into its budget, in the role that they may have there."""
        assert isinstance(draft.model, Allocation)
        assert draft.container is not None
        user = self._people.required(draft.model.entity.id)
        role = self._role(draft.container, user) or "MEMBER"
        return self._limit(draft.container, user, draft, role)

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

    def _role(self, budget: str, user: str) -> str | None:
        """The role of a user who may be a member already; asked for where it was not listed."""
        if budget in self._roles:
            return self._roles[budget].get(user)
        try:
            return self._reader.member(budget, user).budget_role
        except Missing:
            return None

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
