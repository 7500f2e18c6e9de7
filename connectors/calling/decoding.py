"""Decompression of an answer that stops where the answer becomes too large, and not after.

A few kilobytes can stand for gigabytes, more so where one encoding is put into another; so at most
what is allowed is ever unpacked, and an encoding in an encoding is refused.
"""

import zlib
from collections.abc import Iterable, Iterator

ACCEPTED = "gzip, deflate"
"""What we ask for."""

_GZIP, _DEFLATE, _BARE = 16 + zlib.MAX_WBITS, zlib.MAX_WBITS, -zlib.MAX_WBITS
_BITS = {"gzip": _GZIP, "x-gzip": _GZIP, "deflate": _DEFLATE}


class Undecodable(Exception):
    """The answer cannot be unpacked; the message says why."""


class TooLarge(Exception):
    """The answer is larger than it may be."""


def decoded(chunks: Iterable[bytes], encoding: str, limit: int) -> bytes:
    """The whole of `chunks`, unpacked; raises `Undecodable`, and `TooLarge` beyond `limit` bytes.

    `encoding` is what the answer says of itself.
    """
    named = [each for each in (part.strip().lower() for part in encoding.split(",")) if each]
    packed = [each for each in named if each != "identity"]
    if len(packed) > 1:
        raise Undecodable("the answer is encoded more than once, which is not read")
    if packed and packed[0] not in _BITS:
        raise Undecodable("the answer is encoded in a way that was not asked for")
    pieces, size = [], 0
    for piece in _unpacked(chunks, _BITS[packed[0]], limit) if packed else chunks:
        size += len(piece)
        if size > limit:
            raise TooLarge
        pieces.append(piece)
    return b"".join(pieces)


def _unpacked(chunks: Iterable[bytes], bits: int, limit: int) -> Iterator[bytes]:
    """Pieces of at most `limit` bytes and one more."""
    unpacker, begun = zlib.decompressobj(bits), False
    try:
        for chunk in chunks:
            if bits == _DEFLATE and chunk and not begun and chunk[0] & 0x0F != 0x08:
                unpacker = zlib.decompressobj(_BARE)  # deflate without its head, as some send it
            begun = begun or bool(chunk)
            while chunk and not unpacker.eof:
                yield unpacker.decompress(chunk, limit + 1)
                chunk = unpacker.unconsumed_tail
    except zlib.error:
        raise Undecodable("the answer cannot be decompressed") from None
