"""Running the command line: inside this process, or as a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from agentc.checks.base import BASE
from agentc.cli import invoke


class Outcome(NamedTuple):
    """What a command left behind."""

    code: int
    out: str
    err: str


Run = Callable[..., Outcome]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, empty, with a cache of its own beside it."""
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    monkeypatch.setenv("AGENTC_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.delenv("NO_COLOR", raising=False)
    return here


@pytest.fixture
def agentc(folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """`agentc("validate", ".")` in this process. Whatever happens, nobody sees a traceback."""

    def run(*arguments: object) -> Outcome:
        monkeypatch.setattr(sys, "argv", ["agentc", *map(str, arguments)])
        capsys.readouterr()
        code = invoke()
        captured = capsys.readouterr()
        assert "Traceback" not in captured.out + captured.err
        return Outcome(code, captured.out, captured.err)

    return run


@pytest.fixture
def process(folder: Path) -> Run:
    """The same in a process of its own, with the modules that it has imported in the last line of `err`."""

    def run(*arguments: object, **environment: str) -> Outcome:
        program = (
            "import sys, atexit\n"
            "names = lambda: {name.partition('.')[0] for name in sys.modules}\n"
            "atexit.register(lambda: print(*names(), file=sys.stderr))\n"
            f"sys.argv = ['agentc', *{[str(argument) for argument in arguments]!r}]\n"
            "from agentc.__main__ import main\n"
            "main()\n"
        )
        done = subprocess.run(
            [sys.executable, "-c", program],
            capture_output=True, text=True, check=False, timeout=60,
            cwd=folder, env={**os.environ, **environment},
        )  # fmt: skip
        assert "Traceback" not in done.stdout + done.stderr
        return Outcome(done.returncode, done.stdout, done.stderr)

    return run


@pytest.fixture
def project(folder: Path) -> Path:
    """A project without findings in `desk/`."""
    root = folder / "desk"
    root.mkdir()
    for name, text in BASE.items():
        (root / name).write_text(text)
    return root


@pytest.fixture
def broken(project: Path) -> Path:
    """A project with an error in `agent.yaml` and a warning in `permissions.yaml`."""
    change(project / "agent.yaml", "model: fast", "model: fats")
    change(project / "permissions.yaml", "where: { amount: { maximum: 50 } }", "where: {}")
    change(project / "permissions.yaml", 'bind: { ticket_id: "${input.ticket_id}" }', "bind: {}")
    return project


@pytest.fixture
def edit() -> Callable[[Path, str, str], None]:
    """`edit(file, old, new)`: replace what must be there."""
    return change


def change(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
