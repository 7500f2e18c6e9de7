"""Answers without end, over a real socket: each call has its time, and stopping stops."""

import gzip
import socket
import threading
import time
from contextlib import contextmanager, suppress

import httpx
import pytest

from connectors.calling import paging
from connectors.calling.answers import Dialect
from connectors.calling.bounds import bind
from connectors.calling.client import HttpClient, Safety
from connectors.calling.decoding import TooLarge, Undecodable, decoded
from connectors.calling.limiter import Limiter
from connectors.calling.measure import received
from connectors.contract.errors import Malformed, Rejected, Transient, Uncertain, Unreadable
from connectors.contract.runtime import Runtime

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


def again(piece):
    while True:
        yield piece


ENDLESS = {
    "informational": lambda: again(b"HTTP/1.1 100 Continue\r\n\r\n"),
    "head": lambda: iter([HEAD, *[b"X-A: b\r\n"] * 10**6]),
    "body": lambda: iter([HEAD + b"Content-Length: 99999999\r\n\r\n", *[b" "] * 10**6]),
    "chunks": lambda: iter(
        [HEAD + b"Transfer-Encoding: chunked\r\n\r\n", *[b"1\r\n \r\n"] * 10**6]
    ),
    "silence": lambda: iter([]),
}


@contextmanager
def served(pieces):
    """The address of a server that answers each call with pieces, a hundredth of a second apart."""
    listening = socket.create_server(("127.0.0.1", 0))
    over = threading.Event()

    def answer():
        with suppress(OSError):
            while not over.is_set():
                connection, _ = listening.accept()
                with connection, suppress(OSError):
                    connection.recv(65536)
                    for piece in pieces():
                        connection.sendall(piece)
                        if over.wait(0.01):
                            return
                    over.wait()

    thread = threading.Thread(target=answer)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        over.set()
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()
        thread.join()


@contextmanager
def client_of(url, **runtime):
    runtime = Runtime(**runtime)
    client = HttpClient(
        "spend", url, limiter=Limiter(100, 60, runtime), runtime=runtime,
        dialect=Dialect(message=lambda body: None),
    )  # fmt: skip
    try:
        yield client
    finally:
        client.close()


@pytest.mark.parametrize("kind", ENDLESS)
def test_an_answer_without_end_ends_with_the_calls_time(kind):
    began = time.monotonic()
    with (
        served(ENDLESS[kind]) as url,
        client_of(url, patience=0.3) as client,
        pytest.raises(Transient, match="took too long altogether"),
    ):
        client.call("GET", "/v2/budgets", safety=Safety.SAFE)
    assert time.monotonic() - began < 5


@pytest.mark.parametrize("kind", ["informational", "body", "silence"])
def test_stopping_ends_a_reading_soon(kind, monkeypatch):
    monkeypatch.setattr("connectors.calling.client._GRACE", 0.1)
    stop = threading.Event()
    threading.Timer(0.2, stop.set).start()
    began = time.monotonic()
    with (
        served(ENDLESS[kind]) as url,
        client_of(url, stopping=stop.is_set) as client,
        pytest.raises(Transient, match="told to stop"),
    ):
        client.call("GET", "/v2/budgets", safety=Safety.SAFE)
    assert time.monotonic() - began < 5


def test_a_write_that_stopping_ends_is_uncertain(monkeypatch):
    monkeypatch.setattr("connectors.calling.client._GRACE", 0.2)
    with (
        served(ENDLESS["body"]) as url,
        client_of(url, stopping=lambda: True) as client,
        pytest.raises(Uncertain, match="told to stop"),
    ):
        client.call("POST", "/v2/budgets", safety=Safety.ONCE, json={})


def test_what_waits_for_its_turn_is_not_sent_once_told_to_stop(monkeypatch):
    monkeypatch.setattr("connectors.calling.client._GRACE", 0)
    slept = []
    with client_of(
        "http://127.0.0.1:9", stopping=lambda: len(slept) > 0, sleep=slept.append
    ) as client:
        client._limiter.pause(60)
        with pytest.raises(Transient, match="told to stop"):
            client.call("GET", "/v2/budgets", safety=Safety.SAFE)
    assert client.calls == 0


@pytest.fixture
def mute_resolver(monkeypatch):
    """A system whose resolver gives no answer until the test is over."""
    over = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **named: over.wait() and [])
    yield
    over.set()


def test_a_resolver_that_gives_no_answer_ends_with_the_calls_time(mute_resolver):
    with (
        client_of("http://spend.example", patience=0.3) as client,
        pytest.raises(Unreadable, match="the name server does not answer"),
    ):
        client.call("GET", "/v2/budgets", safety=Safety.SAFE)


