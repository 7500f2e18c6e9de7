"""The compose file: a clock, workers and PostgreSQL; nobody special, no `latest`, no secret."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml

from tests.deploy.starts import ensure_started
from trueup.cli import app

FILE = Path(__file__).parents[2] / "deploy" / "compose.yaml"
SAID: dict[str, Any] = yaml.safe_load(FILE.read_text(encoding="utf-8"))
SERVICES = SAID["services"]
OURS = ["scheduler", "worker"]


def has_compose() -> bool:
    docker = shutil.which("docker")
    said = docker and subprocess.run([docker, "compose", "version"], capture_output=True)
    return bool(said) and said.returncode == 0  # type: ignore[union-attr]


@pytest.mark.parametrize("name", OURS)
def test_ours_start_commands_that_there_are(name: str) -> None:
    ensure_started(SERVICES[name]["command"], typer.main.get_command(app))


def test_the_clock_only_defers_and_is_alone() -> None:
    assert SERVICES["scheduler"]["command"][:2] == ["serve", "--defer"]
    assert "deploy" not in SERVICES["scheduler"]
    assert SERVICES["worker"]["deploy"]["replicas"] > 1


@pytest.mark.parametrize("name", OURS)
def test_ours_can_write_nothing_and_wait_for_the_database(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["volumes"] == ["./settings:/etc/trueup:ro"]
    assert service["depends_on"] == {"database": {"condition": "service_healthy"}}
    assert int(service["stop_grace_period"].removesuffix("s")) >= 60
    assert "healthcheck" not in service, "neither answers a question"


def test_the_image_is_built_from_the_dockerfile_that_there_is() -> None:
    build = SERVICES["worker"]["build"]
    assert (FILE.parent / build["context"] / build["dockerfile"]).is_file()


def test_images_are_of_named_versions() -> None:
    images = {service["image"] for service in SERVICES.values()}
    assert re.fullmatch(r"postgres:\d+\.\d+-\w+", SERVICES["database"]["image"])
    assert not any(image.endswith(":latest") or ":" not in image for image in images)


def test_secrets_come_from_files_beside_it_and_the_database_is_not_published() -> None:
    assert SERVICES["database"]["environment"].keys() == {"POSTGRES_USER", "POSTGRES_DB"}
    assert SERVICES["database"]["env_file"] == "database.env"
    assert {SERVICES[name]["env_file"] for name in OURS} == {"secrets.env"}
    assert not any("environment" in SERVICES[name] for name in OURS)
    assert not any("ports" in service for service in SERVICES.values())


@pytest.mark.skipif(not has_compose(), reason="no docker compose here")
def test_docker_compose_takes_it(tmp_path: Path) -> None:
    (tmp_path / "compose.yaml").write_text(FILE.read_text(encoding="utf-8"))
    for name in ("secrets.env", "database.env"):
        (tmp_path / name).touch()
    command = ["docker", "compose", "--file", str(tmp_path / "compose.yaml"), "config", "--quiet"]
    found = subprocess.run(command, capture_output=True, text=True)
    assert (found.returncode, found.stderr) == (0, "")
