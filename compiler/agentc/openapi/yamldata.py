"""A provider's YAML as plain data: YAML 1.2 core scalars, bounded, from the C parser's events.

Unlike the project's own specs, such a document may use anchors, aliases and merge keys: providers do.
Aliases share their value, so they cost no memory, but count as often as they are used. The C composer is
not used because it crashes the process on deep nesting.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import yaml
from yaml import CSafeLoader

from .problem import MAX_DUPLICATES, Duplicate

MAX_DEPTH = 200
#: Nodes of a document, with each alias counted as the whole value that it stands for.
MAX_NODES = 2_000_000

_NULL = frozenset({"", "~", "null", "Null", "NULL"})
_BOOL = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_NUMBER_START = frozenset("+-.0123456789")
_INT = re.compile(r"[-+]?[0-9]+")
_OCTAL = re.compile(r"0o[0-7]+")
_HEX = re.compile(r"0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")
_MAX_DIGITS = 300
_CORE = "tag:yaml.org,2002:"


class YamlError(Exception):
    """The text is not YAML that is read here. `line` and `column` count from 1."""

    def __init__(self, message: str, line: int, column: int) -> None:
        super().__init__(message)
        self.line = line
        self.column = column


@dataclass(slots=True)
class _Frame:
    """A collection that is being read. `anchor` is its name, `before` the node count at its start."""

    value: dict[str, object] | list[object]
    anchor: str | None
    before: int
    key: str | None = None
    merge: list[dict[str, object]] = field(default_factory=list)
    merging: bool = False


def compose(data: bytes) -> tuple[object, tuple[Duplicate, ...]]:
    """The one document in `data`, and the keys that stand twice in a map: their first value is kept.

    Keys are strings, as written: `200:` is the key `"200"`.

    Raises:
        YamlError: not YAML, more than one document, a complex key, a key that stands twice where an alias
            may repeat it, a tag beyond the core ones, a number that JSON does not have, nesting deeper than
            `MAX_DEPTH`, more than `MAX_NODES` nodes.
    """
    composer = _Composer()
    try:
        for event in yaml.parse(data, Loader=CSafeLoader):
            composer.take(event)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        raise YamlError(f"the file is not YAML: {error.problem or 'unreadable'}", line, column) from error
    except yaml.YAMLError as error:
        first = str(error).splitlines()[0] if str(error) else "not YAML"
        raise YamlError(first, 1, 1) from error
    except UnicodeError as error:
        raise YamlError("not UTF-8", 1, 1) from error
    if composer.documents == 0:
        raise YamlError("the file is empty", 1, 1)
    return composer.result, tuple(composer.duplicates)


class _Composer:
    def __init__(self) -> None:
        self.result: object = None
        self.documents = 0
        self.duplicates: list[Duplicate] = []
        self._frames: list[_Frame] = []
        self._anchors: dict[str, tuple[object, int] | None] = {}
        self._nodes = 0

    def take(self, event: yaml.Event) -> None:
        """Take the next event of the stream."""
        if isinstance(event, yaml.ScalarEvent):
            self._count(1, event)
            frame = self._frames[-1] if self._frames else None
            if frame is not None and isinstance(frame.value, dict) and frame.key is None:
                self._key(frame, frame.value, event)
                return
            value = _scalar(event)
            self._anchor(event.anchor, value, 1)
            self._add(value, event)
        elif isinstance(event, yaml.MappingStartEvent | yaml.SequenceStartEvent):
            self._open(event)
        elif isinstance(event, yaml.MappingEndEvent | yaml.SequenceEndEvent):
            frame = self._frames.pop()
            if isinstance(frame.value, dict):
                for merged in frame.merge:
                    self._count(len(merged), event)
                    for key, value in merged.items():
                        frame.value.setdefault(key, value)
            self._anchor(frame.anchor, frame.value, self._nodes - frame.before)
            self._add(frame.value, event)
        elif isinstance(event, yaml.AliasEvent):
            self._alias(event)
        elif isinstance(event, yaml.DocumentStartEvent):
            self.documents += 1
            if self.documents > 1:
                raise _error("the file holds more than one YAML document", event)

    def _open(self, event: yaml.MappingStartEvent | yaml.SequenceStartEvent) -> None:
        is_map = isinstance(event, yaml.MappingStartEvent)
        self._count(1, event)
        if len(self._frames) >= MAX_DEPTH:
            raise _error(f"nested deeper than {MAX_DEPTH} levels", event)
        self._no_complex_key(event)
        tag = event.tag
        if tag not in (None, "!", _CORE + ("map" if is_map else "seq")):
            raise _error(f"the tag `{tag}` is not read", event)
        if event.anchor is not None:
            self._anchors[event.anchor] = None
        self._frames.append(_Frame({} if is_map else [], event.anchor, self._nodes - 1))

    def _key(self, frame: _Frame, value: dict[str, object], event: yaml.ScalarEvent) -> None:
        key = event.value
        if key == "<<" and event.implicit[0]:
            if frame.merging or frame.merge:
                raise _error("duplicate key `<<`", event)
            frame.merging = True
        elif key in value:
            self._duplicate(key, event)
        self._anchor(event.anchor, key, 1)
        frame.key = key

    def _duplicate(self, key: str, event: yaml.ScalarEvent) -> None:
        """Note a key that stands twice. What an alias may repeat stands at more places than one: refused."""
        shared = any(frame.anchor is not None or frame.merging for frame in self._frames)
        if shared or len(self.duplicates) >= MAX_DUPLICATES:
            raise _error(f"duplicate key `{key[:80]}`", event)
        steps = [
            frame.key or "" if isinstance(frame.value, dict) else str(len(frame.value))
            for frame in self._frames[:-1]
        ]
        mark, end = event.start_mark, event.end_mark
        assert mark is not None
        assert end is not None
        column = mark.column + 1
        width = end.column - mark.column if end.line == mark.line else 1
        self.duplicates.append(Duplicate((*steps, key), (mark.line + 1, column, column + max(width, 1))))

    def _alias(self, event: yaml.AliasEvent) -> None:
        self._no_complex_key(event)
        if event.anchor not in self._anchors:
            raise _error(f"the alias `{event.anchor}` has no anchor", event)
        known = self._anchors[event.anchor]
        if known is None:
            raise _error(f"the alias `{event.anchor}` stands inside of what it refers to", event)
        self._count(known[1], event)
        self._add(known[0], event)

    def _add(self, value: object, event: yaml.Event) -> None:
        if not self._frames:
            self.result = value
            return
        frame = self._frames[-1]
        if isinstance(frame.value, list):
            frame.value.append(value)
        elif frame.merging:
            parts = value if isinstance(value, list) else [value]
            frame.merge = [part for part in parts if isinstance(part, dict)]
            if len(frame.merge) != len(parts) or not parts:
                raise _error("`<<` takes a map or a list of maps", event)
            frame.merging, frame.key = False, None
        elif frame.key is not None:
            frame.value.setdefault(frame.key, value)
            frame.key = None

    def _anchor(self, anchor: str | None, value: object, size: int) -> None:
        if anchor is not None:
            self._anchors[anchor] = (value, size)

    def _no_complex_key(self, event: yaml.Event) -> None:
        frame = self._frames[-1] if self._frames else None
        if frame is not None and isinstance(frame.value, dict) and frame.key is None:
            raise _error("a key has to be a plain scalar", event)

    def _count(self, nodes: int, event: yaml.Event) -> None:
        self._nodes += nodes
        if self._nodes > MAX_NODES:
            raise _error(f"more than {MAX_NODES:,} values once the aliases are followed", event)


def _scalar(event: yaml.ScalarEvent) -> object:
    text = event.value
    tag = event.tag
    if tag is not None and tag not in ("!", _CORE + "str"):
        if tag.removeprefix(_CORE) not in ("null", "bool", "int", "float"):
            raise _error(f"the tag `{tag}` is not read", event)
        return _plain(text, event)
    return _plain(text, event) if tag is None and event.implicit[0] else text


def _plain(text: str, event: yaml.Event) -> object:
    """The value of a plain scalar (YAML 1.2.2, section 10.3.2)."""
    if text in _NULL:
        return None
    if text in _BOOL:
        return _BOOL[text]
    if text[0] not in _NUMBER_START:
        return text
    if len(text) > _MAX_DIGITS and _FLOAT.fullmatch(text):
        raise _error("the number has too many digits", event)
    if _INT.fullmatch(text):
        return int(text)
    if _OCTAL.fullmatch(text):
        return int(text[2:], 8)
    if _HEX.fullmatch(text):
        return int(text[2:], 16)
    if _FLOAT.fullmatch(text):
        number = float(text)
        if number in (float("inf"), float("-inf")):
            raise _error(f"the number `{text}` is too large", event)
        return number
    if _NOT_FINITE.fullmatch(text):
        raise _error(f"`{text}` is not a JSON number", event)
    return text


def _error(message: str, event: yaml.Event) -> YamlError:
    mark = event.start_mark
    return YamlError(message, mark.line + 1, mark.column + 1) if mark else YamlError(message, 1, 1)
