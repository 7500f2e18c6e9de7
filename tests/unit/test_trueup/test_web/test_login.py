"""Logging in by an OpenID provider, over HTTP and with signed tokens, and each way it may lie."""

import logging
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.unit.test_trueup.test_web.browsing import NOW, SETTINGS, Browser, folder_of
from tests.unit.test_trueup.test_web.openid import SECRET, provider
from trueup.web.sessions import IDLE
from trueup.workspace import open_workspace

HOST = "trueup.example.com"
CONSOLE = """
[console]
url = "https://trueup.example.com"

[console.roles]
viewer = ["group:staff"]
operator = ["olga@example.com"]

[console.oidc]
issuer = "{issuer}"
client_id = "true/up"
client_secret = "file:oidc"
groups_claim = "groups"
"""


@pytest.fixture(scope="module")
def server():
    with provider() as openid:
        yield openid


@pytest.fixture
def openid(server):
    """The provider, as it is unless it is told."""
    server.claims, server.header, server.answers, server.asked = {}, {}, {}, []
    server.userinfo, server.published, server.signed_by = None, [server.key], server.key
    return server


@pytest.fixture(scope="module")
def workspace(server, tmp_path_factory):
    folder = folder_of(tmp_path_factory.mktemp("oidc"))
    (folder / "oidc").write_text(SECRET + "\n")
    (folder / "oidc").chmod(0o600)
    (folder / "trueup.toml").write_text(CONSOLE.format(issuer=server.issuer) + SETTINGS)
    with open_workspace(folder / "trueup.toml") as workspace:
        yield workspace


@pytest.fixture
def browser(workspace, openid):
    browser = Browser(workspace)
    yield browser
    browser.jobs.close()


def get(browser, path):
    return browser.get(path, host=HOST)


def go(browser):
    """Begin a login; where the provider is asked."""
    answer = get(browser, "/login")
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]


def log_in(browser, openid, **more):
    return get(browser, openid.log_in(go(browser), **more))


def is_in(browser):
    return get(browser, "/nowhere").status_code == 404


def test_whom_the_provider_names_is_in_until_nobody_asks_for_long(browser, openid):
    answer = get(browser, "/")
    assert answer.status_code == 401
    assert 'href="/login"' in answer.text
    before = log_in(browser, openid)
    assert before.status_code == 200
    assert "samesite=strict" in before.headers["set-cookie"].lower()
    assert "secure" in before.headers["set-cookie"].lower()
    assert "ada@example.com" in get(browser, "/nowhere").text
    browser.clock.time += IDLE
    assert not is_in(browser)
    browser.clock.time = NOW


def test_the_browser_is_sent_with_what_binds_the_answer_to_it(browser):
    said = parse_qs(urlsplit(go(browser)).query)
    assert said["response_type"] == ["code"]
    assert said["code_challenge_method"] == ["S256"]
    assert said["redirect_uri"] == ["https://trueup.example.com/login/back"]
    assert said["scope"] == ["openid email"]
    other = parse_qs(urlsplit(go(browser)).query)
    for each in ("state", "nonce", "code_challenge"):
        assert said[each] != other[each]
        assert len(said[each][0]) >= 43


def lie(**claims):
    return lambda openid: openid.claims.update(claims)


def signed(alg):
    return lambda openid: openid.header.update(alg=alg)


def _unpublished(openid):
    openid.signed_by = openid.other


def _posing(openid):
    openid.signed_by, openid.header = openid.other, {"kid": "k1"}


def _answers(path, status, said):
    return lambda openid: openid.answers.update({path: (status, said)})


