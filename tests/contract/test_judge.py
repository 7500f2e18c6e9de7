"""The judge itself: it passes what the description allows and names what it does not."""

from dataclasses import replace
from typing import Any

import pytest

from tests.contract.judge import Exchange, Judge, description

CREATE = {
    "name": "Travel",
    "description": "",
    "parent_budget_id": "budget_root",
    "period_recurrence_type": "MONTHLY",
    "amount": {"amount": 700, "currency": "USD"},
}
ANSWER = {
    "budget_id": "b",
    "account_id": "a",
    "name": "Travel",
    "owner_user_ids": [],
    "period_recurrence_type": "MONTHLY",
    "spend_budget_status": "ACTIVE",
    "amount": None,
}
GOOD = Exchange("POST", "/v2/budgets", "", {"idempotency-key": "k"}, CREATE, 200, ANSWER)
BAD: dict[str, tuple[dict[str, Any], str]] = {
    "an unknown operation": ({"method": "DELETE"}, "no such operation"),
    "a missing header": ({"headers": {}}, "Idempotency-Key"),
    "an unknown query parameter": ({"query": "page=2"}, "page"),
    "money as text": ({"sent": CREATE | {"amount": {"amount": "700"}}}, "amount"),
    "an unknown word": ({"sent": CREATE | {"period_recurrence_type": "DAILY"}}, "DAILY"),
    "an answer without an id": ({"answer": {"name": "Travel"}}, "budget_id"),
}


@pytest.fixture
def judge() -> Judge:
    document = description("brex")
    if document is None:
        pytest.skip("no API description at hand: the wire models judge")
    return Judge(document)


def test_what_is_documented_passes(judge: Judge) -> None:
    assert list(judge.findings(GOOD)) == []


@pytest.mark.parametrize("name", BAD)
def test_what_is_not_documented_is_named(judge: Judge, name: str) -> None:
    changed, said = BAD[name]

    findings = list(judge.findings(replace(GOOD, **changed)))

    assert any(said in finding for finding in findings)
