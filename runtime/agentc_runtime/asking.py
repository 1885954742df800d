"""People who are asked whether a call may be made, and the record of each question and answer."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import msgspec

from .calls import NOBODY, ApprovalRequest, Approver, Call, Decision, Journal, answered
from .events import ApprovalAsked, ApprovalDecided, Emit
from .origins import ORIGINS
from .policy import Allowed, Policy
from .quoting import shortened
from .refusals import Refusal
from .request import preview
from .secrets import Secrets
from .switches import Switches, open_groups
from .wire import HttpRequest


class People:
    """Whom one agent may ask. Of what they say, `policy` lets through what is no wider than the question."""

    def __init__(
        self,
        agent: str,
        policy: Policy,
        journal: Journal,
        secrets: Secrets,
        approver: Approver,
        switches: Switches,
    ) -> None:
        self._agent = agent
        self._policy = policy
        self._journal = journal
        self._secrets = secrets
        self._approver = approver
        self._switches = switches

    async def consent(
        self, call: Call, allowed: Allowed, request: HttpRequest, digest: str, emit: Emit
    ) -> Allowed | Refusal:
        """The call that a person agreed to: `allowed` itself, or a narrower one.

        What `consult` raises passes through.
        """
        tool = allowed.tool
        asked = ApprovalRequest(
            run_id=call.run_id,
            call_id=call.call_id,
            state=call.state,
            tool=tool.name,
            arguments=self._secrets.redact_object(allowed.arguments),
            preview=self._secrets.redact(preview(request)),
            reasons=tuple(str(reason) for reason in allowed.reasons),
            by=allowed.by,
            expires_ms=allowed.expires_ms,
            digest=digest,
            effect=tool.effect,
            label=call.context,
            origins={
                name: tuple(origin for origin in ORIGINS if call.origins.stands_in(value, (origin,)))
                for name, value in allowed.arguments.items()
            },
            undo="" if tool.undo is None else tool.undo.tool,
        )
        at = allowed.reasons[0].at
        decision = await self.consult(asked, emit)
        if decision is None:
            message = f"nobody approved `{tool.name}` within {allowed.expires_ms} ms"
            return Refusal(code="AR206", message=message, value=allowed.expires_ms, at=at)
        if decision.approved and decision.arguments is not None:
            return self._policy.narrowed(call, allowed, asked.arguments, decision.arguments)
        if decision.approved:
            return allowed
        reason = f": {shortened(decision.reason)}" if decision.reason else ""
        who = shortened(decision.by)
        message = f"`{tool.name}` was rejected by {who}{reason}"
        if decision.by == NOBODY:
            message = f"nobody approved `{tool.name}`{reason}"
        return Refusal(code="AR205", message=self._secrets.redact(message), at=at)

    async def consult(self, asked: ApprovalRequest, emit: Emit) -> Decision | None:
        """Ask a person, and record question and answer. `None` when there was none in time.

        What the journal or the approver raises passes through.
        """
        said = {"call_id": asked.call_id, "tool": asked.tool, "digest": asked.digest}
        asking = {**said, "reasons": list(asked.reasons)}
        await answered(self._journal.record(asked.run_id, "approval_asked", asking))
        emit(
            ApprovalAsked(
                state=asked.state,
                tool=asked.tool,
                call_id=asked.call_id,
                preview=asked.preview,
                reasons=asked.reasons,
            )
        )
        decision = await self._asked(asked)
        kept = decision or Decision(approved=False, by=NOBODY)
        answer = {"approved": kept.approved, "by": kept.by, "reason": kept.reason}
        await answered(self._journal.record(asked.run_id, "approval_decided", {**said, **answer}))
        emit(ApprovalDecided(tool=asked.tool, call_id=asked.call_id, approved=kept.approved, by=kept.by))
        return decision

    async def _asked(self, asked: ApprovalRequest) -> Decision | None:
        """The decision of the groups that are not disabled, before the question and after the answer."""
        groups = open_groups(self._switches, self._agent, asked.by)
        decision: Decision | None = None
        if not isinstance(groups, str):
            with suppress(TimeoutError):
                async with asyncio.timeout(asked.expires_ms / 1000):
                    decision = await self._approver.ask(msgspec.structs.replace(asked, by=groups))
            groups = open_groups(self._switches, self._agent, groups)
        return Decision(approved=False, by=NOBODY, reason=groups) if isinstance(groups, str) else decision
