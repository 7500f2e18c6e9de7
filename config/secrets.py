"""Secrets: the settings file holds references, and only here do they become the secret itself.

    env:NAME               an environment variable
    file:PATH              a file, relative to the settings file; line ends after the secret go
    keyring:SERVICE/NAME   the machine's keyring (pip install 'trueup[keyring]')

An error says what is missing and how to provide it; it never holds the secret.
"""

import logging
import os
import re
import stat
from pathlib import Path
from typing import Final

REFERENCE: Final = r"^(env:[A-Za-z_][A-Za-z0-9_]*|file:.+|keyring:[^/]+/.+)$"
"""What a reference looks like, as a regular expression that JSON Schema knows too."""

_log = logging.getLogger("trueup.secrets")


class SecretError(Exception):
    """The secret is not where the reference points; the message says how to put it there."""


def is_reference(value: object) -> bool:
    """Whether `value` is written as a reference; says nothing about what it points to."""
    return isinstance(value, str) and re.fullmatch(REFERENCE, value) is not None


def resolve(reference: str, base: Path) -> str:
    """The secret behind `reference`, without the line end that editors leave after it.

    `base` is the folder that a relative `file:` path starts from. Raises `SecretError`.
    """
    if not is_reference(reference):
        raise SecretError("not a reference such as env:NAME, file:PATH or keyring:SERVICE/NAME")
    scheme, _, rest = reference.partition(":")
    if scheme == "env":
        return _from_environment(rest)
    if scheme == "file":
        return _from_file(base / Path(rest).expanduser())
    service, _, name = rest.partition("/")
    return _from_keyring(service, name)


def _from_environment(name: str) -> str:
    value = os.environ.get(name)
    if value is None:
        raise SecretError(f"the environment variable {name} is not set; put the secret into it")
    if not value.strip():
        raise SecretError(f"the environment variable {name} is empty; put the secret into it")
    return value.rstrip("\r\n")


def _from_file(path: Path) -> str:
    try:
        value = path.read_text(encoding="utf-8")
        mode = path.stat().st_mode
    except FileNotFoundError:
        raise SecretError(f"there is no file {path}; write the secret into it") from None
    except OSError as error:
        raise SecretError(f"the file {path} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:  # its text shows what was read, so it goes no further
        raise SecretError(f"the file {path} is not text; write the secret alone into it") from None
    if not value.strip():
        raise SecretError(f"the file {path} is empty; write the secret into it")
    if os.name == "posix" and mode & stat.S_IROTH:
        _log.warning("%s holds a secret and everyone can read it; chmod 600 it", path)
    return value.rstrip("\r\n")


def _from_keyring(service: str, name: str) -> str:
    try:
        import keyring  # an extra
        from keyring.errors import KeyringError, NoKeyringError
    except ImportError:
        raise SecretError(
            "a keyring reference needs the keyring package: pip install 'trueup[keyring]'"
        ) from None
    try:
        value = keyring.get_password(service, name)
    except NoKeyringError:
        raise SecretError(
            "this machine has no keyring (servers seldom do); use env:NAME or file:PATH"
        ) from None
    except KeyringError as error:
        raise SecretError(
            f"the keyring did not give {name} of {service} ({type(error).__name__}); unlock it"
        ) from None
    if not value:
        raise SecretError(
            f"the keyring has no {name} of {service}; store it: keyring set {service} {name}"
        )
    return value
