"""The members of BILL's budgets: read a budget at a time, made up to five at a time.

A member is put, not made: the same call makes and changes it, so it may be repeated. It also says
the role, which BILL may otherwise reset; who was not listed is read before.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from canonical.allocation import Allocation
from canonical.kind import Kind
from canonical.period import Cadence
from connectors.bill.clock import Clock
from connectors.bill.mapping import (
    Limits,
    allocation_of,
    counting_on,
    has_a_part,
    has_a_share,
    is_share,
    member_write,
    next_reset,
    recurs_in,
    with_role,
    without_money,
)
from connectors.bill.memberships import Membership, Memberships
from connectors.bill.people import People
from connectors.bill.reading import Reader, bulk_path, member_path, page_of
from connectors.bill.wire import CADENCE, BillBudget, BillMember, BillMemberWrite
from connectors.calling.client import HttpClient, Safety
from connectors.calling.paging import RawPage, ahead
from connectors.calling.parsing import parsed
from connectors.contract.errors import ConnectorError, Malformed, Missing, Rejected, Uncertain
from connectors.contract.records import Draft, Observed, Page


class Members:
    """Allocations, as the members that BILL holds them in; their id is "BUDGET/USER"."""

    def __init__(
        self, http: HttpClient, reader: Reader, people: People, clock: Clock, currency: str
    ) -> None:
        self._http, self._reader, self._people, self._clock = http, reader, people, clock
        self._currency = currency
        self.memberships = Memberships(reader, people, currency)

    def pages(self, budget: BillBudget, token: str, following: str | None) -> Iterator[Page]:
        """A budget's members from `token` on; `following` is the cursor after its last page."""
        id, members = budget.id, list[BillMember]()

        def read(row: Any) -> Observed | None:
            member = parsed(BillMember, row)
            members.append(member)
            return self._observed(budget, member) if has_a_share(member) else None

        for raw in ahead(self._reader.members(id, token or None)):
            here = f"{id} {raw.cursor}" if raw.cursor else id
            after = f"{id} {raw.next_cursor}" if raw.next_cursor else following
            listed = RawPage(raw.items, here, after)
            yield page_of(self._http.vendor, Kind.ALLOCATION, listed, read, f"{id}/")
        if not token:
            self.memberships.listed(id, members)

    def against(self, allocation: Allocation) -> Iterator[tuple[str, str]]:
        """Fields in which a new member cannot be made, and why."""
        name, entity = self._http.vendor, allocation.entity
        first = self.memberships.first(allocation)
        if first != allocation.ref:
            both = f"{first} and {allocation.ref} are both for {entity}"
            yield "entity", f"{name} gives a user one share of a budget, and {both}"

    def get(self, id: str) -> Observed:
        """One member; raises `Missing`."""
        budget, user = split(id)
        member = self._reader.member(budget, user)
        return self._observed(self._reader.known(budget), member)

    def create(self, draft: Draft) -> Observed:
        """Put the user of the draft into its budget, in the role that they may have there.

        Raises `Rejected` for who has a share of it already: a second one would replace the first.
        """
        return self._made(self._membership(draft))

    def create_many(self, drafts: Sequence[Draft]) -> Sequence[Observed | ConnectorError]:
        """Put the users of the drafts, no more than `AT_ONCE`, into their one budget together.

        Who is not listed then is put once more by themselves, unless they may still come.
        """
        made: dict[int, Observed | ConnectorError] = {}
        memberships: dict[int, Membership] = {}
        for index, draft in enumerate(drafts):
            try:
                self._meet(draft)
                memberships[index] = self._membership(draft)
            except ConnectorError as error:
                made[index] = error
        there, unknown = self._put_together([*memberships.values()])
        for index, membership in memberships.items():
            try:
                made[index] = self._seen_or_made(membership, there, unknown)
            except ConnectorError as error:
                made[index] = error
        return [made[index] for index, _ in enumerate(drafts)]

    def update(self, id: str, draft: Draft, fields: Collection[str]) -> Observed:
        """Put the member's amount, which also brings back who was removed; raises `Rejected` where
        they should be another user."""
        if set(fields) == {"entity"}:
            raise Rejected("a member of a budget is the user that they are")
        budget, user = split(id)
        if "status" in fields:
            if self._reader.known(budget).retired:
                raise Rejected("its budget is retired, and cannot be brought back")
            return self._made(self.memberships.take(budget, user, self._limits(budget, draft)))
        if {"amount", "currency", "phases"}.isdisjoint(fields):
            return self.get(id)
        role = self.memberships.role(budget, user)
        write = member_write(self._limits(budget, draft), role, self._currency)
        return self._observed(self._reader.known(budget), self._put(budget, user, write))

    def remove(self, id: str) -> None:
        """Delete the member; who has a part in the budget besides stays, without money."""
        budget, user = split(id)
        role = self.memberships.role(budget, user)
        if role is not None and has_a_part(role):
            self._put(budget, user, without_money(role))
        else:
            self._http.call("DELETE", member_path(budget, user), safety=Safety.IDEMPOTENT)

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
        if not is_share(member):
            return ()
        return (self._observed(self._reader.known(draft.container), member),)

    def move_owners(self, budget: str, owners: Collection[str]) -> None:
        """First make the new owners, then members of those who are none any more."""
        pages = self._reader.members(budget)
        members = [parsed(BillMember, row) for raw in pages for row in raw.items]
        there = {each.user_id: each for each in members if not each.retired}
        for user in owners:
            member = there.get(user)
            if member is None:
                self._put(budget, user, without_money("OWNER"))
            elif member.budget_role != "OWNER":
                self._put(budget, user, with_role(member, "OWNER"))
        for user, member in there.items():
            if member.budget_role == "OWNER" and user not in owners:
                self._put(budget, user, with_role(member, "MEMBER"))

    def _observed(self, budget: BillBudget, member: BillMember) -> Observed:
        user = self._people.ours(member.user_id, member.user_uuid)
        return allocation_of(member, budget, user, self._currency)

    # -- making members ----------------------------------------------------------------------

    def _meet(self, draft: Draft) -> None:
        """List the members of a budget whose were not, in place of a call for each."""
        assert draft.container is not None
        if not self.memberships.met(draft.container):
            there, _ = self._listed(draft.container)
            self.memberships.meet(draft.container, there.values())

    def _membership(self, draft: Draft) -> Membership:
        assert isinstance(draft.model, Allocation)
        assert draft.container is not None
        user = self._people.required(draft.model.entity.id)
        limits = self._limits(draft.container, draft)
        return self.memberships.take(draft.container, user, limits)

    def _limits(self, budget: str, draft: Draft) -> Limits:
        """What the draft says of the period that BILL is in, and of those after it.

        Raises `Stale` where it is another period there than here.
        """
        share = draft.model
        assert isinstance(share, Allocation)
        if share.amount is None:
            raise Rejected("a member's limit is not stated")
        if not share.phases:
            return share.amount, share.amount
        shown = self._clock.current(budget)
        cadence, begun = CADENCE.get(shown.recurring_interval), shown.current_period.start_date
        if cadence in (None, Cadence.ONCE) or begun is None:
            return share.amount, share.amount
        assert cadence is not None
        month = recurs_in(shown) or begun.month
        self._clock.wait(shown, cadence, begun, month)
        now = counting_on(share, begun) or share.amount
        return now, counting_on(share, next_reset(cadence, begun, month)) or now

    def _put_together(
        self, memberships: Sequence[Membership]
    ) -> tuple[Mapping[str, BillMember], ConnectorError | None]:
        """Put all in one call; returns who is listed then, by user, and what keeps those who are
        not from being put again.

        What BILL answers is not documented and a refusal says nothing of each: the list is proof.
        """
        if len(memberships) < 2:
            return {}, None
        budget, lost = memberships[0].budget, None
        body = {"members": [{"userId": each.user, **each.write.body()} for each in memberships]}
        try:
            self._http.call("PUT", bulk_path(budget), json=body, safety=Safety.IDEMPOTENT)
        except Uncertain as error:
            if not isinstance(error.__cause__, Malformed):  # it was answered, if in other words
                lost = error
        except (Missing, Rejected):
            pass
        except ConnectorError as error:  # nothing was done
            return {}, error
        self._reader.outdate()
        try:
            there, unread = self._listed(budget)
        except Missing as error:
            return {}, error
        except ConnectorError as error:
            return {}, Uncertain(f"they may have been made, and cannot be listed: {error}")
        return there, lost or unread

    def _listed(self, budget: str) -> tuple[dict[str, BillMember], ConnectorError | None]:
        """The members by user; and what a row that cannot be read leaves open of all others."""
        there, unread = {}, None
        for raw in self._reader.members(budget):
            for row in raw.items:
                try:
                    member = parsed(BillMember, row)
                except Malformed as error:
                    unread = Uncertain(f"one of the members cannot be read: {error}")
                else:
                    there[member.user_id] = member
        return there, unread

    def _seen_or_made(
        self,
        membership: Membership,
        there: Mapping[str, BillMember],
        unknown: ConnectorError | None,
    ) -> Observed:
        member = there.get(membership.user)
        if member is not None and is_share(member):
            self.memberships.put(membership.budget, member)
            return self._observed(self._reader.known(membership.budget), member)
        if unknown is not None:
            self.memberships.free(membership.budget, membership.user)
            raise unknown
        return self._made(membership)

    def _made(self, membership: Membership) -> Observed:
        try:
            member = self._put(membership.budget, membership.user, membership.write)
        except ConnectorError:
            self.memberships.free(membership.budget, membership.user)
            raise
        return self._observed(self._reader.known(membership.budget), member)

    def _put(self, budget: str, user: str, write: BillMemberWrite) -> BillMember:
        path = member_path(budget, user)
        found = self._http.call("PUT", path, json=write.body(), safety=Safety.IDEMPOTENT)
        member = parsed(BillMember, found)
        self._reader.outdate()
        self.memberships.put(budget, member)
        return member


def split(id: str) -> tuple[str, str]:
    """The budget and the user of a member's id; raises `Missing` for what cannot be one."""
    budget, _, user = id.rpartition("/")
    if not budget:
        raise Missing(f"{id} is no member of a budget, such as BUDGET/USER")
    return budget, user
