"""What operators do with runs: cancel them, and decide about calls in doubt."""

from __future__ import annotations

import json
from typing import Final, Literal, TypeAlias

from ..bundle import Tool
from ..calls import Returned
from ..interpret.answers import findings, listed
from ..ledger import Ledger, Transaction, log
from ..refusals import Refusal
from .effects import settle_call
from .runs import end_run, held_status, stored_bundle

#: `done`: it took effect, and this was the answer. `not_done`: it did not, and may be sent again. `failed`:
#: the run goes on as after a failure.
Resolution: TypeAlias = Literal["done", "not_done", "failed"]
RESOLVED: Final = "resolved"


class OperationError(Exception):
    """What an operator wants is not possible: one line that says why."""


def cancel_run(ledger: Ledger, run_id: str, *, by: str, reason: str) -> None:
    """End a durable run that is not over. From now on it sends nothing; what is under way is still recorded.

    Raises:
        OperationError: there is no such run, it is over, or it is not durable.
        StoreError: it can't be kept.
    """
    with ledger.transaction() as within:
        status = _status(within, run_id)
        said = {"by": by, "reason": reason}
        if not end_run(within, run_id, "cancelled", None, None, said):
            raise OperationError(f"run `{run_id}` is over: {status}")


def resolve_call(
    ledger: Ledger,
    run_id: str,
    call_id: str | None,
    resolution: Resolution,
    *,
    by: str,
    reason: str,
    answer: object = None,
) -> str:
    """Say what became of a call that may have been sent, so that its run can go on; the call's id.

    Without `call_id` the one call of the run that is in doubt is meant.

    Raises:
        OperationError: the run does not wait for that, the call is not in doubt, or `answer` is none that the
            tool may give.
        StoreError: it can't be kept.
    """
    call_id, tool_name, arguments, digest = _doubtful(ledger, run_id, call_id)
    tool = stored_bundle(ledger, digest).program.tools[tool_name]
    if resolution == "done":
        _fitting(tool, answer)
    with ledger.transaction() as within:
        if _status(within, run_id) != "needs_attention":
            raise OperationError(f"run `{run_id}` does not need attention")
        opened = within.execute(
            f"SELECT 1 FROM calls WHERE run_id = ? AND call_id = ? AND settled IS NULL{within.holding}",  # noqa: S608
            (run_id, call_id),
        ).fetchone()
        if opened is None:
            raise OperationError(f"call `{call_id}` of run `{run_id}` is not in doubt")
        within.execute("UPDATE runs SET status = 'queued' WHERE run_id = ?", (run_id,))
        within.execute("UPDATE durable_runs SET why = '', handed = 0 WHERE run_id = ?", (run_id,))
        if resolution == "not_done":
            # as if it had never been meant: its quota is free again, and the log keeps what was
            within.execute("DELETE FROM calls WHERE run_id = ? AND call_id = ?", (run_id, call_id))
        said = {"call_id": call_id, "tool": tool_name, "resolution": resolution, "by": by, "reason": reason}
        log(within, run_id, RESOLVED, said)
        if resolution == "failed":
            message = f"it is not known whether `{tool_name}` took effect, and {by} let the run go on"
            settle_call(within, run_id, call_id, Refusal(code="AR407", message=message, value=reason))
        elif resolution == "done":
            returned = Returned(status=200, value=answer, label=tool.output, seconds=0.0, arguments=arguments)
            settle_call(within, run_id, call_id, returned)
    return call_id


def _doubtful(ledger: Ledger, run_id: str, call_id: str | None) -> tuple[str, str, dict[str, object], str]:
    with ledger.transaction() as within:
        status = _status(within, run_id)
        rows = within.execute(
            "SELECT c.call_id, c.tool, c.arguments, r.bundle FROM calls c JOIN runs r ON r.run_id = c.run_id"
            " WHERE c.run_id = ? AND c.settled IS NULL ORDER BY c.id",
            (run_id,),
        ).fetchall()
    if status != "needs_attention":
        raise OperationError(f"run `{run_id}` does not need attention: it is {status}")
    found = [row for row in rows if call_id in (None, row[0])]
    if not found:
        which = "no call" if call_id is None else f"call `{call_id}`"
        wrong = "is in doubt: let it go on with" if call_id is None else "is not in doubt; see"
        command = "agentc runs resume" if call_id is None else "agentc runs show"
        raise OperationError(f"{which} of run `{run_id}` {wrong} `{command} {run_id}`")
    if len(found) > 1:
        names = ", ".join(f"`{row[0]}`" for row in found)
        raise OperationError(f"several calls are in doubt, say which with --call: {names}")
    name, tool, arguments, digest = found[0]
    return str(name), str(tool), json.loads(str(arguments)), str(digest)


def _fitting(tool: Tool, answer: object) -> None:
    """Refuse an answer that the tool could not have given; one that is cut to some fields may be anything."""
    schemas = [case.schema for case in tool.request.responses if case.status[0] in "2d" and case.schema]
    if tool.fields or tool.pagination is not None or not schemas:
        return
    found = [findings(answer, schema) for schema in schemas]
    if all(found):
        raise OperationError(f"--answer is none that `{tool.name}` gives: {listed(found[0])}")


def _status(within: Transaction, run_id: str) -> str:
    status = held_status(within, run_id)
    durable = within.execute("SELECT 1 FROM durable_runs WHERE run_id = ?", (run_id,)).fetchone()
    if status is None or durable is None:
        raise OperationError(f"no durable run `{run_id}`; `agentc runs list` shows those that are there")
    return status
