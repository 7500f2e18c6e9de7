"""Sandboxes as processes: one real HTTP server per vendor on loopback, gone when we are."""

import json
import os
import re
import signal
import subprocess
import sys
import sysconfig
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import Event
from types import FrameType

from connectors import sandbox
from trueup.demo_settings import CREDENTIALS, ERPS, FOLLOWERS, PATHS
from trueup.output import talk, tell
from trueup.refusal import Refusal
from trueup.streams import ERR

VENDORS = ("vtex", "brex", "bill", "vantage", "kaireon", *ERPS)
_NAMES = {("vtex", "app_key"), ("erpnext", "api_key")}
"""What is a name beside the token, and no token: what was given does not replace it."""


@contextmanager
def sandbox_process(vendor: str, options: Mapping[str, Sequence[object]]) -> Iterator[str]:
    """Run a vendor's sandbox while the block runs; yields its address once it answers.

    The server also ends by itself when this process is killed. Its token goes by the environment.
    """
    tokens = [each for each in options.get("token", ()) if each is not None]
    said = [
        f"--{name}={each}"
        for name, all in options.items()
        for each in all
        if each is not None and name != "token"
    ]
    process = subprocess.Popen(  # noqa: S603  # our own module, and no shell
        [sys.executable, "-P", _file(), vendor, "--with-parent", *said],
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env=_environment() | {sandbox.TOKEN: str(tokens[-1]) if tokens else ""},
    )
    assert process.stdout is not None
    try:
        _, _, address = process.stdout.readline().strip().partition(" ")
        if not address:
            raise Refusal(f"the sandbox of {vendor} did not start; its message is above")
        yield address
    finally:
        process.terminate()
        process.stdout.close()
        process.wait()


def _file() -> str:
    return str(Path(sandbox.__path__[0]).absolute() / "__main__.py")


def _environment() -> dict[str, str]:
    """Ours, in which Python finds no module in the folder that we happen to be in.

    -P keeps that folder off the path, and so does it here: an empty or relative place on
    PYTHONPATH is wherever we are. The rooms are on it where they are not installed.
    """
    rooms = Path(sandbox.__path__[0]).absolute().parents[sandbox.__name__.count(".")]
    installed = {Path(sysconfig.get_path(name)) for name in ("purelib", "platlib")}
    places = [] if rooms in installed else [str(rooms)]
    theirs = map(Path, os.environ.get("PYTHONPATH", "").split(os.pathsep))
    places += [str(each) for each in theirs if each.is_absolute() and each != Path.cwd()]
    return dict(os.environ) | {"PYTHONPATH": os.pathsep.join(places)}


def serve_sandboxes(
    vendors: Sequence[str], port: int, persist: Path | None, options: Mapping[str, Sequence[object]]
) -> int:
    """Serve until SIGTERM or Ctrl-C; prints `VENDOR ADDRESS` for each on stdout."""
    names = _names(vendors)
    stop = Event()

    def end(number: int, frame: FrameType | None) -> None:
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, end)
    with ExitStack() as stack:
        for index, name in enumerate(names):
            own: dict[str, Sequence[object]] = {
                **options,
                "port": [port + index if port else 0],
                "persist": [_own(persist, name, names)],
            }
            address = stack.enter_context(sandbox_process(name, own))
            tell(f"{name} {address}")
            ERR.write(usable(name, address, options.get("token", ())))
        talk("Ctrl-C ends them")
        stop.wait()
    return 0


def switches(vendors: Sequence[str]) -> Iterator[tuple[str, str, str, str]]:
    """Each switch of those sandboxes: vendor, name, what it is unless told, what it does."""
    from connectors.sandbox.__main__ import load  # with all that serves

    for vendor in _names(vendors):
        for name, field in load(vendor).Switches.model_fields.items():
            default = json.dumps(field.get_default(call_default_factory=True), default=str)
            yield vendor, name, default, field.description or ""


def usable(vendor: str, address: str, tokens: Sequence[object] = ()) -> str:
    """The block of settings, and the shell's commands before it, with which a sandbox works."""
    given = any(each is not None for each in tokens)
    exports = []

    def by_environment(found: re.Match[str]) -> str:
        variable = f"{vendor}_{found['key']}".upper()
        secret = CREDENTIALS[vendor][found["key"]]
        if given and (vendor, found["key"]) not in _NAMES:
            exports.append(f"# {variable} is the token that was given\n")
        else:
            exports.append(f"export {variable}={secret}\n")
        return f'{found["key"]} = "env:{variable}"'

    keys = re.sub(r'(?P<key>\w+) = "file:[^"]*"', by_environment, (FOLLOWERS | ERPS)[vendor])
    base = f'base_url = "{address}{PATHS.get(vendor, "")}"'
    block = f'[systems.{vendor}]\nconnector = "{vendor}"\n{base}\n{keys}'
    return f"\n{''.join(exports)}\n{block}\n"


def _names(vendors: Sequence[str]) -> list[str]:
    for name in vendors:
        if name not in VENDORS:
            raise Refusal(f'there is no sandbox of "{name}"; there are {", ".join(VENDORS)}')
    return list(vendors or VENDORS)


def _own(persist: Path | None, name: str, names: Sequence[str]) -> Path | None:
    if persist is None or len(names) == 1:
        return persist
    return persist.with_name(f"{persist.stem}.{name}{persist.suffix}")