def test_stopping_stops_the_wait_for_a_resolver(mute_resolver, monkeypatch):
    monkeypatch.setattr("connectors.calling.client._GRACE", 0.1)
    with (
        client_of("http://spend.example", stopping=lambda: True) as client,
        pytest.raises(Transient, match="told to stop"),
    ):
        client.call("GET", "/v2/budgets", safety=Safety.SAFE)


def test_a_resolver_that_gives_no_answer_ends_with_the_connections_time(mute_resolver, monkeypatch):
    monkeypatch.setattr("connectors.calling.client._TIMEOUT", httpx.Timeout(0.1))
    with (
        client_of("http://spend.example", sleep=lambda _: None) as client,
        pytest.raises(Unreadable, match="the name server does not answer"),
    ):
        client.call("POST", "/v2/budgets", safety=Safety.ONCE, json={})


def test_a_name_of_several_addresses_is_tried_at_each(monkeypatch):
    whole = [HEAD + b"Content-Length: 2\r\n\r\n", b"[]"]
    with served(lambda: iter(whole)) as url:
        port = int(url.rpartition(":")[2])
        found = [(2, 1, 6, "", (address, port)) for address in ("127.0.0.2", "127.0.0.1")]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **named: found)
        with client_of(f"http://spend.example:{port}") as client:
            assert client.call("GET", "/v2/budgets", safety=Safety.SAFE) == []


def test_a_name_without_an_address_is_unreadable():
    with (
        client_of("http://spend.invalid", sleep=lambda _: None) as client,
        pytest.raises(Unreadable, match="no server answers"),
    ):
        client.call("GET", "/v2/budgets", safety=Safety.SAFE)


def test_a_connection_asks_the_term_of_its_call():
    """What the bounds hang on is private to httpx; here it is seen when it changes."""
    transport = httpx.HTTPTransport()
    before = transport._pool._network_backend
    assert bind(transport)._pool._network_backend is not before


# What is unpacked


def bomb(times):
    packed = bytes(50_000_000)
    for _ in range(times):
        packed = gzip.compress(packed)
    return packed


def test_an_answer_is_unpacked_no_further_than_allowed():
    with pytest.raises(TooLarge):
        decoded([bomb(1)], "gzip", 1000)


@pytest.mark.parametrize("encoding", ["gzip, gzip", "deflate,gzip", "br", "gzip;q=1"])
def test_an_encoding_in_an_encoding_or_an_unknown_one_is_refused(encoding):
    with pytest.raises(Undecodable):
        decoded([b"x"], encoding, 1000)


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_what_was_packed_is_what_was_meant(size):
    packed = gzip.compress(b"[1, 2, 3]" * 10)
    pieces = [packed[at : at + size] for at in range(0, len(packed), size)]
    assert decoded(pieces, "identity, x-gzip", 1000) == b"[1, 2, 3]" * 10


# Ids and listings


@pytest.mark.parametrize("id", ["", ".", ".."])
@pytest.mark.parametrize("path", ["/v2/budgets/{}", "/v2/budgets/{}/members", "/v2/{}?a=b"])
def test_an_id_that_would_name_another_object_is_refused_before_a_call(id, path):
    with client_of("http://127.0.0.1:9") as client:
        with pytest.raises(Rejected, match="it would name another object"):
            client.call("PUT", path.format(id), safety=Safety.IDEMPOTENT, json={})
        assert client.calls == 0


def endless_pages(token):
    return {"items": [1, 2, 3], "next": f"{int(token or 0) + 1}"}


def test_a_listing_of_ever_more_objects_ends_with_a_message(monkeypatch):
    monkeypatch.setattr(paging, "MAX_OBJECTS", 10)
    with pytest.raises(Malformed, match="more than 10 objects"):
        list(paging.cursor_pages(endless_pages, items="items", next_token="next"))


def test_a_listing_of_ever_more_bytes_ends_with_a_message(monkeypatch):
    monkeypatch.setattr(paging, "MAX_BYTES", 5_000)

    def fetch(token):
        received(1000)
        return endless_pages(token)

    pages = paging.cursor_pages(fetch, items="items", next_token="next")
    with pytest.raises(Malformed, match="larger than 5,000 bytes"):
        list(paging.ahead(pages))


@pytest.mark.parametrize("host", ["a" * 70, "a..b", "[x"])
def test_a_host_that_cannot_be_a_name_is_unreadable(host):
    with pytest.raises(Unreadable), client_of(f"http://{host}", sleep=lambda _: None) as client:
        client.call("GET", "/v2/budgets", safety=Safety.SAFE)


def test_an_answer_that_comes_soon_after_the_stop_is_still_read():
    whole = [HEAD + b"Content-Length: 2\r\n\r\n", b"[]"]
    with served(lambda: iter(whole)) as url, client_of(url, stopping=lambda: True) as client:
        assert client.call("GET", "/v2/budgets", safety=Safety.SAFE) == []
