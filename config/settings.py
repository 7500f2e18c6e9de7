"""What may stand in trueup.toml: the state, the systems, and the syncs between them.

The field descriptions are the documentation that `trueup schema` gives to editors. Unknown keys
are errors everywhere. A system is validated by its own connector's model. What can only be seen
with the whole file in view (a sync that names a system that is not there) is checked along with
the rest, so that one look shows all that is wrong.
"""

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from difflib import get_close_matches
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self, TypeAlias, get_args

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    Field,
    PrivateAttr,
    SecretStr,
    SerializeAsAny,
    ValidationError,
    model_validator,
)
from pydantic_core import InitErrorDetails, PydanticCustomError

from canonical.facts import ALLOCATION_FIELDS, BUDGET_FIELDS
from canonical.loss import Effect
from config.approval import ApprovalWord
from config.console import ConsoleSettings
from config.fields import Words, problems_of
from config.limits import CountLimit, MoneyLimit, Percent
from config.notify import Notify
from config.scheduled import Scheduled
from config.secrets import is_reference
from config.select import Select
from config.tables import Table
from connectors.contract import registry
from connectors.contract.rating import is_pair, pair_of, rate_of
from connectors.contract.settings import Lines, SystemSettings
from sync.fields import OnConflict, OnNew
from sync.spec import Limit, OnRemove, limit_of

KeyPath: TypeAlias = tuple[str | int, ...]

_EFFECTS: Final = (Effect.ROUNDED, Effect.TRUNCATED, Effect.DROPPED, Effect.BLOCKED)
_FIELDS: Final = tuple(dict.fromkeys((*BUDGET_FIELDS, *ALLOCATION_FIELDS)))
ACCEPTABLE: Final = tuple(f"{effect}:{name}" for effect in _EFFECTS for name in _FIELDS)
"""The losses that a sync's `accept` list may name."""

_TIME: Final = re.compile(r"^([1-9][0-9]{0,3})([mhd])$")
_UNITS: Final = {"m": "minutes", "h": "hours", "d": "days"}
_STATE: Final = re.compile(r"sqlite:///|postgres(ql(\+psycopg)?)?://")


@dataclass(frozen=True, slots=True)
class Origin:
    """Where settings were read: the file, and the line of each key and table in it."""

    file: Path = Path("trueup.toml")
    lines: Mapping[KeyPath, int] = field(default_factory=dict)

    def line(self, path: KeyPath) -> int | None:
        """The line of `path`, or of the nearest key or table around it; None where none is."""
        keys = tuple(part for part in path if isinstance(part, str))
        for length in range(len(keys), 0, -1):
            if keys[:length] in self.lines:
                return self.lines[keys[:length]]
        return None


def nearest(word: str, among: Collection[str]) -> str:
    """The end of a refusal of `word`: the likeliest right one, or all there are."""
    if close := get_close_matches(word, sorted(among), 1):
        return f'; did you mean "{close[0]}"?'
    verb = "is" if len(among) == 1 else "are"
    return f"; there {verb} {', '.join(sorted(among)) or 'none'}"


def secret_fields(model: type[BaseModel]) -> frozenset[str]:
    """The keys of a connector's settings that hold a reference to a secret."""
    return frozenset(
        name
        for name, info in model.model_fields.items()
        if info.annotation is SecretStr or SecretStr in get_args(info.annotation)
    )


def line_fields(model: type[BaseModel]) -> frozenset[str]:
    """The keys of a connector's settings whose text may have several lines."""
    return frozenset(
        name
        for name, info in model.model_fields.items()
        for part in (info.annotation, *get_args(info.annotation))
        if any(isinstance(each, Lines) for each in getattr(part, "__metadata__", ()))
    )


def _problem(path: KeyPath, message: str) -> InitErrorDetails:
    return InitErrorDetails(type=PydanticCustomError("trueup", message), loc=path, input=None)


def _along_with(
    problems: list[InitErrorDetails], title: str, validate: Callable[[Any], Any], raw: object
) -> Any:
    """What `validate` makes of `raw`; raises `problems` and its own errors as one."""
    try:
        made = validate(raw)
    except ValidationError as error:
        for each in error.errors(include_url=False, include_input=False):
            kind = PydanticCustomError(each["type"], each["msg"], each.get("ctx"))
            problems.append(InitErrorDetails(type=kind, loc=each["loc"], input=None))
    if problems:
        raise _refusal(title, problems)
    return made


