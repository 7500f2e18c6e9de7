"""Which files a path of the settings means: one, or those that a pattern fits."""

import glob
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from connectors.contract.errors import Unreadable


def is_pattern(path: str) -> bool:
    """Whether the path stands for several files; one with such signs that is there is itself."""
    return glob.has_magic(path)


def matching(base: Path, path: str, files: Literal["all", "newest"]) -> Sequence[Path]:
    """The files, by name, or the newest of them; raises `Unreadable` where there is none."""
    plain = base / Path(path).expanduser()
    if not is_pattern(path) or plain.exists():
        return [plain]
    found = sorted(
        each for text in glob.glob(str(plain), recursive=True) if (each := Path(text)).is_file()
    )
    found = [each for each in found if not each.name.startswith((".", "~$"))]
    if not found:
        raise Unreadable(f"{plain}: no file fits it", hint="Correct the path in the settings file")
    if files == "newest":
        return [max(found, key=lambda each: (each.stat().st_mtime_ns, each.name))]
    return found
