"""Answers: which object is meant, where matching could not tell and a person decided."""

from collections.abc import Mapping, Sequence
from typing import Final

from canonical.change import Conflict
from canonical.waiting import Rule, Waiting
from connectors.contract.records import Observed
from sync.decided import Decision, Decisions, Take
from sync.match import Key, Matched

DECISION: Final = "decision"
"""How an object was recognised of which a person said that it is the one."""


def waiting_of(conflict: Conflict) -> Waiting:
    """The conflict as what waits; where it can be decided, as `target` the ids it is between: were
    they others, it would be another question."""
    return Waiting(
        rule=Rule.MATCH,
        reason=conflict.reason,
        kind=conflict.kind,
        ref=conflict.ref,
        budget_ref=conflict.budget_ref,
        name=conflict.name,
        target=tuple(sorted(conflict.candidates)) if conflict.ways else None,
        candidates=conflict.candidates,
    )


def answer_to(conflict: Conflict, decisions: Decisions) -> Decision | None:
    """What was decided of it and still holds, among the ways out that it has."""
    decision = decisions.of(conflict.kind, (conflict.budget_ref or "", conflict.ref)).get(None)
    if decision is None or decision.take.value not in conflict.ways:
        return None
    return decision if decision.holds(waiting_of(conflict)) else None


def answered_by(
    decisions: Decisions, conflicts: Sequence[Conflict], strangers: Mapping[str, Observed]
) -> tuple[dict[Key, Matched], list[Conflict]]:
    """What is recognised by decision, and the conflicts that are left.

    What was decided to be none of the candidates is in neither: it is new. One object goes to one
    newcomer; another one that has no candidate left is new as well.
    """
    found: dict[Key, Matched] = {}
    left: list[Conflict] = []
    taken: set[str] = set()
    for each in conflicts:
        decision = answer_to(each, decisions)
        if decision is None:
            left.append(each)
        elif decision.take is Take.ID:
            id = str(decision.value)
            if id in taken or id not in each.candidates or id not in strangers:
                left.append(each)
            else:
                taken.add(id)
                found[each.budget_ref or "", each.ref] = Matched(strangers[id], DECISION)
    return found, [each for each in left if not taken.issuperset(each.candidates)]
