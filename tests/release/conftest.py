"""A real bundle, compiled from the support project, signed by real keys."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import pytest

from agentc.driver import check_project
from agentc.pipeline import bundle_files
from agentc.signing import attest
from agentc_runtime.archive import pack
from agentc_runtime.environment_file import EnvironmentFile
from agentc_runtime.release import deploying
from agentc_runtime.release.channel import Pointer, seal_pointer
from agentc_runtime.release.control import FolderControl
from agentc_runtime.release.deploying import Terms
from agentc_runtime.release.folder import FolderOrigin
from agentc_runtime.release.following import Follower
from agentc_runtime.release.origin import Origin, Publisher, open_origin, open_publisher
from agentc_runtime.trust.keys import Signer, new_key, signer
from agentc_runtime.trust.policy import TrustPolicy, parse_policy
from agentc_runtime.verify import Bundle, load_bundle

ROOT = Path(__file__).parents[2]
NOW = datetime(2026, 11, 26, tzinfo=UTC)
REPORTS: Mapping[str, object] = {
    "validate": {"errors": 0},
    "eval": {"suites": {"refunds": {"pass_rate": 0.97, "cases": 40}}},
}

Files = dict[str, bytes]


class Keys(NamedTuple):
    """Who signs: the release, continuous integration, and somebody else."""

    release: Signer
    ci: Signer
    stranger: Signer


@pytest.fixture(scope="session")
def keys() -> Keys:
    return Keys(signer(new_key("ed25519")), signer(new_key("ecdsa-p256")), signer(new_key("ed25519")))


@pytest.fixture(scope="session")
def unsigned() -> Files:
    result = check_project(ROOT / "specs" / "support")
    return bundle_files(result, result.program.agents["triage"])


@pytest.fixture(scope="session")
def sign(unsigned: Files) -> Callable[..., Files]:
    """`sign(signer, reports)`: the attestations that `agentc sign` adds."""

    def sign(by: Signer, reports: Mapping[str, object] | None = None, files: Files | None = None) -> Files:
        return attest(load_bundle(files or unsigned), by, "urn:test:builder", tuple((reports or {}).items()))

    return sign


@pytest.fixture(scope="session")
def signed(unsigned: Files, keys: Keys, sign: Callable[..., Files]) -> Files:
    """The bundle as a release has it: provenance, bill of materials, and evidence by another key."""
    return {**unsigned, **sign(keys.release), **sign(keys.ci, REPORTS)}


@pytest.fixture(scope="session")
def policy_of(keys: Keys) -> Callable[..., TrustPolicy]:
    """`policy_of(**changes)`: the policy of the deployment, with changes to the rule of `triage`."""

    def policy_of(key: Mapping[str, object] | None = None, **changes: object) -> TrustPolicy:
        rule = {
            "agents": ["triage"],
            "signed_by": ["release"],
            "require": [
                {"kind": "sbom", "signed_by": ["release"]},
                {"kind": "validate", "signed_by": ["ci"], "where": {"properties": {"errors": {"const": 0}}}},
                {
                    "kind": "eval",
                    "signed_by": ["ci"],
                    "max_age": "30d",
                    "where": {"properties": {"suites": {"properties": {"refunds": {"properties": {
                        "pass_rate": {"minimum": 0.95}, "cases": {"minimum": 20}}}}}}},
                },
            ],
            "channels_signed_by": ["release"],
            **changes,
        }  # fmt: skip
        named = {
            "release": {"public_key": keys.release.public, "expires": "2100-01-01T00:00:00Z", **(key or {})},
            "ci": {"public_key": keys.ci.public},
        }
        said = {"format": "agentc.trust/1", "keys": named, "rules": [rule]}
        return parse_policy(json.dumps(said).encode())

    return policy_of


@pytest.fixture
def now() -> datetime:
    return datetime.now(UTC)


def load(path: Path) -> ModuleType:
    """A script of the tests as a module."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def deployed() -> ModuleType:
    """Bundles that need no model."""
    return load(ROOT / "tests/support/deployed.py")


