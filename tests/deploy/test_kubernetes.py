"""The Kubernetes manifests: one clock, any number of workers, nobody special, and no secret."""

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml

from tests.deploy.starts import ensure_started
from trueup.cli import app

FOLDER = Path(__file__).parents[2] / "deploy" / "kubernetes"
FILES = sorted(set(FOLDER.glob("*.yaml")) - {FOLDER / "kustomization.yaml"})
each_file = pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)


def read(file: Path) -> dict[str, Any]:
    (document,) = yaml.safe_load_all(file.read_text(encoding="utf-8"))
    return document


def pod(document: dict[str, Any]) -> dict[str, Any]:
    spec = document["spec"]
    return spec.get("jobTemplate", {}).get("spec", spec)["template"]["spec"]


def container(file: Path) -> dict[str, Any]:
    (only,) = pod(read(file))["containers"]
    return only


def args(name: str) -> list[str]:
    return container(FOLDER / name)["args"]


@each_file
def test_a_pod_starts_a_command_that_there_is_with_options_that_it_has(file: Path) -> None:
    ensure_started(container(file)["args"], typer.main.get_command(app))


@each_file
def test_a_pod_is_nobody_special_and_can_write_nothing_of_its_image(file: Path) -> None:
    own, of_pod = container(file)["securityContext"], pod(read(file))["securityContext"]
    assert (of_pod["runAsNonRoot"], of_pod["runAsUser"], of_pod["runAsGroup"]) == (
        True,
        10001,
        10001,
    )
    assert of_pod["seccompProfile"] == {"type": "RuntimeDefault"}
    assert own == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert pod(read(file))["automountServiceAccountToken"] is False


@each_file
def test_secrets_and_settings_are_references(file: Path) -> None:
    assert container(file)["envFrom"] == [{"secretRef": {"name": "trueup-secrets"}}]
    assert "env" not in container(file)
    assert read(file)["kind"] != "Secret"
    volumes = {each["name"]: each for each in pod(read(file))["volumes"]}
    assert volumes["settings"]["configMap"] == {"name": "trueup-settings"}
    mounts = {each["name"]: each for each in container(file)["volumeMounts"]}
    assert mounts.keys() == volumes.keys()
    assert (mounts["settings"]["mountPath"], mounts["settings"]["readOnly"]) == (
        "/etc/trueup",
        True,
    )


@each_file
def test_the_image_is_of_a_named_version_and_one_for_all(file: Path) -> None:
    image, _, version = container(file)["image"].rpartition(":")
    assert (image, version) == ("registry.example.com/trueup", "0.1.0")


@each_file
def test_nothing_is_probed_that_answers_no_question(file: Path) -> None:
    assert not {"livenessProbe", "readinessProbe", "startupProbe", "ports"} & container(file).keys()


@each_file
def test_the_write_in_hand_has_time_to_end(file: Path) -> None:
    assert pod(read(file))["terminationGracePeriodSeconds"] >= 60
    assert container(file)["resources"]["limits"]["memory"]


def test_there_is_one_clock_which_only_defers_and_no_second_beside_it() -> None:
    spec = read(FOLDER / "scheduler.yaml")["spec"]
    assert (spec["replicas"], spec["strategy"]) == (1, {"type": "Recreate"})
    assert args("scheduler.yaml")[:2] == ["serve", "--defer"]


def test_workers_are_several_and_run_what_was_deferred() -> None:
    assert read(FOLDER / "worker.yaml")["spec"]["replicas"] > 1
    assert args("worker.yaml")[0] == "worker"


@pytest.mark.parametrize("name", ["scheduler.yaml", "worker.yaml"])
def test_a_deployment_selects_its_own_pods_and_no_others(name: str) -> None:
    spec = read(FOLDER / name)["spec"]
    labels = spec["selector"]["matchLabels"]
    assert labels == spec["template"]["metadata"]["labels"]
    assert labels["app.kubernetes.io/component"] == name.removesuffix(".yaml")


def test_the_cluster_s_own_clock_starts_one_run_at_a_time_and_repeats_none() -> None:
    spec = read(FOLDER / "cronjob.yaml")["spec"]
    assert spec["concurrencyPolicy"] == "Forbid"
    assert spec["jobTemplate"]["spec"]["backoffLimit"] == 0
    assert pod(read(FOLDER / "cronjob.yaml"))["restartPolicy"] == "Never"
    assert args("cronjob.yaml")[0] == "run"


def test_what_is_applied_together_is_the_clock_and_the_workers() -> None:
    said = yaml.safe_load((FOLDER / "kustomization.yaml").read_text())
    assert said["resources"] == ["scheduler.yaml", "worker.yaml"]


@pytest.mark.skipif(shutil.which("kubectl") is None, reason="no kubectl here")
def test_kubectl_puts_them_together() -> None:
    found = subprocess.run(["kubectl", "kustomize", str(FOLDER)], capture_output=True, text=True)
    assert found.returncode == 0, found.stderr
    kinds = [each["metadata"]["name"] for each in yaml.safe_load_all(found.stdout)]
    assert kinds == ["trueup-scheduler", "trueup-worker"]
