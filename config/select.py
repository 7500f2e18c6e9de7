"""`[syncs.NAME.select]`: which budgets of its source a sync carries."""

from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from typing import Annotated, Any, Final, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from canonical.allocation import Status
from canonical.currency import exponent
from canonical.errors import UnknownUnit
from config.tables import Table
from sync.intake.selection import KEYS, Rule, Selection

_GLOB: Final = frozenset("*?[")


def _list(said: object) -> object:
    return [said] if isinstance(said, str) else said


def _some(patterns: tuple[str, ...]) -> tuple[str, ...]:
    if not patterns:
        raise ValueError("an empty list selects nothing; take the key out, or state a pattern")
    return patterns


def _filled(patterns: tuple[str, ...]) -> tuple[str, ...]:
    if "" in patterns:
        raise ValueError("every budget has one, so the empty text matches none")
    return patterns


def _statuses(patterns: tuple[str, ...]) -> tuple[str, ...]:
    for each in patterns:
        if not any(fnmatchcase(status, each) for status in Status):
            raise ValueError(f'"{each}" is none of {", ".join(Status)}')
    return patterns


def _currencies(patterns: tuple[str, ...]) -> tuple[str, ...]:
    for each in patterns:
        if each and _GLOB.isdisjoint(each):
            try:
                exponent(each)
            except UnknownUnit as error:
                raise ValueError(str(error)) from None
    return patterns


Patterns = Annotated[
    tuple[str, ...],
    Field(strict=False, json_schema_extra={"type": ["string", "array"]}),
    BeforeValidator(_list),
    AfterValidator(_some),
]
_NONE = '"" is a budget that has none.'


class _Keys(Table):
    ref: Annotated[Patterns, AfterValidator(_filled)] | None = Field(
        default=None, description='By ref: a pattern ("CC00*") or a list of them.'
    )
    name: Annotated[Patterns, AfterValidator(_filled)] | None = Field(
        default=None, description='By name: a pattern ("Marketing*") or a list of them.'
    )
    dimension: dict[str, Patterns] | None = Field(
        default=None,
        description='By dimension: { department = "Marketing*" }; "" is a budget that has none.',
    )
    parent: Patterns | None = Field(
        default=None, description=f"By the ref of the budget directly above; {_NONE}"
    )
    status: Annotated[Patterns, AfterValidator(_filled), AfterValidator(_statuses)] | None = Field(
        default=None, description="By status: active, inactive, retired."
    )
    currency: Annotated[Patterns, AfterValidator(_currencies)] | None = Field(
        default=None, description=f'By currency of the amount: "EUR"; {_NONE}'
    )

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not self.model_fields_set or self.dimension == {}:
            keys = ", ".join(KEYS)
            raise ValueError(f"it says nothing; state one of {keys}, or take the table out")
        return self

    def rules(self) -> Iterator[Rule]:
        """Each key that is stated."""
        for key in KEYS:
            said: Any = getattr(self, key)
            if isinstance(said, dict):
                yield from (Rule(key, tuple(each), name) for name, each in said.items())
            elif said is not None:
                yield Rule(key, tuple(said))


class Unselected(_Keys):
    """What is left out: every budget that one of these keys matches."""


class Select(_Keys):
    """Which budgets of the source are carried, each with its allocations: those that every key
    matches, and none of `not` does. Capitals count; `*`, `?` and `[ab]` are a shell's."""

    leaves: Unselected | None = Field(
        default=None,
        alias="not",
        description="What is left out: every budget that one of its keys matches.",
    )

    def selection(self) -> Selection:
        """As the engine has it."""
        leaves: Sequence[Rule] = [*self.leaves.rules()] if self.leaves else []
        return Selection(tuple(self.rules()), tuple(leaves))
