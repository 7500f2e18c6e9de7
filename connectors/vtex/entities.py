"""Who is who at VTEX: our entities as the type and id of a linked entity, and back. Pure.

Checkout funds an order by type and id alone: `USER` with the user's id, `CUSTOMFIELD` with the
document id of a value of an option field, `ADDRESS` with an address's. A row of `entities` gives
both, such as "cost_centre:CC1" = "CUSTOMFIELD:07d12677"; one with an id alone leaves the type to
`entity_types`. Types are compared whatever their capitals.
"""

from collections.abc import Mapping
from typing import Final

from canonical.allocation import Entity
from connectors.vtex.wire import VtexEntity

_MATCHED: Final = frozenset({"user", "customfield", "address"})


class Entities:
    """The rows of `entities`, and `types`: our entity types → theirs."""

    def __init__(self, types: Mapping[str, str], rows: Mapping[str, str]) -> None:
        self._types = types
        self._own = {theirs.casefold(): ours for ours, theirs in types.items()}
        self._rows: dict[Entity, VtexEntity] = {}
        for said, theirs in rows.items():
            entity = self._spelt(*_halves(said))
            type, id = _halves(theirs)
            self._rows[entity] = VtexEntity(type=type or self._type(entity), id=id)
        self._back = {_key(theirs): ours for ours, theirs in self._rows.items()}

    def theirs(self, entity: Entity) -> VtexEntity:
        """An entity in their words; without a row its own id, under their word for its type."""
        entity = self._spelt(entity.type, entity.id)
        return self._rows.get(entity) or VtexEntity(type=self._type(entity), id=entity.id)

    def ours(self, wire: VtexEntity) -> Entity:
        """Who an allocation is for.

        One that has a row and is linked otherwise keeps their word for its type: it is another.
        """
        if (found := self._back.get(_key(wire))) is not None:
            return found
        entity = self._spelt(wire.type, wire.id)
        return Entity(wire.type, wire.id) if entity in self._rows else entity

    def named(self, entity: Entity) -> Entity:
        """`entity` under the one name that it is read back with."""
        return self.ours(self.theirs(entity))

    def matched(self, entity: Entity) -> bool:
        """Whether checkout can know it by type and id; an e-mail is no user's id."""
        theirs = self.theirs(entity)
        type = theirs.type.casefold()
        return type in _MATCHED and not (type == "user" and "@" in theirs.id)

    def _spelt(self, type: str, id: str) -> Entity:
        """An entity whose type may be in their word for it."""
        return Entity(self._own.get(type.casefold(), type), id)

    def _type(self, entity: Entity) -> str:
        return self._types.get(entity.type, entity.type)


def _halves(text: str) -> tuple[str, str]:
    """Type and id; a text without a type is all id."""
    type, colon, id = text.partition(":")
    return (type, id) if colon else ("", text)


def _key(wire: VtexEntity) -> tuple[str, str]:
    return wire.type.casefold(), wire.id
