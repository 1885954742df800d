"""The command line as a subprocess, on copies of the example projects whose services run on free ports."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
DOCUMENT = ROOT.parent / "shared" / "corpus" / "github" / "api.github.com.json"
KEYS = ("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "GITHUB_TOKEN", "HELPDESK_TOKEN", "NO_COLOR", "AGENTC_DEBUG")
#: Nothing of a run in tests goes to the collector of whoever runs them.
TELEMETRY = tuple(name for name in os.environ if name.startswith("OTEL_") or name == "TRACEPARENT")


def load(path: Path) -> ModuleType:
    """A script of the project as a module."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    return module


class Cli:
    """`agentc` in a process of its own. Its caches are the session's, its environment holds no key."""

    def __init__(self, cache: Path) -> None:
        kept = {name: value for name, value in os.environ.items() if name not in (*KEYS, *TELEMETRY)}
        kept.pop("PYTHONDONTWRITEBYTECODE", None)
        self.environment = {**kept, "AGENTC_CACHE_DIR": str(cache), "HELPDESK_TOKEN": "demo-token"}
        # Compiled once, wherever the sources lie: else each of many processes would compile them.
        self.environment["PYTHONPYCACHEPREFIX"] = str(cache / "bytecode")

    def command(self, *arguments: object) -> list[str]:
        """The whole command line."""
        return [sys.executable, "-m", "agentc", *map(str, arguments)]

    def __call__(
        self,
        *arguments: object,
        cwd: Path = ROOT,
        stdin: str = "",
        code: int = 0,
        environment: Mapping[str, str] | None = None,
    ) -> subprocess.CompletedProcess[str]:
        """Run it to its end, which must be with exit code `code` and never with a traceback."""
        done = subprocess.run(
            self.command(*arguments),
            cwd=cwd,
            input=stdin,
            env={**self.environment, **(environment or {})},
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert "Traceback" not in done.stderr
        assert done.returncode == code, done.stdout + done.stderr
        return done

    def start(
        self, *arguments: object, stdin: int, environment: Mapping[str, str] | None = None
    ) -> subprocess.Popen[str]:
        """Start it and give the process."""
        return subprocess.Popen(
            self.command(*arguments),
            cwd=ROOT,
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**self.environment, **(environment or {})},
        )


@pytest.fixture(scope="session")
def agentc(tmp_path_factory: pytest.TempPathFactory) -> Cli:
    """The command line."""
    return Cli(tmp_path_factory.mktemp("cache"))


@pytest.fixture(scope="session")
def _helpdesk() -> Iterator[Any]:
    server = load(ROOT / "specs/support/service/helpdesk.py").Helpdesk(0)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def helpdesk(_helpdesk: Any) -> Any:
    """The support project's service, with nothing done yet. `effects` is what was changed."""
    _helpdesk.effects.clear()
    _helpdesk.by_key.clear()
    return _helpdesk


def redirected(source: Path, target: Path, variable: str, port: int, *more_hosts: int) -> Path:
    """A copy of a project whose service listens on `port`."""
    shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__", "openapi/api.*"))
    spec = target / "agentc.yaml"
    hosts = ", ".join(f'"127.0.0.1:{number}"' for number in (port, *more_hosts))
    text = re.sub(
        rf"{variable}: http://127\.0\.0\.1:\d+", f"{variable}: http://127.0.0.1:{port}", spec.read_text()
    )
    spec.write_text(re.sub(r"private_hosts: .*", f"private_hosts: [{hosts}]", text))
    return target


@pytest.fixture(scope="session")
def _support(tmp_path_factory: pytest.TempPathFactory, _helpdesk: Any) -> Path:
    folder = tmp_path_factory.mktemp("support") / "support"
    return redirected(ROOT / "specs/support", folder, "HELPDESK_URL", _helpdesk.server_address[1])


@pytest.fixture
def support(_support: Path, helpdesk: Any) -> Path:
    """The support project, to be read only; its service has done nothing yet."""
    return _support


