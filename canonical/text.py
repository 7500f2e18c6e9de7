"""Texts as they are read: what can be kept, and one spelling for each ref.

A ref is an identity, so spellings that nobody can tell apart are one: composed and decomposed
accents, blanks of other kinds, characters without width. What stays apart after that and differs
by capitals or leading zeros only is for a person to settle (`likeness`).
"""

import re
import unicodedata
from functools import lru_cache
from typing import Final

from canonical.errors import CanonicalError

_UNKEPT = re.compile("[\x00\ud800-\udfff]")
"""What a database or a file in UTF-8 cannot hold."""
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
"""Control characters but tab and the ends of lines."""
_UNSEEN = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_BLANKS: Final = "\t\n\x0b\x0c\r\x85"


class Unkept(CanonicalError):
    """A text with a character that can be neither kept nor left out."""


def kept(text: str) -> str:
    """`text` without the control characters that nobody sees; tabs and ends of lines stay.

    Raises `Unkept` for U+0000 and half a surrogate pair, which no state can hold.
    """
    if text.isprintable():
        return text
    if found := _UNKEPT.search(text):
        raise Unkept(f"holds {_named(found[0])}, which is no part of a text; take it out")
    return _CONTROL.sub("", text)


def ref(text: str) -> str:
    """The ref that `text` spells: composed, with plain blanks, without characters of no width.

    Raises `Unkept` for a control character, which may be half of another ref.
    """
    if text.isascii() and text.isprintable():
        return text.strip()
    return _ref(text)


@lru_cache(maxsize=4096)
def _ref(text: str) -> str:
    text = "".join(filter(None, map(_spelled, text)))
    return unicodedata.normalize("NFC", text).strip()


def _spelled(character: str) -> str:
    category = unicodedata.category(character)
    if category == "Zs" or category == "Zl" or category == "Zp" or character in _BLANKS:
        return " "
    if category == "Cf":
        return ""
    if category in ("Cc", "Cs"):
        raise Unkept(f"holds {_named(character)}, which is no part of a ref; take it out")
    return character


def likeness(ref: str) -> str:
    """What refs have in common that differ by capitals or leading zeros only."""
    return ref.casefold().lstrip("0") or "0"


def joined(container: str, ref: str) -> str:
    """The key of what has `ref` within `container`; two pairs never have one key.

    That is CONTAINER/REF, where a stroke in the ref is written %2F, and a % is %25: what follows
    the last stroke is the ref.
    """
    if "/" in ref or "%" in ref:
        ref = ref.replace("%", "%25").replace("/", "%2F")
    return f"{container}/{ref}"


def told(text: str) -> str:
    """`text` as a message may say it: what cannot be kept or seen is written as its number."""
    return text if text.isprintable() else _UNSEEN.sub(_numbered, text)


def _numbered(found: re.Match[str]) -> str:
    return f"\\u{ord(found[0]):04x}"


def _named(character: str) -> str:
    return f"the character U+{ord(character):04X}"
