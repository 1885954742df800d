"""What is kept of the calls of a durable run: an intent before, an outcome after, and nothing sent in doubt.

A crash between the two leaves a call whose outcome is not known. It is sent again when that can't do it
twice: it reads, or carries the idempotency key that it had before. Any other one stops the run, and a person
decides.
"""

from __future__ import annotations

import json
from typing import Final

import msgspec

from ..calls import Claim, Parked, Returned
from ..journal import CLAIMED, SETTLED, StoreError, claimed, settled
from ..ledger import Ledger, Transaction, insert_call, log, quota_used_up
from ..quotas import QuotaName
from ..refusals import Refusal

#: The audit records of a call that is sent a second time, and of one that a person has to decide.
REPEATED: Final = "repeated"
UNCLEAR: Final = "unclear"


def claim_call(within: Transaction, claim: Claim) -> QuotaName | None:
    """Record the intent to send a call, or find it recorded and decide whether it may be sent again.

    Returns the quota that is used up, in which case nothing is recorded.

    Raises:
        Parked: the call may have been sent and must not be sent twice, or another process has sent it.
    """
    known = within.execute(
        "SELECT settled, request_digest, idempotency_key, effect FROM calls WHERE run_id = ? AND call_id = ?",
        (claim.run_id, claim.call_id),
    ).fetchone()
    if known is None:
        used = quota_used_up(within, claim)
        if used is None:
            insert_call(within, claim)
            log(within, claim.run_id, CLAIMED, claimed(claim))
        return used
    ended, digest, key, effect = known
    if ended is not None:
        raise Parked("stopped", "another process carries out this run")
    why = None
    if digest != claim.request_digest:
        why = "and the run would now send another request"
    elif effect != "read" and (key is None or key != claim.idempotency_key):
        why = "and it has no idempotency key with which it could be sent again"
    if why is not None:
        message = f"`{claim.tool}` ({claim.call_id}) may have been sent before the run was interrupted, {why}"
        raise Parked("needs_attention", message)
    log(within, claim.run_id, REPEATED, claimed(claim))
    return None


def settle_call(within: Transaction, run_id: str, call_id: str, outcome: Returned | Refusal) -> None:
    """Record how a claimed call ended. One that is settled already keeps its outcome."""
    changed = within.execute(
        "UPDATE calls SET settled = ?, outcome = ? WHERE run_id = ? AND call_id = ? AND settled IS NULL",
        (within.now, dump(outcome), run_id, call_id),
    )
    if changed.rowcount == 1:
        log(within, run_id, SETTLED, settled(call_id, outcome))


def refuse_call(within: Transaction, run_id: str, payload: dict[str, object]) -> None:
    """Record a call that was not sent, once: the run comes past it each time that it is run."""
    call_id = str(payload["call_id"])
    kept = within.execute(
        "INSERT INTO refused_calls (run_id, call_id, refusal) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
        (run_id, call_id, json.dumps(payload["refusal"])),
    )
    if kept.rowcount == 1:
        log(within, run_id, "refused", payload)


def outcomes_of(ledger: Ledger, run_id: str) -> dict[str, Returned | Refusal]:
    """What came of each call of the run that is over, by its id."""
    with ledger.transaction() as within:
        answered = within.execute(
            "SELECT call_id, outcome FROM calls WHERE run_id = ? AND settled IS NOT NULL", (run_id,)
        ).fetchall()
        refused = within.execute(
            "SELECT call_id, refusal FROM refused_calls WHERE run_id = ?", (run_id,)
        ).fetchall()
    return {str(call_id): load(str(text), ledger.name) for call_id, text in (*refused, *answered)}


def dump(outcome: Returned | Refusal) -> str:
    """The outcome as JSON, which gives back the same values: canonical JSON would make `1.0` a `1`."""
    return json.dumps(msgspec.to_builtins(outcome), ensure_ascii=False)


def load(text: str, where: str) -> Returned | Refusal:
    """The outcome of `dump`.

    Raises:
        StoreError: it is damaged.
    """
    try:
        data = json.loads(text)
        kind: type[Returned | Refusal] = Refusal if "code" in data else Returned
        return msgspec.convert(data, kind)
    except (ValueError, TypeError, msgspec.ValidationError) as error:
        raise StoreError(f"the outcome of a call is damaged: {error}", where) from error