def _refusal(title: str, problems: list[InitErrorDetails]) -> ValidationError:
    return ValidationError.from_exception_data(title, problems)


def _of_connector(raw: object) -> object:
    """A system's table as its connector's own model reads it."""
    if not isinstance(raw, dict):
        return raw
    name = raw.get("connector")
    if not isinstance(name, str):
        known = {key: value for key, value in raw.items() if key in SystemSettings.model_fields}
        return SystemSettings.model_validate(known)
    try:
        model = registry.settings(name)
    except KeyError:
        message = f'no connector is named "{name}"{nearest(name, registry.names())}'
        raise _refusal(name, [_problem(("connector",), message)]) from None
    except (ImportError, AttributeError, AssertionError) as error:
        message = f'the connector "{name}" cannot be loaded: {error!r}'
        raise _refusal(name, [_problem(("connector",), message)]) from error
    problems = [
        _problem((key,), _no_literal(f"{name}_{key}"))
        for key in sorted(secret_fields(model) & raw.keys())
        if not is_reference(raw[key])
    ]
    entities = raw.get("entities")
    for row in entities if isinstance(entities, dict) else ():
        if not all(row.partition(":")):
            message = 'a row is "type:id" = "the vendor\'s id", such as "user:ada@example.com"'
            problems.append(_problem(("entities", row), message))
    if "rates" in raw:
        raw = _rated(raw, model, problems)
    return _along_with(problems, name, model.model_validate, raw)


def _rated(
    raw: dict[str, Any], model: type[SystemSettings], problems: list[InitErrorDetails]
) -> dict[str, Any]:
    """The table without the rates that cannot be used, each of which is a problem."""
    rates, name = raw["rates"], raw["connector"]
    if not registry.load(name).capabilities.one_currency:
        message = f"{name} holds each currency as it is; rates are for systems that hold one"
        problems.append(_problem(("rates",), message))
        return {key: value for key, value in raw.items() if key != "rates"}
    if not isinstance(rates, dict):
        return raw
    own = raw.get("currency", model.model_fields["currency"].default)
    used = dict(rates)
    for pair in [key for key in rates if is_pair(key)]:
        try:
            _, to = pair_of(pair)
            rate_of(rates[pair])
            if isinstance(own, str) and to != own:
                said = f'this system holds {own}, so a rate is written "EUR/{own}"'
                raise ValueError(f"{said}; an inverse is not guessed")
        except ValueError as error:
            problems.append(_problem(("rates", pair), str(error)))
            del used[pair]
    left = used or not rates
    return {key: value for key, value in raw.items() if key != "rates"} | (
        {"rates": used} if left else {}
    )


def _no_literal(name: str) -> str:
    variable = re.sub(r"\W", "_", name).upper()
    return (
        f"a secret is not written here; write env:{variable} and put the secret into that "
        "environment variable (or file:PATH, keyring:SERVICE/NAME)"
    )


def _full_pass(said: int | str) -> int | str:
    if said < 1 if isinstance(said, int) else not _TIME.fullmatch(said):
        raise ValueError(f'"{said}" is not a time such as "12h", nor a number of runs')
    return said


def _time(said: str) -> str:
    if not _TIME.fullmatch(said):
        raise ValueError(f'"{said}" is not a time such as "7d", "12h" or "30m"')
    return said


def _timedelta(said: str) -> timedelta:
    found = _TIME.fullmatch(said)
    assert found is not None
    return timedelta(**{_UNITS[found[2]]: int(found[1])})


def _acceptable(text: str) -> str:
    if text not in ACCEPTABLE:
        close = get_close_matches(text, ACCEPTABLE, 1)
        hint = f'; did you mean "{close[0]}"?' if close else ""
        effects = ", ".join(_EFFECTS)
        raise ValueError(
            f'"{text}" is not an effect ({effects}) and a field, such as "rounded:amount"{hint}'
        )
    return text


def _state_url(text: str) -> str:
    if not _STATE.match(text) and not is_reference(text):
        # the text is not repeated: it may hold a password
        raise ValueError(
            'not an address such as "sqlite:///trueup.db" or "postgresql://host/trueup", '
            "nor a reference such as env:TRUEUP_STATE_URL"
        )
    return text


System = Annotated[SerializeAsAny[SystemSettings], BeforeValidator(_of_connector)]
Acceptance = Annotated[
    str, AfterValidator(_acceptable), Field(json_schema_extra={"enum": list(ACCEPTABLE)})
]
Rule = Literal["max_changes", "max_removals", "max_money", "max_budget_change"]


