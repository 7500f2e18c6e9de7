"""What people decided about what waited, as planning takes it into account."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from canonical.facts import Fact
from canonical.kind import Kind
from canonical.waiting import Rule, Waiting
from sync.match import Key
from sync.meaning import Meaning


class Take(StrEnum):
    """What a decision takes: the value of a side, another one, an object, or how a write ended."""

    SOURCE = "source"
    TARGET = "target"
    VALUE = "value"
    ID = "id"
    NONE = "none"
    APPLIED = "applied"
    NOT_APPLIED = "not-applied"


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """One decision: about which object, and of it which field (None: the whole object).

    `value` is the fact that `Take.VALUE` names, or the id that `Take.ID` does. `source` and
    `target` are the values that were decided between, `beside` what else said how much they are.
    """

    number: int
    rule: Rule
    kind: Kind
    key: Key
    field: str | None
    take: Take
    value: Fact = None
    source: Fact = None
    target: Fact = None
    beside: Fact = None

    def holds(self, waiting: Waiting) -> bool:
        """Whether it still answers: the same question, and neither side has moved since."""
        asked = waiting.rule, waiting.field, waiting.source, waiting.target, waiting.beside
        return asked == (self.rule, self.field, self.source, self.target, self.beside)


class Decisions(Protocol):
    """The decisions of one sync, and what was said of its objects unasked."""

    @property
    def meanings(self) -> Sequence[Meaning]:
        """What people said of which object stands for a ref."""

    def of(self, kind: Kind, key: Key) -> Mapping[str | None, Decision]:
        """Those about one object, by field; the latest of each."""


class NoDecisions:
    """Nobody decided anything."""

    meanings: Sequence[Meaning] = ()

    def of(self, kind: Kind, key: Key) -> Mapping[str | None, Decision]:
        """None."""
        return {}
