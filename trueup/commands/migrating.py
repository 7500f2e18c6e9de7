"""`trueup migrate`: what a sync carries, in waves."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from typing import TYPE_CHECKING

import typer

from canonical.kind import Kind
from config.wiring import sync_of
from sync.outcome import Exit
from sync.waves import Mark, marks_of
from trueup.commands.syncing import known_rules
from trueup.migrating import Migrating, Migration, StopOn, Wave
from trueup.output import plain
from trueup.refusal import Refusal

if TYPE_CHECKING:
    from datetime import date

    from canonical.change import Change
    from trueup.session import Session


def migrate(
    session: Session,
    sync: str,
    wave: str,
    stop_on: str,
    yes: bool,
    as_of: date | None = None,
    allow: Collection[str] = (),
    because: str | None = None,
) -> int:
    """`trueup migrate`."""
    known_rules(allow, because)
    marks, stops = _marks(wave), _stops(stop_on)
    session.must_ask("migrate", yes)
    with session.workspace() as workspace:
        sync_of(workspace.settings, sync)
        migrating = Migrating(
            workspace, sync, marks, stops, session.stop, as_of=as_of, allow=allow, because=because
        )
        plan, done = migrating.plan()
        waves = migrating.waves(plan, done)
        if not session.as_json:
            session.console.plan_in_short(plan)
            _tell(session, _ahead(waves, done))
        if waves and not plan.guards and not yes and not typer.confirm("Migrate?", err=True):
            session.console.say("not approved; nothing was written")
            return Exit.PARTIAL
        found = migrating.migrate(plan, done, lambda each: _tell(session, _ended(each)))
    if session.as_json:
        session.print(found.to_data())
    else:
        _tell(session, _over(found))
    return found.exit_code


def _marks(said: str) -> tuple[Mark, ...]:
    try:
        return marks_of(said)
    except ValueError as error:
        raise Refusal(f"--wave: {error}") from None


def _stops(said: str) -> frozenset[StopOn]:
    words = [each.strip() for each in said.split(",")]
    for word in words:
        if word not in list(StopOn):
            raise Refusal(f'--stop-on: "{word}" is none of {", ".join(StopOn)}')
    return frozenset(map(StopOn, words))


def _ahead(waves: Sequence[tuple[Mark, tuple[Change, ...]]], done: int) -> Iterator[str]:
    if done:
        yield f"goes on: {done} {_objects(done)} in place by earlier waves"
    for mark, changes in waves:
        kinds = Counter(each.kind for each in changes)
        yield (
            f"wave to {mark}: {len(changes)} {_objects(len(changes))} "
            f"({_counted(kinds[Kind.BUDGET], 'budget')}, "
            f"{_counted(kinds[Kind.ALLOCATION], 'allocation')})"
        )


def _ended(wave: Wave) -> Iterator[str]:
    counts = ", ".join(f"{n} {name}" for name, n in wave.report.counts.items() if n)
    yield f"wave to {wave.mark}: {counts or 'nothing written'}; run {wave.report.run_id[:12]}"
    for each in wave.report.operations:
        if each.error:
            yield f"  {each.kind} {each.ref}: {each.error}"


def _over(found: Migration) -> Iterator[str]:
    if found.stopped is None:
        yield "all waves are in place"
    else:
        yield f"stopped: {found.stopped}"
        if found.remaining:
            yield f"left: {found.remaining} {_objects(found.remaining)}"
        yield f"to go on: trueup migrate {found.sync}"
    for each in reversed(found.waves):
        if each.report.counts["applied"]:
            yield f"to take back the wave to {each.mark}: trueup undo {each.report.run_id[:12]}"


def _counted(count: int, name: str) -> str:
    return f"{count} {name}" if count == 1 else f"{count} {name}s"


def _objects(count: int) -> str:
    return "object" if count == 1 else "objects"


def _tell(session: Session, lines: Iterator[str]) -> None:
    for line in lines:
        session.console.say(plain(line))
