"""Each sending of a write asks whether it may leave: after the wait, with its connection in hand."""

import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from connectors.calling.answers import Dialect
from connectors.calling.auth import RenewedToken, Token
from connectors.calling.client import HttpClient, Safety
from connectors.calling.limiter import Limiter
from connectors.contract.departure import departing, leaving
from connectors.contract.runtime import Runtime


class Shut(Exception):
    """The gate is shut."""


class Gate:
    """Open until `shut`; counts how often it was asked."""

    def __init__(self):
        self.asked, self.is_shut = 0, False

    def __call__(self):
        self.asked += 1
        if self.is_shut:
            raise Shut


class World:
    """A vendor on loopback that answers as told, and time that only sleep moves."""

    def __init__(self):
        self.time, self.seen, self.answers, self.slept = 1000.0, [], [], lambda: None
        self.runtime = Runtime(monotonic=lambda: self.time, sleep=self._sleep, random=lambda: 1.0)
        self.limiter = Limiter(1, 60, self.runtime)

    def _sleep(self, seconds):
        self.time += seconds
        self.slept()

    def client(self, address, **more):
        return HttpClient(
            "shop", address, limiter=self.limiter, runtime=self.runtime,
            dialect=Dialect(message=lambda body: body["said"]), **more,
        )  # fmt: skip


@contextmanager
def served(world):
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            world.seen.append(self.rfile.read(int(self.headers.get("Content-Length", 0))))
            status, headers = world.answers.pop(0) if world.answers else (200, {})
            self.send_response(status)
            for name, value in ({"Content-Length": "0"} | headers).items():
                self.send_header(name, value)
            self.end_headers()

        do_GET = do_POST  # noqa: N815  # the name that the library looks for

        def log_message(self, *_):
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture
def world():
    return World()


@pytest.fixture
def address(world):
    with served(world) as address:
        yield address


@pytest.fixture
def client(world, address):
    client = world.client(address)
    yield client
    client.close()


@pytest.fixture
def gate():
    return Gate()


def write(client, safety=Safety.ONCE):
    return client.call("POST", "/a", json={"a": 1}, safety=safety, key="k")


@pytest.mark.parametrize("safety", [Safety.IDEMPOTENT, Safety.KEYED, Safety.ONCE])
def test_a_write_that_may_not_leave_does_not(world, client, gate, safety):
    gate.is_shut = True
    with departing(gate), pytest.raises(Shut):
        write(client, safety)
    assert world.seen == []


def test_a_reading_asks_nobody(world, client, gate):
    gate.is_shut = True
    with departing(gate):
        client.call("GET", "/a", safety=Safety.SAFE)
    assert (len(world.seen), gate.asked) == (1, 0)


def test_a_gate_that_shuts_while_the_limiter_keeps_a_write_waiting_is_seen(world, client, gate):
    with departing(gate):
        write(client)
        world.slept = lambda: setattr(gate, "is_shut", True)
        with pytest.raises(Shut):
            write(client)
    assert len(world.seen) == 1


def test_a_gate_that_shuts_during_a_retry_after_is_seen(world, client, gate):
    world.answers = [(429, {"Retry-After": "5"})]
    world.slept = lambda: setattr(gate, "is_shut", True)
    with departing(gate), pytest.raises(Shut):
        write(client)
    assert len(world.seen) == 1


def test_a_write_whose_first_attempt_may_have_been_done_ends_as_the_gate_says(world, client, gate):
    world.answers = [(503, {})]
    world.slept = lambda: setattr(gate, "is_shut", True)
    with departing(gate), pytest.raises(Shut):
        write(client, Safety.IDEMPOTENT)
    assert len(world.seen) == 1


def test_a_gate_that_shuts_while_the_connection_is_made_is_seen(world, client, gate, monkeypatch):
    send = client._client.send

    def send_later(request, **more):
        trace = request.extensions["trace"]

        def trace_and_shut(event, info):
            if event.endswith("connect_tcp.complete"):
                gate.is_shut = True
            trace(event, info)

        request.extensions["trace"] = trace_and_shut
        return send(request, **more)

    monkeypatch.setattr(client._client, "send", send_later)
    with departing(gate), pytest.raises(Shut):
        write(client)
    assert world.seen == []


def test_a_write_that_is_sent_again_with_another_token_asks_again(world, address, gate):
    def fetch():
        gate.is_shut = bool(world.seen)  # while the second token is fetched
        return Token(f"t-{len(world.seen)}")

    world.answers = [(401, {})]
    client = world.client(address, auth=RenewedToken("X-Token", fetch, world.runtime.now))
    with departing(gate), pytest.raises(Shut):
        write(client)
    client.close()
    assert len(world.seen) == 1


def test_a_connection_goes_on_after_a_write_that_did_not_leave(world, client, gate):
    gate.is_shut = True
    with departing(gate), pytest.raises(Shut):
        write(client)
    write(client)
    assert len(world.seen) == 1


def test_the_inner_of_two_gates_is_asked_and_then_the_outer_again(gate):
    inner = Gate()
    with departing(gate):
        with departing(inner):
            leaving()
        assert (gate.asked, inner.asked) == (0, 1)
        leaving()
    leaving()
    assert (gate.asked, inner.asked) == (1, 1)
