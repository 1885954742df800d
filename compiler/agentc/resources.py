"""Documents to typed resources: each error of a model becomes a finding at the key or value it is about."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Generic, NamedTuple, TypeVar

from pydantic import ValidationError

from .checks import (
    ac111_unknown_key,
    ac112_missing_key,
    ac113_invalid_value,
    ac114_unknown_kind,
)
from .diagnostics import Diagnostic, Span, did_you_mean, nearest
from .phrasing import look_alike, rephrase, short
from .source import Document, Map, Node, Scalar, Sequence, SourceFile, span_at, to_data
from .syntax.common import API_VERSION, Closed, Metadata
from .syntax.kinds import KINDS

S = TypeVar("S", bound=Closed, covariant=True)  # noqa: PLC0105  one letter reads best in `Resource[S]`

_PARTS = frozenset({"apiVersion", "kind", "metadata", "spec"})

#: One step into a resource: a key or an index.
Step = str | int


@dataclass(frozen=True)
class Resource(Generic[S]):
    """One resource: its header, its typed `spec`, and the node that it came from."""

    kind: str
    metadata: Metadata
    spec: S
    node: Node
    file: SourceFile

    @property
    def name(self) -> str:
        """The name, unique in the kind."""
        return self.metadata.name

    def span(self, *path: Step, key: bool = False) -> Span:
        """The span of the value at `path` below `spec`, or of its key; of the nearest ancestor if absent."""
        return span_at(self.node, ("spec", *path), key=key)

    def at(self, *path: Step) -> Node | None:
        """The node at `path` below `spec`."""
        return node_at(self.node, ("spec", *path))

    def name_span(self) -> Span:
        """The span of the resource's name."""
        return span_at(self.node, ("metadata", "name"))


def node_at(node: Node, path: tuple[Step, ...]) -> Node | None:
    """The node at `path`, or `None`."""
    for step in path:
        if isinstance(node, Map) and isinstance(step, str) and step in node.entries:
            node = node.entries[step][1]
        elif not isinstance(node, Map | Scalar) and isinstance(step, int) and step < len(node.items):
            node = node.items[step]
        else:
            return None
    return node


def parse_resource(document: Document) -> tuple[Resource[Closed] | None, tuple[Diagnostic, ...]]:
    """The resource that a document holds, and what is wrong with it."""
    root = document.root
    found: list[Diagnostic] = list(_header_findings(root))
    kind = _text(root, "kind")
    if found or kind is None:
        return None, tuple(found)
    assert isinstance(root, Map)  # _header_findings has reported everything else
    for key, (name, _) in root.entries.items():
        if key not in _PARTS:
            found.append(ac111_unknown_key.report(name.span, key, sorted(_PARTS)))
    metadata = _validate(Metadata, root, "metadata", "`metadata`", found)
    spec = _validate(KINDS[kind], root, "spec", f"`{kind}`", found)
    if found or metadata is None or spec is None:
        return None, tuple(found)
    return Resource(kind, metadata, spec, root, document.file), ()


def _text(root: Node, key: str) -> str | None:
    node = node_at(root, (key,))
    return node.value if isinstance(node, Scalar) and isinstance(node.value, str) else None


def _header_findings(root: Node) -> Iterator[Diagnostic]:
    if not isinstance(root, Map):
        yield ac114_unknown_kind.report(
            root.span, "a resource is a map", f"begin with `apiVersion: {API_VERSION}` and `kind:`"
        )
        return
    version = _text(root, "apiVersion")
    if version is None:
        yield ac114_unknown_kind.report(
            _first_line(root), "the resource has no `apiVersion`", f"add `apiVersion: {API_VERSION}`"
        )
    elif version != API_VERSION:
        yield ac114_unknown_kind.report(
            span_at(root, ("apiVersion",)),
            f"unknown apiVersion `{version}`",
            f"this compiler reads `{API_VERSION}`",
        )
    kind = _text(root, "kind")
    if kind is None:
        yield ac114_unknown_kind.report(
            _first_line(root), "the resource has no `kind`", f"add `kind:` with one of {', '.join(KINDS)}"
        )
    elif kind not in KINDS:
        yield ac114_unknown_kind.report(
            span_at(root, ("kind",)), f"unknown kind `{kind}`", did_you_mean(kind, KINDS)
        )


