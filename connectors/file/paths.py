"""Which files a path of the settings means: one, or those that a pattern fits."""

import glob
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from connectors.contract.errors import Unreadable


def is_pattern(path: str) -> bool:
    """Whether the path stands for several files; one with such signs that is there is itself."""
    return glob.has_magic(path)


def is_several(base: Path, path: str) -> bool:
    """Whether the path means files that it fits, as none has that very name."""
    return is_pattern(path) and not (base / Path(path).expanduser()).exists()


def whole(base: Path, path: str) -> Path:
    """The path from `base` on; where it is a pattern, only its own signs count as such."""
    said = Path(path).expanduser()
    if said.is_absolute() or not is_several(base, path):
        return base / said
    return Path(glob.escape(str(base))) / said


def matching(pattern: Path, files: Literal["all", "newest"]) -> Sequence[Path]:
    """The files that a pattern fits, by name, or the newest of them; raises `Unreadable` where
    there is none."""
    found = sorted(
        each for text in glob.glob(str(pattern), recursive=True) if (each := Path(text)).is_file()
    )
    found = [each for each in found if not each.name.startswith((".", "~$"))]
    if not found:
        raise Unreadable(
            f"{pattern}: no file fits it", hint="Correct the path in the settings file"
        )
    if files == "newest":
        return [max(found, key=lambda each: (each.stat().st_mtime_ns, each.name))]
    return found
