"""Approvals: plans that wait for somebody's yes, and those that got it and were not applied yet.

Of each sync one at most is open. It is asked for and used under the lease of the sync, and approved
or rejected by whoever may write the state; each step is taken only where the one before still
stands, so of two people who approve at once one is told that it is done, and no plan is applied
twice.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, and_, insert, select, update
from sqlalchemy.engine import Connection

from canonical.digest import digest_of
from sync.state.audit import Audit, Entry, Event
from sync.state.author import Author
from sync.state.store import Store, approvals


class NotApproved(Exception):
    """A plan cannot be approved; the message says why, and what would be right."""


class End(StrEnum):
    """How an approval came to its end: applied, somebody said no, another plan in its place, or
    nobody in time."""

    USED = "used"
    REJECTED = "rejected"
    OVERTAKEN = "overtaken"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A plan that somebody is to approve, or has approved: by its plan's id.

    `digest` is that of the plan's text, `deeds` of what it would do, whatever the day. `asked_by`
    is the user whose run asked; `run_id` the run that applied it, `ended_by` who rejected it.
    """

    plan_id: str
    sync: str
    digest: str
    deeds: str
    reason: str
    asked_at: datetime
    asked_by: str
    until: datetime
    approved_at: datetime | None = None
    approved_by: str | None = None
    note: str | None = None
    run_id: str | None = None
    ended_at: datetime | None = None
    ended_as: str | None = None
    ended_by: str | None = None

    @property
    def id(self) -> str:
        """As people say it."""
        return self.plan_id[:12]

    def to_data(self) -> dict[str, Any]:
        """As JSON-ready data, in the shape that `run --json` prints."""
        return {
            "plan_id": self.plan_id,
            "sync": self.sync,
            "digest": self.digest,
            "reason": self.reason,
            "asked_at": self.asked_at.isoformat(),
            "asked_by": self.asked_by,
            "until": self.until.isoformat(),
            "approved_at": self.approved_at.isoformat() if self.approved_at else None,
            "approved_by": self.approved_by,
            "note": self.note,
            "rejected_at": self.rejected_at.isoformat() if self.rejected_at else None,
            "rejected_by": self.ended_by,
        }

    @property
    def rejected_at(self) -> datetime | None:
        """When somebody said no to it; None where nobody did."""
        return self.ended_at if self.ended_as == End.REJECTED else None


_ROWS: Final = select(*(approvals.c[each.name] for each in fields(Request)))
_OPEN: Final = approvals.c.ended_at.is_(None)


def undecided(now: datetime) -> ColumnElement[bool]:
    """The rows of the plans that wait for somebody to say yes or no, in their time."""
    return and_(_OPEN, approvals.c.approved_at.is_(None), approvals.c.until > now)


