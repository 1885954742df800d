"""Which agents of two sides are the same: by name, and by project where there are several."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TypeVar

from .values import Side

T = TypeVar("T")


def paired(old: Side, new: Side) -> tuple[Side, Side, tuple[str, ...]]:
    """Both sides with the same name for the same agent, and the agents that are left out.

    One project against one is compared wherever they lie. A bundle is one agent, compared with that one.
    """
    if len(old.projects) == len(new.projects) == 1:
        old, new = _bare(old), _bare(new)
    if old.kind == new.kind or "bundle" not in (old.kind, new.kind):
        return old, new, ()
    bundle, other = (old, new) if old.kind == "bundle" else (new, old)
    other = _bare(other) if len(_bare(other).agents) == len(other.agents) else other
    name = next(iter(bundle.agents))
    left = tuple(sorted({*other.agents, *other.unknown} - {name}))
    other = replace(other, agents=_only(name, other.agents), unknown=_only(name, other.unknown))
    return (bundle, other, left) if old.kind == "bundle" else (other, bundle, left)


def _bare(side: Side) -> Side:
    return replace(
        side,
        agents={name.rpartition("/")[2]: one for name, one in side.agents.items()},
        unknown={name.rpartition("/")[2]: one for name, one in side.unknown.items()},
        safeguards={f" {key.partition(' ')[2]}": one for key, one in side.safeguards.items()},
    )


def _only(name: str, among: Mapping[str, T]) -> dict[str, T]:
    return {name: among[name]} if name in among else {}
