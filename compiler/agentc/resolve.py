"""Resources to a program: names, referenced files and API operations are looked up, texts are compiled.

A name that leads nowhere is left out; the checks of family AC2 report it by comparing with the specs.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from .checks import (
    ac701_invalid_openapi,
    ac702_missing_document,
    ac703_digest_mismatch,
    ac704_unresolved_ref,
    ac705_unsupported_openapi,
    ac706_security_scheme,
    ac707_no_server,
    ac708_remote_ref,
    ac715_invalid_overlay,
    ac716_idle_overlay_action,
)
from .diagnostics import Diagnostic, Rule, Span
from .environments import authority_files
from .openapi import CompiledOperation, DocumentResult, Problem, compile_operations, problem_span
from .openapi.lock import Locked, lock_path, read_lock
from .openapi.parts import source_of
from .pages import without_page_arguments
from .program import Agent, BoundExpr, Broken, Grant, Program, SchemaData, State, Tool, Toolset
from .resources import Resource, Step
from .schema_places import schema_findings
from .source import SourceFile, SourceSet
from .stepping import bound_expressions
from .syntax.agent import AgentSpec
from .syntax.common import Closed
from .syntax.permissions import PermissionSetSpec
from .syntax.project import ProjectSpec
from .syntax.toolset import ToolsetSpec, ToolSpec
from .syntax.workflow import AgentStateSpec, EndStateSpec, StateSpec, ToolStateSpec
from .texts import Texts, compile_bound
from .typing_env import agent_environment, declared, state_output

MAX_DOCUMENT_BYTES = 64 * 1024 * 1024
MAX_OVERLAY_BYTES = 1024 * 1024
MAX_PROMPT_BYTES = 1024 * 1024
MAX_AUTHORITIES_BYTES = 1024 * 1024

#: The rule of each kind of problem that an API document can have.
_DOCUMENT_RULES: dict[str, Rule] = {
    rule.code: rule
    for rule in (
        ac701_invalid_openapi.RULE,
        ac702_missing_document.RULE,
        ac703_digest_mismatch.RULE,
        ac704_unresolved_ref.RULE,
        ac705_unsupported_openapi.RULE,
        ac706_security_scheme.RULE,
        ac707_no_server.RULE,
        ac708_remote_ref.RULE,
        ac715_invalid_overlay.RULE,
        ac716_idle_overlay_action.RULE,
    )
}

#: Reads a file of the project by its path and size limit; why not, when it can't.
Reader = Callable[[str, int], "SourceFile | str"]
S = TypeVar("S", bound=Closed)


class _Files:
    """The files that specs refer to, each read once, and the paths that could not be read."""

    def __init__(self, read: Reader) -> None:
        self._read = read
        self.files: dict[str, SourceFile] = {}
        self.absent: set[str] = set()

    def get(self, path: str, limit: int) -> SourceFile | str:
        """The file, or why it can't be read."""
        if path in self.files:
            return self.files[path]
        file = self._read(path, limit)
        if isinstance(file, str):
            self.absent.add(path)
        else:
            self.files[path] = file
        return file