def _first_line(node: Node) -> Span:
    span = node.span
    return Span(span.file, span.line, span.column, span.line, span.column + 1)


M = TypeVar("M", bound=Closed)


class _Part(NamedTuple):
    """`metadata` or `spec`: its key, its value, and what it is called in messages."""

    key: Scalar
    node: Node
    owner: str


class _Issue(NamedTuple):
    """One error of a validator."""

    kind: str
    loc: tuple[Step, ...]
    context: dict[str, object]
    message: str


def _validate(model: type[M], root: Map, part: str, owner: str, found: list[Diagnostic]) -> M | None:
    if part not in root.entries:
        # A misspelled key is one mistake: it is reported as unknown, not as missing as well.
        if not any(nearest(key, [part]) for key in root.entries.keys() - _PARTS):
            found.append(ac112_missing_key.report(_first_line(root), part, "the resource"))
        return None
    key, node = root.entries[part]
    try:
        return model.model_validate(to_data(node))
    except ValidationError as error:
        issues = [
            _Issue(str(issue["type"]), tuple(issue["loc"]), issue.get("ctx", {}), str(issue["msg"]))
            for issue in error.errors(include_url=False, include_input=False)
        ]
    unknown: dict[tuple[Step, ...], set[str]] = {}
    for issue in issues:
        if issue.kind == "extra_forbidden":
            unknown.setdefault(_real(node, issue.loc)[:-1], set()).add(str(issue.loc[-1]))
    for issue in issues:
        found.extend(_finding(model, _Part(key, node, owner), issue, unknown))
    return None


def _real(node: Node, loc: tuple[Step, ...]) -> tuple[Step, ...]:
    """A validator's location without the labels that it puts in: of a state's type, and of the shape of
    `auth`."""
    if loc[:2] == ("workflow", "states"):
        return (*loc[:1], *_unlabelled(loc[1:]))
    if loc[:1] == ("auth",):
        return (*loc[:1], *loc[2:])
    if loc[:1] == ("scorers",) and len(loc) > 2:
        return (*loc[:2], *loc[3:])
    if loc[:1] == ("cases",) and loc[2:3] == ("assert",) and len(loc) > 4:
        return (*loc[:4], *loc[5:])
    return loc


def _unlabelled(loc: tuple[Step, ...]) -> tuple[Step, ...]:
    """The same for a location that begins with `states`: they may hold `states` of their own."""
    kept, rest = loc[:2], loc[3:]
    kind = loc[2] if len(loc) > 2 else None
    if kind == "map" and rest[:1] == ("states",):
        return (*kept, *_unlabelled(rest))
    if kind == "parallel" and rest[:1] == ("branches",) and rest[2:3] == ("states",):
        return (*kept, *rest[:2], *_unlabelled(rest[2:]))
    if kind == "parallel" and rest[:1] == ("wait",):
        return (*kept, "wait")
    return (*kept, *rest)


