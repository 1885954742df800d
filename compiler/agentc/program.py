"""The resolved program: what all checks look at and what `lower` turns into a bundle.

Names that could not be resolved are absent here; the checks of family AC2 compare with what the
resources say and report them, and every other check passes over them: one cause, one finding.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from agentc_runtime.expressions import Expr, Template

from .diagnostics import Diagnostic, Span
from .openapi import CompiledOperation, DocumentResult
from .openapi.lock import Locked
from .references import Reference
from .resources import Resource, Step
from .source import SourceFile
from .syntax.acceptances import AcceptanceSetSpec
from .syntax.agent import AgentSpec
from .syntax.assertions import AssertionSetSpec
from .syntax.common import Closed
from .syntax.permission_test import PermissionTestSpec
from .syntax.permissions import GrantSpec, PermissionSetSpec
from .syntax.project import ProjectSpec
from .syntax.toolset import ToolsetSpec, ToolSpec
from .syntax.workflow import StateSpec

if TYPE_CHECKING:
    from .evals.case import CaseSet
    from .syntax.eval import EvalSpec

#: A JSON Schema as plain data.
SchemaData = dict[str, object]


@dataclass(frozen=True)
class Tool:
    """A declared tool. `operation` is `None` when the document does not have it or it can't be compiled."""

    name: str
    local_name: str
    toolset: Resource[ToolsetSpec]
    spec: ToolSpec
    operation: CompiledOperation | None

    def span(self, *path: Step, key: bool = False) -> Span:
        """The span of something in the tool's declaration."""
        return self.toolset.span("tools", self.local_name, *path, key=key)


@dataclass(frozen=True)
class Toolset:
    """A toolset with its document. `document` is `None` when there is no file to read.

    `overlays` are the corrections to it, in the order in which they are applied, and `lock` is its lock.
    """

    resource: Resource[ToolsetSpec]
    file: SourceFile | None
    document: DocumentResult | None
    tools: Mapping[str, Tool]
    overlays: tuple[SourceFile, ...] = ()
    lock: Locked | None = None

    @property
    def parts(self) -> tuple[str, ...]:
        """The paths of the other files of the document that its operations reach."""
        if self.lock is None or self.document is None:
            return ()
        return tuple(self.lock.path(key) for key in self.document.files)


@dataclass(frozen=True)
class Grant:
    """A grant of a tool that exists."""

    permission_set: Resource[PermissionSetSpec]
    index: int
    spec: GrantSpec
    tool: Tool
    bind: Mapping[str, BoundExpr]

    def span(self, *path: Step, key: bool = False) -> Span:
        """The span of something in the grant."""
        return self.permission_set.span("grants", self.index, *path, key=key)


@dataclass(frozen=True)
class BoundExpr:
    """A `${…}` expression with the references in it and what is wrong with it."""

    expr: Expr
    references: tuple[tuple[Reference, Span], ...]
    problems: tuple[Diagnostic, ...]
    span: Span


@dataclass(frozen=True)
class CompiledText:
    """A template, compiled, with the paths it reads and what is wrong with it."""

    template: Template
    reads: frozenset[tuple[str, ...]]
    problems: tuple[Diagnostic, ...]
    span: Span


@dataclass(frozen=True)
class State:
    """A state with its texts and expressions compiled. `grants` are those of its tools that are granted.

    `inside` is the state whose branch it is part of, and the branch, which in a `map` has no name. `handoff`
    is the agent that it hands off to, `None` when that is not there, or leads back here.
    """

    name: str
    spec: StateSpec
    grants: Mapping[str, Grant]
    texts: Mapping[str, CompiledText]
    exprs: Mapping[str, BoundExpr]
    output: SchemaData
    path: tuple[Step, ...]
    inside: tuple[str, str] | None = None
    handoff: Agent | None = None


@dataclass(frozen=True)
class Agent:
    """An agent with its permissions and its workflow. `states` holds the implied state if there is none, and
    those of the branches of its states as well; `twice` are the paths of states whose names were taken.

    `output` is the schema of the result, `None` when that is text.
    """

    resource: Resource[AgentSpec]
    permission_sets: tuple[Resource[PermissionSetSpec], ...]
    grants: Mapping[str, Grant]
    duplicate_grants: tuple[tuple[Grant, Grant], ...]
    start: str
    states: Mapping[str, State]
    environment: Mapping[str, SchemaData]
    output: SchemaData | None
    prompt_files: frozenset[str]
    twice: tuple[tuple[Step, ...], ...] = ()

    @property
    def spec(self) -> AgentSpec:
        """The agent's spec."""
        return self.resource.spec

    def span(self, *path: Step, key: bool = False) -> Span:
        """The span of something in the agent's spec."""
        return self.resource.span(*path, key=key)


@dataclass(frozen=True)
class Broken:
    """What could not be parsed: names that exist but are not known, so that nothing calls them unknown."""

    names: frozenset[tuple[str, str]] = frozenset()
    unreadable: bool = False

    def with_resource(self, kind: str | None, name: str | None) -> Broken:
        """Remember a resource that has errors; one whose name can't be told hides every name."""
        if kind is None or name is None:
            return Broken(self.names, True)
        return Broken(self.names | {(kind, name)}, self.unreadable)

    def with_unreadable(self, unreadable: bool) -> Broken:
        """Remember that a document could not be read."""
        return Broken(self.names, self.unreadable or unreadable)

    def any(self, kind: str) -> bool:
        """Whether a resource of this kind may exist in what could not be parsed."""
        return self.unreadable or any(found == kind for found, _ in self.names)

    def hides(self, kind: str, name: str) -> bool:
        """Whether a resource of this name may exist in what could not be parsed."""
        return self.unreadable or (kind, name) in self.names


@dataclass(frozen=True)
class Program:
    """One project, resolved. `files` are those that specs refer to, `absent` those that can't be read."""

    root: Path
    resources: tuple[Resource[Closed], ...]
    project: Resource[ProjectSpec] | None
    toolsets: Mapping[str, Toolset]
    permission_sets: Mapping[str, Resource[PermissionSetSpec]]
    agents: Mapping[str, Agent]
    tools: Mapping[str, Tool]
    duplicates: tuple[tuple[Resource[Closed], Resource[Closed]], ...]
    files: Mapping[str, SourceFile]
    assertion_sets: Mapping[str, Resource[AssertionSetSpec]] = field(default_factory=dict)
    permission_tests: Mapping[str, Resource[PermissionTestSpec]] = field(default_factory=dict)
    acceptance_sets: Mapping[str, Resource[AcceptanceSetSpec]] = field(default_factory=dict)
    evals: Mapping[str, Resource[EvalSpec]] = field(default_factory=dict)
    cases: Mapping[str, CaseSet] = field(default_factory=dict)
    absent: frozenset[str] = frozenset()
    broken: Broken = Broken()
