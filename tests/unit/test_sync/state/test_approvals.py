"""Approvals in the state, on both databases: one is open, one person gives it, one run uses it."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from sync.state.approvals import Approvals, End, NotApproved, Request
from sync.state.audit import Audit
from sync.state.author import Author
from sync.state.checking import check

ADA, BOB = (Author("cron", "host", name) for name in ("Ada", "Bob"))


@pytest.fixture
def request_made(store):
    made = Request(
        plan_id="abc123def456789", sync="s", digest="0" * 64, deeds="1" * 64, reason="much",
        asked_at=store.now(), asked_by="cron", until=store.now() + timedelta(days=7),
    )  # fmt: skip
    with store.write() as connection:
        Audit(store).append(connection, Approvals(store).ask(connection, made, "{}"))
    return made


def use(store, request):
    with store.write() as connection:
        told = Approvals(store).use(connection, request, "run")
        Audit(store).append(connection, told)


def told(store):
    rows = [row.data for row in Audit(store).rows() if row.kind == "approval"]
    return [(row["said"]["what"], row["by"]["name"]) for row in rows]


def test_it_is_found_by_how_its_id_begins_and_by_its_sync(store, request_made):
    approvals = Approvals(store)
    assert approvals.named("abc1") == approvals.named("s") == request_made
    for name in ("", "b", "%", "s2"):
        with pytest.raises(NotApproved, match="no plan waits"):
            approvals.named(name)


def test_of_two_who_approve_at_once_one_is_told_that_it_is_done(store, request_made):
    given = Approvals(store).approve(request_made, ADA, "fine", alone=True)
    assert (given.approved_by, given.note) == ("Ada", "fine")
    with pytest.raises(NotApproved, match="Ada approved the plan abc123def456 already"):
        Approvals(store).approve(request_made, BOB, None, alone=True)  # read before Ada's
    assert told(store) == [("asked", None), ("approved", "Ada")]
    assert check(store, None).fault is None


def test_it_is_used_once(store, request_made):
    Approvals(store).approve(request_made, ADA, None, alone=True)
    use(store, request_made)
    with pytest.raises(NotApproved, match="at its end"):
        use(store, request_made)
    assert Approvals(store).open_of("s") is None
    assert told(store)[-1] == ("used", None)
    with pytest.raises(NotApproved, match="applied by the run"):
        Approvals(store).approve(request_made, ADA, None, alone=True)


def test_what_nobody_approved_is_not_used(store, request_made):
    with pytest.raises(NotApproved):
        use(store, request_made)


def test_what_is_out_of_time_is_neither_approved_nor_used(store, request_made, clock):
    approvals = Approvals(store)
    given = approvals.approve(request_made, ADA, None, alone=True)
    clock.advance(timedelta(days=8).total_seconds())
    assert approvals.standing("s") is None
    assert approvals.open_of("s") == given
    with pytest.raises(NotApproved):
        use(store, given)
    with pytest.raises(NotApproved, match="waited until"):
        approvals.approve(request_made, ADA, None, alone=True)


def test_what_another_plan_took_the_place_of_is_not_approved(store, request_made):
    with store.write() as connection:
        (entry,) = Approvals(store).close(connection, request_made, End.OVERTAKEN)
        Audit(store).append(connection, entry)
    with pytest.raises(NotApproved, match="took the place"):
        Approvals(store).approve(request_made, ADA, None, alone=True)
    with store.write() as connection:
        assert Approvals(store).close(connection, request_made, End.EXPIRED) == []


@pytest.mark.parametrize(
    "who", [Author("cron", "h"), Author("x", "h", " CRON "), Author("Cron", "h")]
)
def test_with_four_eyes_who_asked_is_refused_however_it_is_spelled(store, request_made, who):
    with pytest.raises(NotApproved, match="four_eyes"):
        Approvals(store).approve(request_made, who, None, alone=False)
    assert Approvals(store).approve(request_made, ADA, None, alone=False).approved_by == "Ada"


def test_no_secret_is_kept_of_who_and_why(store, request_made):
    store.mask = lambda text: text.replace("hush", "***")
    who = replace(ADA, name="hush")
    given = Approvals(store).approve(request_made, who, "hush hush", alone=True)
    assert (given.approved_by, given.note) == ("***", "*** ***")
    assert "hush" not in json.dumps([row.entry for row in Audit(store).rows()])


def test_what_was_rejected_is_neither_approved_nor_used_nor_rejected_again(store, request_made):
    approvals = Approvals(store)
    approvals.approve(request_made, ADA, None, alone=True)
    said = approvals.reject(request_made, BOB, "not now")
    assert (said.ended_as, said.ended_by, said.note) == (End.REJECTED, "Bob", "not now")
    with pytest.raises(NotApproved):
        use(store, request_made)
    for again in (approvals.reject, lambda *given: approvals.approve(*given, alone=True)):
        with pytest.raises(NotApproved, match="Bob rejected the plan abc123def456 at "):
            again(request_made, ADA, None)
    assert told(store) == [("asked", None), ("approved", "Ada"), ("rejected", "Bob")]
    assert approvals.rejected("s", request_made.deeds) == said
    assert approvals.rejected("s", "2" * 64) is None


def test_what_was_applied_cannot_be_rejected(store, request_made):
    Approvals(store).approve(request_made, ADA, None, alone=True)
    use(store, request_made)
    with pytest.raises(NotApproved, match="applied by the run"):
        Approvals(store).reject(request_made, BOB, None)
