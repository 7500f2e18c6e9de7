"""What `trueup audit` and `trueup forget` tell: the rows for people, as csv and as JSON."""

import csv
import io
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from connectors.file.tables import guarded
from sync.state.audit import Event, Row
from sync.state.checking import Finding
from sync.state.retention import Forgotten
from trueup.deeds import moved_text, value_text
from trueup.output import json_text, plain, tell
from trueup.refusal import Refusal, form_said

COLUMNS: Final = (
    "number", "at", "user", "host", "name", "settings", "sync", "run", "kind", "budget_ref", "ref",
    "what", "previous", "digest", "entry",
)  # fmt: skip
_AGE: Final = timedelta(days=7)
"""How old must be what is forgotten: a vendor may take days to show what was written."""


class Form(StrEnum):
    """How rows are told."""

    TEXT = "text"
    CSV = "csv"
    JSON = "json"


def form_of(said: str | None) -> Form:
    """The form that was `said`, text where none was; raises `Refusal` for a word that is none."""
    return Form.TEXT if said is None else form_said(said, Form)


def head_of(said: str | None) -> str | None:
    """The head that was `said`; raises `Refusal` for what cannot be one: a slip proves nothing."""
    if said is not None and not re.fullmatch("[0-9a-f]{64}", said):
        raise Refusal(f"--head {said} is no digest: those are 64 digits from 0 to f")
    return said


@dataclass(frozen=True, slots=True)
class Told:
    """A row for people: its number, when, who, about which sync and run, and what."""

    number: int
    at: str
    who: str
    sync: str
    run_id: str
    kind: str
    what: str


def tell_rows(form: Form, rows: Iterable[Row]) -> None:
    """Print rows as they come: there may be more of them than fit into memory."""
    for text in rows_text(form, rows):
        tell(text.removesuffix("\n"))


def rows_text(form: Form, rows: Iterable[Row]) -> Iterator[str]:
    """The same as lines, each with its end."""
    if form is Form.JSON:
        yield from _json_lines(rows)
    elif form is Form.CSV:
        yield ",".join(COLUMNS) + "\n"
        for row in rows:
            yield f"{_csv_line(row)}\n"
    else:
        for row in rows:
            yield f"{plain(text_of(row))}\n"


def text_of(row: Row) -> str:
    """A row in one line, for people."""
    said = told(row)
    about = f" {said.sync}" if said.sync else ""
    return f"{said.number}  {said.at}  {said.who}{about}  {said.what}"


def told(row: Row) -> Told:
    """What a row says, also where somebody made its entry unreadable."""
    data = _data(row)
    by = data.get("by") or {}
    who = by.get("name") or f"{by.get('user')}@{by.get('host')}"
    at = row.at[:19].replace("T", " ")
    return Told(row.number, at, who, row.sync, row.run_id, row.kind, what(row, data))


def what(row: Row, data: Mapping[str, Any]) -> str:
    """What the row tells of, in words."""
    said = data.get("said") or {}
    try:
        return _WORDS.get(row.kind, _otherwise)(row, said)
    except (LookupError, TypeError, ValueError, AttributeError):
        return f"{row.kind}: it cannot be read; run `trueup audit --check`"


def checked_text(found: Finding) -> str:
    """How the chain was found."""
    if found.fault is not None:
        return f"audit: row {found.number}: {found.fault}"
    gone = f", {found.forgotten} before them forgotten" if found.forgotten else ""
    return f"audit: {found.rows} rows as they were written{gone}; head {found.head}"


def checked_data(found: Finding) -> dict[str, Any]:
    """The document of `audit --check --json`; the head is that of the last row that is in order."""
    return {
        "ok": found.fault is None,
        "rows": found.rows,
        "forgotten": found.forgotten,
        "head": found.head,
        "first_bad_row": found.number,
        "error": found.fault,
    }


def must_be_past(before: datetime, now: datetime) -> datetime:
    """The moment before which all goes; raises `Refusal` where that is too young."""
    if before > now - _AGE:
        raise Refusal(
            f"--before {before:%Y-%m-%d} is too late: what is younger than {_AGE.days} days stays, "
            "as a vendor may take days to show what was written"
        )
    return before


