"""From settings to live connectors and engine specs: the one step at which secrets become known."""

import hmac
from collections.abc import Sequence
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from urllib.parse import unquote, urlsplit

from pydantic import SecretStr

from config.approval import over_of
from config.fields import fields_of
from config.load import SettingsError, SettingsProblem
from config.logs import register_secret
from config.rates import rates_of
from config.secrets import SecretError, is_reference, resolve
from config.settings import Settings, Sync, nearest, secret_fields
from connectors.contract import registry
from connectors.contract.interface import Connector
from connectors.contract.runtime import Runtime
from connectors.contract.settings import HttpSettings, SystemSettings
from sync.fields import Fields
from sync.spec import Approval, Limits, SyncSpec


def connect(settings: Settings, system: str, runtime: Runtime | None = None) -> Connector:
    """The connector of that system, with its secrets, and no other system's, resolved.

    They are hidden from the log from here on. Without a `runtime` relative paths start from the
    settings file's folder. Raises `SettingsError` for an unknown system and for every secret that
    is not there.
    """
    own = settings.systems.get(system)
    if own is None:
        message = f'no system is named "{system}"{nearest(system, settings.systems)}'
        raise SettingsError([SettingsProblem(settings.origin.file, None, "systems", message)])
    secrets: dict[str, SecretStr] = {}
    problems = []
    for name in sorted(secret_fields(type(own))):
        reference: SecretStr | None = getattr(own, name)
        if reference is None:
            continue
        try:
            secrets[name] = SecretStr(secret_of(reference.get_secret_value(), settings.base))
        except SecretError as error:
            problems.append(_problem(settings, ("systems", system, name), error))
    if problems:
        raise SettingsError(problems)
    ready = own.model_copy(update=secrets)
    given = replace(
        runtime or Runtime(base=settings.base),
        hide=register_secret,
        credential=_credential(own, [each.get_secret_value() for each in secrets.values()]),
    )
    return registry.load(own.connector)(system, ready, given)


def _credential(own: SystemSettings, secrets: Sequence[str]) -> str:
    """Names the credential of a system to all who call under it: alike for blocks that share it.

    Of the secrets no more than four hex digits of a digest are in it, which any secret may have:
    enough to tell those of one server apart, too little to find one out.
    """
    server = own.base_url.lower().rstrip("/") if isinstance(own, HttpSettings) else ""
    name = f"{own.connector} {server}"
    said = "\0".join(secrets).encode("utf-8", "surrogatepass")
    return f"{name} {hmac.new(name.encode(), said, sha256).hexdigest()[:4]}"


def account_of(settings: Settings, system: str) -> str:
    """Names the account of that system, which is in the settings; no secret is needed for it."""
    return settings.systems[system].account(system, settings.base)


def sync_of(settings: Settings, sync: str) -> Sync:
    """What the settings say of that sync; raises `SettingsError` for an unknown name."""
    own = settings.syncs.get(sync)
    if own is None:
        message = f'no sync is named "{sync}"{nearest(sync, settings.syncs)}'
        raise SettingsError([SettingsProblem(settings.origin.file, None, "syncs", message)])
    return own


def spec_of(settings: Settings, sync: str) -> SyncSpec:
    """What the engine is told of that sync; raises `SettingsError` for an unknown name, and for a
    file of rates that cannot be used."""
    own = sync_of(settings, sync)
    guard = own.guard
    limits = Limits(
        max_changes=guard.limit("max_changes"),
        max_removals=guard.limit("max_removals"),
        max_money=guard.limit("max_money"),
        max_budget_change=guard.limit("max_budget_change"),
        min_listing=guard.share("min_listing"),
        below_spent=guard.below_spent == "allow",
    )
    return SyncSpec(
        name=sync,
        source=own.source,
        target=own.target,
        on_remove=own.on_remove,
        accept=frozenset(own.accept),
        stamp=own.stamp,
        horizon_months=own.horizon_months,
        past_months=own.past_months,
        parallel=own.parallel,
        full_pass_every=own.full_pass(),
        limits=limits,
        select=own.select.selection() if own.select else None,
        rates=rates_of(settings, own.target),
        fields=_fields(settings, own),
        approval=approval_of(own),
    )


def _fields(settings: Settings, sync: Sync) -> Fields:
    """Who owns which field; a sync that says nothing of it needs no connector for that."""
    two_way = sync.mode == "two-way"
    if not (sync.fields or two_way):
        return Fields(on_conflict=sync.on_conflict, on_new=sync.on_new)
    systems = (settings.systems[each] for each in (sync.source, sync.target))
    source, target = (each.able(registry.load(each.connector).capabilities) for each in systems)
    return fields_of(
        sync.fields,
        two_way=two_way,
        on_conflict=sync.on_conflict,
        on_new=sync.on_new,
        source=source,
        target=target,
    )


def approval_of(own: Sync) -> Approval | None:
    """What the sync needs an approval for; None for "never"."""
    if own.approval == "never":
        return None
    return Approval(over_of(own.approval), own.expires(), own.four_eyes)


def state_url(settings: Settings) -> str:
    """Where the state is kept, its password hidden from the log from here on.

    Raises `SettingsError` where the address is a reference to something that is not there.
    """
    try:
        return database_url(settings.state.url, settings.base)
    except SecretError as error:
        raise SettingsError([_problem(settings, ("state", "url"), error)]) from None


def database_url(said: str, base: Path) -> str:
    """A database's address, or the one that a reference stands for; its password is hidden from
    the log from here on. Raises `SecretError`."""
    url = secret_of(said, base) if is_reference(said) else said
    _hide_password(url)
    return url


def secret_at(settings: Settings, reference: str, path: tuple[str, ...]) -> str:
    """The secret of a reference that stands at `path`; raises `SettingsError` where it is not."""
    try:
        return secret_of(reference, settings.base)
    except SecretError as error:
        raise SettingsError([_problem(settings, path, error)]) from None


def secret_of(reference: str, base: Path) -> str:
    """The secret, hidden from the log; so is the password in one that is an address."""
    secret = resolve(reference, base)
    register_secret(secret)
    _hide_password(secret)
    return secret


def _hide_password(address: str) -> None:
    try:
        password = urlsplit(address).password
    except ValueError:  # an address with one would be readable
        return
    if password:
        register_secret(unquote(password))
        register_secret(password)


def _problem(settings: Settings, path: tuple[str, ...], error: SecretError) -> SettingsProblem:
    origin = settings.origin
    return SettingsProblem(origin.file, origin.line(path), ".".join(path), str(error))
