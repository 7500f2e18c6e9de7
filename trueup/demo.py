"""The demo: an ERP's export mirrored into sandboxes of all five vendors, over real HTTP."""

import json
import secrets
import shlex
import shutil
import socket
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import date
from decimal import Decimal
from pathlib import Path
from threading import Event
from urllib.request import Request, urlopen

from canonical.amount import Amount
from canonical.budget import Budget
from canonical.kind import Kind
from sync.outcome import Exit
from sync.spending import totals
from trueup.commands.checking import check
from trueup.console import Console
from trueup.demo_settings import FOLLOWERS, SPENDING, settings_text
from trueup.files import write_private
from trueup.look import run_look
from trueup.progress import watching
from trueup.refusal import Refusal
from trueup.sample_workbook import write_workbook
from trueup.sandboxes import sandbox_process
from trueup.session import Session
from trueup.workspace import Workspace, open_workspace

EXPORT = "exports/budget.xlsx"
"""What the ERP has exported, in the demo's folder."""
LATER = "budget-later.xlsx"
"""What it exports once an amount has changed there."""
_MARK = ".trueup-demo"


def run_demo(folder: Path) -> int:
    """Write `folder`, then check, plan, apply, verify and plan again; 0 when all agree."""
    ports = _free_ports(len(FOLLOWERS))
    tokens = {name: f"{name}_{secrets.token_hex(8)}" for name in FOLLOWERS}
    _write(folder, ports, tokens)
    with ExitStack() as stack:
        for name, port in zip(FOLLOWERS, ports, strict=True):
            options: dict[str, Sequence[object]] = {
                "port": [port],
                "persist": [folder / f"sandbox.{name}.json"],
                "token": [tokens[name]],
                "rate-limit": ["off"],
            }
            stack.enter_context(sandbox_process(name, options))
        session = stack.enter_context(Session(folder / "trueup.toml"))
        workspace = stack.enter_context(open_workspace(folder / "trueup.toml"))
        code = _steps(session, workspace, folder)
    session.console.title("What to try next")
    session.console.out.print(_next_steps(folder, ports, tokens), soft_wrap=True, markup=False)
    session.console.title("See it in a browser: this prints the link")
    session.console.out.print(page_command(folder), soft_wrap=True, markup=False)
    return code


def _steps(session: Session, workspace: Workspace, folder: Path) -> int:
    console, syncs = session.console, [f"erp-to-{name}" for name in FOLLOWERS]
    console.title(f"An ERP's export and settings in {folder}/, and five sandboxes on loopback")
    console.title(f"trueup look {EXPORT}")
    code = run_look(folder / EXPORT, None, ["currency=USD"], None, as_json=False)
    console.title("trueup check")
    code = code or check(session, None)
    console.title("trueup plan, for each of the five")
    for sync in syncs:
        console.plan_in_short(workspace.plan(sync))
    console.title("trueup run, all five side by side")
    code = code or _apply(console, workspace, syncs)
    _spend(workspace)
    console.title("trueup verify, and a second plan: nothing to do")
    for sync in syncs:
        found = workspace.verify(sync)
        console.verification(found)
        plan = workspace.plan(sync)
        console.plan_in_short(plan)
        code = code or (Exit.PENDING if plan.pending or not found.agree else Exit.OK)
    console.title("Budget, spent and remaining, over all five")
    console.table(("system", "budgets", "in force", "spent", "remaining"), _totals(workspace))
    return code


def _apply(console: Console, workspace: Workspace, syncs: Sequence[str]) -> int:
    with (
        watching(console.err, syncs, Event()) as watches,
        ThreadPoolExecutor(len(syncs)) as pool,
    ):
        jobs = [
            pool.submit(workspace.apply, sync, command="run", watch=watches[sync]) for sync in syncs
        ]
        reports = [job.result() for job in jobs]
    for report in reports:
        console.report_in_short(report)
    return max(report.exit_code for report in reports)


def _spend(workspace: Workspace) -> None:
    """Somebody spends, where a sandbox can be told so."""
    for name, (kind, key, amount) in SPENDING.items():
        base: str = workspace.settings.systems[name].model_dump()["base_url"]
        for page in workspace.system(name).list(kind):
            for item in list(page.items)[:5]:
                body = json.dumps({key: item.id.rpartition("/")[2], "amount": amount}).encode()
                request = Request(f"{base}/_sandbox/spend", data=body, method="POST")  # noqa: S310
                urlopen(request, timeout=10).close()  # noqa: S310  # our own sandbox
            break


def _totals(workspace: Workspace) -> Iterator[tuple[str, ...]]:
    today = date.today()  # noqa: DTZ011
    for name in ("erp", *FOLLOWERS):
        total, count = Decimal(0), 0
        for page in workspace.system(name).list(Kind.BUDGET):
            for item in page.items:
                amount = item.model.in_force(today) if isinstance(item.model, Budget) else None
                if amount is not None:
                    total, count = total + amount.value, count + 1
        told = next(iter(totals([*workspace.spending(name, shares=False)])), None)
        spent = told.spent.value if told else Decimal(0)
        said = (f"{spent:,.2f}", f"{total - spent:,.2f}") if told else ("–", "–")
        yield name, str(count), f"{total:,.2f} USD", *said


def _write(folder: Path, ports: Sequence[int], tokens: dict[str, str]) -> None:
    """A fresh folder; only one that a demo wrote is ever replaced."""
    if folder.exists() and not (folder / _MARK).exists():
        raise Refusal(f"{folder} is already there and no demo wrote it; use --folder")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    (folder / _MARK).touch()
    year = date.today().year  # noqa: DTZ011
    (folder / EXPORT).parent.mkdir()
    write_workbook(folder / EXPORT, year=year)
    write_workbook(folder / LATER, year=year, more=Amount(Decimal(20), "USD"))
    files = {f"{name}.token": token for name, token in tokens.items()}
    for name, secret in (files | {"vtex.key": "app_key_sandbox"}).items():
        write_private(folder / name, secret + "\n")
    addresses = dict(zip(FOLLOWERS, (f"http://127.0.0.1:{port}" for port in ports), strict=True))
    write_private(folder / "trueup.toml", settings_text(addresses))


def _free_ports(count: int) -> list[int]:
    with ExitStack() as stack:
        probes = [stack.enter_context(socket.socket()) for _ in range(count)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [probe.getsockname()[1] for probe in probes]


def page_command(folder: Path) -> str:
    """What opens the pages on the demo's folder, from where the demo was called."""
    ours = shutil.which("trueup") and "trueup"
    command = ours or str(Path(sys.argv[0]).absolute().parent / "trueup")
    return shlex.join((command, "console", "--config", str(folder / "trueup.toml")))


def _next_steps(folder: Path, ports: Sequence[int], tokens: dict[str, str]) -> str:
    here = Path(sys.argv[0]).absolute().parent
    path = "" if shutil.which("trueup") else f'export PATH="{here}:$PATH"\n'
    port = ports[list(FOLLOWERS).index("brex")]
    return f"""\
{path}cd {folder}
trueup sandbox brex --port {port} --persist sandbox.brex.json --token {tokens["brex"]} &
cp {LATER} exports/   # travel of CC0001 has risen in the ERP, which exports again …
trueup plan erp-to-brex       # … the budget and its share, one field each
trueup run erp-to-brex        # … two PUTs
trueup status; trueup history
"""
