"""The VTEX sandbox over real HTTP: the rules that VTEX documents, its switches, the faults."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from connectors.sandbox.server import Served, serve
from connectors.sandbox.vtex.api import VtexSandbox

UNIT = "/api/budgets/UNIT/unit-first"
KEYS = {"X-VTEX-API-AppKey": "app_key_sandbox", "X-VTEX-API-AppToken": "app_token_sandbox"}
ALERTS = {
    "enable": True,
    "thresholds": [{"type": "PERCENT", "Value": 80}],
    "recipients": [{"type": "Email", "identifier": "ada@example.com"}],
}
BUDGET = {
    "name": "Travel",
    "description": "All trips",
    "amount": 1000,
    "cycleConfiguration": {
        "startDate": "2026-01-01T00:00:00.0000000Z",
        "endDate": "2026-02-01T00:00:00.0000000Z",
        "autoResetOnPeriodEnd": True,
        "carryOverBalance": False,
    },
    "notificationSettings": ALERTS,
}
SHARE = {"linkedEntity": {"id": "ada", "type": "User"}, "amount": 100, "referenceId": "r-1"}
ORDER = {"origin": "shop", "amount": 30, "requestedBy": "ada@example.com", "type": "DEBIT"}
BY = {"requestedBy": "ada@example.com"}


@dataclass
class Desk:
    """A client at a served sandbox."""

    served: Served
    http: httpx.Client

    def send(self, method: str, path: str, body: Any = None) -> httpx.Response:
        return self.http.request(method, path, json=body)

    def made(self, path: str, body: Any) -> dict[str, Any]:
        answer = self.send("POST", path, body)
        assert answer.is_success, answer.text
        return answer.json()

    def budget(self, **said: Any) -> str:
        return f"{UNIT}/{self.made(UNIT, BUDGET | said)['id']}"

    def share(self, budget: str, **said: Any) -> str:
        made = self.made(f"{budget}/allocations", SHARE | said)
        return f"{budget}/allocations/{made['id']}"

    def shown(self, path: str) -> Any:
        answer = self.send("GET", path)
        assert answer.status_code == 200, answer.text
        return answer.json()


@pytest.fixture
def open_desk() -> Iterator[Callable[..., Desk]]:
    with ExitStack() as stack:

        def opened(**settings: Any) -> Desk:
            served = stack.enter_context(serve(VtexSandbox(rate_limit="off", **settings)))
            http = httpx.Client(base_url=served.url, headers=KEYS, verify=False)
            return Desk(served, stack.enter_context(http))

        yield opened


@pytest.fixture
def desk(open_desk: Callable[..., Desk]) -> Desk:
    return open_desk()


# Who may call


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 401),
        ({**KEYS, "X-VTEX-API-AppToken": "wrong"}, 401),
        ({"VtexIdclientAutCookie": "wrong"}, 401),
        ({"VtexIdclientAutCookie": "user_token_sandbox"}, 200),
        ({"VtexIdclientAutCookie": "user_token_readonly"}, 200),
        (KEYS, 200),
    ],
)
def test_a_credential_of_either_kind_opens(desk, headers, status):
    answer = httpx.get(f"{desk.served.url}{UNIT}", headers=headers)
    assert answer.status_code == status
    assert "trace-id" in answer.headers


def test_looking_is_a_right_of_its_own_and_a_query_needs_more(desk):
    desk.http.headers = httpx.Headers({"VtexIdclientAutCookie": "user_token_readonly"})
    for method, path, body in (
        ("POST", UNIT, BUDGET),
        ("POST", f"{UNIT}/allocations/query", {"items": []}),
    ):
        assert desk.send(method, path, body).status_code == 403


def test_a_key_pair_is_exchanged_for_a_token_that_ends(open_desk):
    for seconds, status in ((60, 200), (0, 401)):
        desk = open_desk(tokens_only=True, token_seconds=seconds)
        pair = {"appkey": "app_key_sandbox", "apptoken": "app_token_sandbox"}
        login = desk.made("/api/vtexid/apptoken/login", pair)
        assert login["authStatus"] == "Success"
        assert desk.send("GET", UNIT).status_code == 401
        desk.http.headers["VtexIdclientAutCookie"] = login["token"]
        assert desk.send("GET", UNIT).status_code == status


# Budgets


def test_a_budget_answers_as_documented(desk):
    path = desk.budget()
    shown = desk.shown(path)
    assert shown == {
        "id": path.rpartition("/")[2],
        "name": "Travel",
        "description": "All trips",
        "balance": {"amount": 1000, "balanceAdjustment": 0, "remaining": 1000},
        "cycleConfiguration": {
            **BUDGET["cycleConfiguration"],
            "nextRenewal": "2026-02-01T00:00:00.0000000Z",
        },
        "notificationSettings": ALERTS,
        "status": "ACTIVE",
        "contextType": "UNIT",
        "contextId": "unit-first",
        "allocations": [],
    }


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": None}, {"description": None}, {"amount": None}, {"amount": "1000"},
        {"amount": True}, {"status": "ACTIVE"}, {"cycleConfiguration": {"startDate": "2026-01-01"}},
        {"notificationSettings": [{"type": "PERCENT", "threshold": 1}]}, {"colour": "red"},
    ],
)  # fmt: skip
def test_a_wrong_budget_is_400_and_makes_nothing(desk, wrong):
    answer = desk.send("POST", UNIT, BUDGET | wrong)
    assert (answer.status_code, answer.json()) == (
        400,
        {"error": "Validation error in request body."},
    )
    assert desk.shown(UNIT)["items"] == []


def test_a_list_shows_summaries_and_where_it_is(desk):
    for name in "abc":
        desk.budget(name=name)
    page = desk.shown(f"{UNIT}?page=2&pageSize=2")
    assert page["pagination"] == {"current": 2, "pages": 2, "results": 3}
    (item,) = page["items"]
    assert item.keys() == {
        "id", "name", "startDate", "endDate", "balance", "status", "contextType", "contextId",
    }  # fmt: skip
    assert desk.shown(f"{UNIT}?page=9&pageSize=2")["items"] == []


@pytest.mark.parametrize("query", ["page=0", "pageSize=0", "page=x", "minAmount=x"])
def test_a_wrong_query_is_400(desk, query):
    assert desk.send("GET", f"{UNIT}?{query}").status_code == 400


@pytest.mark.parametrize(
    ("query", "names"),
    [("name=TRA", ["Travel"]), ("minAmount=1500", ["Rent"]), ("status=INACTIVE", ["Rent"])],
)
def test_a_list_is_filtered(desk, query, names):
    desk.budget()
    path = desk.budget(name="Rent", amount=2000)
    desk.send("PUT", f"{path}/status", {"status": "INACTIVE"})
    assert [item["name"] for item in desk.shown(f"{UNIT}?{query}")["items"]] == names


def test_a_put_keeps_what_is_left_out_unless_switched(open_desk):
    body = {"name": "Trips", "description": "", "amount": 5}
    for clears in (False, True):
        desk = open_desk(put_clears=clears)
        path = desk.budget()
        desk.share(path)
        answer = desk.send("PUT", path, body).json()
        assert (answer["name"], answer["allocations"]) == ("Trips", [])
        assert ("notificationSettings" in desk.shown(path)) is not clears


def test_a_budget_is_purged_once_nothing_hangs_on_it(desk):
    path = desk.budget()
    share = desk.share(path)
    assert desk.send("DELETE", path).status_code == 409
    assert desk.send("DELETE", share).status_code == 200
    assert desk.send("DELETE", path).status_code == 200
    for method in ("GET", "DELETE"):
        assert desk.send(method, path).status_code == 404


def test_a_budget_can_be_made_with_its_allocations(desk):
    path = desk.budget(allocations=[SHARE])
    (share,) = desk.shown(path)["allocations"]
    assert (share["linkedEntity"], share["balance"]["amount"]) == (SHARE["linkedEntity"], 100)


def test_a_unit_shows_nothing_of_another(open_desk):
    desk = open_desk(units=("unit-first", "unit-second"))
    path = desk.budget()
    assert desk.shown("/api/budgets/UNIT/unit-second")["items"] == []
    assert desk.send("GET", path.replace("first", "second")).status_code == 404
    assert desk.send("GET", path.replace("unit-first", "nowhere")).status_code == 404


# Allocations


def test_a_deleted_allocation_stays_to_be_read_and_no_more(desk):
    share = desk.share(desk.budget())
    desk.send("DELETE", share)
    assert desk.shown(share)["status"] == "DELETED"
    body = SHARE | {"amount": 5}
    assert desk.send("PUT", share, body).status_code == 409
    assert desk.send("PUT", f"{share}/status", {"status": "ACTIVE"}).status_code == 409
    assert desk.send("DELETE", share).status_code == 404
    listed = desk.shown(share.rpartition("/")[0])["items"]
    assert [item["status"] for item in listed] == ["DELETED"]


def test_an_entity_has_one_allocation_of_a_budget_unless_switched(open_desk):
    for twins, status in ((False, 409), (True, 200)):
        desk = open_desk(twins=twins)
        path = desk.budget()
        desk.share(path)
        assert desk.send("POST", f"{path}/allocations", SHARE).status_code == status


def test_an_allocation_is_changed_linked_and_switched_off(desk):
    share = desk.share(desk.budget())
    link = {"linkedEntityId": "6100", "linkedEntityType": "CostCenter"}
    assert desk.send("PUT", f"{share}/linked-entity", link).content == b""
    entity = {"id": "6100", "type": "CostCenter"}
    desk.send("PUT", share, SHARE | {"amount": 7.5, "linkedEntity": entity})
    answer = desk.send("PUT", f"{share}/status", {"status": "INACTIVE"})
    assert answer.json() == {"status": "INACTIVE"}
    shown = desk.shown(share)
    assert (shown["linkedEntity"], shown["balance"]["amount"]) == (entity, 7.5)
    assert desk.send("PUT", f"{share}/status", {"status": "DELETED"}).status_code == 400


def without(body: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: said for name, said in body.items() if name not in names}


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (without(SHARE, "referenceId") | {"contractId": "c-1"}, 200),
        (SHARE | {"contractId": "c-1", "allocations": [SHARE]}, 200),
        (without(SHARE, "referenceId"), 400),
        (SHARE | {"allocations": "all"}, 400),
        (SHARE | {"": 1}, 400),
        (SHARE | {"": 1, "amount": "ten"}, 400),
    ],
    ids=["contract alone", "allocations", "neither", "no list", "empty name", "and what follows"],
)
def test_a_put_of_an_allocation_takes_what_vtex_was_recorded_to_take(desk, body, status):
    share = desk.share(desk.budget())
    assert desk.send("PUT", share, body).status_code == status
    row = desk.shown(share)
    assert row["referenceId"] == "r-1"
    assert row.get("contractId") == (body.get("contractId") if status == 200 else None)
    assert "allocations" not in row


def test_a_slash_at_the_end_of_a_path_is_no_other_path(desk):
    share = desk.share(desk.budget())
    assert desk.send("PUT", f"{share}/", SHARE | {"amount": 7}).status_code == 200
    assert desk.shown(f"{share}/")["balance"]["amount"] == 7


def test_a_new_allocation_may_name_its_contract_twice(desk):
    share = desk.share(desk.budget(), contractId="c-1")
    assert desk.shown(share)["contractId"] == "c-1"


def test_a_batch_takes_the_array_form_of_alerts(desk):
    alerts = [{"type": "AMOUNT", "threshold": 5, "recipients": [{"email": "ada@example.com"}]}]
    path = desk.budget()
    made = desk.made(
        f"{path}/allocations/batch", {"allocations": [SHARE | {"notificationSettings": alerts}]}
    )
    assert made["allocations"][0]["notificationSettings"] == alerts
    assert desk.send(
        "POST", f"{path}/allocations", SHARE | {"notificationSettings": alerts}
    ).is_error


@pytest.mark.parametrize(
    ("batch", "status", "left"),
    [("whole", 409, ["b"]), ("until_bad", 409, ["a", "b"]), ("skips_bad", 200, ["a", "b", "c"])],
)
def test_a_batch_with_a_bad_part_is_done_as_switched(open_desk, batch, status, left):
    desk = open_desk(batch=batch, adds_up=True)
    path = desk.budget()
    desk.share(path, linkedEntity={"id": "b", "type": "User"})
    parts = [SHARE | {"linkedEntity": {"id": id, "type": "User"}} for id in "abc"]
    answer = desk.send("POST", f"{path}/allocations/batch", {"allocations": parts})
    assert answer.status_code == status
    shown = desk.shown(path)
    assert sorted(share["linkedEntity"]["id"] for share in shown["allocations"]) == left
    assert shown["balance"]["amount"] == 1000 + 100 * len(left)


@pytest.mark.parametrize(
    ("answered", "shown"), [("in_order", "abc"), ("reversed", "cba"), ("lacks_one", "bc")]
)
def test_a_batch_is_answered_as_switched(open_desk, answered, shown):
    desk = open_desk(batch_answer=answered)
    parts = [SHARE | {"linkedEntity": {"id": id, "type": "User"}} for id in "abc"]
    made = desk.made(f"{desk.budget()}/allocations/batch", {"allocations": parts})
    assert "".join(share["linkedEntity"]["id"] for share in made["allocations"]) == shown


def test_a_summary_of_an_allocation_has_no_reference(desk):
    share = desk.share(desk.budget())
    (item,) = desk.shown(share.rpartition("/")[0])["items"]
    assert "referenceId" not in item
    assert desk.shown(share)["referenceId"] == "r-1"


# Money that moves


def test_a_booking_moves_the_allocation_and_its_budget_and_may_go_below_nothing(desk):
    path = desk.budget()
    share = desk.share(path)
    booked = desk.made(f"{share}/transactions", ORDER | {"amount": 130})
    assert desk.shown(share)["balance"]["remaining"] == -30
    assert desk.shown(path)["balance"] == {
        "amount": 1000, "balanceAdjustment": 130, "remaining": 870,
    }  # fmt: skip
    desk.made(f"{share}/transactions/{booked['id']}/refund", BY)
    assert desk.shown(share)["balance"]["remaining"] == 100
    lines = desk.shown(f"{path}/statements")["transactions"]
    assert [line["type"] for line in lines] == ["DEBIT", "CREDIT"]


@pytest.mark.parametrize(("end", "left"), [("confirmation", 70), ("", 100)])
def test_a_reservation_is_held_until_it_is_confirmed_or_cancelled(desk, end, left):
    share = desk.share(desk.budget())
    held = f"{share}/reservations/o-1"
    desk.made(f"{share}/reservations", ORDER | {"reference": "o", "reservationId": "o-1"})
    assert desk.shown(share)["balance"]["remaining"] == 70
    answer = desk.send("POST", f"{held}/{end}", BY) if end else desk.send("DELETE", held, BY)
    assert answer.status_code == 200
    assert desk.shown(share)["balance"]["remaining"] == left
    assert desk.shown(held)["status"] == ("CONFIRMED" if end else "CANCELLED")
    assert desk.send("DELETE", held, BY).status_code == 409


def test_a_query_finds_what_is_active(desk):
    share = desk.share(desk.budget())
    asked = {"items": [{"id": "ada", "type": "USER"}]}
    (hit,) = desk.made(f"{UNIT}/allocations/query", asked)["items"]
    assert hit["allocationId"] == share.rpartition("/")[2]
    desk.send("PUT", f"{share}/status", {"status": "INACTIVE"})
    assert desk.made(f"{UNIT}/allocations/query", asked) == {"items": []}


def test_money_can_be_spent_and_a_cycle_renewed_from_outside(desk):
    path = desk.budget()
    id = desk.share(path).rpartition("/")[2]
    desk.made("/_sandbox/spend", {"allocation_id": id, "amount": 40})
    assert desk.shown(path)["balance"]["remaining"] == 960
    desk.made("/_sandbox/renew", {"budget_id": path.rpartition("/")[2]})
    assert desk.shown(path)["balance"]["remaining"] == 1000
    assert desk.send("POST", "/_sandbox/renew", {"budget_id": "nothing"}).status_code == 400


# Builds and accidents


def test_answers_have_the_vendors_own_types_unless_switched(open_desk):
    for plain, kind in ((False, "vnd.vtex.list-budgets+json"), (True, "json")):
        answer = open_desk(plain_types=plain).send("GET", UNIT)
        assert answer.headers["content-type"] == f"application/{kind}"


def test_an_older_build_lists_american_dates_and_old_thresholds(open_desk):
    desk = open_desk(legacy_lists=True)
    desk.budget()
    (item,) = desk.shown(UNIT)["items"]
    assert item["startDate"] == "01/01/2026 00:00:00"
    assert item["notifyThresholds"] == [{"type": "PERCENT", "threshold": 80}]
    assert item["balance"]["totalUtilized"] == 0


def test_a_renewal_moves_the_cycle_where_switched(open_desk):
    desk = open_desk(moves_cycles=True)
    path = desk.budget()
    desk.made("/_sandbox/renew", {"budget_id": path.rpartition("/")[2]})
    cycle = desk.shown(path)["cycleConfiguration"]
    assert cycle["startDate"] == "2026-02-01T00:00:00.0000000Z"
    assert cycle["endDate"] == "2026-03-01T00:00:00.0000000Z"


def test_an_allocations_amount_moves_the_total_where_switched(open_desk):
    desk = open_desk(adds_up=True)
    path = desk.budget()
    desk.share(path)
    assert desk.shown(path)["balance"]["amount"] == 1100


def test_allocations_may_not_exceed_their_budget_where_switched(open_desk):
    for must_fit, status in ((False, 200), (True, 409)):
        desk = open_desk(must_fit=must_fit)
        path = desk.budget(amount=150)
        share = desk.share(path)
        other = SHARE | {"linkedEntity": {"id": "grace", "type": "User"}}
        less = {name: BUDGET[name] for name in ("name", "description")} | {"amount": 99}
        assert desk.send("PUT", share, SHARE | {"amount": 151}).status_code == status
        assert desk.send("POST", f"{path}/allocations", other).status_code == status
        assert desk.send("PUT", path, less).status_code == status
        assert desk.send("PUT", share, SHARE | {"amount": 90}).status_code == 200


def test_a_full_server_says_so_in_vtexs_words(desk):
    desk.served.faults.add("rate_limit", retry_after=7)
    answer = desk.send("GET", UNIT)
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "7")
    assert answer.json() == {"error": "Rate limit exceeded for this account"}


def test_pages_that_repeat_never_end(desk):
    for name in "abc":
        desk.budget(name=name)
    desk.served.faults.add("repeat_cursor", times=-1)
    for page in (1, 2, 3, 4):
        said = desk.shown(f"{UNIT}?page={page}&pageSize=2")["pagination"]
        assert said["pages"] > said["current"]
