"""A vendor whose listings show what was made only a while later, by the clock of the runs."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from math import inf

from starlette.responses import Response

from connectors.sandbox.api import Call, Sandbox


class Lag:
    """Hides the rows of a sandbox from all listings for a `while_` after they were made; by its id
    each is read at once."""

    def __init__(self, sandbox: Sandbox, clock: Callable[[], datetime], while_: timedelta) -> None:
        self._sandbox, self._clock, self._while = sandbox, clock, while_
        self._answer = sandbox.answer
        self._born: dict[str, float] = {}
        sandbox.answer = self._answered  # type: ignore[method-assign]

    def begin(self) -> None:
        """All that is there now is old."""
        self._born = dict.fromkeys(self._sandbox.state.records(), -inf)

    def _answered(self, call: Call) -> Response:
        if call.method == "GET":
            with self._hidden():
                return self._answer(call)
        try:
            return self._answer(call)
        finally:
            for key in self._sandbox.state.records():
                self._born.setdefault(key, self._clock().timestamp())

    @contextmanager
    def _hidden(self) -> Iterator[None]:
        since = (self._clock() - self._while).timestamp()
        young = [key.partition(" ") for key, born in self._born.items() if born > since]
        tables = {name: self._sandbox.state[name] for name, _, _ in young}
        orders = {name: table._order for name, table in tables.items()}
        for name, table in tables.items():
            ids = {id for of, _, id in young if of == name}
            table._order = [id for id in orders[name] if id not in ids]
            table.changes += 1  # what is kept of the table is kept no longer
        try:
            yield
        finally:
            for name, table in tables.items():
                table._order = orders[name]
                table.changes += 1
