"""The settings file: what it may say, and that all that is wrong is told at once, with its line."""

import re
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from pydantic import Field, SecretStr, ValidationError

from config.load import SettingsError, key_lines, load
from config.logs import redact
from config.schema import settings_schema
from config.secrets import REFERENCE
from config.settings import Guard, Settings
from config.wiring import connect, state_url
from connectors.contract import registry
from connectors.contract.runtime import Runtime
from connectors.contract.settings import Address, HttpSettings, RateLimit, SystemSettings
from sync.spec import Limit


class AcmeSettings(HttpSettings):
    base_url: Address = Field(default="https://api.acme.example", description="The address.")
    rate_limit: RateLimit = Field(default="60/1m", description="Calls per window.")
    token: SecretStr = Field(description="The API token.")
    user_token: SecretStr | None = Field(default=None, description="Another one.")
    pages: int | list[int] = Field(default=3, description="How many pages.")


class PlainSettings(SystemSettings):
    connector: str = Field(default="plain", description="Which connector it is.")
    path: str = Field(description="The file.")


class Stand:
    """Stands where a connector class would: keeps what it was made with."""

    def __init__(self, name: str, settings: Any, runtime: Runtime) -> None:
        self.name, self.settings, self.runtime = name, settings, runtime


class Acme(Stand):
    Settings = AcmeSettings


class Plain(Stand):
    Settings = PlainSettings


@pytest.fixture(autouse=True)
def _two_connectors(monkeypatch: pytest.MonkeyPatch) -> None:
    known = {"acme": Acme, "plain": Plain}
    monkeypatch.setattr(registry, "names", lambda: sorted(known))
    monkeypatch.setattr(registry, "load", known.__getitem__)


ERP = '[systems.erp]\nconnector = "plain"\npath = "budgets.csv"\n'
ACME = '[systems.acme]\nconnector = "acme"\ntoken = "env:ACME_TOKEN"\n'
SYNC = '[syncs.s]\nsource = "erp"\ntarget = "acme"\n'


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "trueup.toml"


def read(file: Path, text: str) -> Settings:
    file.write_text(text, encoding="utf-8")
    return load(file)


def problems(file: Path, text: str) -> list[str]:
    """The problems as they are printed, without the folder."""
    with pytest.raises(SettingsError) as caught:
        read(file, text)
    assert caught.value.exit_code == 2
    return str(caught.value).replace(f"{file.parent}/", "").splitlines()


def problem(file: Path, text: str) -> str:
    (only,) = problems(file, text)
    return only


@pytest.mark.parametrize(
    "line",
    ['schedule = "0 2 30 2 *"', 'schedule = "every 99999999999 days"', "horizon_months = 999999",
     f'schedule = "every {"9" * 5000} minutes"', 'full_pass_every = "99999999d"'],
)  # fmt: skip
def test_times_that_never_come_or_never_end_are_problems_of_their_line(
    file: Path, line: str
) -> None:
    assert problem(file, ERP + ACME + SYNC + line).startswith("trueup.toml:10: syncs.s.")


@pytest.mark.parametrize("rate", ["9" * 5000 + "/1m", "60/" + "9" * 400 + "h"])
def test_a_rate_beyond_all_measure_is_a_problem_of_its_line(file: Path, rate: str) -> None:
    said = problem(file, f'{ACME}rate_limit = "{rate}"')
    assert said.startswith("trueup.toml:4: systems.acme.rate_limit: ")


@pytest.mark.parametrize(
    "address",
    ["https://ada:canary@api.test", "ada:canary@api.test", "htps://canary@x", "https//canary:x@y/z",
     "https://api.test?key=canary", "https://api.test/#canary", "canary", "http://ada:canary@127.0.0.1"],
)  # fmt: skip
def test_an_address_that_is_none_is_not_repeated(file: Path, address: str) -> None:
    said = problem(file, f'{ACME}base_url = "{address}"')
    assert said.startswith("trueup.toml:4: systems.acme.base_url: ")
    assert "canary" not in said


@pytest.mark.parametrize(
    "address", ["http://api.test", "http://127.0.0.1.api.test", "http://10.0.0.1"]
)
def test_a_credential_by_plain_http_is_refused_unless_that_is_meant(
    file: Path, address: str
) -> None:
    said = problem(file, f'{ACME}base_url = "{address}"')
    assert said.startswith("trueup.toml:4: systems.acme.base_url: by http:// anybody")
    assert read(file, f'{ACME}base_url = "{address}"\ninsecure = true').systems


