"""A tool and its grant in words that a reviewer reads: limits, approvals, and untrusted content."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from agentc_runtime import bundle as ir
from agentc_runtime import expressions
from agentc_runtime.origins import in_words as origins_in_words

from .words import duration_in_words, limits_in_words, phrase

_VERBS = {
    "read": "reads",
    "create": "creates",
    "update": "changes",
    "delete": "deletes",
    "send": "sends",
}


def verb_of(tool: ir.Tool) -> str:
    """What a tool does, as a verb."""
    return _VERBS[tool.effect]


def request_line(tool: ir.Tool) -> str:
    """`POST /tickets/{ticket_id}/replies`."""
    path = "/".join(
        "".join(part.literal if part.literal is not None else f"{{{_argument(part)}}}" for part in segment)
        for segment in tool.request.path
    )
    return f"{tool.request.method} /{path}"


def _argument(part: ir.PathPart) -> str:
    return part.param.argument if part.param else ""


def limits_of_grant(grant: ir.Grant) -> Iterator[str]:
    """A line for each argument that is limited or bound, then approval and quota."""
    yield from _arguments(grant.where or {}, grant.origins)
    for argument, expr in sorted(grant.bind.items()):
        yield f"{argument} is always {expression_in_words(expr)}"
    if grant.approval is not None:
        when = " and ".join(limits_in_words(grant.approval.when)) if grant.approval.when else ""
        yield (
            f"asks {' or '.join(grant.approval.by)}{f' when {when}' if when else ''}, "
            f"for {duration_in_words(grant.approval.expires_ms)} at most"
        )
    if grant.quota is not None:
        bounds = [
            f"{count} {word}"
            for count, word in ((grant.quota.per_run, "a run"), (grant.quota.per_day, "a day"))
            if count is not None
        ]
        yield f"at most {', '.join(bounds)}"


def flow_in_words(tool: ir.Tool, grant: ir.Grant) -> Iterator[str]:
    """What becomes of a call after untrusted content was read; nothing for a read that goes nowhere."""
    if tool.destinations:
        verb = "say" if len(tool.destinations) > 1 else "says"
        yield f"goes where {' and '.join(tool.destinations)} {verb}"
    if tool.effect == "read" and not tool.destinations:
        return
    policy = {
        "deny": "never after untrusted content was read",
        "approve": "asks a person after untrusted content was read",
        "allow": "also after untrusted content was read",
    }[grant.untrusted_to_effect]
    unless = grant.unless
    if unless is None or grant.untrusted_to_effect == "allow":
        yield policy
        return
    yield f"{policy}, unless all it sets is"
    for line in _arguments(unless.schema, unless.origins):
        yield f"  {line}"
    yield f"  and nothing more than {unless.max_sensitivity} was read"


def _arguments(schema: expressions.Schema, origins: Mapping[str, tuple[ir.Origin, ...]]) -> Iterator[str]:
    named = schema.get("properties")
    for name, limit in sorted(named.items()) if isinstance(named, dict) else ():
        said = [f"is {phrase(limit)}"] if limit not in ({}, True) else []
        said += [f"stands in {origins_in_words(origins[name])}"] if name in origins else []
        yield f"{name} {' and '.join(said) or 'is anything'}"


def expression_in_words(expr: expressions.Expr) -> str:
    """A bound value as it stands in the spec."""
    match expr:
        case expressions.Ref(path=path):
            return "${" + ".".join(path) + "}"
        case expressions.Const(value=value):
            return json.dumps(value, ensure_ascii=False)
        case expressions.Object(fields=fields):
            parts = (f"{name}: {expression_in_words(item)}" for name, item in fields.items())
            return "{" + ", ".join(parts) + "}"
        case expressions.Array(items=items):
            return "[" + ", ".join(expression_in_words(item) for item in items) + "]"
