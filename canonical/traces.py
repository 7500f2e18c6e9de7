"""Traces: what a record that cannot be read says of the objects that it may be.

Until somebody has put the record right, nothing is decided about any of them: it may be the very
object that seems to be missing.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Self

from canonical.allocation import Allocation
from canonical.budget import Budget
from canonical.identity import natural_key, unstamped


@dataclass(frozen=True, slots=True)
class Traces:
    """`names` are natural keys that it may have, `containers` ids of budgets that it may belong to;
    None where it does not say, so that it may be any. `stamps` are the refs that it bears.

    `ids` are objects that are shown and that it may be a part of.
    """

    names: frozenset[str] | None = None
    containers: frozenset[str] | None = None
    stamps: frozenset[str] = frozenset()
    ids: frozenset[str] = frozenset()

    @classmethod
    def of(cls, record: Any, *, name: str | None = None, within: Iterable[str] = ()) -> Self:
        """What the texts of `record` say, wherever they stand in it.

        `name` is the record's field for the name of such an object, if it has one; `within` are
        texts that came along with it, such as the address that it was read from.
        """
        if not isinstance(record, Mapping):
            return cls()
        texts = frozenset([*_texts(record), *within])
        stamps = {stamp for text in texts if (stamp := unstamped(text)[1]) is not None}
        return cls(_names(record.get(name) if name else None), texts, frozenset(stamps))

    def may_be(self, ref: str, model: Budget | Allocation, container: str | None) -> bool:
        """Whether this may be what the owner calls `ref`, below the budget `container`."""
        if self.stamps:
            return ref in self.stamps
        named = self.names is None or natural_key(model) in self.names
        if isinstance(model, Budget):
            return named
        return named and (self.containers is None or container in self.containers)


def _names(said: Any) -> frozenset[str] | None:
    if not isinstance(said, str) or not said.strip():
        return None
    return frozenset([natural_key(Budget(ref="", name=said, amount=None))])


def _texts(value: Any) -> Iterator[str]:
    left = [value]
    while left:  # not by calls: a record may be nested as deeply as its vendor likes
        each = left.pop()
        if isinstance(each, str):
            yield each
        elif isinstance(each, Mapping):
            left.extend(each.values())
        elif isinstance(each, list | tuple):
            left.extend(each)
