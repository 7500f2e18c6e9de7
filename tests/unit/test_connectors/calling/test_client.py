import gzip
import json
import logging
import socket
import threading
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from email.utils import format_datetime

import httpx
import pytest
from httpx import Response

from connectors.calling.answers import Dialect
from connectors.calling.client import HttpClient, Safety
from connectors.calling.limiter import Limiter
from connectors.contract.errors import (
    Forbidden,
    Malformed,
    Missing,
    RateLimited,
    Rejected,
    Stale,
    Transient,
    Unauthorized,
    Uncertain,
    Unreadable,
)
from connectors.contract.request_ids import noting
from connectors.contract.runtime import Runtime

pytestmark = pytest.mark.respx(assert_all_called=True, assert_all_mocked=True)

TOKEN = "bxt_very-secret"
START = datetime(2026, 11, 20, 12, tzinfo=UTC)
WRITES = [Safety.IDEMPOTENT, Safety.KEYED, Safety.ONCE]
DIALECT = Dialect(
    message=lambda body: body["message"],
    request_id=("X-Trace-Id",),
    content_types=frozenset({"text/json"}),
    reset_headers=("x-rate-limit-reset",),
)
MADE = Response(200, json={"id": "b"})


@pytest.fixture
def vendor(respx_mock):
    """All of the vendor's addresses as one route; a test says what it answers."""
    return respx_mock.route(scheme="https", host="api.test")


class World:
    """A client of the vendor, and time that only sleep moves."""

    def __init__(self, base_url="https://api.test", patience=300.0, chance=1.0, **more):
        self.slept = []
        self.time = 1000.0
        self.runtime = Runtime(
            now=lambda: START + timedelta(seconds=self.time - 1000),
            monotonic=lambda: self.time,
            sleep=self.sleep,
            random=lambda: chance,
            patience=patience,
        )
        self.limiter = Limiter(1000, 60, self.runtime)
        self.client = HttpClient(
            "spend",
            base_url,
            headers={"Authorization": f"Bearer {TOKEN}"},
            limiter=self.limiter,
            runtime=self.runtime,
            dialect=DIALECT,
            **more,
        )

    def sleep(self, seconds):
        self.slept.append(seconds)
        self.time += seconds

    def get(self, path="/v2/budgets", **more):
        return self.client.call("GET", path, safety=Safety.SAFE, **more)

    def write(self, safety, **more):
        key = "key-1" if safety is Safety.KEYED else None
        return self.client.call(
            "POST", "/v2/budgets", safety=safety, key=key, json={"a": 1}, **more
        )


@pytest.fixture
def world():
    return World()


class Body(httpx.SyncByteStream):
    """A body in pieces, as a socket hands it out; with an error it breaks off after them."""

    closed = False

    def __init__(self, *pieces, error=None):
        self.pieces, self.error = pieces, error

    def __iter__(self):
        yield from self.pieces
        if self.error:
            raise self.error

    def close(self):
        self.closed = True


def broken(status, error):
    return Response(status, stream=Body(b'{"items": [', error=error))


def failing(expected, **world):
    """The error that a read ends with, and the world in which it did."""
    world = World(**world)
    with pytest.raises(expected) as caught:
        world.get("/v2/budgets?cursor=hidden")
    assert type(caught.value) is expected
    return caught.value, world


# What is sent


def test_a_request_carries_credential_version_and_accept(vendor, world):
    vendor.respond(200)
    world.get()
    sent = vendor.calls.last.request
    assert sent.headers["authorization"] == f"Bearer {TOKEN}"
    assert sent.headers["user-agent"].startswith("trueup/0.")
    assert sent.headers["accept"] == "application/json"


def test_every_call_has_its_timeouts(vendor, world):
    vendor.respond(200)
    world.get()
    timeout = vendor.calls.last.request.extensions["timeout"]
    assert timeout == {"connect": 10, "read": 30, "write": 30, "pool": 30}


def test_the_path_follows_the_base_address(vendor):
    vendor.respond(200)
    World(base_url="https://api.test/connect/").get("/v3/x")
    assert str(vendor.calls.last.request.url) == "https://api.test/connect/v3/x"


def test_parameters_that_are_none_are_not_sent(vendor, world):
    vendor.respond(200)
    world.get(params={"cursor": None, "limit": 2, "user": ["a", "b"]})
    assert vendor.calls.last.request.url.query == b"limit=2&user=a&user=b"


