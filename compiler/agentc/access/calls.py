"""One call, judged by the policy that the broker uses: nothing is sent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from agentc_runtime.bundle import Label, Position, Program
from agentc_runtime.calls import Call
from agentc_runtime.canonical import canonical
from agentc_runtime.origins import Origins, origins_of
from agentc_runtime.policy import Policy
from agentc_runtime.refusals import Refusal
from agentc_runtime.values import references

from ..subsumption import Escapes, Region, includes
from .tools import ToolAccess


@dataclass(frozen=True)
class Verdict:
    """What becomes of a call: `code` and `message` say why it is refused, `reasons` why a person is asked.

    `at` are the spec lines that govern it.
    """

    outcome: Literal["allowed", "asks", "refused"]
    code: str = ""
    message: str = ""
    reasons: tuple[str, ...] = ()
    at: tuple[Position, ...] = ()


def judged(policy: Policy, call: Call) -> Verdict:
    """What the broker's policy says of a call. Quotas, rates and the building of the request are left out."""
    decided = policy.decide(call)
    if isinstance(decided, Refusal):
        at = () if decided.at is None else (decided.at,)
        return Verdict("refused", code=decided.code, message=decided.message, at=at)
    if decided.reasons:
        texts = tuple(reason.text for reason in decided.reasons)
        return Verdict(
            "asks", reasons=texts, at=tuple(one.at for one in decided.reasons if one.at is not None)
        )
    return Verdict("allowed")


def example_call(
    state: str,
    tool: str,
    arguments: Mapping[str, object],
    *,
    context: Label,
    data: Mapping[str, object],
    origins: Origins,
) -> Call:
    """A call of `tool` with these arguments, after `context` was read in `state`."""
    return Call(
        run_id="replay",
        call_id="call-1",
        state=state,
        name=tool,
        arguments=canonical(dict(arguments)).decode(),
        context=context,
        data=data,
        origins=origins,
    )


def sample_data(program: Program, access: ToolAccess) -> dict[str, object]:
    """Data of a run with a fitting value for each reference that the grant binds an argument to.

    A reference for which no value is found is left out; a call is then refused by AR106.
    """
    data: dict[str, object] = {"input": {}, "session": {}, "states": {}}
    properties = access.tool.arguments.get("properties")
    for name, expr in access.referred.items():
        schema = properties.get(name, {}) if isinstance(properties, Mapping) else {}
        definitions = access.tool.arguments.get("$defs", {})
        value = some_value({**schema, "$defs": definitions} if isinstance(schema, Mapping) else {})
        for path in references(expr):
            _plant(data, path, value)
    return data


def some_value(region: Region) -> object:
    """A small value of `region`; `None` when there is none, or none is found."""
    answer = includes(False, region)
    return answer.witness if isinstance(answer, Escapes) else None


def run_origins(program: Program, data: Mapping[str, object]) -> Origins:
    """What values may be traced to in a run with this data, before anything was read."""
    return origins_of(program, data.get("input", {}), data.get("session", {}))


def _plant(data: dict[str, object], path: tuple[str, ...], value: object) -> None:
    place = data
    for step in path[:-1]:
        below = place.setdefault(step, {})
        if not isinstance(below, dict):
            return
        place = below
    place[path[-1]] = value
