"""The wheel: what it holds, and that its modules are the checkout's but for their names."""

import ast
import re
import subprocess
import sys
import tarfile
from pathlib import Path
from zipfile import ZipFile

import pytest

import connectors
import trueup
from hatch_build import renamed
from tests.readme import ROOT

ROOMS = ("canonical", "config", "connectors", "sync")
NAMES = {room: f"trueup.{room}" for room in ROOMS}


@pytest.fixture(scope="module")
def wheel(distributions: Path) -> ZipFile:
    (path,) = distributions.glob("*.whl")
    with ZipFile(path) as opened:
        yield opened


def _modules(wheel: ZipFile) -> dict[str, str]:
    """The modules in the wheel, by the path that they have in the checkout."""
    return {
        re.sub(rf"^trueup/(?={'|'.join(ROOMS)})", "", name): wheel.read(name).decode()
        for name in wheel.namelist()
        if name.endswith(".py")
    }


def test_the_wheel_holds_one_package(wheel: ZipFile) -> None:
    version = re.search(r'^version = "(.+)"$', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)

    tops = {name.partition("/")[0] for name in wheel.namelist()}
    assert tops == {"trueup", f"trueup-{version[1]}.dist-info"}
    assert "trueup/py.typed" in wheel.namelist()
    assert len(wheel.namelist()) == len(set(wheel.namelist()))


def test_every_module_is_in_the_wheel(wheel: ZipFile) -> None:
    ours = {
        path.relative_to(ROOT).as_posix()
        for room in (*ROOMS, "trueup")
        for path in (ROOT / room).rglob("*.py")
    }

    assert set(_modules(wheel)) == ours


@pytest.mark.parametrize(
    "folder",
    ["connectors/layouts/ready", "trueup/pages", "trueup/web/templates", "trueup/web/static"],
)
def test_what_is_no_module_is_in_the_wheel_too(wheel: ZipFile, folder: str) -> None:
    ours = {path.name for path in (ROOT / folder).iterdir() if path.suffix != ".py"}

    there = f"trueup/{folder.removeprefix('trueup/')}/"
    assert ours
    assert ours == {name.removeprefix(there) for name in wheel.namelist() if name.startswith(there)}


def test_no_module_in_the_wheel_imports_a_bare_room(wheel: ZipFile) -> None:
    for path, text in _modules(wheel).items():
        for node in ast.walk(ast.parse(text)):
            found = [each.name for each in node.names] if isinstance(node, ast.Import) else []
            found += [node.module] if isinstance(node, ast.ImportFrom) else []
            bare = [name for name in found if name.partition(".")[0] in ROOMS]
            assert not bare, f"{path}:{node.lineno} imports {bare[0]}"


def test_every_line_is_the_checkouts_but_for_the_names_that_it_imports(wheel: ZipFile) -> None:
    for path, text in _modules(wheel).items():
        ours = (ROOT / path).read_text(encoding="utf-8")
        for now, then in zip(text.splitlines(), ours.splitlines(), strict=True):
            changed = re.sub(rf"\b(from|import) trueup\.({'|'.join(ROOMS)})\b", r"\1 \2", now)
            assert then in (now, changed)


def test_the_source_distribution_makes_the_same_wheel(distributions: Path, tmp_path: Path) -> None:
    (source,) = distributions.glob("*.tar.gz")
    (wheel,) = distributions.glob("*.whl")
    with tarfile.open(source) as packed:
        packed.extractall(tmp_path, filter="data")

    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(command, cwd=tmp_path / source.name.removesuffix(".tar.gz"), check=True)

    assert (tmp_path / wheel.name).read_bytes() == wheel.read_bytes()


def test_what_is_tested_is_the_checkout_and_no_wheel(tmp_path: Path) -> None:
    code = "import connectors, trueup; print(trueup.__file__, connectors.__file__)"
    done = subprocess.run(
        [sys.executable, "-P", "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )

    ours = [str(ROOT / room / "__init__.py") for room in ("trueup", "connectors")]
    assert done.stdout.split() == ours
    assert [trueup.__file__, connectors.__file__] == ours


@pytest.mark.parametrize(
    ("written", "installed"),
    [
        ("import canonical.a as b\n", "import trueup.canonical.a as b\n"),
        ("import canonical as c, json, sync.x as y\n", None),
        ("from sync import plan\n", "from trueup.sync import plan\n"),
        ("def f():\n    from config.x import y; import sync.a as b\n", None),
        ("if TYPE_CHECKING:\n\tfrom sync.x import (\n\t\ty,\n\t)\n", None),
        ("é = 'é'; from sync.x import y  # from sync\r\n", None),
    ],
)
def test_an_import_is_renamed_where_it_stands(written: str, installed: str | None) -> None:
    expected = installed or re.sub(
        r"(?<!# )\b(from|import|json,) (canonical|config|sync)\b", r"\1 trueup.\2", written
    )

    assert renamed(written.encode(), NAMES).decode() == expected


@pytest.mark.parametrize(
    "written",
    [
        "import synchronous\nfrom configs.x import y\nimport trueup.sync.x\n",
        "from . import sync\n",
        's = """\nfrom sync.x import y\nimport canonical.a as b\n"""\n',
        "sync = config = 1\nsync.x = 'canonical.amount'\n",
    ],
)
def test_what_imports_no_room_stays_as_it_is(written: str) -> None:
    assert renamed(written.encode(), NAMES).decode() == written


@pytest.mark.parametrize(
    "written", ["x = 1\nimport canonical.amount\n", "x = 1\nfrom \\\n    sync.x import y\n"]
)
def test_an_import_that_cannot_be_renamed_stops_the_build(written: str) -> None:
    with pytest.raises(ValueError, match=r"^some\.py:2: write `from (canonical|sync)… import"):
        renamed(written.encode(), NAMES, "some.py")
