"""Files that Trueup writes, whole or not at all and for their owner alone; which one is where."""

import os
from pathlib import Path


def write_private(path: Path, text: str) -> None:
    """Write `path`, which only its owner can read; what stood there stays until all is written.

    Raises `OSError`. What is no ordinary file, such as a terminal, is written as it is.
    """
    raw = text.encode("utf-8", "surrogatepass")
    if path.exists() and not path.is_file():
        path.write_bytes(raw)
        return
    place = path.resolve()
    half = place.with_name(f".{place.name}.{os.getpid()}.part")
    try:
        number = os.open(half, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with open(number, "wb") as file:
            file.write(raw)
        os.replace(half, place)
    except BaseException:
        half.unlink(missing_ok=True)
        raise


def file_at(path: str) -> tuple[int, int] | None:
    """Which file is there; None where none is."""
    try:
        found = Path(path).stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino
