"""The outcome of an eval: what reports show, what is kept as evidence, what later runs compare with."""

from __future__ import annotations

from pathlib import Path
from typing import Final, Literal

import msgspec

from .causes import Cause
from .coverage import Coverage
from .gates import GateResult
from .summary import CaseResult, Summary

FORMAT: Final = "agentc.eval/1"


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """One eval of one bundle. Nothing in it depends on when it was run but the times that runs took.

    `partial` says that some cases were left out.
    """

    format: Literal["agentc.eval/1"] = FORMAT
    eval: str
    version: str
    agent: str
    agent_version: str
    bundle: str
    dataset: str
    environment: str
    model: str
    tools: str
    repeats: int
    seed: int
    partial: bool
    passed: bool
    gates: tuple[GateResult, ...]
    summary: Summary
    coverage: Coverage
    causes: tuple[Cause, ...]
    cases: tuple[CaseResult, ...]


class OutcomeError(Exception):
    """A file that is no outcome: one line that says why."""


def load_outcome(path: Path) -> Outcome:
    """Read an outcome that was written as JSON.

    Raises:
        OutcomeError: it can't be read, or is something else.
    """
    try:
        return msgspec.json.decode(path.read_bytes(), type=Outcome)
    except OSError as error:
        raise OutcomeError(f"`{path}` can't be read: {(error.strerror or 'unreadable').lower()}") from error
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise OutcomeError(f"`{path}` is no report of `agentc eval --format json`: {error}") from error


def encoded(outcome: Outcome) -> bytes:
    """The outcome as JSON text, with a line for each value so that a diff shows what changed."""
    return msgspec.json.format(msgspec.json.encode(outcome, order="sorted"), indent=2) + b"\n"
