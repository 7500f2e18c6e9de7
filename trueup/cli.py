"""The command line. Every command takes, after its name, `--config`, `--json` and `-v`.

stdout is data, stderr is talk. What a command needs is imported when it runs, so that `--help`
answers at once. No error ends in a traceback: it ends in a message and an exit code.
"""

import gc
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from trueup.session import Session

app = typer.Typer(
    name="trueup",
    help="Keeps budgets in spend platforms true to the system that owns them.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
state = typer.Typer(help="Move what Trueup remembers.", no_args_is_help=True, rich_markup_mode=None)
app.add_typer(state, name="state")

Config = Annotated[
    Path,
    typer.Option("--config", envvar="TRUEUP_CONFIG", help="The settings file."),
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document on stdout.")]
Verbose = Annotated[int, typer.Option("-v", count=True, help="Say more; -vv shows every call.")]
AsOf = Annotated[
    datetime | None,
    typer.Option("--as-of", formats=["%Y-%m-%d"], help="The day to plan for; default: today."),
]
Allow = Annotated[
    list[str] | None,
    typer.Option(
        "--allow",
        help="Switch guards off for this run, by their rules' names: max_money,below_spent; or "
        "give them another limit: max_money=25%.",
    ),
]
Because = Annotated[
    str | None, typer.Option("--because", help="Why guards are allowed; the audit keeps it.")
]
SyncName = Annotated[str, typer.Argument(metavar="SYNC", help="A sync of the settings file.")]
CONFIG = Path("trueup.toml")
_NEXT_RULE = re.compile(r",(?=\s*(?:[A-Za-z_]+\s*(?:=|,|$)|$))")


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        from trueup.output import tell

        tell(f"trueup {version('trueup')}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Keeps budgets in spend platforms true to the system that owns them."""


@app.command()
def init(folder: Annotated[Path, typer.Argument(help="Where to write.")] = Path()) -> None:
    """Write a settings file and sample budget files to start from."""
    from trueup.output import talk
    from trueup.starter import NEXT, write_starter

    with _refusing():
        written = write_starter(folder)
    for path in written:
        talk(f"wrote {path}")
    for line in NEXT.splitlines():
        talk(line)


@app.command()
def demo(
    folder: Annotated[Path, typer.Option(help="Where to write.")] = Path("trueup-demo"),
) -> None:
    """Show the whole way on a sample ERP and a sandbox of Brex, in under a minute."""
    from trueup.demo import run_demo

    with _refusing():
        raise typer.Exit(run_demo(folder))


@app.command()
def check(
    system: Annotated[str | None, typer.Argument(help="One system; default: all.")] = None,
    config: Config = CONFIG,
    as_json: Json = False,
    verbose: Verbose = 0,
) -> None:
    """Prove that each system answers and knows us, with the cheapest call; read each file."""
    from trueup.commands import checking

    with _session(config, as_json, verbose) as session:
        session.told(checking.check(session, system))


@app.command()
def actuals(
    systems: Annotated[
        list[str] | None,
        typer.Argument(metavar="[SYSTEM…]", help="Default: all that tell it."),
    ] = None,
    form: Annotated[
        str | None, typer.Option("--format", help="table, csv, json or xlsx; default: by --out.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Write it to this file.")] = None,
    budgets: Annotated[bool, typer.Option("--budgets", help="Leave out the allocations.")] = False,
    into: Annotated[
        str | None,
        typer.Option(metavar="SYSTEM", help="Write what was spent into this system, to keep it."),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="With --into: show what it would write.")
    ] = False,
    config: Config = CONFIG,
    as_json: Json = False,
    verbose: Verbose = 0,
) -> None:
    """Show what was budgeted, spent and is left, by the refs of the source; or keep it there."""
    from trueup.commands import spending
    from trueup.refusal import Refusal

    with _session(config, as_json, verbose) as session:
        if into is not None:
            session.end(
                spending.record_actuals(
                    session, into, systems or (), form, out, shares=not budgets, dry_run=dry_run
                )
            )
        if dry_run:
            raise Refusal("--dry-run is for --into SYSTEM, which is not said")
        session.told(spending.actuals(session, systems or (), form, out, shares=not budgets))


@app.command()
def look(
    file: Annotated[
        Path | None,
        typer.Argument(metavar="[FILE]", help="A file of budgets; without it: the layouts."),
    ] = None,
    layout: Annotated[
        str | None,
        typer.Option(metavar="NAME|FILE", help="Read it by this layout; default: recognise it."),
    ] = None,
    sets: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Say what the layout leaves open."),
    ] = None,
    print_layout: Annotated[
        str | None,
        typer.Option("--print-layout", metavar="NAME", help="Print a ready-made layout."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Recognise a file of budgets, say why, and show the settings and budgets that it makes."""
    from trueup.look import run_look

    with _refusing():
        raise typer.Exit(run_look(file, layout, sets or (), print_layout, as_json))


@app.command()
def people(
    sync: SyncName,
    write: Annotated[
        bool, typer.Option("--write", help="Add the proposed rows to the target's entities.")
    ] = False,
    config: Config = CONFIG,
    as_json: Json = False,
    verbose: Verbose = 0,
) -> None:
    """Show whom the source names and the target does not know, and who they may be there."""
    from trueup.commands import directory

    with _session(config, as_json, verbose) as session:
        session.told(directory.people(session, sync, write))


@app.command()
def plan(
    sync: SyncName,
    out: Annotated[Path | None, typer.Option(help="Save the plan, for `apply FILE`.")] = None,
    detailed_exitcode: Annotated[
        bool, typer.Option("--detailed-exitcode", help="Exit 3 when changes are pending.")
    ] = False,
    form: Annotated[
        str | None, typer.Option("--format", help="text, json, markdown or html.")
    ] = None,
    as_of: AsOf = None,
    allow: Allow = None,
    config: Config = CONFIG,
    as_json: Json = False,
    verbose: Verbose = 0,
) -> None:
    """Show what would change, in which field, by how much money. Changes nothing."""
    from trueup.commands import syncing

    with _session(config, as_json, verbose) as session:
        session.told(
            syncing.plan(session, sync, _day(as_of), _rules(allow), out, detailed_exitcode, form)
        )


@app.command()
def apply(
    what: Annotated[str, typer.Argument(metavar="SYNC|FILE", help="A sync, or a saved plan.")],
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    as_of: AsOf = None,
    allow: Allow = None,
    because: Because = None,
    config: Config = CONFIG,
    as_json: Json = False,
    verbose: Verbose = 0,
) -> None:
    """Make the changes: journaled, guarded, resumable, never twice."""
    from trueup.commands import syncing

    with _session(config, as_json, verbose) as session:
        session.end(syncing.apply(session, what, _day(as_of), _rules(allow), yes, because))


@app.command()
def run(
    syncs: Annotated[
        list[str] | None, typer.Argument(metavar="[SYNC…]", help="Default: all.")
    ] = None,
    as_of: AsOf = None,
    allow: Allow = None,
    because: Because = None,
    config: Config = CONFIG,
    as_json: Json = False,
    verbose: Verbose = 0,
) -> None:
    """Plan, guard, apply and verify, unattended."""
    from trueup.commands import syncing

    with _session(config, as_json, verbose) as session:
        session.end(syncing.run(session, syncs or (), _day(as_of), _rules(allow), because))


@app.command()
def migrate(
    sync: SyncName,
    wave: Annotated[
        str,
        typer.Option(
            metavar="1%,10%,100%",
            help="Where each wave ends: a share of the objects, or a count such as 50.",
        ),
    ] = "1%,10%,100%",
    stop_on: Annotated[
        str, typer.Option(help="What ends it after a wave: errors, drift, guards.")
    ] = "errors,drift,guards",
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    as_of: AsOf = None,
    allow: Allow = None,
    because: Because = None,
    config: Config = CONFIG,
    as_json: Json = False,
    verbose: Verbose = 0,
) -> None:
    """Move all that a sync carries, in waves that stop by themselves; again, it goes on."""
    from trueup.commands import migrating

    with _session(config, as_json, verbose) as session:
        allowed = _rules(allow)
        session.end(
            migrating.migrate(session, sync, wave, stop_on, yes, _day(as_of), allowed, because)
        )


@app.command()
def approve(
    plan: Annotated[
        str, typer.Argument(metavar="PLAN", help="A plan's id, how it begins, or its sync.")
    ],
    as_name: Annotated[
        str | None, typer.Option("--as", metavar="NAME", help="Who approves; default: the user.")
    ] = None,
    note: Annotated[str | None, typer.Option(help="Why; the audit keeps it.")] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    config: Config = CONFIG,
    as_json: Json = False,
    verbose: Verbose = 0,
) -> None:
    """Show a plan that waits for an approval, and let the next run apply exactly that, once."""
    from trueup.commands import approving

    with _session(config, as_json, verbose) as session:
        session.end(approving.approve(session, plan, as_name, note, yes))


@app.command()
def reject(
    plan: Annotated[
        str, typer.Argument(metavar="PLAN", help="A plan's id, how it begins, or its sync.")
    ],
    as_name: Annotated[
        str | None, typer.Option("--as", metavar="NAME", help="Who rejects; default: the user.")
    ] = None,
    note: Annotated[str | None, typer.Option(help="Why; the audit keeps it.")] = None,
    config: Config = CONFIG,
    as_json: Json = False,
    verbose: Verbose = 0,
) -> None:
    """Say no to a plan that waits for an approval, or has one and is not applied yet."""
    from trueup.commands import approving

    with _session(config, as_json, verbose) as session:
        session.end(approving.reject(session, plan, as_name, note))


@app.command()
def verify(
    sync: SyncName,
    as_of: AsOf = None,
    config: Config = CONFIG,
    as_json: Json = False,
    verbose: Verbose = 0,
) -> None:
    """Read both live sides again and prove that they agree; exit 3 where they do not."""
    from trueup.commands import syncing

    with _session(config, as_json, verbose) as session:
        session.told(syncing.verify(session, sync, _day(as_of)))


@app.command()
def handover(
    sync: Annotated[str, typer.Argument(metavar="SYNC", help="The sync that becomes the owner.")],
    giver: Annotated[
        str, typer.Option("--from", metavar="OTHER", help="The sync that owns it now.")
    ],
    refs: Annotated[
        list[str] | None,
        typer.Argument(metavar="[REF…]", help="Budgets, with their allocations; default: all."),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    config: Config = CONFIG,
    as_json: Json = False,
    verbose: Verbose = 0,
) -> None:
    """Make a sync the owner of what another sync made or adopted."""
    from trueup.commands import owning

    with _session(config, as_json, verbose) as session:
        session.end(owning.handover(session, sync, giver, refs or (), yes))


@app.command()
def repoint(
    sync: Annotated[str, typer.Argument(metavar="SYNC", help="The sync whose target moved.")],
    config: Config = CONFIG,
    as_json: Json = False,
    verbose: Verbose = 0,
) -> None:
    """Say that a target at a new address is the same account as before."""
    from trueup.commands import owning

    with _session(config, as_json, verbose) as session:
        session.end(owning.repoint(session, sync))


@app.command()
def rename(
    sync: SyncName,
    old: Annotated[str, typer.Argument(metavar="OLD", help="The ref that it had.")],
    new: Annotated[str, typer.Argument(metavar="NEW", help="The ref that the source states now.")],
    budget: Annotated[
        str | None,
        typer.Option("--budget", metavar="REF", help="Rename an allocation of this budget."),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    config: Config = CONFIG,
    as_json: Json = False,
    verbose: Verbose = 0,
) -> None:
    """Let a code that changed in the source keep its object in the target."""
    from trueup.commands import naming

    with _session(config, as_json, verbose) as session:
        session.end(naming.rename(session, sync, old, new, budget, yes))


@app.command()
def link(
    sync: SyncName,
    ref: Annotated[str, typer.Argument(metavar="REF", help="The ref that the source states.")],
    id: Annotated[str, typer.Argument(metavar="ID", help="The id of the target's object.")],
    budget: Annotated[
        str | None,
        typer.Option("--budget", metavar="REF", help="Link an allocation of this budget."),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    config: Config = CONFIG,
    as_json: Json = False,
    verbose: Verbose = 0,
) -> None:
    """Say which object of the target is meant by a ref; the next run adopts it."""
    from trueup.commands import linking

    with _session(config, as_json, verbose) as session:
        session.end(linking.link(session, sync, ref, id, budget, yes))


@app.command()
def unlink(
    sync: SyncName,
    ref: Annotated[str, typer.Argument(metavar="REF", help="The ref whose object is not meant.")],
    budget: Annotated[
        str | None,
        typer.Option("--budget", metavar="REF", help="Unlink an allocation of this budget."),
    ] = None,
    anew: Annotated[bool, typer.Option("--anew", help="Another object is to be made.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    config: Config = CONFIG,
    as_json: Json = False,
    verbose: Verbose = 0,
) -> None:
    """Forget which object of the target stands for a ref; nothing is written there."""
    from trueup.commands import linking

    with _session(config, as_json, verbose) as session:
        session.end(linking.unlink(session, sync, ref, budget, anew, yes))


@app.command()
def pause(
    sync: SyncName,
    because: Annotated[str | None, typer.Option(help="Why; the audit keeps it.")] = None,
    config: Config = CONFIG,
    as_json: Json = False,
    verbose: Verbose = 0,
) -> None:
    """Let a sync run no more, by whatever schedule, until it is resumed."""
    from trueup.commands import owning

    with _session(config, as_json, verbose) as session:
        session.end(owning.pause(session, sync, because))


@app.command()
def resume(
    sync: SyncName, config: Config = CONFIG, as_json: Json = False, verbose: Verbose = 0
) -> None:
    """Let a paused sync run again."""
    from trueup.commands import owning

    with _session(config, as_json, verbose) as session:
        session.end(owning.resume(session, sync))


@app.command()
def serve(
    defer: Annotated[
        bool, typer.Option("--defer", help="Only say what is due; `trueup worker` runs it.")
    ] = False,
    console: Annotated[
        str | None, typer.Option(metavar="HOST:PORT", help="Serve the console's pages there too.")
    ] = None,
    config: Config = CONFIG,
    as_json: Json = False,
    verbose: Verbose = 0,
) -> None:
    """Run every sync on its schedule until told to stop."""
    from trueup.commands import serving

    with _session(config, as_json, verbose) as session:
        session.end(serving.serve(session, defer=defer, console=console))


@app.command()
def worker(
    at_once: Annotated[
        int,
        typer.Option("--at-once", min=1, max=64, help="How many syncs it runs at the same time."),
    ] = 1,
    config: Config = CONFIG,
    as_json: Json = False,
    verbose: Verbose = 0,
) -> None:
    """Run what `trueup serve --defer` says is due, with other workers, until told to stop."""
    from trueup.commands import working

    with _session(config, as_json, verbose) as session:
        session.end(working.work(session, at_once))


@app.command()
def notify(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A [notify.NAME] of the settings.")],
    config: Config = CONFIG,
    as_json: Json = False,
    verbose: Verbose = 0,
) -> None:
    """Send a test message, to see that what is told arrives."""
    from trueup.commands import notifying

    with _session(config, as_json, verbose) as session:
        session.end(notifying.notify(session, name))


@app.command()
def console(
    host: Annotated[str | None, typer.Option(help="Where to listen, if not as [console].")] = None,
    port: Annotated[
        int | None, typer.Option(help="0 takes any free one.", min=0, max=65535)
    ] = None,
    config: Config = CONFIG,
    as_json: Json = False,
    verbose: Verbose = 0,
) -> None:
    """Show pages over the state in a browser, by a link that it prints, or as [console] says."""
    from trueup.commands import consoling

    with _session(config, as_json, verbose) as session:
        session.end(consoling.console(session, host, port))


@app.command()
def status(config: Config = CONFIG, as_json: Json = False, verbose: Verbose = 0) -> None:
    """Show for each sync its last run, its links and what waits."""
    from trueup.commands import remembered

    with _session(config, as_json, verbose) as session:
        session.told(remembered.status(session))


@app.command()
def waiting(
    sync: Annotated[str | None, typer.Argument(metavar="[SYNC]", help="Default: all.")] = None,
    config: Config = CONFIG,
    as_json: Json = False,
    verbose: Verbose = 0,
) -> None:
    """List what waits for somebody to decide, with the ways out. -v lists all of a long queue."""
    from trueup.commands import deciding

    with _session(config, as_json, verbose) as session:
        session.told(deciding.waiting(session, sync))


@app.command()
def decide(
    numbers: Annotated[
        list[str] | None,
        typer.Argument(metavar="[N…]", help="Numbers of `trueup waiting`; with --all-of: a SYNC."),
    ] = None,
    take: Annotated[
        str | None,
        typer.Option(
            metavar="source|target|VALUE|ID|none|applied|not-applied",
            help="What is decided; `trueup waiting` says what can be.",
        ),
    ] = None,
    note: Annotated[str | None, typer.Option(help="Why; the audit keeps it.")] = None,
    all_of: Annotated[
        str | None,
        typer.Option("--all-of", metavar="RULE", help="All that waits by this rule."),
    ] = None,
    config: Config = CONFIG,
    as_json: Json = False,
    verbose: Verbose = 0,
) -> None:
    """Decide what waits; without arguments one after the other, asking. The next run does it."""
    from trueup.commands import deciding

    with _session(config, as_json, verbose) as session:
        session.end(deciding.decide(session, numbers or (), take, note, all_of))


@app.command()
def history(
    sync: Annotated[str | None, typer.Argument(metavar="SYNC", help="Default: all.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="How many runs.")] = 20,
    config: Config = CONFIG,
    as_json: Json = False,
    verbose: Verbose = 0,
) -> None:
    """List past runs, newest first."""
    from trueup.commands import remembered

    with _session(config, as_json, verbose) as session:
        session.told(remembered.history(session, sync, limit))


@app.command()
def show(
    run_id: Annotated[str, typer.Argument(metavar="RUN", help="A run's id, or how it begins.")],
    config: Config = CONFIG,
    as_json: Json = False,
    verbose: Verbose = 0,
) -> None:
    """Show one run, operation by operation."""
    from trueup.commands import remembered

    with _session(config, as_json, verbose) as session:
        session.told(remembered.show(session, run_id))


@app.command()
def undo(
    run_id: Annotated[str, typer.Argument(metavar="RUN", help="A run's id, or how it begins.")],
    only: Annotated[
        list[str] | None,
        typer.Option(
            "--only", metavar="REF", help="Only this budget with its allocations; repeatable."
        ),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    as_of: AsOf = None,
    allow: Allow = None,
    because: Because = None,
    config: Config = CONFIG,
    as_json: Json = False,
    verbose: Verbose = 0,
) -> None:
    """Bring the target back to what was there before a run, and pause the sync."""
    from trueup.commands import undoing

    with _session(config, as_json, verbose) as session:
        day, rules = _day(as_of), _rules(allow)
        session.end(undoing.undo(session, run_id, only or (), day, rules, yes, because))


@app.command()
def audit(
    sync: Annotated[str | None, typer.Argument(metavar="[SYNC]", help="Default: all.")] = None,
    since: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"], help="From this moment on, UTC."),
    ] = None,
    ref: Annotated[
        str | None, typer.Option(help="What was done to this budget and its allocations.")
    ] = None,
    form: Annotated[str | None, typer.Option("--format", help="text, csv or json.")] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Prove that no row was changed; exit 1 where one was.")
    ] = False,
    head: Annotated[
        str | None,
        typer.Option(metavar="DIGEST", help="With --check: a head that was kept elsewhere."),
    ] = None,
    config: Config = CONFIG,
    as_json: Json = False,
    verbose: Verbose = 0,
) -> None:
    """Show who did what and when, or check that nobody touched the rows that say so."""
    from trueup.commands import remembered

    with _session(config, as_json, verbose) as session:
        if check or head is not None:
            session.told(remembered.check_audit(session, head))
        session.told(remembered.audit(session, sync, since, ref, form))


@app.command()
def forget(
    before: Annotated[
        datetime, typer.Option(formats=["%Y-%m-%d"], metavar="DATE", help="The first day kept.")
    ],
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    config: Config = CONFIG,
    as_json: Json = False,
    verbose: Verbose = 0,
) -> None:
    """Let go of what the state remembers from before a day; a sealed row sums it up."""
    from trueup.commands import remembered

    with _session(config, as_json, verbose) as session:
        session.end(remembered.forget(session, before, yes))


@state.command("copy")
def copy_state(
    url: Annotated[
        str,
        typer.Argument(
            metavar="URL",
            help="The new database, empty or not there yet: as url in [state], so env:NAME hides "
            "its password.",
        ),
    ],
    config: Config = CONFIG,
    as_json: Json = False,
    verbose: Verbose = 0,
) -> None:
    """Copy the state to another database, SQLite or PostgreSQL; the old one stays as it is."""
    from trueup.commands import moving

    with _session(config, as_json, verbose) as session:
        session.told(moving.copy_state(session, url))


@app.command()
def connectors(as_json: Json = False) -> None:
    """Show which connectors there are and what each target can hold."""
    from trueup.capabilities import capability_table, table_text
    from trueup.output import tell, tell_json
    from trueup.streams import OUT

    table = capability_table()
    tell_json(table) if as_json else tell(table_text(table))
    raise typer.Exit(1 if OUT.lost else 0)


@app.command()
def schema() -> None:
    """Print the JSON Schema of the settings file, for editors."""
    from config.schema import settings_schema
    from trueup.output import tell_json
    from trueup.streams import OUT

    tell_json(settings_schema())
    raise typer.Exit(1 if OUT.lost else 0)


@app.command()
def sandbox(
    vendors: Annotated[list[str] | None, typer.Argument(metavar="[VENDOR…]")] = None,
    port: Annotated[int, typer.Option(help="The first one's port; 0 takes any free one.")] = 0,
    persist: Annotated[Path | None, typer.Option(help="Keep the state in this file.")] = None,
    token: Annotated[
        str | None, typer.Option(envvar="TRUEUP_SANDBOX_TOKEN", help="The token it accepts.")
    ] = None,
    seed: Annotated[Path | None, typer.Option(help="JSON file of rows to begin with.")] = None,
    rate_limit: Annotated[str | None, typer.Option(help='Such as "60/1m", or "off".')] = None,
    fault: Annotated[list[str] | None, typer.Option(help="Faults to switch on, as JSON.")] = None,
    switch: Annotated[
        list[str] | None, typer.Option(help="NAME or NAME=JSON; --list-switches names them.")
    ] = None,
    list_switches: Annotated[
        bool, typer.Option("--list-switches", help="Print what can be switched, and serve nothing.")
    ] = False,
) -> None:
    """Serve a vendor's sandbox over HTTP until told to stop."""
    from trueup.sandboxes import serve_sandboxes, switches

    if list_switches:
        from trueup.console import Console

        with _refusing():
            rows = list(switches(vendors or ()))
        Console().table(("vendor", "switch", "unless told", "what it does"), rows)
        return
    options: dict[str, Sequence[object]] = {
        "token": [token],
        "seed": [seed],
        "rate-limit": [rate_limit],
        "fault": fault or [],
        "switch": switch or [],
    }
    with _refusing():
        raise typer.Exit(serve_sandboxes(vendors or (), port, persist, options))


@contextmanager
def _refusing() -> Iterator[None]:
    """Commands without a settings file refuse in the same words as those with one."""
    from trueup.output import talk
    from trueup.refusal import Refusal

    try:
        yield
    except Refusal as refusal:
        talk(f"trueup: {refusal}")
        raise typer.Exit(2) from None


def _session(config: Path, as_json: bool, verbose: int) -> "Session":
    from trueup.session import Session

    return Session(config, as_json=as_json, verbosity=verbose)


def _rules(allow: list[str] | None) -> list[str]:
    """What is allowed, one by one or several with commas between them; a limit may have commas of
    its own, after which no rule's name stands."""
    parts = (part for each in allow or () for part in _NEXT_RULE.split(each))
    return [part.strip() for part in parts if part.strip()]


def _day(moment: datetime | None) -> date | None:
    return moment.date() if moment else None


def main() -> None:
    """The process's entry point: run the command and exit with its code."""
    # Records come and go by the hundred thousand, and none is part of a cycle: looking for cycles
    # every 700 objects costs a tenth of a run, and of a start.
    gc.set_threshold(50_000)
    from trueup.streams import OUT, guard_streams

    guard_streams()
    try:
        app()
    finally:
        if OUT.lost:
            from trueup.output import talk

            talk(f"trueup: not all of it could be printed: {OUT.lost}")
        # All memory goes with the process: nobody need look through it for cycles as it ends.
        gc.freeze()
