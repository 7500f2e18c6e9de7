"""What `trueup people` tells: who is unknown to the target, who they may be, what was written."""

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from config.rows import NotWritten, Row, Written, add_rows
from config.settings import Settings
from connectors.contract.records import Listed
from sync.people import People, Unknown
from trueup.output import plain, tell
from trueup.refusal import Refusal

_SHOWN: Final = 5


def rows_of(found: People) -> list[Row]:
    """The rows that are proposed, in the order of our entities."""
    return [
        (each.entity.type, each.entity.id, each.proposal.id)
        for each in found.unknown
        if each.proposal is not None
    ]


def write_rows(settings: Settings, found: People) -> Written | None:
    """Add what is proposed to the target's entities; None where that is nothing."""
    rows = rows_of(found)
    try:
        return add_rows(settings, found.target, rows) if rows else None
    except NotWritten as error:
        raise Refusal(str(error)) from None


def as_data(found: People, file: Path, written: Written | None) -> dict[str, Any]:
    """As `--json` has it."""
    return {
        "sync": found.sync,
        "target": found.target,
        "named": found.named,
        "unknown": [_data(each) for each in found.unknown],
        "not_asked": dict(found.unasked),
        "not_held": dict(found.unheld),
        "problems": [
            {"system": each.system, "where": each.where, "message": each.message}
            for each in found.problems
        ],
        "file": str(file),
        "written": len(rows_of(found)) if written else 0,
    }


def _data(unknown: Unknown) -> dict[str, Any]:
    return {
        "entity_type": unknown.entity.type,
        "entity": unknown.entity.id,
        "reason": unknown.reason,
        "budget": unknown.where,
        "count": unknown.count,
        "standing": _standing(unknown),
        "proposal": None if unknown.proposal is None else unknown.proposal.id,
        "by": unknown.by,
        "against": unknown.against,
        "candidates": [
            {"id": each.id, "name": each.name, "email": each.email} for each in unknown.found
        ],
    }


def _standing(unknown: Unknown) -> str:
    if unknown.proposal is not None:
        return "proposed"
    if unknown.against is not None:
        return "taken"
    return "ambiguous" if unknown.found else "nobody"


def tell_people(found: People, file: Path, written: Written | None) -> None:
    """As people read it."""
    known = found.named - len(found.unknown)
    tell(f"{plain(found.sync)}: {plain(found.target)} knows {known} of {found.named} entities")
    for line in _lines(found):
        tell(line)
    count, rows = Counter(map(_standing, found.unknown)), rows_of(found)
    if found.unknown:
        tell(", ".join(f"{count[each]} {said}" for each, said in _SAID.items() if count[each]))
    if written is not None:
        tell(f"{_rows(len(rows))} written to {plain(written.file)}")
        if written.named:
            tell(f"the settings name it now, in [systems.{plain(found.target)}.entities]")
    elif rows:
        tell(
            f"`trueup people {plain(found.sync)} --write` adds {_rows(len(rows))} to {plain(file)}"
        )


_SAID: Final = {
    "proposed": "proposed",
    "ambiguous": "ambiguous",
    "taken": "taken already",
    "nobody": "like nobody there",
}


def _rows(count: int) -> str:
    return "1 row" if count == 1 else f"{count} rows"


def _lines(found: People) -> Iterator[str]:
    for each in found.unknown:
        more = f" and {each.count - 1} more" if each.count > 1 else ""
        yield f"  {plain(each.entity)}  (in budget {plain(each.where)}{more})"
        yield from (f"      {line}" for line in _about(each))
    for type, reason in found.unasked.items():
        yield f"  who is who of type {plain(type)} could not be asked: {plain(reason)}"
    for type, count in found.unheld.items():
        yield f"  {count} of type {plain(type)}: {plain(found.target)} holds no allocations of it"
    for problem in found.problems:
        yield f"  not read: {plain(problem.where)}: {plain(problem.message)}"


def _about(unknown: Unknown) -> Iterator[str]:
    match _standing(unknown):
        case "proposed":
            yield f"→ {_who(unknown.found[0])}, by {unknown.by}"
        case "taken":
            yield f"like {_who(unknown.found[0])}, by {unknown.by}; but {plain(unknown.against)}"
        case "ambiguous":
            yield f"ambiguous, by {unknown.by}: {_several(unknown.found)}"
        case _:
            yield plain(unknown.reason)


def _several(found: Sequence[Listed]) -> str:
    said = "; ".join(map(_who, found[:_SHOWN]))
    return said + (f"; and {len(found) - _SHOWN} more" if len(found) > _SHOWN else "")


def _who(listed: Listed) -> str:
    named = [listed.name or "", f"<{listed.email}>" if listed.email else ""]
    return plain(" ".join(filter(None, (listed.id, *named))))
