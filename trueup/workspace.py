"""A workspace: an open settings file, with its systems connected and its state opened when needed.

The command line and users' scripts go through the same few methods.
"""

from __future__ import annotations

import logging
import time
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from copy import copy
from dataclasses import replace as replace_fields
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path
from threading import Event, Lock, RLock
from typing import TYPE_CHECKING, Any, Self
from uuid import uuid4

from msgspec.structs import replace

from canonical.actual import Actual
from canonical.allocation import Allocation
from canonical.budget import Budget
from canonical.kind import Kind
from config.limits import ensure_ceiling
from config.load import SettingsError, load
from config.logs import redact
from config.settings import Settings, nearest
from config.version import version_of
from config.wiring import account_of, connect, spec_of, state_url, sync_of
from connectors.contract import registry
from connectors.contract.interface import Connector
from connectors.contract.runtime import Calls, HeardBy, Runtime
from connectors.contract.work import working
from sync.state.approvals import Approvals, NotApproved, Request
from sync.state.audit import Audit
from sync.state.audited import repointed
from sync.state.author import Author
from sync.state.call_slots import StoredSlots
from sync.state.history import History, Run, UnknownRun
from sync.state.journal import Journal
from sync.state.lease import Lease
from sync.state.ledger import Ledger
from sync.state.owners import Owners
from sync.state.stops import Stop, Stops
from sync.state.store import Store, StoreError
from sync.state.waits import Waits
from sync.watch import Watch

if TYPE_CHECKING:
    from canonical.actual import Actual
    from canonical.change import Plan
    from canonical.problem import Problem
    from canonical.spent import Spent
    from canonical.waiting import Rule
    from connectors.contract.slots import Slots
    from sync.engine import Engine, Verification
    from sync.handover import Handed, Offer
    from sync.intake.selection import Selection
    from sync.link import Linking
    from sync.people import People
    from sync.recording import Recording
    from sync.rename import Renaming
    from sync.report import Report
    from sync.state.waits import Queue
    from sync.unlink import Unlinking
    from trueup.copied import Copied
    from trueup.deciding import Deciding, Deed
    from trueup.stated import Stated
    from trueup.watch.traces import Traces


_MOMENT = 0.2
_log = logging.getLogger("trueup")


def _now() -> datetime:
    return datetime.now(UTC)


