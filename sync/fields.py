"""Whose word counts, field by field, and what becomes of what only the target has."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from canonical.kind import Kind


class Owner(StrEnum):
    """Which side owns a field.

    `source`  the source's value is written; an edit in the target is put back
    `target`  the target's value counts: written when the object is made, accepted from then on, and
              taken back into the source where that can be written
    `either`  who moved it since both last agreed wins; where both did, `OnConflict` decides
    `ask`     the source's value is written; an edit in the target waits for a decision
    `ignore`  written when the object is made, and compared no more
    """

    SOURCE = "source"
    TARGET = "target"
    EITHER = "either"
    ASK = "ask"
    IGNORE = "ignore"


class OnConflict(StrEnum):
    """Who wins where both sides moved one field to different values."""

    ASK = "ask"
    SOURCE = "source"
    TARGET = "target"


class OnNew(StrEnum):
    """What becomes of an object that only the target has."""

    REPORT = "report"
    CREATE = "create"
    IGNORE = "ignore"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fields:
    """The words of one sync: `words` where one was given, `default` everywhere else."""

    default: Owner = Owner.SOURCE
    words: Mapping[tuple[Kind, str], Owner] = field(default_factory=dict)
    on_conflict: OnConflict = OnConflict.ASK
    on_new: OnNew = OnNew.REPORT

    def of(self, kind: Kind, name: str) -> Owner:
        """Who owns the field of that name."""
        return self.words.get((kind, name), self.default)

    @property
    def is_two_way(self) -> bool:
        """Whether both sides own what no word is said of, and so the objects themselves."""
        return self.default is Owner.EITHER

    def __str__(self) -> str:
        if self == Fields():
            return ""
        words = sorted((f"{kind}.{name}", word.value) for (kind, name), word in self.words.items())
        said = [f"{name} = {word}" for name, word in words if word != self.default.value]
        rest = [f"on_conflict = {self.on_conflict}", f"on_new = {self.on_new}"]
        return "; ".join([f"default = {self.default}", *said, *rest])

    @property
    def is_mirror(self) -> bool:
        """Whether the source owns every field, and nothing is taken from the target."""
        words = {self.default, *self.words.values()}
        return words == {Owner.SOURCE} and self.on_new is not OnNew.CREATE
