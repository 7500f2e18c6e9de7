"""Exchange: a key pair turned into the token that some VTEX accounts ask for instead."""

from collections.abc import Mapping
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Final

from connectors.calling.auth import Token
from connectors.calling.client import HttpClient, Safety
from connectors.calling.parsing import parsed
from connectors.contract.errors import ConnectorError, Malformed, Missing, Rejected, Unauthorized
from connectors.vtex.wire import LOGIN, VtexToken

_EARLY: Final = timedelta(minutes=10)
"""How long before its end a token is renewed; VTEX's last a day."""


def exchanged(pair: Mapping[str, str], login: HttpClient) -> Token:
    """A token for the key `pair`, over a client of the login's own address, which is closed then.

    Raises `Unauthorized` where VTEX gives none.
    """
    with closing(login):
        try:
            answer = login.call("POST", LOGIN, json=pair, safety=Safety.SAFE)
            found = parsed(VtexToken, answer)
        except (Missing, Rejected, Unauthorized, Malformed) as error:
            raise _refused(login.vendor, error.message, error) from None
    if not found.token:
        raise _refused(login.vendor, f"it says {found.auth_status}")
    ends = datetime.fromtimestamp(found.expires, UTC) if found.expires else None
    return Token(found.token, ends and ends - _EARLY)


def _refused(system: str, why: str, error: ConnectorError | None = None) -> Unauthorized:
    return Unauthorized(
        f"VTEX gives no token for the key pair: {why}",
        call=error.call if error else None,
        hint=f"Check app_key, app_token and login_url of [systems.{system}]",
    )
