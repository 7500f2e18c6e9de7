import httpx
import pytest

from connectors.calling import surroundings
from connectors.calling.surroundings import tls, way_to
from connectors.contract.errors import Unreadable

PROXIES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY",
           "ALL_PROXY", "NO_PROXY")  # fmt: skip
API = httpx.URL("https://api.test/v2")


@pytest.fixture(autouse=True)
def clean(monkeypatch):
    for name in (*PROXIES, *surroundings._TLS_VARIABLES):
        monkeypatch.delenv(name, raising=False)
    surroundings._of_environment.cache_clear()
    yield
    surroundings._of_environment.cache_clear()


def test_a_proxy_is_used_and_its_variable_known(monkeypatch):
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy:3128")
    way = way_to(API)
    assert (way.proxy.url, way.variable) == (httpx.URL("http://proxy:3128"), "HTTPS_PROXY")


def test_all_proxy_counts_where_no_other_does(monkeypatch):
    monkeypatch.setenv("all_proxy", "proxy:3128")
    assert way_to(API).variable == "all_proxy"


@pytest.mark.parametrize(
    ("name", "value"),
    [("ALL_PROXY", "socks5://u:canary@proxy:1080"), ("HTTPS_PROXY", "ftp://u:canary@proxy"),
     ("https_proxy", "http://can ary:x"), ("HTTPS_PROXY", "http://:canary"), ("HTTPS_PROXY", "::canary")],
)  # fmt: skip
def test_a_proxy_that_cannot_be_used_is_named_by_its_variable(monkeypatch, name, value):
    monkeypatch.setattr(surroundings, "find_spec", lambda module: None)
    monkeypatch.setenv(name, value)
    with pytest.raises(Unreadable, match=name) as caught:
        way_to(API)
    assert "canary" not in str(caught.value)


@pytest.mark.parametrize(
    ("listed", "url"),
    [("fe80::/10,2001:db8::/32", "https://[2001:db8::7]/"), ("10.0.0.0/8", "https://10.1.2.3"),
     ("[::1],api.test", "https://api.test"), (".test", "https://api.test"), ("*", "https://x.y"),
     ("test", "https://api.test"), ("*.test", "https://api.test"), ("api.test:443", "https://api.test"),
     ("2001:db8::7", "https://[2001:db8::7]:8443"), ("https://api.test", "https://api.test")],
)  # fmt: skip
def test_exceptions_in_every_form_are_exceptions(monkeypatch, listed, url):
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy:3128")
    monkeypatch.setenv("NO_PROXY", listed)
    assert way_to(httpx.URL(url)).proxy is None


@pytest.mark.parametrize(
    "listed", ["fe80::/10", "est", "api.test:80", "", ",", "/", "[", "a/b", ":", "::/x"]
)
def test_what_is_no_exception_of_it_is_none(monkeypatch, listed):
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy:3128")
    monkeypatch.setenv("NO_PROXY", listed)
    assert way_to(API).proxy is not None


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "a.localhost"])
def test_this_machine_is_reached_straight(monkeypatch, host):
    monkeypatch.setenv("http_proxy", "http://proxy:3128")
    assert way_to(httpx.URL(f"http://{host}:8080")).proxy is None


@pytest.mark.parametrize("name", ["SSL_CERT_FILE", "SSL_CERT_DIR"])
def test_certificates_that_are_not_there_are_named_by_their_variable(monkeypatch, tmp_path, name):
    monkeypatch.setenv(name, str(tmp_path / "none"))
    with pytest.raises(Unreadable, match=name):
        tls(needed=True)


def test_a_file_without_certificates_is_named_by_its_variable(monkeypatch, tmp_path):
    (tmp_path / "odd.pem").write_text("nothing")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "odd.pem"))
    with pytest.raises(Unreadable, match="SSL_CERT_FILE cannot be used"):
        tls(needed=True)


def test_certificates_nobody_asks_for_are_not_in_the_way(monkeypatch, tmp_path):
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "none"))
    assert tls(needed=False)
