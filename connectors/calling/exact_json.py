"""JSON whose numbers stay what they are: a fraction is read as `Decimal` and written as its digits.

No amount ever passes through a float, on the way in or out.
"""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from json import JSONDecoder, dumps
from typing import Any, Final, NoReturn

UNREADABLE: Final = (ValueError, ArithmeticError, RecursionError)
"""What `read` raises for bytes that are no JSON."""


def read(raw: bytes) -> Any:
    """The value of a JSON text in UTF-8; raises `UNREADABLE`."""
    return _DECODER.decode(raw.decode("utf-8-sig"))


def written(value: Any) -> str:
    """JSON text of `value`, in ASCII. A date is its ISO text; a float is refused."""
    if isinstance(value, Decimal):
        if not value.is_finite():
            raise TypeError(f"{value} cannot be written as JSON")
        return f"{value:f}"
    if isinstance(value, date):
        return f'"{value.isoformat()}"'
    if isinstance(value, Mapping):
        return f"{{{','.join(f'{dumps(str(k))}:{written(v)}' for k, v in value.items())}}}"
    if isinstance(value, list | tuple):
        return f"[{','.join(map(written, value))}]"
    if value is None or isinstance(value, str | int):
        return dumps(value)
    raise TypeError(f"a {type(value).__name__} cannot be written as JSON")


def _refuse_constant(text: str) -> NoReturn:
    raise ValueError(f"{text} is not JSON")


_DECODER = JSONDecoder(parse_float=Decimal, parse_constant=_refuse_constant)
