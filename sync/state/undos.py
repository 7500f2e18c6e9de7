"""Undos: which runs took back what another run did, as the audit tells."""

import json

from sqlalchemy import select

from sync.state.audit import Event
from sync.state.store import Store, audit


def undos_of(store: Store, sync: str, run_id: str) -> frozenset[str]:
    """The ids of the runs that began to take that run back."""
    told = (audit.c.kind == Event.UNDO) & (audit.c.sync == sync)
    with store.read() as connection:
        rows = connection.execute(select(audit.c.run_id, audit.c.entry).where(told)).all()
        return frozenset(id for id, entry in rows if json.loads(entry)["said"]["run"] == run_id)
