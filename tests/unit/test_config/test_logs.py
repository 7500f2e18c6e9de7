"""Logging: plain lines on stderr, and no secret in any of them."""

import logging
import re
from collections.abc import Iterator

import pytest

from config import logs

SECRET = "hunter2-token"


@pytest.fixture(autouse=True)
def _fresh(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No handler and no secret of another test, and none left behind."""
    logger = logging.getLogger("trueup")
    level, handlers = logger.level, logger.handlers[:]
    logger.handlers[:] = []
    monkeypatch.setattr(logs, "_secrets", ())
    yield
    logger.handlers[:] = handlers
    logger.setLevel(level)


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