def test_a_body_keeps_every_digit_of_its_decimals(vendor, world):
    vendor.respond(200)
    body = {
        "money": Decimal("12345678901234567.89"),
        "big": Decimal("1E+3"),
        "on": date(2026, 1, 31),
        "list": (1, None, True, "ä\n"),
    }
    world.client.call("PUT", "/x", json=body, safety=Safety.IDEMPOTENT)
    sent = vendor.calls.last.request
    assert sent.content == (
        b'{"money":12345678901234567.89,"big":1000,"on":"2026-01-31","list":[1,null,true,"\\u00e4\\n"]}'
    )
    assert sent.headers["content-type"] == "application/json"


@pytest.mark.parametrize("value", [1.5, Decimal("NaN"), object()])
def test_a_body_with_a_float_or_no_number_is_refused(respx_mock, world, value):
    with pytest.raises(TypeError, match="cannot be written as JSON"):
        world.client.call("PUT", "/x", json={"amount": value}, safety=Safety.IDEMPOTENT)
    assert not respx_mock.calls


def test_a_keyed_call_needs_its_key(respx_mock, world):
    with pytest.raises(ValueError, match="needs its key"):
        world.client.call("POST", "/x", safety=Safety.KEYED)
    assert not respx_mock.calls


def test_cookies_of_the_vendor_are_not_sent_back(vendor, world):
    vendor.respond(200, headers={"set-cookie": "session=1"})
    world.get()
    world.get()
    assert "cookie" not in vendor.calls.last.request.headers


@pytest.mark.parametrize("token", ["two\nlines", "blank ", "smörgås"])
def test_a_credential_that_no_header_can_hold_is_refused_without_showing_it(world, token):
    with pytest.raises(Unauthorized) as caught:
        HttpClient(
            "spend",
            "https://api.test",
            headers={"Authorization": token},
            limiter=world.limiter,
            runtime=world.runtime,
            dialect=DIALECT,
        )
    assert token not in str(caught.value)
    assert "[systems.spend]" in str(caught.value)


@pytest.mark.parametrize(
    "address", ["ftp://api.test", "api.test", "https://me:pw@api.test", "https://x:port"]
)
def test_an_address_that_cannot_be_called_is_refused(address):
    with pytest.raises(Unreadable, match="base_url is not an address"):
        World(base_url=address)


# What an answer becomes


def test_numbers_are_read_exactly(vendor, world):
    vendor.respond(content=b'{"a": 1234567890123456.10, "b": 7}', content_type="application/json")
    assert repr(world.get()) == "{'a': Decimal('1234567890123456.10'), 'b': 7}"


@pytest.mark.parametrize("status", [204, 200])
def test_an_empty_answer_is_none(vendor, world, status):
    vendor.respond(status)
    assert world.get() is None


@pytest.mark.parametrize(
    "kind", ["application/json; charset=utf-8", "application/vnd.x.list+json", "Text/JSON", ""]
)
def test_json_types_are_accepted(vendor, world, kind):
    vendor.respond(content=b"[]", headers={"content-type": kind})
    assert world.get() == []


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (400, Rejected),
        (401, Unauthorized),
        (402, Rejected),
        (403, Forbidden),
        (404, Missing),
        (405, Rejected),
        (408, Transient),
        (409, Rejected),
        (412, Stale),
        (415, Rejected),
        (422, Rejected),
        (429, RateLimited),
        (500, Transient),
        (503, Transient),
    ],
)
def test_a_status_has_one_meaning_for_reads(vendor, status, expected):
    vendor.respond(status, json={"message": "no."}, headers={"x-trace-id": "t-1"})
    error, _ = failing(expected)
    assert str(error).startswith(f"spend: GET /v2/budgets answered {status} (request id t-1): no")
    assert vendor.call_count == (6 if issubclass(expected, Transient) else 1)


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_credential_names_the_setting(vendor, status):
    vendor.respond(status)
    error, _ = failing((Unauthorized, Forbidden)[status == 403])
    assert "Check the token of [systems.spend]" in error.hint


def test_a_404_in_nobodys_words_asks_for_the_base_address(vendor):
    vendor.respond(404, html="<html>")
    error, _ = failing(Missing)
    assert "base_url" in error.hint
    vendor.respond(404, json={"message": "no such budget"})
    error, _ = failing(Missing)
    assert error.hint == ""


