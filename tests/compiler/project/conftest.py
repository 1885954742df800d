"""Validating a folder as a user does, within bounds of time and memory."""

from __future__ import annotations

import resource
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from agentc.checks.base import BASE
from agentc.cli import invoke

SECONDS = 30
MEMORY = 1 << 30


class Outcome(NamedTuple):
    """The exit code and everything that was printed."""

    code: int
    text: str


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The base project, and the current folder."""
    folder = tmp_path / "desk"
    folder.mkdir()
    for name, text in BASE.items():
        (folder / name).write_text(text)
    monkeypatch.chdir(folder)
    monkeypatch.setenv("AGENTC_CACHE_DIR", str(tmp_path / "cache"))
    return folder


@pytest.fixture
def agentc(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Callable[..., Outcome]]:
    """A command in this process. It answers in time, and never with a traceback or an internal error."""

    def hang(*_: object) -> None:
        raise TimeoutError(f"no answer within {SECONDS} seconds")

    def run(*arguments: object) -> Outcome:
        monkeypatch.setattr(sys, "argv", ["agentc", *map(str, arguments)])
        capsys.readouterr()
        signal.alarm(SECONDS)
        try:
            code = invoke()
        finally:
            signal.alarm(0)
        captured = capsys.readouterr()
        text = captured.out + captured.err
        assert code in (0, 1, 2), text
        assert "Traceback" not in text
        return Outcome(code, text)

    before = signal.signal(signal.SIGALRM, hang)
    yield run
    signal.signal(signal.SIGALRM, before)


@pytest.fixture
def bounded(root: Path) -> Callable[..., Outcome]:
    """A command in a process that has a gigabyte of memory and half a minute."""

    def limit_memory() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))

    def run(*arguments: object) -> Outcome:
        done = subprocess.run(
            [sys.executable, "-m", "agentc", *map(str, arguments)],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, timeout=SECONDS,
            cwd=root,
            preexec_fn=limit_memory,
        )  # fmt: skip
        assert "Traceback" not in done.stdout
        return Outcome(done.returncode, done.stdout)

    return run
