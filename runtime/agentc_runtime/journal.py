"""What every journal writes into the audit log about a call, whatever it is kept in."""

from __future__ import annotations

import hashlib

import msgspec

from .calls import Claim, Returned
from .canonical import canonical
from .refusals import Refusal

CLAIMED, SETTLED = "claimed", "settled"


class StoreError(Exception):
    """What had to be kept can't be kept, or not be read. `message` is one line; `path` is the database.

    A call whose record failed must not be attempted.
    """

    def __init__(self, message: str, path: str) -> None:
        super().__init__(f"{path}: {message}")
        self.message = message
        self.path = path


def claimed(claim: Claim) -> dict[str, object]:
    """The audit record of an intent: everything about the call but the quotas it was counted against."""
    return {
        "call_id": claim.call_id,
        "agent": claim.agent,
        "tool": claim.tool,
        "effect": claim.effect,
        "arguments": claim.arguments,
        "request_digest": claim.request_digest,
        "idempotency_key": claim.idempotency_key,
    }


def settled(call_id: str, outcome: Returned | Refusal) -> dict[str, object]:
    """The audit record of an outcome.

    The answer itself is left out and its sha256 stands for it: what services say about people has to be
    deletable, and nothing can be deleted from the log.

    Raises:
        ValueError: the answer is not JSON.
    """
    if isinstance(outcome, Refusal):
        return {"call_id": call_id, "outcome": "refused", "refusal": msgspec.to_builtins(outcome)}
    how = {"cached": True} if outcome.cached else {}
    return {
        **how,
        "call_id": call_id,
        "outcome": "returned",
        "status": outcome.status,
        "value_sha256": hashlib.sha256(canonical(outcome.value)).hexdigest(),
        "label": {"trust": outcome.label.trust, "sensitivity": outcome.label.sensitivity},
        "seconds": outcome.seconds,
    }
