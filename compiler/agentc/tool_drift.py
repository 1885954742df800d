"""What a newer document changes for one tool: what models see, what is sent, which specs name it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Literal, NamedTuple, TypeAlias

from .diagnostics import Span
from .openapi import CompiledOperation, DocumentResult, Entry
from .openapi.operation_changes import Change, operation_changes
from .pages import page_arguments, without_page_arguments
from .predicates import close_where, merge_limits
from .program import Program, Tool
from .resources import Resource
from .syntax.permissions import GrantSpec, PermissionSetSpec

Status: TypeAlias = Literal["changed", "renamed", "removed", "unusable", "usable"]


class Touched(NamedTuple):
    """A place in the project's specs that names something which has changed."""

    span: Span
    what: str


class ToolDrift(NamedTuple):
    """What has changed for one tool.

    `status`: `unusable` when the newer operation can't be compiled, `usable` when only the newer one can.
    `shown` says that a model would be shown something else, `sent` that requests are built in another way,
    `answered` that answers are others.
    """

    tool: str
    operation: str
    request: str
    status: Status
    changes: tuple[Change, ...] = ()
    touched: tuple[Touched, ...] = ()
    shown: bool = False
    sent: bool = False
    answered: bool = False


def tool_drift(
    tool: Tool, before: DocumentResult, after: DocumentResult, program: Program
) -> ToolDrift | None:
    """What changes for a tool from one document to another; `None` if nothing does."""
    name = tool.spec.operation
    old, new = before.operations.get(name), after.operations.get(name)
    if old is None and new is None:
        return None
    grants = list(_grants(program, tool))
    if old is None or new is None:
        known = old or new
        assert known is not None
        drift = ToolDrift(tool.name, name, f"{known.method} {known.path}", "usable", (), (), True, True, True)
        if new is not None:
            return drift
        touched = tuple(Touched(ps.span("grants", index, "tool"), "tool") for ps, index, _ in grants)
        status, changes = _lost(tool, before, after)
        return drift._replace(status=status, changes=changes, touched=touched)
    changes = tuple(operation_changes(old, new))
    if not changes:
        return None
    return ToolDrift(
        tool=tool.name,
        operation=name,
        request=f"{new.method} {new.path}",
        status="changed",
        changes=changes,
        touched=tuple(_touched(tool, grants, changes)),
        shown=_shown(tool, old, grants) != _shown(tool, new, grants),
        sent=_sent(tool, old) != _sent(tool, new),
        answered=old.responses != new.responses,
    )


def entry_of(document: DocumentResult, tool: Tool) -> Entry | None:
    """The operation of a tool in the list of a document's."""
    name = tool.spec.operation
    method, _, path = name.strip().partition(" ")
    for entry in document.entries:
        if entry.operation_id == name or (entry.method, entry.path) == (method.upper(), path.strip()):
            return entry
    return None


def _lost(tool: Tool, before: DocumentResult, after: DocumentResult) -> tuple[Status, tuple[Change, ...]]:
    """What became of an operation that can't be used any more."""
    if after.operation_problems.get(tool.spec.operation):
        reasons = after.operation_problems[tool.spec.operation]
        return "unusable", tuple(Change("operation", (), one.message) for one in reasons)
    entry = entry_of(before, tool)
    for other in after.entries if entry is not None else ():
        assert entry is not None
        if (other.method, other.path) == (entry.method, entry.path):
            name = other.name
        elif other.operation_id is not None and other.operation_id == entry.operation_id:
            name = f"{other.method} {other.path}"
        else:
            continue
        return "renamed", (Change("operation", (), f"is called `{name}` now", tool.spec.operation, name),)
    return "removed", (Change("operation", (), "is gone", tool.spec.operation, None),)


_Grant: TypeAlias = tuple[Resource[PermissionSetSpec], int, GrantSpec]


def _grants(program: Program, tool: Tool) -> Iterator[_Grant]:
    for permission_set in program.permission_sets.values():
        for index, grant in enumerate(permission_set.spec.grants):
            if grant.tool == tool.name:
                yield permission_set, index, grant


def _touched(tool: Tool, grants: list[_Grant], changes: tuple[Change, ...]) -> Iterator[Touched]:
    """The places that name an argument, or a field of an answer, that is another now."""
    real = [change for change in changes if change.path and not change.told_only]
    arguments = {change.path[0] for change in real if change.part in ("argument", "request")}
    fields = {_field(change.path) for change in real if change.part == "answer"}
    for permission_set, index, grant in grants:
        when = grant.approval.when if grant.approval is not None else None
        flow = grant.untrusted_to_effect
        named: list[tuple[tuple[str, ...], Iterable[str]]] = [
            (("where",), grant.where),
            (("bind",), grant.bind),
            (("approval", "when"), when or ()),
            (("untrusted_to_effect", "unless"), (flow.unless if flow is not None else None) or ()),
        ]
        for keys, names in named:
            for argument in names:
                if argument in arguments:
                    span = permission_set.span("grants", index, *keys, argument, key=True)
                    yield Touched(span, ".".join((*keys, argument)))
    for argument, path in page_arguments(tool.spec.pagination) if tool.spec.pagination is not None else ():
        if argument in arguments:
            yield Touched(tool.span("pagination", *path), f"pagination.{'.'.join(map(str, path))}")
    for index, argument in enumerate(tool.spec.destinations):
        if argument in arguments:
            yield Touched(tool.span("destinations", index), f"destinations: {argument}")
    for index, kept in enumerate(tool.spec.output.fields):
        if any(f"{kept}.".startswith(f"{field}.") or f"{field}.".startswith(f"{kept}.") for field in fields):
            yield Touched(tool.span("output", "fields", index), f"output.fields: {kept}")


def _field(path: tuple[str, ...]) -> str:
    """A path in an answer as `output.fields` writes it: items of lists count as the list."""
    return ".".join(step for step in path if not step.startswith(("[", "(")))


def _shown(tool: Tool, operation: CompiledOperation, grants: list[_Grant]) -> list[object]:
    """What models are shown of a tool."""
    if tool.spec.pagination is not None:
        operation = without_page_arguments(operation, tool.spec.pagination)
    words = tool.spec.description or operation.description or f"{operation.method} {operation.path}"
    if not grants:
        return [words, operation.arguments]
    return [
        words,
        *(
            merge_limits(
                operation.arguments, set(grant.bind), close_where(grant.where) if grant.where else None
            )
            for _, _, grant in grants
        ),
    ]


def _sent(tool: Tool, operation: CompiledOperation) -> list[object]:
    """What requests depend on."""
    servers = operation.servers if tool.toolset.spec.server is None else ()
    placed = (operation.segments, operation.query, operation.headers, operation.cookies, operation.body)
    return [operation.method, *placed, operation.security, servers]
