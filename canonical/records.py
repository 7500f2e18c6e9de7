"""What the nouns share: they are cheap to make, and scripts use them as the dataclasses they say.

A `msgspec.Struct` is made in a fifth of the time that a frozen dataclass takes, and a run makes
hundreds of thousands. `dataclasses.replace`, `fields` and `asdict` ask only for the list of fields.
"""

from dataclasses import make_dataclass
from typing import TypeVar

from msgspec import Struct

_Noun = TypeVar("_Noun", bound=Struct)


def as_dataclass(noun: type[_Noun]) -> type[_Noun]:
    """The same class, which the functions of `dataclasses` take for one of theirs."""
    fields = [(name, object) for name in noun.__struct_fields__]
    said = make_dataclass(noun.__name__, fields, init=False, repr=False, eq=False)
    noun.__dataclass_fields__ = said.__dataclass_fields__  # type: ignore[attr-defined]
    return noun
