"""The lease: at most one process at a time runs a sync, and one that lost it can write no more.

Each taking raises a fencing token in the lease's row, and each write of a run into the state is
made in a transaction in which `guard` has seen the run's own token there. So a process that was
stopped, slept past the end of its lease and wakes again finds another's token, whatever its clock
says.

A vendor knows no token. What leaves for one asks `ensure`, which knows without the database until
when nobody can have taken the lease over: its own term, counted from before the transaction that
began it.
"""

import os
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from math import inf
from pathlib import Path
from threading import Event, Thread
from typing import Any, Final, Self

from sqlalchemy import RowMapping, select, text, update
from sqlalchemy.engine import Connection

from sync.state.store import Store, StoreError, leases

TERM: Final = 30.0
"""Seconds that a lease lasts unless it is renewed."""
FREE: Final = dict.fromkeys(("host", "machine", "pid", "process", "since", "until"))
"""What the row of a lease says that nobody holds; its token stays."""
_MARGIN: Final = 0.1
"""The part of a term at its end in which nothing leaves: clocks of two machines differ a little."""

_MAKE = text("INSERT INTO leases (name, token) VALUES (:name, 0) ON CONFLICT (name) DO NOTHING")


def elapsed() -> float:
    """Seconds since some moment, those in which the machine was suspended too."""
    clock = getattr(time, "CLOCK_BOOTTIME", None)  # Linux; elsewhere the usual one counts them
    return time.monotonic() if clock is None else time.clock_gettime(clock)


class LeaseLost(Exception):
    """Another process has taken the lease, or may have: nothing may be written any more."""


class LeaseHeld(Exception):
    """Another process holds the lease."""

    def __init__(self, name: str, host: str, pid: int, since: datetime, until: datetime) -> None:
        super().__init__(
            f"{name} is being run by process {pid} on {host} since {since:%Y-%m-%d %H:%M:%S} UTC; "
            f"its lease lasts until {until:%H:%M:%S} and is renewed while it lives"
        )
        self.name = name
        self.host = host
        self.pid = pid
        self.since = since
        self.until = until


@dataclass(frozen=True, slots=True)
class Holder:
    """A process, told so that another one of the same machine can see whether it still runs.

    `machine` names a boot of a machine and the space its process ids are of: containers share the
    first but not the second. `process` is when the process began, since process ids come again.
    """

    host: str
    machine: str
    pid: int
    process: str

    @classmethod
    def here(cls) -> Self:
        """This process."""
        return cls(socket.gethostname(), _machine(), os.getpid(), _began(os.getpid()) or "")


class Lease:
    """A lease that is held; `with` gives it back at the end."""

    def __init__(
        self,
        store: Store,
        name: str,
        token: int,
        now: Callable[[], datetime],
        ttl: float,
        monotonic: Callable[[], float],
    ) -> None:
        """Use `take`."""
        self.name = name
        self.token = token
        self._store = store
        self._now, self._monotonic = now, monotonic
        self._ttl = timedelta(seconds=ttl)
        self._ours_until = -inf
        self._over = Event()
        self._keeper = Thread(target=self._keep, name=f"lease {name}", daemon=True)

    @classmethod
    def take(
        cls,
        store: Store,
        name: str,
        *,
        now: Callable[[], datetime],
        ttl: float | None = None,
        holder: Holder | None = None,
        monotonic: Callable[[], float] = elapsed,
    ) -> Self:
        """The lease `name`, kept until it is released; raises `LeaseHeld`.

        A lease that ran out is taken over, and at once where its holder was a process of this
        machine that is no more. `ttl` is its term in seconds, `TERM` where it is not said.
        """
        who, ttl, began = holder or Holder.here(), ttl or TERM, monotonic()
        with store.write() as connection:
            connection.execute(_MAKE, {"name": name})
            row = connection.execute(
                select(leases).where(leases.c.name == name).with_for_update()
            ).mappings().one()  # fmt: skip
            moment = store.shared(now())
            if is_held(row, moment, who.machine):
                raise LeaseHeld(name, row["host"], row["pid"], row["since"], row["until"])
            token: int = row["token"] + 1
            mine = asdict(who) | {
                "token": token,
                "since": moment,
                "until": moment + timedelta(seconds=ttl),
            }
            connection.execute(update(leases).where(leases.c.name == name).values(mine))
        lease = cls(store, name, token, now, ttl, monotonic)
        lease._hold(began)
        lease._keeper.start()
        return lease

    def guard(self, connection: Connection) -> None:
        """Raise `LeaseLost` unless the lease is ours until this transaction ends."""
        query = select(leases.c.token).where(leases.c.name == self.name)
        found = connection.execute(query.with_for_update(read=True)).scalar()
        if found != self.token:
            raise LeaseLost(
                f"{self.name}: another process has taken this run over; it is fenced off"
            )

    def ensure(self) -> None:
        """Raise `LeaseLost` unless nobody else can have the lease at this moment.

        Asks the database only where the term has ended, as after a sleep: it is then renewed, if
        nobody took the lease meanwhile.
        """
        if self._monotonic() < self._ours_until:
            return
        self.renew()
        if self._monotonic() >= self._ours_until:
            raise LeaseLost(
                f"{self.name}: this run stood still for longer than its lease lasts, and another "
                "process has taken it over; it writes no more"
            )

    def renew(self) -> bool:
        """Hold the lease for another term; false when another process has it."""
        began = self._monotonic()
        until = self._store.shared(self._now()) + self._ttl
        ours = self._set(until=until)
        self._hold(began if ours else -inf)
        return ours

    def release(self) -> None:
        """Give the lease back, if it is still ours. A database that is gone is no error here: the
        lease then ends by itself."""
        self._over.set()
        self._keeper.join()
        with suppress(StoreError):
            self._set(**FREE)

    def _hold(self, began: float) -> None:
        self._ours_until = began + self._ttl.total_seconds() * (1 - _MARGIN)

    def _set(self, **values: Any) -> bool:
        ours = (leases.c.name == self.name) & (leases.c.token == self.token)
        with self._store.write() as connection:
            return connection.execute(update(leases).where(ours).values(values)).rowcount == 1

    def _keep(self) -> None:
        while not self._over.wait(self._ttl.total_seconds() / 3):
            with suppress(StoreError):  # the database is away: two more tries before the term ends
                if not self.renew():
                    return

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: Any) -> None:
        self.release()


def is_held(row: RowMapping, moment: datetime, machine: str | None = None) -> bool:
    """Whether the lease of that row is in force at `moment`, as seen from `machine` (this one)."""
    if row["until"] is None or row["until"] <= moment:
        return False
    return row["machine"] != (machine or _machine()) or _runs(row["pid"], row["process"])


def _runs(pid: int, process: str) -> bool:
    began = _began(pid)
    if began is not None:
        return began == process
    if Path("/proc/self/stat").exists():
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _began(pid: int) -> str | None:
    """When the process began, in the kernel's ticks; None when it is gone, or only waited for."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    fields = stat.rpartition(")")[2].split()  # the name before it may hold blanks and brackets
    return None if fields[0] in "ZX" else fields[19]


def _machine() -> str:
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return f"{socket.gethostname()} {boot} {os.readlink('/proc/self/ns/pid')}"
    except OSError:
        return socket.gethostname()
