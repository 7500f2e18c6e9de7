"""Cost reports: what an allocation is for, as the token sees them.

All are listed when one is first met in a reading. Where the token may not list them, or the answer
cannot be read, tokens pass as they are and Vantage has the last word.
"""

from collections.abc import Iterable, Iterator, Mapping
from threading import Lock
from typing import Final

from canonical.allocation import Entity
from canonical.identity import EntityMap
from connectors.calling.parsing import parsed
from connectors.contract.errors import Forbidden, Malformed, Missing, Rejected
from connectors.contract.records import Listed
from connectors.vantage.calls import Calls
from connectors.vantage.wire import COST_REPORTS, VantageReport

_REPORT: Final = "rprt_"
"""How a cost report's token begins; a budget also takes that of a segment, which no list shows."""


class Reports:
    """The cost reports of one workspace. Safe to use from several threads."""

    def __init__(self, name: str, calls: Calls, rows: Mapping[str, str]) -> None:
        self._name, self._calls, self._rows = name, calls, rows
        self._entities = EntityMap(rows)
        self._tokens: frozenset[str] | None = None
        self._asked = False
        self._lock = Lock()

    def outdated(self) -> None:
        """A new reading begins: they are listed again when one is met."""
        with self._lock:
            self._tokens, self._asked = None, False

    def listed(self) -> Iterator[Listed]:
        """All of them, page by page."""
        for page in self._calls.pages(COST_REPORTS, "cost_reports"):
            for row in page.items:
                report = parsed(VantageReport, row)
                yield Listed(report.token, report.title)

    def unknown(self, entities: Iterable[Entity]) -> Mapping[Entity, str]:
        """Why an allocation cannot be for one whose cost report is not there."""
        named = (each for each in entities if self.unnamed(each) is None)
        return {each: reason for each in named if (reason := self._absent(each))}

    def unnamed(self, entity: Entity) -> str | None:
        """What to do where nobody said which cost report an entity is; makes no call."""
        if entity.type == "cost_report" or str(entity) in self._rows:
            return None
        row = f'"{entity}" = "rprt_…" to [systems.{self._name}.entities]'
        return f"{entity} is no cost report; add {row}"

    def _absent(self, entity: Entity) -> str | None:
        token = self._entities.theirs(entity)
        there = self._known() if token.startswith(_REPORT) else None
        if there is None or token in there:
            return None
        row, table = f'row "{entity}"', f"[systems.{self._name}.entities]"
        hint = f"correct the {row} in" if str(entity) in self._rows else f"give it a {row} in"
        return f"{self._name} shows no cost report {token}; {hint} {table}"

    def _known(self) -> frozenset[str] | None:
        """The tokens of all; None where they cannot be listed, which says nothing of any."""
        with self._lock:
            if not self._asked:
                self._asked = True
                try:
                    self._tokens = frozenset(each.id for each in self.listed())
                except (Forbidden, Malformed, Missing, Rejected):
                    self._tokens = None
            return self._tokens
