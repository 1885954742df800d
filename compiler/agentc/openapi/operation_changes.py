"""What differs between two compiled operations: for the model, on the wire, in the answers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, NamedTuple, TypeAlias

import msgspec

from agentc_runtime.bundle import Param, ResponseCase

from .model import CompiledOperation, Credential
from .schema_changes import Path, described, schema_changes

#: `operation`: it was moved, renamed or removed. `request`: how it is sent, whatever the arguments.
Part: TypeAlias = Literal["operation", "description", "argument", "request", "answer", "server", "security"]


class Change(NamedTuple):
    """One difference. `path` leads to the argument, or the field of an answer, that it is about, if it is
    about one; `what` is a sentence without its subject; `before` and `after` are values of JSON. What is
    `told_only` changes nothing but what somebody reads."""

    part: Part
    path: Path
    what: str
    before: object = None
    after: object = None
    told_only: bool = False


def operation_changes(old: CompiledOperation, new: CompiledOperation) -> list[Change]:
    """Everything that differs and that anything depends on."""
    return [
        *_identity(old, new),
        *(Change("argument", *change) for change in schema_changes(old.arguments, new.arguments)),
        *_wire(old, new),
        *_answers(old, new),
        *_around(old, new),
    ]


def _identity(old: CompiledOperation, new: CompiledOperation) -> Iterator[Change]:
    if (old.method, old.path) != (new.method, new.path):
        was, now = f"{old.method} {old.path}", f"{new.method} {new.path}"
        yield Change("operation", (), f"is `{now}`, was `{was}`", was, now)
    if old.deprecated != new.deprecated:
        what = "is deprecated" if new.deprecated else "is no longer deprecated"
        yield Change("operation", (), what, old.deprecated, new.deprecated, True)
    if old.description != new.description:
        what = described(old.description, new.description)
        yield Change("description", (), what, old.description, new.description, True)


def _wire(old: CompiledOperation, new: CompiledOperation) -> Iterator[Change]:
    """How the arguments that both have are sent, and the body."""
    before, after = _places(old), _places(new)
    for name in before:
        if name not in after or before[name] == after[name]:
            continue
        (place, param), (now, written) = before[name], after[name]
        if place != now:
            what = f"is sent in the {now}, was in the {place}"
        elif param.get("name") != written.get("name"):
            what = f"is called `{written.get('name')}` in the {now}, was `{param.get('name')}`"
        else:
            what = f"is written otherwise in the {now}"
        yield Change("request", (name,), what, {"in": place, **param}, {"in": now, **written})
    one, two = old.body, new.body
    if one is None or two is None:
        if one is not two:
            what = "has no body now" if two is None else f"has a body now, as `{two.content_type}`"
            yield Change("request", (), what, one and one.content_type, two and two.content_type)
    elif (one.content_type, one.kind) != (two.content_type, two.kind):
        what = f"has its body as `{two.content_type}`, was `{one.content_type}`"
        yield Change("request", (), what, one.content_type, two.content_type)
    elif one.parts != two.parts:
        yield Change("request", (), "has parts of its body written otherwise", *_built(one.parts, two.parts))


def _places(operation: CompiledOperation) -> dict[str, tuple[str, dict[str, object]]]:
    """Each argument with where it is sent, and how."""
    found: dict[str, tuple[str, dict[str, object]]] = {}

    def put(place: str, param: Param) -> None:
        written = msgspec.to_builtins(param)
        found[param.argument] = (
            place,
            {key: value for key, value in written.items() if key not in ("argument", "required")},
        )

    for segment in operation.segments:
        for part in segment:
            if part.param is not None:
                put("path", part.param)
    for place, params in (
        ("query", operation.query), ("headers", operation.headers), ("cookies", operation.cookies)
    ):  # fmt: skip
        for param in params:
            put(place, param)
    body = operation.body
    if body is not None and body.argument is not None:
        found[body.argument] = ("body", {})
    for name, argument in ((body.fields or {}) if body is not None else {}).items():
        found[argument] = ("body", {"name": name})
    return found


def _answers(old: CompiledOperation, new: CompiledOperation) -> Iterator[Change]:
    before, after = _cases(old.responses), _cases(new.responses)
    for key, case in before.items():
        if key not in after:
            yield Change("answer", (), f"{key} is gone", key, None)
            continue
        if (case.schema is None) != (after[key].schema is None):
            what = "is no longer described" if after[key].schema is None else "is described now"
            yield Change("answer", (), f"{key} {what}", case.schema, after[key].schema)
            continue
        for change in schema_changes(case.schema, after[key].schema):
            what = change.what if change.path else f"{key} {change.what}"
            yield Change("answer", *change._replace(what=what))
    for key in after:
        if key not in before:
            yield Change("answer", (), f"{key} is new", None, key)


def _cases(cases: tuple[ResponseCase, ...]) -> dict[str, ResponseCase]:
    return {f"{case.status} {case.content_type or 'without a body'}": case for case in cases}


def _around(old: CompiledOperation, new: CompiledOperation) -> Iterator[Change]:
    if old.servers != new.servers:
        was, now = list(old.servers), list(new.servers)
        what = f"is at {_either(now)}, was at {_either(was)}"
        yield Change("server", (), what, was, now)
    if old.security != new.security:
        before, after = (_ways(one.security) for one in (old, new))
        what = f"asks for {_either(after)}, was {_either(before)}"
        yield Change("security", (), what, *_built(old.security, new.security))


def _ways(security: tuple[tuple[Credential, ...], ...]) -> list[str]:
    return [" and ".join(_credential(one) for one in way) or "nothing" for way in security]


def _credential(one: Credential) -> str:
    scopes = f" with {', '.join(one.scopes)}" if one.scopes else ""
    wire = f" in `{one.wire}`" if one.wire else ""
    return f"{one.scheme} ({one.kind}{wire}){scopes}"


def _either(options: list[str]) -> str:
    return " or ".join(options) if options else "nothing"


def _built(one: object, two: object) -> tuple[object, object]:
    return msgspec.to_builtins(one), msgspec.to_builtins(two)
