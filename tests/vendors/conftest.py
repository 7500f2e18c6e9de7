"""What the tests of all vendors share: a script of answers; and while conformance tests run, every
exchange stands before the contract's judge.
"""

import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
import respx

from connectors.calling.client import HttpClient
from tests.contract.judge import Exchange, Judge, description
from tests.vendors.script import Script

_JUDGES: dict[str, Judge | None] = {}
_BASES = {"vantage": "/v2"}
_ELSEWHERE = {
    "/v2/departments",
    "/v2/legal_entities",
    "/v2/cost_reports",
    "/api/v1/offers",
}
"""Operations of which a vendor's document of budgets does not speak: its wire models judge them."""


@pytest.fixture
def script(respx_mock: respx.MockRouter) -> Script:
    """Answers that a test writes down; the module's `respx` mark says for which address."""
    return Script(respx_mock)


def _judge(vendor: str) -> Judge | None:
    if vendor not in _JUDGES:
        document = description(vendor)
        _JUDGES[vendor] = Judge(document, _BASES.get(vendor, "")) if document else None
    return _JUDGES[vendor]


@pytest.fixture(autouse=True)
def judged(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Fails a conformance test in which a request or an answer breaks the contract."""
    vendor = request.path.parent.name
    judge = _judge(vendor) if request.path.stem == f"test_{vendor}_conformance" else None
    asked_for = any(word in request.node.name for word in ("unreadable", "refused", "breaks_off"))
    if judge is None or asked_for:  # to be wrong
        yield
        return
    seen: list[Exchange] = []
    exchange = HttpClient._exchange

    def watched(self: HttpClient, pending: Any) -> Any:
        result = exchange(self, pending)
        seen.append(_exchange(pending.request, result[0].status_code, result[1]))
        return result

    monkeypatch.setattr(HttpClient, "_exchange", watched)
    yield
    ours = [each for each in seen if each.path not in _ELSEWHERE]
    findings = {finding for each in ours for finding in judge.findings(each)}
    assert not findings, "\n".join(sorted(findings))


def _exchange(request: Any, status: int, raw: bytes) -> Exchange:
    try:
        answer = json.loads(raw, parse_float=Decimal)
    except ValueError:  # a fault that was asked for
        answer = None
    sent = json.loads(request.content) if request.content else None
    query = request.url.query.decode()
    return Exchange(
        request.method, request.url.path, query, dict(request.headers), sent, status, answer
    )
