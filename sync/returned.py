"""Returned: what is remembered once the source was given what the target shows.

Both sides agree on the fields that were taken: as the target shows them, and as the source answered
(`sync.unread`).
"""

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection

from canonical.allocation import Allocation
from canonical.compare import Baseline
from canonical.facts import SAID_BY_NONE, Fact, Facts, facts, lists, tuples
from canonical.kind import FIELDS, Kind, Op, unsaid, where
from connectors.contract.records import Draft, Observed
from sync.intake.select import key_of
from sync.match import Key
from sync.remembering import nothing_agreed_of
from sync.send import Statement, agreed_before, draft_data, draft_of
from sync.state.journal import Operation
from sync.state.ledger import Ledger
from sync.state.places import ABOVE
from sync.unread import marked, with_mark_of, with_money

UNREAD: Final = b""
"""The statement of a source that was written to and has not been read since."""


class Returned(NamedTuple):
    """What goes with a change of the source: the target's object, and what is agreed once it is
    made.

    `took` are the fields that the target's values were taken of, in its terms: `desired` is what it
    would be told of them by what the source is to state, whose money, rates and facts `statement`
    has; `observed` is what it shows. Of those in `told` the target is yet to be given the value:
    there the source counts as moved. Of those that are `void` nothing is agreed any more.
    """

    statement: Statement
    target_id: str
    took: tuple[str, ...]
    desired: Facts
    observed: Facts
    told: tuple[str, ...] = ()
    void: tuple[str, ...] = ()


def returned_data(draft: Draft, said: Returned) -> dict[str, Any]:
    """What the journal keeps of a draft for the source."""
    more = {name: lists(each) for name, each in said._asdict().items() if name != "statement"}
    return draft_data(draft, said.statement) | {"returned": more}


def returned_of(operation: Operation) -> Returned:
    """What went with the journaled change of the source."""
    _, statement = draft_of(operation)
    data = {name: tuples(value) for name, value in operation.draft["returned"].items()}
    return Returned(statement=statement, **data)


def remember_returned(
    ledger: Ledger,
    connection: Connection,
    operation: Operation,
    echo: Observed | None,
    *,
    whole: bool = True,
) -> None:
    """Within the caller's transaction: what both sides agree on after a write to the source.

    Of a create that is not `whole` those fields are left open of which nothing has arrived; of an
    update that is not, as nobody saw how it ended, nothing is agreed of what it was to bring.
    """
    if echo is None:
        ledger.forget_ref(connection, operation.kind, operation.budget_ref, operation.ref)
        return
    said = returned_of(operation)
    if operation.op is Op.CREATE:
        missing = () if whole else _missing(operation, echo)
        _save(ledger, connection, operation, key_of(echo), said, _made(said, echo, missing))
        return
    key, nothing = (operation.budget_ref, operation.ref), unsaid(operation.kind)
    known = agreed_before(ledger, operation)
    before = known[1] if known else Baseline(nothing, nothing)  # recognised in this run
    answered = facts(echo.model)
    if operation.draft.get("part"):
        shown = before.shown or nothing
        shown = marked(operation.kind, shown, operation.fields, answered)
        now = replace(before, shown=shown)
    elif void := said.void if whole else (*said.void, *said.took):
        now = nothing_agreed_of(with_money(void, {}), operation.kind, before)
    else:
        now = _agreed(operation, said, before, answered)
    _save(ledger, connection, operation, key, said, now)


def _agreed(operation: Operation, said: Returned, before: Baseline, answered: Facts) -> Baseline:
    kind = operation.kind
    return Baseline(
        where(kind, said.took, said.desired, before.desired),
        where(kind, said.took, said.observed, before.echo),
        said.statement.money,
        said.statement.rates,
        _shown(operation, said, before, answered),
    )


def _shown(operation: Operation, said: Returned, before: Baseline, answered: Facts) -> Facts:
    """What the source has not moved from now on; of what the target is yet to be told, it has."""
    kind, stated = operation.kind, said.statement.shown
    assert stated is not None
    old = before.shown or unsaid(kind)
    sent = {*operation.fields} - with_money(said.told, {})
    shown = where(kind, with_money(sent, {}), stated, old[: len(FIELDS[kind])])
    held = _held(operation)
    then = tuple(held.get(name, old) for name, old in zip(FIELDS[kind], shown, strict=True))
    shown = where(kind, with_money(said.told, {}), then, shown)
    shown = with_mark_of(kind, shown, before.shown)
    return marked(kind, shown, sent, answered) if sent else shown


def _held(operation: Operation) -> Mapping[str, Fact]:
    """What the source held before."""
    return {name: tuples(value) for name, value in (operation.before or {}).items()}


def _made(said: Returned, echo: Observed, missing: Collection[str]) -> Baseline:
    """What is agreed of an object that was made in the source, by the ref that this gave it."""
    kind = Kind.ALLOCATION if isinstance(echo.model, Allocation) else Kind.BUDGET
    seen, at = facts(echo.model), ABOVE[kind]
    desired = (*said.desired[:at], seen[at], *said.desired[at + 1 :])
    stated = said.statement.shown or seen
    stated = (*stated[:at], seen[at], *stated[at + 1 :])
    return Baseline(
        desired,
        where(kind, missing, unsaid(kind), said.observed),
        said.statement.money,
        said.statement.rates,
        marked(kind, stated, FIELDS[kind], seen),
    )


def _missing(operation: Operation, echo: Observed) -> Collection[str]:
    """What was sent and is not there; what is there otherwise, the source has stored so."""
    draft, _ = draft_of(operation)
    fields = zip(FIELDS[operation.kind], facts(draft.model), facts(echo.model), strict=True)
    return [
        name
        for name, said, there in fields
        if said is not None and there is None and name not in SAID_BY_NONE
    ]


def _save(
    ledger: Ledger,
    connection: Connection,
    operation: Operation,
    key: Key,
    said: Returned,
    agreed: Baseline,
) -> None:
    ledger.save(
        connection,
        kind=operation.kind,
        ref=key[1],
        budget_ref=key[0],
        target_id=said.target_id,
        origin="adopted",
        baseline=agreed,
        source=UNREAD,
        run_id=operation.run_id,
        agreed=False,
    )
