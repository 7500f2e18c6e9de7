"""Likeness: what a person would take for the same, and no more.

Nothing is guessed letter by letter. The surest way that finds anybody decides, also where it finds
several.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from enum import StrEnum
from typing import Final

from anyascii import anyascii

from connectors.contract.records import Listed


class By(StrEnum):
    """What two are alike by, the surest first."""

    EMAIL = "the same e-mail"
    ID = "the same id"
    LOCAL_PART = "what stands before the @"
    NAME = "the name"


class Register:
    """Those whom a system lists, to be found by what is like them."""

    def __init__(self, listed: Iterable[Listed]) -> None:
        self._found: dict[tuple[By, Hashable], dict[str, Listed]] = defaultdict(dict)
        for each in listed:
            for by, _, keys in _WAYS:
                for key in keys(each):
                    self._found[by, key][each.id] = each

    def like(self, id: str) -> tuple[By | None, tuple[Listed, ...]]:
        """Who is like our `id`, by id of theirs, and in which way; nobody is none."""
        for by, keys, _ in _WAYS:
            found = {each.id: each for key in keys(id) for each in self._at(by, key)}
            if found:
                return by, tuple(found[each] for each in sorted(found))
        return None, ()

    def _at(self, by: By, key: Hashable) -> Iterable[Listed]:
        return self._found[by, key].values() if (by, key) in self._found else ()


def _email(text: str | None) -> Iterator[str]:
    if text and "@" in text:
        yield text.strip().casefold()


def _local(text: str | None) -> Iterator[str]:
    if text and (local := text.strip().partition("@")[0].casefold()):
        yield local


def _words(text: str | None) -> Iterator[Sequence[str]]:
    """The words of a name in any order, without accents and without what stands between them."""
    if words := sorted(re.findall(r"[a-z0-9]+", anyascii(text or "").casefold())):
        yield tuple(words)


def _words_of(listed: Listed) -> Iterator[Sequence[str]]:
    yield from _words(listed.name)
    for local in _local(listed.email):
        yield from _words(local)


_WAYS: Final[
    Sequence[
        tuple[
            By,
            Callable[[str], Iterable[Hashable]],
            Callable[[Listed], Iterable[Hashable]],
        ]
    ]
] = (
    (By.EMAIL, _email, lambda listed: _email(listed.email)),
    (By.ID, lambda ours: (ours.casefold(),), lambda listed: (listed.id.casefold(),)),
    (By.LOCAL_PART, _local, lambda listed: _local(listed.email) if listed.email else ()),
    (By.NAME, lambda ours: (key for each in _local(ours) for key in _words(each)), _words_of),
)