class Workspace:
    """Plans, applies and verifies the syncs of one settings file. Use it with `with`.

    Safe to share between threads; syncs into one account take turns, as a connector keeps what it
    has seen of its system from one step of a run to the next.
    """

    def __init__(
        self, settings: Settings, *, watch: Watch | None = None, patience: float | None = None
    ) -> None:
        """`patience` is how many seconds a call may wait and repeat; default: some minutes."""
        self.settings = settings
        self._watch = watch or Watch(stop=Event())
        slots = StoredSlots(lambda: self._store)
        self._runtime = _runtime(settings.base, self._watch.stop, patience, slots)
        self._open = ExitStack()
        self._systems: dict[str, Connector] = {}
        self._twins: dict[str, Connector] = {}
        self._turns: dict[str, Lock] = defaultdict(Lock)
        self._opening = RLock()
        self._store: Store | None = None
        self._hearing: tuple[Calls, ...] = ()
        self._traced: Callable[[str, Watch], AbstractContextManager[Watch]] = _untraced

    # -- systems -----------------------------------------------------------------------------

    def hear(self, calls: Calls) -> None:
        """Tell `calls` of each call of the systems that are connected from now on."""
        if calls not in self._hearing:
            self._hearing = (*self._hearing, calls)
            self._runtime = replace_fields(self._runtime, calls=HeardBy(self._hearing))

    def trace(self, traces: Traces) -> None:
        """Trace what is done from now on, in systems that are connected from now on."""
        self.hear(traces)
        self._traced = traces.run

    def system(self, name: str) -> Connector:
        """The connector of a system; raises `SettingsError` for an unknown name or secret."""
        with self._opening:
            if name not in self._systems:
                connector = connect(self.settings, name, self._runtime)
                self._systems[name] = self._open.enter_context(connector)
            return self._systems[name]

    def budgets(self, system: str, problems: list[Problem] | None = None) -> Iterator[Budget]:
        """Every budget of a system with its allocations.

        A record that cannot be read is added to `problems`; where none are given, it raises
        `Malformed` with its place. Raises the errors of `connectors.contract.errors`.
        """
        from connectors.contract.errors import Malformed

        connector = self.system(system)
        allocations: dict[str, list[Allocation]] = defaultdict(list)
        for kind in (Kind.ALLOCATION, Kind.BUDGET):
            for page in connector.list(kind):
                for problem in page.problems:
                    if problems is None:
                        raise Malformed(f"{problem.where}: {problem.message}")
                    problems.append(problem)
                for item in page.items:
                    if isinstance(item.model, Allocation):
                        allocations[item.model.budget].append(item.model)
                    else:
                        own = tuple(allocations.get(item.model.ref, ()))
                        yield replace(item.model, allocations=own) if own else item.model

    def actuals(self, system: str) -> Iterator[Actual]:
        """What has been spent, per budget of a system; nothing where it does not tell."""
        return self.system(system).actuals()

    @property
    def telling(self) -> tuple[str, ...]:
        """The systems that tell what has been spent."""
        return tuple(
            name
            for name, each in self.settings.systems.items()
            if registry.load(each.connector).capabilities.reads_actuals
        )

    def spending(self, system: str, *, shares: bool = True) -> Iterator[Spent]:
        """What has been spent of each budget and share of a system, by the refs of the source.

        Nothing where the system does not tell. Raises the errors of `connectors.contract.errors`.
        """
        from sync.spending import spending

        into = {name: each for name, each in self.settings.syncs.items() if each.target == system}
        ledgers = {name: Ledger(self.store, name) for name in into}
        sources = {name: each.source for name, each in into.items()}
        connector = self.system(system)
        return spending(connector, ledgers, _today(), sources=sources, shares=shares)

    def record_actuals(
        self,
        into: str,
        systems: Sequence[str] = (),
        *,
        shares: bool = True,
        dry_run: bool = False,
    ) -> Recording:
        """Keep in the system `into` what `systems` have seen spent, by its own refs.

        Without `systems` those that `[actuals.INTO]` names, else all that tell; `shares` too, where
        it takes them. With `dry_run` nothing is written. Raises `SettingsError` where `into` keeps
        none, `LeaseHeld` while another process does the same, and the errors of
        `connectors.contract.errors`.
        """
        from trueup.recording import recorded

        return recorded(self, into, systems, _today(), _now, shares=shares, dry_run=dry_run)

    def people(self, sync: str) -> People:
        """Whom the sync's source names and its target does not know, and who they may be there.

        Asks both; writes nothing. Raises the errors of `connectors.contract.errors`.
        """
        from sync.people import people

        spec = spec_of(self.settings, sync)
        source, target = self.system(spec.source), self.system(spec.target)
        with self.turn(account_of(self.settings, spec.target)), source.on(_today()):
            rows = self.settings.systems[spec.target].entities
            return people(sync, source, target, rows, spec.select)

    # -- syncs -------------------------------------------------------------------------------

    def plan(
        self,
        sync: str,
        *,
        as_of: date | None = None,
        allow: Collection[str] = (),
        watch: Watch | None = None,
        source: Stated | None = None,
        made: int = 0,
    ) -> Plan:
        """What would change in the sync's target. Writes nothing.

        `watch` is for this plan alone. `source` is what a script states (`sync_from`) in place of
        the sync's own source; the plan is then good for what is stated so, and `apply` and `verify`
        are given it too. `made` are the objects that earlier waves of a migration made, which the
        guards judged before them.
        """
        ensure_rules(allow)
        with self._engine(sync, watch, source) as engine:
            return engine.plan(as_of or _today(), allow, made=made)

    def apply(
        self,
        what: str | Plan,
        *,
        as_of: date | None = None,
        allow: Collection[str] = (),
        because: str | None = None,
        approve: Callable[[Plan], bool] = lambda plan: True,
        command: str = "apply",
        watch: Watch | None = None,
        source: Stated | None = None,
        late: str | None = None,
    ) -> Report:
        """Bring the target of a sync to what its source states.

        Of a plan, only what is still exactly as planned is done. `allow` names guards that are
        switched off, or gives them a limit of their own ("max_money=25%"), and `because` says why;
        a rule that no guard has, or a limit that is none, raises `ValueError`. `watch` is for
        this run alone. Raises `LeaseHeld` while another run of the sync goes on, `Paused` where it
        is not to run.
        """
        only = None if isinstance(what, str) else what
        name = what if isinstance(what, str) else what.sync
        day = as_of or (only.as_of if only else _today())
        ensure_rules(allow)
        with self._engine(name, watch, source) as engine:
            report = engine.run(
                day,
                command=command,
                allow=allow,
                because=because,
                approve=approve,
                only=only,
                late=late,
            )
        self._forget_reports(name)
        return report

    def undo(
        self,
        run_id: str,
        *,
        only: Collection[str] = (),
        as_of: date | None = None,
        allow: Collection[str] = (),
        because: str | None = None,
        approve: Callable[[Plan], bool] = lambda plan: True,
        watch: Watch | None = None,
    ) -> Report:
        """Bring the target back to what was there before a run: in what that wrote, and nobody
        changed since. Pauses the sync before anything is written.

        `only` names budgets, with their allocations, or allocations. `report.plan` tells what was
        meant; what stays as it is, is `blocked` in it. `watch` is for this run alone. Raises
        `UnknownRun`, and `LeaseHeld` while a run of the sync goes on.
        """
        from sync.undo.plan import Undo

        run = self.history.get(run_id)
        spec_of(self.settings, run.sync)
        self._ensure_did(run, only)
        undo, day = Undo(run.run_id, frozenset(only)), as_of or _today()
        ensure_rules(allow)
        with self._engine(run.sync, watch) as engine:
            report = engine.run(
                day, command="undo", allow=allow, because=because, approve=approve, undo=undo
            )
        self._forget_reports(run.sync)
        return report

    def undo_plan(self, run_id: str, *, watch: Watch | None = None) -> Plan:
        """What `undo` would do of a run, and as `blocked` what it would leave. Writes nothing."""
        from sync.undo.plan import Undo

        run = self.history.get(run_id)
        with self._engine(run.sync, watch) as engine:
            return engine.plan(_today(), undo=Undo(run.run_id))

    def _ensure_did(self, run: Run, refs: Collection[str]) -> None:
        done = Journal(self.store, run.sync).of_run(run.run_id)
        known = {ref for each in done for ref in (each.ref, each.budget_ref)}
        if unknown := sorted({*refs} - known):
            raise UnknownRun(
                f"the run {run.run_id[:12]} did nothing to {', '.join(unknown)}; "
                f"`trueup show {run.run_id[:12]}` lists what it did"
            )

    def verify(
        self, sync: str, *, as_of: date | None = None, source: Stated | None = None
    ) -> Verification:
        """Read both live sides again and compare them field by field."""
        with self._engine(sync, source=source) as engine:
            return engine.verify(as_of or _today())

    def handover(
        self,
        sync: str,
        giver: str,
        refs: Collection[str] = (),
        *,
        approve: Callable[[Offer], bool] = lambda offer: True,
    ) -> Handed:
        """Make `sync` the owner of budgets, with their allocations, that the sync `giver` owns.

        Without `refs` all of them. Asks no system anything. Raises `UnknownHandover`, and
        `LeaseHeld` while a run of either goes on.
        """
        from sync.handover import Handing

        account, owners = self._owners(sync)
        with self.turn(account):
            return Handing(self.store, sync, owners, _now).hand_over(giver, refs, approve)

    def rename(
        self,
        sync: str,
        old: str,
        new: str,
        *,
        budget: str | None = None,
        approve: Callable[[Renaming], bool] = lambda renaming: True,
    ) -> Renaming:
        """Let the budget `old`, or that allocation of `budget`, keep its object as `new`.

        Asks the source what it states. Raises `CannotRename`, `LeaseHeld` while a run of the sync
        goes on, and the errors of `connectors.contract.errors`.
        """
        from sync.rename import Renamer

        spec = spec_of(self.settings, sync)
        account, owners = self._owners(sync)
        source = self.system(spec.source)
        with self.turn(account):
            renamer = Renamer(spec, source, self.store, owners, _now)
            return renamer.rename(old, new, budget, approve, source.on(_today()))

    def link(
        self,
        sync: str,
        ref: str,
        id: str,
        *,
        budget: str | None = None,
        approve: Callable[[Linking], bool] = lambda linking: True,
    ) -> Linking:
        """Say that the budget `ref`, or that allocation of `budget`, is the target's object `id`.

        Reads both sides and writes into neither: the next run adopts the object. Raises
        `CannotLink`, `LeaseHeld` while a run of the sync goes on, and the errors of
        `connectors.contract.errors`.
        """
        from sync.link import Linker

        spec, today = spec_of(self.settings, sync), _today()
        _, owners = self._owners(sync)
        source, target = self.system(spec.source), self.system(spec.target)
        with self._engine(sync) as engine, ExitStack() as reading:
            linker = Linker(
                spec,
                source,
                target,
                self.store,
                owners,
                _now,
                lambda meaning: engine.plan(today, supposed=[meaning]),
            )
            reading.enter_context(source.on(today))
            reading.enter_context(target.on(today))
            return linker.link(ref, id, budget, approve)

    def unlink(
        self,
        sync: str,
        ref: str,
        *,
        budget: str | None = None,
        anew: bool = False,
        approve: Callable[[Unlinking], bool] = lambda unlinking: True,
    ) -> Unlinking:
        """Forget which object stands for the budget `ref`, or for that allocation of `budget`;
        with `anew` the next run makes another one, else it asks.

        Asks no system anything. Raises `CannotLink`, and `LeaseHeld` while a run goes on.
        """
        from sync.unlink import Unlinker

        sync_of(self.settings, sync)
        return Unlinker(sync, self.store, _now).unlink(ref, budget, anew, approve)

    def repoint(self, sync: str) -> tuple[str | None, str]:
        """Say that the target which the settings name now is the account that the state knows.

        Asks no system anything. Returns its address until now, None where it had none, and the new
        one. Raises `LeaseHeld` while a run goes on.
        """
        account = account_of(self.settings, sync_of(self.settings, sync).target)
        owners = Owners(self.store, sync, account)
        with Lease.take(self.store, sync, now=_now) as lease, self.store.write() as connection:
            lease.guard(connection)
            before = owners.moved_from
            owners.say(connection)
            Audit(self.store).append(connection, repointed(sync, before, account))
        return before, account

    def pause(self, sync: str, because: str | None = None) -> Stop:
        """Let the sync run no more until `resume`; what goes on ends as it would have."""
        sync_of(self.settings, sync)
        return Stops(self.store).pause(sync, because)

    def resume(self, sync: str) -> Stop | None:
        """Let the sync run again; returns what held it, None where nothing did."""
        sync_of(self.settings, sync)
        return Stops(self.store).resume(sync)

    def waiting(self, sync: str | None = None, *, limit: int | None = None) -> Queue:
        """What waits for somebody to decide, by sync and number: of one sync, also one that left
        the settings, or of all that are in them. The first `limit`, and how many there are."""
        waits = Waits(self.store)
        if sync is not None and sync not in waits.syncs():
            sync_of(self.settings, sync)
        return waits.queue([*self.settings.syncs] if sync is None else [sync], limit)

    def decide(
        self,
        *numbers: int,
        take: str,
        note: str | None = None,
        seen: Mapping[int, int | None] | None = None,
    ) -> Deed:
        """Decide what waits under these numbers: all of them, or raising `Undecidable` none.

        `take` is a word, a value or an id, as `trueup decide` takes it. The next run does it; what
        became of a write is put down at once, which raises `LeaseHeld` while a run goes on.
        `seen` are the numbers of the decisions that were shown with them, None for none: where
        somebody decided otherwise since, it raises `DecidedAlready`.
        """
        return self._deciding().decide(numbers, take, note, seen)

    def decide_all(
        self, rule: Rule, *, take: str, sync: str | None = None, note: str | None = None
    ) -> Deed:
        """Decide all that waits by one rule, as `decide` does; what has no such way out is left."""
        return self._deciding().decide_all(rule, take, sync, note)

    def _deciding(self) -> Deciding:
        from trueup.deciding import Deciding

        return Deciding(
            self.settings,
            self.store,
            self.system,
            partial(account_of, self.settings),
            self.turn,
            _now,
            _today(),
        )

    def waiting_plan(self, name: str) -> tuple[Request, Plan]:
        """A plan that was asked an approval for, by how its id begins, or of a sync where one
        waits; raises `NotApproved`, and `SettingsError` where its sync is no more."""
        from canonical.change import Plan

        request = Approvals(self.store).named(name)
        sync_of(self.settings, request.sync)
        data = Approvals(self.store).plan_data(request)
        if data is None:
            raise NotApproved(
                f"the plan {request.id} in the state is not as it was asked for; nothing of it is "
                f"applied: `trueup run {request.sync}` asks anew"
            )
        return request, Plan.of_data(data)

    def approve(self, plan: str, *, name: str | None = None, note: str | None = None) -> Request:
        """Let the next run of its sync apply a plan that waits, once, as far as it is still so.

        `plan` as for `waiting_plan`; `name` is who approves, where the user of the system does not
        say it. Raises `NotApproved`.
        """
        request, _ = self.waiting_plan(plan)
        own = sync_of(self.settings, request.sync)
        who = replace_fields(self.store.author, name=name.strip() if name else None)
        return Approvals(self.store).approve(request, who, note, alone=not own.four_eyes)

    def reject(self, plan: str, *, name: str | None = None, note: str | None = None) -> Request:
        """Say no to a plan that waits, or was approved and is not applied yet: by how its id
        begins, or its sync. Raises `NotApproved`."""
        who = replace_fields(self.store.author, name=name.strip() if name else None)
        approvals = Approvals(self.store)
        return approvals.reject(approvals.named(plan), who, note)

    def approval_of(self, sync: str) -> Request | None:
        """The approval of a sync that is waited for, or that its next run makes use of."""
        return Approvals(self.store).standing(sync)

    def stop_of(self, sync: str) -> Stop | None:
        """What holds a sync back; None where nothing does."""
        return Stops(self.store).of(sync)

    def status(self, sync: str) -> dict[str, Any]:
        """How a sync stands: its runs and its next slot, how many objects are linked, how many
        writes are uncertain, what is pending, what waits, and what was edited in the target."""
        from trueup.standing import standing_data

        return standing_data(self.settings, self.store, self.history, sync, _now())

    def copy_state(self, url: str) -> Copied:
        """Copy all that the state remembers into the empty database at `url`, an address as in
        `[state]`, and leave the state as it is.

        Raises `LeaseHeld` while a run goes on, `StoreError`, and `SettingsError` where `url` is
        a reference to something that is not there.
        """
        from trueup.copied import copied

        return copied(self.store, self.settings, url, _now)

    def _forget_reports(self, sync: str) -> None:
        try:
            self.history.forget_reports(sync, self.settings.state.keep_reports)
        except StoreError as error:  # the run is over, and the next one tries again
            _log.warning("%s: old reports are still kept: %s", sync, error)

    def failed(self, sync: str, begun: datetime, error: str, late: str | None = None) -> None:
        """Put into the history that a run failed, unless it could do so by itself, or nothing can.

        `begun` is a moment before the run, `late` as for `apply`.
        """
        try:
            last = self.history.latest(sync)
            if last is not None and last.started_at >= self.store.shared(begun):
                return
            with self.store.write() as connection:
                self.history.record(connection, _failed(sync, begun, error, late))
        except Exception as also:  # a run that failed was told of already
            _log.warning("%s: that it failed is not in the history: %s", sync, also)

    def acting(self, name: str) -> Self:
        """The same workspace, all of whose deeds are told as those of the person of that name.

        Both share systems and state, which are closed with the first one.
        """
        store, other = self.store, copy(self)
        other._store = store.by(replace_fields(store.author, name=name))
        return other

    @property
    def store(self) -> Store:
        """The state, opened and brought up to date on first use; raises `StoreError`."""
        with self._opening:
            if self._store is None:
                self._store = Store.open(state_url(self.settings), self.settings.base, _now)
                self._store.author = Author.here(settings=version_of(self.settings))
                self._store.mask = redact
            return self._store

    @property
    def history(self) -> History:
        """The runs of all syncs."""
        return History(self.store)

    @contextmanager
    def _engine(
        self, sync: str, watch: Watch | None = None, source: Stated | None = None
    ) -> Iterator[Engine]:
        from sync.engine import Engine  # only what runs needs all of it

        spec = spec_of(self.settings, sync)
        states = source.system(spec.source, self._runtime) if source else self.system(spec.source)
        target = self.system(spec.target)
        account = account_of(self.settings, spec.target)
        with (
            self.turn(account),
            working(sync=sync),
            self._traced(sync, watch or self._watch) as watched,
        ):
            yield Engine(
                spec,
                states,
                target,
                self.store,
                now=_now,
                watch=watched,
                neighbours=self._neighbours(sync, account),
                selections=self._selections(),
            )

    def turn(self, account: str) -> Lock:
        """Held by whoever reads or writes that account for longer than a call."""
        with self._opening:
            return self._turns[account]

    def _owners(self, sync: str) -> tuple[str, Owners]:
        """The account of the sync's target, and which syncs own what in it."""
        account = account_of(self.settings, sync_of(self.settings, sync).target)
        return account, Owners(self.store, sync, account, self._neighbours(sync, account))

    def _neighbours(self, sync: str, account: str) -> dict[str, Callable[[], Connector | None]]:
        """The other syncs of these settings into that account, each with its source."""
        own = self.settings.syncs[sync].source
        return {
            name: partial(self._source, each.source, twin=each.source == own)
            for name, each in self.settings.syncs.items()
            if name != sync and account_of(self.settings, each.target) == account
        }

    def _selections(self) -> dict[str, Selection | None]:
        """What each sync of these settings carries of its source."""
        return {
            name: each.select.selection() if each.select else None
            for name, each in self.settings.syncs.items()
        }

    def _source(self, system: str, *, twin: bool) -> Connector | None:
        """A system by its connector, or by a `twin` of it, which can be listed while that is."""
        try:
            return self._twin(system) if twin else self.system(system)
        except SettingsError:
            return None

    def _twin(self, system: str) -> Connector:
        with self._opening:
            if system not in self._twins:
                connector = connect(self.settings, system, self._runtime)
                self._twins[system] = self._open.enter_context(connector)
            return self._twins[system]

    def close(self) -> None:
        """Give back connections and the state, last: in it calls are counted to the end."""
        try:
            self._open.close()
        finally:
            if self._store is not None:
                self._store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()