@pytest.mark.parametrize(
    "body", [b"", b"<html>x</html>", b"[1]", b'{"other": 1}', b'{"message": null}']
)
def test_an_error_body_of_any_shape_leaves_the_status_in_charge(vendor, body):
    vendor.respond(400, content=body, content_type="application/json")
    error, _ = failing(Rejected)
    assert error.message == "Bad Request"


def test_a_message_that_is_no_text_is_told_all_the_same(vendor):
    vendor.respond(400, json={"message": {"name": "invalid"}})
    error, _ = failing(Rejected)
    assert error.message == "{'name': 'invalid'}"


def test_a_plain_text_error_is_told_as_it_is(vendor):
    vendor.respond(400, content=b"name is\x1b[31m\n invalid", content_type="text/plain")
    error, _ = failing(Rejected)
    assert error.message == "name is [31m invalid"


def test_a_long_message_is_cut_and_holds_no_secret(vendor):
    vendor.respond(400, json={"message": f"token {TOKEN} is bad {'x' * 900}"})
    error, _ = failing(Rejected)
    assert error.message.startswith("token *** is bad xxx")
    assert len(error.message) == 500


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("target", ["https://evil.test/", "https://x:port/", "foo://x"])
def test_a_redirect_is_never_followed(vendor, status, target):
    vendor.respond(status, headers={"location": target})
    error, _ = failing(Malformed)
    assert "redirects are not followed" in str(error)
    assert vendor.call_count == 1


@pytest.mark.parametrize(
    ("body", "kind", "said"),
    [
        (b"<html>", "text/html", "text/html, not JSON"),
        (b'{"a": ', "application/json", "not whole JSON"),
        (b'{"a": NaN}', "application/json", "not whole JSON"),
        (b"\xff\xfe", "application/json", "not whole JSON"),
        (b"[" * 100_000, "application/json", "not whole JSON"),
    ],
)
def test_a_success_that_cannot_be_read_is_malformed_and_not_repeated(vendor, body, kind, said):
    vendor.respond(content=body, content_type=kind)
    error, _ = failing(Malformed)
    assert said in str(error)
    assert vendor.call_count == 1


def test_an_answer_larger_than_allowed_is_malformed(vendor):
    vendor.respond(content=b"[" + b" " * 100 + b"]")
    error, _ = failing(Malformed, max_body=100)
    assert "larger than 100 bytes" in str(error)
    vendor.respond(content=b"[" + b" " * 98 + b"]")
    assert World(max_body=100).get() == []


def test_the_pieces_of_an_answer_make_one_whole(vendor, world):
    vendor.respond(stream=Body(b"[1,", b"2,", b"3]"))
    assert world.get() == [1, 2, 3]


def test_the_size_is_that_of_all_pieces_together(vendor):
    vendor.respond(stream=Body(b"[1,", b"2,", b"3]"))
    failing(Malformed, max_body=6)


def test_an_answer_that_is_not_read_to_its_end_gives_its_connection_back(vendor):
    body = Body(b"[1,", b"2,", b"3]")
    vendor.respond(stream=body)
    failing(Malformed, max_body=3)
    assert body.closed


def test_the_size_is_judged_after_decompression(vendor):
    small = gzip.compress(b"[" + b" " * 100_000 + b"]")
    assert len(small) < 1000
    vendor.respond(
        content=small, headers={"content-encoding": "gzip", "content-type": "application/json"}
    )
    failing(Malformed, max_body=1000)


def test_an_answer_that_cannot_be_decompressed_is_malformed(vendor):
    vendor.respond(headers={"content-encoding": "gzip"}, stream=Body(b"no gzip"))
    error, _ = failing(Malformed)
    assert "decompressed" in str(error)


def test_a_body_that_breaks_off_is_read_again(vendor, world):
    vendor.side_effect = [
        broken(200, httpx.RemoteProtocolError("cut")),
        Response(200, json=[1]),
    ]
    assert world.get() == [1]


def test_a_body_that_always_breaks_off_is_malformed(vendor):
    vendor.return_value = broken(200, httpx.RemoteProtocolError("cut"))
    error, _ = failing(Malformed)
    assert "breaks off" in str(error)
    assert vendor.call_count == 6


def test_a_refusal_whose_body_breaks_off_is_a_refusal(vendor):
    vendor.return_value = broken(400, httpx.ReadTimeout("slow"))
    failing(Rejected)
    assert vendor.call_count == 1


# Retries


