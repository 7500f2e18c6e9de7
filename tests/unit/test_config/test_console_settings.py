"""What `[console]` may say, and the words in which what it may not is refused."""

import json

import pytest

from config.load import SettingsError, load
from config.schema import settings_schema

TEAM = 'url = "https://t.example"\n'
HEADER = 'trusted_header = "X-User"\ntrusted_from = ["10.0.0.1"]\n'
ROLES = '[console.roles]\nviewer = ["vera"]\n'
OIDC = '[console.oidc]\nissuer = "https://id.example"\nclient_id = "trueup"\n'


def read(tmp_path, text):
    (tmp_path / "trueup.toml").write_text("[console]\n" + text)
    return load(tmp_path / "trueup.toml").console


@pytest.mark.parametrize("text", ["", TEAM + HEADER + ROLES, TEAM + ROLES + OIDC, 'host = "::1"\n'])
def test_what_hangs_together_is_taken(tmp_path, text):
    assert read(tmp_path, text).is_for_a_team is bool(ROLES in text)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('host = "0.0.0.0"', "0.0.0.0 is not on loopback"),
        (TEAM + HEADER, "nobody is in [console.roles]"),
        (HEADER + ROLES, "by which url"),
        (ROLES, "roles are of people who log in"),
        (TEAM + HEADER + ROLES + OIDC, "not by both"),
        (TEAM + 'trusted_header = "X-User"\n' + ROLES, "add trusted_from"),
        ('trusted_from = ["10.0.0.1"]', "go with a trusted_header"),
        (TEAM + HEADER + 'groups_header = "x-user"\n' + ROLES, "in two headers"),
        (TEAM + HEADER.replace("10.0.0.1", "0.0.0.0/0") + ROLES, "every address"),
        (TEAM + HEADER.replace("10.0.0.1", "proxy.example") + ROLES, "an address such as"),
        (TEAM + HEADER.replace("10.0.0.1", "10.0.0.1/24") + ROLES, "an address such as"),
        (TEAM + HEADER.replace("X-User", "X-Forwarded-For") + ROLES, "anybody can send it"),
        (TEAM + HEADER.replace("X-User", "Cookie") + ROLES, "anybody can send it"),
        (TEAM + HEADER.replace("X-User", "X_User") + ROLES, "the name of a header"),
        ('url = "http://t.example"', "begins with https://"),
        ('url = "https://t.example/a"', "no path"),
        ('url = "https://a@t.example"', "is not an address"),
        (TEAM + HEADER + '[console.roles]\nviewer = ["group:"]', "the name of a group"),
        (TEAM + ROLES + OIDC.replace("https://id", "http://id"), "begins with https://"),
        (TEAM + ROLES + OIDC + 'client_secret = "hunter2"', "never written here"),
        (TEAM + ROLES + OIDC + 'scopes = ["email"]', 'must hold "openid"'),
        (TEAM + ROLES + OIDC + "secret = 1", "secret"),
    ],
)
def test_what_does_not_is_refused_in_words(tmp_path, text, said):
    with pytest.raises(SettingsError) as caught:
        read(tmp_path, text)
    assert said in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_editors_know_the_table():
    assert "trusted_header" in json.dumps(settings_schema()["$defs"]["ConsoleSettings"])
