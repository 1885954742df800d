"""From a project and its recorded runs to narrower grants: the only place that knows the order."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from agentc_runtime.history import PastRun

from ..source import SourceFile
from .changes import Change, Kept
from .evidence import Evidence, collect
from .propose import propose
from .prove import Project, prove


@dataclass(frozen=True)
class Proposal:
    """What was looked at, what could be taken away, and the files without it.

    `digest` is that of the agent's bundle as the specs are. `changes` are proven: see `prove`.
    """

    agent: str
    version: str
    digest: str
    at_least: int
    evidence: Evidence
    changes: tuple[Change, ...]
    kept: tuple[Kept, ...]
    files: Mapping[str, SourceFile]


def tighten(
    project: Project,
    digest: str,
    runs: Iterable[PastRun],
    *,
    at_least: int,
    tools: Collection[str] = (),
    any_bundle: bool = False,
) -> Proposal:
    """Propose narrower grants for an agent. `runs` may be those of other agents as well."""
    lowered = project.lowered
    evidence = collect(lowered, runs, digest, any_bundle=any_bundle)
    changes: list[Change] = []
    kept: list[Kept] = []
    if evidence.runs:
        changes, kept = propose(project.result.program, lowered, evidence, at_least=at_least, tools=tools)
    proven = prove(project, evidence, changes)
    return Proposal(
        agent=lowered.name,
        version=lowered.program.agent.version,
        digest=digest,
        at_least=at_least,
        evidence=evidence,
        changes=proven.changes,
        kept=(*kept, *proven.rejected),
        files=proven.files,
    )
