"""Is this value what its schema asks for, and is this model answer such a value? Pure, and never surprised.

One leniency: an answer that is a single Markdown code fence around JSON is read as that JSON, because models
without native structured output write it so. Nothing but white space may stand outside the fence.
"""

from __future__ import annotations

import re
from typing import Final

import msgspec

from ..expressions import Schema
from ..quoting import clipped, shortened
from ..strictjson import StrictJsonError, parse
from ..violations import kept_predicate, path_text

#: How many findings a message lists.
MAX_FINDINGS: Final = 5

_FENCE: Final = re.compile(r"\A```(?:json)?[ \t]*\r?\n(.*)\n[ \t]*```\Z", re.DOTALL | re.IGNORECASE)


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One place where a value does not fit. `path` is like `lines[0].amount`, empty for the whole value."""

    path: str
    message: str
    value: object


class Usable(msgspec.Struct, frozen=True, kw_only=True):
    """An answer that is what the state asked for."""

    value: object


class Unusable(msgspec.Struct, frozen=True, kw_only=True):
    """An answer that is not, in words that the model can act on, and the place and value at fault."""

    reason: str
    path: str = ""
    value: object = None


def findings(value: object, schema: Schema) -> tuple[Finding, ...]:
    """The first `MAX_FINDINGS` places where `value` does not fit `schema`; empty when it does.

    Formats are asserted and nothing is fetched. What is not JSON, or can't be checked, does not fit.
    """
    found: list[Finding] = []
    try:
        validator = kept_predicate(schema)
        if validator.is_valid(value):
            return ()
        for error in validator.iter_errors(value):
            path = path_text(tuple(error.instance_path))
            found.append(Finding(path=path, message=shortened(error.message), value=clipped(error.instance)))
            if len(found) == MAX_FINDINGS:
                break
    except ValueError as error:
        found.append(Finding(path="", message=f"it can't be checked: {shortened(str(error))}", value=None))
    return tuple(found)


def listed(found: tuple[Finding, ...]) -> str:
    """The findings on one line."""
    return "; ".join(f"at `{one.path}`: {one.message}" if one.path else one.message for one in found)


def read_answer(text: str, schema: Schema | None) -> Usable | Unusable:
    """The value of a model's final text: JSON that satisfies `schema`, or without one the text itself."""
    stripped = text.strip()
    if not stripped:
        return Unusable(reason="the answer is empty")
    if schema is None:
        return Usable(value=text)
    fenced = _FENCE.match(stripped)
    try:
        value = parse(fenced[1].strip() if fenced else stripped)
    except StrictJsonError as error:
        return Unusable(reason=f"the answer is not JSON: {error}", value=clipped(stripped))
    found = findings(value, schema)
    if not found:
        return Usable(value=value)
    reason = f"the answer does not fit the output schema: {listed(found)}"
    return Unusable(reason=reason, path=found[0].path, value=found[0].value)