FullPass = Annotated[
    int | str,
    AfterValidator(_full_pass),
    Field(json_schema_extra={"pattern": _TIME.pattern, "minimum": 1}),
]


Time = Annotated[str, AfterValidator(_time), Field(json_schema_extra={"pattern": _TIME.pattern})]


class State(Table):
    """Where links, the journal and the plans are kept."""

    url: Annotated[str, AfterValidator(_state_url)] = Field(
        default="sqlite:///trueup.db",
        repr=False,
        description="sqlite:///FILE, relative to this file, or postgresql://… for a team; "
        "or a reference to it (env:NAME, file:PATH, keyring:SERVICE/NAME), "
        "so that a password need not stand here.",
    )
    keep_reports: int = Field(
        default=500,
        ge=1,
        le=1_000_000,
        description="Of how many runs of each sync the report is kept; of older ones one line is.",
    )


def address_of(text: str) -> tuple[str, int]:
    """The address and the port of "127.0.0.1:9464" or "[::1]:9464"; raises `ValueError`."""
    host, _, port = text.rpartition(":")
    bare = host[1:-1] if host.startswith("[") and host.endswith("]") else host
    try:
        version: int = ip_address(bare).version
    except ValueError:
        version = 0
    if version != (6 if bare != host else 4) or not re.fullmatch(r"[0-9]{1,5}", port):
        raise ValueError('not an address and a port such as "127.0.0.1:9464" or "[::1]:9464"')
    if not 0 <= int(port) <= 65535:
        raise ValueError("a port is at most 65535")
    return bare, int(port)


def _listen(text: str) -> str:
    if address_of(text)[1] == 0:
        raise ValueError("a port is from 1 to 65535")
    return text


class Serve(Table):
    """What `trueup serve` shows to those who watch it."""

    listen: Annotated[str, AfterValidator(_listen)] | None = Field(
        default=None,
        description="Where /healthz, /readyz and /metrics are answered, such as "
        '"127.0.0.1:9464"; without it nowhere. They ask for no password.',
    )


class Guard(Table):
    """How much one run may change before it stops; "off" switches one rule off."""

    max_changes: CountLimit = Field(
        default="30%, at least 1",
        description="Objects changed: a share of those that are linked, with a number that always "
        'passes ("30%, at least 1"), or a number alone (20).',
    )
    max_removals: CountLimit = Field(
        default="5%, at least 1",
        description="Objects removed: a share of those that are linked, with a number that always "
        'passes ("5%, at least 1"), or a number alone (3).',
    )
    max_money: MoneyLimit = Field(
        default="10%",
        description="Money moved up or down, new or removed: a share of what counts, per currency, "
        'with an amount that always passes ("10%, at least 500 USD"), or an amount alone '
        '("5000 USD").',
    )
    max_budget_change: MoneyLimit = Field(
        default="50%",
        description="How far one amount may move in any of its periods: a share of what it was, "
        'with an amount that always passes ("50%, at least 500 USD"), or an amount alone.',
    )
    below_spent: Literal["stop", "allow"] = Field(
        default="stop", description="What happens when an amount would fall below what is spent."
    )
    min_listing: Percent = Field(
        default="50%",
        description="How much of what is linked a listing must still show to be believed.",
    )

    def limit(self, rule: Rule) -> Limit | None:
        """What the rule lets pass; None where it is switched off."""
        return limit_of(getattr(self, rule))

    def share(self, rule: Rule | Literal["min_listing"]) -> Decimal | None:
        """The rule's share of one, "30%" being 0.30; None where it has none."""
        limit = limit_of(getattr(self, rule))
        return None if limit is None else limit.share


