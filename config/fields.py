"""`[syncs.NAME.fields]`: who owns which field of a sync, and whether both sides can hold it so."""

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Annotated, Any, Final, TypeAlias

from pydantic import BeforeValidator, Field, ValidationError
from pydantic_core import InitErrorDetails, PydanticCustomError

from canonical.kind import FIELDS, Kind
from connectors.contract.capabilities import Capabilities, Hold
from sync.fields import Fields, OnConflict, OnNew, Owner
from sync.unread import TOGETHER

Said: TypeAlias = Mapping[str, Any]
Problem: TypeAlias = tuple[tuple[str, ...], str]
"""Where in the table something is wrong, and what."""

_SHARES: Final = "allocations"
_WORDS: Final = ", ".join(f'"{each}"' for each in Owner)
_NAMES: Final = {
    **{name: (Kind.BUDGET, name) for name in FIELDS[Kind.BUDGET]},
    **{f"{_SHARES}.{name}": (Kind.ALLOCATION, name) for name in FIELDS[Kind.ALLOCATION]},
}
_MIRRORS: Final = (Owner.SOURCE, Owner.IGNORE)


def _read(raw: object) -> object:
    """The words by the names of their fields, those of allocations as "allocations.amount"."""
    if not isinstance(raw, dict):
        return raw
    found: dict[str, Owner] = {}
    problems = []
    for path, name, word in _flat(raw):
        problem = _unfit(path, name, word) or (
            (path, f'"{name}" has a word already') if name in found else None
        )
        if problem is None:
            found[name] = Owner(word)
        else:
            problems.append(_detail(*problem))
    if problems:
        raise ValidationError.from_exception_data("fields", problems)
    return found


def _flat(raw: Said) -> Iterator[tuple[tuple[str, ...], str, Any]]:
    """Each word with the path that it stands at, and the name of its field."""
    for key, word in raw.items():
        if key == _SHARES and isinstance(word, dict):
            yield from (((key, each), f"{key}.{each}", said) for each, said in word.items())
        else:
            yield (key,), key, word


def _unfit(path: tuple[str, ...], name: str, word: object) -> Problem | None:
    if name == _SHARES:
        return path, f'a word is for one field, such as "{_SHARES}.amount"'
    if name not in _NAMES:
        share = f"{_SHARES}.{name}"
        close = [share] if share in _NAMES else get_close_matches(name, _NAMES, 1)
        hint = f'; did you mean "{close[0]}"?' if close else f"; there are {', '.join(_NAMES)}"
        return path, f'no field is named "{name}"{hint}'
    if not isinstance(word, str) or word not in list(Owner):
        close = get_close_matches(str(word), list(Owner), 1)
        hint = f'; did you mean "{close[0]}"?' if close else ""
        return path, f"a word is one of {_WORDS}; this is {_said(word)}{hint}"
    return None


def _said(word: object) -> str:
    return f'"{word}"' if isinstance(word, str) else "no text"


def _detail(path: tuple[str, ...], message: str) -> InitErrorDetails:
    kind = PydanticCustomError("trueup", "{said}", {"said": message})
    return InitErrorDetails(type=kind, loc=path, input=None)


def _schema() -> dict[str, Any]:
    """For editors: a word for each field, those of allocations in a table of theirs."""
    shares = {name: _word(f"a share's {name}") for name in FIELDS[Kind.ALLOCATION]}
    table = {
        "type": "object",
        "description": "Who owns which field of an allocation.",
        "properties": shares,
        "additionalProperties": False,
    }
    words = {name: _word(name.replace(f"{_SHARES}.", "a share's ")) for name in _NAMES}
    return {
        "type": "object",
        "additionalProperties": False,
        "properties": {**words, _SHARES: table},
    }


def _word(field: str) -> dict[str, Any]:
    return {"type": "string", "enum": [*Owner], "description": f"Who owns {field}."}


Words = Annotated[
    dict[str, Owner], BeforeValidator(_read), Field(strict=False, json_schema_extra=_schema())
]


def fields_of(
    words: Mapping[str, Owner],
    *,
    two_way: bool,
    on_conflict: OnConflict,
    on_new: OnNew,
    source: Capabilities,
    target: Capabilities,
) -> Fields:
    """As the engine has them: what says how much counts when goes with `amount`, and where both
    sides own all, a field that one of them cannot hold is the source's."""
    said = {_NAMES[name]: word for name, word in words.items()}
    default = Owner.EITHER if two_way else Owner.SOURCE
    for kind in Kind:
        if two_way:
            for name in FIELDS[kind]:
                if _hindrance(kind, name, source, target):
                    said.setdefault((kind, name), Owner.SOURCE)
        amount = said.get((kind, "amount"), default)
        for name in TOGETHER & {*FIELDS[kind]}:
            said[kind, name] = amount
    return Fields(default=default, words=said, on_conflict=on_conflict, on_new=on_new)


def problems_of(
    words: Mapping[str, Owner],
    *,
    two_way: bool,
    on_new: OnNew,
    only_read: str,
    names: tuple[str, str],
    source: Capabilities,
    target: Capabilities,
) -> Iterator[Problem]:
    """What the two sides, of those `names`, cannot do of what is said; `only_read` is why the
    source cannot be changed, blank where it can."""
    if two_way and only_read:
        yield ("mode",), f'"two-way" changes {names[0]} too, which is only read: {only_read}'
    if on_new is OnNew.CREATE and only_read:
        yield ("on_new",), f'"create" makes it in {names[0]}, which is only read: {only_read}'
    for name, word in words.items():
        kind, field = _NAMES[name]
        message = _apart(name, word, words, two_way=two_way)
        if message is None and word not in _MIRRORS:
            message = _hindrance(kind, field, source, target)
        if message is not None:
            yield ("fields", name), message


def _apart(name: str, word: Owner, words: Mapping[str, Owner], *, two_way: bool) -> str | None:
    """What belongs with the amount cannot be another's: 100 a month is not 100 a year."""
    kind, field = _NAMES[name]
    if field not in TOGETHER or field == "amount":
        return None
    amount = "amount" if kind is Kind.BUDGET else f"{_SHARES}.amount"
    default = Owner.EITHER if two_way else Owner.SOURCE
    of_amount = words.get(amount, default)
    if word is of_amount:
        return None
    return (
        f'"{name}" goes with "{amount}", which is "{of_amount}": together they say how much counts '
        f'when, so take this out, or say "{word}" of "{amount}"'
    )


def _hindrance(kind: Kind, field: str, source: Capabilities, target: Capabilities) -> str | None:
    """Why a field cannot be owned by both sides, or by the target; None where it can."""
    for able in (target, source):
        holds = able.budget if kind is Kind.BUDGET else able.allocation
        hold = holds.get(field, Hold.DROPPED)
        if hold in _WHY:
            return f"{able.vendor} {_WHY[hold]}: it can only be the source's"
    return None


_WHY: Final[Mapping[Hold, str]] = {
    Hold.DROPPED: "has no place for it",
    Hold.READ_ONLY: "lets nobody change it",
    Hold.FOLLOWS: "takes it from the allocation's budget",
}
