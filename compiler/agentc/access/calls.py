"""One call, judged by the policy that the broker uses: nothing is sent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

import msgspec

from agentc_runtime.bundle import Position, Program, SourceMap, locate
from agentc_runtime.calls import Call
from agentc_runtime.canonical import canonical
from agentc_runtime.labels import Label
from agentc_runtime.origins import Origins, origins_of
from agentc_runtime.policy import Allowed, Policy
from agentc_runtime.quotas import exhausted, used_up
from agentc_runtime.refusals import Refusal, RefusedError
from agentc_runtime.request import build_request, first_page
from agentc_runtime.values import references

from ..subsumption import Escapes, Region, includes
from .moments import Moment, plant
from .tools import ToolAccess

#: The keys of a grant by which a person is asked.
Asking: TypeAlias = Literal["approval", "untrusted_to_effect"]


@dataclass(frozen=True)
class Verdict:
    """What becomes of a call: `code` and `message` say why it is refused, `reasons` why a person is asked.

    `by` are the groups that may agree, none for anybody, and `because` are the keys of the grant that ask.
    `at` are the spec lines that govern it.
    """

    outcome: Literal["allowed", "asks", "refused"]
    code: str = ""
    message: str = ""
    reasons: tuple[str, ...] = ()
    at: tuple[Position, ...] = ()
    by: tuple[str, ...] = ()
    because: tuple[Asking, ...] = ()


class _StandIns:
    """Stands for the secrets where a request is only built to see whether it can be."""

    def get(self, name: str) -> str:
        """A value that every credential can carry."""
        return f"stand-in-for-{name}"


class Judge:
    """What the broker says of calls of one program in one environment, up to where something would be sent.

    It is the broker's own policy, and its own way from arguments to a request; secrets have stand-ins.

    Raises:
        ValueError: as `Policy`.
        KeyError: the program has no such environment.
    """

    def __init__(self, program: Program, source_map: SourceMap, environment: str | None = None) -> None:
        self.program = program
        self.policy = Policy(program, source_map)
        self._source_map = source_map
        self._environment_name = environment or program.default_environment
        self._environment = program.environments[self._environment_name]

    def verdict(
        self, state: str, name: str, arguments: str, moment: Moment, *, in_run: int = 0, in_day: int = 0
    ) -> Verdict:
        """What becomes of a call of the tool `name`, full or as a model writes it, with this JSON.

        `in_run` and `in_day` are the calls of the tool that count against its quotas already.
        """
        call = Call(
            run_id="replay",
            call_id="call-1",
            state=state,
            name=name,
            arguments=arguments,
            context=moment.context,
            data=moment.data,
            origins=moment.origins,
        )
        decided = self.policy.decide(call)
        if isinstance(decided, Allowed):
            key = "replay" if decided.tool.idempotency_header is not None else None
            whole = {**decided.arguments, **first_page(decided.tool)}
            try:
                build_request(decided.tool, whole, self._environment, _StandIns(), key)
            except RefusedError as error:
                decided = self._placed(error.refusal, decided.tool.name)
        if isinstance(decided, Allowed) and (quota := decided.grant.quota) is not None:
            full = exhausted(quota.per_run, quota.per_day, in_run=in_run, in_day=in_day)
            if full is not None:
                refusal = used_up(full, decided.tool.name, getattr(quota, full))
                decided = self._placed(refusal, decided.tool.name)
        return _verdict(decided)

    def _placed(self, refusal: Refusal, tool: str) -> Refusal:
        key = f"tool:{tool}"
        if refusal.code in ("AR301", "AR506"):
            key = f"environment:{self._environment_name}/{refusal.value}"
        elif refusal.code in ("AR203", "AR204"):
            key = f"grant:{tool}/quota"
        at = refusal.at or locate(self._source_map, key)
        return msgspec.structs.replace(refusal, at=at)


def judged(policy: Policy, call: Call) -> Verdict:
    """What the broker's policy says of a call. Quotas, rates and the building of the request are left out."""
    return _verdict(policy.decide(call))


def _verdict(decided: Allowed | Refusal) -> Verdict:
    if isinstance(decided, Refusal):
        at = () if decided.at is None else (decided.at,)
        return Verdict("refused", code=decided.code, message=decided.message, at=at)
    reasons = decided.reasons
    if not reasons:
        return Verdict("allowed")
    return Verdict(
        "asks",
        reasons=tuple(reason.text for reason in reasons),
        at=tuple(reason.at for reason in reasons if reason.at is not None),
        by=decided.by,
        because=tuple(reason.key for reason in reasons),
    )


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
            plant(data, path, value)
    return data


def some_value(region: Region) -> object:
    """A small value of `region`; `None` when there is none, or none is found."""
    answer = includes(False, region)
    return answer.witness if isinstance(answer, Escapes) else None


def run_origins(program: Program, data: Mapping[str, object]) -> Origins:
    """What values may be traced to in a run with this data, before anything was read."""
    return origins_of(program, data.get("input", {}), data.get("session", {}))