@pytest.mark.parametrize(
    "address", ["http://127.0.0.1:80", "http://localhost", "http://[::1]:8080"]
)
def test_this_machine_may_be_reached_by_plain_http(file: Path, address: str) -> None:
    assert read(file, f'{ACME}base_url = "{address}"').systems


# What a right file gives


def test_a_whole_file_is_read_with_the_defaults_of_what_it_leaves_out(file: Path) -> None:
    settings = read(file, ERP + ACME + SYNC)

    assert settings.state.url == "sqlite:///trueup.db"
    assert isinstance(settings.systems["acme"], AcmeSettings)
    sync = settings.syncs["s"]
    assert (sync.mode, sync.on_remove, sync.schedule, sync.accept) == ("mirror", "keep", None, ())
    assert (sync.stamp, sync.horizon_months, sync.parallel) == (True, 12, 8)
    assert sync.guard.below_spent == "stop"


def test_an_empty_file_is_no_error(file: Path) -> None:
    assert read(file, "").systems == {}


@pytest.mark.parametrize(
    ("line", "every"),
    [
        ("", timedelta(hours=12)),
        ("full_pass_every = '1d'", timedelta(days=1)),
        ("full_pass_every = '30m'", timedelta(minutes=30)),
        ("full_pass_every = 1", 1),
    ],
)
def test_a_full_pass_comes_after_a_time_or_a_number_of_runs(file, line, every) -> None:
    assert read(file, ERP + ACME + SYNC + line).syncs["s"].full_pass() == every


def test_a_guard_gives_its_percentages_as_exact_shares() -> None:
    guard = Guard(max_changes="12.5%")

    assert guard.share("max_changes") == Decimal("0.125")
    assert guard.share("max_removals") == Decimal("0.05")
    assert guard.share("max_money") == Decimal("0.10")
    assert guard.share("max_budget_change") == Decimal("0.50")
    assert guard.share("min_listing") == Decimal("0.50")


@pytest.mark.parametrize(
    ("said", "limit"),
    [
        ({"max_removals": 3}, Limit(objects=3)),
        ({"max_removals": "3"}, Limit(objects=3)),
        ({"max_removals": "5%"}, Limit(Decimal("0.05"))),
        ({"max_removals": "5%, at least 2"}, Limit(Decimal("0.05"), 2)),
        ({"max_money": "10%"}, Limit(Decimal("0.1"))),
        ({"max_money": "5000 USD"}, Limit(money={"USD": Decimal(5000)})),
        (
            {"max_money": "10%, at least 500 USD, 450.50 EUR"},
            Limit(Decimal("0.1"), 0, {"USD": Decimal(500), "EUR": Decimal("450.50")}),
        ),
        ({"max_money": "off"}, None),
    ],
)
def test_a_limit_is_a_share_a_number_or_an_amount(said: dict[str, Any], limit: Limit) -> None:
    (rule,) = said
    assert Guard(**said).limit(rule) == limit  # type: ignore[arg-type]
    if limit is not None:
        assert Guard(**{rule: str(limit)}).limit(rule) == limit  # type: ignore[arg-type]


def test_a_guard_that_is_off_has_no_share() -> None:
    assert Guard(max_money="off").share("max_money") is None


def test_what_a_sync_accepts_is_kept_in_order(file: Path) -> None:
    settings = read(file, ERP + ACME + SYNC + 'accept = ["rounded:amount", "blocked:entity"]')

    assert settings.syncs["s"].accept == ("rounded:amount", "blocked:entity")


def test_settings_cannot_be_changed(file: Path) -> None:
    with pytest.raises(ValidationError):
        read(file, ERP).state = None


def test_a_byte_order_mark_and_windows_line_ends_do_no_harm(file: Path) -> None:
    file.write_bytes(b"\xef\xbb\xbf" + ERP.replace("\n", "\r\n").encode())

    assert "erp" in load(file).systems


def test_a_secret_stays_a_reference_that_no_representation_shows(file: Path) -> None:
    settings = read(file, ACME)

    assert settings.systems["acme"].token.get_secret_value() == "env:ACME_TOKEN"
    assert "ACME_TOKEN" not in repr(settings)


def test_the_address_of_the_state_is_not_in_the_representation(file: Path) -> None:
    settings = read(file, '[state]\nurl = "postgresql://u:hunter2@host/db"')

    assert "hunter2" not in repr(settings)


