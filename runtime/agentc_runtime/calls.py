"""A tool call on its way through the broker: what comes in, who is asked, what comes out, what is kept."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping
from typing import Final, Literal, Protocol, TypeAlias, TypeVar

import msgspec

from .budgets import BudgetName, Spending
from .bundle import Origin
from .labels import Label
from .origins import Origins
from .quotas import QuotaName
from .refusals import Refusal

T = TypeVar("T")
#: An answer, or something to wait for that gives it.
MaybeLater: TypeAlias = T | Awaitable[T]

#: `Decision.by` when no person decided: nobody could be asked, or nobody answered.
NOBODY: Final = "nobody"


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """A proposed call. `name` is as the caller wrote it (`model_name` from a model, full name from a tool
    state); `arguments` is raw JSON text; `context` is the label of everything that was read before it in
    this state; `data` holds `input`, `session` and `states` for bound arguments; `origins` is what its
    values may be traced to.
    """

    run_id: str
    call_id: str
    state: str
    name: str
    arguments: str
    context: Label
    data: Mapping[str, object]
    origins: Origins


class Returned(msgspec.Struct, frozen=True, kw_only=True):
    """An accepted answer: the projected value, and the label that it carries from now on.

    `arguments` are those of the call, bound ones included, and `approved` says that a person agreed to them.
    `complete` is false when the service has more pages than the tool reads, `cached`
    true when the answer, or one of its pages, was read before.
    """

    status: int
    value: object
    label: Label
    seconds: float
    arguments: Mapping[str, object] = {}
    approved: bool = False
    complete: bool = True
    cached: bool = False


class ApprovalRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What a person is asked: the call with all its arguments, and why it needs them.

    For a question of an `approval` state `tool` is empty, `preview` its text, and `arguments` what it shows.
    `preview` is the request that would be sent, several lines, without secrets. `reasons` name the spec
    lines. `by` are the approver groups. `digest` is the sha256 of the canonical call: the answer is for
    exactly this call. `label` is that of everything that was read before; `origins` say for each argument
    where its value stands, nothing for one that the model made up; `undo` is the tool that takes the call
    back. A question of the workflow itself has no tool.
    """

    run_id: str
    call_id: str
    state: str
    tool: str
    arguments: Mapping[str, object]
    preview: str
    reasons: tuple[str, ...]
    by: tuple[str, ...]
    expires_ms: int
    digest: str
    effect: str = ""
    label: Label = Label()
    origins: Mapping[str, tuple[Origin, ...]] = {}
    undo: str = ""


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to an `ApprovalRequest`. `by` says who, or `NOBODY`.

    With `arguments` a narrower call than the one that was asked for is approved.
    """

    approved: bool
    by: str
    reason: str = ""
    arguments: Mapping[str, object] | None = None


class Approver(Protocol):
    """Somebody who can be asked."""

    async def ask(self, request: ApprovalRequest) -> Decision:
        """The decision. Returns a rejection when nobody can be asked.

        Raises:
            TimeoutError: nobody decided in time.
            Parked: the run has to stop here, and is run again once somebody has decided.
        """


class Parked(Exception):
    """The run stops here and is not over: it is run again, up to here and on, when `why` is no more.

    `status` is what the run is meanwhile.
    """

    def __init__(self, status: Literal["waiting", "needs_attention", "stopped"], why: str) -> None:
        super().__init__(why)
        self.status: Final = status
        self.why: Final = why


class Claim(msgspec.Struct, frozen=True, kw_only=True):
    """The intent to make one call, and the quotas that it counts against."""

    run_id: str
    call_id: str
    agent: str
    tool: str
    effect: str
    arguments: Mapping[str, object]
    request_digest: str
    idempotency_key: str | None
    per_run: int | None
    per_day: int | None


class Journal(Protocol):
    """What is kept of calls. On return from each method the record is durable, or it raised.

    A journal whose database is far away returns something to wait for: what holds then holds after it.
    """

    def record(self, run_id: str, kind: str, payload: Mapping[str, object]) -> MaybeLater[None]:
        """Append one event to the audit log."""

    def claim(self, claim: Claim) -> MaybeLater[QuotaName | None]:
        """Count the call against its quotas and record the intent, in one transaction.

        Returns the quota that is used up, in which case nothing was counted.
        """

    def settle(self, run_id: str, call_id: str, outcome: Returned | Refusal) -> MaybeLater[None]:
        """Record how the call ended."""

    def reserve(self, spending: Spending) -> MaybeLater[BudgetName | None]:
        """Count the most that a model turn can cost against its budgets, in one transaction.

        Returns the budget that it might go over, in which case nothing was counted. A turn that is reserved
        again is counted once.
        """

    def spend(self, run_id: str, turn: str, amount: int) -> MaybeLater[None]:
        """Count what a reserved turn has cost instead of what it might have."""


async def answered(answer: MaybeLater[T]) -> T:
    """The answer, waited for where it comes later."""
    if answer is None:  # as most do, and asking what else it is takes longer
        return answer
    return await answer if isinstance(answer, Awaitable) else answer
