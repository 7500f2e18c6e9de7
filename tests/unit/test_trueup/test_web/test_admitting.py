"""Who gets to see the console: one link, one browser, one name of the server, its own forms."""

import re
from datetime import timedelta

import pytest

from tests.unit.test_trueup.test_web.browsing import HOST, Browser, browsing, folder_of
from trueup.web.headers import own_names
from trueup.web.sessions import IDLE, LINK, WHOLE, Sessions, TooMany, is_pair
from trueup.workspace import open_workspace

POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; "
    "img-src 'self' data:; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)


@pytest.fixture(scope="module")
def stranger(tmp_path_factory):
    """A browser that nobody let in, and a console whose state no page of these tests needs."""
    with open_workspace(folder_of(tmp_path_factory.mktemp("console")) / "trueup.toml") as workspace:
        browser = Browser(workspace)
        yield browser
        browser.jobs.close()


@pytest.fixture
def inside(stranger):
    """The same, let in anew."""
    return stranger.enter()


@pytest.mark.parametrize("path", ["/", "/budgets", "/audit/as/csv", "/nowhere", "/runs/f"])
def test_nobody_sees_a_page_without_a_session(stranger, path):
    stranger.cookies.clear()
    answer = stranger.get(path)
    assert answer.status_code == 401
    assert "trueup console" in answer.text


def test_a_link_lets_one_browser_in_once(stranger):
    stranger.enter()
    used = stranger.tokens[-1]
    stranger.cookies.clear()
    assert stranger.get(f"/enter?token={used}").status_code == 403
    assert "trueup" not in stranger.cookies
    assert stranger.get("/enter").status_code == 403


def test_the_sessions_cookie_is_for_this_server_and_no_script(stranger):
    stranger.cookies.clear()
    stranger.get("/")
    answer = stranger.get(f"/enter?token={stranger.tokens[-1]}")
    said = answer.headers["set-cookie"].lower()
    assert "httponly" in said
    assert "samesite=strict" in said
    assert stranger.tokens[-1] not in said
    assert 'content="0; url=/"' in answer.text


def test_whoever_only_looks_at_a_link_has_not_opened_it(stranger):
    stranger.cookies.clear()
    stranger.get("/")
    assert stranger.ask("HEAD", f"/enter?token={stranger.tokens[-1]}").status_code == 200
    assert stranger.get(f"/enter?token={stranger.tokens[-1]}").status_code == 200


def test_who_leaves_is_out(inside):
    kept = dict(inside.cookies)
    token = re.search(r'name="form_token" value="([^"]+)"', inside.get("/nowhere").text)[1]
    assert inside.ask("POST", "/leave", data={"form_token": token}).status_code == 303
    inside.cookies.update(kept)
    assert inside.get("/").status_code == 401


@pytest.mark.parametrize(
    "data", [{}, {"form_token": ""}, {"form_token": "None"}, {"form_token": "x"}]
)
def test_a_form_without_its_token_does_nothing(inside, data):
    answer = inside.ask("POST", "/plans/erp-to-cards/make", data=data)
    assert answer.status_code == 403
    assert inside.jobs.last("plan", "erp-to-cards") is None


def test_a_form_without_a_session_does_nothing(inside):
    token = re.search(r'name="form_token" value="([^"]+)"', inside.get("/nowhere").text)[1]
    inside.cookies.clear()
    answer = inside.ask("POST", "/plans/erp-to-cards/make", data={"form_token": token})
    assert answer.status_code == 403
    assert inside.jobs.last("plan", "erp-to-cards") is None


def test_another_sessions_token_is_none(inside):
    token = re.search(r'name="form_token" value="([^"]+)"', inside.get("/nowhere").text)[1]
    inside.enter()
    answer = inside.ask("POST", "/leave", data={"form_token": token})
    assert answer.status_code == 403


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "http://elsewhere.example"},
        {"origin": "null", "sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
    ],
)
def test_a_form_from_elsewhere_does_nothing_even_with_the_token(inside, headers):
    token = re.search(r'name="form_token" value="([^"]+)"', inside.get("/nowhere").text)[1]
    answer = inside.ask("POST", "/leave", data={"form_token": token}, headers=headers)
    assert answer.status_code == 403
    assert inside.get("/nowhere").status_code == 404  # still in


