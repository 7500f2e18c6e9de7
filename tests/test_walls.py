"""The walls between the rooms: who may import whom, and where a vendor's name may stand."""

import ast
import re
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ROOMS = ("canonical", "connectors", "sync", "config", "trueup")
EXCEPT = {"connectors/sql/": {"sqlalchemy"}}
"""What a folder may import though its room never does: SQLAlchemy opens the databases it reads."""
MAY_IMPORT = {
    "canonical": {"canonical"},
    "connectors": {"connectors", "canonical"},
    "sync": {"sync", "canonical", "connectors.contract"},
    "config": {"config", "sync", "connectors", "canonical"},
    "trueup": set(ROOMS),
}
NEVER = {
    "canonical": {"httpx", "sqlalchemy", "typer", "rich", "socket", "subprocess", "time", "random"},
    "connectors": {"sqlalchemy", "typer", "rich", "apscheduler"},
    "sync": {"httpx", "tenacity", "typer", "rich", "starlette"},
    "config": {"httpx", "typer", "rich", "sqlalchemy"},
    "trueup": {"httpx", "sqlalchemy", "tenacity"},
}
VENDORS = ("vtex", "brex", "bill", "vantage", "kaireon", "tryton", "odoo", "erpnext")
MAY_NAME_VENDORS = re.compile(
    r"connectors/(contract/registry\.py|(sandbox/)?(vtex|brex|bill|vantage|kaireon|tryton|odoo|erpnext).*)"
    r"|trueup/(cli|demo|demo_settings|sandboxes|starter)\.py"
)

FILES = [path for room in ROOMS for path in sorted((ROOT / room).rglob("*.py"))]


def _imports(path: Path) -> Iterator[tuple[int, str]]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: imports are absolute"
            assert node.module
            yield node.lineno, node.module
            for alias in node.names:
                yield node.lineno, f"{node.module}.{alias.name}"


def _within(name: str, allowed: set[str]) -> bool:
    return any(name == room or name.startswith(f"{room}.") for room in allowed)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_room_imports_only_from_rooms_below_it(path: Path) -> None:
    place = path.relative_to(ROOT)
    room = place.parts[0]
    allowed = {
        each for at, found in EXCEPT.items() if place.as_posix().startswith(at) for each in found
    }
    for line, name in _imports(path):
        top = name.partition(".")[0]
        assert top not in NEVER[room] - allowed, f"{path}:{line}: {room} never imports {top}"
        if top in ROOMS:
            inner = {name, name.rpartition(".")[0]}
            assert any(_within(each, MAY_IMPORT[room]) for each in inner), (
                f"{path}:{line}: {room} may not import {name}"
            )


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_vendors_name_stands_only_in_its_own_files(path: Path) -> None:
    if MAY_NAME_VENDORS.fullmatch(path.relative_to(ROOT).as_posix()):
        return
    words = set(re.findall(r"[a-z]+", path.read_text(encoding="utf-8").lower()))
    assert not words & (set(VENDORS) - {"bill"}), f"{path} names a vendor"


def test_a_connector_imports_no_other_vendor() -> None:
    for path in FILES:
        parts = path.relative_to(ROOT / "connectors").parts if "connectors" in path.parts else ()
        own = next((part.removesuffix(".py") for part in parts if part.startswith(VENDORS)), None)
        if own is None:
            continue
        others = set(VENDORS) - {vendor for vendor in VENDORS if own.startswith(vendor)}
        for line, name in _imports(path):
            assert not others & set(name.split(".")), f"{path}:{line}: imports another vendor"


def test_no_file_imports_one_that_imports_it() -> None:
    names = {
        path.relative_to(ROOT).with_suffix("").as_posix().replace("/", "."): path for path in FILES
    }
    graph = {
        name: {each for _, each in _imports(path) if each in names and each != name}
        for name, path in names.items()
    }
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as circle:
        pytest.fail(f"a circle of imports: {' -> '.join(circle.args[1])}")


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_string_names_a_module_of_ours(path: Path) -> None:
    """Installed, the rooms lie below `trueup`; a module's name is derived from where it stands."""
    named = re.compile(rf"(trueup\.)?({'|'.join(set(ROOMS) - {'trueup'})})[.:]\w*")
    tree = ast.parse(path.read_text(encoding="utf-8"))
    prose = {node.value for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in prose:
            assert not named.match(node.value), f"{path}:{node.lineno}: names {node.value!r}"


def test_no_module_stands_where_a_room_is_installed() -> None:
    assert not {path.stem for path in (ROOT / "trueup").iterdir()} & set(ROOMS)


def test_no_folder_of_the_tests_is_named_like_a_room() -> None:
    folders = {path.name for path in (ROOT / "tests").rglob("*") if path.is_dir()}
    assert not folders & set(ROOMS)


def test_no_amount_passes_through_a_float() -> None:
    allowed = {
        "connectors/calling/answers.py",  # seconds
        "connectors/contract/settings.py",  # seconds
        "connectors/file/grids.py",  # asks whether a worksheet could hold the number
        "trueup/watch/metrics.py",  # Prometheus has no other number; reports are exact
    }
    for path in FILES:
        if path.relative_to(ROOT).as_posix() in allowed or "sandbox" in path.parts:
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            called = isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
            assert not (called and node.func.id == "float"), f"{path}:{node.lineno}: float()"