@pytest.fixture(scope="session")
def live_service() -> ModuleType:
    """Services on loopback."""
    return load(ROOT / "tests/support/live_service.py")


@pytest.fixture(scope="session")
def postgres_support() -> ModuleType:
    """PostgreSQL of our own."""
    return load(ROOT / "tests/support/postgres.py")


@pytest.fixture(scope="session")
def postgres(postgres_support: ModuleType) -> Iterator[Any]:
    """A running server."""
    with postgres_support.server() as started:
        yield started


# --- origins -------------------------------------------------------------------------------------------


class Web:
    """A web server on loopback that serves a folder, and can be told to misbehave.

    `answer` takes the place of what it does: it gets the handler, and may do anything with it.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.answer: Callable[[BaseHTTPRequestHandler], None] | None = None
        self.seen: list[tuple[str, int]] = []
        self.server: ThreadingHTTPServer | None = None
        self.port = 0
        self.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        web = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                if web.answer is not None:
                    web.answer(self)
                    return
                path = web.folder / self.path.lstrip("/")
                data = path.read_bytes() if path.is_file() else b""
                tag = f'"{hashlib.sha256(data).hexdigest()[:16]}"'
                status = 404 if not path.is_file() else 304 if self.headers["if-none-match"] == tag else 200
                web.seen.append((self.path, status))
                self.send_response(status)
                self.send_header("ETag", tag)
                self.send_header("Content-Length", str(len(data) if status == 200 else 0))
                self.end_headers()
                if status == 200:
                    self.wfile.write(data)

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]
        threading.Thread(
            target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
        ).start()

    def stop(self) -> None:
        if self.server is not None:
            self.server.shutdown()
            self.server.server_close()
            self.server = None


@pytest.fixture
def web(tmp_path: Path) -> Iterator[Web]:
    (tmp_path / "served").mkdir()
    served = Web(tmp_path / "served")
    yield served
    served.stop()


class RegistryProcess:
    """The reference registry as a process of its own, with its files in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.process: subprocess.Popen[bytes] | None = None
        (folder / "config.yml").write_text(
            "version: 0.1\nlog: {level: error}\n"
            f"storage: {{filesystem: {{rootdirectory: {folder / 'data'}}}}}\n"
            f"http: {{addr: '127.0.0.1:{self.port}'}}\n"
        )
        self.start()

    @property
    def place(self) -> str:
        return f"oci://127.0.0.1:{self.port}/agents"

    def start(self) -> None:
        self.process = subprocess.Popen(
            ["docker-registry", "serve", str(self.folder / "config.yml")],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        for _ in range(500):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.01)
        raise AssertionError("the registry does not start")

    def stop(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[RegistryProcess]:
    if shutil.which("docker-registry") is None:
        pytest.skip("no OCI registry: apt-get install docker-registry")
    (tmp_path / "registry").mkdir()
    started = RegistryProcess(tmp_path / "registry")
    yield started
    started.stop()


class Place(NamedTuple):
    """Where to push and where to pull, what takes it away, what brings it back, and what lets it hang."""

    push: Publisher
    pull: Origin
    lose: Callable[[], None]
    restore: Callable[[], None]
    hang: Callable[[], None]


@pytest.fixture(params=["folder", "web", "registry"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    match request.param:
        case "folder":
            root = tmp_path / "origin"
            here = FolderOrigin(root)

            def hang() -> None:
                os.rename(root, tmp_path / "gone")
                (root / "channels/production").mkdir(parents=True)
                os.mkfifo(root / "channels/production/desk.json")

            def restore() -> None:
                shutil.rmtree(root, ignore_errors=True)
                os.rename(tmp_path / "gone", root)

            yield Place(here, here, lambda: os.rename(root, tmp_path / "gone"), restore, hang)
        case "web":
            web = request.getfixturevalue("web")

            def wait(handler: BaseHTTPRequestHandler) -> None:
                time.sleep(0.6)

            def back() -> None:
                web.answer = None
                if web.server is None:
                    web.start()

            push = FolderOrigin(web.folder)
            yield Place(push, open_origin(web.url), web.stop, back, lambda: setattr(web, "answer", wait))
        case _:
            registry = request.getfixturevalue("registry")

            def go_on() -> None:
                if registry.process is None:
                    registry.start()
                registry.process.send_signal(signal.SIGCONT)

            def stop() -> None:
                registry.process.send_signal(signal.SIGSTOP)
                os.waitpid(registry.process.pid, os.WUNTRACED)  # it answers until it has stopped

            push, pull = open_publisher(registry.place), open_origin(registry.place)
            yield Place(push, pull, registry.stop, go_on, stop)


# --- channels ------------------------------------------------------------------------------------------


class Channel:
    """A channel `production` of the agent `desk`: what its operators do, and the workers that follow it."""

    def __init__(self, push: Publisher, pull: Origin, keys: Keys, deployed: Any, folder: Path) -> None:
        self.push, self.pull, self.keys, self.folder = push, pull, keys, folder
        self.deployed = deployed
        self.now = datetime.now(UTC)
        self.pointer: Pointer | None = None
        self.url = "http://127.0.0.1:9"
        rule = {"agents": ["desk"], "signed_by": ["release"], "channels_signed_by": ["release"]}
        known = {"release": {"public_key": keys.release.public}}
        said = {"format": "agentc.trust/1", "keys": known, "rules": [rule]}
        self.policy = parse_policy(json.dumps(said).encode())
        (folder / "control").mkdir()
        self.control = FolderControl(folder / "control")

    def bundle(
        self, version: str, path: str = "tickets", signer: Signer | None = None, **more: Any
    ) -> Bundle:
        """Build, sign and push a bundle whose one tool reads `path`."""
        files = self.deployed.files(self.deployed.program(self.url, version, path, **more))
        files |= attest(load_bundle(files), signer or self.keys.release, "urn:test:builder")
        bundle = load_bundle(files)
        self.push.push_bundle(bundle.digest, pack(files))
        return bundle

    def terms(self) -> Terms:
        return Terms(channel="production", agent="desk", now=self.now, lifetime=timedelta(days=7))

    def deploy(self, bundle: Bundle, **more: Any) -> Pointer:
        """Point the channel at a bundle."""
        version = bundle.manifest.agent.version
        return self.point(deploying.deploy(self.pointer, bundle.digest, version, self.terms(), **more))

    def point(self, pointer: Pointer) -> Pointer:
        self.pointer = pointer
        self.push.push_pointer("production", "desk", self.sealed(pointer))
        return pointer

    def sealed(self, pointer: Pointer, signer: Signer | None = None) -> bytes:
        by = signer or self.keys.release
        return seal_pointer(pointer, by.keyid, by.sign)

    def worker(self, name: str = "w1", narrowed_by: EnvironmentFile | None = None) -> Follower:
        return Follower(
            name,
            channel="production",
            agent="desk",
            origin=self.pull,
            policy=self.policy,
            folder=self.folder / name,
            control=self.control,
            narrowed_by=narrowed_by,
            clock=lambda: self.now,
        )


@pytest.fixture
def channel(place: Place, keys: Keys, deployed: ModuleType, tmp_path: Path) -> Channel:
    """A channel in each kind of origin."""
    return Channel(place.push, place.pull, keys, deployed, tmp_path)


@pytest.fixture
def here(keys: Keys, deployed: ModuleType, tmp_path: Path) -> Channel:
    """A channel in a folder."""
    origin = FolderOrigin(tmp_path / "origin")
    return Channel(origin, origin, keys, deployed, tmp_path)
