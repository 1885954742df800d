"""State type `end`: the result of the run, or of a branch of it."""

from __future__ import annotations

from typing import Final

from ..once import Once
from ..values import ABSENT, evaluate, references
from ..workflow import EndState
from .answers import findings, listed
from .context import Run, Step
from .failures import failure

_read_by: Final = Once(references)


def run_end(run: Run, name: str, state: EndState) -> Step:
    """The result. That of a run is checked against what the agent promises.

    Raises:
        RefusedError: AR505 there is none, or it does not fit the agent's output schema.
    """
    output = evaluate(state.output, run.data)
    source_map = run.services.source_map
    if output is ABSENT:
        message = f"state `{name}` has no output: what it refers to is not there"
        raise failure(source_map, "AR505", message, key=f"state:{name}")
    found = () if run.output is None else findings(output, run.output)
    if found:
        message = f"the output does not fit its schema: {listed(found)}"
        raise failure(source_map, "AR505", message, key="output", value=found[0].value, path=found[0].path)
    return Step(next=None, output=output, label=run.label_of(_read_by(state.output)))
