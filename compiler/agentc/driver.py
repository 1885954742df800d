"""From a folder to a resolved program and its findings: the only place that knows the order of the stages."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from .checks import ac115_empty_project, ac808_unused_suppression, ac809_suppression_without_reason
from .checks.registry import CHECKS
from .diagnostics import Diagnostic, Level, Span, is_always_error
from .load import load_project, read_file
from .parse import Suppression, parse_documents, suppressions
from .program import Broken, Program
from .resolve import resolve
from .resources import Resource, parse_resource
from .source import Map, Scalar, SourceFile, SourceSet
from .strays import stray_findings
from .syntax.common import Closed
from .syntax.kinds import KINDS
from .syntax.project import ProjectSpec
from .toolsets import Reader

#: Findings that come with a resource that could not be read, and of which not even the name is known.
_LOST = frozenset({"AC101", "AC102", "AC107", "AC108", "AC110"})
_COPIES = frozenset({"AC104", "AC105"})


@dataclass(frozen=True)
class Result:
    """What came of a project. `program` is there even with errors; `lower` takes it only without."""

    program: Program
    diagnostics: tuple[Diagnostic, ...]
    files: Mapping[str, SourceFile]

    @property
    def ok(self) -> bool:
        """No finding is an error."""
        return not any(diagnostic.level == "error" for diagnostic in self.diagnostics)


def check_project(root: Path, *, cache: Path | None = None) -> Result:
    """Load, parse, resolve and check one project. `cache` is a folder for compiled API documents."""
    return check_loaded(*load_project(root), cache=cache)


def check_loaded(
    sources: SourceSet,
    found: tuple[Diagnostic, ...],
    *,
    cache: Path | None = None,
    read: Reader | None = None,
) -> Result:
    """The same for a project whose specs, and findings about them, are there already.

    `read` gives the files that specs refer to; by default those that are there.
    """
    root = sources.root
    findings: list[Diagnostic] = list(found)
    resources: list[Resource[Closed]] = []
    broken = Broken(unreadable=any(finding.code in _LOST for finding in found))
    silenced: list[Suppression] = []
    unclear: list[Diagnostic] = []
    for file in sources.files.values():
        documents, problems = parse_documents(file)
        unclear.extend(problems)
        broken = broken.with_unreadable(any(problem.code in _LOST for problem in problems))
        # What an alias or a merge key makes of a resource is not what its author reads there.
        merged = any(problem.code in _COPIES for problem in problems)
        silenced.extend(suppressions(file))
        for document in documents:
            resource, problems = parse_resource(document)
            findings.extend(problems)
            if resource is not None and not merged:
                resources.append(resource)
            else:
                kind = _header(document.root, "kind")
                # A kind that does not exist was meant to be one that does: its name may be any kind's.
                broken = broken.with_resource(kind if kind in KINDS else None, _name(document.root))
    reader: Reader = read or (lambda path, limit: read_file(root, path, limit=limit))
    program, found = resolve(sources, resources, broken, read=reader, cache=cache)
    findings.extend(found)
    if all(resource.kind == "Project" for resource in resources) and not findings + unclear:
        findings.append(_nothing(sources))
    project = program.project
    strays = list(stray_findings(sources.others, _referred(program)))
    findings.extend(strays)
    levels = project.spec.rules if project else {}
    if any(_levelled(finding, levels).level == "error" for finding in strays):
        # what was in such a file is not known, so no name is called unknown because of it
        program = replace(program, broken=program.broken.with_unreadable(True))
    for check in CHECKS:
        findings.extend(check(program))
    handing = any(state.handoff for agent in program.agents.values() for state in agent.states.values())
    if program.assertion_sets or program.permission_tests or handing:
        from .deciding import decide

        findings.extend(decide(program, [*findings, *unclear]))
    findings = [*_readings(unclear, findings)]
    shown = {finding.span.file: sources.others[finding.span.file] for finding in strays}
    files = {**sources.files, **program.files, **shown}
    return Result(program, tuple(_settle(findings, project, silenced)), files)


def _referred(program: Program) -> set[str]:
    """The files that specs refer to, and those that a lock names for them."""
    paths = {*program.files, *program.absent}
    for toolset in program.toolsets.values():
        if toolset.lock is not None:
            paths |= {toolset.lock.path(key) for key in toolset.lock.header.files}
    return {posixpath.normpath(path) for path in paths}


def _nothing(sources: SourceSet) -> Diagnostic:
    first = next(iter(sources.files.values()), None)
    span = first.whole() if first else Span("agentc.yaml", 1, 1, 1, 2)
    return ac115_empty_project.report(
        span,
        "the project has nothing to compile",
        "add an agent; `agentc init` writes a project to begin with",
    )


def _readings(unclear: list[Diagnostic], findings: list[Diagnostic]) -> Iterator[Diagnostic]:
    """The findings about YAML, and the others: of two about the same text the one that is the cause.

    A value that is wrong however it is read is not ambiguous as well (AC109); any other finding about text
    that is no proper YAML only follows from that.
    """
    wrong = {finding.span for finding in findings if finding.code == "AC113"}
    kept = [finding for finding in unclear if finding.code != "AC109" or finding.span not in wrong]
    yield from kept
    for finding in findings:
        if not any(cause.code != "AC109" and _overlap(cause.span, finding.span) for cause in kept):
            yield finding


def _overlap(one: Span, other: Span) -> bool:
    return (
        one.file == other.file
        and (one.line, one.column) < (other.end_line, other.end_column)
        and (other.line, other.column) < (one.end_line, one.end_column)
    )


def _header(node: object, key: str) -> str | None:
    value = node.entries.get(key, (None, None))[1] if isinstance(node, Map) else None
    return str(value.value) if isinstance(value, Scalar) else None


def _name(node: object) -> str | None:
    metadata = node.entries.get("metadata", (None, None))[1] if isinstance(node, Map) else None
    return _header(metadata, "name")


def _settle(
    findings: Iterable[Diagnostic], project: Resource[ProjectSpec] | None, silenced: list[Suppression]
) -> Iterator[Diagnostic]:
    """Findings at the project's levels, without the suppressed ones, in source order, each once."""
    levels = project.spec.rules if project else {}
    kept: set[Diagnostic] = set()
    used: set[Suppression] = set()
    for finding in findings:
        suppression = next((s for s in silenced if _silences(s, finding)), None)
        if suppression is not None and suppression.reason:
            used.add(suppression)
            continue
        kept.add(_levelled(_wide(finding), levels))
    for suppression in silenced:
        if not suppression.reason:
            kept.add(_levelled(ac809_suppression_without_reason.report(suppression), levels))
        elif suppression not in used:
            kept.add(_levelled(ac808_unused_suppression.report(suppression), levels))
    shown = [finding for finding in kept if finding.level != "ignore"]
    yield from sorted(shown, key=lambda f: (f.span.file, f.span.line, f.span.column, f.code, f.message))


def _wide(finding: Diagnostic) -> Diagnostic:
    """The finding with a span of one character at least: a value that is not there has none."""
    span = finding.span
    if (span.line, span.column) != (span.end_line, span.end_column):
        return finding
    return finding._replace(span=span._replace(end_column=span.end_column + 1))


def _silences(suppression: Suppression, finding: Diagnostic) -> bool:
    return (
        suppression.code == finding.code
        and suppression.span.file == finding.span.file
        and suppression.line == finding.span.line
        and not is_always_error(finding.code)
    )


def _levelled(finding: Diagnostic, levels: Mapping[str, Level]) -> Diagnostic:
    level = levels.get(finding.code)
    if level is None or is_always_error(finding.code):
        return finding
    return finding._replace(level=level)