LATER, BEFORE = (int((NOW + timedelta(hours=n)).timestamp()) for n in (1, -1))
LIES = {
    "another nonce": (lie(nonce="x"), "invalid claim nonce"),
    "no nonce": (lie(nonce=None), "missing claim nonce"),
    "another audience": (lie(aud="other"), "invalid claim aud"),
    "also for another, who is not said to have asked": (lie(aud=["true/up", "b"]), "azp"),
    "another has asked": (lie(azp="other"), "azp"),
    "another issuer": (lie(iss="https://other.example"), "invalid claim iss"),
    "expired": (lie(exp=BEFORE), "expired"),
    "no expiry": (lie(exp=None), "exp"),
    "an expiry that is a text": (lie(exp="soon"), "ID token"),
    "not yet": (lie(nbf=LATER), "not believed"),
    "another access token": (lie(at_hash="x"), "at hash"),
    "signed by nobody": (signed("none"), "algorithm"),
    "signed with the public key": (signed("HS256"), "algorithm"),
    "a key that is unknown": (_unpublished, "key"),
    "a key under another's name": (_posing, "signature"),
    "no name": (lie(email=None), "names nobody"),
    "a name with control characters": (lie(email="a\x1b[2Jb"), "names nobody"),
    "a list for a name": (lie(email=["olga@example.com"]), "names nobody"),
    "an address that is not verified": (lie(email_verified=False), "has not verified"),
    "no token": (_answers("/token", 200, {}), "no ID token"),
    "no token at all": (_answers("/token", 200, {"id_token": "a.b"}), "ID token"),
    "a refusal": (_answers("/token", 400, {"error": "invalid_grant"}), "invalid_grant"),
    "a refusal with markup": (_answers("/token", 400, {"error": "<b>"}), "refuses the login"),
}


@pytest.mark.parametrize("name", LIES)
def test_what_is_not_believed_lets_nobody_in(browser, openid, name, caplog):
    do, said = LIES[name]
    do(openid)
    answer = log_in(browser, openid)
    assert answer.status_code == 403
    assert said in answer.text.replace("_", " ") or said in answer.text
    assert not is_in(browser)
    assert "the login did not succeed" in caplog.text
    for secret in (SECRET, "code-", *browser.cookies.values()):
        assert secret not in "".join(
            each.getMessage() for each in caplog.records if each.levelno > logging.INFO
        )


def _called_otherwise(openid):
    said = openid.configuration() | {"issuer": "https://other.example"}
    openid.answers["/.well-known/openid-configuration"] = 200, said


AWAY = {
    "its configuration": _answers("/.well-known/openid-configuration", 500, {}),
    "no JSON": _answers("/.well-known/openid-configuration", 200, b"<html>"),
    "another name": _called_otherwise,
    "its keys": _answers("/keys", 404, {}),
    "no keys": _answers("/keys", 200, {"keys": []}),
    "only keys that it should keep": _answers("/keys", 200, {"keys": [{"kty": "oct", "k": "YQ"}]}),
    "an answer that is too long": _answers("/keys", 200, b" " * 1_100_000),
}


@pytest.mark.parametrize("name", AWAY)
def test_a_provider_that_is_away_is_told_and_may_come_back(browser, openid, name):
    AWAY[name](openid)
    answer = get(browser, "/login")
    assert answer.status_code == 503
    assert "nobody can log in now" in answer.text
    openid.answers.clear()
    assert log_in(browser, openid).status_code == 200


def test_a_provider_that_goes_away_meanwhile_lets_nobody_in_and_out(browser, openid):
    log_in(browser, openid)
    openid.answers["/token"] = 503, {}
    assert log_in(browser, openid).status_code == 503
    assert is_in(browser)


def test_an_endpoint_that_is_not_https_gets_no_secret(browser, openid):
    plain = openid.configuration() | {"token_endpoint": "http://id.example/token"}
    openid.answers["/.well-known/openid-configuration"] = 200, plain
    assert log_in(browser, openid).status_code == 503


def test_the_secret_goes_in_the_form_where_the_provider_wants_it_there(browser, openid):
    wants = {"token_endpoint_auth_methods_supported": ["client_secret_post"]}
    openid.answers["/.well-known/openid-configuration"] = 200, openid.configuration() | wants
    assert log_in(browser, openid).status_code == 200
    assert "authorization" not in openid.asked[-1][2]


