"""A composer of YAML nodes from PyYAML's events that can't be exhausted.

PyYAML's own recurses (a file of `[[[[` ends the process), keeps the last of two equal keys, expands aliases
and knows only YAML 1.1. This one is a loop with a bound on depth and on nodes, and goes on after a finding.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from .characters import invisible_in
from .checks import (
    ac101_invalid_yaml,
    ac103_duplicate_key,
    ac104_anchor_or_alias,
    ac105_merge_key,
    ac106_tag,
    ac107_deceptive_character,
    ac108_too_large,
    ac109_ambiguous_scalar,
)
from .checks.ac108_too_large import MAX_DEPTH, MAX_NODES
from .diagnostics import Diagnostic, Span
from .scalars import elsewhere, resolve
from .source import Document, Map, Node, Scalar, Sequence, SourceFile
from .yaml_events import Event, EventReader, Mark, NextEvent

if TYPE_CHECKING:
    from yaml.error import MarkedYAMLError

_BOUNDARY = re.compile(r"^---(?=\s|\Z)", re.MULTILINE)
_TAG = re.compile(r"![^\s,\[\]{}]*")
#: Syntax errors of one file after which the rest is not tried.
_MOST_ERRORS = 50
_LONGEST_NAME = 80


class _TooLarge(Exception):
    """The file passes a bound; the finding is made already."""


class _Anchor:
    """An anchor of the current document. `node` is `None` until it is complete."""

    __slots__ = ("aliases", "name", "node", "span")

    def __init__(self, name: str, span: Span) -> None:
        self.name = name
        self.span = span
        self.node: Node | None = None
        self.aliases: list[Span] = []


class _Frame:
    """A mapping or list in the making. `name` is the key whose value comes next."""

    __slots__ = ("anchor", "end", "entries", "items", "key", "merged", "merging", "name", "start", "valued")

    def __init__(self, start: Span, anchor: _Anchor | None, *, mapping: bool) -> None:
        self.start = start
        self.end = start
        self.anchor = anchor
        self.entries: dict[str, tuple[Scalar, Node]] | None = {} if mapping else None
        self.items: list[Node] = []
        self.valued = False
        self.name: str | None = None
        self.key: Scalar | None = None
        self.merging = False
        self.merged: list[Node] = []


class Composer:
    """Composes one file. After `run`, `documents` and `found` hold what came of it."""

    def __init__(self, file: SourceFile, text: str, events: EventReader) -> None:
        self.documents: list[Document] = []
        self.found: list[Diagnostic] = []
        self._file = file
        self._path = file.path
        self._text = text
        self._events = events
        self._offset = 0
        self._line = 1
        self._nodes = 0
        self._anchors: list[_Anchor] = []
        self._named: dict[str, _Anchor] = {}
        self._stack: list[_Frame] = []

    def run(self) -> None:
        """Read the file to its end; after a syntax error go on with the next document."""
        from yaml.error import MarkedYAMLError

        for _ in range(_MOST_ERRORS):
            whole = len(self.documents)
            try:
                self._stream(self._events(self._text[self._offset :]))
            except _TooLarge:
                break
            except MarkedYAMLError as error:
                self._syntax_error(error)
                if "<document start>" in (error.problem or ""):  # the last document goes on after its end
                    del self.documents[max(whole, len(self.documents) - 1) :]
                at = error.problem_mark.index if error.problem_mark else 0
                boundary = _BOUNDARY.search(self._text, self._offset + max(1, at))
                if boundary is None:
                    break
                self._line += self._text.count("\n", self._offset, boundary.start())
                self._offset = boundary.start()
            else:
                break
        self._end_anchors()

    def _stream(self, next_event: NextEvent) -> None:
        from yaml import events as e

        stack = self._stack = []
        root: Node | None = None
        node: Node
        while (event := next_event()) is not None:
            kind: type[object] = type(event)
            if kind is e.ScalarEvent:
                node, span = self._scalar(event, stack[-1] if stack else None)
            elif kind is e.MappingStartEvent or kind is e.SequenceStartEvent:
                self._begin(event, stack, mapping=kind is e.MappingStartEvent)
                continue
            elif kind is e.MappingEndEvent or kind is e.SequenceEndEvent:
                node = self._end(event, stack.pop())
                span = node.span
            elif kind is e.AliasEvent:
                node, span = self._alias(event, len(stack))
            else:
                if kind is e.DocumentStartEvent:
                    self._directives(event)
                elif kind is e.DocumentEndEvent:
                    self._end_anchors()
                    if root is not None:
                        self.documents.append(Document(self._file, root, root.span.line))
                    root = None
                continue
            if stack:
                self._attach(stack[-1], node, span)
            elif not isinstance(node, Scalar) or node.text or node.quoted:
                root = node

    def _span(self, start: Mark, end: Mark) -> Span:
        line = self._line
        return Span(self._path, start.line + line, start.column + 1, end.line + line, end.column + 1)

    def _count(self, span: Span, nodes: int = 1) -> None:
        self._nodes += nodes
        if self._nodes > MAX_NODES:
            self.found.append(ac108_too_large.report_nodes(_first_character(span)))
            raise _TooLarge

    def _scalar(self, event: Event, frame: _Frame | None) -> tuple[Scalar, Span]:
        text = event.value
        style = event.style
        span = self._span(event.start_mark, event.end_mark)
        self._count(span)
        if style:
            block = style in "|>"
            if block:
                span = self._trimmed(span)
            node = Scalar(text, span, text, quoted=True, block=block)
        else:
            if not text and span.line > len(self._file.lines):  # nothing, behind a last line without an end
                at = self._point(event.start_mark)
                span = at._replace(end_column=at.column)
            node = Scalar(self._plain(text, span, frame), span, text)
        if event.anchor is not None or event.tag is not None:
            anchor = self._properties(event, span)
            if anchor is not None:
                anchor.node = node
        return node, span

    def _plain(self, text: str, span: Span, frame: _Frame | None) -> str | int | float | bool | None:
        try:
            value = resolve(text)
        except ValueError as error:
            self.found.append(ac101_invalid_yaml.report_number(span, text, str(error)))
            return None
        if isinstance(value, str):
            other = elsewhere(text, value)
        elif frame is not None and frame.entries is not None and not frame.valued:
            return value  # a key that is no text is a finding of its own
        else:
            other = elsewhere(text, value)
        if other is not None and value is not None:
            self.found.append(ac109_ambiguous_scalar.report(span, text, value, other))
        return value

    def _trimmed(self, span: Span) -> Span:
        """A block of text ends with its last line that is not blank, not where the next thing begins."""
        lines = self._file.lines
        last = min(span.end_line - (span.end_column == 1), len(lines))
        while last > span.line and not lines[last - 1].strip():
            last -= 1
        return Span(span.file, span.line, span.column, last, len(lines[last - 1]) + 1)

    def _begin(self, event: Event, stack: list[_Frame], *, mapping: bool) -> None:
        span = self._span(event.start_mark, event.end_mark)
        self._count(span)
        if len(stack) >= MAX_DEPTH:
            self.found.append(ac108_too_large.report_depth(_first_character(span)))
            raise _TooLarge
        anchor = None
        if event.anchor is not None or event.tag is not None:
            anchor = self._properties(event, span)
        stack.append(_Frame(span, anchor, mapping=mapping))

    def _end(self, event: Event, frame: _Frame) -> Node:
        end = frame.end
        if event.start_mark.index != event.end_mark.index:  # a flow collection: the bracket is its end
            end = self._span(event.start_mark, event.end_mark)
        start = frame.start
        span = Span(self._path, start.line, start.column, end.end_line, end.end_column)
        if frame.entries is None:
            node: Node = Sequence(tuple(frame.items), span)
        else:
            for merged in frame.merged:
                for source in merged.items if isinstance(merged, Sequence) else (merged,):
                    if isinstance(source, Map):
                        for name, entry in source.entries.items():
                            frame.entries.setdefault(name, entry)
            node = Map(frame.entries, span)
        if frame.anchor is not None:
            frame.anchor.node = node
        return node

    def _alias(self, event: Event, depth: int) -> tuple[Node, Span]:
        span = self._span(event.start_mark, event.end_mark)
        nothing = Scalar(None, span, "")
        anchor = self._named.get(event.anchor or "")
        if anchor is None:
            self._count(span)
            self.found.append(ac104_anchor_or_alias.report_alias(span, event.anchor or ""))
            return nothing, span
        anchor.aliases.append(span)
        if anchor.node is None:  # an alias inside what it names
            self._count(span)
            return nothing, span
        nodes, height = _measure(anchor.node)
        self._count(span, nodes)
        if depth + height > MAX_DEPTH:
            self.found.append(ac108_too_large.report_depth(_first_character(span)))
            raise _TooLarge
        return anchor.node, span

    def _attach(self, frame: _Frame, node: Node, span: Span) -> None:
        frame.end = span
        if frame.entries is None:
            frame.items.append(node)
        elif not frame.valued:
            frame.valued = True
            self._key(frame, node)
        else:
            frame.valued = False
            if frame.merging:
                frame.merged.append(node)
            elif frame.name is not None and frame.key is not None:
                frame.entries[frame.name] = (frame.key, node)

    def _key(self, frame: _Frame, node: Node) -> None:
        assert frame.entries is not None
        frame.key = None
        frame.name = None
        frame.merging = False
        if not isinstance(node, Scalar):
            self.found.append(ac101_invalid_yaml.report_key(_first_character(node.span), "", quotable=False))
            return
        name = node.text
        if name == "<<" and not node.quoted:
            self.found.append(ac105_merge_key.report(node.span))
            frame.merging = True
            return
        shown = name if len(name) <= _LONGEST_NAME else f"{name[:_LONGEST_NAME]}…"
        if not isinstance(node.value, str):
            self.found.append(ac101_invalid_yaml.report_key(node.span, shown, quotable=shown == name != ""))
        hidden = invisible_in(name)
        if hidden is not None:
            self.found.append(ac107_deceptive_character.report(node.span, hidden, key=True))
        if name in frame.entries:
            first = frame.entries[name][0].span
            self.found.append(ac103_duplicate_key.report(node.span, shown, first))
            return
        frame.key = node
        frame.name = name

    def _properties(self, event: Event, span: Span) -> _Anchor | None:
        """Report the tag of a node; note its anchor, which is reported with its aliases."""
        begin = self._offset + event.start_mark.index
        if event.tag is not None:
            written = _TAG.search(self._text, begin)
            tag = written[0] if written else event.tag
            at = written.start() if written else begin
            self.found.append(ac106_tag.report(self._inside(span, begin, at, tag), tag))
        name = event.anchor
        if name is None:
            return None
        at = max(begin, self._text.find(f"&{name}", begin))
        anchor = _Anchor(name, self._inside(span, begin, at, f"&{name}"))
        self._anchors.append(anchor)
        self._named[name] = anchor
        return anchor

    def _inside(self, span: Span, begin: int, at: int, text: str) -> Span:
        """The span of `text` at index `at`, in a node that starts at index `begin` with `span`."""
        line = span.line + self._text.count("\n", begin, at)
        column = span.column + at - begin
        if line > span.line:
            column = at - self._text.rfind("\n", begin, at)
        return Span(self._path, line, column, line, column + len(text))

    def _end_anchors(self) -> None:
        for anchor in self._anchors:
            self.found.append(ac104_anchor_or_alias.report_anchor(anchor.span, anchor.name, anchor.aliases))
        self._anchors.clear()
        self._named.clear()

    def _directives(self, event: Event) -> None:
        span = Span(self._path, event.start_mark.line + self._line, 1, event.start_mark.line + self._line, 2)
        if event.version is not None and tuple(event.version) != (1, 2):
            self.found.append(ac101_invalid_yaml.report_version(span))
        if event.tags:
            self.found.append(ac106_tag.report_directive(span))

    def _syntax_error(self, error: MarkedYAMLError) -> None:
        mark = error.problem_mark or error.context_mark
        at = self._offset + (mark.index if mark else 0)
        begin = self._point(error.context_mark) if error.context_mark else None
        span = self._point(mark)
        problem = error.problem or ""
        rest = self._text[at : at + 4].rstrip()
        opened = self._stack[-1].start if self._stack else span
        bracket = self._file.lines[opened.line - 1][opened.column - 1 : opened.column]
        if problem.startswith("did not find expected") and self._after_quote(at):
            self.found.append(ac101_invalid_yaml.report_after_quote(span))
        elif rest in ("", "---") and bracket in ("[", "{"):  # the end came too soon, whatever was expected
            self.found.append(ac101_invalid_yaml.report_unclosed(_first_character(opened), bracket))
        else:
            if rest[:1] == "{" and at and self._text[at - 1] == "$":
                at, rest = at - 1, "$"
                span = span._replace(column=span.column - 1)
            self.found.append(ac101_invalid_yaml.report_parser(span, begin, problem, rest[:1]))

    def _after_quote(self, at: int) -> bool:
        """A word follows a closing quote at index `at`: the quote was meant to be part of the text."""
        line = self._text.rfind("\n", 0, at) + 1
        before = self._text[line:at].rstrip(" ")
        return before.endswith(("'", '"')) and self._text[at : at + 1].strip(" \n#,:]}") != ""

    def _point(self, mark: Mark | None) -> Span:
        """The character at a mark of the parser, which may stand behind the file's end."""
        lines = self._file.lines
        line = min((mark.line if mark else 0) + self._line, len(lines))
        while line > 1 and mark is not None and mark.line + self._line > line and not lines[line - 1]:
            line -= 1
        beyond = mark is not None and mark.line + self._line > line
        column = (
            len(lines[line - 1]) + 1
            if beyond
            else min((mark.column if mark else 0), len(lines[line - 1])) + 1
        )
        return Span(self._path, line, column, line, column + 1)


def _first_character(span: Span) -> Span:
    return Span(span.file, span.line, span.column, span.line, span.column + 1)


def _measure(node: Node) -> tuple[int, int]:
    """How many nodes a tree has and how many levels: what an alias to it costs."""
    nodes = 0
    height = 0
    waiting = [(node, 1)]
    while waiting:
        node, level = waiting.pop()
        if isinstance(node, Scalar):
            nodes += 1
            continue
        height = max(height, level)
        children = node.items if isinstance(node, Sequence) else [value for _, value in node.entries.values()]
        nodes += 1 + len(children) * isinstance(node, Map)
        waiting.extend((child, level + 1) for child in children)
    return nodes, height