def forgotten_text(found: Forgotten) -> str:
    """What goes, or went."""
    closed = "".join(f", {count} {name}" for name, count in found.closed.items() if count)
    gone = (
        f"{found.rows} rows of the audit, {found.runs} runs, {found.operations} operations{closed}"
    )
    if found.head is None:
        return f"from before {found.before:%Y-%m-%d}: {gone}"
    return f"forgotten from before {found.before:%Y-%m-%d}: {gone}; audit head {found.head}"


def forgotten_data(found: Forgotten) -> dict[str, Any]:
    """The document of `forget --json`."""
    counts = {"rows": found.rows, "runs": found.runs, "operations": found.operations}
    counts |= found.closed
    return {"before": found.before.isoformat(), **counts, "audit_head": found.head}


def row_data(row: Row) -> dict[str, Any]:
    """A row as JSON-ready data: the entry as it is, from which its digest can be made again."""
    entry = _data(row)
    return {
        "number": row.number, "previous": row.previous, "digest": row.digest, "entry": entry,
    }  # fmt: skip


def _json_lines(rows: Iterable[Row]) -> Iterator[str]:
    yield '{"rows": [\n'
    before: str | None = None
    for row in rows:
        if before is not None:
            yield f"{before},\n"
        before = json_text(row_data(row), None, ascii=True)
    if before is not None:
        yield f"{before}\n"
    yield "]}\n"


def _csv_line(row: Row) -> str:
    data, out = _data(row), io.StringIO()
    by = data.get("by") or {}
    texts = (
        by.get("user"), by.get("host"), by.get("name"), data.get("settings"), row.sync, row.run_id,
        row.kind, row.budget_ref, row.ref, what(row, data),
    )  # fmt: skip
    cells = [str(row.number), row.at, *(guarded(plain(each or "")) for each in texts)]
    writer = csv.writer(out, lineterminator="")
    writer.writerow([*cells, row.previous, row.digest, row.entry])
    return out.getvalue()


def _data(row: Row) -> Mapping[str, Any]:
    try:
        return row.data
    except ValueError:
        return {}


# -- each kind in words --------------------------------------------------------------------------


def _genesis(row: Row, said: Mapping[str, Any]) -> str:
    before = said["before"]["runs"]
    return "the audit begins" + (f", after run {before} of the history" if before else "")


def _run(row: Row, said: Mapping[str, Any]) -> str:
    if "ended_at" not in said:
        return f"{said['command']} begins (run {row.run_id[:12]})"
    counts = ", ".join(f"{count} {name}" for name, count in said["counts"].items() if count)
    verified = ", verified" if said["verified"] else ""
    guards = "".join(f"; stopped by the guard {each['rule']}" for each in said["guards"])
    error = f"; {said['error']}" if said["error"] else ""
    ended = f"run {row.run_id[:12]} ends: {said['outcome']}, {counts or 'nothing sent'}"
    return f"{ended}{verified}{guards}{error}"


def _plan(row: Row, said: Mapping[str, Any]) -> str:
    counts = ", ".join(f"{count} {name}" for name, count in said["summary"].items() if count)
    money = "".join(f"; budgets {step} {unit}" for unit, step in said["money"].items())
    return f"plan for {said['as_of']}: {counts}{money}"


def _operation(row: Row, said: Mapping[str, Any]) -> str:
    name = f"{row.budget_ref} / {row.ref}" if row.budget_ref else row.ref
    where = f" in the {said['side']}" if "side" in said else ""
    done = f"{said['op']} {said['kind']} {name}{where} {said['state']}"
    moved = moved_text(said["fields"], said["currency"])
    ids = f" (request {', '.join(said['request_ids'])})" if said["request_ids"] else ""
    error = f"; {said['error']}" if said["error"] else ""
    return f"{done}{': ' if moved else ''}{moved}{ids}{error}"


def _abandon(row: Row, said: Mapping[str, Any]) -> str:
    return f"{said['operations']} operations of earlier runs were planned and never sent"


