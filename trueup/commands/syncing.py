"""Plan, apply, run and verify: what syncs do, and how it ended."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from config.settings import nearest
from config.wiring import sync_of
from sync.outcome import Exit
from sync.state.stops import Paused
from trueup.endings import KNOWN, code_of, lines_of, pressing
from trueup.files import write_private
from trueup.output import plain, tell
from trueup.refusal import Refusal

if TYPE_CHECKING:
    from datetime import date

    from canonical.change import Plan
    from sync.engine import Verification
    from sync.report import Report
    from trueup.notices import Notices
    from trueup.session import Session
    from trueup.workspace import Workspace


def plan(
    session: Session,
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

    known_rules(allow)
    form = form_of(said or ("json" if session.as_json else "text"))
    if out is not None:
        _must_be_free(out)
    with session.workspace() as workspace:
        plan = workspace.plan(sync, as_of=as_of, allow=allow)
    if out is not None:
        _save(session, out, plan)
    if form is Form.JSON:
        session.print(plan.to_data())
    elif form is Form.TEXT:
        session.console.plan(plan, whole=session.verbosity > 0)
    else:
        tell(page(form, plan).rstrip("\n"))
    code = plan_exit_code(plan)
    return Exit.PENDING if code == Exit.OK and detailed and plan.pending else code


def apply(
    session: Session,
    what: str,
    as_of: date | None = None,
    allow: Collection[str] = (),
    yes: bool = False,
    because: str | None = None,
) -> int:
    """`trueup apply`."""
    known_rules(allow, because)
    session.must_ask("apply", yes)
    with session.workspace() as workspace:
        planned = None if what in workspace.settings.syncs else _load(session, what, workspace)
        with notices(session, workspace).telling(planned.sync if planned else what) as told:
            report = told(
                workspace.apply(
                    planned or what,
                    as_of=as_of,
                    allow=allow,
                    because=because,
                    approve=(lambda plan: True) if yes else partial(_ask, session),
                    command="apply",
                )
            )
    return reported(session, [report])


def run(
    session: Session,
    syncs: Collection[str],
    as_of: date | None,
    allow: Collection[str],
    because: str | None = None,
) -> int:
    """`trueup run`: one sync after the other; one that fails does not keep the next."""
    known_rules(allow, because)
    with session.workspace() as workspace:
        names = list(syncs or workspace.settings.syncs)
        for name in names:
            sync_of(workspace.settings, name)
        telling = notices(session, workspace)
        reports: list[Report] = []
        kept_out: list[tuple[str, Exception]] = []
        for name in names:
            try:
                with telling.telling(name) as told:
                    report = told(
                        workspace.apply(
                            name, as_of=as_of, allow=allow, because=because, command="run"
                        )
                    )
            except KNOWN as error:
                if isinstance(error, Paused) and not syncs:
                    session.console.say(plain(error))  # a person wanted it so
                elif len(names) == 1:
                    raise
                else:
                    kept_out.append((name, error))
            else:
                reports.append(report)
    return reported(session, reports, kept_out)


def verify(session: Session, sync: str, as_of: date | None = None) -> int:
    """`trueup verify`."""
    with session.workspace() as workspace:
        found = workspace.verify(sync, as_of=as_of)
    if session.as_json:
        session.print(_verification_data(found))
    else:
        session.console.verification(found)
    return Exit.OK if found.agree else Exit.PENDING


def _load(session: Session, what: str, workspace: Workspace) -> Plan:
    from trueup.plans import sealed_plan

    path = Path(what)
    if not path.is_file():
        hint = nearest(what, workspace.settings.syncs)
        raise Refusal(f'"{what}" is neither a sync in {session.config} nor a saved plan{hint}')
    plan = sealed_plan(path)
    known_rules(plan.allowed)
    sync_of(workspace.settings, plan.sync)
    return plan


def _save(session: Session, path: Path, plan: Plan) -> None:
    try:
        write_private(path, plan.save())
    except OSError as error:
        raise Refusal(f"the plan cannot be saved to {path}: {error.strerror}") from None
    session.console.say(f"plan saved to {path}")


def _ask(session: Session, plan: Plan) -> bool:
    session.console.plan(plan)
    return typer.confirm("Apply these changes?", err=True)


def notices(session: Session, workspace: Workspace) -> Notices:
    """What tells whom the settings name how runs end; what cannot be told goes to stderr."""
    from trueup.notices import Notices

    return Notices(workspace, session.console.say)


def reported(
    session: Session, reports: Sequence[Report], kept_out: Sequence[tuple[str, Exception]] = ()
) -> int:
    """Show how runs ended, and what kept others from one; the most pressing exit code."""
    told: list[dict[str, Any]] = [
        {"sync": name, "error": lines_of(error), "exit_code": code_of(error)}
        for name, error in kept_out
    ]
    if not session.as_json:
        for report in reports:
            session.console.report(report)
            if session.verbosity and report.audit_head:
                session.console.say(f"audit head {report.audit_head}")
    elif len(reports) == 1 and not told:
        session.print(reports[0].to_data())
    else:
        session.print({"runs": [*(report.to_data() for report in reports), *told]})
    for each in told:
        session.console.fail(f"{each['sync']}: {each['error']}")
    codes = {report.exit_code for report in reports} | {each["exit_code"] for each in told}
    return pressing(codes)


def known_rules(allow: Collection[str], because: str | None = None) -> None:
    """Raise `Refusal` for a rule that no guard has, a limit that it cannot have, and a reason
    where nothing is allowed."""
    from trueup.workspace import ensure_rules

    if because is not None and not allow:
        raise Refusal("--because says why a guard is allowed, and there is no --allow")
    try:
        ensure_rules(allow)
    except ValueError as error:
        raise Refusal(str(error)) from None


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
        waits=found.waits,
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
        "waits": plan["waits"],
        "problems": plan["problems"],
        "kept_objects": plan["kept_objects"],
        "strangers": plan["strangers"],
        "stranger_count": found.stranger_count,
    }
