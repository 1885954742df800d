"""The one door from a model to the world: every call passes here, in this order, or does not happen.

Decide, build, rate, approval, quota and intent, send, check the answer, record the outcome. Secrets are taken
out of everything that leaves here: events, records, refusals, answers.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Mapping
from functools import partial
from typing import Final

import msgspec

from .answer import Answer
from .asking import People
from .bundle import Program, SourceMap, Tool, locate
from .calls import Approver, Call, Claim, Journal, Returned, answered
from .canonical import canonical
from .events import Emit, ToolCalled, ToolRefused, ToolRetried, ToolReturned
from .labels import Label
from .once import Once
from .paging import all_pages
from .policy import Allowed, policy_of
from .quotas import used_up
from .quoting import shortened
from .refusals import Refusal, RefusedError
from .request import build_request, first_page
from .secrets import Secrets
from .sending import Clocks, Sender
from .switches import NoSwitches, Switches, stopped
from .tokens import Tokens
from .violations import Validator, compile_predicate
from .wire import HttpRequest, Transport

#: Characters of raw arguments that the transcript shows.
SHOWN_ARGUMENTS: Final = 4000
#: Runs and tools whose claims are counted here as well as in the journal.
REMEMBERED: Final = 10_000

_CLOCKS: Final = Clocks()
_NO_SWITCHES: Final = NoSwitches()


class Broker:
    """Carries out the tool calls of one program in one environment. The calls count as those of `counted_as`.

    Raises:
        KeyError: the program has no such environment.
        ValueError: a schema can't be compiled, or names are ambiguous; such a program must not run.
    """

    def __init__(  # noqa: PLR0913  one name for each door of a call
        self,
        program: Program,
        source_map: SourceMap,
        environment_name: str,
        transport: Transport,
        journal: Journal,
        secrets: Secrets,
        approver: Approver,
        *,
        clocks: Clocks | None = None,
        switches: Switches | None = None,
        counted_as: str | None = None,
    ) -> None:
        self._program = program
        self._source_map = source_map
        self._environment_name = environment_name
        self._environment = program.environments[environment_name]
        self._journal = journal
        self._secrets = secrets
        self._clocks = clocks or _CLOCKS
        self._switches = switches or _NO_SWITCHES
        self._counted_as = counted_as or program.agent.name
        self._policy = policy_of(program, source_map)
        #: Who is asked about calls, and by the states that ask of themselves.
        self.people = People(program.agent.name, self._policy, journal, secrets, approver, self._switches)
        self._transport = transport
        self._typed = _typed_of(program)
        tokens = Tokens(program, self._environment, secrets, transport, self._clocks.monotonic)
        self._stopped = _never if switches is None else partial(_stopped, self._switches, program.agent.name)
        self._sender = Sender(program, transport, tokens, self._clocks, self._stopped)
        self._claimed: dict[tuple[str, str], int] = {}

    async def call(self, call: Call, emit: Emit) -> Returned | Refusal:
        """Carry out `call`, or refuse it. `emit` is told what happens, from `ToolCalled` on.

        What the journal or the approver raises passes through, and no request is sent after it.
        """
        raw = shortened(self._secrets.redact(call.arguments), SHOWN_ARGUMENTS)
        called = ToolCalled(
            state=call.state, tool=self._name(call), call_id=call.call_id, arguments=raw, label=call.context
        )
        emit(called)
        decided = self._policy.decide(call)
        if isinstance(decided, Refusal):
            return await self._refused(call, decided, emit)
        tool = decided.tool
        key = None
        if tool.idempotency_header is not None:
            key = _idempotency_key(call)
        try:
            request = await self._prepared(decided, key)
        except RefusedError as error:
            return await self._refused(call, error.refusal, emit, tool.name)
        held = self._spent(call, decided) or self._sender.admit(tool)
        if held is not None:
            return await self._refused(call, held, emit, tool.name)
        arguments = self._secrets.redact_object(decided.arguments)
        digest = self._digest(tool.name, arguments, request)
        if decided.reasons:
            agreed = await self.people.consent(call, decided, request, digest, emit)
            if isinstance(agreed, Refusal):
                return await self._refused(call, agreed, emit, tool.name)
            if agreed is not decided or self._secrets.renewable:
                decided = agreed
                try:  # again: the person may have taken longer than a secret is good
                    request = await self._prepared(decided, key)
                except RefusedError as error:
                    return await self._refused(call, error.refusal, emit, tool.name)
                arguments = self._secrets.redact_object(decided.arguments)
                digest = self._digest(tool.name, arguments, request)
        # again: it may have been disabled while a person was asked
        exhausted = self._stopped(tool) or await self._claim(call, decided, arguments, digest, key)
        if exhausted is not None:
            return await self._refused(call, exhausted, emit, tool.name)
        return await self._send(call, decided, arguments, request, emit)

    async def _send(
        self, call: Call, allowed: Allowed, arguments: dict[str, object], request: HttpRequest, emit: Emit
    ) -> Returned | Refusal:
        tool = allowed.tool
        started = self._clocks.monotonic()
        try:
            outcome = await self._fetch(call, allowed, request, emit)
        except asyncio.CancelledError:
            # the run was stopped: the record must not look as if the call had never been made
            code = "AR405" if tool.effect == "read" else "AR407"
            message = f"the run was stopped while `{tool.name}` was under way"
            stopped = self._placed(Refusal(code=code, message=message), tool.name)
            await answered(self._journal.settle(call.run_id, call.call_id, stopped))
            raise
        if isinstance(outcome, Refusal):
            refusal = self._placed(outcome, tool.name)
            await answered(self._journal.settle(call.run_id, call.call_id, refusal))
            return await self._refused(call, refusal, emit)
        seconds = self._clocks.monotonic() - started
        value = self._secrets.redact_data(outcome.value)
        label = self._label(tool, value)
        returned = Returned(
            status=outcome.status,
            value=value,
            label=label,
            seconds=seconds,
            arguments=arguments,
            approved=bool(allowed.reasons),
            complete=outcome.complete,
            cached=outcome.cached,
        )
        await answered(self._journal.settle(call.run_id, call.call_id, returned))
        content = value if isinstance(value, str) else msgspec.json.encode(value).decode()
        emit(
            ToolReturned(
                state=call.state,
                tool=tool.name,
                call_id=call.call_id,
                status=outcome.status,
                content=content,
                label=label,
                seconds=seconds,
                pages=outcome.pages,
                complete=outcome.complete,
                cached=outcome.cached,
            )
        )
        return returned

    def _label(self, tool: Tool, value: object) -> Label:
        """What is known of an answer: it is typed when it is of the kind that holds no sentence."""
        typed = self._typed.get(tool.name)
        if typed is None or tool.output.trust != "untrusted" or not typed.is_valid(value):
            return tool.output
        return Label(trust="typed", sensitivity=tool.output.sensitivity)

    async def _fetch(
        self, call: Call, allowed: Allowed, request: HttpRequest, emit: Emit
    ) -> Answer | Refusal:
        tool = allowed.tool

        def retried(refusal: Refusal, attempt: int) -> None:
            clean = self._clean(refusal)
            emit(
                ToolRetried(
                    state=call.state, tool=tool.name, call_id=call.call_id, attempt=attempt, refusal=clean
                )
            )

        if tool.pagination is None:
            keyed = tool.idempotency_header is not None
            return await self._sender.carry_out(tool, request, keyed, retried)

        def build(arguments: Mapping[str, object]) -> HttpRequest:
            return self._request(allowed, arguments, None)

        async def record(number: int, page: HttpRequest) -> None:
            digest = self._digest(tool.name, self._secrets.redact_object(allowed.arguments), page)
            said = {"call_id": call.call_id, "tool": tool.name, "page": number, "request_digest": digest}
            await answered(self._journal.record(call.run_id, "page", said))

        return await all_pages(
            self._sender, self._clocks, tool, tool.pagination, request, build, record, retried
        )

    async def _prepared(self, allowed: Allowed, key: str | None) -> HttpRequest:
        """The request with the secrets as they are now.

        Raises:
            RefusedError: as `build_request`.
        """
        if self._secrets.renewable:
            await self._secrets.renew(self._transport, allowed.tool.request.secrets())
        return self._request(allowed, first_page(allowed.tool), key)

    def _request(self, allowed: Allowed, extra: Mapping[str, object], key: str | None) -> HttpRequest:
        arguments = {**allowed.arguments, **extra}
        return build_request(allowed.tool, arguments, self._environment, self._secrets, key)

    async def _claim(
        self, call: Call, allowed: Allowed, arguments: dict[str, object], digest: str, key: str | None
    ) -> Refusal | None:
        tool, quota = allowed.tool, allowed.grant.quota
        claim = Claim(
            run_id=call.run_id,
            call_id=call.call_id,
            agent=self._counted_as,
            tool=tool.name,
            effect=tool.effect,
            arguments=arguments,
            request_digest=digest,
            idempotency_key=key,
            per_run=None if quota is None else quota.per_run,
            per_day=None if quota is None else quota.per_day,
        )
        exhausted = await answered(self._journal.claim(claim))
        if exhausted is None:
            self._count(call.run_id, tool.name)
            return None
        limit = None if quota is None else quota.per_run if exhausted == "per_run" else quota.per_day
        return used_up(exhausted, tool.name, limit)

    def _spent(self, call: Call, allowed: Allowed) -> Refusal | None:
        """AR203 when this broker has itself used up the run's quota, so that nobody is asked in vain.

        The journal decides in the end, over all brokers: what is counted here is never more than it counts.
        """
        limit = None if allowed.grant.quota is None else allowed.grant.quota.per_run
        if limit is None or self._claimed.get((call.run_id, allowed.tool.name), 0) < limit:
            return None
        return used_up("per_run", allowed.tool.name, limit)

    def _count(self, run_id: str, tool: str) -> None:
        key = (run_id, tool)
        self._claimed[key] = self._claimed.pop(key, 0) + 1
        if len(self._claimed) > REMEMBERED:
            del self._claimed[next(iter(self._claimed))]

    def _digest(self, tool: str, arguments: dict[str, object], request: HttpRequest) -> str:
        """The sha256 of the call: what it says as canonical JSON, then the bytes of the body."""
        url = self._secrets.redact(request.url)
        said = {"tool": tool, "arguments": arguments, "method": request.method, "url": url}
        return hashlib.sha256(canonical(said) + b"\n" + (request.body or b"")).hexdigest()

    async def _refused(self, call: Call, refusal: Refusal, emit: Emit, tool: str | None = None) -> Refusal:
        if tool is not None:
            refusal = self._placed(refusal, tool)
        refusal = self._clean(refusal)
        said = {
            "call_id": call.call_id,
            "state": call.state,
            "tool": self._name(call),
            "refusal": msgspec.to_builtins(refusal),
        }
        await answered(self._journal.record(call.run_id, "refused", said))
        emit(
            ToolRefused(
                state=call.state,
                tool=self._name(call),
                call_id=call.call_id,
                refusal=refusal,
                label=call.context,
            )
        )
        return refusal

    def _placed(self, refusal: Refusal, tool: str) -> Refusal:
        """The refusal with the spec line that governs it, and without secrets."""
        if refusal.at is None:
            key = _GOVERNED_BY.get(refusal.code, "tool:{tool}").format(
                tool=tool, environment=self._environment_name, value=refusal.value
            )
            refusal = msgspec.structs.replace(refusal, at=locate(self._source_map, key))
        return self._clean(refusal)

    def _name(self, call: Call) -> str:
        """The tool's full name, or what was proposed when there is no such tool."""
        return self._policy.full_name(call.name) or shortened(self._secrets.redact(call.name))

    def _clean(self, refusal: Refusal) -> Refusal:
        return msgspec.structs.replace(
            refusal,
            message=self._secrets.redact(refusal.message),
            value=self._secrets.redact_data(refusal.value),
            path=self._secrets.redact(refusal.path),
        )


def _never(tool: Tool) -> None:
    """Where nobody can disable anything."""


def _stopped(switches: Switches, agent: str, tool: Tool) -> Refusal | None:
    return stopped(switches, agent, tool.name)


def _typed(program: Program) -> dict[str, Validator]:
    return {
        name: compile_predicate(tool.typed) for name, tool in program.tools.items() if tool.typed is not None
    }


_typed_of: Final = Once(_typed)


def _idempotency_key(call: Call) -> str:
    """Derived from run and call, so that a call which is resumed has the same one: a UUID of version 8."""
    digest = hashlib.sha256(f"{call.run_id}\n{call.call_id}".encode()).hexdigest()
    return f"{digest[:8]}-{digest[8:12]}-8{digest[12:15]}-a{digest[15:18]}-{digest[18:30]}"


_GOVERNED_BY: Final = {
    "AR203": "grant:{tool}/quota",
    "AR204": "grant:{tool}/quota",
    "AR305": "tool:{tool}/pagination",
    "AR301": "environment:{environment}/{value}",
    "AR302": "environment:{environment}",
    "AR506": "environment:{environment}/{value}",
    "AR508": "environment:{environment}/{value}",
    "AR509": "environment:{environment}/{value}",
}