@pytest.mark.parametrize("safety", [Safety.SAFE, Safety.IDEMPOTENT, Safety.KEYED])
@pytest.mark.parametrize(
    "first",
    [Response(500), Response(408), httpx.ReadTimeout("slow"), httpx.RemoteProtocolError("gone")],
)
def test_what_may_be_repeated_is_repeated(vendor, world, safety, first):
    vendor.side_effect = [first, MADE]
    assert world.write(safety) == {"id": "b"}
    assert vendor.call_count == 2


def test_all_attempts_of_a_keyed_call_carry_the_same_key_and_body(vendor, world):
    vendor.side_effect = [Response(500), httpx.ReadTimeout("slow"), Response(429), MADE]
    world.write(Safety.KEYED, key_header="X-Key")
    sent = [call.request for call in vendor.calls]
    assert [each.headers["x-key"] for each in sent] == ["key-1"] * 4
    assert {each.content for each in sent} == {b'{"a":1}'}


def test_backoff_doubles_up_to_six_tries(vendor):
    vendor.respond(500)
    _, world = failing(Transient)
    assert world.slept == [0.5, 1, 2, 4, 8]
    assert world.client.calls == 6


def test_backoff_has_full_jitter(vendor):
    vendor.respond(500)
    _, world = failing(Transient, chance=0.1)
    assert world.slept == pytest.approx([0.05, 0.1, 0.2, 0.4, 0.8])


def test_a_call_gives_up_before_its_patience_ends(vendor):
    vendor.respond(500)
    _, world = failing(Transient, patience=5)
    assert world.slept == [0.5, 1, 2]


def test_a_write_that_is_done_once_is_never_sent_again(vendor, world):
    vendor.side_effect = [httpx.ReadTimeout("slow"), MADE]
    with pytest.raises(Uncertain):
        world.write(Safety.ONCE)
    assert vendor.call_count == 1


@pytest.mark.parametrize("safety", WRITES)
@pytest.mark.parametrize(
    "lost",
    [
        httpx.ReadTimeout("slow"),
        httpx.ReadError("reset"),
        httpx.WriteError("pipe"),
        httpx.RemoteProtocolError("gone"),
        Response(500),
        Response(408),
        Response(503, headers={"retry-after": "1"}),
        Response(200, html="<html>"),
        Response(200, content=b'{"id":', headers={"content-type": "application/json"}),
        broken(200, httpx.RemoteProtocolError("cut")),
    ],
)
def test_a_write_whose_answer_is_lost_is_uncertain(vendor, world, safety, lost):
    vendor.side_effect = [lost] * 6
    with pytest.raises(Uncertain, match="may have been done"):
        world.write(safety)


@pytest.mark.parametrize(
    "later",
    [Response(429), Response(401), Response(400), Response(412), httpx.ConnectError("refused")],
)
@pytest.mark.parametrize("safety", [Safety.IDEMPOTENT, Safety.KEYED])
def test_a_later_refusal_does_not_prove_that_the_first_attempt_failed(vendor, world, safety, later):
    vendor.side_effect = [httpx.ReadTimeout("slow"), *[later] * 5]
    with pytest.raises(Uncertain):
        world.write(safety)


def test_absence_found_by_a_repeat_is_absence(vendor, world):
    vendor.side_effect = [httpx.ReadTimeout("slow"), Response(404)]
    with pytest.raises(Missing):
        world.client.call("DELETE", "/x", safety=Safety.IDEMPOTENT)


@pytest.mark.parametrize("safety", WRITES)
@pytest.mark.parametrize(
    ("status", "expected"), [(400, Rejected), (401, Unauthorized), (302, Malformed)]
)
def test_a_write_that_was_refused_is_not_uncertain(vendor, world, safety, status, expected):
    vendor.respond(status)
    with pytest.raises(expected):
        world.write(safety)


@pytest.mark.parametrize("safety", Safety)
@pytest.mark.parametrize(
    "error",
    [
        httpx.ConnectError("refused"),
        httpx.ConnectTimeout("slow"),
        httpx.PoolTimeout("full"),
        httpx.ProxyError("no way through"),
    ],
)
def test_what_never_left_is_sent_again_whatever_it_is(vendor, world, safety, error):
    vendor.side_effect = [error, error, MADE]
    assert world.write(safety) == {"id": "b"}


@pytest.mark.parametrize("safety", Safety)
def test_a_server_that_never_answers_is_unreadable(vendor, world, safety):
    vendor.side_effect = httpx.ConnectError("Connection refused")
    with pytest.raises(
        Unreadable, match=r"no server answers at https://api.test \(Connection refused\)"
    ):
        world.write(safety)
    assert vendor.call_count == 6


