"""A proxy before a real Tryton, in which calls are counted and go wrong on demand."""

from collections.abc import Collection, Mapping
from typing import Any, ClassVar

import httpx
from starlette.responses import Response

from connectors.sandbox.api import Call, Sandbox, SandboxSwitches
from connectors.sandbox.state import Row

_PASSED_ON = ("authorization", "content-type", "accept-encoding")


class TrytonProxy(Sandbox):
    """Passes every call on to the server at `url`, and its answer back as it came."""

    CREDENTIAL = "none: the server asks for its own"
    RATE_LIMIT = "1000000/1s"
    ID_FIELDS: ClassVar[Mapping[str, str]] = {"keys": "id"}
    Switches = SandboxSwitches

    def __init__(self, url: str, **said: Any) -> None:
        super().__init__(**said)
        self.bodies: list[bytes] = []
        self._http = httpx.Client(base_url=url, verify=False, timeout=60)

    def answer(self, call: Call) -> Response:
        self.bodies.append(call.body)
        headers = {name: value for name in _PASSED_ON if (value := call.headers.get(name))}
        query = httpx.QueryParams(call.query.multi_items())
        with self._http.stream(
            call.method, call.path, params=query, content=call.body, headers=headers
        ) as answer:
            raw = b"".join(answer.iter_raw())
        kept = {
            name: answer.headers[name] for name in ("content-encoding",) if name in answer.headers
        }
        return Response(raw, answer.status_code, kept, answer.headers.get("content-type"))

    def refusal(self, status: int) -> Response:
        return Response("<!doctype html><title>Error</title>", status, media_type="text/html")

    def fresh(self) -> Mapping[str, Collection[Row]]:
        return {}

    def completed(self, table: str, row: Row) -> Row:
        return row

    def newcomer(self, table: str) -> Row:
        return {}

    def reset(self) -> None:
        super().reset()
        self.bodies.clear()

    def written(self) -> int:
        """How many calls that may write arrived."""
        return sum(b".write" in body for body in self.bodies)

    def close(self) -> None:
        self._http.close()
