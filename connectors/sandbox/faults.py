"""What a sandbox can be told to do wrong, and when."""

from collections.abc import Callable, Iterable
from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict, Field


class Fault(StrEnum):
    """What can go wrong, and whether the call has its effect first."""

    LOST_ANSWER = "lost_answer"  # effect, then the connection is closed without a byte
    LOST_CALL = "lost_call"  # the connection is closed without a byte, no effect
    ERROR_BEFORE = "error_before"  # `status`, no effect
    ERROR_AFTER = "error_after"  # effect, then `status`
    RATE_LIMIT = "rate_limit"  # 429 with `retry_after` and `body` where given, no effect
    UNAUTHORIZED = "unauthorized"  # 401, no effect
    DELAY = "delay"  # effect, then the answer `seconds` late
    GARBAGE = "garbage"  # effect, then 200 with a page of HTML
    CUT = "cut"  # effect, then the first half of the body as if it were all
    EMPTY = "empty"  # effect, then its status without a body
    KEY_EXPIRY = "key_expiry"  # all idempotency keys are forgotten before the call
    PAGE_DRIFT = "page_drift"  # a row comes to the front of a listing between two pages
    REPEAT_CURSOR = "repeat_cursor"  # the page after this one is said to be the second, always


class Rule(BaseModel):
    """When a fault strikes: `times` times (-1 for ever), or at every n-th call that matches.

    With `every` alone it goes on for ever; with neither it strikes once. With `skip` it begins only
    after as many calls that match: the k-th call of an operation fails with `skip` k - 1.
    """

    model_config = ConfigDict(extra="forbid")

    kind: Fault
    times: int | None = None
    every: int = Field(default=1, ge=1)
    skip: int = Field(default=0, ge=0)
    method: str | None = None
    writes: bool = Field(default=False, description="Matches no GET.")
    path: str = Field(default="", description="Matches every path that begins so.")
    status: int = Field(default=503, ge=400, le=599)
    retry_after: int | str | None = None
    body: Any = None
    seconds: float = 0
    seen: int = Field(default=0, description="How many calls matched so far.")
    struck: int = Field(default=0, description="How many of them it struck.")

    def strikes(self, method: str, path: str) -> bool:
        """Whether this call is one to go wrong; counts it."""
        limit = self.times if self.times is not None else 1 if self.every == 1 else -1
        if self.struck == limit or not path.startswith(self.path):
            return False
        if self.method not in (None, method) or (self.writes and method == "GET"):
            return False
        self.seen += 1
        if self.seen <= self.skip or (self.seen - self.skip) % self.every:
            return False
        self.struck += 1
        return True


class Faults:
    """The rules in force; of several for one fault, the first that strikes is used up first."""

    def __init__(self, rules: Iterable[Rule] = ()) -> None:
        self.rules = list(rules)

    def add(self, kind: str, **settings: Any) -> None:
        """Add a rule; the settings are the fields of `Rule`."""
        self.rules.append(Rule(kind=Fault(kind), **settings))

    def break_off(self, how: str, skip: int, times: int) -> Callable[[], bool]:
        """Let `skip` writes pass; then `times` of them (-1: all) fail, as a status without effect
        or the name of a fault. Returns what ends it and says whether any did."""
        said: dict[str, Any] = {"kind": how}
        if how.isdecimal():
            said = {"kind": Fault.ERROR_BEFORE, "status": int(how)}
        rule = Rule(**said, skip=skip, times=times, writes=True)
        self.rules.append(rule)

        def mend() -> bool:
            self.rules.remove(rule)
            return rule.struck > 0

        return mend

    def clear(self) -> None:
        """Nothing goes wrong any more."""
        self.rules.clear()

    def due(self, kind: Fault, method: str, path: str) -> Rule | None:
        """The rule by which this call goes wrong in this way, None if it does not."""
        mine = (rule for rule in self.rules if rule.kind is kind)
        return next((rule for rule in mine if rule.strikes(method, path)), None)
