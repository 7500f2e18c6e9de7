"""Settle: find out what became of writes whose answer was lost, before anything else is planned.

a removal or update   the object itself tells: it is as wanted (applied), or not (lost); that it is
                      gone is what a listing tells
a create              look for it first; if nothing is found, repeat it with the same key while
                      the vendor still knows that key; else wait for it as long as the vendor may
                      take to show it; else it did not happen (lost)
one found half made   linked, and nothing about it agreed: the plan that follows finishes it
as many found as      each is given one: objects that are alike stand for one another, and the
creates alike         plan that follows puts right what differs
more found,           parked as uncertain: only a person can say which one is meant
or one unreadable
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime
from enum import Enum, auto
from threading import Event

from sqlalchemy import Connection

from canonical.compare import differences
from canonical.facts import facts, fields_of
from canonical.kind import Kind, Op
from connectors.contract.errors import ConnectorError, Missing, Rejected
from connectors.contract.interface import Connector
from connectors.contract.records import Draft, Observed
from sync.depart import Departure
from sync.gone import in_use, lists
from sync.grace import Wait
from sync.send import draft_of, remember, send
from sync.state.journal import Journal, Operation, State
from sync.state.ledger import Ledger
from sync.state.owners import Owners


class _Verdict(Enum):
    """What is known of a create after a look."""

    SETTLED = auto()
    PARKED = auto()
    """Only a person, or a later run, can say."""
    HIDDEN = auto()
    """It may be there and not be shown yet."""


_ABOVE = frozenset({"parent", "budget"})
"""Fields that name another object: ours by its ref, the target's by its id."""


