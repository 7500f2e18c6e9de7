"""Digest: by which one sees that data is not what it was.

It is no signature: whoever may write the data can write a digest that fits. It shows what somebody
changed by hand, or what broke off on its way.
"""

import json
from collections.abc import Mapping
from hashlib import sha256
from typing import Any


def digest_of(data: Any) -> str:
    """SHA-256, in hex, of JSON-ready data: its keys sorted, without blanks, in ASCII."""
    text = json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return sha256(text.encode()).hexdigest()


def is_sealed(data: Mapping[str, Any]) -> bool:
    """Whether the data says under `digest` what the digest of all the rest of it is."""
    rest = {name: each for name, each in data.items() if name != "digest"}
    return data.get("digest") == digest_of(rest)
