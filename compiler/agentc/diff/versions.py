"""What a change asks of an agent's version.

A widening of severity high asks for a new major version, another one for a minor, and anything else that
differs for a patch. Below 1.0.0, where the major version stays 0, a minor version is enough for the first.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, Literal, TypeAlias

from .values import Bump, Change, Version

Level: TypeAlias = Literal["major", "minor", "patch", "none"]
_LEVELS: Final[tuple[Level, ...]] = ("none", "patch", "minor", "major")


def bump(agent: str, old: Version, new: Version, changes: Iterable[Change]) -> Bump:
    """What the changes of an agent ask of its version, and whether it was done."""
    severities = {change.severity for change in changes if change.widens}
    asked: Level = "none" if old.program == new.program else "patch"
    if severities:
        asked = "major" if "high" in severities else "minor"
    before, now = old.program.agent.version, new.program.agent.version
    if asked == "major" and _numbers(now)[0] == 0:
        asked = "minor"
    enough = _LEVELS.index(_made(before, now)) >= _LEVELS.index(asked)
    return Bump(agent, before, now, asked, enough, new.place("agent"))


def _made(before: str, now: str) -> Level:
    old, new = _numbers(before), _numbers(now)
    if new < old or before == now:
        return "none"
    if new == old:  # from one pre-release to another, or to the release
        return "patch"
    if old[0] != new[0]:
        return "major"
    return "patch" if old[1] == new[1] else "minor"


def _numbers(version: str) -> tuple[int, int, int]:
    core = version.partition("+")[0].partition("-")[0].split(".")
    major, minor, patch = (int(part) for part in core)
    return major, minor, patch
