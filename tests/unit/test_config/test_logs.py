"""Logging: lines of text or of JSON on stderr, and no secret in any of them."""

import json
import logging
import re
import sys
from collections.abc import Iterator
from threading import Thread
from typing import Any

import pytest

from config import logs
from connectors.contract.work import carried, work, working

SECRET = "hunter2-token"


@pytest.fixture(autouse=True)
def _fresh(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No handler and no secret of another test, and none left behind."""
    logger, root = logging.getLogger("trueup"), logging.getLogger()
    level, handlers, above = logger.level, logger.handlers[:], root.handlers[:]
    logger.handlers[:] = []
    monkeypatch.setattr(logs, "_secrets", ())
    monkeypatch.setenv("TRUEUP_LOG", "text")
    yield
    logger.handlers[:], root.handlers[:] = handlers, above
    logger.setLevel(level)


def told(capsys: pytest.CaptureFixture[str]) -> Any:
    """The only line there is, as JSON."""
    (line,) = capsys.readouterr().err.splitlines()
    return json.loads(line)


@pytest.fixture
def log() -> logging.Logger:
    return logging.getLogger("trueup.some.part")


def test_a_line_has_time_level_logger_and_message(
    log: logging.Logger, capsys: pytest.CaptureFixture[str]
) -> None:
    logs.configure()
    log.warning("budget %s", "b1")

    out, err = capsys.readouterr()
    assert out == ""
    assert re.fullmatch(r"\d\d:\d\d:\d\d WARNING trueup\.some\.part budget b1\n", err)


@pytest.mark.parametrize(
    ("verbosity", "shown"),
    [(0, "WARNING"), (1, "INFO WARNING"), (2, "DEBUG INFO WARNING"), (3, "DEBUG INFO WARNING")],
)
def test_each_v_shows_more(
    log: logging.Logger, capsys: pytest.CaptureFixture[str], verbosity: int, shown: str
) -> None:
    logs.configure(verbosity)
    for level in (logging.DEBUG, logging.INFO, logging.WARNING):
        log.log(level, "x")

    assert [line.split()[1] for line in capsys.readouterr().err.splitlines()] == shown.split()


def test_configuring_again_changes_the_level_and_doubles_no_line(
    log: logging.Logger, capsys: pytest.CaptureFixture[str]
) -> None:
    logs.configure(2)
    logs.configure(0)
    log.info("quiet")
    log.warning("loud")

    assert len(capsys.readouterr().err.splitlines()) == 1


@pytest.mark.parametrize(
    "arguments",
    [
        (f"token {SECRET}",),
        ("token %s", SECRET),
        ("token %s", {"authorization": [SECRET]}),
        ("token %(t)s", {"t": SECRET}),
        ("too many arguments", SECRET),
    ],
)
def test_no_secret_comes_through_message_or_arguments(
    log: logging.Logger, capsys: pytest.CaptureFixture[str], arguments: tuple[object, ...]
) -> None:
    logs.configure(secrets=[SECRET])
    log.warning(*arguments)

    err = capsys.readouterr().err
    assert "***" in err
    assert SECRET not in err


def test_no_secret_comes_through_a_traceback(
    log: logging.Logger, capsys: pytest.CaptureFixture[str]
) -> None:
    logs.configure(secrets=[SECRET])
    try:
        raise ValueError(SECRET)
    except ValueError:
        log.exception("failed")

    err = capsys.readouterr().err
    assert "ValueError: ***" in err
    assert SECRET not in err


def test_handlers_further_up_see_no_secret_either(
    log: logging.Logger, caplog: pytest.LogCaptureFixture
) -> None:
    logs.configure(secrets=[SECRET])
    try:
        raise ValueError(SECRET)
    except ValueError:
        log.warning("token %s", SECRET, exc_info=True)

    assert "token ***" in caplog.text
    assert SECRET not in caplog.text
    assert caplog.records[0].exc_info is None


def test_a_secret_registered_later_is_hidden_from_then_on() -> None:
    assert logs.redact(SECRET) == SECRET
    logs.register_secret(SECRET)

    assert logs.redact(f"a {SECRET} b {SECRET}") == "a *** b ***"


def test_a_secret_within_a_secret_leaves_nothing_of_the_longer_one() -> None:
    logs.register_secret("abcd")
    logs.register_secret("abcd-efgh")

    assert logs.redact("abcd-efgh") == "***"


def test_values_under_four_characters_are_left_alone() -> None:
    logs.register_secret("abc")
    logs.register_secret("")

    assert logs.redact("abc") == "abc"


def test_a_message_stays_on_its_line_and_cannot_colour_the_terminal(
    log: logging.Logger, capsys: pytest.CaptureFixture[str]
) -> None:
    logs.configure()
    log.warning("one\ntwo\x1b[31m für")

    assert capsys.readouterr().err.endswith("one\\ntwo\\x1b[31m für\n")


def test_neither_can_a_traceback(log: logging.Logger, capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure()
    try:
        raise ValueError("\x1b[2J")
    except ValueError:
        log.exception("failed")

    assert capsys.readouterr().err.endswith("ValueError: \\x1b[2J\n")


def test_elsewhere_than_on_a_terminal_a_record_is_one_json_object(
    log: logging.Logger, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TRUEUP_LOG")
    logs.configure()
    with working(run="r" * 32, sync="erp-to-cards", system="cards", budget="B 1"):
        log.warning("für\n%s", "b1", extra={"request_id": "q-1"})

    said = told(capsys)
    at = said.pop("time")
    assert re.fullmatch(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00", at)
    assert said == {
        "level": "warning", "logger": "trueup.some.part", "event": "für\\nb1", "run": "r" * 32,
        "sync": "erp-to-cards", "system": "cards", "budget": "B 1", "request_id": "q-1",
    }  # fmt: skip


def test_on_a_terminal_a_record_is_a_line_that_ends_in_what_it_is_about(
    log: logging.Logger, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TRUEUP_LOG")
    logs.configure()
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    with working(run="r" * 32, budget='a "b"'):
        log.warning("seen")

    said = f'WARNING trueup.some.part seen run={"r" * 12} budget="a \\"b\\""\n'
    assert capsys.readouterr().err.endswith(said)


@pytest.mark.parametrize("form", ["text", "json"])
def test_no_secret_comes_through_any_field(
    log: logging.Logger,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    form: str,
) -> None:
    monkeypatch.setenv("TRUEUP_LOG", form)
    logs.configure(secrets=[SECRET])
    hidden = dict.fromkeys(("run", "sync", "system", "budget"), f"x{SECRET}\n")
    try:
        raise ValueError(SECRET)
    except ValueError:
        with working(**hidden):
            log.exception(SECRET, extra={"request_id": SECRET})
            log.handle(log.makeRecord(log.name, 30, "", 0, "x", (), None, sinfo=f"at {SECRET}"))

    err = capsys.readouterr().err
    assert err.count("***") >= 7
    assert SECRET not in err


def test_a_library_is_heard_from_warnings_on_in_the_same_form(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRUEUP_LOG", "json")
    logs.configure(2, secrets=[SECRET])
    library = logging.getLogger("some.library")
    library.info("quiet")
    with working(system="cards"):
        library.warning("asked with %s", SECRET)

    said = told(capsys)
    assert (said["logger"], said["event"]) == ("some.library", "asked with ***")
    assert said["system"] == "cards"


def test_a_form_that_there_is_not_is_told_and_stops_nothing(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRUEUP_LOG", "xml")
    logs.configure()

    assert told(capsys)["event"] == 'TRUEUP_LOG is "xml", and is to be text or json'


def test_what_is_worked_on_goes_with_the_job_into_its_thread_and_no_further() -> None:
    seen: list[dict[str, object]] = []

    def job() -> None:
        with working(budget="b"):
            seen.append({**work()})

    with working(run="r"):
        going = carried(job)
    going()
    thread = Thread(target=going)
    thread.start()
    thread.join()

    assert seen == [{"run": "r", "budget": "b"}] * 2
    assert work() == {}
