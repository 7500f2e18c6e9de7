"""What the network and the vendor do wrong: the run converges, without twins and without a person."""

from collections import Counter

import pytest

from tests.scenarios.conftest import SYNC, Desk


def _no_twins(desk: Desk) -> None:
    assert max(Counter(row["name"] for row in desk.budgets).values()) == 1
    assert (len(desk.budgets), len(desk.limits)) == (3, 12)


@pytest.mark.sampled(2)
@pytest.mark.parametrize("kind", ["lost_answer", "error_before", "error_after", "cut", "garbage"])
def test_one_failing_create_in_three_ends_in_one_object_each(desk: Desk, kind: str) -> None:
    desk.brex.faults.add(kind, every=3, method="POST")

    assert desk.run("run", SYNC).code in (0, 7)
    desk.brex.faults.clear()
    result = desk.run("run", SYNC, "--json")

    assert result.code == 0, result.out
    assert result.data["verified"] is True
    _no_twins(desk)


def test_retries_of_one_create_share_its_key(desk: Desk) -> None:
    desk.brex.faults.add("lost_answer", times=1, method="POST")

    assert desk.run("run", SYNC).code == 0

    keys = Counter(call["key"] for call in desk.calls("POST"))
    assert sorted(keys.values()) == [1] * 14 + [2]
    _no_twins(desk)


def test_a_key_that_the_vendor_forgot_makes_no_twin(desk: Desk) -> None:
    desk.brex.faults.add("lost_answer", times=6, method="POST", path="/v2/budgets")
    first = desk.run("run", SYNC)
    desk.brex.faults.clear()
    desk.brex.faults.add("key_expiry", times=1)

    assert first.code in (0, 4, 7)
    assert desk.run("run", SYNC).code == 0
    _no_twins(desk)


def test_too_many_requests_are_waited_for_as_asked(desk: Desk) -> None:
    desk.brex.faults.add("rate_limit", times=2, retry_after=1, method="POST")

    assert desk.run("run", SYNC).code == 0

    statuses = Counter(call["status"] for call in desk.calls("POST"))
    assert statuses[429] == 2
    _no_twins(desk)


def test_a_wait_longer_than_there_is_patience_defers_the_rest(desk: Desk) -> None:
    desk.brex.faults.add("rate_limit", times=-1, retry_after=4000, method="POST")

    result = desk.run("run", SYNC, "--json")

    assert result.code == 4
    assert result.data["counts"]["deferred"] + result.data["counts"]["skipped"] == 15
    desk.brex.faults.clear()
    desk.clear_log()
    again = desk.run("run", SYNC, "--json")
    assert (again.code, desk.brex.log) == (4, [])
    assert "brex asked for no call before" in again.data["error"]


def test_one_refused_change_does_not_stop_the_others(desk: Desk) -> None:
    rows = desk.rows("allocations.csv")
    refusal = {"status": 400, "method": "POST", "path": "/v2/spend_limits"}
    desk.brex.faults.add("error_before", times=1, **refusal)

    result = desk.run("run", SYNC, "--json")

    assert result.code == 4
    assert result.data["counts"] | {"applied": 14, "rejected": 1} == result.data["counts"]
    (refused,) = [each for each in result.data["operations"] if each["outcome"] == "rejected"]
    assert refused["ref"] in {each["ref"] for each in rows}
    assert "400" in refused["error"]


def test_what_the_vendor_tidies_is_no_difference_afterwards(desk: Desk) -> None:
    desk.brex.sandbox.switches = desk.brex.sandbox.switches.model_copy(update={"tidies": True})

    assert desk.run("run", SYNC).code == 0
    assert desk.run("plan", SYNC, "--detailed-exitcode").code == 0
    assert desk.run("verify", SYNC).code == 0


def test_a_repeated_cursor_ends_the_run_and_not_the_machine(filled: Desk) -> None:
    filled.brex.faults.add("repeat_cursor", times=-1)

    result = filled.run("run", SYNC)

    assert result.code == 1
    assert "repeats its page token" in result.out
    assert len(filled.calls("GET")) <= 4


def test_a_listing_that_hides_most_of_what_is_linked_is_not_believed(filled: Desk) -> None:
    for row in filled.limits:
        filled.brex.state["spend_limits"].remove(row["id"])

    result = filled.run("run", SYNC)

    assert result.code == 5
    assert "min_listing" in result.out
    assert not filled.calls("POST")
