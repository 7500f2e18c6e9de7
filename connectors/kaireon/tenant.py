"""The rows of one tenant, over HTTP: each that is answered is proved to be the tenant's."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from threading import Lock
from typing import Any

from connectors.calling.absence import of_a_listing, prove_gone
from connectors.calling.answers import Dialect
from connectors.calling.client import HttpClient, Safety
from connectors.calling.limiter import Limiter
from connectors.calling.paging import cursor_pages
from connectors.calling.parsing import parsed
from connectors.calling.steps import in_steps
from connectors.contract.errors import (
    ConnectorError,
    Forbidden,
    Malformed,
    Missing,
)
from connectors.contract.runtime import Runtime
from connectors.contract.settings import parse_rate
from connectors.kaireon.declared import KaireonSettings
from connectors.kaireon.wire import OFFERS, PATH, KaireonRow, KaireonRowWrite, count_of, page_of

GRACE = 60.0
"""Seconds in which a listing may not yet show a row that was made."""

_WAITS = (1, 2, 4, 8, 15, 30)
"""Seconds between looks for a row that was made; altogether `GRACE`."""


class Tenant:
    """Rows read, made, changed and deleted, each by one call."""

    def __init__(self, name: str, settings: KaireonSettings, runtime: Runtime) -> None:
        key = settings.api_key.get_secret_value()
        bearer = settings.auth == "bearer"
        self._name = name
        self._id = settings.tenant_id
        self._paged = False
        self._lock = Lock()
        self._guard = Lock()
        self._made: dict[str, tuple[float, Any]] = {}
        self._now, self._sleep = runtime.monotonic, runtime.sleep
        self._http = HttpClient(
            name,
            settings.base_url,
            headers={
                **({"Authorization": f"Bearer {key}"} if bearer else {"x-api-key": key}),
                "X-Tenant-Id": settings.tenant_id,
                "X-Requested-With": "XMLHttpRequest",
            },
            limiter=Limiter(*parse_rate(settings.rate_limit), runtime),
            runtime=runtime,
            dialect=Dialect(message=_message, credential="api_key"),
        )

    def shown(self) -> Sequence[Any]:
        """All rows, once the listing shows those that we made; it has `GRACE` seconds for that."""
        for wait in _WAITS:
            records = self.records()
            if not self._unlisted(records):
                return records
            self._sleep(wait)
        return self.records()

    def there(self) -> Sequence[Any]:
        """All rows, those too that we made and that the listing does not show yet."""
        records = self.records()
        return [*records, *self._unlisted(records)]

    def _unlisted(self, records: Sequence[Any]) -> Sequence[Any]:
        """What we made in the last `GRACE` seconds, and `records` lack."""
        with self._guard:
            oldest = self._now() - GRACE
            self._made = {id: each for id, each in self._made.items() if each[0] > oldest}
            if not self._made:
                return ()
            listed = {each.get("id") for each in records if isinstance(each, dict)}
            return [answer for id, (_, answer) in self._made.items() if id not in listed]

    def records(self, scope: str | None = None, period_key: str | None = None) -> Sequence[Any]:
        """All rows of that scope and period as listed, every page of them."""
        answers = []

        def fetch(token: str | None) -> Any:
            params = {"scope": scope, "periodKey": period_key, "cursor": token}
            answers.append(self._http.call("GET", PATH, params=params, safety=Safety.SAFE))
            return page_of(answers[-1])

        listing = cursor_pages(of_a_listing(fetch), items="rows", next_token="next")  # noqa: S106
        pages = [page.items for page in listing]
        self._paged = self._paged or len(pages) > 1
        records = [record for page in pages for record in page]
        said = count_of(answers[-1])
        if said not in (None, len(pages[-1]), len(records)):
            raise Malformed(
                f"{self._name} says that it lists {said} rows, and lists {len(records)}"
            )
        for record in records:
            self._prove(record)
        return records

    def offers(self) -> Iterator[Any]:
        """All offers as listed, page by page."""

        def fetch(token: str | None) -> Any:
            answer = self._http.call("GET", OFFERS, params={"cursor": token}, safety=Safety.SAFE)
            return page_of(answer)

        for page in cursor_pages(fetch, items="rows", next_token="next"):  # noqa: S106
            for record in page.items:
                self._prove(record)
                yield record

    @contextmanager
    def operation(self) -> Iterator[None]:
        """One write of several calls; once one of them had an effect, what fails is `Uncertain`.

        Where rows come in pages, one thread at a time reads and writes: a row that another makes or
        deletes between two pages moves those that follow, and one would look as if it missed.
        """
        with self._lock if self._paged else nullcontext(), in_steps():
            yield

    def make(self, write: KaireonRowWrite) -> KaireonRow | None:
        """POST, once. What turns out to be another tenant's is taken back."""
        with in_steps() as steps:
            before = steps.taken
            answer = self._http.call("POST", PATH, json=write.body(), safety=Safety.ONCE)
            try:
                row = self._stored(answer)
            except Forbidden as error:
                said = f"{error.message}, {self._taken_back(answer['id'])}"
                steps.taken = before  # nothing of it is left
                raise Forbidden(said, hint=error.hint) from error
        if row is not None:
            with self._guard:
                self._made[row.id] = self._now(), answer
        return row

    def change(self, write: KaireonRowWrite) -> KaireonRow | None:
        """PUT; the row as stored, or None where the answer does not show it."""
        answer = self._http.call("PUT", PATH, json=write.body(), safety=Safety.IDEMPOTENT)
        return self._stored(answer)

    def delete(self, id: str) -> None:
        """DELETE; no error if it is gone, which one 404 does not prove."""
        try:
            params = {"id": id}
            self._http.call("DELETE", PATH, params=params, safety=Safety.IDEMPOTENT)
        except Missing as error:
            prove_gone(error, lambda: self._shows(id))
        except Forbidden as error:
            hint = "Kaireon deletes with an admin's key only"
            raise Forbidden(error.message, call=error.call, hint=hint) from error
        with self._guard:
            self._made.pop(id, None)

    def _shows(self, id: str) -> bool:
        """Whether the listing has that row; one that we made has its time to appear there."""
        records = self.shown() if id in self._made else self.records()
        return any(isinstance(each, dict) and each.get("id") == id for each in records)

    def close(self) -> None:
        """Give back the connections."""
        self._http.close()

    def _stored(self, answer: Any) -> KaireonRow | None:
        if not isinstance(answer, dict) or "id" not in answer:
            return None
        self._prove(answer)
        return parsed(KaireonRow, answer)

    def _prove(self, record: Any) -> None:
        """With a key Kaireon ignores the tenant it is told: only an answer shows the real one."""
        tenant = record.get("tenantId") if isinstance(record, dict) else None
        if tenant not in (None, self._id):
            raise Forbidden(
                f"{self._name} answers for the tenant {tenant!r}, not {self._id!r}",
                hint=f"Check the api_key and the tenant_id of [systems.{self._name}]",
            )

    def _taken_back(self, id: str) -> str:
        try:
            self.delete(id)
        except ConnectorError:
            return f"where the row {id} that we made could not be deleted again"
        return "where the row that we made is deleted again"


def _message(body: Any) -> str | None:
    """{"error": {"code", "message", "status"}}."""
    said = body.get("error") if isinstance(body, dict) else None
    return said.get("message") if isinstance(said, dict) else None
