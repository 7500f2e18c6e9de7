"""Sandboxes as processes: one real HTTP server per vendor on loopback, gone when we are."""

import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import Event
from types import FrameType

from connectors import sandbox
from trueup.output import talk, tell
from trueup.refusal import Refusal

VENDORS = ("vtex", "brex", "bill", "vantage", "kaireon")


@contextmanager
def sandbox_process(vendor: str, options: Mapping[str, Sequence[object]]) -> Iterator[str]:
    """Run a vendor's sandbox while the block runs; yields its address once it answers.

    The server also ends by itself when this process is killed.
    """
    said = [f"--{name}={each}" for name, all in options.items() for each in all if each is not None]
    # -P: nothing is imported from the folder that we happen to be in
    command = [sys.executable, "-P", "-m", sandbox.__name__, vendor, "--with-parent", *said]
    process = subprocess.Popen(  # noqa: S603  # our own module, and no shell
        command, stdout=subprocess.PIPE, text=True, start_new_session=True
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


def serve_sandboxes(
    vendors: Sequence[str], port: int, persist: Path | None, options: Mapping[str, Sequence[object]]
) -> int:
    """Serve until SIGTERM or Ctrl-C; prints `VENDOR ADDRESS` for each on stdout."""
    names = list(vendors or VENDORS)
    for name in names:
        if name not in VENDORS:
            raise Refusal(f'there is no sandbox of "{name}"; there are {", ".join(VENDORS)}')
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
        talk("Ctrl-C ends it")
        stop.wait()
    return 0


def _own(persist: Path | None, name: str, names: Sequence[str]) -> Path | None:
    if persist is None or len(names) == 1:
        return persist
    return persist.with_name(f"{persist.stem}.{name}{persist.suffix}")