def resolve(
    sources: SourceSet,
    resources: Sequence[Resource[Closed]],
    broken: Broken,
    *,
    read: Reader,
    cache: Path | None,
) -> tuple[Program, tuple[Diagnostic, ...]]:
    """The program that the resources make up, and the findings about files that they refer to."""
    schemas = schema_findings(resources)
    found: list[Diagnostic] = list(schemas.found)
    files = _Files(read)
    duplicates: list[tuple[Resource[Closed], Resource[Closed]]] = []
    projects = _by_name(resources, "Project", ProjectSpec, duplicates)
    toolset_resources = _by_name(resources, "Toolset", ToolsetSpec, duplicates)
    permission_sets = _by_name(resources, "PermissionSet", PermissionSetSpec, duplicates)
    agent_resources = _by_name(resources, "Agent", AgentSpec, duplicates)
    project_list = list(projects.values())
    for second in project_list[1:]:
        duplicates.append((second, project_list[0]))
    for path in authority_files(project_list[0].spec) if project_list else ():
        files.get(path, MAX_AUTHORITIES_BYTES)
    toolsets = {name: _toolset(resource, files, cache, found) for name, resource in toolset_resources.items()}
    tools = {tool.name: tool for toolset in toolsets.values() for tool in toolset.tools.values()}

    def prompt(path: str) -> SourceFile | str:
        return files.get(path, MAX_PROMPT_BYTES)

    agents = {
        name: _agent(resource, permission_sets, tools, Texts(resource, prompt), schemas.broken)
        for name, resource in agent_resources.items()
    }
    for agent in agents.values():
        for bound in bound_expressions(agent):
            found.extend(bound.problems)
        for state in agent.states.values():
            for text in state.texts.values():
                found.extend(text.problems)
    program = Program(
        root=sources.root,
        resources=tuple(resources),
        project=project_list[0] if project_list else None,
        toolsets=toolsets,
        permission_sets=permission_sets,
        agents=agents,
        tools=tools,
        duplicates=tuple(duplicates),
        files=files.files,
        absent=frozenset(files.absent),
        broken=broken,
    )
    return program, tuple(found)


def _by_name(
    resources: Iterable[Resource[Closed]],
    kind: str,
    model: type[S],
    duplicates: list[tuple[Resource[Closed], Resource[Closed]]],
) -> dict[str, Resource[S]]:
    """The resources of a kind; of two with one name the first, and the pair goes to `duplicates`."""
    named: dict[str, Resource[S]] = {}
    for resource in resources:
        if resource.kind != kind:
            continue
        assert isinstance(resource.spec, model)
        typed = Resource(resource.kind, resource.metadata, resource.spec, resource.node, resource.file)
        if resource.name in named:
            duplicates.append((resource, named[resource.name]))
        else:
            named[resource.name] = typed
    return named


def _toolset(
    resource: Resource[ToolsetSpec],
    files: _Files,
    cache: Path | None,
    found: list[Diagnostic],
) -> Toolset:
    path = resource.spec.openapi.file
    read = files.get(path, MAX_DOCUMENT_BYTES)
    document, file = None, None
    overlays: dict[str, SourceFile] = {}
    for index, name in enumerate(resource.spec.openapi.overlays):
        overlay = files.get(name, MAX_OVERLAY_BYTES)
        if isinstance(overlay, str):
            span = resource.span("openapi", "overlays", index)
            found.append(ac715_invalid_overlay.unreadable(span, name, overlay))
        else:
            overlays[name] = overlay
    parts: tuple[str, ...] = ()
    if isinstance(read, str):
        found.append(ac702_missing_document.report(resource.span("openapi", "file"), path, read))
    else:
        file = read
        wanted = [tool.operation for tool in resource.spec.tools.values()]
        lock = _lock(file, files)
        if isinstance(lock, Diagnostic):
            found.append(lock)
            return Toolset(resource, file, None, _tools(resource, None), tuple(overlays.values()))
        document = compile_operations(file, wanted, cache, tuple(overlays.values()), lock)
        problems = [*document.problems, *document.overlay_problems]
        problems += [one for several in document.operation_problems.values() for one in several]
        for problem in problems:
            if problem.file in overlays:
                where = (overlays[problem.file], problem)
            else:
                where = (file, problem) if lock is None else source_of(problem, file, lock.source)
            found.append(_problem_finding(*where))
        if lock is not None:
            parts = (lock.file.path, *(posixpath.join(lock.folder, path) for path in document.files))
    return Toolset(resource, file, document, _tools(resource, document), tuple(overlays.values()), parts)


def _lock(file: SourceFile, files: _Files) -> Locked | Diagnostic | None:
    """The lock beside a document, if it has one."""
    read = files.get(lock_path(file.path), MAX_DOCUMENT_BYTES)
    if isinstance(read, str):
        return None
    lock = read_lock(read, file, lambda path: files.get(path, MAX_DOCUMENT_BYTES))
    return _problem_finding(read, lock) if isinstance(lock, Problem) else lock


