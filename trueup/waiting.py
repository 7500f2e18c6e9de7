"""What waits, as it is told: a few lines for people with commands to paste, or JSON."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from canonical.facts import lists
from canonical.waiting import Rule
from trueup.deeds import value_text
from trueup.waits import money_text

if TYPE_CHECKING:
    from sync.state.decisions import Ruling
    from sync.state.waits import Queue, Wait
    from trueup.deciding import Deed

SHOWN: Final = 20
"""So many waits are listed, and the number of all; `-v` and `--json` have every one."""

_SIDES: Final = {Rule.GUARD: ("limit", "found")}


def lines_of(queue: Queue, now: datetime) -> Iterator[str]:
    """The queue for people, by sync."""
    if not queue.count:
        yield "nothing waits"
        return
    sync = ""
    for each in queue.waits:
        if each.sync != sync:
            sync = each.sync
            yield f"{sync}:"
        yield from wait_lines(each, now)
    if (more := queue.count - len(queue.waits)) > 0:
        yield f"… and {more:,} more of {queue.count:,}; -v lists all"


def wait_lines(wait: Wait, now: datetime) -> Iterator[str]:
    """One wait: what it is about, both values, and the ways out or what was decided."""
    said = wait.waiting
    about = " ".join(part for part in (title_of(wait), said.field or "") if part)
    money = f" ({money_text(said.money)})" if said.money else ""
    yield f"  {wait.number}  {said.rule}  {about}{money}, for {age_of(now - wait.since)}"
    yield f"     {said.reason}"
    if values := value_texts(wait):
        yield f"     {', '.join(map(' '.join, values))}"
    if wait.answer is not None:
        yield f"     decided: {decided_text(wait)}; `trueup run {quoted(wait.sync)}` does it"
        return
    for command in commands_of(wait):
        yield f"     {command}"


def title_of(wait: Wait) -> str:
    """The object by its name and its ref; of a plan its id."""
    said = wait.waiting
    if said.rule is Rule.APPROVAL:
        return f"plan {said.ref[:12]}"
    if said.kind is None:
        return ""
    above = f"{said.budget_ref} / " if said.budget_ref else ""
    ref = f"{above}{said.ref}"
    return f"{said.kind} {said.name} ({ref})" if said.name else f"{said.kind} {ref}"


def value_texts(wait: Wait) -> list[tuple[str, str]]:
    """Both sides' values, and what they last agreed on, each after whose it is; what a match is
    between is in its ways."""
    said, field = wait.waiting, wait.waiting.field or ""
    if said.rule in (Rule.MATCH, Rule.UNCERTAIN) or (said.source is None and said.target is None):
        return []
    source, target = _SIDES.get(said.rule, ("source", "target"))
    ours, theirs = said.currencies
    parts = [
        (side, value_text(field, value, currency) or "nothing")
        for side, value, currency in ((source, said.source, ours), (target, said.target, theirs))
    ]
    if said.agreed is not None:
        known = ours if ours == theirs else None
        parts.append(("last agreed", value_text(field, said.agreed, known)))
    return parts


def commands_of(wait: Wait) -> list[str]:
    """The ways out as they are typed; VALUE and ID stand for one that has to be put there."""
    return [
        way if way.startswith("trueup ") else f"trueup decide {wait.number} --take{_given(way)}"
        for way in wait.question.ways
    ]


def quoted(word: str) -> str:
    """A word as a shell reads it; what no id of a vendor should hold is no escape from it."""
    return shlex.quote(word)


def _given(word: str) -> str:
    """So that what begins with a dash is no option of its own."""
    return f"={quoted(word)}" if word.startswith("-") else f" {quoted(word)}"


def decided_text(wait: Wait) -> str:
    """What was decided, by whom and when."""
    answer = wait.answer
    if answer is None:
        return ""
    value = "" if answer.value is None else f" {value_text(wait.waiting.field or '', answer.value)}"
    note = f" ({answer.note})" if answer.note else ""
    return f"{answer.take}{value} by {answer.by} at {answer.at:%Y-%m-%d %H:%M} UTC{note}"


def age_of(age: timedelta) -> str:
    """How long ago, in the largest unit of which it is at least one."""
    seconds = max(0, int(age.total_seconds()))
    for unit, length in (("days", 86400), ("hours", 3600), ("minutes", 60)):
        if (count := seconds // length) > 0:
            return f"{count} {unit if count > 1 else unit[:-1]}"
    return "less than a minute"


def queue_data(queue: Queue) -> dict[str, Any]:
    """The document of `waiting --json`."""
    return {"count": queue.count, "waits": [wait_data(each) for each in queue.waits]}


def wait_data(wait: Wait) -> dict[str, Any]:
    """One wait as JSON-ready data."""
    said, answer = wait.waiting, wait.answer
    return {
        "number": wait.number,
        "sync": wait.sync,
        "rule": said.rule.value,
        "since": wait.since.isoformat(),
        "run_id": wait.run_id,
        "kind": said.kind.value if said.kind else None,
        "ref": said.ref or None,
        "budget_ref": said.budget_ref,
        "name": said.name or None,
        "field": said.field,
        "source": lists(said.source),
        "target": lists(said.target),
        "agreed": lists(said.agreed),
        "money": said.money,
        "side": said.side.value,
        "reason": said.reason,
        "candidates": [*said.candidates],
        "commands": commands_of(wait),
        "decided": answer
        and {
            "take": answer.take,
            "value": lists(answer.value),
            "at": answer.at.isoformat(),
            "by": answer.by,
            "note": answer.note,
        },
    }


def deed_lines(deed: Deed) -> Iterator[str]:
    """What was decided, what was there before, what is left, and what to do next."""
    for ruling in deed.rulings[:SHOWN]:
        yield ruling_text(ruling)
    if (more := len(deed.rulings) - SHOWN) > 0:
        yield f"… and {more:,} more"
    for left in deed.refused[:SHOWN]:
        yield f"left: {left.reason}"
    if (more := len(deed.refused) - SHOWN) > 0:
        yield f"… and {more:,} more are left"
    yield from next_lines(deed.rulings)


def ruling_text(ruling: Ruling) -> str:
    """What was decided, and in place of what."""
    wait = ruling.wait
    field = wait.waiting.field or ""
    about = " ".join(part for part in (title_of(wait), field) if part)
    value = "" if ruling.value is None else f" {value_text(field, ruling.value)}"
    again = f", in place of {decided_text(wait)}" if wait.answer else ""
    return f"{wait.number} decided: {about}: {ruling.take}{value}{again}"


def next_lines(rulings: Iterable[Ruling]) -> Iterator[str]:
    """The commands that do what was decided; how a write ended is put down by then."""
    pending = {each.wait.sync: False for each in rulings}
    for each in rulings:
        pending[each.wait.sync] |= each.wait.waiting.rule is not Rule.UNCERTAIN
    for sync, waits in sorted(pending.items()):
        said = "the next run does it" if waits else "that is settled, and the next run goes on"
        yield f"{said}: trueup run {quoted(sync)}"


def deed_data(deed: Deed) -> dict[str, Any]:
    """The document of `decide --json`."""
    return {
        "decided": [
            wait_data(each.wait) | {"take": each.take.value, "value": lists(each.value)}
            for each in deed.rulings
        ],
        "left": [{"number": each.wait.number, "reason": each.reason} for each in deed.refused],
        "next": [
            f"trueup run {quoted(sync)}"
            for sync in sorted({each.wait.sync for each in deed.rulings})
        ],
    }