# What a wrong file says


def test_all_problems_come_at_once_in_the_order_of_their_lines(file: Path) -> None:
    text = "[syncs.s]\nsource = 5\ntarget = 'acne'\n" + ACME + "tokn = 'x'\n[stat]\n"

    assert problems(file, text) == [
        'trueup.toml:2: syncs.s.source: wants text, such as "text"; found a whole number',
        'trueup.toml:3: syncs.s.target: no system is named "acne"; did you mean "acme"?',
        'trueup.toml:7: systems.acme.tokn: unknown key; did you mean "token"?',
        'trueup.toml:8: stat: unknown key; did you mean "state"?',
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[state]\nurk = 'x'", 'trueup.toml:2: state.urk: unknown key; did you mean "url"?'),
        ("[actuals.acme]\nsystem = ['x']", 'system: unknown key; did you mean "systems"?'),
        (SYNC + "sorce = 'x'", 'syncs.s.sorce: unknown key; did you mean "source"?'),
        (
            SYNC + "[syncs.s.guard]\nmax_change = '1%'",
            'trueup.toml:11: syncs.s.guard.max_change: unknown key; did you mean "max_changes"?',
        ),
        (
            SYNC + "guard = { max_mony = '1%' }",
            'trueup.toml:10: syncs.s.guard.max_mony: unknown key; did you mean "max_money"?',
        ),
    ],
)
def test_an_unknown_key_is_told_with_the_nearest_right_one(
    file: Path, text: str, said: str
) -> None:
    systems = "" if text.startswith("[state]") else ERP + ACME
    assert problem(file, systems + text).endswith(said)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("parallel = '8'", "wants a whole number, such as 8; found text"),
        ("parallel = 8.5", "wants a whole number, such as 8; found a number with a fraction"),
        ("parallel = 65", "must be at most 64"),
        ("parallel = 0", "must be at least 1"),
        ("stamp = 'no'", "wants true or false without quotes, such as true; found text"),
        ("accept = 'rounded:amount'", 'wants a list, such as ["text"]; found text'),
        ("guard = 3", 'wants a table, such as { key = "value" }; found a whole number'),
        ("mode = 'miror'", '"miror" cannot stand here; did you mean "mirror"?'),
        ("on_remove = 'x'", '"x" cannot stand here; there are delete, keep, retire'),
        ("on_remove = 2026-01-31", "a date or time cannot stand here; there are delete"),
        ("guard.max_money = '10'", '"10" is not a share such as "30%"'),
        ("guard.max_money = '-1%'", 'an amount such as "5000 USD", nor "off"'),
        ("guard.max_money = 5000", "an amount names its currency"),
        ("guard.max_money = '5000 USB'", "USB"),
        ("guard.max_money = '10%, at least 5'", 'such as "10%, at least 500 USD"'),
        ("guard.max_removals = '5%, at most 1'", 'such as "5%, at least 1", a number such as 3'),
        ("guard.max_removals = '5 USD'", '"5 USD" is not a share such as "30%"'),
        ("guard.max_removals = -1", '"-1" is not a share'),
        ("guard.max_changes = true", "this is not a share"),
        ("guard.min_listing = '5'", '"5" is not a share such as "30%", nor "off"'),
        ("accept = ['emulated:name']", '"emulated:name" is not an effect'),
        ("accept = ['rounded:amuont']", 'did you mean "rounded:amount"?'),
        ("full_pass_every = '1 week'", '"1 week" is not a time such as "12h", nor a number'),
        ("full_pass_every = 0", '"0" is not a time such as "12h", nor a number of runs'),
        ("schedule = 'now and then'", "'now and then' is not a schedule"),
        ("timezone = 'Europe/Berln'", 'named "Europe/Berln"; did you mean "Europe/Berlin"?'),
        ("timezone = 'berlin'", 'did you mean "Europe/Berlin"?'),
        ("timezone = '../../etc/passwd'", 'there are such as "Europe/Berlin"'),
        ("jitter = '30'", '"30" is not a time up to a day such as "30s"'),
        ("jitter = '25h'", '"25h" is not a time up to a day'),
        ("blackout = ['22-6']", '"22-6" is no window such as "22:00-06:00"'),
        ("blackout = ['2026-02-30']", "2026-02-30"),
        ("schedule = '0 23 * * *'\nblackout = ['22:00-06:00']", "never comes outside"),
    ],
)
def test_a_wrong_value_is_told_in_plain_words(file: Path, line: str, said: str) -> None:
    told = problem(file, ERP + ACME + SYNC + line)

    assert told.startswith("trueup.toml:10: syncs.s.")
    assert said in told
    assert not re.search("Input should|Value error|pydantic|https://", told)


