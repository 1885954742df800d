"""That a change of grants takes away and never gives, and that every recorded call comes out the same."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from msgspec.structs import replace as replace_in

from agentc_runtime import bundle as ir
from agentc_runtime.workflow import AgentState

from ..access import judged
from ..baseline import FORMAT, Baseline, growth, record
from ..diagnostics import Diagnostic
from ..driver import Result, check_loaded
from ..editing import EditError
from ..lowered import Lowered, can_lower, lower_agent
from ..source import SourceFile, SourceSet
from .changes import Change, Kept
from .evidence import Evidence
from .rewrite import rewritten


@dataclass(frozen=True)
class Project:
    """A project as it was loaded and checked, and one of its agents."""

    sources: SourceSet
    found: tuple[Diagnostic, ...]
    result: Result
    lowered: Lowered
    cache: Path | None


@dataclass(frozen=True)
class Proven:
    """Changes that hold together, and the files with them written in."""

    changes: tuple[Change, ...]
    files: Mapping[str, SourceFile]
    rejected: tuple[Kept, ...]


def prove(project: Project, evidence: Evidence, changes: Sequence[Change]) -> Proven:
    """The changes that can be written, never widen, and leave every recorded call and every check as it is.

    All at once, or where that fails as many as hold in their order.
    """
    files, problem = _attempt(project, evidence, changes)
    if problem is None:
        return Proven(tuple(changes), files, ())
    holding: list[Change] = []
    rejected: list[Kept] = []
    files = {}
    for change in changes:
        more, problem = _attempt(project, evidence, [*holding, change])
        if problem is None:
            holding.append(change)
            files = more
        else:
            what = "the grant" if change.kind == "grant" else f"`{change.name}`"
            rejected.append(Kept(change.tool, what, problem))
    return Proven(tuple(holding), files, tuple(rejected))


def _attempt(
    project: Project, evidence: Evidence, changes: Sequence[Change]
) -> tuple[Mapping[str, SourceFile], str | None]:
    """The files with the changes, and what is wrong with them, if anything is."""
    try:
        files = rewritten(project.lowered.agent, changes)
    except EditError as error:
        return {}, str(error)
    return files, next(_problems(project, evidence, files), None)


def _problems(project: Project, evidence: Evidence, files: Mapping[str, SourceFile]) -> Iterator[str]:
    if not files:
        return
    sources = replace(project.sources, files={**project.sources.files, **files})
    result = check_loaded(sources, project.found, cache=project.cache)
    yield from _errors(project.result.diagnostics, result.diagnostics)
    agent = result.program.agents.get(project.lowered.name)
    lowered = (
        lower_agent(result.program, agent)
        if agent is not None and can_lower(result.program, result.diagnostics)
        else None
    )
    if lowered is None:
        yield "the agent could no longer be built"
        return
    if _rest(lowered.program) != _rest(project.lowered.program):
        yield "it would change more than permissions"
    old = Baseline(format=FORMAT, agents={lowered.name: record(project.result.program, project.lowered)})
    for gained in growth(result.program, lowered, old):
        yield f"it would widen: {gained.what}"
    for call in evidence.calls:
        for replayed in call.replays:
            now = judged(lowered.judge.policy, replayed.call)
            if (now.outcome, now.by) != (replayed.before.outcome, replayed.before.by):
                yield f"a call of run `{call.run}` would come out otherwise: {now.message or now.outcome}"
    for refused in evidence.refusals:
        if judged(lowered.judge.policy, refused.call).outcome != "refused":
            yield f"a refused call of `{refused.call.name}` would no longer be refused"


def _rest(program: ir.Program) -> ir.Program:
    """A program without what permissions are made of, which `growth` compares, and what they reach."""
    states = {
        name: replace_in(state, tools=()) if isinstance(state, AgentState) else state
        for name, state in program.states.items()
    }
    return replace_in(program, tools={}, grants={}, states=states, environments={})


def _errors(before: Iterable[Diagnostic], after: Iterable[Diagnostic]) -> Iterator[str]:
    """The errors that were not there before. Lines move, and say nothing."""
    known = Counter((one.code, one.message) for one in before if one.level == "error")
    for one in after:
        if one.level == "error":
            known[one.code, one.message] -= 1
            if known[one.code, one.message] < 0:
                yield f"`validate` would find {one.code}: {one.message}"
