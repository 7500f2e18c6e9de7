"""What a person sees: plans, reports and lists on stdout, the talk of a run on stderr.

Tables on a terminal, plain lines elsewhere; the same words in both.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

from rich.console import Console as Terminal
from rich.table import Table

from canonical.kind import Kind, Op
from sync.outcome import Outcome
from trueup.output import marked, terminal
from trueup.streams import ERR, OUT

if TYPE_CHECKING:
    from rich.console import JustifyMethod

    from canonical.change import Change, Conflict, Handover, Plan, Unstated
    from canonical.facts import Fact
    from canonical.money import Counted
    from sync.engine import Verification
    from sync.handover import Handed, Offer
    from sync.report import Report
    from sync.spending import Spent
    from sync.state.history import Run

SHOWN = 40
"""Changes that a plan lists; `--json` has all of them."""
NAMED = 10
"""Objects that the source does not state, listed by name of each sort; `--json` has more."""

ALIKE = 5
"""Faults of one kind that are shown; the others are counted."""

_VARYING = re.compile(r"'[^']*'|\"[^\"]*\"|[0-9]+")
_SIGNS = {
    Op.CREATE: ("+", "green"),
    Op.UPDATE: ("~", "yellow"),
    Op.RETIRE: ("-", "red"),
    Op.DELETE: ("-", "red"),
    Op.BLOCKED: ("!", "magenta"),
}
_GOOD = {True: "green", False: "red"}


class Console:
    """Prints for people: `out` is stdout, `err` is stderr."""

    def __init__(self, out: Terminal | None = None, err: Terminal | None = None) -> None:
        self.out = out or terminal(OUT)
        self.err = err or terminal(ERR)

    # -- plans -------------------------------------------------------------------------------

    def plan(self, plan: Plan) -> None:
        """What would change, in which field, by how much money, and what stands in the way."""
        between = f"{plan.source} → {plan.target}"
        self.out.print(f"[bold]{marked(plan.sync)}[/]: {marked(between)}, as of {plan.as_of}")
        self._changes(plan.changes, plan.as_of)
        self._money(plan)
        self._losses(plan.changes)
        self._unaccepted(plan)
        self._handovers(plan.handovers)
        self._conflicts(plan.conflicts)
        self._unstated(plan)
        self._problems((each.system, each.where, each.message) for each in plan.problems)
        for trip in plan.guards:
            self._line("■", "red", f"guard {trip.rule}: {trip.message} (limit {trip.limit})")
            self.out.print(f"  to allow it: {marked(trip.override)}", soft_wrap=True)
        self.out.print(self._summary(plan))

    def plan_in_short(self, plan: Plan) -> None:
        """A plan in two or three lines: how much would change, and what is lost on the way."""
        self.out.print(f"[bold]{marked(plan.sync)}[/]: {self._summary(plan)}")
        self._money(plan)
        self._losses(plan.changes)

    def _changes(self, changes: Sequence[Change], as_of: date) -> None:
        if not changes:
            return
        table = Table(box=None, pad_edge=False, show_header=True, header_style="dim")
        for column in ("", "object", "field", "before", "after", "because"):
            table.add_column(column, overflow="fold")
        for change in changes[:SHOWN]:
            self._change(table, change, as_of)
        self.out.print(table)
        if len(changes) > SHOWN:
            rest = Counter(change.op.value for change in changes[SHOWN:])
            said = ", ".join(f"{count} {op}" for op, count in rest.items())
            self.out.print(f"  … and {len(changes) - SHOWN} more ({said}); --json lists all")

    def _change(self, table: Table, change: Change, as_of: date) -> None:
        sign, colour = _SIGNS[change.op]
        name = f"{change.kind} {change.ref}"
        because = change.cause.value if change.op is Op.UPDATE else (change.matched or "")
        rows: list[tuple[str, str, str]] = [
            (field, _shown(before), _shown(after))
            for field, (before, after) in change.fields.items()
        ]
        if change.op is Op.CREATE:
            rows = [("amount", "", _amount(change))]
        if change.op is Op.UPDATE:
            rows += _moves(change, as_of)
        if change.op is Op.BLOCKED or not rows:
            rows = [(loss.field, "", loss.reason) for loss in change.losses] or rows
        for index, (field, before, after) in enumerate(rows):
            first = index == 0
            table.add_row(
                f"[{colour}]{sign}[/]" if first else "",
                marked(name) if first else "",
                marked(field),
                marked(before),
                marked(after),
                marked(because) if first else "",
            )

    def _money(self, plan: Plan) -> None:
        """What moves on the plan's day, per period of each amount; then what moves later."""
        moved: dict[tuple[Kind, str], Decimal] = defaultdict(Decimal)
        later: dict[tuple[Kind, str], list[date]] = defaultdict(list)
        for change in plan.pending:
            for move in change.money:
                if move.day != plan.as_of:
                    if change.op is not Op.CREATE:
                        later[change.kind, move.unit].append(move.day)
                    continue
                for counted, sign in ((move.before, -1), (move.after, 1)):
                    if counted is not None:
                        moved[change.kind, counted.unit] += sign * counted.amount
        for (kind, unit), step in sorted(moved.items()):
            self.out.print(f"  {kind}s: {step:+,} {marked(unit)}")
        for (kind, unit), days in sorted(later.items()):
            many = "amount moves" if len(days) == 1 else "amounts move"
            said = f"{len(days)} {many} later, from {min(days)} on"
            self.out.print(f"  {kind}s: {said} ({marked(unit)})")

    def _losses(self, changes: Iterable[Change]) -> None:
        for name, (count, reason) in _lost(changes):
            self._line("·", "dim", f"{count} × {name}: {reason}")

    def _handovers(self, handovers: Sequence[Handover]) -> None:
        for each in handovers[:SHOWN]:
            said = f"{each.kind} {each.ref} is taken over from {each.giver} ({each.target_id})"
            self._line("→", "cyan", said)
        if len(handovers) > SHOWN:
            self.out.print(f"  … and {len(handovers) - SHOWN} more are taken over")

    def _conflicts(self, conflicts: Iterable[Conflict]) -> None:
        for each in conflicts:
            ids = ", ".join(each.candidates)
            said = f"{each.kind} {each.ref}: {each.reason}"
            self._line("?", "magenta", f"{said} ({ids})" if ids else said)

    def _unstated(self, found: Plan | Verification) -> None:
        """What the target has and the source does not state: kept from earlier, or never stated."""
        for each in found.kept_objects[:NAMED]:
            self._line("=", "dim", f"{_named(each)} stays: {each.reason}")
        if (more := len(found.kept_objects) - NAMED) > 0:
            self.out.print(f"  … and {more} more stay")
        for each in found.strangers[:NAMED]:
            self._line("·", "dim", f"{_named(each)} is in the target, and nobody stated it")
        if (more := found.stranger_count - NAMED) > 0:
            self.out.print(f"  … and {more} more that nobody stated")

    def _problems(self, problems: Iterable[tuple[str, str, str]]) -> None:
        """Each kind of fault by its first few; what differs in numbers and words is one kind."""
        kinds: dict[tuple[str, str], list[str]] = defaultdict(list)
        for system, where, message in problems:
            kind = system, _VARYING.sub("…", message)
            kinds[kind].append(f"{system}: {where}: {message}")
        for alike in kinds.values():
            shown = alike if len(alike) <= ALIKE + 1 else alike[:ALIKE]
            for said in shown:
                self._line("!", "red", said)
            if len(alike) > len(shown):
                said = f"… and {len(alike) - len(shown)} more like it"
                self._line("!", "red", f"{said}, the last: {alike[-1]}")

    def _unaccepted(self, plan: Plan) -> None:
        if plan.unaccepted:
            names = ", ".join(f'"{name}"' for name in sorted({*plan.accepted, *plan.unaccepted}))
            said = f"  to accept what is lost, write in [syncs.{plan.sync}]: accept = [{names}]"
            self.out.print(marked(said), soft_wrap=True)

    def _summary(self, plan: Plan) -> str:
        counts = {name: count for name, count in plan.summary.items() if count}
        if plan.kept:
            counts["kept in the target only"] = plan.kept
        if plan.uncertain:
            counts["waiting for an unknown outcome"] = plan.uncertain
        said = ", ".join(f"{count} {name}" for name, count in counts.items()) or "nothing there"
        waiting = plan.conflicts or plan.problems or plan.unaccepted or plan.uncertain
        if not plan.pending and not waiting:
            return f"[green]Nothing to do[/]: {said}."
        return f"[bold]{said}[/]"

    # -- runs --------------------------------------------------------------------------------

    def report(self, report: Report) -> None:
        """How a run ended, and what did not work in it."""
        plan = report.plan
        if plan is not None and (plan.guards or (plan.pending and not report.operations)):
            self.plan(plan)
        elif plan is not None:
            self._leftover(plan)
        for done in report.operations:
            if done.error:
                self._line("!", "red", f"{done.op} {done.kind} {done.ref}: {done.error}")
        if report.error:
            self._line("■", "red", report.error)
        self.report_in_short(report)

    def report_in_short(self, report: Report) -> None:
        """How a run ended, in one line."""
        counts = ", ".join(f"{count} {name}" for name, count in report.counts.items() if count)
        colour = _GOOD[report.outcome is Outcome.OK]
        verified = "not verified"
        if report.verified:
            verified = f"verified: both sides agree{_but(report.plan)}"
        ended = f"[bold]{marked(report.sync)}[/]: [{colour}]{report.outcome}[/]"
        self.out.print(
            f"{ended}, {counts or 'nothing sent'}; {verified} (run {report.run_id[:12]})"
        )

    def _leftover(self, plan: Plan) -> None:
        blocked = [change for change in plan.changes if change.op is Op.BLOCKED]
        if blocked or plan.conflicts or plan.problems or plan.unaccepted:
            self.plan(replace(plan, changes=tuple(blocked)))
        else:
            self._handovers(plan.handovers)
            self._unstated(plan)

    def verification(self, found: Verification) -> None:
        """Whether both live sides agree, and where they do not."""
        self._changes(found.differences, found.as_of)
        self._conflicts(found.conflicts)
        self._unstated(found)
        self._problems((each.system, each.where, each.message) for each in found.problems)
        parts = {
            "different": len(found.differences),
            "in conflict": len(found.conflicts),
            "unreadable": len(found.problems),
        }
        said = ", ".join(f"{count} {name}" for name, count in parts.items() if count)
        without = f", {found.accepted} of them done without" if found.accepted else ""
        agree = f"[{_GOOD[found.agree]}]{said or 'both sides agree'}[/]{_but(found)}"
        compared = f"{found.compared} objects compared{without}, as of {found.as_of}"
        self.out.print(f"[bold]{marked(found.sync)}[/]: {agree}, {compared}")

    def offer(self, offer: Offer) -> None:
        """What would pass from one sync to another, and what cannot."""
        passing = offer.passing
        self.out.print(
            f"[bold]{marked(offer.giver)}[/] → [bold]{marked(offer.sync)}[/]: "
            f"{len(passing)} of {len(offer.links)} objects pass"
        )
        for link in passing[:SHOWN]:
            self._line("→", "cyan", f"{link.kind} {link.ref} ({link.target_id})")
        if len(passing) > SHOWN:
            self.out.print(f"  … and {len(passing) - SHOWN} more")
        for link in offer.links:
            if link.id in offer.obstacles:
                _, reason = offer.obstacles[link.id]
                said = f"{link.kind} {link.ref} stays: {reason} ({link.target_id})"
                self._line("?", "magenta", said)

    def handed(self, handed: Handed) -> None:
        """How a handover ended."""
        if not handed.approved:
            self._line("■", "red", "not approved; nothing was handed over")
            return
        self.offer(handed.offer)
        self.out.print(f"handed over (run {handed.run_id[:12]})")

    def runs(self, runs: Sequence[Run]) -> None:
        """Runs, newest first."""
        rows = [
            (
                run.run_id[:12],
                run.sync,
                run.command,
                run.outcome,
                f"{run.started_at:%Y-%m-%d %H:%M:%S}",
                _counts(run),
            )
            for run in runs
        ]
        self.table(("run", "sync", "command", "outcome", "started (UTC)", "operations"), rows)

    def run(self, run: Run) -> None:
        """One run, operation by operation."""
        self.runs([run])
        report = run.report or {}
        operations = report.get("operations", [])
        columns = ("op", "object", "in the target", "outcome", "error")
        rows = [
            (
                each["op"],
                f"{each['kind']} {each['ref']}",
                each["target_id"] or "",
                each["outcome"],
                each["error"] or "",
            )
            for each in operations
        ]
        if rows:
            self.table(columns, rows)
        plan = report.get("plan") or {}
        for trip in plan.get("guards", ()):
            self._line("■", "red", f"guard {trip['rule']}: {trip['message']}")
        for each in plan.get("conflicts", ()):
            self._line("?", "magenta", f"{each['kind']} {each['ref']}: {each['reason']}")
        problems = plan.get("problems", ())
        self._problems((each["system"], each["where"], each["message"]) for each in problems)
        for name, count in plan.get("omitted", {}).items():
            self._line("!", "red", f"and {count} more {name}, which no report keeps")
        for name, (count, reason) in plan.get("lossy", {}).items():
            self._line("·", "dim", f"{count} × {name}: {reason}")
        if report.get("error"):
            self._line("■", "red", report["error"])

    # -- plain things ------------------------------------------------------------------------

    def table(
        self, columns: Sequence[str], rows: Iterable[Sequence[str]], right: Collection[str] = ()
    ) -> None:
        """A table without lines; columns in `right` are flush right."""
        table = Table(box=None, pad_edge=False, header_style="dim")
        for column in columns:
            side: JustifyMethod = "right" if column in right else "left"
            table.add_column(column, overflow="fold", justify=side)
        for row in rows:
            table.add_row(*(marked(cell) for cell in row))
        self.out.print(table)

    def title(self, text: str) -> None:
        """A heading."""
        self.out.print()
        if self.out.is_terminal:
            self.out.rule(f"[bold]{marked(text)}[/]", align="left", style="dim")
        else:
            self.out.print(f"── {marked(text)}", soft_wrap=True)

    def say(self, text: str) -> None:
        """Talk, on stderr, line by line."""
        self.err.print(_marked_lines(text), soft_wrap=True)

    def spent(self, rows: Sequence[Spent]) -> None:
        """What has been spent of what, with a bar each."""
        from trueup.spent import AMOUNTS, TITLES, table_rows

        if rows:
            self.table(TITLES, table_rows(rows), right=AMOUNTS)
        else:
            self.say("no system tells what has been spent")

    def checked(self, ok: bool, text: str) -> None:
        """One thing that was looked at, and how it is."""
        self._line("✓" if ok else "✗", _GOOD[ok], text)

    def fail(self, text: str) -> None:
        """Why the command cannot go on, on stderr; each line of `text` is one reason."""
        self.err.print(f"[red]trueup:[/] {_marked_lines(text)}", soft_wrap=True)

    def _line(self, sign: str, colour: str, text: str) -> None:
        self.out.print(f"[{colour}]{sign}[/] {marked(text)}", soft_wrap=True)