def test_an_item_of_a_list_is_told_by_its_place(file: Path) -> None:
    text = ERP + ACME + SYNC + "accept = [\n'rounded:amount',\n'x',\n]"

    assert problem(file, text).startswith("trueup.toml:10: syncs.s.accept[1]: ")


def test_a_value_that_fits_no_branch_of_a_union_is_one_problem(file: Path) -> None:
    told = problem(file, ACME + "pages = 'x'")

    assert told.startswith("trueup.toml:4: systems.acme.pages: wants a whole number")


def test_a_connectors_own_refusal_comes_through(file: Path) -> None:
    told = problem(file, ACME + "rate_limit = 'many'")

    assert told.startswith("trueup.toml:4: systems.acme.rate_limit: 'many' is not calls per window")


def test_a_missing_key_is_told_at_its_tables_header(file: Path) -> None:
    told = problem(file, "\n[systems.acme]\nconnector = 'acme'\n")

    assert told == "trueup.toml:2: systems.acme.token: this key is missing: The API token."


def test_a_system_without_a_connector_is_one_problem(file: Path) -> None:
    told = problem(file, "[systems.x]\npath = 'y'")

    assert told.startswith("trueup.toml:1: systems.x.connector: this key is missing")


def test_an_unknown_connector_is_told_with_those_there_are(file: Path) -> None:
    told = problem(file, "[systems.x]\nconnector = 'zzz'\ntoken = 'y'")

    assert told == (
        'trueup.toml:2: systems.x.connector: no connector is named "zzz"; there are acme, plain'
    )


def test_a_connector_that_cannot_be_imported_is_a_problem_of_its_line(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(name: str) -> None:
        raise ImportError("no module named acme_sdk")

    monkeypatch.setattr(registry, "load", broken)

    assert "trueup.toml:2" in problem(file, ACME)
    assert "acme_sdk" in problem(file, ACME)


def test_a_sync_of_a_system_with_itself_is_refused(file: Path) -> None:
    told = problem(file, ERP + '[syncs.s]\nsource = "erp"\ntarget = "erp"')

    assert told == "trueup.toml:6: syncs.s.target: the target is the source itself"


def test_two_syncs_between_the_same_systems_are_refused(file: Path) -> None:
    told = problem(file, ERP + ACME + SYNC + SYNC.replace("syncs.s", "syncs.t"))

    assert told == 'trueup.toml:10: syncs.t: the sync "s" already goes from "erp" to "acme"'


def test_syncs_to_two_targets_are_fine(file: Path) -> None:
    second = ACME.replace("systems.acme", "systems.b") + '[syncs.t]\nsource="erp"\ntarget="b"\n'

    assert set(read(file, ERP + ACME + SYNC + second).syncs) == {"s", "t"}


@pytest.mark.parametrize("written", ["hunter2-literal", "env:", "keyring:only", ""])
def test_a_secret_written_into_the_file_is_refused_and_not_repeated(
    file: Path, written: str
) -> None:
    told = problem(file, ACME.replace("env:ACME_TOKEN", written))

    assert told.startswith("trueup.toml:3: systems.acme.token: a secret is not written here")
    assert "write env:ACME_TOKEN and put the secret into that environment variable" in told
    assert "hunter2" not in told


def test_validating_without_a_file_shows_no_input_either() -> None:
    acme = {"connector": "acme", "token": "hunter2", "pages": "hunter2"}

    with pytest.raises(ValidationError) as caught:
        Settings.model_validate({"systems": {"acme": acme}})

    assert caught.value.error_count() >= 2
    assert not re.search("hunter2|input_value", str(caught.value))


def test_an_optional_secret_is_guarded_too_and_so_is_one_that_is_no_text(file: Path) -> None:
    told = problem(file, ACME + "user_token = 8731")

    assert "env:ACME_USER_TOKEN" in told
    assert "8731" not in told


def test_an_address_of_the_state_that_is_none_is_not_repeated(file: Path) -> None:
    told = problem(file, '[state]\nurl = "mysql://u:hunter2@host/db"')

    assert told.startswith("trueup.toml:2: state.url: not an address")
    assert "hunter2" not in told


# Files that cannot be read at all


def test_a_missing_file_says_what_writes_one(file: Path) -> None:
    with pytest.raises(SettingsError) as caught:
        load(file)

    assert str(caught.value).endswith(f"no trueup.toml in {file.parent}; `trueup init` writes one")


def test_a_folder_in_its_place_is_told(file: Path) -> None:
    file.mkdir()

    with pytest.raises(SettingsError, match="cannot be read: Is a directory"):
        load(file)


def test_another_encoding_is_told(file: Path) -> None:
    file.write_bytes("# für\n".encode("latin-1"))

    with pytest.raises(SettingsError, match="is not UTF-8 text, from byte 3"):
        load(file)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a = 1\nb = tru", "trueup.toml:2:5: not valid TOML: the value is not TOML; text stands"),
        ("[a]\nb 1", "trueup.toml:2:3: not valid TOML: a key is followed by ="),
        ("a = [1,\n2\n", "trueup.toml:3: not valid TOML: the list is not closed with ]"),
        ("[a.b]\n[a.b]", "trueup.toml:2:5: not valid TOML: the table [a.b] is written twice"),
        ("a = 1\na = 2\n", "not valid TOML: this key is written twice"),
        ('a = "\\q"', "trueup.toml:1:8: not valid TOML: unescaped"),
    ],
)
def test_broken_toml_is_told_with_its_place(file: Path, text: str, said: str) -> None:
    assert said in problem(file, text)


