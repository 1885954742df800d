"""The coverage of permission tests, as text and as data."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from ..report.findings import visible
from .coverage import Covered


def as_text(covered: Sequence[Covered], shown: Callable[[str], str]) -> Iterator[str]:
    """A line for each tool, below it a line for each part that no case notices, and the sum.

    `shown` gives the path of a file as it is shown.
    """
    for agent in sorted({one.agent for one in covered}):
        yield visible(f"permission tests of agent {agent}:")
        for tool in sorted({one.tool for one in covered if one.agent == agent}):
            parts = [one for one in covered if (one.agent, one.tool) == (agent, tool)]
            tested = sum(one.by is not None for one in parts)
            where = f"{shown(parts[0].grant.file)}:{parts[0].grant.line}"
            yield visible(f"  {tool}  {tested} of {len(parts)}  {where}")
            for part in parts:
                if part.by is None:
                    yield visible(f"      no case notices {part.what}, line {part.span.line}")
    noticed = sum(one.by is not None for one in covered)
    yield f"{noticed} of {len(covered)} parts of grants are tested"


def as_data(covered: Sequence[Covered], shown: Callable[[str], str]) -> list[dict[str, object]]:
    """A row for each part; `case` is the first that notices its absence, null when none does."""
    return [
        {
            "agent": one.agent,
            "tool": one.tool,
            "part": one.what,
            "file": shown(one.span.file),
            "line": one.span.line,
            "case": one.by,
        }
        for one in covered
    ]