class Approvals:
    """The approvals of all syncs."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def open_of(self, sync: str) -> Request | None:
        """The one of that sync that is open, also where its time is over; None where none is."""
        return next(iter(self._read(_ROWS.where(approvals.c.sync == sync, _OPEN))), None)

    def standing(self, sync: str) -> Request | None:
        """As `open_of`, in its time only."""
        found = self.open_of(sync)
        return found if found is not None and found.until > self._store.now() else None

    def rejected(self, sync: str, deeds: str) -> Request | None:
        """The plan of that sync that would do the same and was rejected, in its time."""
        same = (approvals.c.sync == sync, approvals.c.deeds == deeds)
        holds = (approvals.c.ended_as == End.REJECTED.value, approvals.c.until > self._store.now())
        last = approvals.c.ended_at.desc()
        return next(iter(self._read(_ROWS.where(*same, *holds).order_by(last).limit(1))), None)

    def named(self, name: str) -> Request:
        """The one of that plan, by its id or how it begins, or the open one of a sync; raises
        `NotApproved` where there is none, or more than one."""
        if found := self.open_of(name):
            return found
        begins = approvals.c.plan_id.startswith(name.lower(), autoescape=True)
        several = self._read(_ROWS.where(begins).limit(2)) if name else []
        if not several:
            raise NotApproved(
                f'no plan waits under "{name}": say how its id begins, as the run that asked '
                "printed it, or the name of a sync where one waits (`trueup status`)"
            )
        if len(several) > 1:
            raise NotApproved(f'several plans begin with "{name}": say more of the id')
        return several[0]

    def get(self, plan_id: str) -> Request | None:
        """The one of that plan; None where it was let go of."""
        return next(iter(self._read(_ROWS.where(approvals.c.plan_id == plan_id))), None)

    def plan_data(self, request: Request) -> dict[str, Any] | None:
        """The plan, as JSON has it; None where it is not as it was asked for."""
        query = select(approvals.c.plan).where(approvals.c.plan_id == request.plan_id)
        with self._store.read() as connection:
            text = str(connection.execute(query).scalar_one())
        try:
            data: dict[str, Any] = json.loads(text)
            return data if digest_of(data) == request.digest else None
        except ValueError:
            return None

    def ask(self, connection: Connection, request: Request, plan: str) -> Entry:
        """Put a plan down that waits, within the transaction of a run; what the audit is told."""
        connection.execute(insert(approvals).values(**asdict(request), plan=plan))
        return _told(request, "asked", by=None)

    def close(self, connection: Connection, request: Request, end: End) -> list[Entry]:
        """End one that was not applied; what the audit is told, nothing where it had ended."""
        values = {"ended_at": self._store.now(), "ended_as": end.value}
        done = connection.execute(_still(request).where(_OPEN).values(values)).rowcount
        return [_told(request, end.value, by=None)] if done else []

    def use(self, connection: Connection, request: Request, run_id: str) -> Entry:
        """Let a run apply it, once, within the transaction before its first write; raises
        `NotApproved` where it was applied, ended or is out of time."""
        now = self._store.now()
        values = {"ended_at": now, "ended_as": End.USED.value, "run_id": run_id}
        may = (_OPEN, approvals.c.approved_at.is_not(None), approvals.c.until > now)
        if connection.execute(_still(request).where(*may).values(values)).rowcount != 1:
            raise NotApproved(f"the approval of the plan {request.id} is at its end")
        return _told(request, End.USED.value, by=None, run_id=run_id)

    def approve(self, request: Request, author: Author, note: str | None, alone: bool) -> Request:
        """Let the next run of its sync apply it. `alone`: who asked may approve too.

        Raises `NotApproved`.
        """
        self._ensure_open(request, self._store.now())
        if not alone and _same(self._store.mask(author.called), request.asked_by):
            raise NotApproved(
                f"{request.asked_by} asked for this plan, and four_eyes has another person approve "
                "it: as another user of the system, or by `--as NAME`"
            )
        return self._say(request, author, note, "approved")

    def reject(self, request: Request, author: Author, note: str | None) -> Request:
        """Say no to it, also where it was approved and is not applied yet; raises `NotApproved`
        where it is at its end."""
        return self._say(request, author, note, End.REJECTED.value)

    def _say(self, request: Request, author: Author, note: str | None, what: str) -> Request:
        """Put down what a person says of it, while it is open and in its time."""
        who, now = self._store.mask(author.called), self._store.now()
        said = None if note is None else self._store.mask(note)
        may = [_OPEN, approvals.c.until > now]
        if what == End.REJECTED:
            values = {"ended_at": now, "ended_as": what, "ended_by": who, "note": said}
        else:
            values = {"approved_at": now, "approved_by": who, "note": said}
            may.append(approvals.c.approved_at.is_(None))
        with self._store.write() as connection:
            done = connection.execute(_still(request).where(*may).values(values)).rowcount
            if done:
                told = _told(request, what, by=author, note=said)
                Audit(self._store).append(connection, told)
        found = self.named(request.plan_id)
        if not done:
            self._ensure_open(found, now)
        return found

    def _ensure_open(self, request: Request, now: datetime) -> None:
        again = f"the next run of {request.sync} asks anew where it needs to"
        if request.ended_as == End.USED:
            run = (request.run_id or "")[:12]
            raise NotApproved(f"the plan {request.id} was approved and applied by the run {run}")
        if request.rejected_at is not None:
            raise NotApproved(
                f"{request.ended_by} rejected the plan {request.id} at "
                f"{request.rejected_at:%Y-%m-%d %H:%M} UTC; a run of {request.sync} whose plan "
                f"differs asks anew, and after {request.until:%Y-%m-%d %H:%M} UTC any that needs to"
            )
        if request.ended_as == End.OVERTAKEN:
            raise NotApproved(f"another plan took the place of {request.id}; {again}")
        if request.ended_at is not None or request.until <= now:
            raise NotApproved(
                f"the plan {request.id} waited until {request.until:%Y-%m-%d %H:%M} UTC; {again}"
            )
        if request.approved_at is not None:
            raise NotApproved(
                f"{request.approved_by} approved the plan {request.id} already, at "
                f"{request.approved_at:%Y-%m-%d %H:%M} UTC"
            )

    def _read(self, query: Select[Any]) -> Sequence[Request]:
        with self._store.read() as connection:
            return [Request(**row) for row in connection.execute(query).mappings()]


def _still(request: Request) -> Any:
    return update(approvals).where(approvals.c.plan_id == request.plan_id)


def _same(one: str, other: str) -> bool:
    return one.strip().casefold() == other.strip().casefold()


def _told(
    request: Request, what: str, *, by: Author | None, run_id: str = "", note: str | None = None
) -> Entry:
    said = {
        "what": what,
        "plan_id": request.plan_id,
        "digest": request.digest,
        "reason": request.reason,
        "asked_by": request.asked_by,
        "until": request.until.isoformat(),
    }
    extra = {"note": note} if note is not None else {}
    return Entry(kind=Event.APPROVAL, sync=request.sync, run_id=run_id, said=said | extra, by=by)