@pytest.fixture(scope="session")
def _bundle(agentc: Cli, _support: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("bundles")
    agentc("build", _support, "--out", out)
    return out / "triage-1.0.0"


@pytest.fixture
def replay(_bundle: Path, support: Path, ticket: Any) -> Any:
    """The arguments that run the support project's bundle with one of its recordings, without compiling."""

    def arguments(name: str, number: str) -> tuple[object, ...]:
        recording = support / f"recordings/{name}.json"
        return ("run", _bundle, "--replay", recording, *ticket(number))

    return arguments


@pytest.fixture
def live(tmp_path: Path, helpdesk: Any) -> Any:
    """A maker of support projects whose models are behind `port`."""

    def make(port: int) -> Path:
        folder = redirected(
            ROOT / "specs/support", tmp_path / "live", "HELPDESK_URL", helpdesk.server_address[1], port
        )
        model_on_loopback(folder, f"http://127.0.0.1:{port}")
        return folder

    return make


def model_on_loopback(folder: Path, url: str) -> None:
    """Put a support project's first model behind `url`, which its assertion on hosts has to admit."""
    spec, asserted = folder / "agentc.yaml", folder / "assertions.yaml"
    base = f"provider: openai\n      base_url: {url}/v1"
    spec.write_text(spec.read_text().replace("provider: openai", base))
    asserted.write_text(asserted.read_text().replace("https://api.openai.com", url))


@pytest.fixture
def provider() -> Any:
    """A model provider that says what a script in `tests/support/scripts` says; a context manager."""
    fake = load(ROOT / "tests/support/fake_provider.py").FakeProvider

    @contextmanager
    def serve(script: str) -> Iterator[Any]:
        turns = json.loads((ROOT / f"tests/support/scripts/{script}.json").read_text())["turns"]
        with fake(turns) as server:
            yield server

    return serve


@pytest.fixture(scope="session")
def triage(agentc: Cli, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bundle of the support project as it is."""
    out = tmp_path_factory.mktemp("dist")
    agentc("build", "specs/support", "--out", out)
    return out / "triage-1.0.0"


@pytest.fixture(scope="session")
def github_document() -> Path:
    """GitHub's published API document, which the project does not hold."""
    if not DOCUMENT.is_file():
        pytest.skip("GitHub's API document is not here")
    return DOCUMENT


@pytest.fixture(scope="session")
def ticket() -> Any:
    """The arguments of `agentc run` for a ticket of customer C-17."""

    def arguments(name: str, *, customer: str = "C-17") -> Sequence[str]:
        session = json.dumps({"customer_id": customer})
        return ("--input", json.dumps({"ticket_id": name}), "--session", session)

    return arguments


def normal(text: str, *folders: Path) -> str:
    """A transcript without what differs from run to run: ids, digests, durations, ports, folders, people."""
    for folder in folders:
        text = text.replace(f"{folder}/", "")
    for pattern, replacement in (
        (r"\d{8}T\d{6}Z-[0-9a-f]{12}", "RUN"),
        (r"sha256:[0-9a-f]{12,64}", "sha256:…"),
        (r"127\.0\.0\.1:\d+", "127.0.0.1:PORT"),
        (r"\d+\.\d s$", "0.0 s"),
        (r"approved by \S+", "approved by somebody"),
    ):
        text = re.sub(pattern, replacement, text, flags=re.MULTILINE)
    return text


@pytest.fixture(scope="session")
def kit() -> SimpleNamespace:
    """Helpers that are no fixtures of their own."""
    return SimpleNamespace(
        root=ROOT, normal=normal, redirected=redirected, load=load, model_on_loopback=model_on_loopback
    )


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Any:
    """`agentc` in this process, in an empty folder: the exit code, and what was printed and said."""
    from agentc.cli import invoke

    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    monkeypatch.setenv("AGENTC_CACHE_DIR", str(tmp_path / "cache"))
    for name in (*KEYS, *TELEMETRY):
        monkeypatch.delenv(name, raising=False)

    def run(*arguments: object, **environment: str) -> SimpleNamespace:
        monkeypatch.setattr(sys, "argv", ["agentc", *map(str, arguments)])
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        capsys.readouterr()
        code = invoke()
        captured = capsys.readouterr()
        assert "Traceback" not in captured.out + captured.err
        return SimpleNamespace(code=code, out=captured.out, err=captured.err)

    return run


@pytest.fixture(scope="session")
def live_service() -> ModuleType:
    """The module of services that tests run against, and of the project that calls them."""
    return load(ROOT / "tests/support/live_service.py")


@pytest.fixture(scope="session")
def fake_provider() -> ModuleType:
    """The module of the model provider."""
    return load(ROOT / "tests/support/fake_provider.py")


@pytest.fixture
def desk(tmp_path: Path, command: Any, live_service: ModuleType, fake_provider: ModuleType) -> Iterator[Any]:
    """A desk on loopback, and a project whose agent calls it: see `tests/support/live_desk.py`."""
    modules = (live_service, fake_provider, load(ROOT / "tests/support/fake_vault.py"))
    with ExitStack() as stack:
        yield load(ROOT / "tests/support/live_desk.py").Desk(stack, tmp_path, command, modules)