class Settler:
    """Settles operations of this run or an earlier one at the target; what stays open is uncertain.

    What differs at the other side, `sync.returning.SourceSettler` says.
    """

    def __init__(
        self,
        target: Connector,
        ledger: Ledger,
        owners: Owners,
        journal: Journal,
        now: Callable[[], datetime],
        stop: Event,
    ) -> None:
        """Once `stop` is set, nothing is waited for."""
        self._target, self._ledger, self._owners = target, ledger, owners
        self._journal, self._now, self._stop = journal, now, stop
        self.candidates: dict[str, tuple[str, ...]] = {}
        """Of those that remain, what each may have made, where several objects could be it."""

    def settle(self) -> list[Operation]:
        """Every open operation, in its order; returns those that remain uncertain.

        Raises what reading the target raises: without a look nothing is decided.
        """
        pending = self._journal.open()
        for operation in pending:
            if operation.state is State.SENT:
                self._journal.ended(operation.id, State.UNCERTAIN, "no answer was recorded")
        remaining = self._settle_creates([each for each in pending if each.op is Op.CREATE])
        for operation in pending:
            if operation.op is not Op.CREATE:
                self._settle_in_place(operation)
        return remaining

    def _settle_creates(self, creates: Sequence[Operation]) -> list[Operation]:
        """Those that remain uncertain, after a wait for what may yet be shown."""
        wait, remaining = Wait(self._target, self._now, self._stop), list[Operation]()
        while creates:
            found = self._found(creates)
            hidden: list[Operation] = []
            for index, operation in enumerate(creates):
                left = wait.left(operation.sent_at)
                verdict = self._settle_create(operation, found.get(index, ()), left)
                if verdict is not _Verdict.SETTLED:
                    (hidden if verdict is _Verdict.HIDDEN else remaining).append(operation)
            if not hidden or not wait.more(max(wait.left(each.sent_at) for each in hidden)):
                return self._in_order([*remaining, *hidden])
            creates = hidden
        return self._in_order(remaining)

    def _in_order(self, operations: Iterable[Operation]) -> list[Operation]:
        open_now = {each.id: number for number, each in enumerate(self._journal.open())}
        return sorted(operations, key=lambda each: open_now[each.id])

    def _found(self, creates: Sequence[Operation]) -> Mapping[int, Sequence[Observed]]:
        """What creates left behind, by their index: one each, where as many are alike as are there.

        First those that are as they were sent.
        """
        found = dict(self._target.probe([draft_of(each)[0] for each in creates]))
        groups: dict[tuple[Kind, tuple[str, ...]], list[int]] = defaultdict(list)
        for index, items in found.items():
            free = self._free(creates[index], items)
            groups[creates[index].kind, tuple(sorted(each.id for each in free))].append(index)
        for (_, ids), alike in groups.items():
            if 1 < len(ids) == len(alike):
                free = self._free(creates[alike[0]], found[alike[0]])
                found |= self._one_each(creates, sorted(alike), free)
        return found

    def _one_each(
        self, creates: Sequence[Operation], alike: Sequence[int], free: Sequence[Observed]
    ) -> Mapping[int, Sequence[Observed]]:
        given: dict[int, Sequence[Observed]] = {}
        left = {item.id: item for item in free}
        for index in alike:
            draft = draft_of(creates[index])[0]
            as_sent = (i for i in left.values() if self._is_as_wanted(draft, creates[index], i))
            if (item := next(as_sent, None)) is not None:
                given[index] = [left.pop(item.id)]
        rest = (index for index in alike if index not in given)
        return given | {
            index: [item] for index, item in zip(rest, list(left.values()), strict=True)
        }

    def _free(self, operation: Operation, found: Sequence[Observed]) -> list[Observed]:
        """Those in use that no sync links."""
        linked = self._linked(operation.kind, found)
        return [
            item
            for item in found
            if item.id not in linked and in_use(self._target, item, operation.op)
        ]

    def _linked(self, kind: Kind, items: Sequence[Observed]) -> Collection[str]:
        """Of those objects the ids of what any sync links."""
        ids = [item.id for item in items]
        return {*self._ledger.by_targets(kind, ids), *self._owners.by_targets(kind, ids)}

    def _settle_create(
        self, operation: Operation, shown: Sequence[Observed], left: float
    ) -> _Verdict:
        found = self._free(operation, shown)
        if len(found) > 1:
            self.candidates[operation.id] = tuple(item.id for item in found)
            ids = ", ".join(self.candidates[operation.id])
            self._journal.ended(
                operation.id, State.UNCERTAIN, f"{len(found)} objects could be it: {ids}"
            )
            return _Verdict.PARKED
        if found:
            wanted = draft_of(operation)[0]
            whole = self._is_as_wanted(wanted, operation, found[0])
            self._applied(operation, found[0], whole=whole)
            return _Verdict.SETTLED
        owner = self._owner(operation.kind, shown)
        if owner is not None:  # to repeat the create would make a second one beside it
            self._journal.ended(operation.id, State.LOST, f"it belongs to the sync {owner} by now")
            return _Verdict.SETTLED
        age = self._now() - (operation.sent_at or self._now())
        lifetime = self._target.capabilities.key_lifetime
        if lifetime and age < lifetime:  # without keys not even a clock set back makes it safe
            return _Verdict.SETTLED if self._repeat(operation) else _Verdict.PARKED
        if left > 0:
            reason = f"nothing of it is shown, which may yet come within {left:.0f} s"
            self._journal.ended(operation.id, State.UNCERTAIN, reason)
            return _Verdict.HIDDEN
        if self._shows_unreadable(operation.kind):
            reason = "nothing of it is shown, but a record that cannot be read may be it"
            self._journal.ended(operation.id, State.UNCERTAIN, reason)
            return _Verdict.PARKED
        self._lost(operation, f"nothing of it is in the {operation.side}")
        return _Verdict.SETTLED

    def _owner(self, kind: Kind, items: Sequence[Observed]) -> str | None:
        """Another sync that links one of those objects."""
        owned = self._owners.by_targets(kind, [item.id for item in items])
        return min((each.sync for each in owned.values()), default=None)

    def _shows_unreadable(self, kind: Kind) -> bool:
        return any(page.problems for page in self._target.list(kind))

    def _repeat(self, operation: Operation) -> bool:
        """Send the create again with the key it had; only called while the vendor knows the key."""
        draft, _ = draft_of(operation)
        departure = Departure(self._journal, [(operation, operation.draft)])
        ids = departure.request_ids
        try:
            with departure.open():
                echo = send(self._target, operation, draft)
        except Rejected as error:
            self._journal.ended(operation.id, State.REJECTED, str(error), ids)
            return True
        except ConnectorError as error:
            # It says nothing about the first sending.
            self._journal.ended(operation.id, State.UNCERTAIN, str(error), ids)
            return False
        self._applied(operation, echo, request_ids=ids)
        return True

    def _settle_in_place(self, operation: Operation) -> None:
        assert operation.target_id is not None
        try:
            item = self._target.get(operation.kind, operation.target_id)
        except Missing:
            item = None
        if operation.op is not Op.UPDATE:
            gone = item is None and not lists(
                self._target, operation.kind, str(operation.target_id), operation.op
            )
            if gone or (item is not None and not in_use(self._target, item, operation.op)):
                self._applied(operation, None)
            else:
                self._lost(operation, "the object is still there")
        elif item is not None and self._is_as_wanted(draft_of(operation)[0], operation, item):
            self._applied(operation, item)
        else:
            self._lost(operation, "the object is not as it was sent")

    def _is_as_wanted(self, draft: Draft, operation: Operation, item: Observed) -> bool:
        names = fields_of(draft.model)
        moved = not _ABOVE.isdisjoint(operation.fields)
        if moved and draft.container is not None and item.container != draft.container:
            return False
        sent = set(operation.fields) - _ABOVE
        return not differences(names, sent, facts(draft.model), facts(item.model))

    def _lost(self, operation: Operation, found: str) -> None:
        """It did not happen; what was said when it was sent is said still."""
        said = f"{found}: {operation.error}" if operation.error else found
        self._journal.ended(operation.id, State.LOST, said)

    def _applied(
        self,
        operation: Operation,
        echo: Observed | None,
        *,
        whole: bool = True,
        request_ids: Sequence[str] = (),
    ) -> None:
        target_id = echo.id if echo else operation.target_id

        def keep(connection: Connection) -> None:
            self._remember(connection, operation, echo, whole)

        self._journal.applied(operation.id, target_id, keep, request_ids)

    def _remember(
        self, connection: Connection, operation: Operation, echo: Observed | None, whole: bool
    ) -> None:
        remember(self._target, self._ledger, connection, operation, echo, whole=whole)


def waiting(operations: Sequence[Operation]) -> frozenset[tuple[Kind, tuple[str, str]]]:
    """The objects that a plan leaves alone until these operations are settled."""
    return frozenset((each.kind, (each.budget_ref, each.ref)) for each in operations)
