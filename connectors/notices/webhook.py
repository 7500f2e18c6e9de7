"""Webhook: a JSON body, signed so that the receiver knows who sent it, and when.

    Trueup-Timestamp: 1790000000              seconds since 1970
    Trueup-Signature: sha256=<hex>            HMAC-SHA256 of "<timestamp>.<body>" by the secret

A receiver computes the signature over the body's bytes as they came, compares in constant time, and
refuses a timestamp of more than five minutes ago.
"""

import hashlib
import hmac
import json
from collections.abc import Mapping
from typing import Any, Final

import httpx

from connectors.calling.surroundings import transport_to, way_to
from connectors.notices.delivery import WITHIN, Undelivered

TIMESTAMP: Final = "Trueup-Timestamp"
SIGNATURE: Final = "Trueup-Signature"


def signature(secret: str, timestamp: int, body: bytes) -> str:
    """What the signature's header says for a body sent at `timestamp`."""
    signed = f"{timestamp}.".encode() + body
    return "sha256=" + hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()


def post(url: str, secret: str, message: Mapping[str, Any], timestamp: int) -> None:
    """Send the message; raises `Undelivered` on any answer but 2xx, and follows no redirect."""
    body = json.dumps(message, sort_keys=True).encode()
    headers = {
        "Content-Type": "application/json",
        TIMESTAMP: str(timestamp),
        SIGNATURE: signature(secret, timestamp, body),
    }
    address = httpx.URL(url)
    transport = transport_to(address, way_to(address))
    try:
        with (
            httpx.Client(transport=transport, timeout=WITHIN, trust_env=False) as client,
            client.stream("POST", address, content=body, headers=headers) as answer,
        ):
            if not answer.is_success:
                raise Undelivered(f"the receiver answered {answer.status_code}")
    except httpx.HTTPError as error:
        raise Undelivered(f"the receiver was not reached ({type(error).__name__})") from None
