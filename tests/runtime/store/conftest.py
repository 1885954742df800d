"""Claims, a clock that is set by hand, and children that are real processes."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from agentc_runtime.calls import Claim

MakeClaim = Callable[..., Claim]


class Clock:
    """The time, until it is set to another."""

    def __init__(self) -> None:
        self.now = datetime(2026, 3, 1, 12, 30, 15, 123_456, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "runs.db"


@pytest.fixture
def claim() -> MakeClaim:
    """`claim("call-1", per_run=1)`: a claim of one call, with changes."""

    def claim(call_id: str = "call-1", **changes: object) -> Claim:
        fields: dict[str, object] = {
            "run_id": "run-1",
            "agent": "triage",
            "tool": "desk.refund",
            "effect": "send",
            "arguments": {"amount": 5, "note": "zurück"},
            "request_digest": "0" * 64,
            "idempotency_key": "key-1",
            "per_run": None,
            "per_day": None,
        }
        return Claim(call_id=call_id, **{**fields, **changes})  # type: ignore[arg-type]

    return claim


@pytest.fixture
def spawn() -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """`spawn(source, *arguments)`: Python with `source` in a process of its own, ended with the test."""
    children: list[subprocess.Popen[str]] = []

    def spawn(source: str, *arguments: object) -> subprocess.Popen[str]:
        command = [sys.executable, "-c", source, *map(str, arguments)]
        child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        children.append(child)
        return child

    yield spawn
    for child in children:
        child.kill()
        child.communicate()
