import httpx
import pytest

from connectors.sandbox.brex.api import BrexSandbox
from connectors.sandbox.orders import is_here
from connectors.sandbox.server import serve


@pytest.fixture(scope="module")
def url():
    with serve(BrexSandbox()) as served:
        yield served.url


@pytest.mark.parametrize(
    "headers",
    [{"Origin": "https://evil.example"}, {"Origin": "null"}, {"Host": "evil.example"},
     {"Host": "127.0.0.1.evil.example"}, {"Host": ""}, {"Sec-Fetch-Site": "cross-site"},
     {"Origin": "http://localhost:3000"}],
)  # fmt: skip
@pytest.mark.parametrize(("method", "name"), [("POST", "reset"), ("GET", "state")])
def test_the_control_takes_no_orders_of_web_pages(url, headers, method, name):
    answer = httpx.request(method, f"{url}/_sandbox/{name}", headers=headers)
    assert answer.status_code == 403


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost:80", "[::1]:80"])
def test_this_machines_programs_may_order(url, host):
    answer = httpx.post(f"{url}/_sandbox/reset", headers={"Host": host})
    assert answer.status_code == 200


def test_a_sandbox_may_be_asked_at_the_address_it_listens_at():
    assert is_here("192.0.2.7", "192.0.2.7")
    assert not is_here("192.0.2.8", "192.0.2.7")
