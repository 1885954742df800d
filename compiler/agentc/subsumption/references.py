"""Where `$ref`s of one document lead, and which of two documents' lead to the same."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from hashlib import sha256
from typing import Final, TypeAlias

from agentc_runtime.canonical import canonical

from .budget import GaveUpError

#: The way from the root of a document to a schema.
Place: TypeAlias = tuple[str | int, ...]

#: How deep schemas may nest, and how many one question may read.
MAX_DEPTH: Final = 80
MAX_SCHEMAS: Final = 50_000
_DEFINITIONS: Final = "#/$defs/"


class Document:
    """A schema that `$ref`s resolve in."""

    def __init__(self, root: object) -> None:
        self._root = root
        self._entered = 0
        self._depth = 0
        self._used: dict[str, frozenset[str]] = {}
        self._identities: dict[str, bytes] = {}
        self._digests: dict[str, bytes] = {}

    @contextmanager
    def inside(self, place: Place) -> Iterator[None]:
        """Counts a schema that is read, and how deep that is.

        Raises:
            GaveUpError: there are too many, or it stands too deep.
        """
        self._entered += 1
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise GaveUpError(f"the schema at {self.shown(place[:4])} nests deeper than {MAX_DEPTH}")
        if self._entered > MAX_SCHEMAS:
            raise GaveUpError(f"the schema has more than {MAX_SCHEMAS:,} parts")
        yield
        self._depth -= 1

    def shown(self, place: Place) -> str:
        """A place as a reader writes it, `` `properties/amount` ``."""
        return f"`{'/'.join(str(step) for step in place)}`" if place else "the top"

    def follow(self, reference: object, place: Place) -> tuple[object, Place]:
        """The schema that a reference leads to, and where it stands.

        Raises:
            GaveUpError: it leads out of the document, or nowhere.
        """
        target: object = self._root
        where: list[str | int] = []
        if not isinstance(reference, str) or not (reference == "#" or reference.startswith("#/")):
            raise GaveUpError(f"the `$ref` at {self.shown(place)} leads out of the schema")
        for step in reference[2:].split("/") if reference != "#" else ():
            name = step.replace("~1", "/").replace("~0", "~")
            found: object = None
            if isinstance(target, Mapping):
                found = target.get(name)
            elif isinstance(target, list) and name.isascii() and name.isdigit() and int(name) < len(target):
                found = target[int(name)]
            if found is None or "%" in step:
                raise GaveUpError(f"the `$ref` at {self.shown(place)} leads nowhere")
            target = found
            where.append(name)
        return target, tuple(where)

    def identity(self, reference: object, place: Place) -> bytes:
        """Equal for references of any documents that lead to equal schemas, with all that those refer to.

        Raises:
            GaveUpError: as `follow`.
        """
        assert isinstance(reference, str)  # `follow` refuses the rest
        found = self._identities.get(reference)
        if found is None:
            self.follow(reference, place)
            closure = self.closure({"$ref": reference})
            found = self._identities[reference] = sha256(self._digest(reference) + closure).digest()
        return found

    def closure(self, schema: object) -> bytes:
        """The text of all definitions that `schema` refers to, directly or not; empty without any."""
        seen: set[str] = set()
        waiting = list(_references(schema))
        while waiting:
            reference = waiting.pop()
            if reference not in seen:
                seen.add(reference)
                waiting.extend(self._uses(reference) - seen)
        if not seen:
            return b""
        if not all(reference.startswith(_DEFINITIONS) for reference in seen):
            return self._digest("#")
        return b"".join(reference.encode() + self._digest(reference) for reference in sorted(seen))

    def _digest(self, reference: str) -> bytes:
        found = self._digests.get(reference)
        if found is None:
            found = sha256(canonical(self.follow(reference, ())[0])).digest()
            self._digests[reference] = found
        return found

    def _uses(self, reference: str) -> frozenset[str]:
        found = self._used.get(reference)
        if found is None:
            found = self._used[reference] = frozenset(_references(self.follow(reference, ())[0]))
        return found


def _references(schema: object) -> Iterator[str]:
    """Every text under a `$ref`. One too many, in an `enum`, makes two definitions differ, and no more."""
    waiting = [schema]
    while waiting:
        part = waiting.pop()
        if isinstance(part, Mapping):
            if isinstance(reference := part.get("$ref"), str):
                yield reference
            waiting.extend(part.values())
        elif isinstance(part, list):
            waiting.extend(part)
