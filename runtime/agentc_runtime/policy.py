"""The decision on one call: allowed with these arguments, or refused by this rule and this spec line.

Pure: no clock, no file, no network. All that can be prepared is prepared when the policy is made, so that a
decision is a few dictionary lookups and compiled validators.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import msgspec

from .bundle import Grant, Program, SourceMap, Tool, locate
from .calls import Call
from .canonical import canonical
from .consent import Consent, Reason
from .expressions import Const, Expr
from .narrowing import wider_argument
from .once import Once
from .origins import in_words as origins_in_words
from .quoting import clipped, shortened, shown
from .refusals import Refusal
from .strictjson import StrictJsonError, check, parse
from .values import ABSENT, evaluate
from .violations import Validator, compile_predicate, compile_shape, first_violation, found_in_words
from .workflow import tools_of

#: Characters of raw argument text that are read.
MAX_ARGUMENTS: Final = 1_048_576
#: How long an approval that only the flow rule asks for may wait: a day.
DEFAULT_EXPIRES_MS: Final = 86_400_000


#: The state of the calls that undo what a run has done. No state of a workflow has such a name.
UNDOING: Final = ":undo"


class Allowed(msgspec.Struct, frozen=True, kw_only=True):
    """A call that may be made with exactly these arguments, once everybody in `reasons` is satisfied.

    `by` are the approver groups, empty when anyone may approve. `expires_ms` bounds the wait.
    """

    tool: Tool
    grant: Grant
    arguments: dict[str, object]
    reasons: tuple[Reason, ...]
    by: tuple[str, ...]
    expires_ms: int


@dataclass(frozen=True, slots=True)
class _Prepared:
    tool: Tool
    grant: Grant
    shape: Validator
    whole: Validator
    where: Validator | None
    bind: tuple[tuple[str, Expr], ...]
    consent: Consent
    by: tuple[str, ...]
    expires_ms: int


class Policy:
    """The permissions of one program.

    Raises:
        ValueError: a schema can't be compiled, or two tools share a name; such a program must not run.
    """

    def __init__(self, program: Program, source_map: SourceMap) -> None:
        self._source_map = source_map
        self._names = _names(program)
        self._granted = {name: _prepare(program.tools[name], grant) for name, grant in program.grants.items()}
        self._states = {name: frozenset(tools_of(state)) for name, state in program.states.items()}
        self._states[UNDOING] = frozenset(program.undoing)

    def full_name(self, proposed: str) -> str | None:
        """The tool that is meant by its full name or its model name, compared exactly; `None` without one."""
        return self._names.get(proposed)

    def decide(self, call: Call) -> Allowed | Refusal:
        """What becomes of `call`. Checks run in a fixed order and the first that fails refuses."""
        name = self._names.get(call.name)
        prepared = None if name is None else self._granted.get(name)
        if prepared is None:
            return self._unknown(call)
        tool = prepared.tool
        if tool.name not in self._states.get(call.state, ()):
            message = f"`{tool.name}` is not one of the tools of the state `{shortened(call.state)}`"
            return self._refusal("AR102", message, tool.name, f"state:{call.state}/tools")
        given = self._parsed(call.arguments, tool)
        if isinstance(given, Refusal):
            return given
        arguments = self._fitted(prepared, given, call)
        if isinstance(arguments, Refusal):
            return arguments
        reasons = prepared.consent.reasons(given, arguments, call, self._source_map)
        if isinstance(reasons, Refusal):
            return reasons
        return Allowed(
            tool=tool,
            grant=prepared.grant,
            arguments=arguments,
            reasons=reasons,
            by=prepared.by,
            expires_ms=prepared.expires_ms,
        )

    def narrowed(
        self, call: Call, allowed: Allowed, asked: Mapping[str, object], arguments: Mapping[str, object]
    ) -> Allowed | Refusal:
        """What becomes of `call` with the narrower `arguments` of an approver, who was `asked` about others.

        They are judged like the model's own, and what is bound stays as it is. AR208 when they are not
        narrower.
        """
        bound = {argument for argument, _ in self._granted[allowed.tool.name].bind}
        wider = wider_argument(arguments, asked) or next(
            (name for name in bound if arguments[name] != asked[name]), None
        )
        if wider is not None:
            message = f"an approver may make `{wider}` of `{allowed.tool.name}` narrower, and nothing else"
            key = f"grant:{allowed.tool.name}/approval"
            return self._refusal("AR208", message, arguments.get(wider), key, wider)
        # what was shown without its secrets is sent as it was
        chosen = {
            name: allowed.arguments[name] if value == asked[name] else value
            for name, value in arguments.items()
            if name not in bound
        }
        text = json.dumps(chosen, ensure_ascii=False)
        return self.decide(msgspec.structs.replace(call, arguments=text))

    def _fitted(
        self, prepared: _Prepared, given: dict[str, object], call: Call
    ) -> dict[str, object] | Refusal:
        """All arguments of the call, the bound ones included, once they are inside every limit."""
        tool, arguments = prepared.tool, given
        for argument, _ in prepared.bind:
            if argument in given:
                message = f"`{argument}` is set by the spec and can't be given"
                key = f"grant:{tool.name}/bind/{argument}"
                return self._refusal("AR105", message, given[argument], key, argument)
        if not prepared.shape.is_valid(given):
            return self._unfit(prepared, given, call)
        if prepared.bind:
            bound = self._bound(prepared, call)
            if isinstance(bound, Refusal):
                return bound
            arguments = {**given, **bound}
            if not prepared.whole.is_valid(arguments):
                return self._misfit(prepared.whole, arguments, tool, bound)
        elif prepared.whole is not prepared.shape and not prepared.whole.is_valid(arguments):
            return self._misfit(prepared.whole, arguments, tool)
        if prepared.where is not None and not prepared.where.is_valid(arguments):
            return self._outside(prepared.where, arguments, tool)
        if prepared.grant.origins:
            return self._elsewhere(prepared, arguments, call) or arguments
        return arguments

    def _unknown(self, call: Call) -> Refusal:
        message = f"`{shortened(call.name)}` is not a tool that this agent is granted"
        return self._refusal("AR101", message, call.name, f"state:{call.state}/tools")

    def _parsed(self, text: str, tool: Tool) -> dict[str, object] | Refusal:
        problem = f"longer than {MAX_ARGUMENTS} characters"
        if len(text) <= MAX_ARGUMENTS:
            try:
                value = parse(text)
            except StrictJsonError as error:
                problem = str(error)
            else:
                if isinstance(value, dict):
                    return value
                problem = "JSON, but not an object"
        message = f"the arguments of `{tool.name}` are not one JSON object: {problem}"
        return self._refusal("AR103", message, text[:1000], f"tool:{tool.name}")

    def _bound(self, prepared: _Prepared, call: Call) -> dict[str, object] | Refusal:
        bound: dict[str, object] = {}
        for argument, expr in prepared.bind:
            value = evaluate(expr, call.data)
            # null from data is no limit either: most requests leave a null parameter out
            if value is ABSENT or (value is None and not isinstance(expr, Const)):
                message = f"`{argument}` is bound to a value that this run does not have"
                key = f"grant:{prepared.tool.name}/bind/{argument}"
                return self._refusal("AR106", message, None, key, argument)
            try:
                check(value)
            except StrictJsonError as error:
                message = f"the bound value of `{argument}` can't be sent: {error}"
                return self._refusal(
                    "AR106", message, None, f"grant:{prepared.tool.name}/bind/{argument}", argument
                )
            bound[argument] = value
        return bound

    def _unfit(self, prepared: _Prepared, given: dict[str, object], call: Call) -> Refusal:
        """Why `given` is not what the model was offered: the tool's schema, or else the limits in `where`.

        What was offered is both in one; the reason is looked for in each, as they stand on different lines.
        """
        bound = self._bound(prepared, call)
        if not isinstance(bound, Refusal):
            arguments = {**given, **bound}
            if not prepared.whole.is_valid(arguments):
                return self._misfit(prepared.whole, arguments, prepared.tool, bound)
            if prepared.where is not None and not prepared.where.is_valid(arguments):
                return self._outside(prepared.where, arguments, prepared.tool)
        return self._misfit(prepared.shape, given, prepared.tool)

    def _misfit(
        self, validator: Validator, value: object, tool: Tool, bound: dict[str, object] | None = None
    ) -> Refusal:
        broken = first_violation(validator, value)
        if broken is None:
            return self._refusal("AR104", "the arguments do not fit the schema", None, f"tool:{tool.name}")
        top = broken.steps[0] if broken.steps else None
        if bound and top in bound:
            message = f"the bound value of `{broken.path}` does not fit: the tool takes {broken.expected}"
            return self._refusal("AR106", message, None, f"grant:{tool.name}/bind/{top}", broken.path)
        message = f"{found_in_words(broken)}; `{tool.name}` takes {broken.expected}"
        return self._refusal("AR104", message, broken.value, f"tool:{tool.name}", broken.path)

    def _outside(self, validator: Validator, value: object, tool: Tool) -> Refusal:
        broken = first_violation(validator, value)
        if broken is None:
            return self._refusal(
                "AR201", "the arguments are outside the grant", None, f"grant:{tool.name}/where"
            )
        key = f"grant:{tool.name}/where" + (f"/{broken.steps[0]}" if broken.steps else "")
        message = f"{found_in_words(broken)}; the grant allows {broken.expected}"
        return self._refusal("AR201", message, broken.value, key, broken.path)

    def _elsewhere(self, prepared: _Prepared, arguments: dict[str, object], call: Call) -> Refusal | None:
        for argument, origins in prepared.grant.origins.items():
            value = arguments.get(argument)
            if not call.origins.stands_in(value, origins):
                message = (
                    f"`{argument}` is {shown(value)}, which does not stand in {origins_in_words(origins)}"
                )
                key = f"grant:{prepared.tool.name}/where/{argument}"
                return self._refusal("AR207", message, value, key, argument)
        return None

    def _refusal(self, code: str, message: str, value: object, key: str, path: str = "") -> Refusal:
        at = locate(self._source_map, key)
        return Refusal(code=code, message=message, value=clipped(value), path=path, at=at)


#: The policy of a program, which all of its runs share.
policy_of: Final = Once(Policy)


def _prepare(tool: Tool, grant: Grant) -> _Prepared:
    shape = compile_shape(grant.schema)
    same = canonical(grant.schema) == canonical(tool.arguments)
    return _Prepared(
        tool=tool,
        grant=grant,
        shape=shape,
        whole=shape if same else compile_shape(tool.arguments),
        where=None if grant.where is None else compile_predicate(grant.where),
        bind=tuple(grant.bind.items()),
        consent=Consent(tool, grant),
        by=() if grant.approval is None else grant.approval.by,
        expires_ms=DEFAULT_EXPIRES_MS if grant.approval is None else grant.approval.expires_ms,
    )


def _names(program: Program) -> dict[str, str]:
    names: dict[str, str] = {}
    for key, tool in program.tools.items():
        for name in {tool.name, tool.model_name}:
            if key != tool.name or name in names:
                raise ValueError(f"the tool name `{shortened(name)}` is ambiguous in the bundle")
            names[name] = tool.name
    for key, grant in program.grants.items():
        if key != grant.tool or key not in program.tools:
            raise ValueError(f"the grant `{shortened(key)}` is not for a tool of the bundle")
    return names
