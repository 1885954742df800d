"""Resources to a program: names, referenced files and API operations are looked up, texts are compiled.

A name that leads nowhere is left out; the checks of family AC2 report it by comparing with the specs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from graphlib import TopologicalSorter
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from .diagnostics import Diagnostic, Span
from .environments import authority_files
from .handoffs import handoffs, placed_states
from .program import Agent, BoundExpr, Broken, Grant, Program, SchemaData, State, Tool
from .resources import Resource
from .schema_places import schema_findings
from .source import SourceFile, SourceSet
from .stepping import bound_expressions
from .syntax.acceptances import AcceptanceSetSpec
from .syntax.agent import AgentSpec
from .syntax.assertions import AssertionSetSpec
from .syntax.common import Closed
from .syntax.permission_test import PermissionTestSpec
from .syntax.permissions import PermissionSetSpec
from .syntax.project import ProjectSpec
from .syntax.toolset import ToolsetSpec
from .syntax.workflow import (
    AgentStateSpec,
    HandoffStateSpec,
    ToolStateSpec,
)
from .texts import Texts, compile_bound
from .toolsets import Files, Reader, resolve_toolsets
from .typing_env import Placed, Typing, declared

if TYPE_CHECKING:
    from .evals.case import CaseSet
    from .syntax.eval import EvalSpec

MAX_PROMPT_BYTES = 1024 * 1024
MAX_AUTHORITIES_BYTES = 1024 * 1024
MAX_BASELINE_BYTES = 16 * 1024 * 1024
MAX_CASES_BYTES = 64 * 1024 * 1024

S = TypeVar("S", bound=Closed)


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
    files = Files(read)
    duplicates: list[tuple[Resource[Closed], Resource[Closed]]] = []
    projects = _by_name(resources, "Project", ProjectSpec, duplicates)
    toolset_resources = _by_name(resources, "Toolset", ToolsetSpec, duplicates)
    permission_sets = _by_name(resources, "PermissionSet", PermissionSetSpec, duplicates)
    agent_resources = _by_name(resources, "Agent", AgentSpec, duplicates)
    assertion_sets = _by_name(resources, "AssertionSet", AssertionSetSpec, duplicates)
    permission_tests = _by_name(resources, "PermissionTest", PermissionTestSpec, duplicates)
    acceptance_sets = _by_name(resources, "AcceptanceSet", AcceptanceSetSpec, duplicates)
    evals = _evals(resources, duplicates)
    project_list = list(projects.values())
    for second in project_list[1:]:
        duplicates.append((second, project_list[0]))
    for path in authority_files(project_list[0].spec) if project_list else ():
        files.get(path, MAX_AUTHORITIES_BYTES)
    toolsets, problems = resolve_toolsets(toolset_resources, files, cache, complete=not broken.any("Toolset"))
    found.extend(problems)
    tools = {tool.name: tool for toolset in toolsets.values() for tool in toolset.tools.values()}

    def prompt(path: str) -> SourceFile | str:
        return files.get(path, MAX_PROMPT_BYTES)

    agents: dict[str, Agent] = {}
    handed = handoffs({name: resource.spec for name, resource in agent_resources.items()})
    for name in TopologicalSorter(handed).static_order():
        inner = {other: agents[other] for other in handed[name]}
        texts = Texts(agent_resources[name], prompt)
        agents[name] = _agent(agent_resources[name], permission_sets, tools, texts, schemas.broken, inner)
    agents = {name: agents[name] for name in agent_resources}
    for assertion_set in assertion_sets.values():
        if assertion_set.spec.baseline is not None:
            files.get(assertion_set.spec.baseline, MAX_BASELINE_BYTES)
    for one in evals.values():
        for path in one.spec.files:
            files.get(path, MAX_CASES_BYTES)
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
        assertion_sets=assertion_sets,
        permission_tests=permission_tests,
        acceptance_sets=acceptance_sets,
        evals=evals,
        cases=_cases(agents, files.files, evals),
        absent=frozenset(files.absent),
        broken=broken,
    )
    return program, tuple(found)


def _evals(
    resources: Iterable[Resource[Closed]], duplicates: list[tuple[Resource[Closed], Resource[Closed]]]
) -> dict[str, Resource[EvalSpec]]:
    if not any(resource.kind == "Eval" for resource in resources):
        return {}
    from .syntax.eval import EvalSpec

    return _by_name(resources, "Eval", EvalSpec, duplicates)


def _cases(
    agents: Mapping[str, Agent], files: Mapping[str, SourceFile], evals: Mapping[str, Resource[EvalSpec]]
) -> dict[str, CaseSet]:
    if not evals:
        return {}
    from .evals.cases import read_cases

    return {name: read_cases(agents, files, one) for name, one in evals.items()}


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


def _agent(
    resource: Resource[AgentSpec],
    permission_sets: Mapping[str, Resource[PermissionSetSpec]],
    tools: Mapping[str, Tool],
    texts: Texts,
    broken: frozenset[Span],
    agents: Mapping[str, Agent],
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
            grant = Grant(permission_set, index, grant_spec, tool, binds_of(permission_set, index))
            if tool.name in grants:
                twice.append((grant, grants[tool.name]))
            else:
                grants[tool.name] = grant
    start, placed, taken = placed_states(spec, grants)
    environment, outputs = Typing(resource, broken, tools, agents).environment(placed)
    output = None
    if spec.output is not None:
        output = declared(resource, broken, dict(spec.output.schema_), "output", "schema")
    states = {
        name: _state(name, one, grants, outputs[name], environment, texts, agents)
        for name, one in placed.items()
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
        twice=taken,
    )


def binds_of(permission_set: Resource[PermissionSetSpec], index: int) -> dict[str, BoundExpr]:
    """The expressions that a grant binds arguments to."""
    bound = {}
    for argument in permission_set.spec.grants[index].bind:
        node = permission_set.at("grants", index, "bind", argument)
        assert node is not None
        bound[argument] = compile_bound(node)
    return bound


def _state(
    name: str,
    placed: Placed,
    grants: Mapping[str, Grant],
    output: SchemaData,
    environment: Mapping[str, SchemaData],
    texts: Texts,
    agents: Mapping[str, Agent],
) -> State:
    spec, path = placed.spec, placed.path
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
        inside=placed.inside,
        handoff=agents.get(spec.agent) if isinstance(spec, HandoffStateSpec) else None,
    )
