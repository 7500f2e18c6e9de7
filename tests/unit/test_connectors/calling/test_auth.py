from datetime import UTC, datetime, timedelta
from threading import Barrier, Thread

import pytest
from httpx import Response

from connectors.calling.answers import Dialect
from connectors.calling.auth import RenewedToken, Token
from connectors.calling.client import HttpClient, Safety
from connectors.calling.limiter import Limiter
from connectors.conformance import waitless
from connectors.contract.errors import Rejected, Unauthorized

pytestmark = pytest.mark.respx(assert_all_called=True, assert_all_mocked=True)

START = datetime(2026, 3, 10, tzinfo=UTC)


class Vendor:
    """Takes the tokens that it gave and has not `ended`; a clock that tests move."""

    def __init__(self, route):
        self.route = route
        self.route.side_effect = self.answer
        self.now, self.given, self.ended = START, 0, set()
        self.auth = RenewedToken("X-Token", self.fetch, lambda: self.now)

    def fetch(self):
        self.given += 1
        return Token(f"canary-{self.given}", self.now + timedelta(hours=1))

    def answer(self, request):
        token = request.headers["X-Token"]
        if token in self.ended:
            return Response(401, json={"said": f"what is {token}?"})
        return Response(200, json={})

    @property
    def seen(self):
        """The token of each call that arrived."""
        return [call.request.headers["X-Token"] for call in self.route.calls]

    def client(self):
        runtime = waitless()
        return HttpClient(
            "shop",
            "https://shop.example",
            limiter=Limiter(100, 60, runtime),
            runtime=runtime,
            dialect=Dialect(message=lambda body: body["said"]),
            auth=self.auth,
        )


@pytest.fixture
def vendor(respx_mock):
    return Vendor(respx_mock.route(url="https://shop.example/a"))


def test_a_token_is_fetched_when_first_needed_and_used_until_it_is_due(vendor):
    client = vendor.client()
    assert vendor.given == 0
    for _ in range(2):
        client.call("GET", "/a", safety=Safety.SAFE)
    vendor.now += timedelta(hours=1)
    client.call("GET", "/a", safety=Safety.SAFE)
    assert vendor.seen == ["canary-1", "canary-1", "canary-2"]


def test_a_write_that_is_refused_with_401_is_sent_once_more_with_a_new_token(vendor):
    vendor.ended = {"canary-1"}
    vendor.client().call("POST", "/a", json={"n": 1}, safety=Safety.ONCE)
    assert vendor.seen == ["canary-1", "canary-2"]


def test_a_second_refusal_is_the_answer_and_shows_no_token(vendor):
    vendor.ended = {"canary-1", "canary-2"}
    with pytest.raises(Unauthorized) as caught:
        vendor.client().call("GET", "/a", safety=Safety.SAFE)
    assert vendor.given == 2
    assert "canary" not in str(caught.value)


def test_threads_that_are_refused_together_fetch_one_new_token(vendor):
    client = vendor.client()
    client.call("GET", "/a", safety=Safety.SAFE)
    vendor.ended = {"canary-1"}
    together = Barrier(4)

    def late(request):
        if request.headers["X-Token"] == "canary-1":
            together.wait(5)
        return vendor.answer(request)

    vendor.route.side_effect = late
    threads = [
        Thread(target=client.call, args=("GET", "/a"), kwargs={"safety": Safety.SAFE})
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(5)
    assert vendor.given == 2


@pytest.mark.respx(assert_all_called=False)
def test_what_keeps_a_token_from_being_fetched_is_raised_as_it_is(vendor):
    def fetch():
        raise Rejected("no such pair")

    vendor.auth = RenewedToken("X-Token", fetch, lambda: vendor.now)
    with pytest.raises(Rejected, match="no such pair"):
        vendor.client().call("POST", "/a", json={}, safety=Safety.ONCE)
    assert vendor.seen == []


@pytest.mark.respx(assert_all_called=False)
@pytest.mark.parametrize("token", ["a\nb", "tökén", " blank "])
def test_a_token_that_no_header_can_carry_is_refused_and_not_told(vendor, token):
    vendor.auth = RenewedToken("X-Token", lambda: Token(token), lambda: vendor.now)
    with pytest.raises(Unauthorized, match="characters that no header can") as caught:
        vendor.client().call("GET", "/a", safety=Safety.SAFE)
    assert token not in str(caught.value)
    assert vendor.seen == []
