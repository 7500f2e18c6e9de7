"""New allocations of one budget in one call, and what there is of them afterwards.

Source: the operation "Create batch of allocations" of the Budgets API, whose pages say neither how
many a batch may hold, nor whether it is made as a whole, nor in which order it answers.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from canonical.allocation import Status
from canonical.kind import Kind
from connectors.calling.client import HttpClient, Safety
from connectors.contract.errors import ConnectorError, Missing, Rejected, Uncertain
from connectors.contract.records import Draft, Observed
from connectors.vtex.mapping import Terms, allocation_write
from connectors.vtex.reading import Reader
from connectors.vtex.records import allocations_of
from connectors.vtex.wire import VtexAllocationWrite


class Batches:
    """Sends them; `made` is what becomes of a record that shows a new allocation."""

    def __init__(
        self,
        http: HttpClient,
        reader: Reader,
        made: Callable[[Kind, str, Any, Status], Observed],
    ) -> None:
        self._http, self._reader, self._made = http, reader, made

    def create(
        self, drafts: Sequence[Draft], terms: Terms
    ) -> Mapping[int, Observed | ConnectorError]:
        """One POST, sent once: index into `drafts` → the object as stored, or its error.

        Absent are those that do not go together and those that were refused: each is to be created
        by itself. What the answer does not show exactly once is `Uncertain`; so is, after a
        refusal, what is there: it may be what the batch made, or have been there before.
        """
        bodies = _together(drafts, terms)
        if len(bodies) < 2:
            return {}
        within = drafts[0].container or ""
        try:
            records, unseen = self._sent(within, list(bodies.values()))
        except ConnectorError as error:
            return dict.fromkeys(bodies, error)
        made: dict[int, Observed | ConnectorError] = {}
        for index, body in bodies.items():
            try:
                if record := _shown(body, records):
                    if unseen is None:
                        raise Uncertain("its batch was refused, and one of its entity is there")
                    status = drafts[index].model.status
                    made[index] = self._made(Kind.ALLOCATION, within, record, status)
                elif unseen:
                    made[index] = unseen
            except Uncertain as error:
                made[index] = error
        return made

    def _sent(
        self, within: str, bodies: Sequence[VtexAllocationWrite]
    ) -> tuple[Sequence[Any], Uncertain | None]:
        """The records that there are after a batch, and what it means to be none of them.

        A refusal proves nothing about the parts: one look at the budget does.
        """
        body = {"allocations": [each.body() for each in bodies]}
        try:
            path = f"{self._reader.path(Kind.BUDGET, within)}/allocations/batch"
            answer = self._http.call("POST", path, json=body, safety=Safety.ONCE)
        except (Missing, Rejected) as refusal:
            try:
                read = [record for _, record in self._reader.whole([within])]
            except ConnectorError as error:
                message = f"the batch was refused ({refusal}), and looking what is there failed"
                raise Uncertain(f"{message}: {error}") from error
            return [each for record in read for each in allocations_of(record)], None
        return allocations_of(answer), Uncertain("it went in a batch whose answer does not show it")


def _together(drafts: Sequence[Draft], terms: Terms) -> Mapping[int, VtexAllocationWrite]:
    """Index into `drafts` → what is sent of those that can go together.

    One that cannot be said goes by itself, to be refused by itself. So does a second one of an
    entity, which no answer could tell from the first, and one with alerts: VTEX's pages have them
    as a list in a batch, its schema and its recorded calls as an object.
    """
    bodies, seen = {}, set()
    for index, draft in enumerate(drafts):
        if draft.model.alerts:
            continue
        try:
            body = allocation_write(draft, (), terms)
        except Rejected:
            continue
        who = body.linked_entity.type.casefold(), body.linked_entity.id
        if who in seen:
            continue
        seen.add(who)
        bodies[index] = body.model_copy(update={"notification_settings": None})
    return bodies


def _shown(body: VtexAllocationWrite, records: Sequence[Any]) -> Any:
    """The record of what `body` made, known by its entity; None where there is none.

    Raises `Uncertain` where several could be it.
    """
    found = [each for each in records if _is_of(body, each)]
    if len(found) > 1:
        who = body.linked_entity.id
        raise Uncertain(f"after a batch there are {len(found)} allocations for {who}")
    return found[0] if found else None


def _is_of(body: VtexAllocationWrite, record: Any) -> bool:
    try:
        entity, alive = record["linkedEntity"], record["status"] != "DELETED"
        said = entity["id"], entity["type"].casefold()
    except (TypeError, KeyError, AttributeError):
        return False
    asked = body.linked_entity
    return alive and said == (asked.id, asked.type.casefold())
