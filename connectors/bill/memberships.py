"""Who has a share of which BILL budget, in which role, and who is to have one.

A user is a member of a budget once: a second share would replace the first. So each is given away
once: while planning to the first that asks for it, while writing to the first that takes it.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from itertools import count
from threading import Lock

from canonical.allocation import Allocation, Status
from connectors.bill.mapping import Limits, is_share, member_write
from connectors.bill.people import People
from connectors.bill.reading import Reader
from connectors.bill.wire import BillMember, BillMemberWrite
from connectors.contract.errors import Missing, Rejected


@dataclass(frozen=True, slots=True)
class Membership:
    """A user's share of a budget, taken by one draft, and what is sent to have it."""

    budget: str
    user: str
    write: BillMemberWrite


class Memberships:
    """The memberships of all budgets, as last listed and as taken since."""

    def __init__(self, reader: Reader, people: People, currency: str) -> None:
        self._reader, self._people, self._currency = reader, people, currency
        self._roles: dict[str, dict[str, str | None]] = {}
        self._shares: dict[str, set[str]] = {}
        self._wanted: dict[tuple[str, str], dict[str, int]] = {}
        self._order = count()
        self._lock = Lock()

    def forget(self) -> None:
        """A new reading begins: who was a member before may be none any more."""
        self._roles.clear()
        self._shares.clear()
        self._wanted.clear()

    def listed(self, budget: str, members: Iterable[BillMember]) -> None:
        """Take note of all members that a budget has."""
        members = [*members]
        self._shares[budget] = {each.user_id for each in members if is_share(each)}
        self._roles[budget] = {each.user_id: _role(each) for each in members}

    def owned(self, budget: str, owners: Collection[str]) -> None:
        """Take note of whom a new budget was given as owners: they are its members."""
        self._roles[budget] = dict.fromkeys(owners, "OWNER")

    def put(self, budget: str, member: BillMember) -> None:
        """Take note of a member as they were put."""
        if budget in self._roles:
            self._roles[budget][member.user_id] = _role(member)

    def role(self, budget: str, user: str) -> str | None:
        """The role of a member, read where they were not listed; raises `Missing`."""
        roles = self._roles.get(budget, {})
        return roles[user] if user in roles else _role(self._reader.member(budget, user))

    # -- whose membership it is --------------------------------------------------------------

    def want(self, allocation: Allocation) -> None:
        """Take note of an allocation that is to be there; of several for one user the first is."""
        if allocation.entity.type != "user":
            return
        place = allocation.budget, self._people.spelled(allocation.entity.id)
        refs = self._wanted.setdefault(place, {})
        if allocation.status is Status.RETIRED:
            refs.pop(allocation.ref, None)
        else:
            refs.setdefault(allocation.ref, next(self._order))

    def first(self, allocation: Allocation) -> str:
        """The ref of the first that wants the same membership: of no other, if there is none."""
        names = self._people.spellings(allocation.entity.id)
        places = [self._wanted.get((allocation.budget, name), {}) for name in names]
        wanted = [(rank, ref) for refs in places for ref, rank in refs.items()]
        return min(wanted)[1] if wanted else allocation.ref

    def meet(self, budget: str, members: Iterable[BillMember]) -> None:
        """Take note of the members of a budget that is about to get several more."""
        members = [*members]
        with self._lock:
            rich = {each.user_id for each in members if _has_money(each)}
            self._shares.setdefault(budget, set()).update(rich)
            roles = self._roles.setdefault(budget, {})
            roles.update((each.user_id, _role(each)) for each in members)

    def met(self, budget: str) -> bool:
        """Whether the members of that budget are known."""
        return budget in self._roles

    def take(self, budget: str, user: str, limits: Limits) -> Membership:
        """The membership of a user, in the role that they may have there.

        Raises `Rejected` where it is taken.
        """
        role, has_money = self._there(budget, user)
        write = member_write(limits, role or "MEMBER", self._currency)
        with self._lock:
            taken = self._shares.setdefault(budget, set())
            if has_money or user in taken:
                said = f"{self._people.ours(user, None)} has a share of this budget already"
                raise Rejected(said, hint="Make one allocation of theirs")
            taken.add(user)
        return Membership(budget, user, write)

    def free(self, budget: str, user: str) -> None:
        """Nobody has that membership any more."""
        self._shares.get(budget, set()).discard(user)

    def _there(self, budget: str, user: str) -> tuple[str | None, bool]:
        """The role of a user; and where it was not listed, whether they have money there."""
        if budget in self._roles:
            return self._roles[budget].get(user), False
        try:
            member = self._reader.member(budget, user)
        except Missing:
            return None, False
        return _role(member), _has_money(member)


def _role(member: BillMember) -> str | None:
    return None if member.retired else member.budget_role


def _has_money(member: BillMember) -> bool:
    return bool(member.limit) and not member.retired
