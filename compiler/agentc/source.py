"""The files of a project as frozen values. Only `load` makes them: no other stage reads the disk."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from .diagnostics import Span


@dataclass(frozen=True)
class SourceFile:
    """One file: its path relative to the project's root in POSIX form, and its bytes."""

    path: str
    data: bytes

    @cached_property
    def sha256(self) -> str:
        """The digest of the bytes, in hex."""
        import hashlib

        return hashlib.sha256(self.data).hexdigest()

    @cached_property
    def text(self) -> str:
        """The content, with bytes that are not UTF-8 replaced. A byte order mark is dropped."""
        return self.data.decode("utf-8-sig", errors="replace")

    @cached_property
    def lines(self) -> list[str]:
        """The lines without their ends, split as YAML splits them."""
        return self.text.replace("\r\n", "\n").replace("\r", "\n").split("\n")

    def whole(self) -> Span:
        """The span of the file's first line: for findings about the file itself."""
        return Span(self.path, 1, 1, 1, max(2, len(self.lines[0]) + 1))


@dataclass(frozen=True)
class SourceSet:
    """A project's specs by path, and its `others`: small YAML files that do not say they are one.

    `root` is only for messages and for finding referenced files.
    """

    root: Path
    files: Mapping[str, SourceFile] = field(default_factory=dict)
    others: Mapping[str, SourceFile] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Scalar:
    """A YAML scalar: its YAML 1.2 core value, its text as written, and whether it was quoted."""

    value: str | int | float | bool | None
    span: Span
    text: str
    quoted: bool = False
    block: bool = False


@dataclass(frozen=True, slots=True)
class Sequence:
    """A YAML sequence."""

    items: tuple[Node, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Map:
    """A YAML mapping, in source order: key text → (key, value). Keys are unique strings."""

    entries: dict[str, tuple[Scalar, Node]]
    span: Span


Node = Scalar | Sequence | Map


@dataclass(frozen=True, slots=True)
class Document:
    """One YAML document of a file: `root` is its node. `line` is where it starts."""

    file: SourceFile
    root: Node
    line: int


def to_data(node: Node) -> object:
    """The plain Python value of a node."""
    if isinstance(node, Scalar):
        return node.value
    if isinstance(node, Sequence):
        return [to_data(item) for item in node.items]
    return {key: to_data(value) for key, (_, value) in node.entries.items()}


def node_of(value: object, span: Span) -> Node:
    """A node for a plain value that came from elsewhere: all of it stands at `span`."""
    if isinstance(value, dict):
        return Map(
            {
                str(key): (Scalar(str(key), span, str(key)), node_of(item, span))
                for key, item in value.items()
            },
            span,
        )
    if isinstance(value, list):
        return Sequence(tuple(node_of(item, span) for item in value), span)
    assert isinstance(value, str | int | float | bool | None)
    return Scalar(value, span, str(value), quoted=isinstance(value, str))


def span_at(node: Node, path: tuple[str | int, ...], *, key: bool = False) -> Span:
    """The span of the value at `path`, or with `key` of its key; of the nearest ancestor if it is absent.

    Steps that name nothing in a map (a validator's union labels) are passed over.
    """
    span = node.span
    for step in path:
        if isinstance(node, Map) and isinstance(step, str) and step in node.entries:
            name, node = node.entries[step]
            span = name.span if key else node.span
        elif isinstance(node, Sequence) and isinstance(step, int) and step < len(node.items):
            node = node.items[step]
            span = node.span
    return span