def test_a_form_of_ours_is_taken_from_a_browser_that_sends_no_referrer(inside):
    token = re.search(r'name="form_token" value="([^"]+)"', inside.get("/nowhere").text)[1]
    headers = {"origin": "null", "sec-fetch-site": "same-origin"}
    answer = inside.ask("POST", "/leave", data={"form_token": token}, headers=headers)
    assert answer.status_code == 303


def test_what_is_no_form_or_too_long_or_another_method_is_refused(inside):
    form = {"content-type": "application/x-www-form-urlencoded"}
    assert inside.ask("POST", "/leave", json={"form_token": "x"}).status_code == 413
    assert inside.ask("POST", "/leave", content=b"a" * 70_000, headers=form).status_code == 413
    assert inside.ask("POST", "/leave", content=b"a=\xff%ff&b", headers=form).status_code in (
        413,
        403,
    )
    assert (
        inside.ask("POST", "/leave", content=b"&".join([b"a=1"] * 3000), headers=form).status_code
        == 413
    )
    assert inside.ask("PUT", "/leave", data={"form_token": "x"}).status_code == 403


@pytest.mark.parametrize(
    "host", ["attacker.example", "127.0.0.1", "127.0.0.1:9", "localhost.:8470"]
)
def test_another_name_of_the_server_gets_nothing(inside, host):
    for path in ("/", "/static/console.css", "/enter?token=x"):
        answer = inside.get(path, host=host)
        assert answer.status_code == 421
        assert answer.headers["content-security-policy"] == POLICY


@pytest.mark.parametrize(
    "path",
    ["/enter", "/nowhere", "/static/console.css", "/static/nothing", "/static/%2e%2e/site.py"],
)
def test_every_answer_says_what_a_browser_may_do(inside, path):
    answer = inside.get(path)
    assert answer.headers["content-security-policy"] == POLICY
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == (
        "no-cache" if path.startswith("/static") else "no-store"
    )


def test_a_server_on_loopback_has_two_names():
    assert own_names("127.0.0.1", 8470) == {HOST, "localhost:8470"}
    assert own_names("::1", 80) == {"[::1]:80", "localhost:80", "[::1]", "localhost"}


# -- sessions in time ----------------------------------------------------------------------------


@pytest.fixture
def told():
    return []


@pytest.fixture
def sessions(clock, told):
    return Sessions(clock, told.append)


def test_a_session_ends_when_nobody_asks_for_half_an_hour(sessions, clock, told):
    sessions.offer()
    id = sessions.enter(told[0])
    clock.advance((IDLE - timedelta(seconds=1)).total_seconds())
    assert sessions.of(id) is not None
    clock.advance(IDLE.total_seconds())
    assert sessions.of(id) is None


def test_a_session_ends_after_eight_hours_however_busy(sessions, clock, told):
    sessions.offer()
    id = sessions.enter(told[0])
    busy = range(0, int(WHOLE.total_seconds()) - 600, 600)
    for _ in busy:
        clock.advance(600)
        assert sessions.of(id) is not None
    clock.advance(600)
    assert sessions.of(id) is None


def test_a_new_link_is_announced_only_when_none_waits(sessions, clock, told):
    sessions.offer()
    sessions.offer()
    assert len(told) == 1
    clock.advance(LINK.total_seconds())
    assert sessions.enter(told[0]) is None
    sessions.offer()
    assert len(set(told)) == 2


def test_wrong_links_are_not_tried_for_long(sessions, clock, told):
    sessions.offer()
    for _ in range(10):
        assert sessions.enter("wrong") is None
    with pytest.raises(TooMany):
        sessions.enter(told[0])
    clock.advance(60)
    assert sessions.enter(told[0]) is not None


def test_nothing_opens_where_no_link_was_offered(sessions):
    assert sessions.enter("") is None
    assert sessions.of(None) is None
    assert sessions.of("") is None


@pytest.mark.parametrize(
    ("kept", "sent", "pair"),
    [
        (None, None, False),
        ("", "", False),
        ("a", "a", True),
        ("a", "b", False),
        ("a", None, False),
        ("ä", "ä", True),
    ],
)
def test_two_that_are_nothing_are_no_pair(kept, sent, pair):
    assert is_pair(kept, sent) is pair


def test_a_name_that_the_console_was_told_lets_it_answer(tmp_path):
    with browsing(folder_of(tmp_path)) as browser:
        assert browser.get("/", host="localhost:8470").status_code == 421