# Rate limits


@pytest.mark.parametrize("safety", Safety)
def test_a_limited_call_was_not_done_and_is_sent_again(vendor, world, safety):
    vendor.side_effect = [Response(429), MADE]
    assert world.write(safety) == {"id": "b"}


def test_without_a_word_from_the_vendor_a_limited_call_waits_a_second_at_least(vendor):
    vendor.side_effect = [Response(429), Response(200)]
    world = World(chance=0.0)
    world.get()
    assert world.slept == [1]


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("retry-after", "90"),
        ("retry-after", format_datetime(START + timedelta(seconds=90), usegmt=True)),
        ("x-rate-limit-reset", str(int(START.timestamp()) + 90)),
        ("retry-after", "Fri, 20 Nov 2026 12:01:30 -0000"),
        ("x-rate-limit-reset", "90"),
    ],
)
def test_the_wait_that_a_vendor_asks_for_is_kept_to_the_second(vendor, header, value):
    vendor.side_effect = [Response(429, headers={header: value}), Response(200)]
    world = World(chance=0.0)
    world.get()
    assert world.slept == [90]


@pytest.mark.parametrize("value", ["soon", "-5", "1e9", "", "Wed, 99 Foo 2026"])
def test_a_wait_that_makes_no_sense_is_as_none(vendor, value):
    vendor.side_effect = [Response(429, headers={"retry-after": value}), Response(200)]
    world = World(chance=0.0)
    world.get()
    assert world.slept == [1]


def test_a_date_that_has_passed_asks_for_no_wait(vendor, world):
    past = format_datetime(START - timedelta(days=1), usegmt=True)
    vendor.side_effect = [Response(429, headers={"retry-after": past}), Response(200)]
    world.get()
    assert sum(world.slept) == 0


def test_a_broken_server_that_names_a_time_is_left_alone_until_then(vendor, world):
    names = {"retry-after": "90", "x-rate-limit-reset": "7"}
    vendor.side_effect = [Response(503, headers=names), Response(200)]
    world.get()
    assert world.slept == [90]


def test_a_counter_on_a_server_error_is_no_request_to_wait(vendor, world):
    vendor.side_effect = [Response(500, headers={"x-rate-limit-reset": "90"}), Response(200)]
    world.get()
    assert world.slept == [0.5]


def test_a_wait_beyond_patience_ends_the_call_at_once(vendor):
    vendor.respond(429, headers={"retry-after": "3600"})
    error, world = failing(RateLimited)
    assert error.after == 3600
    assert (world.slept, vendor.call_count) == ([], 1)


def test_a_wait_beyond_patience_stops_other_calls_before_they_leave(vendor):
    vendor.side_effect = [Response(429, headers={"retry-after": "3600"}), Response(200)]
    _, world = failing(RateLimited)
    world.time += 600
    with pytest.raises(RateLimited, match="spend: GET /v2/budgets") as caught:
        world.get()
    assert caught.value.after == 3000
    assert vendor.call_count == 1


def test_a_wait_asked_of_one_call_holds_all_others_back(vendor):
    vendor.respond(429, headers={"retry-after": "50"})
    _, world = failing(RateLimited, patience=10)
    with world.limiter.slot():
        assert world.slept == [50]


def test_waiting_for_the_own_pace_uses_up_no_patience(vendor):
    vendor.side_effect = [Response(200), Response(500), Response(200)]
    world = World(patience=8)
    world.client._limiter = Limiter(1, 9, world.runtime)
    world.get()
    world.get()
    assert world.slept == [9, 0.5, 8.5]


# Links, secrets, log


@pytest.mark.parametrize(
    ("link", "whole"),
    [
        ("https://api.test/v2/x?page=2", "https://api.test/v2/x?page=2"),
        ("https://api.test:443/v2/x", "https://api.test/v2/x"),
        ("/v2/x?page=2", "https://api.test/v2/x?page=2"),
        ("?page=2", "https://api.test/v2?page=2"),
    ],
)
def test_a_link_is_made_whole(link, whole):
    assert World(base_url="https://api.test/v2").client.absolute(link) == whole


@pytest.mark.parametrize(
    "link",
    [
        "https://evil.test/v2",
        "http://api.test/v2",
        "https://api.test:8443/v2",
        "//evil.test/v2",
        "https://api.test@evil.test/",
        "https://me:pw@api.test/",
        "https://api.test\\@evil.test/",
        "https://[bad",
        "javascript:alert(1)",
    ],
)
def test_a_link_that_leaves_the_server_is_not_followed(respx_mock, world, link):
    with pytest.raises(Malformed):
        world.get(link) if link.startswith("http") else world.client.absolute(link)
    assert not respx_mock.calls