def _finding(
    model: type[Closed], part: _Part, issue: _Issue, unknown: dict[tuple[Step, ...], set[str]]
) -> Iterator[Diagnostic]:
    node, kind, loc = part.node, issue.kind, issue.loc
    path = _real(node, loc)
    if kind == "extra_forbidden":
        known = _known_keys(model, loc[:-1])
        yield ac111_unknown_key.report(span_at(node, path, key=True), str(loc[-1]), known)
    elif kind == "missing":
        key = str(loc[-1])
        # A misspelled key is one mistake: it is reported as unknown, not as missing as well.
        if not any(nearest(name, [key]) for name in unknown.get(path[:-1], ())):
            if len(path) == 1:
                yield ac112_missing_key.report(part.key.span, key, part.owner)
            else:
                named = isinstance(path[-2], str)
                where = f"`{path[-2]}`" if named else f"this entry of `{path[-3]}`"
                yield ac112_missing_key.report(_one_line(span_at(node, path[:-1], key=named)), key, where)
    elif kind in {"union_tag_invalid", "union_tag_not_found"}:
        is_state = path[:1] == ("workflow",)
        if kind == "union_tag_not_found":
            owner = f"state `{path[-1]}`" if is_state else "the scorer"
            span = span_at(node, path, key=is_state)
            yield ac112_missing_key.report(span if is_state else _one_line(span), "type", owner)
        else:
            said = node_at(node, (*path, "type"))
            tag = said.text if isinstance(said, Scalar) else str(issue.context.get("tag"))
            known = re.findall(r"'(\w+)'", str(issue.context.get("expected_tags")))
            help_ = did_you_mean(tag, known) or f"known: {', '.join(f'`{name}`' for name in known)}"
            what = "state type" if is_state else "scorer"
            yield ac113_invalid_value.report(span_at(node, (*path, "type")), f"unknown {what} `{tag}`", help_)
    else:
        yield from _invalid(part, path, issue)


def _invalid(part: _Part, path: tuple[Step, ...], issue: _Issue) -> Iterator[Diagnostic]:
    is_key = bool(path) and path[-1] == "[key]"
    span = span_at(part.node, path[:-1] if is_key else path, key=is_key)
    value = node_at(part.node, path)
    while value is None and path and not is_key:  # one word that stands for a map
        path = path[:-1]
        value = node_at(part.node, path)
    if issue.kind == "too_short" and isinstance(value, Sequence) and value.items:
        return  # what is in the list is wrong, which is said there
    names = [step for step in path if isinstance(step, str)] or [str(part.key.value)]
    if is_key:
        shown = f"key `{path[-2]}`: "
    elif not isinstance(value, Scalar):
        shown = f"`{names[-1]}` "
    elif value.text == "":
        shown = f"`{names[-1]}` is empty: "
    else:
        shown = f"`{short(value)}`: "
    text, help_ = rephrase(issue.kind, issue.context, issue.message)
    if issue.kind == "string_pattern_mismatch" and isinstance(value, Scalar):
        help_ = look_alike(value.text) or help_
    yield ac113_invalid_value.report(_one_line(span), shown + text, help_)


def _one_line(span: Span) -> Span:
    if span.line == span.end_line:
        return span
    return Span(span.file, span.line, span.column, span.line, span.column + 1)


def _known_keys(model: type[Closed], loc: tuple[Step, ...]) -> list[str]:
    """The keys that the model at `loc` has, for a did-you-mean."""
    from typing import get_args

    def models_in(annotation: object) -> Iterator[type[Closed]]:
        if isinstance(annotation, type) and issubclass(annotation, Closed):
            yield annotation
        for argument in get_args(annotation):
            yield from models_in(argument)

    def keys(current: type[Closed]) -> list[str]:
        return [field.alias or name for name, field in current.model_fields.items()]

    current: list[type[Closed]] = [model]
    for step in loc:
        following: list[type[Closed]] = []
        for candidate in current:
            fields = {(field.alias or name): field for name, field in candidate.model_fields.items()}
            if isinstance(step, str) and step in fields:
                following.extend(models_in(fields[step].annotation))
        tagged = [c for c in current if _tag(c) == step]
        current = following or tagged or current
    return sorted({key for candidate in current for key in keys(candidate)})


def _tag(model: type[Closed]) -> object:
    from typing import get_args

    field = model.model_fields.get("type")
    return get_args(field.annotation)[0] if field is not None and get_args(field.annotation) else None
