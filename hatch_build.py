"""One installed name: the wheel has `trueup.canonical` where the checkout has `canonical`.

Hatchling puts each room where the table of sources in pyproject.toml says; the hook gives its
modules' imports the names that they have there. No line moves, and the checkout stays as it is.
"""

import ast
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface
from hatchling.builders.wheel import WheelBuilderConfig

_NOWHERE = sys.maxsize
"""The column of a name that cannot be renamed alone, behind the end of every line."""


class Renaming(BuildHookInterface[WheelBuilderConfig]):
    """Builds the wheel of modules that import each other by their installed names."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Give hatchling the renamed modules in place of the checkout's."""
        if version == "editable":
            raise ValueError("there is no editable install; put the checkout on PYTHONPATH")
        names = {_dotted(old): _dotted(new) for old, new in self.build_config.sources.items()}
        self._folder = TemporaryDirectory()
        for file in list(self.build_config.builder.recurse_included_files()):
            if file.path.endswith(".py"):
                module = Path(self._folder.name, file.distribution_path)
                module.parent.mkdir(parents=True, exist_ok=True)
                module.write_bytes(renamed(Path(file.path).read_bytes(), names, file.path))
                build_data["force_include"][str(module)] = file.distribution_path

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Take the renamed modules away; they are in the wheel."""
        self._folder.cleanup()


def renamed(source: bytes, names: Mapping[str, str], path: str = "<module>") -> bytes:
    """`source` with the first part of each absolute import renamed where `names` has it.

    Every line keeps its number. Raises `ValueError`, with the place, for an import that cannot be
    renamed where it stands: `import room.module` also binds `room`, which the module then uses.
    """
    lines = source.splitlines(keepends=True)
    for line, column, name in sorted(_places(source, names), reverse=True):
        before, after = lines[line][:column], lines[line][column:]
        if not after.startswith(name.encode()):
            raise ValueError(f"{path}:{line + 1}: write `from {name}… import …` or `import … as …`")
        lines[line] = before + names[name].encode() + after.removeprefix(name.encode())
    return b"".join(lines)


def _places(source: bytes, names: Mapping[str, str]) -> Iterator[tuple[int, int, str]]:
    """Line and column, in bytes from 0, of each of `names` that is imported, and the name."""
    for line, column, module in _imports(ast.parse(source)):
        name = module.partition(".")[0]
        if name in names:
            yield line - 1, column, name


def _imports(tree: ast.Module) -> Iterator[tuple[int, int, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.lineno, node.col_offset + len("from "), node.module
        elif isinstance(node, ast.Import):
            for each in node.names:
                yield each.lineno, each.col_offset if each.asname else _NOWHERE, each.name


def _dotted(folder: str) -> str:
    return folder.replace("\\", "/").strip("/").replace("/", ".")