def _marked_lines(text: str) -> str:
    return "\n".join(map(marked, text.split("\n")))


def _lost(changes: Iterable[Change]) -> list[tuple[str, tuple[int, str]]]:
    """Each loss once, with how often it occurs and the reason met first."""
    found: dict[str, tuple[int, str]] = {}
    for change in changes:
        for loss in change.losses:
            count, reason = found.get(loss.name, (0, loss.reason))
            found[loss.name] = count + 1, reason
    return sorted(found.items())


def _shown(value: Fact) -> str:
    if value is None:
        return ""
    if isinstance(value, tuple):
        return ", ".join(" ".join(map(str, v)) if isinstance(v, tuple) else str(v) for v in value)
    return str(value)


def _named(each: Unstated) -> str:
    ref = f" ({each.ref})" if each.ref and each.ref != each.name else ""
    money = f", {each.amount} {each.currency}" if each.amount else ""
    return f"{each.kind} {each.name}{ref}{money} [{each.target_id}]"


def _but(found: Plan | Verification | None) -> str:
    """What an agreement does not speak of."""
    if found is None:
        return ""
    kept, strangers = len(found.kept_objects), found.stranger_count
    said = [f"{kept} kept in use in the target only"] if kept else []
    said += [f"{strangers} there that nobody stated"] if strangers else []
    return f", but {' and '.join(said)}" if said else ""


def _amount(change: Change) -> str:
    """What is new, as it counts on the plan's day."""
    counted = change.money[0].after if change.money else None
    amount = change.desired.amount if change.desired else None
    return str(counted or amount or "")


def _moves(change: Change, as_of: date) -> list[tuple[str, str, str]]:
    """The money of an update that its fields do not show: of phases, and of what counts later."""
    shown = "amount" in change.fields
    return [
        ("money" if move.day == as_of else f"from {move.day}", _shown_money(move.before), told)
        for move in change.money
        if (told := _shown_money(move.after)) and not (shown and move.day == as_of)
    ]


def _shown_money(counted: Counted | None) -> str:
    return str(counted or "")


def _counts(run: Run) -> str:
    counts: Mapping[str, int] = (run.report or {}).get("counts", {})
    return ", ".join(f"{count} {name}" for name, count in counts.items() if count)
