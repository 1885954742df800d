"""Where a JSON pointer leads to in a document's text. Called only for what is shown to somebody.

The text is walked without building values: a JSON document of 13 MB takes a fraction of a second.
"""

from __future__ import annotations

import json
import re
from typing import NamedTuple

import yaml

from ..diagnostics import Span
from ..source import SourceFile
from .problem import MAX_DUPLICATES, Duplicate, Pointer, Problem
from .yamldata import MAX_DEPTH

_SPACE = re.compile(rb"[ \t\r\n]*")
_STRING = re.compile(rb'"(?:[^"\\]++|\\.)*+"', re.DOTALL)
_STRING_OR_BRACKET = re.compile(rb'"(?:[^"\\]++|\\.)*+"|[{}\[\]]', re.DOTALL)
_KEY_OR_PUNCTUATION = re.compile(rb'("(?:[^"\\]++|\\.)*+")([ \t\r\n]*:)?|[{}\[\],]', re.DOTALL)
_ATOM = re.compile(rb"[^\s,\]}]+")
_BOM = b"\xef\xbb\xbf"


class Place(NamedTuple):
    """A token on one line, counted from 1 in characters; the end is exclusive."""

    line: int
    column: int
    end_column: int


def problem_span(file: SourceFile, problem: Problem) -> Span:
    """The region of `file` that `problem` is about."""
    place = problem.place or position(file.data, problem.pointer)
    if place[0] > len(file.lines):  # the parser's end of a file whose last line has no end
        end = len(file.lines[-1]) + 1
        return Span(file.path, len(file.lines), end, len(file.lines), end + 1)
    return Span(file.path, place[0], place[1], place[0], place[2])


def position(data: bytes, pointer: Pointer) -> Place:
    """The value at `pointer` if it is a scalar, else its key; of the nearest ancestor that there is."""
    data = data.removeprefix(_BOM)
    start = _space(data, 0)
    if data[start : start + 1] in (b"{", b"["):
        try:
            return _json(data, start, pointer)
        except ValueError:
            pass  # a flow collection of YAML
    return _yaml(data, pointer) or Place(1, 1, 2)


class _NotJsonError(ValueError):
    """The text is not JSON after all."""


def _json(data: bytes, at: int, pointer: Pointer) -> Place:
    """The place by a scan for brackets and strings.

    Raises:
        ValueError: the text is not JSON.
    """
    token = (at, at + 1)
    for step in pointer:
        opening = data[at : at + 1]
        if opening not in (b"{", b"["):
            break
        found = _child(data, at, step, is_object=opening == b"{")
        if found is None:
            break
        token, at = found
    if data[at : at + 1] not in (b"{", b"["):
        end = _skip(data, at)
        token = (at, end) if end is not None else token
    return _token_place(data, token)


def _token_place(data: bytes, token: tuple[int, int]) -> Place:
    before = data.rfind(b"\n", 0, token[0]) + 1
    column = len(data[before : token[0]].decode(errors="replace")) + 1
    width = len(data[token[0] : token[1]].decode(errors="replace"))
    return Place(data.count(b"\n", 0, token[0]) + 1, column, column + max(width, 1))


def _child(data: bytes, at: int, step: str, *, is_object: bool) -> tuple[tuple[int, int], int] | None:
    """The token that names the child `step` of the collection at `at`, and where the child's value starts."""
    at = _space(data, at + 1)
    index = 0
    while data[at : at + 1] not in (b"", b"}", b"]"):
        token = (at, at + 1)
        name = str(index)
        if is_object:
            match = _STRING.match(data, at)
            if match is None:
                raise _NotJsonError
            token = match.span()
            name = json.loads(match.group(), strict=False)
            at = _space(data, _space(data, match.end()) + 1)
        if name == step:
            return token, at
        end = _skip(data, at)
        if end is None:
            raise _NotJsonError
        at = _space(data, end)
        if data[at : at + 1] == b",":
            at = _space(data, at + 1)
        index += 1
    return None


