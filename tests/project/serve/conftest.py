"""The support project behind a real service: `agentc serve` in a process of its own."""

from __future__ import annotations

import itertools
import re
import shutil
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from agentc_service.auth.api_keys import ApiKey, make_key, read_keys, write_keys
from agentc_service.auth.caller import Role

SUPPORT = Path(__file__).resolve().parents[2] / "support"
MODEL_KEY = "key-of-a-model"
ROLES: dict[str, tuple[str, tuple[Role, ...], tuple[str, ...]]] = {
    "ana": ("acme", ("caller",), ()),
    "ben": ("acme", ("caller",), ()),
    "lee": ("acme", ("approver",), ("support-leads",)),
    "ops": ("acme", ("operator",), ()),
    "eve": ("acme", ("auditor",), ()),
    "sam": ("acme", ("caller", "operator", "auditor", "approver"), ("support-leads",)),
    "zoe": ("other", ("caller", "operator", "auditor", "approver"), ("support-leads",)),
}


def keys_of(suffix: str = "") -> dict[str, tuple[str, ApiKey]]:
    """A key for each of them, and what the service keeps of it. `suffix` tells their tenants from others."""
    now = datetime.now(UTC)
    return {
        name: make_key(tenant=f"{tenant}{suffix}", subject=name, roles=roles, groups=groups, now=now)
        for name, (tenant, roles, groups) in ROLES.items()
    }


KEYS = keys_of()
_NUMBERS = itertools.count(1)


@dataclass
class Service:
    """A running service. `keys` holds an API key for each name in `ROLES`."""

    url: str
    folder: Path
    keys: dict[str, str]
    process: subprocess.Popen[str]
    _said: str = ""

    def client(self, name: str | None = None) -> httpx.Client:
        """A client that shows the key of `name`, or none."""
        headers = {"authorization": f"Bearer {self.keys[name]}"} if name else {}
        return httpx.Client(base_url=self.url, headers=headers, timeout=30, trust_env=False)

    def said(self) -> str:
        """What it has written, once it has ended."""
        self.process.wait(30)
        assert self.process.stderr is not None
        if not self._said:
            self._said = self.process.stderr.read()
        return self._said

    def stop(self, how: signal.Signals = signal.SIGTERM) -> int:
        """End the process; its exit code."""
        self.process.send_signal(how)
        return self.process.wait(30)


@pytest.fixture(scope="session")
def talker() -> Iterator[Any]:
    """The model of all runs."""
    sys.path.insert(0, str(SUPPORT))
    try:
        from talker import Talker
    finally:
        sys.path.remove(str(SUPPORT))
    with Talker() as model:
        yield model


@pytest.fixture(scope="session")
def _built(
    agentc: Any, kit: Any, _helpdesk: Any, talker: Any, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """The support project whose model is `talker`, and its bundle: copied by each service."""
    folder = tmp_path_factory.mktemp("served")
    port = _helpdesk.server_address[1]
    live = kit.redirected(kit.root / "specs/support", folder / "live", "HELPDESK_URL", port, talker.port)
    kit.model_on_loopback(live, f"http://127.0.0.1:{talker.port}")
    agentc("build", live, "--out", folder / "dist")
    return folder


class Services:
    """Makes services; the second one of the same folder goes on where the first one was."""

    def __init__(self, agentc: Any, built: Path, folders: pytest.TempPathFactory) -> None:
        self._agentc, self._built, self._folders = agentc, built, folders
        self._running: list[Service] = []

    def folder(self, more: str = "", auth: str = "{ api_keys: { file: keys.jsonl } }") -> Path:
        """All that a service needs, before there is one."""
        folder = self._folders.mktemp("service")
        shutil.copytree(self._built, folder, dirs_exist_ok=True)
        (folder / "service.yaml").write_text(
            textwrap.dedent(f"""\
            apiVersion: agentc/v1
            kind: Service
            metadata: {{ name: support, version: 1.0.0, owner: support-platform }}
            spec:
              agents: [{{ bundle: dist/triage-1.0.0, environment: local }}]
              auth: {auth}
            """)
            + more
        )
        write_keys(folder / "keys.jsonl", {record.id: record for _, record in KEYS.values()})
        return folder

    def __call__(
        self,
        folder: Path | None = None,
        arguments: Sequence[str] = (),
        environment: Mapping[str, str] | None = None,
        until_ready: bool = True,
        **spec: str,
    ) -> Service:
        folder = folder or self.folder(**spec)
        process = subprocess.Popen(
            self._agentc.command("serve", folder / "service.yaml", "--listen", "127.0.0.1:0", *arguments),
            stderr=subprocess.PIPE, text=True,
            env={
                **self._agentc.environment, "OPENAI_API_KEY": MODEL_KEY, "ANTHROPIC_API_KEY": MODEL_KEY,
                **(environment or {}),
            },
        )  # fmt: skip
        assert process.stderr is not None
        line = process.stderr.readline()
        url = re.search(r"http://\S+", line)
        assert url, line + process.stderr.read()
        service = Service(url[0], folder, {name: key for name, (key, _) in KEYS.items()}, process)
        self._running.append(service)
        with service.client() as client:
            for _ in range(200 if until_ready else 0):
                try:
                    if client.get("/readyz").status_code == 200:
                        break
                except httpx.TransportError:
                    pass
                time.sleep(0.02)
        return service

    def close(self) -> None:
        """End them all; none may have failed without a word that says why."""
        for service in self._running:
            if service.process.poll() is None:
                service.process.kill()
            said = service.said()
            assert service.process.stderr is not None
            service.process.stderr.close()
            assert "Traceback" not in said, said


@pytest.fixture
def serve(
    agentc: Any, _built: Path, helpdesk: Any, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Services]:
    """A maker of services, which end with the test."""
    services = Services(agentc, _built, tmp_path_factory)
    yield services
    services.close()


@pytest.fixture
def service(serve: Services) -> Service:
    """A service that has just begun."""
    return serve()


@pytest.fixture(scope="session")
def _shared(agentc: Any, _built: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    services = Services(agentc, _built, tmp_path_factory)
    yield services(more="  mcp: true\n")
    services.close()


@pytest.fixture
def shared(_shared: Service, helpdesk: Any) -> Service:
    """A service that other tests use as well, for people of tenants in which nothing has happened yet."""
    path, made = _shared.folder / "keys.jsonl", keys_of(f"-{next(_NUMBERS)}")
    write_keys(path, {**read_keys(path), **{record.id: record for _, record in made.values()}})
    return replace(_shared, keys={name: key for name, (key, _) in made.items()})
