"""How every vendor's file reads a record: in its documented shape, or not at all."""

from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from connectors.contract.errors import Malformed

Wire = TypeVar("Wire", bound=BaseModel)
Word = TypeVar("Word")


def known(table: Mapping[str, Word], word: str, field: str) -> Word:
    """What `word` means; a word that is not in the table is never guessed."""
    try:
        return table[word]
    except KeyError:
        raise Malformed(f"{field} is {word!r}, which is none of {', '.join(table)}") from None


def parsed(model: type[Wire], record: Any) -> Wire:
    """`record` in the shape of `model`; raises `Malformed` naming the first field that is not."""
    try:
        # what model_validate comes down to, for a fifth less
        return model.__pydantic_validator__.validate_python(record)  # type: ignore[no-any-return]
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        field = ".".join(str(part) for part in first["loc"]) or "the record"
        raise Malformed(f"{field}: {first['msg'][0].lower()}{first['msg'][1:]}") from None