def test_a_call_may_go_to_a_link(vendor, world):
    vendor.respond(200)
    world.get("https://api.test/v2/x?page=2")
    assert str(vendor.calls.last.request.url) == "https://api.test/v2/x?page=2"


def test_the_log_tells_the_call_and_nothing_that_is_secret(vendor, world, caplog):
    caplog.set_level(logging.DEBUG, logger="trueup.http")
    vendor.side_effect = [
        Response(500),
        Response(200, json={"name": "hidden"}, headers={"x-trace-id": "t-1"}),
    ]
    world.get("/v2/budgets", params={"cursor": "hidden"})
    ours = [each.getMessage() for each in caplog.records if each.name == "trueup.http"]
    assert ours == [
        "spend: GET /v2/budgets answered 500 in 0 ms, attempt 1",
        "spend: GET /v2/budgets answered 200 (request id t-1) in 0 ms, attempt 2",
    ]


def test_a_secret_in_a_transports_words_is_not_repeated(vendor):
    vendor.side_effect = httpx.ConnectError(f"cannot send {TOKEN}")
    error, _ = failing(Unreadable)
    assert TOKEN not in str(error)
    assert "***" in str(error)


def test_the_client_shows_no_secret_of_itself(world):
    assert TOKEN not in repr(world.client)


def test_threads_share_a_client(vendor, world):
    vendor.return_value = MADE
    threads = [threading.Thread(target=world.get) for _ in range(20)]
    for each in threads:
        each.start()
    for each in threads:
        each.join(timeout=10)
    assert world.client.calls == vendor.call_count == 20


# A real socket


@contextmanager
def server(answer):
    """A loopback server that reads each request whole, sends `answer` and hangs up."""
    listening = socket.create_server(("127.0.0.1", 0))
    seen = []

    def serve():
        while True:
            try:
                connection, _ = listening.accept()
            except OSError:
                return
            with connection:
                seen.append(connection.recv(65536))
                connection.sendall(answer)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}", seen
    finally:
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()
        thread.join(timeout=10)


CUT = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"
WHOLE = (
    b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 11\r\n\r\n{"id": 1.5}'
)


@pytest.mark.parametrize("answer", [b"", CUT])
@pytest.mark.parametrize(("safety", "times"), [(Safety.ONCE, 1), (Safety.KEYED, 6)])
def test_a_server_that_hangs_up_after_the_request_leaves_a_write_uncertain(answer, safety, times):
    with server(answer) as (address, seen):
        world = World(base_url=address)
        with pytest.raises(Uncertain):
            world.write(safety)
        world.client.close()
    assert len(seen) == times


def test_a_real_answer_is_read():
    with server(WHOLE) as (address, _):
        world = World(base_url=address)
        assert world.get() == json.loads('{"id": 1.5}', parse_float=Decimal)
        world.client.close()


def test_a_port_where_nobody_listens_is_unreadable():
    with socket.create_server(("127.0.0.1", 0)) as held:
        address = f"http://127.0.0.1:{held.getsockname()[1]}"
    world = World(base_url=address)
    with pytest.raises(Unreadable, match=f"no server answers at {address}"):
        world.write(Safety.ONCE)
    world.client.close()


# -- the vendor's own id of a write --------------------------------------------------------------


def test_each_write_that_is_answered_is_noted_by_the_vendors_id_and_no_reading_is(vendor, world):
    vendor.side_effect = [
        Response(200, json={}, headers={"X-Trace-Id": "read"}),
        Response(503, json={"message": "busy"}, headers={"X-Trace-Id": "first"}),
        Response(200, json={}, headers={"X-Trace-Id": "second", "X-Request-Id": "other"}),
        Response(200, json={}, headers={"X-Request-Id": f"third {TOKEN}"}),
        Response(200, json={}),
    ]
    ids = []
    with noting(ids):
        world.get()
        for _ in range(3):
            world.write(Safety.IDEMPOTENT)
    assert ids == ["first", "second", "third ***"]


def test_without_anybody_who_asks_no_id_is_kept(vendor, world):
    vendor.respond(200, json={}, headers={"X-Trace-Id": "one"})
    world.write(Safety.ONCE)
    ids = []
    with noting(ids):
        pass
    assert ids == []
