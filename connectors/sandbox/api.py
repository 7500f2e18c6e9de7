"""What every sandbox shares: a vendor's API as an application, with state and faults.

A vendor's file says what each call answers; this one counts the calls, logs them and goes wrong
on demand. It knows no vendor.

Beside the vendor's paths there is a control of our own, which asks for no credential and takes no
orders of web pages:

    GET POST DELETE /_sandbox/faults    the rules in force; add one or a list; drop all
    GET DELETE      /_sandbox/log       calls seen, oldest first, never with a credential; `at`
                                        is when one came, in milliseconds by its clock
    GET             /_sandbox/state     every row, in the shape that a seed has
    POST            /_sandbox/reset     back to the seed; faults and log are dropped
"""

import asyncio
import time
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field
from starlette.datastructures import Headers, QueryParams
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from canonical.text import kept
from connectors.contract.settings import parse_rate
from connectors.sandbox.faults import Fault, Faults, Rule
from connectors.sandbox.orders import may_order
from connectors.sandbox.state import Row, State, dumps, loads

_LOG_LENGTH = 100_000


@dataclass(frozen=True, slots=True)
class Call:
    """One request, read to its end."""

    method: str
    path: str
    query: QueryParams
    headers: Headers
    body: bytes

    def sent(self) -> Any:
        """The body as JSON; raises `ValueError` where it is none, or has a text that no database
        holds: with U+0000, or with half a surrogate pair."""
        said = loads(self.body)
        for text in _texts(said):
            kept(text)
        return said


class Refused(Exception):
    """Raised in a vendor's file where a call ends early: `answer` is what the caller gets."""

    def __init__(self, answer: Response) -> None:
        super().__init__(answer.status_code)
        self.answer = answer


