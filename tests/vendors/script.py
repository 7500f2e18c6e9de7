"""A vendor whose answers are written down beforehand, and what it is sent, digit by digit.

An exchange is a call and its answer. A call is said as METHOD ADDRESS BODY: the address with every
escape, the body as JSON whose numbers count by their digits. An answer is its JSON, or a whole
`httpx.Response`.
"""

import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeAlias

import respx
from httpx import Request, Response

from connectors.calling.exact_json import read, written
from connectors.conformance import waitless
from connectors.contract.runtime import Runtime

Exchange: TypeAlias = tuple[str, Any]
Call: TypeAlias = tuple[str, str, Any]
NOW = datetime(2026, 3, 18, 12, tzinfo=UTC)


class Script:
    """Plays exchanges through `router`, which refuses every other call and misses none."""

    def __init__(self, router: respx.MockRouter) -> None:
        self._router = router

    def play(self, exchanges: Sequence[Exchange]) -> None:
        """Answer each call of the exchanges once; those of one path in their order."""
        answers: dict[tuple[str, str], list[Response]] = defaultdict(list)
        for (method, address, _), (_, answer) in zip(calls_of(exchanges), exchanges, strict=True):
            answers[method, address.partition("?")[0]].append(
                answer if isinstance(answer, Response) else reply(200, answer)
            )
        for (method, path), given in answers.items():
            self._router.request(method, path).side_effect = given

    @property
    def requests(self) -> list[Request]:
        """What was sent, in order."""
        return [call.request for call in self._router.calls]

    @property
    def sent(self) -> list[Call]:
        """The same in the form of `calls_of`."""
        return [
            (each.method, each.url.raw_path.decode(), _body(each.content.decode()))
            for each in self.requests
        ]

    def header(self, name: str) -> set[str | None]:
        """What the calls have in a header; None is of those without it."""
        return {request.headers.get(name) for request in self.requests}


def calls_of(exchanges: Sequence[Exchange]) -> list[Call]:
    """The calls of the exchanges: method, address and body."""
    said = [call.split(maxsplit=2) for call, _ in exchanges]
    return [(method, address, _body(*body)) for method, address, *body in said]


def example(vendor: str, name: str) -> Any:
    """One of a vendor's example answers, its numbers exact."""
    return read((Path(__file__).parent / vendor / "examples" / f"{name}.json").read_bytes())


def reply(status: int, body: Any, **headers: str) -> Response:
    """An answer of JSON, its numbers exact."""
    headers = {"content-type": "application/json", **headers}
    return Response(status, text=written(body), headers=headers)


def one_day() -> Runtime:
    """A runtime that stays on one day and waits for nothing."""
    return replace(waitless(), now=lambda: NOW)


def _body(text: str = "") -> Any:
    return json.loads(text, parse_int=_digits, parse_float=_digits) if text else None


def _digits(number: str) -> tuple[str]:
    return (number,)  # no JSON is read as a tuple, so this is no text
