"""What the evals of the example agents measure: realistic breakages, and which of them they catch, and how.

The breakages in `breakages.yaml` are changes that somebody might make and that leave a sound project. The
model is a stand-in that works by what it is told, so that a worse prompt does a worse job. What other nets
would catch first (assertions, permission tests) is taken away: the evals have to do it alone.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml
from syrupy.assertion import SnapshotAssertion

from agentc.driver import check_project
from agentc.evals.evaluating import Options, evaluate

ROOT = Path(__file__).parents[2]
BREAKAGES = yaml.safe_load((Path(__file__).parent / "breakages.yaml").read_text(encoding="utf-8"))
pytestmark = pytest.mark.slow


class Caught(NamedTuple):
    """What an eval said: how many cases failed, all its reasons, and its first cause."""

    passed: bool
    failed: int
    said: tuple[str, ...]
    first: str


@pytest.fixture(scope="module")
def support() -> Iterator[Any]:
    """The modules of `tests/support`."""
    sys.path.insert(0, str(ROOT / "tests" / "support"))
    yield import_module
    sys.path.remove(str(ROOT / "tests" / "support"))


@pytest.fixture(scope="module")
def evaluated(support: Any) -> Iterator[Any]:
    """`evaluated(folder, edits)`: the support project with edits, evaluated with the stand-in."""
    stand_in, recording = support("stand_in"), support("record_evals")

    with stand_in.StandIn() as model, pytest.MonkeyPatch.context() as patch:
        patch.setenv("OPENAI_API_KEY", "key-of-the-stand-in")
        patch.setenv("ANTHROPIC_API_KEY", "key-of-the-stand-in")

        def run(folder: Path, edits: list[dict[str, str]]) -> Caught:
            project = folder / "support"
            shutil.copytree(
                ROOT / "specs" / "support", project, ignore=shutil.ignore_patterns("recordings", "tests")
            )
            recording.behind(project, model.url)
            (project / "assertions.yaml").unlink()
            for edit in edits:
                file = project / edit["file"]
                text = file.read_text(encoding="utf-8")
                assert edit["old"] in text, edit
                file.write_text(text.replace(edit["old"], edit["new"]), encoding="utf-8")
            result = check_project(project)
            if not result.ok:
                errors = [one for one in result.diagnostics if one.level == "error"]
                assert {one.code for one in errors} == {"AC840"}, errors
                return Caught(
                    False, len({one.span for one in errors}), (errors[0].message,), errors[0].message
                )
            one = result.program.evals["triage"]
            outcome = evaluate(result, one, Options(model="live"), folder=None).outcome
            said = [reason for case in outcome.cases for reason in case.reasons]
            said += [cause.example for cause in outcome.causes]
            failed = sum(case.passed < 1 for case in outcome.cases)
            first = outcome.causes[0].cause if outcome.causes else "not caught"
            return Caught(outcome.passed, failed, tuple(said), first)

        yield run


def test_the_agent_as_it_is_passes(evaluated: Any, tmp_path: Path) -> None:
    outcome = evaluated(tmp_path, [])
    assert outcome.passed, outcome


def test_breakages_are_caught_and_their_causes_are_named(
    evaluated: Any, tmp_path: Path, snapshot: SnapshotAssertion
) -> None:
    lines, caught = [], 0
    for number, breakage in enumerate(BREAKAGES):
        outcome = evaluated(tmp_path / str(number), breakage["edits"])
        lines.append(f"{breakage['name']}: {outcome.failed} cases\n    {outcome.first}")
        assert outcome.passed == ("uncaught" in breakage), breakage["name"]
        if not outcome.passed:
            caught += 1
            assert any(breakage["says"] in one for one in outcome.said), (breakage["name"], outcome.said)
    assert caught >= 18
    assert "\n".join([f"{caught} of {len(BREAKAGES)} are caught", *lines]) == snapshot