class Sync(Scheduled):
    """One target that is kept true to one source."""

    source: str = Field(description="The system that owns the budgets.")
    target: str = Field(description="The system that follows.")
    mode: Literal["mirror", "two-way"] = Field(
        default="mirror",
        description="mirror: the source owns each field that `fields` does not name, and the "
        "target follows; two-way: whichever side moved a field last wins, and the source is "
        "changed too.",
    )
    fields: Words = Field(
        default_factory=dict,
        description='Who owns a field: "source", "target", "either" (whoever moved it since both '
        'last agreed), "ask" (an edit in the target waits), "ignore". "allocations.amount" and so '
        "on are the shares'.",
    )
    on_conflict: OnConflict = Field(
        default=OnConflict.ASK,
        strict=False,
        description="Who wins where both sides moved one field to different values: source, "
        "target, or nobody until a person decides (ask).",
    )
    on_new: OnNew = Field(
        default=OnNew.REPORT,
        strict=False,
        description="What becomes of an object that only the target has: report it, create it in "
        "the source, or ignore it.",
    )
    on_remove: OnRemove = Field(
        default=OnRemove.KEEP,
        strict=False,
        description="What becomes of an object that the source no longer has: keep, retire, "
        "or delete. Only objects that Trueup made or adopted are ever removed.",
    )
    accept: tuple[Acceptance, ...] = Field(
        default=(),
        strict=False,
        description='Losses that are known and accepted, such as "rounded:amount".',
    )
    stamp: bool = Field(
        default=True,
        description="Whether the source's ref is written into the target's objects, where they "
        "have room, so that links can be found again.",
    )
    horizon_months: int = Field(
        default=12,
        ge=1,
        le=1200,
        description="How many months ahead the periods of a budget with an open end are written.",
    )
    past_months: int = Field(
        default=12,
        ge=0,
        le=1200,
        description="How many months back periods are written, where the target has an entry for "
        "each; what is there of earlier ones stays.",
    )
    parallel: int = Field(
        default=8, ge=1, le=64, description="How many writes are under way at the same time."
    )
    full_pass_every: FullPass = Field(
        default="12h",
        description="How long details that a cheap listing does not show are believed to be as "
        'they were: a time such as "12h", "30m" or "1d"; or a number of runs, of which the last '
        "reads everything. 1 reads everything every time.",
    )
    select: Select | None = Field(
        default=None, description="Which budgets of the source are carried; default: all."
    )
    guard: Guard = Field(
        default_factory=Guard, description="How much one run may change before it stops."
    )
    approval: ApprovalWord = Field(
        default="never",
        description="When somebody has to approve a plan before it is applied: never; always; or "
        'where it moves more than a share of what counts ("over 10%"), more than an amount '
        '("over 5000 USD"), or either ("over 10%, 5000 USD"), per currency.',
    )
    approval_expires: Time = Field(
        default="7d",
        description="How long after it was asked for a plan can be approved and applied: "
        '"7d", "12h" or "30m".',
    )
    four_eyes: bool = Field(
        default=False, description="Whether who asked for an approval may not give it."
    )

    def full_pass(self) -> timedelta | int:
        """`full_pass_every` as a time, or as the number of runs that it is."""
        if isinstance(self.full_pass_every, int):
            return self.full_pass_every
        return _timedelta(self.full_pass_every)

    def expires(self) -> timedelta:
        """`approval_expires` as a time."""
        return _timedelta(self.approval_expires)


class Actuals(Scheduled):
    """What is spent, kept in the system that the table is named after."""

    systems: tuple[str, ...] = Field(
        default=(),
        strict=False,
        description="Which systems have seen it spent; default: all that tell.",
    )


class Settings(Table):
    """Which systems hold budgets, and which of them follows which."""

    state: State = Field(default_factory=State, description="Where Trueup keeps its own memory.")
    systems: dict[str, System] = Field(
        default_factory=dict, description="The systems that hold budgets, by a name of your own."
    )
    syncs: dict[str, Sync] = Field(
        default_factory=dict, description="Which system follows which, by a name of your own."
    )
    actuals: dict[str, Actuals] = Field(
        default_factory=dict,
        description="In which systems what is spent is kept, by their names.",
    )
    serve: Serve = Field(default_factory=Serve, description="What `trueup serve` shows.")
    console: ConsoleSettings = Field(
        default_factory=ConsoleSettings, description="Where the console is served, and to whom."
    )
    notify: dict[str, Notify] = Field(
        default_factory=dict,
        description="Who is told how syncs stand, by a name of your own.",
    )
    _origin: Origin = PrivateAttr(default_factory=Origin)

    def model_post_init(self, context: object, /) -> None:
        """Keeps the `Origin` that was given as the validation's context."""
        if isinstance(context, Origin):
            self._origin = context

    @property
    def origin(self) -> Origin:
        """The file that the settings came from."""
        return self._origin

    @property
    def base(self) -> Path:
        """The folder that relative paths start from."""
        return self._origin.file.parent

    @model_validator(mode="wrap")
    @classmethod
    def _hangs_together(cls, raw: Any, handler: Callable[[Any], Self]) -> Self:
        problems = list(_across(raw)) if isinstance(raw, dict) else []
        made: Self = _along_with(problems, cls.__name__, handler, raw)
        if problems := [each for name in made.syncs for each in _of_fields(made, name)]:
            raise _refusal(cls.__name__, problems)
        return made