# Lines


TRICKY = '''# [comment]
top = 1

[a . "b c"]
text = """
fake = 1
[fake]
"""  # done
quads = """x"""" # " [
other = \'\'\'x = """\'\'\'
list = [  # ]
  "]", { k = 1 },
]
"quoted \\u0041".x = "a # b"   # c
after = { in = 1 }
  [d]
last=1
'''


def test_lines_of_keys_are_found_around_strings_lists_and_comments() -> None:
    assert key_lines(TRICKY) == {
        ("top",): 2,
        ("a",): 4,
        ("a", "b c"): 4,
        ("a", "b c", "text"): 5,
        ("a", "b c", "quads"): 9,
        ("a", "b c", "other"): 10,
        ("a", "b c", "list"): 11,
        ("a", "b c", "quoted A"): 14,
        ("a", "b c", "quoted A", "x"): 14,
        ("a", "b c", "after"): 15,
        ("d",): 16,
        ("d", "last"): 17,
    }


# Entities


def test_entities_of_a_file_join_the_rows_and_the_rows_win(file: Path) -> None:
    (file.parent / "people.csv").write_text(
        "note,entity_type,entity,id\n,user,ada,u1\n,user,bob,u2\n", encoding="utf-8-sig"
    )
    table = '[systems.acme.entities]\nfile = "people.csv"\n"user:bob" = "u3"\n'

    entities = read(file, ACME + table).systems["acme"].entities

    assert entities == {"user:ada": "u1", "user:bob": "u3"}


def test_a_missing_file_of_entities_is_told_with_the_line_that_names_it(file: Path) -> None:
    told = problem(file, ACME + '[systems.acme.entities]\nfile = "people.csv"')

    assert told == (
        "trueup.toml:5: systems.acme.entities.file: people.csv cannot be read: "
        "No such file or directory"
    )


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ("type,entity,id\n", "people.csv:1: no column entity_type; the columns are"),
        ("entity_type,entity,id\nuser,ada,1\nuser,bob\n", "people.csv:3: id: the cell is empty"),
        ("entity_type,entity,id\nuser,ada,1\nuser,ada,2\n", "people.csv:3: user:ada stands here"),
        ("entity_type,entity,id\nuser,Lovelace, Ada,1\n", "people.csv:2: more cells than columns"),
        ('entity_type,entity,id\n"a"b,c,d\n', "people.csv cannot be read: not a CSV file"),
    ],
)
def test_a_bad_file_of_entities_is_told_with_its_row(file: Path, rows: str, said: str) -> None:
    (file.parent / "people.csv").write_text(rows, encoding="utf-8")

    assert said in problem(file, ACME + '[systems.acme.entities]\nfile = "people.csv"')


def test_an_entity_without_a_type_is_refused(file: Path) -> None:
    told = problem(file, ACME + '[systems.acme.entities]\n"ada@example.com" = "u1"')

    assert told.startswith('trueup.toml:5: systems.acme.entities."ada@example.com": a row is')


