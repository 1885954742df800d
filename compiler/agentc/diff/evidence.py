"""What a bundle lets its agent do beyond an older version, as a file of the bundle.

It holds no path of a machine, no clock and no name that a user gave a side: the same two versions give the
same bytes.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from agentc_runtime.canonical import canonical

from .acceptance import judge
from .compare import HANDED, compare
from .data import as_data
from .values import Delta, Side

#: Its path in the bundle.
PRIVILEGES: Final = "evidence/privileges.json"


def evidence(old: Side, new: Side, agent: str) -> bytes:
    """The file for one agent of `new`. Acceptances stand in it with their last day, which nobody looks at."""
    delta = compare(_bare(old), _bare(new))
    others = {
        name for side in (delta.old, delta.new) for name in (*side.agents, *side.unknown) if name != agent
    }
    mine = replace(
        delta,
        changes=tuple(one for one in delta.changes if one.agent.partition(HANDED)[0] not in others),
        edits=tuple(one for one in delta.edits if one.agent.partition(HANDED)[0] not in others),
        bumps=tuple(one for one in delta.bumps if one.agent == agent),
    )
    return canonical(_recorded(mine))


def _recorded(delta: Delta) -> dict[str, object]:
    found = as_data(delta, judge(delta, None))
    return {**found, "format": "agentc.privileges/1"}


def _bare(side: Side) -> Side:
    """The side by what it is, and not by where it was found."""
    return replace(
        side,
        label=side.identity,
        agents={name: replace(one, base="") for name, one in side.agents.items()},
        safeguards={key: replace(one, at=replace(one.at, base="")) for key, one in side.safeguards.items()},
        unknown={
            name: replace(one, at=None if one.at is None else replace(one.at, base=""))
            for name, one in side.unknown.items()
        },
        accepted=tuple(replace(one, at=replace(one.at, base="")) for one in side.accepted),
    )
