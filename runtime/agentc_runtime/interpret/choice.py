"""State type `choice`: the first choice whose value satisfies its schema says where to go."""

from __future__ import annotations

from ..quoting import clipped
from ..values import ABSENT, lookup
from ..workflow import ChoiceState
from .answers import findings
from .context import Run, Step
from .failures import failure


def run_choice(run: Run, name: str, state: ChoiceState) -> Step:
    """Choose. An absent value satisfies nothing.

    Raises:
        RefusedError: AR505 no choice holds, and there is no default.
    """
    for choice in state.choices:
        value = lookup(choice.on.path, run.data)
        if value is not ABSENT and not findings(value, choice.when):
            return Step(next=choice.next)
    if state.default is not None:
        return Step(next=state.default)
    first = state.choices[0].on.path if state.choices else ()
    value = lookup(first, run.data)
    raise failure(
        run.services.source_map,
        "AR505",
        f"no choice of state `{name}` holds, and it has no `default`",
        key=f"state:{name}",
        value=None if value is ABSENT else clipped(value),
        path=".".join(first),
    )
