"""The files under `deploy`: their linters find nothing, and they fit the service that they start."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

from agentc_service.app import create_app
from agentc_service.settings import Limits, Settings

ROOT = Path(__file__).resolve().parents[3]
DEPLOY = ROOT / "deploy"
DOCKERFILE = (DEPLOY / "Dockerfile").read_text()
MANIFESTS = {
    one["kind"]: one for one in yaml.safe_load_all((DEPLOY / "kubernetes" / "agentc.yaml").read_text())
}
POD = MANIFESTS["Deployment"]["spec"]["template"]["spec"]
(CONTAINER,) = POD["containers"]
UNIT = (DEPLOY / "systemd" / "agentc.service").read_text()


def linted(*command):
    """What a linter says; it must find nothing."""
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_dockerfile():
    assert (
        linted(
            Path(sys.executable).with_name("hadolint"), "--failure-threshold", "style", DEPLOY / "Dockerfile"
        )
        == ""
    )
    assert re.findall(r"^USER (.+)$", DOCKERFILE, re.M) == ["10001:10001"]
    assert re.findall(r"^FROM (\S+)", DOCKERFILE, re.M) == ["${PYTHON}"] * 2
    extras = re.search(r'"\.\[(.+)\]"', DOCKERFILE)[1].split(",")
    known = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    assert set(extras) <= set(known)
    # what is built is what is copied, and what is ignored is not
    kept = re.findall(r"^!(.+)$", (DEPLOY / "Dockerfile.dockerignore").read_text(), re.M)
    assert all((ROOT / name).exists() for name in kept)


def test_the_health_check_of_the_image_asks_the_service(service):
    command = json.loads(re.search(r"HEALTHCHECK .*\\\n\s*CMD (\[.+\])$", DOCKERFILE, re.M)[1])
    url = command[-1].replace("http://127.0.0.1:8080", service.url)
    assert url != command[-1]
    linted(sys.executable, *command[1:-1], url)
    service.stop()
    gone = subprocess.run([sys.executable, *command[1:-1], url], capture_output=True, check=False)
    assert gone.returncode != 0


@pytest.mark.parametrize("kind", MANIFESTS)
def test_kubernetes_knows_every_key(kind):
    import kubernetes_validate

    for version in ("1.30", kubernetes_validate.latest_version()):
        kubernetes_validate.validate(MANIFESTS[kind], version, strict=True)


def test_pods_are_restricted():
    """The profile `restricted` of the Pod Security Standards, and a file system that is not written."""
    assert set(MANIFESTS) == {
        "ServiceAccount", "Deployment", "Service", "PodDisruptionBudget", "NetworkPolicy",
    }  # fmt: skip
    assert POD["securityContext"]["runAsNonRoot"] is True
    assert POD["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert CONTAINER["securityContext"] == {
        "allowPrivilegeEscalation": False, "privileged": False, "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }  # fmt: skip
    assert not {"hostNetwork", "hostPID", "hostIPC"} & set(POD)
    assert {tuple(set(volume) - {"name"}) for volume in POD["volumes"]} == {("secret",), ("emptyDir",)}
    assert POD["automountServiceAccountToken"] is False
    assert MANIFESTS["ServiceAccount"]["automountServiceAccountToken"] is False
    assert CONTAINER["resources"]["limits"]["memory"]
    assert MANIFESTS["NetworkPolicy"]["spec"]["policyTypes"] == ["Ingress", "Egress"]


def test_pods_fit_the_image_and_the_service(tmp_path):
    assert f"{POD['securityContext']['runAsUser']}:{POD['securityContext']['runAsGroup']}" in DOCKERFILE
    (port,) = CONTAINER["ports"]
    assert f"EXPOSE {port['containerPort']}" in DOCKERFILE
    routes = create_app(Settings(agents={}, store=str(tmp_path / "s.db")), {}).openapi()["paths"]
    for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
        assert CONTAINER[probe]["httpGet"]["path"] in routes
    sleep = CONTAINER["lifecycle"]["preStop"]["sleep"]["seconds"]
    assert POD["terminationGracePeriodSeconds"] > Limits().shutdown + sleep
    labels = MANIFESTS["Deployment"]["spec"]["template"]["metadata"]["labels"]
    for kind, where in (
        ("Service", "selector"),
        ("NetworkPolicy", "podSelector"),
        ("PodDisruptionBudget", "selector"),
    ):
        chosen = MANIFESTS[kind]["spec"][where]
        assert chosen.get("matchLabels", chosen) == labels


def test_unit(tmp_path):
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed: apt-get install systemd")
    unit = tmp_path / "agentc.service"
    unit.write_text(UNIT.replace("/opt/agentc/bin/", f"{Path(sys.executable).parent}/"))
    assert linted("systemd-analyze", "verify", "--man=no", unit) == ""
    # of 10, where 0 is a service that can do nothing: in tenths
    said = linted("systemd-analyze", "security", "--offline=true", "--threshold=15", "--no-pager", unit)
    assert "Overall exposure level for agentc.service: 1." in said
    stop = int(re.search(r"^TimeoutStopSec=(\d+)$", UNIT, re.M)[1])
    assert stop > Limits().shutdown