class SandboxSwitches(BaseModel):
    """How a vendor behaves where its pages leave it open; each vendor adds fields of its own."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    lag: float = Field(0, ge=0, description="How many seconds listings are behind all writes.")
    lag_reads: bool = Field(False, description="So are reads of one object by its id.")


def reply(value: Any, status: int = 200) -> Response:
    """`value` as a JSON answer."""
    return Response(dumps(value), status, media_type="application/json")


def _texts(value: Any) -> Iterator[str]:
    left = [value]
    while left:
        each = left.pop()
        if isinstance(each, str):
            yield each
        elif isinstance(each, Mapping):
            left.extend((*each.keys(), *each.values()))
        elif isinstance(each, list):
            left.extend(each)


class Sandbox(ABC):
    """A vendor's API as an ASGI application. Give it to `serve`; one thread handles all calls.

    `seed` holds rows by table, added to those of a fresh account. With `persist` the state is read
    from that file if it is there, and written to it after each change. `rate_limit` is such as
    "60/1m", "off", or None for the vendor's own. `switches` are the fields of `Switches`.
    """

    CREDENTIAL: ClassVar[str]
    RATE_LIMIT: ClassVar[str]
    ID_FIELDS: ClassVar[Mapping[str, str]]
    """The vendor's tables, and the field that is the id in each."""
    PROMPT: ClassVar[Collection[str]] = ()
    """Those that are behind no write, whatever lags: what lets a caller in."""
    Switches: ClassVar[type[SandboxSwitches]]

    def __init__(
        self,
        *,
        token: str | None = None,
        seed: Mapping[str, Collection[Row]] | None = None,
        persist: Path | None = None,
        rate_limit: str | None = None,
        faults: Iterable[Rule] = (),
        monotonic: Callable[[], float] = time.monotonic,
        **switches: Any,
    ) -> None:
        self.token = token or self.CREDENTIAL
        self.switches: Any = self.Switches(**switches)
        self.faults = Faults(faults)
        self.log: list[Row] = []
        self._seed = seed or {}
        self._rate = None if rate_limit == "off" else parse_rate(rate_limit or self.RATE_LIMIT)
        self._monotonic = monotonic
        self._recent: deque[float] = deque()
        clock = monotonic if self.switches.lag else None
        self.state = State(self.ID_FIELDS, self.completed, persist, clock, self.PROMPT)
        if persist and persist.exists():
            self.state.fill(loads(persist.read_bytes()))
        else:
            self.state.fill(self.fresh(), self._seed)

    @abstractmethod
    def answer(self, call: Call) -> Response:
        """What the vendor answers; may raise `Refused`."""

    @abstractmethod
    def refusal(self, status: int) -> Response:
        """The vendor's answer with that error status, where the call itself is not to blame."""

    @abstractmethod
    def fresh(self) -> Mapping[str, Collection[Row]]:
        """The rows by table that a new account has."""

    @abstractmethod
    def completed(self, table: str, row: Row) -> Row:
        """A seed's row with all fields that an answer has."""

    @abstractmethod
    def newcomer(self, table: str) -> Row:
        """A row that somebody else has just made."""

    def every_answer(self) -> Mapping[str, str]:
        """Headers that the vendor puts on each answer."""
        return {}

    def seen_as(self, call: Call) -> tuple[str, str]:
        """The method and the path that a call is logged under, and that faults match.

        For vendors whose method and path do not say what a call does: one that reads is a GET.
        """
        return call.method, call.path

    def catch_up(self) -> None:
        """Before each call: do what was due by now."""

    def controls(self) -> Mapping[str, Callable[[Any], Any]]:
        """More of `POST /_sandbox/NAME`: from the body to the answer; a `ValueError` is a 400."""
        return {}

    def page(
        self,
        table: str,
        call: Call,
        offset: int,
        limit: int,
        where: Callable[[Row], bool] | None = None,
    ) -> tuple[bytes, int | None]:
        """A JSON array of rows from `offset` on, and where the next page begins (None: no more)."""
        rows = self.state[table]
        if offset and self._due(Fault.PAGE_DRIFT, call):
            rows.put(self.newcomer(table), first=True)
        ids = rows.ids(where)
        after = offset + limit if offset + limit < len(ids) else None
        if self._due(Fault.REPEAT_CURSOR, call):
            after = offset or limit
        return b"[" + b",".join(map(rows.json, ids[offset : offset + limit])) + b"]", after

    def reset(self) -> None:
        """Back to the seed: keys, faults, log and counted calls are forgotten."""
        self.faults.clear()
        self.log.clear()
        self._recent.clear()
        self.state.fill(self.fresh(), self._seed)
        self.state.save()

    def _due(self, fault: Fault, call: Call) -> Rule | None:
        return self.faults.due(fault, *self.seen_as(call))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        path, body = scope["path"], await request.body()
        call = Call(request.method, path, request.query_params, request.headers, body)
        if path.startswith("/_sandbox/"):
            answering = str((scope.get("server") or ("", None))[0])
            if may_order(call.headers, answering):
                answer = self._controlled(call)
            else:
                answer = reply({"error": "the control takes no orders of web pages"}, 403)
            await answer(scope, receive, send)
            return
        key = call.headers.get("idempotency-key")
        method, shown = self.seen_as(call)
        seen: Row = {
            "at": round(self._monotonic() * 1000),
            "method": method,
            "path": shown,
            "query": str(call.query),
            "key": key,
        }
        self.log.append(seen)
        del self.log[:-_LOG_LENGTH]
        lost = self._due(Fault.LOST_CALL, call)
        answer = Response(status_code=503) if lost else self._answered(call)
        seen["status"] = answer.status_code
        if rule := self._due(Fault.DELAY, call):
            with suppress(TimeoutError):  # only a caller who hangs up ends the wait early
                await asyncio.wait_for(receive(), rule.seconds)
        if lost or self._due(Fault.LOST_ANSWER, call):
            seen["status"] = None
            scope["state"]["transport"].abort()
            await asyncio.sleep(0)  # here uvicorn learns that nobody listens; else it sends a 500
            return
        await answer(scope, receive, send)

    def _answered(self, call: Call) -> Response:
        answer = self._kept_out(call)
        if answer is None:
            if self._due(Fault.KEY_EXPIRY, call):
                self.state["keys"].clear()
            self.catch_up()
            try:
                with self.state.as_of(self._lags(call)):
                    answer = self.answer(call)
            except Refused as refused:
                answer = refused.answer
            self.state.save()
            answer = self._garbled(call, answer)
        answer.headers.update(self.every_answer())
        return answer

    def _lags(self, call: Call) -> float | None:
        """The time that a call is answered of, where that is not now: a GET whose path ends with
        an id reads one object, any other lists."""
        if not self.switches.lag or call.method != "GET":
            return None
        reads = self.state.has(call.path.rpartition("/")[2])
        behind = self.switches.lag_reads or not reads
        return self._monotonic() - self.switches.lag if behind else None

    def _kept_out(self, call: Call) -> Response | None:
        if self._too_fast():
            return self.refusal(429)
        if self._due(Fault.UNAUTHORIZED, call):
            return self.refusal(401)
        if rule := self._due(Fault.RATE_LIMIT, call):
            answer = self.refusal(429) if rule.body is None else reply(rule.body, 429)
            if rule.retry_after is not None:
                answer.headers["Retry-After"] = str(rule.retry_after)
            return answer
        if rule := self._due(Fault.ERROR_BEFORE, call):
            return self.refusal(rule.status)
        return None

    def _too_fast(self) -> bool:
        if self._rate is None:
            return False
        calls, window = self._rate
        now = self._monotonic()
        while self._recent and self._recent[0] <= now - window:
            self._recent.popleft()
        if len(self._recent) >= calls:
            return True
        self._recent.append(now)
        return False

    def _garbled(self, call: Call, answer: Response) -> Response:
        if rule := self._due(Fault.ERROR_AFTER, call):
            return self.refusal(rule.status)
        if self._due(Fault.GARBAGE, call):
            return Response("<html><body>One moment, please</body></html>", media_type="text/html")
        if self._due(Fault.CUT, call):
            half = bytes(answer.body)[: len(answer.body) // 2]
            return Response(half, answer.status_code, media_type=answer.media_type)
        if answer.status_code < 300 and self._due(Fault.EMPTY, call):
            return Response(status_code=answer.status_code)
        return answer

    def _controlled(self, call: Call) -> Response:
        name = call.path.removeprefix("/_sandbox/")
        try:
            return self._control(call.method, name, call.body)
        except KeyError as missing:
            return reply({"error": f"{missing} is missing"}, 400)
        except ValueError as problem:  # also what json and pydantic raise
            return reply({"error": str(problem)}, 400)

    def _control(self, method: str, name: str, body: bytes) -> Response:
        match method, name:
            case "GET", "faults":
                pass
            case "POST", "faults":
                said = loads(body)
                rules = said if isinstance(said, list) else [said]
                self.faults.rules += [Rule.model_validate(rule) for rule in rules]
            case "DELETE", "faults":
                self.faults.clear()
            case "GET", "log":
                return reply(self.log)
            case "DELETE", "log":
                self.log.clear()
            case "GET", "state":
                return Response(self.state.document(), media_type="application/json")
            case "POST", "reset":
                self.reset()
            case "POST", _ if control := self.controls().get(name):
                answer = control(loads(body))
                self.state.save()
                return reply(answer)
            case _:
                return reply({"error": f"no {method} {name}"}, 404)
        every = ",".join(rule.model_dump_json() for rule in self.faults.rules)
        return Response(f"[{every}]", media_type="application/json")
