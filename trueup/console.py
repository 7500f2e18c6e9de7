"""What a person sees: plans, reports and lists on stdout, the talk of a run on stderr.

Tables on a terminal, plain lines elsewhere; the same words in both.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING, Any

from rich.console import Console as Terminal
from rich.table import Table

from canonical.kind import Op
from sync.outcome import Outcome
from trueup.output import marked, terminal
from trueup.selected import rates, selection
from trueup.streams import ERR, OUT

if TYPE_CHECKING:
    from datetime import date

    from rich.console import JustifyMethod

    from canonical.change import Change, Conflict, Handover, Plan
    from canonical.side import Side
    from canonical.spent import Spent
    from canonical.waiting import Waiting
    from sync.engine import Verification
    from sync.handover import Handed, Offer
    from sync.recording import Recording
    from sync.report import Report
    from sync.state.approvals import Request
    from sync.state.history import Run
    from trueup.planned import Entry

SHOWN = 40
"""Changes that a plan lists; `-v` and `--json` have all of them."""
NAMED = 10
"""Objects that the source does not state, named of each sort; `-v` and `--json` have more."""

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
_COLOURS = dict(_SIGNS.values())
_COLUMNS = ("", "object", "field", "before", "after", "change", "%", "because")
_FLUSH = frozenset({"before", "after", "change", "%"})
"""Columns that are flush right."""
_GOOD = {True: "green", False: "red"}


class Console:
    """Prints for people: `out` is stdout, `err` is stderr."""

    def __init__(self, out: Terminal | None = None, err: Terminal | None = None) -> None:
        self.out = out or terminal(OUT)
        self.err = err or terminal(ERR)

    # -- plans -------------------------------------------------------------------------------

    def plan(self, plan: Plan, *, whole: bool = False, steps: bool = True) -> None:
        """What would change, in which field, by how much money, what stands in the way, and with
        `steps` what to do next. The first of what is many, unless the `whole` is asked for."""
        between = f"{plan.source} → {plan.target}"
        self.out.print(f"[bold]{marked(plan.sync)}[/]: {marked(between)}, as of {plan.as_of}")
        self._selection(plan)
        self._changes(plan.changes, plan.as_of, whole=whole, sides=self._sides(plan))
        self._money(plan)
        self._losses(plan.changes)
        self._handovers(plan.handovers)
        self._conflicts(plan.conflicts)
        self._renames(plan, whole=whole)
        self._waits(plan.waits, whole=whole)
        self._unstated(plan, whole=whole)
        self._problems((each.system, each.where, each.message) for each in plan.problems)
        for trip in plan.guards:
            self._line("■", "red", f"guard {trip.rule}: {trip.message} (limit {trip.limit})")
            self.out.print(f"  to allow it: {marked(trip.override)}", soft_wrap=True)
        if summary := self._summary(plan):
            self.out.print(summary)
        if steps:
            self._next(plan)

    def plan_in_short(self, plan: Plan) -> None:
        """A plan in two or three lines: how much would change, and what is lost on the way."""
        self.out.print(f"[bold]{marked(plan.sync)}[/]: {self._summary(plan)}")
        self._selection(plan)
        self._money(plan)
        self._losses(plan.changes)

    def _selection(self, plan: Plan) -> None:
        for odd, said in selection(plan):
            self._line(*("!", "yellow") if odd else ("·", "dim"), said)
        for said in rates(plan):
            self._line("·", "dim", said)

    def _changes(
        self,
        changes: Sequence[Change],
        as_of: date,
        *,
        whole: bool = False,
        sides: Mapping[Side, str] | None = None,
    ) -> None:
        if not changes:
            return
        from trueup.planned import entries

        shown = len(changes) if whole else SHOWN
        told = islice(entries(changes, as_of, sides), shown)
        self._fitted(_COLUMNS, [row for entry in told for row in _rows(entry)])
        if len(changes) > shown:
            rest = Counter(change.op.value for change in changes[shown:])
            said = ", ".join(f"{count} {op}" for op, count in rest.items())
            self.out.print(f"  … and {len(changes) - shown} more ({said}); -v lists all")

    def _sides(self, plan: Plan) -> Mapping[Side, str] | None:
        """What a change is made in, where that is not always the target."""
        from trueup.planned import sides

        return sides(plan)

    def _fitted(self, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """A table without its empty columns; no word is broken: where they do not fit, lines."""
        used = [at for at, _ in enumerate(columns) if any(row[at] for row in rows)]
        table = Table(box=None, pad_edge=False, header_style="dim")
        needed = 0
        for at in used:
            texts = [columns[at], *(row[at] for row in rows)]
            longest = max(len(word) for text in texts for word in (text.split() or [""]))
            side: JustifyMethod = "right" if columns[at] in _FLUSH else "left"
            table.add_column(columns[at], min_width=longest, justify=side)
            needed += longest + 2
        for row in rows:
            sign, *cells = (marked(row[at]) for at in used)
            table.add_row(f"[{_COLOURS[sign]}]{sign}[/]" if sign in _COLOURS else sign, *cells)
        if needed <= self.out.width:
            self.out.print(table)
            return
        for row in rows:
            self.out.print(marked(" ".join(each for each in row if each)))

    def _money(self, plan: Plan) -> None:
        """What moves on the plan's day, per period of each amount; then what moves later."""
        from trueup.planned import later, sums

        for each in sums(plan):
            parts = ", ".join(f"{part:+,} {name}" for name, part in each.parts)
            of = f" ({parts})" if len(each.parts) > 1 or each.removed else ""
            self.out.print(f"  {marked(each.of)}: {each.net:+,} {marked(each.unit)}{of}")
        for on in later(plan):
            many = "amount moves" if on.count == 1 else "amounts move"
            said = f"{on.count} {many} later, from {on.first} on"
            self.out.print(f"  {on.kind}s: {said} ({marked(on.unit)})")

    def _next(self, plan: Plan) -> None:
        from trueup.planned import next_steps

        for step in next_steps(plan):
            self.out.print(f"  {marked(step)}", soft_wrap=True)

    def _losses(self, changes: Iterable[Change]) -> None:
        from trueup.planned import losses

        for name, count, reason in losses(changes):
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

    def _renames(self, plan: Plan, *, whole: bool = False) -> None:
        if not plan.renames:
            return
        from trueup.planned import renames

        for said in renames(plan, None if whole else NAMED):
            self._line("?", "magenta", said)

    def _waits(self, found: Iterable[Waiting], *, whole: bool = False) -> None:
        if not found:
            return
        from trueup.waits import waits

        for said in waits(found, whole=whole):
            self._line("?", "magenta", said)

    def _unstated(self, found: Plan | Verification, *, whole: bool = False) -> None:
        """What the target has and the source does not state: kept from earlier, or never stated."""
        if not found.kept_objects and not found.strangers:
            return
        from trueup.planned import named

        many = len(found.kept_objects) + len(found.strangers) if whole else NAMED
        for each in found.kept_objects[:many]:
            self._line("=", "dim", f"{named(each)} stays: {each.reason}")
        if (more := len(found.kept_objects) - many) > 0:
            self.out.print(f"  … and {more} more stay")
        for each in found.strangers[:many]:
            self._line("·", "dim", f"{named(each)} is in the target, and nobody stated it")
        if (more := found.stranger_count - min(many, len(found.strangers))) > 0:
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

    def _summary(self, plan: Plan) -> str:
        from trueup.planned import counted

        said = ", ".join(f"{count} {name}" for name, count in counted(plan))
        waiting = plan.conflicts or plan.waits or plan.problems or plan.unaccepted or plan.uncertain
        if not plan.pending and not waiting:
            return f"[green]Nothing to do[/]: {said or 'nothing there'}."
        return f"[bold]{said}[/]" if said else ""

    # -- runs --------------------------------------------------------------------------------

    def report(self, report: Report, *, after: str = "") -> None:
        """How a run ended, and what did not work in it; `after` ends the line that says it."""
        plan = report.plan
        if report.late:
            self._line("·", "dim", f"{report.sync}: {report.late}")
        if plan is not None and (plan.guards or (plan.pending and not report.operations)):
            self.plan(plan, steps=report.asked is None)
        elif plan is not None:
            self._leftover(plan)
        for done in report.operations:
            if done.error:
                self._line("!", "red", f"{done.op} {done.kind} {done.ref}: {done.error}")
        if report.error:
            self._line("■", "red", report.error)
        self._approval(report)
        self.report_in_short(report, after=after)
        self._decisions(report.waiting, report.sync)

    def _decisions(self, count: int, sync: str, *, past: bool = False) -> None:
        """How many decisions wait, or waited when a run ended."""
        if count:
            one = count == 1
            many = "1 decision" if one else f"{count:,} decisions"
            verb = "waited then" if past else "waits" if one else "wait"
            self._line("?", "magenta", f"{many} {verb}: trueup waiting {sync}")

    def _approval(self, report: Report) -> None:
        """The approval that a run made use of, and the one that it waits for."""
        if report.approved is None and report.asked is None:
            return
        from trueup.approved import used_text, waits_text

        if report.approved is not None:
            self._line("✓", "green", used_text(report.approved.to_data()))
        if report.asked is not None:
            self._line("■", "red", waits_text(report.asked))

    def report_in_short(self, report: Report, *, after: str = "") -> None:
        """How a run ended, in one line, which `after` ends."""
        counts = ", ".join(f"{count} {name}" for name, count in report.counts.items() if count)
        colour = _GOOD[report.outcome is Outcome.OK]
        verified = "not verified"
        if report.verified and report.undoes is not None:
            verified = "verified: all is as it was before"
        elif report.verified:
            verified = f"verified: both sides agree{_but(report.plan)}"
        ended = f"[bold]{marked(report.sync)}[/]: [{colour}]{report.outcome}[/]"
        self.out.print(
            f"{ended}, {counts or 'nothing sent'}; {verified} (run {report.run_id[:12]})"
            f"{marked(after)}"
        )

    def _leftover(self, plan: Plan) -> None:
        blocked = [change for change in plan.changes if change.op is Op.BLOCKED]
        if blocked or plan.conflicts or plan.waits or plan.problems or plan.unaccepted:
            self.plan(replace(plan, changes=tuple(blocked)))
        else:
            self._handovers(plan.handovers)
            self._unstated(plan)

    def verification(self, found: Verification) -> None:
        """Whether both live sides agree, and where they do not."""
        self._changes(found.differences, found.as_of)
        self._conflicts(found.conflicts)
        self._waits(found.waits)
        self._unstated(found)
        self._problems((each.system, each.where, each.message) for each in found.problems)
        parts = {
            "different": len(found.differences),
            "in conflict": len(found.conflicts),
            "waiting for a decision": len(found.waits),
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

    def run(self, run: Run, asked: Request | None = None) -> None:
        """One run, operation by operation; `asked` is what became of the approval that it asked
        for."""
        self.runs([run])
        report = run.report or {}
        if run.report is None and run.ended_at is not None:
            self.say("its report was let go of: what it did may stand in `trueup audit`")
        operations = report.get("operations", [])
        columns = ("op", "object", "its id there", "outcome", "error")
        rows = [
            (
                each["op"],
                f"{each['kind']} {each['ref']}",
                " in the ".join(filter(None, (each["target_id"], _side(each)))),
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
        for each in plan.get("waits", ()):
            from trueup.waits import of_report

            self._line("?", "magenta", of_report(each))
        problems = plan.get("problems", ())
        self._problems((each["system"], each["where"], each["message"]) for each in problems)
        for name, count in plan.get("omitted", {}).items():
            self._line("!", "red", f"and {count} more {name}, which no report keeps")
        for name, (count, reason) in plan.get("lossy", {}).items():
            self._line("·", "dim", f"{count} × {name}: {reason}")
        if report.get("late"):
            self._line("·", "dim", report["late"])
        if report.get("error"):
            self._line("■", "red", report["error"])
        self._approval_then(report, asked)
        self._decisions(report.get("waiting", 0), run.sync, past=True)

    def _approval_then(self, report: Mapping[str, Any], asked: Request | None) -> None:
        """The approvals that a report tells of: the one that the run used, the one it asked for."""
        from trueup.approved import became_text, used_text

        if approved := report.get("approved"):
            self._line("✓", "green", used_text(approved))
        if said := report.get("approval"):
            self._line("■", "red", became_text(said, asked))

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

    def line(self, text: str) -> None:
        """A plain line; on a terminal it is wrapped between words."""
        self.out.print(marked(text))

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

    def recorded(self, recording: Recording) -> None:
        """What of it was kept where, what was not, and why."""
        from trueup import recorded

        rows = recorded.written_rows(recording)
        if rows:
            self.table(recorded.TITLES, rows[: recorded.SHOWN], right=recorded.AMOUNTS)
        if len(rows) > recorded.SHOWN:
            self.out.print(f"  … and {len(rows) - recorded.SHOWN} more; --json lists all")
        for outcome, text in recorded.left_out(recording):
            sign, colour = ("·", "dim") if outcome == "skipped" else ("!", "magenta")
            self._line(sign, colour, f"{outcome} {text}")
        self.out.print(marked(recorded.summary(recording)))

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


def _side(done: Mapping[str, Any]) -> str:
    """Where an operation was done, if that was not the target."""
    return done["side"] if done.get("side", "target") != "target" else ""


def _but(found: Plan | Verification | None) -> str:
    """What an agreement does not speak of."""
    if found is None:
        return ""
    kept, strangers = len(found.kept_objects), found.stranger_count
    said = [f"{kept} kept in use in the target only"] if kept else []
    said += [f"{strangers} there that nobody stated"] if strangers else []
    return f", but {' and '.join(said)}" if said else ""


def _rows(entry: Entry) -> Iterator[tuple[str, ...]]:
    """The lines of a table that tell of one object; its name stands in the first."""
    from trueup.planned import Line

    sign, title, because = _SIGNS[entry.op][0], f"{entry.kind} {entry.title}", entry.because
    for line in entry.lines or (Line("", "", ""),):
        yield sign, title, line.what, line.before, line.after, line.step, line.share, because
        sign = title = because = ""


def _counts(run: Run) -> str:
    counts: Mapping[str, int] = (run.report or {}).get("counts", {})
    return ", ".join(f"{count} {name}" for name, count in counts.items() if count)
