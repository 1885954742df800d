"""Is this the answer that the plan promised? Checked, parsed, cut down to the declared fields.

No text of the service gets into a message, since messages reach the model without the label of the tool's
output. What the service said stands in `Refusal.value`, for people.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Final, TypeAlias

from .bundle import Program, RequestPlan, ResponseCase, Tool
from .media import content_of
from .once import Once
from .quoting import clipped, shortened
from .refusals import Refusal, RefusedError
from .strictjson import StrictJsonError, parse
from .violations import Validator, compile_answer, first_violation

#: Characters of an error body that the transcript keeps.
EXCERPT: Final = 1000
#: Values of an answer that holds one on each line.
MAX_LINES: Final = 10_000
_EMPTY_STATUSES: Final = frozenset({204, 205, 304})
_CHARSETS: Final = {"utf-8": "utf-8", "utf8": "utf-8", "us-ascii": "ascii", "iso-8859-1": "latin-1"}

#: What may come with one status by its content type, and the cases of a tool by their status in upper case.
_Cases: TypeAlias = dict[str, tuple[ResponseCase, Validator | None]]
_ByStatus: TypeAlias = dict[str, _Cases]


class Responses:
    """What each tool's service may answer.

    Raises:
        ValueError: a response schema can't be compiled; such a program must not run.
    """

    def __init__(self, program: Program) -> None:
        self._cases = {name: _compiled(program.tools[name].request) for name in program.grants}

    def accept(self, tool: Tool, status: int, headers: Mapping[str, str], body: bytes) -> object:
        """The value of a whole answer, with nothing but the tool's `fields` if it names some.

        JSON is its value, JSON lines an array, text (event streams too) a string, and other bytes are an
        object of `content_type`, `size` and `base64`. An answer without a body is null.

        Raises:
            RefusedError: AR404 not a success, AR402 not a declared content type or not readable as it, AR403
                not what the schema says.
        """
        if not 200 <= status < 300:
            raise _failed(tool, status, body)
        cases = _for_status(self._cases[tool.name], status)
        if not body or status in _EMPTY_STATUSES:
            return None
        if not cases:
            message = f"`{tool.name}` answered with status {status}, which its operation does not declare"
            raise RefusedError(Refusal(code="AR402", message=message, value=status))
        media, _, parameters = headers.get("content-type", "").partition(";")
        media = media.strip().lower()
        found = _for_media(cases, media)
        if found is None:
            _refuse_undeclared(tool, cases, headers)
            return None
        case, validator = found
        value = _decoded(tool, media, parameters, body)
        if validator is not None and not validator.is_valid(value):
            raise _unfit(tool, case, validator, value)
        return project(value, tool.fields) if tool.fields else value


def project(value: object, fields: tuple[str, ...]) -> object:
    """`value` with the named fields only, and each item of an array so. A field is a dotted path.

    Absent fields are left out. What is no object has no fields and becomes null.
    """
    tree: dict[str, object] = {}
    for field in fields:
        _plant(tree, field.split("."))
    return _cut(value, tree)


def _plant(tree: dict[str, object], steps: list[str]) -> None:
    for step in steps[:-1]:
        below = tree.setdefault(step, {})
        if not isinstance(below, dict):
            return  # a shorter path has already taken the whole
        tree = below
    tree[steps[-1]] = True


def _cut(value: object, tree: object) -> object:
    if not isinstance(tree, dict):
        return value
    if isinstance(value, list):
        return [_cut(item, tree) for item in value]
    if isinstance(value, Mapping):
        return {name: _cut(value[name], below) for name, below in tree.items() if name in value}
    return None


def _compiled(plan: RequestPlan) -> _ByStatus:
    cases: _ByStatus = {}
    for case in plan.responses:
        validator = None if case.schema is None else compile_answer(case.schema)
        media = (case.content_type or "").partition(";")[0].strip().lower()
        cases.setdefault(case.status.upper(), {}).setdefault(media, (case, validator))
    return cases


#: The same for all runs of a program.
responses_of: Final = Once(Responses)


def _for_status(cases: _ByStatus, status: int) -> _Cases:
    return cases.get(str(status)) or cases.get(f"{status // 100}XX") or cases.get("DEFAULT", {})


def _for_media(cases: _Cases, media: str) -> tuple[ResponseCase, Validator | None] | None:
    if not media:
        return None
    return cases.get(media) or cases.get(f"{media.partition('/')[0]}/*") or cases.get("*/*")


def _refuse_undeclared(tool: Tool, cases: _Cases, headers: Mapping[str, str]) -> None:
    declared = [case.content_type for case, _ in cases.values() if case.content_type is not None]
    if not declared:
        return  # the operation declares no content, so what came is not read
    message = f"`{tool.name}` answered with a content type other than " + ", ".join(
        f"`{name}`" for name in declared
    )
    raise RefusedError(
        Refusal(code="AR402", message=message, value=clipped(headers.get("content-type", "none")))
    )


def _decoded(tool: Tool, media: str, parameters: str, body: bytes) -> object:
    charset = "utf-8"
    for parameter in parameters.split(";") if parameters else ():
        name, _, text = parameter.partition("=")
        if name.strip().lower() == "charset":
            charset = text.strip().strip('"').lower()
    content = content_of(f"{media};{parameters}")
    if content == "binary":
        return {"content_type": media, "size": len(body), "base64": base64.b64encode(body).decode()}
    try:
        text = body.decode(_CHARSETS[charset])
        if content == "lines":
            return _lines(tool, text, body)
        return parse(text) if content == "json" else text
    except KeyError as error:
        problem = "is in a charset that is not read"
        raise _unreadable(tool, problem, body) from error
    except UnicodeDecodeError as error:
        raise _unreadable(tool, f"is not {_CHARSETS[charset]} text", body) from error
    except StrictJsonError as error:
        raise _unreadable(tool, f"says that it is JSON and is not: {error}", body) from error


def _lines(tool: Tool, text: str, body: bytes) -> list[object]:
    """The JSON values of a text that holds one on each line; empty lines keep a connection open."""
    lines = [line for line in text.split("\n") if line.strip()]
    if len(lines) > MAX_LINES:
        raise _unreadable(tool, f"has more than {MAX_LINES:,} lines", body)
    return [parse(line) for line in lines]


def _failed(tool: Tool, status: int, body: bytes) -> RefusedError:
    message = f"the service of `{tool.name}` answered with status {status}"
    value = {"status": status, "untrusted_body": _excerpt(body)}
    return RefusedError(Refusal(code="AR404", message=message, value=value))


def _unreadable(tool: Tool, problem: str, body: bytes) -> RefusedError:
    message = f"the answer of `{tool.name}` {problem}"
    return RefusedError(Refusal(code="AR402", message=message, value={"untrusted_body": _excerpt(body)}))


def _unfit(tool: Tool, case: ResponseCase, validator: Validator, value: object) -> RefusedError:
    broken = first_violation(validator, value)
    keyword = "" if broken is None else f" (`{broken.keyword}`)"
    message = f"the answer of `{tool.name}` does not fit the schema of its status {case.status}{keyword}"
    found = None if broken is None else {"path": broken.path, "untrusted_value": clipped(broken.value)}
    return RefusedError(Refusal(code="AR403", message=message, value=found))


def _excerpt(body: bytes) -> str:
    return shortened(body[: EXCERPT * 4].decode("utf-8", errors="replace"), EXCERPT)