# Wiring


def test_connecting_resolves_the_secret_and_hides_it_from_the_log(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ACME_TOKEN", "hunter2-resolved")

    made = connect(read(file, ACME), "acme")

    assert made.name == "acme"
    assert made.settings.token.get_secret_value() == "hunter2-resolved"
    assert made.settings.user_token is None
    assert made.runtime.base == file.parent
    assert redact("token hunter2-resolved") == "token ***"


def test_connecting_hands_on_the_runtime_it_is_given(file: Path) -> None:
    runtime = Runtime(patience=1)

    given = connect(read(file, ERP), "erp", runtime).runtime

    assert replace(given, hide=runtime.hide, credential=runtime.credential) == runtime


def test_a_secret_file_is_found_beside_the_settings(file: Path) -> None:
    secret = file.parent / "token.txt"
    secret.write_text("hunter2-from-file\n")
    secret.chmod(0o600)

    made = connect(read(file, ACME.replace("env:ACME_TOKEN", "file:token.txt")), "acme")

    assert made.settings.token.get_secret_value() == "hunter2-from-file"


def test_every_missing_secret_of_the_system_is_told_with_its_line(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ACME_TOKEN", raising=False)
    settings = read(file, ACME + 'user_token = "env:ACME_USER"\n')

    with pytest.raises(SettingsError) as caught:
        connect(settings, "acme")

    assert [each.line for each in caught.value.problems] == [3, 4]
    assert "the environment variable ACME_TOKEN is not set" in str(caught.value)


def test_another_systems_missing_secret_is_no_obstacle(file: Path) -> None:
    assert connect(read(file, ERP + ACME), "erp").name == "erp"


def test_connecting_an_unknown_system_names_the_nearest(file: Path) -> None:
    with pytest.raises(SettingsError, match='no system is named "erpp"; did you mean "erp"'):
        connect(read(file, ERP), "erpp")


def test_the_states_address_may_be_a_reference_and_its_password_is_hidden(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STATE", "postgresql://u:pass%40word@host/db")

    url = state_url(read(file, '[state]\nurl = "env:STATE"'))

    assert url == "postgresql://u:pass%40word@host/db"
    assert redact("pass%40word or pass@word") == "*** or ***"


def test_the_password_in_a_written_address_is_hidden_too(file: Path) -> None:
    state_url(read(file, '[state]\nurl = "postgresql://u:inline-pass@host/db"'))

    assert redact("inline-pass") == "***"


def test_a_states_address_that_is_not_there_is_told_with_its_line(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("STATE", raising=False)
    settings = read(file, '[state]\nurl = "env:STATE"')

    with pytest.raises(SettingsError, match=r"trueup\.toml:2: state\.url: .*STATE is not set"):
        state_url(settings)


# The schema for editors


def test_the_schema_has_one_branch_for_every_connector() -> None:
    schema = settings_schema()

    branches = schema["properties"]["systems"]["additionalProperties"]["oneOf"]
    names = [branch["$ref"].removeprefix("#/$defs/system-") for branch in branches]
    assert names == registry.names()
    for name in names:
        definition = schema["$defs"][f"system-{name}"]
        assert definition["properties"]["connector"]["const"] == name
        assert "connector" in definition["required"]
        assert definition["additionalProperties"] is False


def test_the_schema_takes_references_for_secrets_and_a_file_for_entities() -> None:
    keys = settings_schema()["$defs"]["system-acme"]["properties"]

    for name in ("token", "user_token"):
        assert (keys[name]["type"], keys[name]["pattern"]) == ("string", REFERENCE)
        assert keys[name]["description"]
    assert keys["entities"]["properties"]["file"]["type"] == "string"


def test_every_reference_in_the_schema_leads_somewhere_and_every_key_is_described() -> None:
    schema = settings_schema()
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["title"]
    assert "$id" not in schema

    def walk(node: Any) -> None:
        if isinstance(node, list):
            for each in node:
                walk(each)
        if isinstance(node, dict):
            if "$ref" in node:
                assert node["$ref"].removeprefix("#/$defs/") in schema["$defs"]
            if node.get("type") == "object" and isinstance(node.get("properties"), dict):
                for key, told in node["properties"].items():
                    assert told.get("description"), key
            for each in node.values():
                walk(each)

    walk(schema)
