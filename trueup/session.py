"""One command at work: it opens the workspace, prints what comes of it, and ends in an exit code.

Every error that a person can cause or mend ends here as one message that says what, where and what
would be right. With `--json` it is a document on stdout as well.
"""

from __future__ import annotations

import logging
import signal
import sys
from collections.abc import Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path
from threading import Event, Lock
from types import TracebackType
from typing import TYPE_CHECKING, Any, NoReturn, Self

import typer

from canonical.kind import Kind
from config.load import SettingsError
from config.logs import configure
from config.settings import nearest
from config.wiring import spec_of
from connectors.contract.errors import ConnectorError, RateLimited, Uncertain
from connectors.contract.interface import Connector
from connectors.contract.settings import HttpSettings
from sync.outcome import Exit
from sync.state.audit import Audit
from sync.state.checking import check as check_chain
from sync.state.history import Run, UnknownRun
from sync.state.journal import Journal, JournalError
from sync.state.lease import LeaseHeld, LeaseLost
from sync.state.ledger import LedgerError
from sync.state.owners import OtherAccount, UnknownHandover
from sync.state.retention import BrokenChain, Retention
from sync.state.stops import Paused
from sync.state.store import StoreError
from sync.watch import Watch
from trueup.console import Console
from trueup.files import write_private
from trueup.output import plain, tell, tell_json
from trueup.refusal import Refusal
from trueup.streams import OUT
from trueup.workspace import Workspace, open_workspace

if TYPE_CHECKING:
    from canonical.change import Plan
    from canonical.spent import Spent
    from sync.engine import Verification
    from sync.handover import Offer
    from sync.report import Report
    from sync.schedule import Clock
    from trueup.spent import Form

log = logging.getLogger("trueup")

_CODES: Sequence[tuple[type[Exception], int]] = (
    (SettingsError, Exit.USAGE),
    (UnknownRun, Exit.USAGE),
    (UnknownHandover, Exit.USAGE),
    (LeaseHeld, Exit.LOCKED),
    (Paused, Exit.LOCKED),
    (RateLimited, Exit.PARTIAL),
    (Uncertain, Exit.UNCERTAIN),
    (ConnectorError, Exit.FAILED),
    (StoreError, Exit.FAILED),
    (LedgerError, Exit.FAILED),
    (OtherAccount, Exit.FAILED),
    (BrokenChain, Exit.FAILED),
    (JournalError, Exit.FAILED),
    (LeaseLost, Exit.FAILED),
)
_CHECKING = 3.5
"""Seconds that `check` gives each system: whoever types it waits for the answer."""
_KNOWN = tuple(known for known, _ in _CODES)
_PRESSING = (
    Exit.FAILED,
    Exit.USAGE,
    Exit.GUARD,
    Exit.LOCKED,
    Exit.UNCERTAIN,
    Exit.CONFLICTS,
    Exit.PARTIAL,
)
"""Which exit code speaks for several runs, the most pressing first."""


