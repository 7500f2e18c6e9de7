"""Approving: a run that needs somebody's yes asks for it, and one that has it applies that plan.

What is approved is each change as it was planned: its object as each side had it, and what becomes
of it. The day does not count, so that a plan of yesterday can be applied today; what the day
changes of an object does. Guards that the approver saw stop it no more.
"""

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from sqlalchemy.engine import Connection

from canonical.change import Change, Plan, Trip
from canonical.digest import digest_of
from canonical.kind import Kind, Op
from canonical.side import Side
from sync.approval import reason
from sync.findings import Findings
from sync.scales import Weighed
from sync.spec import SyncSpec
from sync.state.approvals import Approvals, End, Request
from sync.state.audit import Audit, Entry
from sync.state.journal import Journal
from sync.state.store import Store

_Key = tuple[str, str, str, str]
"""Names a change: its side, the object's kind, its budget's ref and its own."""

_DAYS: Final = frozenset({"money", "cause", "losses", "name"})
"""What a change says for people, and what the day alone makes otherwise."""


@dataclass(frozen=True, slots=True)
class Grant:
    """An approved plan that may be applied: each of its changes by a digest, what it restates that
    the target is not told yet, the guards that the approver saw, and what they saw lowered below
    what is spent."""

    request: Request
    plan: Plan
    deeds: Mapping[_Key, str]
    beyond: Collection[str]
    below_spent: Collection[str] = ()

    def saw(self, trip: Trip, found: Findings) -> bool:
        """Whether the approver saw that guard, with those numbers; of what is spent, which grows,
        for those objects."""
        if trip.rule == "below_spent" and not {*self.below_spent}.issuperset(_low(found)):
            return False
        return any(
            (trip.rule, trip.actual) == (each.rule, each.actual) for each in self.plan.guards
        )


class Approving:
    """The approvals of one sync, for its engine."""

    def __init__(self, spec: SyncSpec, store: Store) -> None:
        self._spec, self._store = spec, store
        self._approvals = Approvals(store)

    def needed(
        self, found: Findings, changes: Sequence[Change], grant: Grant | None = None
    ) -> str | None:
        """Why a plan with these changes needs an approval; None where it needs none.

        Money that moves in the source counts with that of the target, and so does what the source
        states and the target is told later. With a `grant` only that counts which the target is
        told later and the approver did not see.
        """
        if self._spec.approval is None:
            return None
        keys = set() if grant is not None else {(each.side, each.key) for each in changes}
        seen = grant.beyond if grant is not None else ()
        back = [each for each in found.weighed_back if (Side.SOURCE, _object(each)) in keys]
        weighed = [
            each
            for each in found.scales.weighed
            if (Side.TARGET, _object(each)) in keys
            or (each.op is None and _restated(each) not in seen)
        ]
        if not keys and not weighed:
            return None
        return reason(self._spec.approval.over, found.scales, weighed, back)

    def granted(self, bound_to: Mapping[str, str]) -> Grant | None:
        """The approved plan of the sync, where it is in its time, as it was written, and made for
        these accounts and settings."""
        request = self._approvals.standing(self._spec.name)
        if self._spec.approval is None or request is None or request.approved_at is None:
            return None
        data = self._approvals.plan_data(request)
        if data is None:
            return None
        try:
            beyond, below = data.pop("beyond"), data.pop("below_spent")
            deeds = dict(_deeds(data))
            plan = Plan.of_data(data)
        except (ValueError, LookupError, TypeError, AttributeError):
            return None
        if dict(plan.bound_to) != dict(bound_to):
            return None
        return Grant(request, plan, deeds, frozenset(beyond), frozenset(below))

    def kept(self, grant: Grant, plan: Plan) -> tuple[Change, ...]:
        """The changes of a plan that are exactly those of the approved one."""
        now = dict(_deeds(self._store.masked(plan.to_data())))
        same = {key for key, deed in now.items() if grant.deeds.get(key) == deed}
        return tuple(each for each in plan.pending if self._key(each) in same)

    def _key(self, change: Change) -> _Key:
        mask = self._store.mask
        of = change.side.value, change.kind.value
        return *of, mask(change.budget_ref or ""), mask(change.ref)

    def ask(self, journal: Journal, plan: Plan, why: str, found: Findings) -> Request:
        """Put the plan down for somebody to approve; one that would do the same and waits already
        is kept as it is, and one that was rejected stays so in its time."""
        approval = self._spec.approval
        assert approval is not None
        beyond = sorted(_restated(each) for each in found.scales.weighed if each.op is None)
        seen = {"beyond": beyond, "below_spent": _low(found)}
        data = self._store.masked(plan.to_data() | seen)
        deeds, now = _all_deeds(data), self._store.now()
        before = self._approvals.open_of(self._spec.name)
        if before and before.approved_at is None and before.until > now and before.deeds == deeds:
            return before
        if (rejected := self._approvals.rejected(self._spec.name, deeds)) is not None:
            self.let_go(journal)
            return rejected
        request = Request(
            plan_id=plan.plan_id,
            sync=self._spec.name,
            digest=digest_of(data),
            deeds=deeds,
            reason=why,
            asked_at=now,
            asked_by=self._store.author.called,
            until=now + approval.expires,
        )
        text = json.dumps(data, separators=(",", ":"), ensure_ascii=False)
        with journal.writing() as connection:
            told = (
                []
                if before is None
                else self._approvals.close(connection, before, _end(before, now))
            )
            told.append(self._approvals.ask(connection, request, text))
            Audit(self._store).append(connection, *told)
        return request

    def let_go(self, journal: Journal) -> None:
        """End what waits, or was approved and cannot be applied as it was planned: this run does
        without."""
        before = self._approvals.open_of(self._spec.name)
        if before is None:
            return
        with journal.writing() as connection:
            told = self._approvals.close(connection, before, _end(before, self._store.now()))
            Audit(self._store).append(connection, *told)

    def use(self, connection: Connection, grant: Grant, run_id: str) -> Entry:
        """As `Approvals.use`."""
        return self._approvals.use(connection, grant.request, run_id)


