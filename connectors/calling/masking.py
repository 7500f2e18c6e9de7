"""Masking: a secret is shown in none of the forms in which others repeat it.

As it is, in another case, escaped for an address, for JSON or for HTML, in hexadecimal digits, or
somewhere within base64.
"""

import html
import json
import re
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable, Collection, Iterator
from functools import lru_cache
from typing import Final
from urllib.parse import quote, quote_plus

MASK: Final = "***"
_ENCODED: Final = 6
"""A shorter secret is not looked for in base64: its few characters there may be anything."""


def masked(text: str, secrets: Collection[str]) -> str:
    """`text` with `***` where one of `secrets` is, in any form."""
    lower = text.lower()
    for secret in secrets:
        forms = _forms(secret)
        if any(form in lower for form in forms):
            text = _pattern(secret).sub(MASK, text)
            lower = text.lower()
    return text


@lru_cache(maxsize=256)
def _pattern(secret: str) -> re.Pattern[str]:
    return re.compile("|".join(re.escape(form) for form in _forms(secret)), re.IGNORECASE)


@lru_cache(maxsize=256)
def _forms(secret: str) -> tuple[str, ...]:
    """All of them in lower case, the longest first: one may hold another."""
    found = {each.lower() for each in _spelled(secret)}
    return tuple(sorted(found - {""}, key=len, reverse=True))


def _spelled(secret: str) -> Iterator[str]:
    yield secret
    yield quote(secret, safe="", errors="surrogatepass")
    yield quote(secret, errors="surrogatepass")
    yield quote_plus(secret, errors="surrogatepass")
    yield json.dumps(secret)[1:-1]
    yield json.dumps(secret, ensure_ascii=False)[1:-1]
    yield json.dumps(secret)[1:-1].replace("/", "\\/")
    yield html.escape(secret)
    yield repr(secret)[1:-1]
    raw = secret.encode("utf-8", "surrogatepass")
    if len(raw) >= _ENCODED:
        yield raw.hex()
        for encode in (b64encode, urlsafe_b64encode):
            yield from _within(raw, encode)


def _within(raw: bytes, encode: Callable[[bytes], bytes]) -> Iterator[str]:
    """What is sure to be there when `raw` stands somewhere in text that is then encoded.

    Three bytes are four characters, so where it begins counts; those at both ends that it shares
    with its neighbours are left out.
    """
    for before in range(3):
        whole = encode(bytes(before) + raw).decode("ascii")
        begin = (before * 8 + 5) // 6
        yield whole[begin : (before + len(raw)) * 8 // 6]
