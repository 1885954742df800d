"""Which models a state is compiled with: those that it begins with, and the one that it escalates to."""

from __future__ import annotations

from pathlib import Path

import pytest

from agentc.checks.base import BASE
from agentc.driver import check_project
from agentc.pipeline import bundle_files
from agentc_runtime.verify import load_bundle

LARGE = """\
    large:
      provider: anthropic
      model: claude-sonnet-4-5
      secret: openai_api_key
      prices: { input: 3, output: 15 }
      max_sensitivity: confidential
"""


def written(folder: Path, agent: str, *, sensitivity: str = "confidential") -> Path:
    """The smallest project with a second model, and one more line in the agent's spec."""
    models = LARGE.replace("confidential", sensitivity)
    for name, text in BASE.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        more = (
            text.replace("  environments:\n", f"{models}  environments:\n")
            if "kind: Project" in text
            else text
        )
        if "kind: Agent" in text:
            more = text.replace("  model: fast\n", f"  model: fast\n{agent}")
        path.write_text(more)
    return folder


def test_a_state_escalates_to_the_agents_model(tmp_path: Path) -> None:
    result = check_project(written(tmp_path, "  escalate_to: large\n"))
    assert result.diagnostics == ()
    program = load_bundle(bundle_files(result, result.program.agents["triage"])).program
    (state,) = [state for state in program.states.values() if hasattr(state, "models")]
    assert (state.models, state.escalation) == (("fast",), ("large",))
    assert sorted(program.models) == ["fast", "large"]


@pytest.mark.parametrize(
    ("agent", "sensitivity", "code"),
    [
        ("  escalate_to: lrage\n", "confidential", "AC204"),
        ("  escalate_to: large\n", "public", "AC503"),
    ],
)
def test_what_it_escalates_to_is_approved_like_any_other(
    tmp_path: Path, agent: str, sensitivity: str, code: str
) -> None:
    result = check_project(written(tmp_path, agent, sensitivity=sensitivity))
    assert code in {found.code for found in result.diagnostics}
