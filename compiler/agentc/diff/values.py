"""The values of a comparison: two sides, what changed between them, and calls that show it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Final, Literal, TypeAlias

from agentc_runtime import bundle as ir
from agentc_runtime import labels
from agentc_runtime.policy import UNDOING

from ..access import Judge, ToolAccess, Verdict, accesses

#: What became of something: it is there, or lets more through; it lets less through, or is gone.
How: TypeAlias = Literal["added", "widened", "narrowed", "removed"]
Severity: TypeAlias = Literal["high", "medium", "low"]

MIRRORED: Final[Mapping[How, How]] = {
    "added": "removed",
    "widened": "narrowed",
    "narrowed": "widened",
    "removed": "added",
}
SEVERITIES: Final[tuple[Severity, ...]] = ("high", "medium", "low")


@dataclass(frozen=True)
class Version:
    """One version of one agent, as its bundle would hold it.

    `sources` are the digests of the files that went into it, by path, and `base` is put before their paths
    where they are shown.
    """

    program: ir.Program
    source_map: ir.SourceMap
    sources: Mapping[str, str]
    base: str = ""

    @cached_property
    def judge(self) -> Judge:
        """The broker's decision on calls."""
        return Judge(self.program, self.source_map)

    @cached_property
    def accesses(self) -> Mapping[str, ToolAccess]:
        """The granted tools that can be called, by name: in states, or to undo what was done."""
        found = {}
        for name, access in accesses(self.program).items():
            states = (*access.states, *((UNDOING,) if name in self.program.undoing else ()))
            if states:
                found[name] = replace(access, states=states)
        return found

    def place(self, key: str) -> Place | None:
        """Where what governs `key` is written."""
        at = ir.locate(self.source_map, key)
        return None if at is None else Place(at.file, at.line, self.base)

    def sha256(self, place: Place) -> str | None:
        """The digest of the file of a place."""
        return self.sources.get(place.file)


@dataclass(frozen=True)
class Place:
    """A line of a spec. `base` is put before the path in the project where it is shown."""

    file: str
    line: int
    base: str = ""

    def __str__(self) -> str:
        return f"{self.base}{self.file}:{self.line}"


@dataclass(frozen=True)
class Witness:
    """One call that the one version lets through further than the other, as the broker's policy decided.

    `arguments` is JSON as a model would write it, `read` what was read before it in each version, `made` the
    calls of the tool in the run and on the day that count already. `whole` are its arguments with those that
    are bound, whose values stand in all `origins`.
    """

    tool: str
    state: str
    arguments: str
    read: tuple[labels.Label, labels.Label]
    data: Mapping[str, object]
    whole: Mapping[str, object]
    origins: tuple[ir.Origin, ...]
    made: tuple[int, int]
    less: Verdict
    more: Verdict


@dataclass(frozen=True)
class Change:
    """One thing that an agent may do and could not, or could and may not.

    `what` is a sentence about `subject`, true of the version that lets more through. `before` and `now` are
    where it is written, and `lines` the limits that differ, in words. `unclear` says why it could not be
    decided, and then it counts as wider. `cause` are the changed files behind it when the file in which it is
    written is the same in both versions.
    """

    how: How
    code: str
    severity: Severity
    agent: str
    subject: str
    what: str
    before: Place | None = None
    now: Place | None = None
    lines: tuple[str, ...] = ()
    witness: Witness | None = None
    unclear: str = ""
    cause: tuple[str, ...] = ()

    @property
    def widens(self) -> bool:
        """Whether more is allowed than before."""
        return self.how in ("added", "widened")


@dataclass(frozen=True)
class Edit:
    """A change of behaviour: `lines` are a unified diff where it is a text."""

    agent: str
    subject: str
    what: str
    at: Place | None = None
    lines: tuple[str, ...] = ()


@dataclass(frozen=True)
class Bump:
    """The versions of one agent. `asked` is what the changes ask for, `made` what the author did."""

    agent: str
    before: str
    now: str
    asked: Literal["major", "minor", "patch", "none"]
    enough: bool
    at: Place | None = None


@dataclass(frozen=True)
class Safeguard:
    """Something that a project holds its changes to, or with `loosens` something that lets them pass.

    `key` is all that it says: two that say the same are one. `what` is a sentence about `subject`, true of
    the version that lets more pass.
    """

    key: str
    subject: str
    what: str
    severity: Severity
    loosens: bool
    at: Place


@dataclass(frozen=True)
class Owner:
    """Who may accept which widenings, as persons. What is empty says nothing."""

    people: frozenset[str]
    rules: tuple[str, ...]
    severities: tuple[str, ...]
    agents: tuple[str, ...]
    subjects: tuple[str, ...]


@dataclass(frozen=True)
class Acceptance:
    """Somebody accepts the change with this digest. `expires` is the last day, as `YYYY-MM-DD`."""

    delta: str
    by: str
    reason: str
    expires: str
    at: Place


@dataclass(frozen=True)
class Unknown:
    """An agent of which it is not known what it may do. `files` is the digest of all files of its project."""

    why: str
    files: str
    at: Place | None = None


@dataclass(frozen=True)
class Side:
    """All agents of one side. `label` is how the user named it, `identity` what it is wherever it is read.

    Agents are named by the path of their project, if it has one among `projects`, and their name.
    """

    label: str
    agents: Mapping[str, Version]
    kind: Literal["folder", "bundle", "revision"]
    identity: str
    unknown: Mapping[str, Unknown] = field(default_factory=dict)
    projects: frozenset[str] = frozenset({""})
    safeguards: Mapping[str, Safeguard] = field(default_factory=dict)
    owners: tuple[Owner, ...] = ()
    accepted: tuple[Acceptance, ...] = ()


@dataclass(frozen=True)
class Delta:
    """All that changed, privileges first. `digest` is the sha256 of it, whatever words it is told in, and
    `left_out` are agents that only one side can hold."""

    old: Side
    new: Side
    changes: tuple[Change, ...]
    edits: tuple[Edit, ...]
    bumps: tuple[Bump, ...]
    digest: str
    left_out: tuple[str, ...] = ()

    @property
    def widenings(self) -> tuple[Change, ...]:
        """What lets more through."""
        return tuple(change for change in self.changes if change.widens)
