"""What is wrong with a document, as values that know their place as a JSON pointer.

Positions are looked up only when a problem is shown: `position.locate` turns a pointer into line and column.
"""

from __future__ import annotations

from typing import Final, Literal, NamedTuple, TypeAlias
from urllib.parse import unquote

#: A JSON pointer (RFC 6901), unescaped: one string for each step, indexes of lists included.
Pointer: TypeAlias = tuple[str, ...]

#: The key of the main document below which its other files stand, by their key.
PARTS: Final = "x-agentc-files"

#: AC701 not a document that can be read, AC702 a locked file that is not there, AC703 one with other bytes,
#: AC704 `$ref` that leads nowhere, AC705 something that is not
#: supported or malformed in an operation, AC706 security scheme, AC707 server, AC708 `$ref` to another
#: document, AC715 an overlay that can't be applied, AC716 one of its actions that matches nothing, AC717 a
#: lock that shows something else than the document says, AC725 servers of an operation's own.
Code: TypeAlias = Literal[
    "AC701", "AC702", "AC703", "AC704", "AC705", "AC706", "AC707", "AC708", "AC715", "AC716", "AC717", "AC725"
]


class Problem(NamedTuple):
    """One problem. `place` is line, column and end column when the text could not even be parsed.

    `file` is the overlay that it is about; without it, it is about the document.
    """

    code: Code
    message: str
    pointer: Pointer = ()
    help: str | None = None
    place: tuple[int, int, int] | None = None
    file: str | None = None


def escaped(step: str) -> str:
    """A step of a JSON pointer as it stands in a `$ref`."""
    return step.replace("~", "~0").replace("/", "~1").replace("%", "%25").replace("#", "%23")


def written(pointer: Pointer) -> str:
    """A pointer as it stands behind the `#` of a `$ref`."""
    return "".join(f"/{escaped(step)}" for step in pointer)


#: Keys that stand twice in one document; with more of them it is refused as a whole.
MAX_DUPLICATES = 1000


class Duplicate(NamedTuple):
    """A key that stands twice in one object: where its value is, and the place of the second key."""

    pointer: Pointer
    place: tuple[int, int, int]

    def problem(self) -> Problem:
        """AC701: one of the two values would be lost."""
        key = self.pointer[-1] if len(self.pointer[-1]) <= 80 else self.pointer[-1][:79] + "…"
        return Problem(
            "AC701",
            f"an object has the key `{key}` twice",
            self.pointer,
            "remove one of the two; which of them counts is not said",
            self.place,
        )


class ProblemError(Exception):
    """Stops the compilation of one operation, or of an optional part of it, with the reason."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.message)
        self.problem = problem


class ImportProblem(Exception):
    """A document, or a file of it, can't be imported. `help` says what to do, when something can be done."""

    def __init__(self, message: str, help_: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.help = help_


def unsupported(message: str, pointer: Pointer, help_: str | None = None) -> ProblemError:
    """AC705 as an exception."""
    return ProblemError(Problem("AC705", message, pointer, help_))


def parse_reference(reference: str, pointer: Pointer) -> Pointer:
    """The steps of a `$ref` into the same document. `pointer` is where the reference stands.

    Raises:
        ProblemError: AC708 it leaves the document; AC704 it is not a JSON pointer.
    """
    if not reference.startswith("#"):
        raise ProblemError(
            Problem(
                "AC708",
                f"`$ref` to `{_short(reference)}` leaves the document",
                (*pointer, "$ref"),
                "import it with `agentc import openapi`, which copies and locks its files; no other is read",
            )
        )
    fragment = unquote(reference[1:])
    if fragment and not fragment.startswith("/"):
        raise ProblemError(
            Problem(
                "AC704",
                f"`$ref` to `{_short(reference)}` is neither a JSON pointer nor one schema's `$anchor`",
                (*pointer, "$ref"),
                "write `#/components/...`",
            )
        )
    return tuple(part.replace("~1", "/").replace("~0", "~") for part in fragment.split("/")[1:])


def find(root: object, pointer: Pointer) -> object:
    """The value at `pointer`.

    Raises:
        KeyError: there is none.
    """
    node = root
    for step in pointer:
        if isinstance(node, dict) and step in node:
            node = node[step]
        elif isinstance(node, list) and step.isascii() and step.isdigit() and int(step[:9]) < len(node):
            node = node[int(step[:9])]
        else:
            raise KeyError(step)
    return node


#: `$ref`s that lead to nothing but the next `$ref`: more than this is a loop or nonsense.
_CHAIN = 64


def follow(root: object, node: object, pointer: Pointer) -> tuple[object, Pointer]:
    """What `node` is after its `$ref`, if it is one, has been followed, and where that stands.

    Raises:
        ProblemError: AC704 it leads nowhere or in a circle; AC708 it leaves the document.
    """
    start = pointer
    for _ in range(_CHAIN):
        if not isinstance(node, dict) or not isinstance(reference := node.get("$ref"), str):
            return node, pointer
        target = parse_reference(reference, pointer)
        try:
            node = find(root, target)
        except KeyError:
            raise ProblemError(
                Problem("AC704", f"`$ref` to `{_short(reference)}` leads nowhere", (*pointer, "$ref"))
            ) from None
        pointer = target
    raise ProblemError(Problem("AC704", "`$ref` leads back to itself", (*start, "$ref")))


def _short(reference: str) -> str:
    return reference if len(reference) <= 120 else reference[:119] + "…"