def _override(row: Row, said: Mapping[str, Any]) -> str:
    if "allow" not in said:
        return _otherwise(row, said)
    off = [each for each in said["allow"] if "=" not in each]
    other = [each for each in said["allow"] if "=" in each]
    told = [f"guards switched off: {', '.join(off)}"] if off else []
    told += [f"guards with another limit: {', '.join(other)}"] if other else []
    because = f" (because: {said['because']})" if said.get("because") else ""
    return "; ".join(told) + because


def _approval(row: Row, said: Mapping[str, Any]) -> str:
    note = f" ({said['note']})" if said.get("note") else ""
    return f"approval of the plan {said['plan_id'][:12]} {said['what']}{note}: {said['reason']}"


def _handover(row: Row, said: Mapping[str, Any]) -> str:
    passed = sum(each["outcome"] == "applied" for each in said["objects"])
    return f"{passed} objects pass from {said['from']}"


def _repoint(row: Row, said: Mapping[str, Any]) -> str:
    return f"the account {said['before'] or '(none)'} is {said['account']} now"


def _decision(row: Row, said: Mapping[str, Any]) -> str:
    above = f"{row.budget_ref} / " if row.budget_ref else ""
    field = f" {said['field']}" if said["field"] else ""
    value = said["value"]
    take = said["take"] if value is None else f"{said['take']} {value_text(said['field'], value)}"
    note = f": {said['note']}" if said["note"] else ""
    about = f"{said['kind']} {above}{row.ref}".strip()
    return f"decided {said['wait']} ({said['rule']}): {about}{field}: takes {take}{note}"


def _rename(row: Row, said: Mapping[str, Any]) -> str:
    return f"{said['from']} is {said['to']} now: {len(said['objects'])} objects go on under it"


def _link(row: Row, said: Mapping[str, Any]) -> str:
    above = f"{row.budget_ref} / " if row.budget_ref else ""
    return f"{said['kind']} {above}{row.ref} is {said['target_id']}"


def _unlink(row: Row, said: Mapping[str, Any]) -> str:
    above = f"{row.budget_ref} / " if row.budget_ref else ""
    anew = ", and is made anew" if said["anew"] else ""
    below = f"; {len(said['below'])} allocations go with it" if said["below"] else ""
    ids = ", ".join(said["target_ids"])
    return f"{said['kind']} {above}{row.ref} is {ids} no more{anew}{below}"


def _undo(row: Row, said: Mapping[str, Any]) -> str:
    only = f", only {', '.join(said['only'])}" if said["only"] else ""
    return f"takes back the run {said['run'][:12]}{only}"


def _forget(row: Row, said: Mapping[str, Any]) -> str:
    money = "".join(
        f"; {unit} raised by {both['raised']}, lowered by {both['lowered']}"
        for unit, both in said["money"].items()
    )
    gone = f"{said['rows']} rows, {said['runs']} runs, {said['operations']} operations"
    return f"from before {said['before'][:10]} forgotten: {gone}{money}"


def _otherwise(row: Row, said: Mapping[str, Any]) -> str:
    name = f"{row.budget_ref} / {row.ref}" if row.budget_ref else row.ref
    told = ", ".join(f"{key} {value}" for key, value in said.items() if value is not None)
    return " ".join(filter(None, (row.kind, name))) + (f": {told}" if told else "")


_WORDS: Final[Mapping[str, Callable[[Row, Mapping[str, Any]], str]]] = {
    Event.GENESIS: _genesis,
    Event.RUN: _run,
    Event.PLAN: _plan,
    Event.OPERATION: _operation,
    Event.ABANDON: _abandon,
    Event.OVERRIDE: _override,
    Event.APPROVAL: _approval,
    Event.HANDOVER: _handover,
    Event.REPOINT: _repoint,
    Event.RENAME: _rename,
    Event.LINK: _link,
    Event.UNLINK: _unlink,
    Event.UNDO: _undo,
    Event.DECISION: _decision,
    Event.FORGET: _forget,
}
