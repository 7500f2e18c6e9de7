"""The wheel as a user has it: in an environment of its own, in a folder with modules of their own.

The checkout is nowhere on the path, and of the tests' environment only what Trueup depends on.
"""

import json
import os
import subprocess
import sys
import sysconfig
import venv
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from connectors.sandbox.brex.api import BrexSandbox
from connectors.sandbox.server import serve
from tests.readme import ROOT, example
from tests.scenarios.conftest import SETTINGS, SYNC, TOKEN

ROOMS = ("canonical", "config", "connectors", "sync")
THEIRS = ("config.py", "sync/__init__.py", "connectors.py", "canonical.py")
SAID = "this module is the user's own"


@dataclass(frozen=True)
class Installed:
    """An environment with the wheel in it."""

    folder: Path

    def command(self, name: str) -> str:
        return str(self.folder / "bin" / name)

    def environment(self) -> dict[str, str]:
        ours = ("PYTHON", "PYTEST", "VIRTUAL_ENV", "TRUEUP")
        return {name: value for name, value in os.environ.items() if not name.startswith(ours)} | {
            "BREX_TOKEN": TOKEN
        }

    def run(self, name: str, *arguments: str, at: Path) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [self.command(name), *arguments],
            cwd=at, env=self.environment(), capture_output=True, text=True, check=False,
        )  # fmt: skip

    @contextmanager
    def start(self, name: str, *arguments: str, at: Path):
        with subprocess.Popen(
            [self.command(name), *arguments],
            cwd=at, env=self.environment(), stdout=subprocess.PIPE, text=True,
        ) as process:  # fmt: skip
            try:
                yield process
            finally:
                process.terminate()


@pytest.fixture(scope="module")
def installed(distributions: Path, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """The wheel and a connector of somebody else's, installed by pip and without a network."""
    folder = tmp_path_factory.mktemp("installed")
    made = Installed(folder / "venv")
    venv.create(made.folder, symlinks=True)
    (site,) = made.folder.glob("lib/python*/site-packages")
    (site / "dependencies.pth").write_text(f"{_dependencies(folder / 'dependencies')}\n")
    acme = _acme(folder / "acme")
    (wheel,) = distributions.glob("*.whl")
    pip = [sys.executable, "-m", "pip", "--python", made.command("python"), "install", "--quiet"]
    options = ["--no-deps", "--no-index", "--no-build-isolation", "--disable-pip-version-check"]
    subprocess.run(
        [*pip, *options, str(wheel), str(acme)], env=made.environment(), cwd=folder, check=True
    )
    return made


def _dependencies(folder: Path) -> Path:
    """What is installed for the tests, without Trueup."""
    folder.mkdir()
    for place in {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}:
        for path in Path(place).iterdir():
            if not path.name.startswith(("trueup", "__pycache__")) and path.suffix != ".pth":
                (folder / path.name).symlink_to(path)
    return folder


def _acme(folder: Path) -> Path:
    """A project of somebody else's, with the entry point that CONTRIBUTING.md shows."""
    folder.mkdir()
    (folder / "pyproject.toml").write_text(
        '[build-system]\nrequires = ["hatchling"]\nbuild-backend = "hatchling.build"\n'
        '[project]\nname = "acme-trueup"\nversion = "1.0"\n'
        + example("pyproject.toml", "CONTRIBUTING.md")
    )
    (folder / "acme_trueup.py").write_text((Path(__file__).parent / "acme_trueup.py").read_text())
    return folder


@pytest.fixture
def beside(tmp_path: Path) -> Path:
    """A folder with modules that are named like our rooms, and fail when they are imported."""
    for name in THEIRS:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(f"raise RuntimeError({SAID!r})\n")
    return tmp_path


def test_nothing_of_the_checkout_is_there(installed: Installed, tmp_path: Path) -> None:
    code = "import json, sys, trueup; print(json.dumps([trueup.__file__, *sys.path]))"
    home, *places = json.loads(installed.run("python", "-c", code, at=tmp_path).stdout)

    assert Path(home).is_relative_to(installed.folder)
    assert str(ROOT) not in places
    for name in ROOMS:
        done = installed.run("python", "-c", f"import {name}", at=tmp_path)
        assert f"No module named '{name}'" in done.stderr


@pytest.mark.parametrize("name", ROOMS)
def test_a_users_own_modules_are_theirs(installed: Installed, beside: Path, name: str) -> None:
    done = installed.run("python", "-c", f"import trueup.{name}, {name}", at=beside)

    assert done.stderr.endswith(f"RuntimeError: {SAID}\n")


def test_the_readmes_script_runs_beside_them(installed: Installed, beside: Path) -> None:
    for name in ("budgets.csv", "allocations.csv", "migrate.py"):
        (beside / name).write_text(example(name), encoding="utf-8")
    with serve(BrexSandbox(token=TOKEN)) as brex:
        settings = example("settings").replace("https://api.brex.com", brex.url)
        (beside / "trueup.toml").write_text(settings, encoding="utf-8")
        done = installed.run("python", "migrate.py", at=beside)

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "4 objects compared, agree: True\n"


def test_the_command_runs_against_a_sandbox_beside_them(installed: Installed, beside: Path) -> None:
    for name in ("json.py", "uvicorn.py", "state.py", "trueup.py", "sitecustomize.py"):
        (beside / name).write_text(f"raise RuntimeError({SAID!r})\n")
    options = ("sandbox", "brex", "--token", TOKEN)
    with installed.start("trueup", *options, at=beside) as sandbox:
        _, url = sandbox.stdout.readline().split()
        assert installed.run("trueup", "init", "desk", at=beside).returncode == 0
        settings = beside / "desk" / "trueup.toml"
        settings.write_text(SETTINGS.format(url=url))
        said = ("--config", str(settings))

        done = installed.run("trueup", "run", *said, at=beside)
        again = installed.run("trueup", "plan", SYNC, "--detailed-exitcode", *said, at=beside)

    assert (done.returncode, again.returncode) == (0, 0), done.stderr + again.stderr


def test_the_module_is_the_command(installed: Installed, beside: Path) -> None:
    module = installed.run("python", "-m", "trueup", "--version", at=beside)
    command = installed.run("trueup", "--version", at=beside)

    assert module.stdout.startswith("trueup 0.")
    assert module.stdout == command.stdout


def test_a_connector_of_somebody_elses_passes_the_kit(installed: Installed, beside: Path) -> None:
    (beside / "test_acme.py").write_text(example("test_acme.py", "CONTRIBUTING.md"))
    done = installed.run("python", "-m", "pytest", "-q", "test_acme.py", at=beside)

    assert done.returncode == 0, done.stdout
    assert " passed" in done.stdout


def test_a_settings_file_can_name_that_connector(installed: Installed, beside: Path) -> None:
    (beside / "trueup.toml").write_text(
        '[systems.acme]\nconnector = "acme"\ntoken = "env:BREX_TOKEN"\n'
    )
    done = installed.run("trueup", "check", "--json", at=beside)

    assert done.returncode == 0, done.stderr
    assert "Acme, in memory" in json.dumps(json.loads(done.stdout))
