"""Secrets: found where the reference points, never shown where it fails."""

import logging
import os
import sys
from pathlib import Path

import keyring
import keyring.backends.fail
import pytest
from keyring.backend import KeyringBackend
from keyring.errors import KeyringLocked

from config.secrets import SecretError, is_reference, resolve


class Ring(KeyringBackend):
    """A keyring with one password."""

    priority = 1

    def get_password(self, service: str, username: str) -> str | None:
        if username == "locked":
            raise KeyringLocked("hunter2")
        return "from-ring" if (service, username) == ("trueup", "acme/token") else None

    def set_password(self, service: str, username: str, password: str) -> None:
        raise NotImplementedError


@pytest.fixture
def _ring() -> object:
    before = keyring.get_keyring()
    keyring.set_keyring(Ring())
    yield
    keyring.set_keyring(before)


def write(path: Path, data: bytes, mode: int = 0o600) -> Path:
    path.write_bytes(data)
    path.chmod(mode)
    return path


def refusal(reference: str, base: Path = Path()) -> str:
    with pytest.raises(SecretError) as caught:
        resolve(reference, base)
    assert "hunter2" not in f"{caught.value}{caught.value.__cause__}"
    return str(caught.value)


@pytest.mark.parametrize("text", ["env:A_1", "file:/run/x y", "file:~/x", "keyring:a/b/c"])
def test_these_are_references(text: str) -> None:
    assert is_reference(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "env:",
        "env:1A",
        "env:A B",
        "env:A\n",
        "ENV:A",
        "file:",
        "keyring:a",
        "keyring:/b",
        "x",
        3,
    ],
)
def test_these_are_not(text: object) -> None:
    assert not is_reference(text)


def test_what_is_no_reference_is_not_repeated() -> None:
    assert "env:NAME" in refusal("hunter2")


def test_an_environment_variable_gives_its_value(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ACME", " a b \n")

    assert resolve("env:ACME", Path()) == " a b "


def test_a_variable_that_is_not_set_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ACME", raising=False)

    assert refusal("env:ACME") == (
        "the environment variable ACME is not set; put the secret into it"
    )


def test_an_empty_variable_is_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ACME", " ")

    assert "ACME is empty" in refusal("env:ACME")


def test_a_file_beside_the_settings_gives_its_text_without_the_line_end(tmp_path: Path) -> None:
    write(tmp_path / "t", b"s3cret\r\n")

    assert resolve("file:t", tmp_path) == "s3cret"


def test_an_absolute_path_and_the_home_folder_are_followed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path / "t", b"s3cret")
    monkeypatch.setenv("HOME", str(tmp_path))

    assert resolve(f"file:{path}", Path("/elsewhere")) == "s3cret"
    assert resolve("file:~/t", Path("/elsewhere")) == "s3cret"


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    assert refusal("file:t", tmp_path) == (
        f"there is no file {tmp_path}/t; write the secret into it"
    )


def test_a_folder_cannot_be_read(tmp_path: Path) -> None:
    assert "cannot be read: Is a directory" in refusal("file:.", tmp_path)


def test_an_empty_file_is_no_secret(tmp_path: Path) -> None:
    write(tmp_path / "t", b"\n")

    assert "is empty" in refusal("file:t", tmp_path)


def test_a_file_that_is_not_text_is_refused_without_its_bytes(tmp_path: Path) -> None:
    write(tmp_path / "t", b"hunter2\xff")

    with pytest.raises(SecretError, match="is not text") as caught:
        resolve("file:t", tmp_path)
    assert caught.value.__suppress_context__


@pytest.mark.skipif(os.name != "posix", reason="file modes are POSIX")
@pytest.mark.parametrize(("mode", "warned"), [(0o600, False), (0o640, False), (0o644, True)])
def test_a_file_that_everyone_can_read_is_a_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, mode: int, warned: bool
) -> None:
    write(tmp_path / "t", b"hunter2", mode)

    with caplog.at_level(logging.WARNING, "trueup"):
        resolve("file:t", tmp_path)

    assert ("everyone can read it" in caplog.text) is warned
    assert "hunter2" not in caplog.text


@pytest.mark.usefixtures("_ring")
def test_a_keyring_gives_the_password_of_service_and_name() -> None:
    assert resolve("keyring:trueup/acme/token", Path()) == "from-ring"


@pytest.mark.usefixtures("_ring")
def test_a_password_that_is_not_in_the_keyring_is_told_with_the_command_that_stores_it() -> None:
    assert "keyring set trueup other" in refusal("keyring:trueup/other")


@pytest.mark.usefixtures("_ring")
def test_a_locked_keyring_is_told_without_its_words() -> None:
    assert "KeyringLocked" in refusal("keyring:trueup/locked")


def test_a_machine_without_a_keyring_is_told_what_to_use() -> None:
    before = keyring.get_keyring()
    keyring.set_keyring(keyring.backends.fail.Keyring())
    try:
        assert "use env:NAME or file:PATH" in refusal("keyring:trueup/x")
    finally:
        keyring.set_keyring(before)


def test_without_the_keyring_package_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "keyring", None)

    assert "pip install 'trueup[keyring]'" in refusal("keyring:trueup/x")
