"""Problems: what a listing shows and nobody can read."""

from dataclasses import dataclass, field

from canonical.allocation import Allocation
from canonical.budget import Budget
from canonical.text import told
from canonical.traces import Traces


@dataclass(frozen=True, slots=True)
class Problem:
    """Something in a listing that could not be read; it is set aside, never taken for missing.

    `ref` is the id of the object, `traces` what else it may be; without them it may be anything.
    """

    system: str
    where: str
    message: str
    ref: str | None = None
    traces: Traces | None = field(default=None, repr=False, compare=False)

    def __post_init__(self) -> None:
        """What a state cannot hold is told by its number; an id with it is the id of nothing."""
        for name, text in (("where", self.where), ("message", self.message)):
            if not text.isprintable():
                object.__setattr__(self, name, told(text))
        if self.ref is not None and told(self.ref) != self.ref:
            object.__setattr__(self, "ref", None)

    def may_be(self, ref: str, model: Budget | Allocation, container: str | None) -> bool:
        """Whether this may be an object of the kind that was listed (`Traces.may_be`)."""
        return self.traces is None or self.traces.may_be(ref, model, container)
