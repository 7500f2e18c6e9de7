"""The demo: a sample ERP mirrored into a sandbox of Brex, over real HTTP, step by step."""

import secrets
import shutil
import socket
import sys
from collections.abc import Sequence
from pathlib import Path

from trueup.refusal import Refusal
from trueup.sample import write_sample
from trueup.sandboxes import sandbox_process
from trueup.session import Session
from trueup.starter import SETTINGS

SYNC = "erp-to-brex"
_MARK = ".trueup-demo"


def run_demo(folder: Path) -> int:
    """Write `folder`, run check, plan, apply, verify and plan; returns 0 when the last is empty."""
    port = _free_port()
    token = f"bxt_{secrets.token_hex(8)}"
    _write(folder, port, token)
    options: dict[str, Sequence[object]] = {
        "port": [port],
        "persist": [folder / "brex.json"],
        "token": [token],
    }
    with (
        sandbox_process("brex", options),
        Session(folder / "trueup.toml") as session,
    ):
        face = session.face
        face.title(f"A sample ERP in {folder}/, and a sandbox of Brex on port {port}")
        face.title("trueup check")
        code = session.check(None)
        face.title(f"trueup plan {SYNC}")
        code = code or session.plan(SYNC)
        face.title(f"trueup apply {SYNC} --yes")
        code = code or session.apply(SYNC, yes=True)
        face.title(f"trueup verify {SYNC}")
        code = code or session.verify(SYNC)
        face.title(f"trueup plan {SYNC}   (again)")
        code = code or session.plan(SYNC, detailed=True)
        face.title("What to try next")
        face.out.print(_next_steps(folder, port, token), soft_wrap=True, markup=False)
    return code


def _write(folder: Path, port: int, token: str) -> None:
    """A fresh folder; only one that a demo wrote is ever replaced."""
    if folder.exists() and not (folder / _MARK).exists():
        raise Refusal(f"{folder} is already there and no demo wrote it; use --folder")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    (folder / _MARK).touch()
    write_sample(folder)
    secret = folder / "brex.token"
    secret.touch(mode=0o600)
    secret.write_text(token + "\n", encoding="utf-8")
    settings = SETTINGS.format(
        token="file:brex.token",  # noqa: S106  # a reference, not a secret
        note="          # a reference; the secret itself never stands here",
        brex=f'base_url = "http://127.0.0.1:{port}"',
    )
    (folder / "trueup.toml").write_text(settings, encoding="utf-8")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _next_steps(folder: Path, port: int, token: str) -> str:
    here = Path(sys.argv[0]).absolute().parent
    path = "" if shutil.which("trueup") else f'export PATH="{here}:$PATH"\n'
    return f"""\
{path}cd {folder}
trueup sandbox brex --port {port} --persist brex.json --token {token} &   # the same Brex again
sed -i 's/6100 Travel,200.00/6100 Travel,220.00/' allocations.csv    # the ERP changes an amount …
trueup plan {SYNC}       # … one object, one field
trueup run {SYNC}        # … one PUT
trueup status; trueup history
"""
