"""`trueup actuals --into`: what systems have seen spent, read and kept under one lease.

The lease comes first: of two that read and write at one time, the one that read earlier could
write later.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Protocol

from canonical.kind import Kind
from config.load import SettingsError, SettingsProblem
from config.settings import nearest
from config.wiring import account_of
from connectors.contract import registry
from connectors.contract.departure import departing
from connectors.contract.errors import ConnectorError
from sync.recording import Recording, Told, record
from sync.state.lease import Lease
from sync.state.ledger import Ledger

if TYPE_CHECKING:
    from datetime import date, datetime
    from threading import Lock

    from canonical.spent import Spent
    from config.settings import Settings
    from connectors.contract.interface import Connector
    from sync.state.store import Store


class Opened(Protocol):
    """What is needed of a workspace."""

    settings: Settings

    @property
    def telling(self) -> tuple[str, ...]:
        """The systems that tell what has been spent."""

    @property
    def store(self) -> Store:
        """The state."""

    def system(self, name: str) -> Connector:
        """The connector of a system."""

    def spending(self, system: str, *, shares: bool) -> Iterator[Spent]:
        """What has been spent in a system."""

    def turn(self, account: str) -> Lock:
        """Held by whoever reads or writes that account for longer than a call."""


def name_of(into: str) -> str:
    """What the lease and the schedule of such a recording go by; no sync has a name like it."""
    return f"actuals --into {into}"


def recorded(
    workspace: Opened,
    into: str,
    systems: Sequence[str],
    day: date,
    now: Callable[[], datetime],
    *,
    shares: bool = True,
    dry_run: bool = False,
) -> Recording:
    """Keep what `systems` have seen spent in the system `into`; without any, those that the
    settings name for it, else all that tell.

    Raises `SettingsError` where `into` keeps none, `LeaseHeld` while another process does the same,
    and the errors of `connectors.contract.errors` that `into` fails with.
    """
    settings = workspace.settings
    keeper = _keeper(workspace, into)
    names = _asked(workspace, into, systems)
    with _alone(workspace, into, now, dry_run=dry_run):
        shares = shares and Kind.ALLOCATION in keeper.capabilities.takes_actuals
        told = partial(_told, workspace, shares=shares)
        with ThreadPoolExecutor(max_workers=max(1, len(names))) as pool:
            found = list(pool.map(told, names))
        failed = {name: error for name, (_, error) in zip(names, found, strict=True) if error}
        rows = [row for each, _ in found for row in each]
        sources = _sources(settings, into)
        silent = _silent(workspace, sources, set(names) - set(failed))
        told_by = Told(sources=sources, silent=silent)
        with workspace.turn(account_of(settings, into)):
            entries = record(keeper, rows, day, told_by, dry_run=dry_run)
    return Recording(into=into, dry_run=dry_run, entries=entries, failed=failed)


def _keeper(workspace: Opened, into: str) -> Connector:
    settings = workspace.settings
    if into in settings.systems:
        own = settings.systems[into].connector
        if not registry.load(own).capabilities.takes_actuals:
            able = [
                name for name in registry.names() if registry.load(name).capabilities.takes_actuals
            ]
            message = f'"{own}" keeps no actuals; there are {", ".join(able)}'
            raise _wrong(settings, into, message)
    return workspace.system(into)


def _asked(workspace: Opened, into: str, systems: Sequence[str]) -> Sequence[str]:
    """The systems that are asked what is spent, each once."""
    settings = workspace.settings
    stated = settings.actuals.get(into)
    names = systems or (stated.systems if stated else ()) or workspace.telling
    names = [name for name in dict.fromkeys(names) if systems or name != into]
    for name in names:
        if name not in settings.systems:
            message = f'no system is named "{name}"{nearest(name, settings.systems)}'
            raise SettingsError([SettingsProblem(settings.origin.file, None, "systems", message)])
        if name == into:
            raise _wrong(settings, into, "what it has seen spent is there already")
        if name not in workspace.telling:
            raise _wrong(settings, name, "it does not tell what is spent")
    return names


def _wrong(settings: Settings, system: str, message: str) -> SettingsError:
    origin, path = settings.origin, ("systems", system)
    return SettingsError([SettingsProblem(origin.file, origin.line(path), ".".join(path), message)])


@contextmanager
def _alone(
    workspace: Opened, into: str, now: Callable[[], datetime], *, dry_run: bool
) -> Iterator[None]:
    """Nothing leaves unless no other process may do the same."""
    if dry_run:
        yield
        return
    with Lease.take(workspace.store, name_of(into), now=now) as lease, departing(lease.ensure):
        yield


def _told(
    workspace: Opened, system: str, *, shares: bool
) -> tuple[Sequence[Spent], Exception | None]:
    """What one system tells, and what kept it from telling more."""
    found: list[Spent] = []
    try:
        with workspace.turn(account_of(workspace.settings, system)):
            found.extend(workspace.spending(system, shares=shares))
    except (ConnectorError, SettingsError) as error:
        return found, error
    return found, None


def _sources(settings: Settings, into: str) -> Collection[str] | None:
    """The systems that are the same account as `into`, where any of them is a source: their refs
    are its own. None where it is none, and refs of others are taken for its own."""
    account = account_of(settings, into)
    alike = {name for name in settings.systems if account_of(settings, name) == account}
    return alike if any(each.source in alike for each in settings.syncs.values()) else None


def _silent(
    workspace: Opened, sources: Collection[str] | None, told: Collection[str]
) -> Mapping[str, Sequence[Ledger]]:
    found: dict[str, list[Ledger]] = defaultdict(list)
    for name, each in workspace.settings.syncs.items():
        counts = sources is None or each.source in sources
        if counts and each.target in workspace.telling and each.target not in told:
            found[each.target].append(Ledger(workspace.store, name))
    return found
