"""Answers: what an HTTP answer means, its value or the error that comes of it.

Judged in one order for every vendor: status, then content type, then body. What an answer says is
shown without any secret in it, on one line.
"""

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final

import httpx

from connectors.calling.exact_json import UNREADABLE, read
from connectors.calling.masking import masked
from connectors.contract.errors import (
    Call,
    ConnectorError,
    Forbidden,
    Malformed,
    Missing,
    RateLimited,
    Rejected,
    Stale,
    Transient,
    Unauthorized,
)

_FIRST_UNIX_TIME: Final = 1e9  # as a number of seconds it would be 31 years
_USUAL_ID: Final = "X-Request-Id"
"""The header in which many say it, also where their pages do not."""
_REFUSALS: Final[Mapping[int, type[ConnectorError]]] = {
    401: Unauthorized,
    403: Forbidden,
    404: Missing,
    412: Stale,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """What differs between vendors' HTTP. `message` finds their words in a parsed error body.

    JSON types are always accepted; `content_types` adds to them. `reset_headers` say, beside
    Retry-After, when a limited call may come again: in seconds, or as Unix time. `left_header` says
    in every answer how many calls may follow until then. `credential` is the setting to look at
    when the vendor does not know us.
    """

    message: Callable[[Any], str | None]
    request_id: tuple[str, ...] = ()
    content_types: frozenset[str] = frozenset()
    rate_limited: frozenset[int] = frozenset({429})
    reset_headers: tuple[str, ...] = ()
    left_header: str | None = None
    credential: str = "token"


class Judge:
    """Judges the answers of the system `vendor`, whose address is `prefix`.

    `secrets` gives all that must not be shown, whenever something is.
    """

    def __init__(
        self,
        vendor: str,
        prefix: str,
        dialect: Dialect,
        secrets: Callable[[], Collection[str]],
        now: Callable[[], datetime],
    ) -> None:
        self._vendor, self._prefix, self._dialect = vendor, prefix, dialect
        self._secrets, self._now = secrets, now

    def limited(self, response: httpx.Response) -> bool:
        """Whether the call came too fast, and was not done for that reason."""
        return response.status_code in self._dialect.rate_limited

    def value(
        self, response: httpx.Response, raw: bytes, call: Call, reader: Callable[[bytes], Any]
    ) -> Any:
        """What `reader` makes of a successful answer, None of an empty one; raises `Malformed`."""
        if not raw:
            return None
        kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
        if not (
            kind in ("", "application/json")
            or kind.endswith("+json")
            or kind in self._dialect.content_types
        ):
            said = f"the answer is {self.plain(kind)}, not JSON"
            raise Malformed(said, call=call, hint=self._see_base_url())
        try:
            return reader(raw)
        except UNREADABLE:
            raise Malformed("the answer is not whole JSON", call=call) from None

    def refusal(self, response: httpx.Response, raw: bytes, call: Call) -> ConnectorError:
        """The error that a status other than success stands for; `Transient` may pass."""
        status, limited = response.status_code, self.limited(response)
        if status < 400:
            said = "redirects are not followed"
            return Malformed(said, call=call, hint=self._see_base_url())
        theirs = self._words(response, raw)
        message = theirs or self.plain(response.reason_phrase) or "no message"
        if not (limited or status == 408 or status >= 500):
            hint = self._hint(status, theirs)
            return _REFUSALS.get(status, Rejected)(message, call=call, hint=hint)
        after = self._after(response, limited)
        if limited or after is not None:
            return RateLimited(message, after=after, call=call)
        return Transient(message, call=call)

    def left(self, response: httpx.Response) -> tuple[int, float] | None:
        """How many calls may follow within how many seconds; None where it does not say both."""
        said = response.headers.get(self._dialect.left_header or "", "").strip()
        if not re.fullmatch(r"[0-9]{1,9}", said):
            return None
        for name in self._dialect.reset_headers:
            seconds = _seconds(response.headers.get(name, "").strip(), self._now())
            if seconds is not None and seconds > 0:
                return int(said), seconds
        return None

    def request_id(self, response: httpx.Response) -> str | None:
        """The vendor's own id of the call."""
        names = (*self._dialect.request_id, _USUAL_ID)
        ids = (response.headers.get(name) for name in names)
        return next((self.plain(each) for each in ids if each), None)

    def plain(self, text: str) -> str:
        """Foreign text made fit to be shown: no secret, one line, 500 characters."""
        text = masked(text, self._secrets())
        shown = "".join(char if char.isprintable() else " " for char in text)
        return " ".join(shown.split())[:500].rstrip(".")

    def see(self, setting: str | None = None) -> str:
        """A hint at a setting of the system: the credential's where none is named."""
        return f"Check the {setting or self._dialect.credential} of [systems.{self._vendor}]"

    def _see_base_url(self) -> str:
        return f"{self.see('base_url')}, it is {self._prefix}"

    def _words(self, response: httpx.Response, raw: bytes) -> str:
        try:
            said = str(self._dialect.message(read(raw)) or "")
        except (*UNREADABLE, TypeError, LookupError, AttributeError):
            is_text = response.headers.get("content-type", "").startswith("text/plain")
            said = raw[:4000].decode("utf-8", "replace") if is_text else ""
        return self.plain(said)

    def _hint(self, status: int, theirs: str) -> str:
        if status == 401:
            return self.see()
        if status == 403:
            return f"{self.see()} and its rights"
        return self._see_base_url() if status == 404 and not theirs else ""

    def _after(self, response: httpx.Response, limited: bool) -> float | None:
        """Seconds that the vendor asks us to wait; None where it does not say."""
        for name in ("retry-after", *(self._dialect.reset_headers if limited else ())):
            seconds = _seconds(response.headers.get(name, "").strip(), self._now())
            if seconds is not None:
                return max(0.0, seconds)
        return None


def _seconds(asked: str, now: datetime) -> float | None:
    """From `now` on; `asked` is a number of seconds, a Unix time or an HTTP date."""
    if re.fullmatch(r"[0-9]{1,12}(\.[0-9]+)?", asked):
        seconds = float(asked)
        return seconds if seconds < _FIRST_UNIX_TIME else seconds - now.timestamp()
    try:
        moment = parsedate_to_datetime(asked)
    except (ValueError, OverflowError):
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return (moment - now).total_seconds()
