"""Identity: how one object is known on two sides.

A stamp, ``[trueup:REF]`` at the end of a free text, names the owner's ref inside a vendor's object.
A natural key is what people would recognise it by: its name, or for an allocation its entity.
While names go round in a circle one object has a temporary name for a moment.
An entity map says who is who: our entity to the vendor's id, and back.
"""

import re
import unicodedata
from collections.abc import Mapping
from urllib.parse import quote, unquote

from canonical.allocation import Allocation, Entity
from canonical.budget import Budget
from canonical.text import Unkept
from canonical.text import ref as spelled_ref

_BEGINS, _ENDS = "[trueup:", "]"
_PASSING = "being renamed by trueup:"
_WITHIN = re.compile(r"[^\]\s]+")


def stamped(text: str | None, ref: str | None) -> str:
    """`text` with the stamp of `ref` at its end; without a ref the text as it is.

    Characters that would end the stamp early, and all beyond ASCII, are percent-encoded.
    """
    if ref is None:
        return text or ""
    return f"{text or ''} [trueup:{_encoded(ref)}]".lstrip()


def unstamped(text: str | None) -> tuple[str | None, str | None]:
    """The text without its stamp, and the ref that the stamp named (None: it had none).

    The ref is in the one spelling that refs have; what can be none is no stamp.
    """
    if not text or (start := text.rfind(_BEGINS)) < 0:  # half the time of a search by pattern
        return text, None
    ref = text[start + len(_BEGINS) :].rstrip()
    if not ref.endswith(_ENDS) or not _WITHIN.fullmatch(ref, 0, len(ref) - 1):
        return text, None
    try:
        return text[:start].rstrip() or None, spelled_ref(unquote(ref[:-1]))
    except Unkept:
        return text, None


def _encoded(ref: str) -> str:
    return quote(ref, safe="/:@+,;=!*'()$&~.-_")


def temporary_name(ref: str, id: str, most: int | None = None, *, ascii_text: bool = False) -> str:
    """The name that an object of the target, by its `id`, has while another one takes its own.

    It says what it is and whose, is nobody else's, and is no longer than `most` UTF-16 units.
    """
    said = _encoded(ref) if ascii_text else ref
    ends = f" ({_PASSING} {id})"
    while most is not None and said and len(f"{said}{ends}".encode("utf-16-le")) > 2 * most:
        said = said[:-1]
    return f"{said}{ends}"


def is_temporary(name: str) -> bool:
    """Whether it is such a name."""
    return f" ({_PASSING} " in name and name.endswith(")")


def natural_key(model: Budget | Allocation) -> str:
    """What a person would recognise the object by, within its kind and container."""
    return folded(model.name if isinstance(model, Budget) else str(model.entity))


def folded(name: str) -> str:
    """A name without what people take for the same: case, spaces, forms of a letter."""
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())


class EntityMap:
    """Our entities and a vendor's ids for them; whoever has no row passes through unchanged."""

    def __init__(self, rows: Mapping[str, str] | None = None) -> None:
        self._theirs = dict(rows or {})
        self._ours = {
            (ours.partition(":")[0], theirs): ours.partition(":")[2]
            for ours, theirs in self._theirs.items()
        }

    def theirs(self, entity: Entity) -> str:
        """The vendor's id for our `entity`."""
        return self._theirs.get(str(entity), entity.id)

    def ours(self, type: str, id: str) -> Entity:
        """Our entity for the vendor's `id`."""
        return Entity(type, self.our_id(type, id))

    def our_id(self, type: str, id: str) -> str:
        """As `ours`, the id alone."""
        return self._ours.get((type, id), id)
