"""Messages to real receivers on loopback: signed, bounded in time, and silent about secrets."""

import hashlib
import hmac
import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from connectors.notices.delivery import delivered
from connectors.notices.webhook import post

SECRET = "canary-secret"


class _Receiver(HTTPServer):
    status = 204
    got: tuple[str, str, bytes] | None = None


class _Taking(BaseHTTPRequestHandler):
    server: _Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        said = self.headers
        self.server.got = (said["Trueup-Timestamp"], said["Trueup-Signature"], body)
        self.send_response(self.server.status)
        self.send_header("Location", "/elsewhere")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def receiver() -> Iterator[_Receiver]:
    with _Receiver(("127.0.0.1", 0), _Taking) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def _one(send: Callable[[], None], within: float = 5) -> str | None:
    return delivered({"ops": send}, within)["ops"]


def _sent(server: _Receiver) -> str | None:
    url = f"http://127.0.0.1:{server.server_port}/{SECRET}"
    return _one(lambda: post(url, SECRET, {"sync": "s"}, 1790000000))


def test_a_receiver_can_check_who_sent_a_message_and_when(receiver: _Receiver) -> None:
    assert _sent(receiver) is None
    assert receiver.got is not None
    timestamp, signature, body = receiver.got
    expected = hmac.new(SECRET.encode(), timestamp.encode() + b"." + body, hashlib.sha256)
    assert (timestamp, signature) == ("1790000000", f"sha256={expected.hexdigest()}")
    assert json.loads(body) == {"sync": "s"}
    assert SECRET.encode() not in body


@pytest.mark.parametrize("status", [302, 500])
def test_a_refusal_or_a_redirect_is_a_failure_that_names_no_secret(
    receiver: _Receiver, status: int
) -> None:
    receiver.status = status
    assert _sent(receiver) == f"the receiver answered {status}"


def test_an_absent_receiver_is_a_failure_that_names_no_secret() -> None:
    url = f"http://127.0.0.1:1/{SECRET}"
    assert _one(lambda: post(url, SECRET, {}, 1)) == "the receiver was not reached (ConnectError)"


def test_a_receiver_that_hangs_is_left_after_its_time() -> None:
    release = threading.Event()
    assert _one(lambda: void(release.wait()), within=0.01) == "no answer within 0.01 s"
    release.set()


def void(_: object) -> None:
    """Drop what a call gives back."""


def test_a_proxy_of_the_environment_does_not_see_what_stays_on_this_machine(
    receiver: _Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    assert _sent(receiver) is None


def test_one_that_hangs_keeps_no_other_from_its_message(receiver: _Receiver) -> None:
    release = threading.Event()
    url = f"http://127.0.0.1:{receiver.server_port}/"
    sends = {"a": lambda: void(release.wait()), "b": lambda: post(url, SECRET, {}, 1)}
    assert delivered(sends, within=0.5) == {"a": "no answer within 0.5 s", "b": None}
    release.set()