def test_an_answer_counts_once(browser, openid):
    back = openid.log_in(go(browser))
    assert get(browser, back).status_code == 200
    browser.cookies.pop("__Host-trueup")
    assert get(browser, back).status_code == 403
    assert not is_in(browser)


def test_an_answer_is_of_the_browser_that_asked(browser, openid):
    back = openid.log_in(go(browser))
    browser.cookies.clear()
    assert get(browser, back).status_code == 403
    go(browser)  # a login of its own does not help
    assert get(browser, back).status_code == 403
    assert not any(path == "/token" for path, _, _ in openid.asked)


@pytest.mark.parametrize("query", ["", "?state=", "?code=x", "?code=x&state=y", "?state=y&error=a"])
def test_an_answer_that_nobody_asked_for_is_none(browser, openid, query):
    assert get(browser, f"/login/back{query}").status_code == 403
    assert openid.asked == []


def test_an_answer_in_another_providers_name_is_none(browser, openid):
    back = openid.log_in(go(browser))
    assert get(browser, f"{back}&iss=https://other.example").status_code == 403


def test_a_login_that_takes_too_long_is_begun_again(browser, openid):
    back = openid.log_in(go(browser))
    browser.clock.time += timedelta(minutes=10)
    assert get(browser, back).status_code == 403


def test_a_key_that_is_new_is_asked_for(browser, openid):
    assert log_in(browser, openid).status_code == 200
    openid.published, openid.signed_by = [openid.other], openid.other
    browser.clock.time += timedelta(minutes=1)
    assert log_in(browser, openid).status_code == 200


def test_unknown_keys_do_not_make_us_ask_the_provider_each_time(browser, openid):
    openid.signed_by = openid.other
    for _ in range(5):
        log_in(browser, openid)
    assert sum(path == "/keys" for path, _, _ in openid.asked) == 1


def test_what_the_token_does_not_tell_is_asked_for(browser, openid):
    openid.claims = {"email": None, "groups": None}
    openid.userinfo = {"sub": "1", "email": "bea@example.com", "groups": "staff"}
    assert log_in(browser, openid).status_code == 200
    assert "bea@example.com" in get(browser, "/nowhere").text
    assert openid.asked[-1][2]["authorization"] == "Bearer at"


def test_what_is_told_of_somebody_else_is_not_believed(browser, openid):
    openid.claims = {"email": None}
    openid.userinfo = {"sub": "2", "email": "olga@example.com"}
    assert log_in(browser, openid).status_code == 403


def test_who_is_in_no_role_is_told_so(browser, openid):
    openid.claims = {"groups": []}
    answer = log_in(browser, openid)
    assert answer.status_code == 403
    assert "ada@example.com is in no role" in answer.text
    assert not is_in(browser)


def test_logins_are_not_begun_for_long(browser):
    for _ in range(30):
        assert get(browser, "/login").status_code == 303
    assert get(browser, "/login").status_code == 429
    browser.peer = "10.9.9.9"
    assert get(browser, "/login").status_code == 303
    browser.clock.time += timedelta(minutes=1)
    browser.peer = "127.0.0.1"
    assert get(browser, "/login").status_code == 303


def test_failed_logins_are_not_looked_at_for_long(browser, openid):
    back = openid.log_in(go(browser))
    for _ in range(10):
        assert get(browser, "/login/back?code=a&state=b").status_code == 403
    assert get(browser, back).status_code == 429
    assert not any(path == "/token" for path, _, _ in openid.asked)


def test_the_log_of_calls_has_no_code_and_no_secret(browser, openid, caplog):
    caplog.set_level(logging.DEBUG)
    log_in(browser, openid)
    ours = "".join(each.getMessage() for each in caplog.records if each.name.startswith("trueup"))
    assert "code-" not in ours
    assert SECRET not in ours
