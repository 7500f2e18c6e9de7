"""What waits for a person: what a run could not decide, with both values and the ways out."""

from dataclasses import dataclass
from dataclasses import field as data_field
from enum import StrEnum

from canonical.facts import Fact
from canonical.kind import Kind
from canonical.side import Side


class Rule(StrEnum):
    """Why something waits.

    `conflict`   both sides moved one field, or nothing was ever agreed of it, and the values differ
    `drift`      the target's field was edited, and its word is "ask"
    `removed`    one side removed what the other changed, or still has where both own it
    `match`      which object of the target is meant cannot be told
    `uncertain`  a write whose answer was lost may or may not have happened
    `guard`      a guard stopped the run
    `approval`   a plan waits for somebody to approve it
    """

    CONFLICT = "conflict"
    DRIFT = "drift"
    REMOVED = "removed"
    MATCH = "match"
    UNCERTAIN = "uncertain"
    GUARD = "guard"
    APPROVAL = "approval"


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """One decision that a run left open.

    `name` is what people call the object. `field` is None where the whole object waits. `source`,
    `target` and `agreed` are the field's values, in the target's terms, as each side has it now and
    as both last agreed. `money` is how much hangs on it, with its currency, where that is known.
    `candidates` are ids that the decision is between; `reason` is one sentence for people. `beside`
    is what else says how much the values are, as each side has it: of an amount the currency.
    `side` is the system that a write of unknown outcome went to. `barred` are the ways out that
    this one has not, as they could not be done; `reason` says why.
    """

    rule: Rule
    reason: str
    kind: Kind | None = None
    ref: str = ""
    budget_ref: str | None = None
    name: str = ""
    field: str | None = None
    source: Fact = None
    target: Fact = None
    agreed: Fact = None
    money: str | None = None
    candidates: tuple[str, ...] = ()
    beside: Fact = None
    side: Side = Side.TARGET
    barred: tuple[str, ...] = data_field(default=(), compare=False)

    @property
    def currencies(self) -> tuple[str | None, str | None]:
        """What the source's amount is in, and the target's, where that is known."""
        _, space, unit = (self.money or "").rpartition(" ")
        own = unit if space else None
        for each in self.beside if isinstance(self.beside, tuple | list) else ():
            name, *sides = each if isinstance(each, tuple | list) else (each,)
            if name == "currency" and len(sides) == 2:
                source, target = (own if said is None else str(said) for said in sides)
                return source, target
        return own, own