def _skip(data: bytes, at: int) -> int | None:
    """The end of the value at `at`."""
    if data[at : at + 1] not in (b"{", b"["):
        match = _STRING.match(data, at) or _ATOM.match(data, at)
        return match.end() if match else None
    depth = 0
    for match in _STRING_OR_BRACKET.finditer(data, at):
        token = match.group()
        if token in (b"{", b"["):
            depth += 1
        elif token in (b"}", b"]"):
            depth -= 1
            if depth == 0:
                return match.end()
    return None


def _space(data: bytes, at: int) -> int:
    match = _SPACE.match(data, at)
    return match.end() if match else at


def duplicate_keys(data: bytes) -> tuple[Duplicate, ...]:
    """The keys that stand twice in one object of valid JSON; one more than `MAX_DUPLICATES` at most."""
    found: list[Duplicate] = []
    seen: list[set[str] | None] = []
    steps: list[str | int] = []
    for match in _KEY_OR_PUNCTUATION.finditer(data):
        token = match[0]
        if token in (b"{", b"["):
            seen.append(set() if token == b"{" else None)
            steps.append(0)
        elif token in (b"}", b"]"):
            seen.pop()
            steps.pop()
        elif token == b",":
            step = steps[-1]
            steps[-1] = step + 1 if isinstance(step, int) else step
        elif match[2] is not None and (known := seen[-1]) is not None:
            key = json.loads(match[1], strict=False)
            steps[-1] = key
            if key in known:
                pointer = tuple(str(step) for step in steps)
                found.append(Duplicate(pointer, _token_place(data, match.span(1))))
                if len(found) > MAX_DUPLICATES:
                    break
            known.add(key)
    return tuple(found)


def too_deep(data: bytes) -> Place:
    """Where JSON that is nested too deeply for its parser passes the depth that YAML may have."""
    depth = 0
    for match in _STRING_OR_BRACKET.finditer(data):
        depth += {b"{": 1, b"[": 1, b"}": -1, b"]": -1}.get(match[0], 0)
        if depth > MAX_DEPTH:
            return _token_place(data, match.span())
    return Place(1, 1, 2)


class _Level:
    """A collection on the way down: whether the way to it is the pointer's, and the step it is at."""

    def __init__(self, *, is_map: bool, matches: bool) -> None:
        self.is_map = is_map
        self.matches = matches
        self.key: str | None = None
        self.key_place: Place | None = None
        self.index = -1


def _yaml(data: bytes, pointer: Pointer) -> Place | None:
    """The place by the parser's events; what stands behind an alias is placed at the alias."""
    best: Place | None = None
    levels: list[_Level] = []
    try:
        for event in yaml.parse(data, Loader=yaml.CSafeLoader):
            if isinstance(event, yaml.MappingEndEvent | yaml.SequenceEndEvent):
                if levels.pop().matches:
                    return best
                if levels:
                    levels[-1].key = None
                continue
            if not isinstance(event, yaml.NodeEvent):
                continue
            level = levels[-1] if levels else None
            place = _place(event)
            if level is not None and level.is_map and level.key is None:
                level.key = event.value if isinstance(event, yaml.ScalarEvent) else ""
                level.key_place = place
                continue
            matches = True
            if level is not None:
                level.index += 1
                depth = len(levels) - 1
                step = level.key if level.is_map else str(level.index)
                matches = level.matches and depth < len(pointer) and pointer[depth] == step
                level.key = None
            one_line = isinstance(event, yaml.ScalarEvent) and "\n" not in event.value
            if matches:
                named = level is not None and level.is_map and level.key_place is not None
                best = level.key_place if level and named and not one_line else place
                if len(levels) == len(pointer) and levels:
                    return best
            if isinstance(event, yaml.MappingStartEvent | yaml.SequenceStartEvent):
                levels.append(_Level(is_map=isinstance(event, yaml.MappingStartEvent), matches=matches))
    except yaml.YAMLError:
        return best
    return best


def _place(event: yaml.Event) -> Place:
    """Where an event starts, as wide as its text if that is on one line."""
    start, end = event.start_mark, event.end_mark
    if start is None or end is None:
        return Place(1, 1, 2)
    is_text = isinstance(event, yaml.ScalarEvent) and end.line == start.line
    width = end.column - start.column if is_text else 1
    return Place(start.line + 1, start.column + 1, start.column + 1 + max(width, 1))