def _tools(resource: Resource[ToolsetSpec], document: DocumentResult | None) -> dict[str, Tool]:
    return {
        name: Tool(
            name=f"{resource.name}.{name}",
            local_name=name,
            toolset=resource,
            spec=spec,
            operation=_operation(document, spec),
        )
        for name, spec in resource.spec.tools.items()
    }


def _operation(document: DocumentResult | None, spec: ToolSpec) -> CompiledOperation | None:
    operation = document.operations.get(spec.operation) if document else None
    if operation is None or spec.pagination is None:
        return operation
    return without_page_arguments(operation, spec.pagination)


def _problem_finding(file: SourceFile, problem: Problem) -> Diagnostic:
    rule = _DOCUMENT_RULES[problem.code]
    return rule.at(problem_span(file, problem), problem.message, help=problem.help)


def _agent(
    resource: Resource[AgentSpec],
    permission_sets: Mapping[str, Resource[PermissionSetSpec]],
    tools: Mapping[str, Tool],
    texts: Texts,
    broken: frozenset[Span],
) -> Agent:
    spec = resource.spec
    sets = tuple(permission_sets[name] for name in spec.permissions if name in permission_sets)
    grants: dict[str, Grant] = {}
    twice: list[tuple[Grant, Grant]] = []
    for permission_set in sets:
        for index, grant_spec in enumerate(permission_set.spec.grants):
            tool = tools.get(grant_spec.tool)
            if tool is None:
                continue
            grant = Grant(permission_set, index, grant_spec, tool, _binds(permission_set, index))
            if tool.name in grants:
                twice.append((grant, grants[tool.name]))
            else:
                grants[tool.name] = grant
    start, specs = _states(spec, grants)
    paths = {name: ("workflow", "states", name) if spec.workflow is not None else () for name in specs}
    outputs = {
        name: state_output(resource, broken, state, paths[name], tools) for name, state in specs.items()
    }
    environment = agent_environment(resource, broken, outputs)
    output = None
    if spec.output is not None:
        output = declared(resource, broken, dict(spec.output.schema_), "output", "schema")
    states = {
        name: _state(name, state, paths[name], grants, outputs[name], environment, texts)
        for name, state in specs.items()
    }
    return Agent(
        resource=resource,
        permission_sets=sets,
        grants=grants,
        duplicate_grants=tuple(twice),
        start=start,
        states=states,
        environment=environment,
        output=output,
        prompt_files=frozenset(texts.files),
    )


def _binds(permission_set: Resource[PermissionSetSpec], index: int) -> dict[str, BoundExpr]:
    bound = {}
    for argument in permission_set.spec.grants[index].bind:
        node = permission_set.at("grants", index, "bind", argument)
        assert node is not None
        bound[argument] = compile_bound(node)
    return bound


def _states(spec: AgentSpec, grants: Mapping[str, Grant]) -> tuple[str, dict[str, StateSpec]]:
    """The workflow's states; without a workflow, one model loop over every granted tool."""
    if spec.workflow is not None:
        return spec.workflow.start, dict(spec.workflow.states)
    main = AgentStateSpec(type="agent", tools=tuple(sorted(grants)), output=spec.output, next="done")
    return "main", {"main": main, "done": EndStateSpec(type="end", output="${states.main.output}")}


def _state(
    name: str,
    spec: StateSpec,
    path: tuple[Step, ...],
    grants: Mapping[str, Grant],
    output: SchemaData,
    environment: Mapping[str, SchemaData],
    texts: Texts,
) -> State:
    used: tuple[str, ...] = ()
    if isinstance(spec, AgentStateSpec):
        used = spec.tools
    elif isinstance(spec, ToolStateSpec):
        used = (spec.tool,)
    return State(
        name=name,
        spec=spec,
        grants={tool: grants[tool] for tool in used if tool in grants},
        texts=texts.of_state(spec, path, environment),
        exprs=texts.exprs_of(spec, path),
        output=output,
        path=path,
    )
