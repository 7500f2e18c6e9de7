"""Offers: of what rows can be for, the only thing of which Kaireon documents a list.

All are listed when one is first met in a reading. Where the key may not list them, or the answer
cannot be read, ids pass as they are.
"""

from collections.abc import Iterable, Iterator, Mapping
from threading import Lock

from pydantic import BaseModel, ConfigDict

from canonical.allocation import Entity
from canonical.identity import EntityMap
from connectors.calling.parsing import parsed
from connectors.contract.errors import Forbidden, Malformed, Missing, Rejected, Unsupported
from connectors.contract.records import Listed
from connectors.kaireon.tenant import Tenant
from connectors.kaireon.wire import OFFER


class KaireonOffer(BaseModel):
    """An offer as answered: unknown fields are ignored."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    id: str
    name: str | None = None


class Offers:
    """The offers of one tenant. Safe to use from several threads."""

    def __init__(self, name: str, tenant: Tenant, rows: Mapping[str, str]) -> None:
        self._name, self._tenant, self._rows = name, tenant, rows
        self._entities = EntityMap(rows)
        self._ids: frozenset[str] | None = None
        self._asked = False
        self._lock = Lock()

    def outdated(self) -> None:
        """A new reading begins: they are listed again when one is met."""
        with self._lock:
            self._ids, self._asked = None, False

    def listed(self, type: str) -> Iterator[Listed]:
        """All of them, page by page; raises `Unsupported` for what is no offer."""
        if type != OFFER:
            raise Unsupported(f"Kaireon documents no list of whom a {type} of {self._name} may be")
        for record in self._tenant.offers():
            offer = parsed(KaireonOffer, record)
            yield Listed(offer.id, offer.name)

    def unknown(self, entities: Iterable[Entity]) -> Mapping[Entity, str]:
        """Why rows would be for nothing: no offer has that id."""
        found = {}
        for entity in entities:
            ids = self._known() if entity.type == OFFER else None
            theirs = self._entities.theirs(entity)
            if ids is None or theirs in ids:
                continue
            does = "correct the" if str(entity) in self._rows else "give it a"
            hint = f'{does} row "{entity}" in [systems.{self._name}.entities]'
            found[entity] = f"{self._name} shows no offer {theirs}; {hint}"
        return found

    def _known(self) -> frozenset[str] | None:
        """The ids of all; None where they cannot be listed, which says nothing of any."""
        with self._lock:
            if not self._asked:
                self._asked = True
                try:
                    self._ids = frozenset(each.id for each in self.listed(OFFER))
                except (Forbidden, Malformed, Missing, Rejected):
                    self._ids = None
            return self._ids
