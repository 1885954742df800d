"""Changes of grants as edits of the text that they are written in."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal

from agentc_runtime.canonical import canonical
from agentc_runtime.quoting import visible

from ..diagnostics import Edit, Span
from ..editing import EditError, Text, after, before
from ..predicates import FROM
from ..program import Agent
from ..resources import node_at
from ..scalars import elsewhere, resolve
from ..source import Map, Node, Scalar, Sequence, SourceFile, to_data
from .changes import Change

_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9_./-]*")
#: Keywords whose value is a list of which fewer are left.
_FEWER = frozenset({"enum", FROM})


def rewritten(agent: Agent, changes: Iterable[Change]) -> dict[str, SourceFile]:
    """The spec files with the changes written into them, by path.

    Raises:
        EditError: a change can't be written without touching what is not its own.
    """
    edits: dict[str, list[Edit]] = defaultdict(list)
    texts: dict[str, Text] = {}
    sources: dict[str, SourceFile] = {}

    def text_of(source: SourceFile) -> Text:
        sources[source.path] = source
        return texts.setdefault(source.path, Text(source))

    changes = list(changes)
    gone = {change.tool for change in changes if change.kind == "grant"}
    for tool, grant in agent.grants.items():
        own = [change for change in changes if change.tool == tool and change.kind != "grant"]
        source = grant.permission_set.file
        node = grant.permission_set.at("grants", grant.index)
        if own and tool not in gone and isinstance(node, Map):
            edits[source.path] += _Writer(text_of(source)).grant(node, own)
    for source, node, indexes in _lists(agent, gone):
        edits[source.path] += _Writer(text_of(source)).without(node, indexes)
    return {path: SourceFile(path, texts[path].edited(found)) for path, found in edits.items()}


def _lists(agent: Agent, gone: set[str]) -> Iterator[tuple[SourceFile, Sequence, set[int]]]:
    """The lists in which the tools that are no longer granted stand: grants, and tools of states."""
    dropped: dict[str, set[int]] = defaultdict(set)
    for name in gone:
        grant = agent.grants[name]
        dropped[grant.permission_set.name].add(grant.index)
    for found in agent.permission_sets:
        node = found.at("grants")
        if isinstance(node, Sequence) and found.name in dropped:
            if len(dropped[found.name]) == len(node.items):
                raise EditError(f"none of the grants of `{found.name}` would be left")
            yield found.file, node, dropped[found.name]
    for state in agent.states.values():
        node = agent.resource.at(*state.path, "tools")
        if isinstance(node, Sequence) and state.grants.keys() & gone:
            yield (
                agent.resource.file,
                node,
                {index for index, item in enumerate(node.items) if to_data(item) in gone},
            )


class _Writer:
    """Edits of one file."""

    def __init__(self, text: Text) -> None:
        self._text = text

    # --- what is put in ------------------------------------------------------------------------------------

    def grant(self, node: Map, changes: Iterable[Change]) -> Iterator[Edit]:
        limits = {change.name: change.limit for change in changes if change.kind == "argument"}
        quota = {change.name: change.count for change in changes if change.kind == "quota"}
        anchor = node_at(node, ("bind",)) or node_at(node, ("tool",))
        yield from self._put_map(node, "where", limits, anchor)
        yield from self._put_map(node, "quota", quota, None)

    def _put_map(
        self, node: Map, key: str, values: Mapping[str, object], anchor: Node | None
    ) -> Iterator[Edit]:
        if not values:
            return
        found = node_at(node, (key,))
        if isinstance(found, Map):
            yield from self._merge(found, values)
        elif found is not None:
            raise EditError(f"`{key}` at line {found.span.line} is no map that can be written into")
        elif key == "quota" or self._text.is_flow(node):
            yield self._add(node, f"{key}: {_flow(values)}", anchor)
        else:
            lines = [f"{key}:", *(f"  {_key(name)}: {_flow(value)}" for name, value in values.items())]
            yield self._add(node, "\n".join(lines), anchor)

    def _merge(self, node: Map, values: Mapping[str, object]) -> Iterator[Edit]:
        """Put values into a map, into what stands there under the same keys."""
        if not node.entries:
            yield Edit(node.span, _flow(values))
            return
        for key, value in values.items():
            found = node_at(node, (key,))
            if found is None:
                yield self._add(node, f"{_key(key)}: {_flow(value)}", None)
            elif isinstance(found, Map) and isinstance(value, Mapping):
                yield from self._merge(found, value)
            elif isinstance(found, Sequence) and key in _FEWER and isinstance(value, list):
                kept = {canonical(one) for one in value}
                items = enumerate(found.items)
                yield from self.without(
                    found, {i for i, item in items if canonical(to_data(item)) not in kept}
                )
            elif isinstance(found, Scalar) and not found.block and not isinstance(value, Mapping | list):
                yield Edit(found.span, _flow(value))
            else:
                raise EditError(
                    f"`{key}` at line {found.span.line} is written in a way that can't be changed"
                )

    def _add(self, node: Map, entry: str, anchor: Node | None) -> Edit:
        """An entry put into a map behind one of its values, by default the last one."""
        last = anchor or list(node.entries.values())[-1][1]
        if self._text.is_flow(node):
            return Edit(after(last.span), f", {entry}")
        indent = " " * (self._column(node) - 1)
        line = last.span.end_line + 1
        start = self._text.whole_lines(line, line)
        return Edit(before(start), "".join(f"{indent}{part}\n" for part in entry.split("\n")))

    def _column(self, node: Map) -> int:
        return next(iter(node.entries.values()))[0].span.column

    # --- what is taken out ---------------------------------------------------------------------------------

    def without(self, node: Sequence, indexes: set[int]) -> Iterator[Edit]:
        """A list without some of its items."""
        if not indexes:
            return
        if self._text.is_flow(node):
            yield from self._shorter(node, indexes)
        elif len(indexes) == len(node.items):
            raise EditError(f"the list at line {node.span.line} would be empty")
        else:
            yield from (self._dropped(node, index) for index in sorted(indexes))

    def _shorter(self, node: Sequence, indexes: set[int]) -> Iterator[Edit]:
        items = node.items
        first = next((index for index in range(len(items)) if index not in indexes), None)
        for index in sorted(indexes):
            if first is None and index == len(items) - 1:
                gap = items[index].span
            elif first is None or index < first:
                gap = _from_to(before(items[index].span), before(items[index + 1].span))
            else:
                gap = _from_to(after(items[index - 1].span), after(items[index].span))
            if "#" in self._text.between(gap).replace(self._text.between(items[index].span), ""):
                raise EditError(f"a comment stands in the list at line {gap.line}")
            yield Edit(gap, "")

    def _dropped(self, node: Sequence, index: int) -> Edit:
        """The lines of an item of a list, and the blank line between it and the one above it, or below."""
        item = node.items[index]
        line = item.span.line
        while line > 0 and not re.match(r"\s*-(\s|$)", self._text.line(line)):
            line -= 1
        start = line
        dash = self._text.line(line).find("-") + 1
        if line == 0 or (
            line == item.span.line and self._text.line(line)[dash : item.span.column - 1].strip()
        ):
            raise EditError(f"the list at line {item.span.line} is written in a way that can't be changed")
        end = item.span.end_line
        if index > 0 and not self._text.line(line - 1).strip():
            start -= 1
        elif index == 0 and end + 1 < node.span.end_line and not self._text.line(end + 1).strip():
            end += 1
        return Edit(self._text.whole_lines(start, end), "")


def _from_to(start: Span, end: Span) -> Span:
    return Span(start.file, start.line, start.column, end.line, end.column)


def _key(name: str) -> str:
    return name if _PLAIN.fullmatch(name) and isinstance(resolve(name), str) else _quoted(name)


def _flow(value: object) -> str:
    """A value on one line, quoted where a reader of YAML could take it for something else."""
    match value:
        case Mapping():
            inner = ", ".join(f"{_key(str(key))}: {_flow(one)}" for key, one in value.items())
            return f"{{ {inner} }}" if inner else "{}"
        case list() | tuple():
            return f"[{', '.join(map(_flow, value))}]"
        case str():
            plain = _PLAIN.fullmatch(value) and resolve(value) == value and elsewhere(value, value) is None
            return value if plain else _quoted(value)
        case float():
            return f"{Decimal(repr(value)):f}"
        case _:
            return json.dumps(value)


def _quoted(text: str) -> str:
    return visible(json.dumps(text, ensure_ascii=False))
