"""Whom a durable run asks: whoever looks at the approvals of its store."""

from __future__ import annotations

import asyncio

from ..calls import ApprovalRequest, Decision
from ..ledger import Ledger
from .approvals import consult


class DurableApprover:
    """An `Approver` whose answers may come after days, and are kept."""

    def __init__(self, ledger: Ledger, agent: str) -> None:
        self._ledger = ledger
        self._agent = agent

    async def ask(self, request: ApprovalRequest) -> Decision:
        """The decision. Raises as `approvals.consult`."""
        return await asyncio.to_thread(consult, self._ledger, self._agent, request)
