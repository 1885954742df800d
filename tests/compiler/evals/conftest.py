"""A small project with an eval, and runs made up by hand for scorers."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any, cast

import pytest
from pydantic import TypeAdapter

from agentc.checks.base import BASE
from agentc.driver import Result, check_project
from agentc.evals.case import Case
from agentc.evals.judging import Choice, Grade
from agentc.evals.observation import Call, Check, Observation, Turn, Visit
from agentc.evals.scorers.base import Said, Seen
from agentc.evals.scoring import scorer_of
from agentc.syntax.eval import EvalCaseSpec
from agentc.syntax.scorers import ScorerSpec
from agentc_runtime.environments import Environment, Secret
from agentc_runtime.models.embeddings import Vector
from agentc_runtime.secrets import Secrets

HEAD = "apiVersion: agentc/v1\nkind: Eval\nmetadata: { name: %s, version: 1.0.0, owner: support }\nspec:\n"


class FakeJudge:
    """Grades by the length of the text, and prefers the longer one: no model."""

    spent = Decimal(0)

    async def grade(self, alias: str, criteria: str, task: str, text: str) -> Grade:
        return Grade(min(5, len(text)), "by length")

    async def compare(self, alias: str, criteria: str, task: str, text: str, other: str) -> Choice:
        better = "text" if len(text) > len(other) else "other" if len(text) < len(other) else "equal"
        return Choice(better, "by length", better != "equal")

    async def embed(self, alias: str, texts: Sequence[str]) -> tuple[Vector, ...]:
        words = ("refund", "cup", "weather")
        return tuple(tuple(float(text.casefold().count(word)) for word in words) for text in texts)


def a_run(**fields: Any) -> Observation:
    """A refund of 18.5 EUR, as the support agent makes it, with some fields changed."""
    base: dict[str, Any] = {
        "status": "succeeded",
        "output": {"outcome": "refunded", "summary": "We have refunded 18.50 EUR for the broken cup."},
        "visits": (
            Visit(state="resolve", type="agent", output={"outcome": "refunded"}, gave=True, next="reply"),
            Visit(state="reply", type="tool", output=None, gave=True, next="done"),
            Visit(state="done", type="end", output=None),
        ),
        "calls": (
            Call(
                state="resolve", tool="desk.get_ticket", arguments={"ticket_id": "T-1"}, effect="read",
                status=200, sent=True, trust="untrusted", sensitivity="confidential",
                answer={"id": "T-1", "subject": "Broken cup", "amount": 18.5, "mail": "mia@customer.example"},
            ),
            Call(
                state="resolve", tool="desk.refund", arguments={"amount": 4000}, effect="send", rule="AR201",
                message="`amount` is 4000; the grant allows at most 50", at="permissions.yaml:8",
            ),
            Call(
                state="resolve", tool="desk.refund", arguments={"amount": 18.5, "ticket_id": "T-1"},
                effect="send", status=201, answer={"id": "R-1"}, trust="trusted", sensitivity="internal",
                sent=True, asked=True, approved=True,
            ),
        ),
        "turns": (Turn(state="resolve", model="fast", text="ok", calls=0, input=100, output=20),),
        "checks": (Check(state="resolve", model="fast", valid=True),),
        "tokens": 120,
        "cost_usd": "0.002",
        "seconds": 0.5,
    }  # fmt: skip
    return Observation(**{**base, **fields})


Ask = Callable[..., Said]


@pytest.fixture
def ask(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Ask:
    """`ask({"type": "exact", …}, run, expected=…)`: what a scorer says of a run."""
    secrets = Secrets(Environment(secrets={"token": Secret(env="TOKEN")}), {"TOKEN": "very-secret-value"})
    adapter: TypeAdapter[ScorerSpec] = TypeAdapter(ScorerSpec)

    def said(spec: dict[str, Any], run: Observation | None = None, **case: Any) -> Said:
        fields = {"id": "case", "input": {"ticket_id": "T-1"}, **case}
        one = EvalCaseSpec.model_validate(fields)
        span = cast("Any", None)
        seen = Seen(
            Case(one, one.input, {}, span),
            run or a_run(),
            cast("Any", None),
            secrets,
            cast("Any", FakeJudge()),
        )
        verdict = scorer_of(adapter.validate_python(spec))(seen)
        return asyncio.run(_awaited(verdict)) if inspect.isawaitable(verdict) else verdict

    return said


async def _awaited(verdict: Any) -> Said:
    return cast("Said", await verdict)


Write = Callable[..., Path]


@pytest.fixture
def project(tmp_path: Path) -> Write:
    """`project(evals, **files)`: the base project of the rules with an eval `triage`; its folder."""

    def write(text: str, **files: str) -> Path:
        root = tmp_path / "desk"
        root.mkdir(exist_ok=True)
        for name, content in {**BASE, "evals.yaml": HEAD % "triage" + text, **files}.items():
            target = root / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(content, encoding="utf-8")
        return root

    return write


@pytest.fixture
def checked(project: Write) -> Callable[..., Result]:
    """The same, checked."""

    def check(text: str, **files: str) -> Result:
        return check_project(project(text, **files))

    return check


@pytest.fixture
def run() -> Callable[..., Observation]:
    """`run(status="failed", …)`: the refund, with some fields changed."""
    return a_run
