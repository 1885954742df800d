"""How a state fails: one refusal, the class that `retry` and `catch` know it by, the line that governs it."""

from __future__ import annotations

from ..bundle import SourceMap, locate
from ..refusals import Refusal, RefusedError
from ..workflow import ErrorClass

_CLASSES: dict[str, ErrorClass] = {
    "AR405": "timeout",
    "AR501": "limit",
    "AR502": "invalid_output",
    "AR503": "model_error",
    "AR504": "refused",
    "AR505": "invalid_output",
    "AR510": "timeout",
    "AR511": "unverified",
    "AR512": "tool_error",
}


def error_class(code: str) -> ErrorClass:
    """The class of a refusal's code: what is not named is `tool_error` in AR4, and else `refused`."""
    if code in _CLASSES:
        return _CLASSES[code]
    return "tool_error" if code.startswith("AR4") else "refused"


def matches(errors: tuple[ErrorClass, ...], code: str) -> bool:
    """Whether one of `errors` covers the code."""
    return "any" in errors or error_class(code) in errors


def failure(
    source_map: SourceMap, code: str, message: str, *, key: str, value: object = None, path: str = ""
) -> RefusedError:
    """The error that carries a refusal whose spec line is the one of `key` in the source map."""
    return RefusedError(
        Refusal(code=code, message=message, value=value, path=path, at=locate(source_map, key))
    )
