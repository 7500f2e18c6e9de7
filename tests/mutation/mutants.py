"""Faults put into a copy of the code, one at a time: mutmut makes them, and its switch, the variable
`MUTANT_UNDER_TEST`, says which of them is in force.

Not made are those that only change what a person reads: the words of a sentence, what is logged;
and those that only stop `zip` from asking whether both are as long, as they always are.
"""

import ast
import random
import shutil
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from mutmut.mutation.file_mutation import mutate_file_contents

ROOT = Path(__file__).parent.parent.parent
SETTINGS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["mutmut"]
_LOGGING = {"debug", "info", "warning", "error", "exception"}


@dataclass(frozen=True)
class Mutant:
    """One fault: `change` is the line as it was and as it is."""

    name: str
    module: str
    change: str

    @property
    def function(self) -> str:
        """The function it is in, as the switch names it."""
        return self.name.rpartition("__mutmut_")[0]


def copy_code(folder: Path) -> None:
    """Make of `folder` a checkout of its own, in which the faults may be put."""
    shutil.rmtree(folder, ignore_errors=True)
    leave = shutil.ignore_patterns("__pycache__", ".hypothesis")
    for name in (*SETTINGS["source_paths"], "tests"):
        shutil.copytree(ROOT / name, folder / name, ignore=leave)
    shutil.copy(ROOT / "pyproject.toml", folder)


def put_faults(folder: Path, only: str = "") -> list[Mutant]:
    """Put every fault of the modules that the settings name into the copy; none is in force.

    `only` is a part of a module's or a function's name: other modules stay as they are.
    """
    made: list[Mutant] = []
    for path in (name for name in SETTINGS["only_mutate"] if (folder / name).exists()):
        module = _module(path)
        if only not in module and not only.startswith(module):
            continue
        mutated = mutate_file_contents(path, (folder / path).read_text(encoding="utf-8"))
        (folder / path).write_text(mutated.code, encoding="utf-8")
        made += _faults(path, mutated.code)
    return made


def sampled(mutants: list[Mutant], each: int, seed: int) -> list[Mutant]:
    """Of each module `each` faults, always the same ones for a seed."""
    chosen: list[Mutant] = []
    for module in dict.fromkeys(mutant.module for mutant in mutants):
        own = [mutant for mutant in mutants if mutant.module == module]
        chosen += random.Random(f"{seed} {module}").sample(own, min(each, len(own)))
    return chosen


def _module(path: str) -> str:
    return path.removesuffix(".py").replace("/", ".")


def _faults(path: str, code: str) -> Iterator[Mutant]:
    module = _module(path)
    functions = {
        node.name: node
        for node in ast.walk(ast.parse(code))
        if isinstance(node, ast.FunctionDef) and "__mutmut_" in node.name
    }
    for name, node in functions.items():
        if name.endswith("_orig"):
            continue
        original = functions[name.rpartition("__mutmut_")[0] + "__mutmut_orig"]
        if _read(original) != _read(node) and (change := _difference(original, node)):
            yield Mutant(f"{module}.{name}", module, change)


@cache
def _read(function: ast.FunctionDef) -> str:
    """The function without what only people read, and without what `zip` asks."""
    copy = _Wordless().visit(ast.parse(ast.unparse(function)))
    copy.body[0].name = ""
    return ast.dump(copy)


class _Wordless(ast.NodeTransformer):
    """Leaves out sentences, what is logged, and whether `zip` asks for as many of each."""

    def visit_Constant(self, node: ast.Constant) -> ast.Constant:
        if isinstance(node.value, str) and " " in node.value:
            return ast.Constant("")
        return node

    def visit_JoinedStr(self, node: ast.JoinedStr) -> ast.Constant:
        return ast.Constant("")

    def visit_Raise(self, node: ast.Raise) -> ast.AST:
        self.generic_visit(node)
        if isinstance(node.exc, ast.Call):
            said = [arg for arg in node.exc.args if getattr(arg, "value", arg) not in ("", None)]
            node.exc.args = said
        return node

    def visit_Call(self, node: ast.Call) -> ast.AST:
        called = node.func
        if (
            isinstance(called, ast.Attribute)
            and called.attr in _LOGGING
            and "log" in ast.unparse(called.value).lower()
        ):
            return ast.Constant("")
        if isinstance(called, ast.Name) and called.id == "zip":
            node.keywords = [each for each in node.keywords if each.arg != "strict"]
        return self.generic_visit(node)


def _difference(original: ast.FunctionDef, mutated: ast.FunctionDef) -> str:
    before, after = _lines(original), _lines(mutated)
    pairs = [(a, b) for a, b in zip(before, after, strict=False) if a != b]
    if not pairs:
        return ast.unparse(mutated.args)
    return f"{pairs[0][0].strip()}  →  {pairs[0][1].strip()}"


@cache
def _lines(function: ast.FunctionDef) -> list[str]:
    return ast.unparse(function).splitlines()[1:]
