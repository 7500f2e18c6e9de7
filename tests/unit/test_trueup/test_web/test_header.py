"""Who is let in by a proxy's header, what they may do, and what the log has of who is not."""

import logging
import re

import pytest

from tests.unit.test_trueup.test_web.browsing import SETTINGS, Browser, folder_of
from trueup.workspace import open_workspace

HOST = "trueup.example.com"
CONSOLE = """
[console]
url = "https://trueup.example.com"
trusted_header = "X-Remote-User"
groups_header = "X-Remote-Groups"
trusted_from = ["10.0.0.1", "10.1.0.0/24", "fd00::/64"]

[console.roles]
viewer = ["vera"]
operator = ["olga", "group:treasury"]
approver = ["anna"]
"""


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    folder = folder_of(tmp_path_factory.mktemp("header"))
    (folder / "trueup.toml").write_text(CONSOLE + SETTINGS)
    with open_workspace(folder / "trueup.toml") as workspace:
        yield workspace


@pytest.fixture
def proxy(workspace):
    browser = Browser(workspace, "10.0.0.1")
    yield browser
    browser.jobs.close()


def asked(browser, name=None, groups=None, path="/nowhere", method="GET", **more):
    said = [("x-remote-user", name)] * (name is not None)
    said += [("x-remote-groups", groups)] * (groups is not None)
    said += more.pop("headers", {}).items()
    return browser.ask(method, path, host=HOST, headers=said, **more)


def pressed(browser, name, path="/plans/erp-to-cards/make", groups=None):
    page = asked(browser, name, groups).text
    token = re.search(r'name="form_token" value="([^"]+)"', page)[1]
    return asked(browser, name, groups, path, "POST", data={"form_token": token})


def test_whom_the_proxy_names_is_in_and_named_on_the_page(proxy):
    assert "vera" in asked(proxy, "vera").text
    assert asked(proxy, "vera").status_code == 404  # in, and there is no such page
    assert list(proxy.cookies) == ["__Host-trueup"]


@pytest.mark.parametrize("peer", ["10.1.0.77", "::ffff:10.0.0.1", "fd00::5"])
def test_it_is_believed_from_each_address_that_is_named(proxy, peer):
    proxy.peer = peer
    assert asked(proxy, "vera").status_code == 404


@pytest.mark.parametrize("peer", ["10.0.0.2", "127.0.0.1", "", "fd01::5", "::ffff:10.0.0.2"])
def test_it_is_refused_from_elsewhere_whatever_the_request_says_of_where_it_comes_from(
    proxy, peer, caplog
):
    proxy.peer = peer
    headers = {"x-forwarded-for": "10.0.0.1", "x-real-ip": "10.0.0.1", "forwarded": "for=10.0.0.1"}
    answer = asked(proxy, "olga", headers=headers)
    assert answer.status_code == 403
    assert not proxy.cookies
    assert "X-Remote-User is not believed from" in caplog.text
    assert "olga" not in caplog.text


def test_groups_alone_are_refused_from_elsewhere_too(proxy):
    proxy.peer = "10.0.0.2"
    assert asked(proxy, groups="treasury").status_code == 403


def test_a_session_is_none_without_the_header(proxy):
    asked(proxy, "vera")
    assert asked(proxy).status_code == 401
    proxy.peer = "10.0.0.2"
    assert asked(proxy).status_code == 401


@pytest.mark.parametrize("header", ["x-remote-user", "X-REMOTE-USER", "x-remote-groups"])
def test_a_header_that_stands_there_twice_is_refused(proxy, header):
    answer = asked(proxy, "vera", "a", headers={header: "olga"})
    assert answer.status_code == 403
    assert not proxy.cookies


@pytest.mark.parametrize("name", ["vera, olga", "vera,olga", b"\xff", "a" * 201, b"a\xc2\x85b"])
def test_what_may_be_two_names_or_none_is_refused(proxy, name):
    assert asked(proxy, name).status_code == 403


def test_a_header_that_says_nothing_lets_nobody_in(proxy):
    assert asked(proxy, "").status_code == 401


@pytest.mark.parametrize("name", ["mallory", "group:treasury", "*", "Olga", "olga2"])
def test_who_is_in_no_role_sees_nothing(proxy, name):
    answer = asked(proxy, name, path="/")
    assert answer.status_code == 403
    assert "is in no role" in answer.text
    assert not proxy.cookies


def test_a_viewer_is_told_that_they_may_only_look(proxy):
    answer = pressed(proxy, "vera")
    assert answer.status_code == 403
    assert "vera may look, and do nothing here" in answer.text
    assert proxy.jobs.last("plan", "erp-to-cards") is None


def test_a_viewer_may_leave(proxy):
    assert pressed(proxy, "vera", "/leave").status_code == 303


@pytest.mark.parametrize(
    ("name", "groups"), [("olga", None), ("greg", "sales, treasury"), ("anna", None)]
)
def test_whom_a_role_names_by_name_or_group_may_act(proxy, name, groups):
    assert pressed(proxy, name, groups=groups).status_code == 303
    assert proxy.jobs.last("plan", "erp-to-cards") is not None


def test_a_group_that_was_left_counts_no_more(proxy):
    asked(proxy, "vera", "treasury")
    assert pressed(proxy, "vera").status_code == 403


def test_another_name_gets_another_session(proxy):
    page = asked(proxy, "olga").text
    token = re.search(r'name="form_token" value="([^"]+)"', page)[1]
    answer = asked(
        proxy, "anna", path="/plans/erp-to-cards/make", method="POST", data={"form_token": token}
    )
    assert answer.status_code == 403
    assert proxy.jobs.last("plan", "erp-to-cards") is None


def test_a_form_is_taken_from_the_address_that_browsers_know_and_no_other(proxy):
    for origin, status in ((f"https://{HOST}", 303), (f"http://{HOST}", 403)):
        page = asked(proxy, "olga").text
        token = re.search(r'name="form_token" value="([^"]+)"', page)[1]
        data = {"form_token": token}
        headers = {"origin": origin}
        answer = asked(proxy, "olga", None, "/leave", "POST", data=data, headers=headers)
        assert answer.status_code == status


def test_no_link_lets_anybody_in(proxy):
    asked(proxy)
    assert proxy.tokens == []
    assert asked(proxy, path="/enter?token=x").status_code == 403


def test_a_refusal_stands_in_the_log_without_what_lets_anybody_in(proxy, caplog):
    caplog.set_level(logging.WARNING)
    pressed(proxy, "vera")
    (said,) = [each.getMessage() for each in caplog.records if "refused" in each.getMessage()]
    assert said.startswith("refused with 403: POST /plans/erp-to-cards/make, of vera from 10.0.0.1")
    asked(proxy, path="/enter?token=canary")
    assert "canary" not in caplog.text
    assert all(each not in caplog.text for each in proxy.cookies.values())
