"""The places in a document that a JSONPath (RFC 9535) selects, in bounded time."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Final, TypeAlias

if TYPE_CHECKING:
    from jsonpath_rfc9535 import JSONPathEnvironment

#: Steps from the root: keys of objects and indexes of lists.
Location: TypeAlias = tuple[str | int, ...]

MAX_LENGTH: Final = 1_000
MAX_MATCHES: Final = 10_000
_QUOTED: Final = re.compile(r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*\"""")


class TargetError(Exception):
    """The path is not one that is carried out here. The message says why."""


def locations(target: str, root: dict[str, object]) -> list[Location]:
    """Where `target` leads to, in the order of the document, each place once.

    Raises:
        TargetError: it is not a JSONPath, or may take too long.
    """
    # Only documents with overlays pay for this import.
    from jsonpath_rfc9535 import JSONPathError

    if len(target) > MAX_LENGTH:
        raise TargetError(f"the target is longer than {MAX_LENGTH:,} characters")
    plain = _QUOTED.sub("''", target)
    # Each of these multiplies what is looked at; what corrections need stays far below.
    if plain.count("..") > 1 or plain.count("..") + plain.count("?") > 2 or plain.count("$") > 1:
        raise TargetError("the target looks through the document more often than is allowed")
    if plain.count("*") + plain.count(",") + plain.count(":") > 6 or plain.count("(") > 20:
        raise TargetError("the target selects more widely than is allowed")
    found: dict[Location, None] = {}
    try:
        for number, node in enumerate(_environment().finditer(target, root)):
            if number >= MAX_MATCHES:
                raise TargetError(f"the target matches more than {MAX_MATCHES:,} places")
            found[node.location] = None
    except JSONPathError as error:
        reason = str(error).partition(", line ")[0]
        raise TargetError(f"the target is not a JSONPath (RFC 9535): {reason}") from None
    return list(found)


@cache
def _environment() -> JSONPathEnvironment:
    """RFC 9535, with `match` and `search` on an engine that runs any pattern in bounded time."""
    from jsonpath_rfc9535 import JSONPathEnvironment
    from jsonpath_rfc9535.function_extensions import ExpressionType, FilterFunction

    class Pattern(FilterFunction):
        arg_types = [ExpressionType.VALUE, ExpressionType.VALUE]  # noqa: RUF012  as the library declares it
        return_type = ExpressionType.LOGICAL

        def __init__(self, form: str) -> None:
            self._form = form

        def __call__(self, text: object, pattern: object) -> bool:
            if not isinstance(text, str) or not isinstance(pattern, str):
                return False
            return _matches(self._form.format(pattern), text)

    environment = JSONPathEnvironment()
    environment.max_recursion_depth = 200
    environment.function_extensions |= {"match": Pattern("^(?:{})$"), "search": Pattern("{}")}
    return environment


def _matches(pattern: str, text: str) -> bool:
    from agentc_runtime.violations import compile_shape

    try:
        return compile_shape({"pattern": pattern}).is_valid(text)
    except ValueError:
        return False  # as RFC 9535 has it for what is no pattern (section 2.4.6)