@contextmanager
def _untraced(sync: str, watch: Watch) -> Iterator[Watch]:
    yield watch


def _failed(sync: str, begun: datetime, error: str, late: str | None) -> Run:
    from sync.outcome import Outcome
    from sync.report import Report

    run_id, outcome = uuid4().hex, Outcome.FAILED
    report = Report(run_id=run_id, sync=sync, outcome=outcome, error=error, late=late)
    return Run(
        run_id=report.run_id,
        sync=sync,
        command="serve",
        outcome=report.outcome.value,
        started_at=begun,
        ended_at=_now(),
        report=report.to_data(),
    )


def ensure_rules(allow: Collection[str]) -> None:
    """Raise `ValueError` for a rule that no guard has, and for a limit that it cannot have."""
    if not allow:
        return
    from sync.allowed import ceiling_of, rule_of
    from sync.guard import RULES  # with all that plans

    for each in allow:
        rule, ceiling = rule_of(each), ceiling_of(each)
        if rule not in RULES:
            raise ValueError(f'no guard has the rule "{rule}"{nearest(rule, RULES)}')
        if ceiling is not None:
            try:
                ensure_ceiling(rule, ceiling)
            except ValueError as error:
                raise ValueError(f"--allow {each}: {error}") from None


def _runtime(base: Path, stop: Event, patience: float | None, slots: Slots) -> Runtime:
    """What connectors get of the world: told to stop, they wait no longer than a moment."""

    def sleep(seconds: float) -> None:
        if stop.is_set():
            time.sleep(min(seconds, _MOMENT))
        else:
            stop.wait(seconds)

    runtime = Runtime(base=base, sleep=sleep, stopping=stop.is_set, slots=slots)
    return runtime if patience is None else replace_fields(runtime, patience=patience)


def _today() -> date:
    return date.today()  # noqa: DTZ011  # budgets count the days of the people who read them


def open_workspace(
    path: str | Path = "trueup.toml",
    *,
    watch: Watch | None = None,
    patience: float | None = None,
) -> Workspace:
    """The workspace of a settings file; raises `SettingsError` with every problem in it."""
    return Workspace(load(Path(path)), watch=watch, patience=patience)