class Session:
    """The commands, one method each; each returns the exit code. Use it with `with`.

    `console` is where they print.
    """

    def __init__(self, config: Path, *, as_json: bool = False, verbosity: int = 0) -> None:
        self._config = config
        self._json = as_json
        self._verbosity = verbosity
        self.console = Console()
        self._stop = Event()
        self._printing = Lock()
        configure(verbosity)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if isinstance(error, Refusal):
            self._fail(plain(error), Exit.USAGE)
        for known, code in _CODES:
            if isinstance(error, known):
                self._fail(_lines(error), code)
        if isinstance(error, Exception) and not isinstance(error, (typer.Exit, typer.Abort)):
            log.debug("what led to it:", exc_info=error)
            said = f"this is a mistake in Trueup, not yours; -vv shows more: {_odd(error)}"
            self._fail(said, Exit.FAILED)

    def end(self, code: int) -> NoReturn:
        """Leave with this exit code."""
        raise typer.Exit(code)

    def told(self, code: int) -> NoReturn:
        """As `end`, of a command that only tells: what nobody could be told has failed."""
        self.end(Exit.FAILED if code == Exit.OK and OUT.lost else code)

    # -- commands ----------------------------------------------------------------------------

    def check(self, system: str | None) -> int:
        """`trueup check`."""
        with self._workspace(patience=_CHECKING) as workspace:
            names = [system] if system else list(workspace.settings.systems)
            with ThreadPoolExecutor(max_workers=max(1, len(names))) as pool:
                found = list(pool.map(partial(self._checked, workspace), names))
        if self._json:
            self._print({"systems": found})
        else:
            for each in found:
                said = " · ".join([each["identity"] or each["error"], *each["notes"]])
                self.console.checked(each["ok"], f"{each['system']} ({each['connector']}): {said}")
        codes = {each["code"] for each in found}
        return max(codes - {Exit.OK}, default=Exit.OK)

    def actuals(
        self,
        systems: Sequence[str],
        said: str | None = None,
        out: Path | None = None,
        *,
        shares: bool = True,
    ) -> int:
        """`trueup actuals`."""
        from trueup.spent import Form, as_data, as_text, form_of, in_order

        form = form_of(said or ("json" if self._json else None), out)
        with self._workspace(quiet=True) as workspace:
            names = systems or list(workspace.telling)
            with ThreadPoolExecutor(max_workers=max(1, len(names))) as pool:
                found = list(pool.map(partial(self._spent, workspace, shares=shares), names))
        rows = in_order(row for each, _ in found for row in each)
        failed = {name: error for name, (_, error) in zip(names, found, strict=True) if error}
        if out is not None:
            self._written(out, form, rows)
        elif form is Form.JSON:
            told = {name: _lines(error) for name, error in failed.items()}
            self._print(as_data(rows) | {"failed": told})
        else:
            tell(as_text(form, rows)) if form is Form.CSV else self.console.spent(rows)
        for name, error in failed.items():
            self.console.fail(f"{name}: {_lines(error)}")
        return max((_code(error) for error in failed.values()), default=Exit.OK)

    def record_actuals(
        self,
        into: str,
        systems: Sequence[str] = (),
        said: str | None = None,
        out: Path | None = None,
        *,
        shares: bool = True,
        dry_run: bool = False,
    ) -> int:
        """`trueup actuals --into`."""
        from trueup.recorded import recording_data
        from trueup.spent import Form, as_data, as_text, form_of, in_order

        form = form_of(said or ("json" if self._json else None), out)
        with self._workspace(quiet=True) as workspace:
            kept = workspace.record_actuals(into, systems, shares=shares, dry_run=dry_run)
        rows = in_order(entry.row for entry in kept.entries)
        told = {name: _lines(error) for name, error in kept.failed.items()}
        if out is not None:
            self._written(out, form, rows)
        if self._json or (out is None and form is Form.JSON):
            more = {"failed": told, "recorded": recording_data(kept)}
            self._print(as_data(rows) | more)
        elif out is None and form is Form.CSV:
            tell(as_text(form, rows))
        else:
            self.console.recorded(kept)
        for name, text in told.items():
            self.console.fail(f"{name}: {text}")
        codes = {kept.exit_code, *map(_code, kept.failed.values())}
        return next((code for code in _PRESSING if code in codes), Exit.OK)

    def people(self, sync: str, write: bool = False) -> int:
        """`trueup people`."""
        from config.rows import rows_file
        from trueup.people import as_data, tell_people, write_rows

        with self._workspace() as workspace:
            found = workspace.people(sync)
            settings = workspace.settings
        file = rows_file(settings, found.target)
        written = write_rows(settings, found) if write else None
        if self._json:
            self._print(as_data(found, file, written))
        else:
            tell_people(found, file, written)
        return Exit.OK

    def plan(
        self,
        sync: str,
        as_of: date | None = None,
        allow: Collection[str] = (),
        out: Path | None = None,
        detailed: bool = False,
        said: str | None = None,
    ) -> int:
        """`trueup plan`."""
        from sync.report import plan_exit_code
        from trueup.plan_pages import Form, form_of, page

        _known_rules(allow)
        form = form_of(said or ("json" if self._json else "text"))
        if out is not None:
            _must_be_free(out)
        with self._workspace() as workspace:
            plan = workspace.plan(sync, as_of=as_of, allow=allow)
        if out is not None:
            self._save(out, plan)
        if form is Form.JSON:
            self._print(plan.to_data())
        elif form is Form.TEXT:
            self.console.plan(plan, whole=self._verbosity > 0)
        else:
            tell(page(form, plan).rstrip("\n"))
        code = plan_exit_code(plan)
        return Exit.PENDING if code == Exit.OK and detailed and plan.pending else code

    def apply(
        self,
        what: str,
        as_of: date | None = None,
        allow: Collection[str] = (),
        yes: bool = False,
    ) -> int:
        """`trueup apply`."""
        _known_rules(allow)
        self._must_ask("apply", yes)
        with self._workspace() as workspace:
            planned = None if what in workspace.settings.syncs else self._load(what, workspace)
            report = workspace.apply(
                planned or what,
                as_of=as_of,
                allow=allow,
                approve=(lambda plan: True) if yes else self._ask,
                command="apply",
            )
        return self._reported([report])

    def run(self, syncs: Collection[str], as_of: date | None, allow: Collection[str]) -> int:
        """`trueup run`: one sync after the other; one that fails does not keep the next."""
        _known_rules(allow)
        with self._workspace() as workspace:
            names = list(syncs or workspace.settings.syncs)
            for name in names:
                spec_of(workspace.settings, name)
            reports: list[Report] = []
            kept_out: list[tuple[str, Exception]] = []
            for name in names:
                try:
                    report = workspace.apply(name, as_of=as_of, allow=allow, command="run")
                except _KNOWN as error:
                    if isinstance(error, Paused) and not syncs:
                        self.console.say(plain(error))  # a person wanted it so
                    elif len(names) == 1:
                        raise
                    else:
                        kept_out.append((name, error))
                else:
                    reports.append(report)
        return self._reported(reports, kept_out)

    def handover(self, sync: str, giver: str, refs: Collection[str], yes: bool = False) -> int:
        """`trueup handover`."""
        self._must_ask("handover", yes)
        with self._workspace() as workspace:
            approve = (lambda offer: True) if yes else self._ask_handover
            handed = workspace.handover(sync, giver, refs, approve=approve)
        if self._json:
            self._print(handed.to_data())
        else:
            self.console.handed(handed)
        return handed.exit_code

    def repoint(self, sync: str) -> int:
        """`trueup repoint`."""
        with self._workspace() as workspace:
            before, account = workspace.repoint(sync)
        if self._json:
            self._print({"sync": sync, "before": before, "account": account})
        elif before is None:
            self.console.say(f"{sync}: {account} is the account that the state knows already")
        else:
            self.console.say(f"{sync}: {before} is {account} now")
        return Exit.OK

    def pause(self, sync: str, because: str | None = None) -> int:
        """`trueup pause`."""
        with self._workspace(quiet=True) as workspace:
            stop = workspace.pause(sync, because)
        if self._json:
            self._print(asdict(stop) | {"since": stop.since.isoformat()})
        else:
            self.console.say(f"{stop}; `trueup resume {sync}` lets it run again")
        return Exit.OK

    def resume(self, sync: str) -> int:
        """`trueup resume`."""
        with self._workspace(quiet=True) as workspace:
            stop = workspace.resume(sync)
        if self._json:
            self._print({"sync": sync, "was_paused": stop is not None})
        else:
            self.console.say(f"{sync} may run again" if stop else f"{sync} was not paused")
        return Exit.OK

    def verify(self, sync: str, as_of: date | None = None) -> int:
        """`trueup verify`."""
        with self._workspace() as workspace:
            found = workspace.verify(sync, as_of=as_of)
        if self._json:
            self._print(_verification_data(found))
        else:
            self.console.verification(found)
        return Exit.OK if found.agree else Exit.PENDING

    def serve(self, clock: Clock | None = None) -> int:
        """`trueup serve`: until SIGTERM or Ctrl-C, which let the operation in hand finish."""
        from sync.schedule import (
            Scheduler,
            WorkerDied,
            parse_schedule,
        )  # nothing else keeps a clock

        with self._workspace(quiet=True) as workspace:
            settings = workspace.settings
            tables = {_keeping(name): each.schedule for name, each in settings.actuals.items()}
            tables |= {name: sync.schedule for name, sync in settings.syncs.items()}
            schedules = {name: parse_schedule(text) for name, text in tables.items() if text}
            if not schedules:
                raise Refusal(
                    'no sync has a schedule; add schedule = "every 15 minutes" to one of '
                    f"{', '.join(workspace.settings.syncs) or 'the syncs'} in {self._config}"
                )
            workspace.store  # noqa: B018  # a state that cannot be opened is told before waiting
            said = ", ".join(f"{name} ({each.text})" for name, each in schedules.items())
            self.console.say(f"serving {said}; Ctrl-C ends it")
            run = partial(self._serve_one, workspace)
            try:
                Scheduler(schedules, run, self._stop, clock).serve()
            except WorkerDied as error:
                self._fail(_lines(error), Exit.FAILED)
        return Exit.OK

    def status(self) -> int:
        """`trueup status`."""
        with self._workspace(quiet=True) as workspace:
            found = [workspace.status(name) for name in workspace.settings.syncs]
        if self._json:
            self._print({"syncs": found})
            return Exit.OK
        columns = ("sync", "last run", "outcome", "linked", "uncertain")
        self.console.table(columns, [_cells(each) for each in found])
        for each in found:
            if each["paused"]:
                self.console.say(plain(each["paused"]))
        return Exit.OK

    def history(self, sync: str | None, limit: int) -> int:
        """`trueup history`."""
        with self._workspace(quiet=True) as workspace:
            if sync is not None:
                spec_of(workspace.settings, sync)
            runs = workspace.history.runs(sync, limit)
        if self._json:
            self._print({"runs": [_run_data(run) for run in runs]})
        else:
            self.console.runs(runs)
        return Exit.OK

    def show(self, run_id: str) -> int:
        """`trueup show`."""
        from trueup.deeds import COLUMNS, deed_data, table_rows

        with self._workspace(quiet=True) as workspace:
            run = workspace.history.get(run_id)
            done = Journal(workspace.store, run.sync).of_run(run.run_id)
        if self._json:
            self._print(_run_data(run) | {"changes": [*map(deed_data, done)]})
        else:
            self.console.run(run)
            if rows := table_rows(done):
                self.console.table(COLUMNS, rows)
        return Exit.OK

    def audit(
        self,
        sync: str | None,
        since: datetime | None = None,
        ref: str | None = None,
        said: str | None = None,
    ) -> int:
        """`trueup audit`."""
        from trueup.audited import form_of, tell_rows

        form = form_of(said or ("json" if self._json else None))
        with self._workspace(quiet=True) as workspace:
            audit = Audit(workspace.store)
            if sync is not None and not audit.knows(sync):  # one that is no more is told of
                spec_of(workspace.settings, sync)
            moment = since.replace(tzinfo=UTC) if since else None
            tell_rows(form, audit.rows(sync, moment, ref))
        return Exit.OK

    def check_audit(self, head: str | None) -> int:
        """`trueup audit --check`."""
        from trueup.audited import checked_data, checked_text

        with self._workspace(quiet=True) as workspace:
            found = check_chain(workspace.store, head)
        if self._json:
            self._print(checked_data(found))
        else:
            self.console.checked(found.fault is None, checked_text(found))
        return Exit.OK if found.fault is None else Exit.FAILED

    def forget(self, before: datetime, yes: bool = False) -> int:
        """`trueup forget`."""
        from trueup.audited import forgotten_data, forgotten_text, must_be_past

        self._must_ask("forget", yes)
        moment = must_be_past(before.replace(tzinfo=UTC), datetime.now(UTC))
        with self._workspace(quiet=True) as workspace:
            retention = Retention(workspace.store)
            found = retention.offer(moment)
            if not yes:
                self.console.say(forgotten_text(found))
                if not typer.confirm("Let go of them for good?", err=True):
                    return Exit.PARTIAL
            found = retention.forget(moment)
        if self._json:
            self._print(forgotten_data(found))
        else:
            self.console.say(forgotten_text(found))
        return Exit.OK

    # -- how they work -----------------------------------------------------------------------

    @contextmanager
    def _workspace(
        self, *, quiet: bool = False, patience: float | None = None
    ) -> Iterator[Workspace]:
        with (
            self._stopping(),
            self._watch(quiet=quiet or self._json) as watch,
            open_workspace(self._config, watch=watch, patience=patience) as workspace,
        ):
            yield workspace

    @contextmanager
    def _watch(self, *, quiet: bool) -> Iterator[Watch]:
        if quiet:
            yield Watch(stop=self._stop)
        else:
            from trueup.progress import watching

            with watching(self.console.err, [""], self._stop) as watches:
                yield watches[""]

    @contextmanager
    def _stopping(self) -> Iterator[None]:
        """SIGTERM and the first Ctrl-C ask to stop; the second Ctrl-C insists."""

        def ask(number: int, frame: object) -> None:
            if self._stop.is_set() and number == signal.SIGINT:
                raise KeyboardInterrupt
            self._stop.set()

        before = {number: signal.signal(number, ask) for number in (signal.SIGTERM, signal.SIGINT)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _checked(self, workspace: Workspace, name: str) -> dict[str, Any]:
        found: dict[str, Any] = {"system": name, "connector": None, "ok": False, "identity": None}
        found |= {"notes": [], "error": None, "code": Exit.OK}
        own = workspace.settings.systems.get(name)
        found["connector"] = own.connector if own else None
        try:
            checked = workspace.system(name).check()
            unread = [] if isinstance(own, HttpSettings) else _unreadable(workspace.system(name))
            more = [*_notes(workspace, name)]
        except (ConnectorError, SettingsError) as error:
            if own is None:
                raise
            code = Exit.USAGE if isinstance(error, SettingsError) else Exit.FAILED
            return found | {"error": str(error), "code": code}
        found |= {"ok": True, "identity": checked.identity, "notes": [*checked.notes, *more]}
        if unread:
            others = f"; and {len(unread) - 1} more" if len(unread) > 1 else ""
            said = f"not all of it can be read: {unread[0]}{others}"
            found["notes"].append(said)
            found |= {"ok": False, "error": said, "code": Exit.FAILED}
        return found

    def _spent(
        self, workspace: Workspace, system: str, *, shares: bool
    ) -> tuple[list[Spent], Exception | None]:
        """What one system tells, and what kept it from telling more."""
        found: list[Spent] = []
        try:
            found.extend(workspace.spending(system, shares=shares))
        except (ConnectorError, SettingsError) as error:
            if system not in workspace.settings.systems:
                raise
            return found, error
        return found, None

    def _written(self, out: Path, form: Form, rows: Sequence[Spent]) -> None:
        from trueup.spent import Form, as_text, write_workbook

        try:
            if form is Form.XLSX:
                write_workbook(out, rows)
            else:
                write_private(out, as_text(form, rows))
        except OSError as error:
            raise Refusal(f"{out} cannot be written: {error.strerror}") from None
        self.console.say(f"{len(rows)} rows written to {out}")

    def _load(self, what: str, workspace: Workspace) -> Plan:
        from trueup.plans import read_plan

        path = Path(what)
        if not path.is_file():
            hint = nearest(what, workspace.settings.syncs)
            raise Refusal(f'"{what}" is neither a sync in {self._config} nor a saved plan{hint}')
        plan = read_plan(path)
        spec_of(workspace.settings, plan.sync)
        return plan

    def _save(self, path: Path, plan: Plan) -> None:
        try:
            write_private(path, plan.save())
        except OSError as error:
            raise Refusal(f"the plan cannot be saved to {path}: {error.strerror}") from None
        self.console.say(f"plan saved to {path}")

    def _must_ask(self, command: str, yes: bool) -> None:
        if not yes and (self._json or not sys.stdin.isatty()):
            why = "--json leaves no room to ask" if self._json else "there is no terminal"
            raise Refusal(f"{command} asks before it writes, and {why}; add --yes")

    def _ask_handover(self, offer: Offer) -> bool:
        self.console.offer(offer)
        question = f"Make {plain(offer.sync)} the owner of these {len(offer.passing)} objects?"
        return typer.confirm(question, err=True)

    def _ask(self, plan: Plan) -> bool:
        self.console.plan(plan)
        return typer.confirm("Apply these changes?", err=True)

    def _serve_one(self, workspace: Workspace, name: str) -> None:
        """One scheduled run. Whatever goes wrong is told; the next slot comes all the same."""
        if name not in workspace.settings.syncs:
            return self._keep_one(workspace, name)
        begun = datetime.now(UTC)
        try:
            report = workspace.apply(name, command="serve")
        except (LeaseHeld, Paused) as error:
            self.console.say(plain(error))
        except Exception as error:
            log.debug("what led to it:", exc_info=error)
            said = _lines(error) if isinstance(error, _KNOWN) else _odd(error)
            self.console.say(f"{name}: {said}")
            workspace.failed(name, begun, said)
        else:
            self._tell(name, report)

    def _keep_one(self, workspace: Workspace, name: str) -> None:
        """One scheduled `actuals --into`, in the same manner."""
        from trueup.recorded import in_short, recording_data

        try:
            (into,) = (each for each in workspace.settings.actuals if _keeping(each) == name)
            kept = workspace.record_actuals(into)
            told = {system: _lines(error) for system, error in kept.failed.items()}
            with self._printing:
                if self._json:
                    tell_json({"failed": told, "recorded": recording_data(kept)}, indent=None)
                else:
                    for text in (*map(": ".join, told.items()), *in_short(kept)):
                        self.console.say(plain(text))
        except Exception as error:
            log.debug("what led to it:", exc_info=error)
            said = _lines(error) if isinstance(error, _KNOWN) else _odd(error)
            self.console.say(f"{name}: {said}")

    def _tell(self, name: str, report: Report) -> None:
        """How a scheduled run ended; that it cannot be shown is told too."""
        try:
            with self._printing:
                if self._json:
                    tell_json(report.to_data(), indent=None)
                else:
                    self.console.report(report)
        except Exception as error:
            log.debug("what led to it:", exc_info=error)
            said = f"{report.outcome}, and cannot be shown: {_odd(error)}"
            self.console.say(f"{name}: {said} (run {report.run_id[:12]})")

    def _reported(
        self, reports: Sequence[Report], kept_out: Sequence[tuple[str, Exception]] = ()
    ) -> int:
        """Show how runs ended, and what kept others from one; the most pressing exit code."""
        told = [
            {"sync": name, "error": _lines(error), "exit_code": _code(error)}
            for name, error in kept_out
        ]
        if not self._json:
            for report in reports:
                self.console.report(report)
                if self._verbosity and report.audit_head:
                    self.console.say(f"audit head {report.audit_head}")
        elif len(reports) == 1 and not told:
            self._print(reports[0].to_data())
        else:
            self._print({"runs": [*(report.to_data() for report in reports), *told]})
        for each in told:
            self.console.fail(f"{each['sync']}: {each['error']}")
        codes = {report.exit_code for report in reports} | {each["exit_code"] for each in told}
        return next((code for code in _PRESSING if code in codes), Exit.OK)

    def _print(self, data: Any) -> None:
        tell_json(data)

    def _fail(self, message: str, code: int) -> NoReturn:
        if self._json:
            self._print({"error": message, "exit_code": code})
        self.console.fail(message)
        raise typer.Exit(code)


def _keeping(into: str) -> str:
    """What a schedule of `[actuals.INTO]` goes by."""
    return f"actuals --into {into}"


def _lines(error: Exception) -> str:
    """What a person is told of it: a line for each problem of the settings, else one."""
    if isinstance(error, SettingsError):
        return "\n".join(map(plain, error.problems))
    return plain(error)


def _code(error: Exception) -> int:
    return next(code for known, code in _CODES if isinstance(error, known))


def _odd(error: Exception) -> str:
    """What is told of an error that nobody foresaw."""
    return plain(f"{type(error).__name__}: {error}")


def _unreadable(system: Connector) -> list[str]:
    """What a run could not read of a system that is read without a call."""
    return [
        f"{problem.where}: {problem.message}"
        for kind in Kind
        for page in system.list(kind)
        for problem in page.problems
    ]


def _notes(workspace: Workspace, system: str) -> Iterator[str]:
    """What else is to be known before a first run."""
    from trueup.checked import notes

    return notes(workspace, system, workspace.system(system).today())


def _cells(standing: dict[str, Any]) -> list[str]:
    return ["–" if standing[name] is None else str(standing[name]) for name in _STATUS]


_STATUS = ("sync", "last_run", "outcome", "linked", "uncertain")


def _known_rules(allow: Collection[str]) -> None:
    from sync.guard import RULES  # with all that plans

    for rule in allow:
        if rule not in RULES:
            raise Refusal(f'no guard has the rule "{rule}"{nearest(rule, RULES)}')


def _must_be_free(path: Path) -> None:
    """A plan replaces an earlier plan and nothing else; raises `Refusal`."""
    if not path.is_file() or not path.stat().st_size:
        return
    from trueup.plans import read_plan

    try:
        read_plan(path)
    except Refusal:
        said = f"{path} is there and is not a plan that `trueup plan --out` saved"
        raise Refusal(f"{said}; it is left as it is: name another file") from None


def _verification_data(found: Verification) -> dict[str, Any]:
    from canonical.change import Plan

    plan = Plan(
        plan_id="",
        sync=found.sync,
        source="",
        target="",
        as_of=found.as_of,
        changes=found.differences,
        conflicts=found.conflicts,
        problems=found.problems,
        kept_objects=found.kept_objects,
        strangers=found.strangers,
    ).to_data()
    return {
        "sync": found.sync,
        "as_of": found.as_of.isoformat(),
        "agree": found.agree,
        "compared": found.compared,
        "accepted": found.accepted,
        "differences": plan["changes"],
        "conflicts": plan["conflicts"],
        "problems": plan["problems"],
        "kept_objects": plan["kept_objects"],
        "strangers": plan["strangers"],
        "stranger_count": found.stranger_count,
    }


def _run_data(run: Run) -> dict[str, Any]:
    return {
        "run_id": run.run_id,
        "sync": run.sync,
        "command": run.command,
        "outcome": run.outcome,
        "started_at": run.started_at.isoformat(),
        "ended_at": run.ended_at.isoformat() if run.ended_at else None,
        "report": run.report,
    }
