"""`python -m connectors.sandbox VENDOR`: a sandbox as a process of its own.

Prints one line, the vendor and the address, once it answers; ends on SIGTERM or SIGINT. It may be
started by this file too, with the rooms on the path. The environment variable
TRUEUP_SANDBOX_TOKEN holds the credential to accept, as what stands on a command line is no secret.
"""

import argparse
import json
import os
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from connectors import sandbox as room
from connectors.sandbox.api import Sandbox
from connectors.sandbox.faults import Rule
from connectors.sandbox.server import run
from connectors.sandbox.state import loads


def load(name: str) -> type[Sandbox]:
    """The sandbox of that vendor, `NameSandbox` in `name/api.py`; `KeyError` without one."""
    try:
        module = import_module(f"{room.__name__}.{name}.api")
        loaded = getattr(module, f"{name.capitalize()}Sandbox")
    except (ModuleNotFoundError, AttributeError):
        raise KeyError(name) from None
    assert issubclass(loaded, Sandbox)
    cls: type[Sandbox] = loaded
    return cls


def _switch(text: str) -> tuple[str, Any]:
    name, _, value = text.partition("=")
    return name, json.loads(value) if value else True


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=f"python -m {room.__name__}")
    parser.add_argument("vendor")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--seed", type=Path, help="JSON file of rows by table")
    parser.add_argument("--persist", type=Path, help="file that keeps the state")
    token = os.environ.get(room.TOKEN) or None
    parser.add_argument("--token", default=token, help=f"the credential to accept; or {room.TOKEN}")
    parser.add_argument("--rate-limit", help='such as "60/1m", or "off"')
    parser.add_argument("--fault", action="append", default=[], help="a rule, as JSON")
    parser.add_argument("--switch", action="append", default=[], help="NAME or NAME=JSON")
    parser.add_argument("--with-parent", action="store_true", help="end when the parent ends")
    return parser


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve until told to end."""
    parser = _parser()
    said = parser.parse_args(arguments)
    try:
        cls = load(said.vendor)
    except KeyError:
        parser.error(f"there is no sandbox of {said.vendor!r}")
    try:
        sandbox = cls(
            token=said.token,
            seed=loads(said.seed.read_bytes()) if said.seed else None,
            persist=said.persist,
            rate_limit=said.rate_limit,
            faults=[Rule.model_validate_json(fault) for fault in said.fault],
            **dict(map(_switch, said.switch)),
        )
    except (OSError, ValueError) as problem:
        parser.error(str(problem))
    try:
        run(sandbox, said.vendor, said.host, said.port, with_parent=said.with_parent)
    except (OSError, OverflowError) as problem:
        parser.error(f"it cannot listen at {said.host}:{said.port}: {problem}")


if __name__ == "__main__":
    main()
