"""The parts of an xlsx file: XML in a zip archive, which anybody may have made.

Nothing is believed that an archive says of itself: parts are read as a stream, within limits of
bytes, depth and length, and what breaks off, goes beyond them or declares types is refused.
"""

import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Final, Protocol
from xml.parsers import expat

from connectors.contract.errors import Unreadable

PART: Final = 1 << 30
"""Bytes that one part may have once it is unpacked; a full worksheet has about half of them."""
TOKEN: Final = 1 << 23
"""Bytes that one tag or one text may have; a cell holds 32,767 characters."""
DEPTH: Final = 64
_PIECE: Final = 1 << 17

_DAMAGE: Final = (
    zipfile.BadZipFile, zlib.error, expat.ExpatError, ValueError, ArithmeticError, LookupError,
    EOFError, NotImplementedError, RuntimeError, OSError, struct.error,
)  # fmt: skip
"""What zip and XML raise for content that is none of theirs, or only half."""


class Damaged(ValueError):
    """The archive, or the XML in it, is not what a workbook is made of."""


@contextmanager
def readable_workbook(path: Path) -> Iterator[None]:
    """Turns whatever a damaged workbook raises into one `Unreadable`."""
    try:
        yield
    except zipfile.BadZipFile as error:
        raise Unreadable(
            f"{path} is not an xlsx workbook ({_short(error)})",
            hint="Save it as an Excel workbook without a password",
        ) from None
    except _DAMAGE as error:
        raise Unreadable(
            f"{path} is a damaged workbook ({_short(error)})",
            hint="Open it in a spreadsheet program and save it again as an Excel workbook",
        ) from None


def _short(error: Exception) -> str:
    said = str(error) or type(error).__name__
    return said if len(said) <= 100 else f"{said[:100]}…"


class Handler(Protocol):
    """What looks at a part: names come without their prefix."""

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        """An element begins."""

    def text(self, data: str) -> None:
        """A piece of text."""

    def end(self, name: str) -> None:
        """An element ends."""


class Package:
    """The parts of an archive, by a name that begins with no stroke, in capitals or not."""

    def __init__(self, file: BinaryIO) -> None:
        self._archive = zipfile.ZipFile(file)
        names = self._archive.namelist()
        self._names = {name.replace("\\", "/").lstrip("/").casefold(): name for name in names}

    def __contains__(self, part: str) -> bool:
        return part.casefold() in self._names

    def read(self, part: str, handler: Handler) -> None:
        """Shows the whole of `part` to `handler`; raises what `readable_workbook` turns."""
        for _ in self.pieces(part, handler):
            pass

    def pieces(self, part: str, handler: Handler) -> Iterator[None]:
        """As `read`, with a stop after each piece, in which what was seen can be handed on."""
        name = self._names.get(part.casefold())
        if name is None:
            raise Damaged(f"it has no {part}")
        parser = _parser(handler)
        size = 0
        with self._archive.open(name) as stream:
            while piece := stream.read(_PIECE):
                size += len(piece)
                parser.Parse(piece, False)
                if size > PART or size - parser.CurrentByteIndex > TOKEN:
                    raise Damaged(f"{part} is larger than any of its kind")
                yield
        parser.Parse(b"", True)
        yield


def _parser(handler: Handler) -> expat.XMLParserType:
    parser = expat.ParserCreate()
    parser.buffer_text = True
    depth = 0
    begun, ended = handler.start, handler.end

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal depth
        depth += 1
        if depth > DEPTH:
            raise Damaged("its elements are nested without end")
        begun(name.rpartition(":")[2] if ":" in name else name, attributes)

    def end(name: str) -> None:
        nonlocal depth
        depth -= 1
        ended(name.rpartition(":")[2] if ":" in name else name)

    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = handler.text
    parser.StartDoctypeDeclHandler = _refuse_types
    return parser


def _refuse_types(*_: object) -> None:
    raise Damaged("it declares types of its own")


class Elements:
    """A handler that tells each element's name and attributes to one function."""

    def __init__(self, seen: Callable[[str, Mapping[str, str]], None]) -> None:
        self.start = seen

    def text(self, data: str) -> None:
        """Of no interest."""

    def end(self, name: str) -> None:
        """Of no interest."""


class Captured:
    """The text of some elements: on from `begin`, off with `taken`; raises `Damaged` for an endless
    one."""

    __slots__ = ("_on", "_size", "_text")

    def __init__(self) -> None:
        self._text: list[str] = []
        self._on = False
        self._size = 0

    def begin(self) -> None:
        self._on, self._size = True, 0

    def add(self, data: str) -> None:
        if self._on:
            self._size += len(data)
            if self._size > TOKEN:
                raise Damaged("a text in it has no end")
            self._text.append(data)

    def taken(self) -> str:
        text = "".join(self._text)
        self._text.clear()
        self._on = False
        return text