def with_only(plan: Plan, changes: Collection[Change]) -> Plan:
    """The plan with no pending changes but those; what is blocked is shown all the same."""
    keys = {(each.side, each.key) for each in changes}
    kept = (e for e in plan.changes if e.op is Op.BLOCKED or (e.side, e.key) in keys)
    return replace(plan, changes=tuple(kept))


def _end(request: Request, now: datetime) -> End:
    return End.EXPIRED if request.until <= now else End.OVERTAKEN


def _object(weighed: Weighed) -> tuple[Kind, str, str]:
    return weighed.kind, *weighed.key


def _restated(weighed: Weighed) -> str:
    """Names what is stated of an object that the target is not told yet; no day is in it."""
    moves = [(str(each.before), str(each.after)) for each in weighed.moves]
    return digest_of([weighed.kind.value, *weighed.key, moves])


def _low(found: Findings) -> list[str]:
    """Names what would be lowered below what is spent."""
    return sorted(map(digest_of, map(list, found.below_spent)))


def _deeds(data: Mapping[str, Any]) -> Iterator[tuple[_Key, str]]:
    """The digest of each pending change of a plan, as its data say it."""
    for each in data["changes"]:
        if each["op"] != "blocked":
            said = {name: value for name, value in each.items() if name not in _DAYS}
            key = each["side"], each["kind"], each["budget_ref"] or "", each["ref"]
            yield key, digest_of(said)


def _all_deeds(data: Mapping[str, Any]) -> str:
    """The digest of what a plan would do, of the guards that it meets, and of what it is for."""
    return digest_of(
        [
            sorted([*key, deed] for key, deed in _deeds(data)),
            sorted([each["rule"], each["actual"]] for each in data["guards"]),
            data["bound_to"],
            data["allowed"],
            data["beyond"],
            data["below_spent"],
        ]
    )