def _of_fields(settings: Settings, name: str) -> Iterator[InitErrorDetails]:
    """What neither side, or only one, can do of what a sync says of its fields.

    Only a sync that says something pays for its connectors.
    """
    sync = settings.syncs[name]
    two_way = sync.mode == "two-way"
    if not (sync.fields or two_way or sync.on_new is OnNew.CREATE):
        return
    source, target = (settings.systems[each] for each in (sync.source, sync.target))
    for path, message in problems_of(
        sync.fields,
        two_way=two_way,
        on_new=sync.on_new,
        only_read=source.only_read(),
        names=(sync.source, sync.target),
        source=source.able(registry.load(source.connector).capabilities),
        target=target.able(registry.load(target.connector).capabilities),
    ):
        written = ("syncs", name, *path)
        if written not in settings.origin.lines:  # the shares' words may have a table of theirs
            written = (*written[:-1], *written[-1].split("."))
        yield _problem(written, message)


def _across(raw: Mapping[str, Any]) -> Iterator[InitErrorDetails]:
    """What is wrong between tables, whatever else may be wrong inside them."""
    systems, syncs = raw.get("systems", {}), raw.get("syncs", {})
    if not isinstance(systems, dict) or not isinstance(syncs, dict):
        return
    yield from _of_actuals(raw.get("actuals"), systems)
    yield from _of_notify(raw.get("notify"), syncs)
    taken: dict[tuple[str, str, bool], str] = {}
    for name, sync in syncs.items():
        if not isinstance(sync, dict):
            continue
        sides = {side: sync.get(side) for side in ("source", "target")}
        for side, system in sides.items():
            if isinstance(system, str) and system not in systems:
                message = f'no system is named "{system}"{nearest(system, systems)}'
                yield _problem(("syncs", name, side), message)
        source, target = sides.values()
        if not isinstance(source, str) or not isinstance(target, str):
            continue
        if source == target:
            yield _problem(("syncs", name, "target"), "the target is the source itself")
        elif (first := _taken(taken, source, target, name, selects="select" in sync)) is not None:
            message = f'the sync "{first}" already goes from "{source}" to "{target}"'
            if "select" in sync or "select" in syncs[first]:
                message += "; two may, where each has a select of its own"
            yield _problem(("syncs", name), message)
        elif reason := _no_target(systems.get(target)):
            yield _problem(("syncs", name, "target"), reason)


def _no_target(raw: object) -> str:
    """Why a system may not be a target; blank where it may, or is wrong in another way."""
    connector = raw.get("connector") if isinstance(raw, dict) else None
    if not isinstance(raw, dict) or not isinstance(connector, str):
        return ""
    try:
        return registry.settings(connector).bars_target(raw)
    except (KeyError, ImportError, AttributeError, AssertionError):
        return ""


def _of_actuals(raw: object, systems: Mapping[str, Any]) -> Iterator[InitErrorDetails]:
    for into, table in raw.items() if isinstance(raw, dict) else ():
        if into not in systems:
            yield _problem(
                ("actuals", into), f'no system is named "{into}"{nearest(into, systems)}'
            )
        named = table.get("systems") if isinstance(table, dict) else None
        for system in named if isinstance(named, list) else ():
            if isinstance(system, str) and system not in systems:
                message = f'no system is named "{system}"{nearest(system, systems)}'
                yield _problem(("actuals", into, "systems"), message)
            elif system == into:
                message = "what it has seen spent is there already"
                yield _problem(("actuals", into, "systems"), message)


def _of_notify(raw: object, syncs: Mapping[str, Any]) -> Iterator[InitErrorDetails]:
    for name, table in raw.items() if isinstance(raw, dict) else ():
        named = table.get("syncs") if isinstance(table, dict) else None
        for sync in named if isinstance(named, list) else ():
            if isinstance(sync, str) and sync not in syncs:
                message = f'no sync is named "{sync}"{nearest(sync, syncs)}'
                yield _problem(("notify", name, "syncs"), message)


def _taken(
    taken: dict[tuple[str, str, bool], str], source: str, target: str, name: str, *, selects: bool
) -> str | None:
    """An earlier sync between the two, unless both select; `taken` learns of this one."""
    first = taken.get((source, target, False))
    if first is None and not selects:
        first = taken.get((source, target, True))
    taken.setdefault((source, target, selects), name)
    return first
