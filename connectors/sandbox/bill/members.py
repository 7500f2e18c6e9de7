"""The members of BILL's budgets: who spends how much from which, in which role.

Source: "Budgets and Users" and the reference of /v3/spend/budgets/{budgetId}/members, read in
November 2026.
"""

from collections.abc import Callable
from decimal import Decimal
from typing import Final

from connectors.sandbox.api import Refused
from connectors.sandbox.bill.wire import (
    BULK,
    MEMBER,
    BillSwitches,
    checked,
    member_rules,
    refused,
    taken,
    with_money,
)
from connectors.sandbox.state import Row, State

_AT_ONCE: Final = 5
"""How many members are put at once; more are put later."""

_BLANK: Row = {
    "spent": Decimal(),
    "limit": Decimal(),
    "recurringLimit": Decimal(),
    "recurring": True,
    "budgetRole": "MEMBER",
    "name": "",
    "retired": False,
    "shareBudgetFunds": False,
}


def member(row: Row) -> Row:
    """A member with all fields that an answer has; of no use without `_budget` and `userId`."""
    return {"_id": f"{row['_budget']}/{row['userId']}", **_BLANK, **row}


class Members:
    """The members of all budgets of one company, and what that assigns of each budget."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._waiting: list[list[tuple[Row, Row, Row]]] = [[], []]

    def of(self, budget: Row) -> list[Row]:
        """All of one budget, the retired as well."""
        return [row for row in self._state["members"].rows() if row["_budget"] == budget["id"]]

    def row(self, budget: Row, user: Row) -> Row:
        """One member; who is none is the vendor's 404."""
        found = self._state["members"].get(f"{budget['id']}/{user['id']}")
        if found is None:
            raise refused(404, f"{user['id']} is no member of {budget['id']}")
        return found

    def put(self, budget: Row, user: Row, body: Row, switches: BillSwitches) -> Row:
        """Make or change a member. One whose role is not said keeps it, or not, as is switched."""
        return self.join(budget, user, self._asked(budget, user, body, switches))

    def put_many(
        self, budget: Row, body: Row, user: Callable[[str], Row], switches: BillSwitches
    ) -> list[Row]:
        """Make or change several; more than five of them not before the call after the next."""
        asked, wrong = [], []
        for each in taken(BULK, body)["members"]:
            try:
                who = user(each["userId"])
                asked.append((budget, who, self._asked(budget, who, each, switches)))
            except Refused as refusal:
                wrong.append(refusal)
        if wrong and switches.bulk_refusal == "all":
            raise wrong[0]
        if len(asked) > _AT_ONCE:
            self._waiting[0] += asked
            asked = []
        rows = [self.join(*each) for each in asked]
        if wrong and switches.bulk_refusal == "one":
            raise wrong[0]
        return rows

    def catch_up(self) -> None:
        """Another call has come: put those who waited for a whole call already."""
        due = self._waiting.pop()
        self._waiting.insert(0, [])
        for each in due:
            self.join(*each)

    def _asked(self, budget: Row, user: Row, body: Row, switches: BillSwitches) -> Row:
        said = taken(MEMBER, body)
        if budget["retired"] or user["retired"]:
            raise refused(400, "the budget or the user is retired")
        before = self._state["members"].get(f"{budget['id']}/{user['id']}") or {}
        shares = said.get("shareBudgetFunds", before.get("shareBudgetFunds", False))
        recurs = budget["recurringInterval"] != "NONE"
        checked(member_rules({**said, "shareBudgetFunds": shares}, recurs=recurs))
        kept = "MEMBER" if switches.put_resets_role else before.get("budgetRole", "MEMBER")
        row = {"shareBudgetFunds": shares, "budgetRole": said.get("role", kept), "retired": False}
        limits = {name: said.get(name) for name in ("limit", "recurringLimit")}
        return {**before, **row, **with_money(limits)}

    def join(self, budget: Row, user: Row, said: Row) -> Row:
        """Make the user a member, as `said`."""
        who = {"userId": user["id"], "name": f"{user['firstName']} {user['lastName']}"}
        if "uuid" in user:
            who["userUuid"] = user["uuid"]
        recurs = budget["recurringInterval"] != "NONE"
        row = member({"_budget": budget["id"], "recurring": recurs, **who, **said})
        self._state["members"].put(row)
        self._assign(budget["id"])
        return row

    def remove(self, row: Row, *, forgets: bool) -> None:
        """Retire a member, or forget that there was one."""
        if forgets:
            self._state["members"].remove(row["_id"])
        else:
            self._state["members"].put({**row, "retired": True})
        self._assign(row["_budget"])

    def spend(self, budget: Row, user: Row, amount: Decimal) -> None:
        """Add to what a member has spent."""
        row = self.row(budget, user)
        self._state["members"].put({**row, "spent": row["spent"] + amount})

    def renew(self, budget: str) -> None:
        """Begin a period: the later limit counts from now on, and nothing is spent yet."""
        for row in self._state["members"].rows():
            if row["_budget"] == budget:
                renewed = {**row, "limit": row["recurringLimit"], "spent": Decimal()}
                self._state["members"].put(renewed)
        self._assign(budget)

    def _assign(self, budget: str) -> None:
        row = self._state["budgets"].get(budget)
        assert row is not None
        shares = [each["limit"] or 0 for each in self.of(row) if not each["retired"]]
        period = {**row["currentPeriod"], "assigned": sum(shares, Decimal())}
        self._state["budgets"].put({**row, "currentPeriod": period})
