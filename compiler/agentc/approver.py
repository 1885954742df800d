"""Approvals on the terminal: a person sees the exact request and answers, or nobody is there."""

from __future__ import annotations

import asyncio
import contextlib
import getpass
import sys
import threading
from collections.abc import Callable

from agentc_runtime.calls import ApprovalRequest, Decision

from .transcript import shown


class TerminalApprover:
    """Asks on standard error and reads the answer from standard input. No answer is a rejection."""

    def __init__(self, write: Callable[[str], None]) -> None:
        self._write = write

    async def ask(self, request: ApprovalRequest) -> Decision:
        """The person's decision; a rejection when standard input has ended."""
        for line in request.preview.splitlines():
            self._write(f"      {shown(line, 200)}")
        groups = f" ({', '.join(request.by)})" if request.by else ""
        sys.stderr.write(f"    Do this{groups}? [y/N] ")
        sys.stderr.flush()
        answer = await _read_line()
        if not sys.stdin.isatty():
            sys.stderr.write("\n")
        if answer == "":
            return Decision(
                approved=False, by="nobody", reason="standard input has ended: nobody can be asked"
            )
        approved = answer.strip().lower() in {"y", "yes"}
        return Decision(approved=approved, by=getpass.getuser(), reason="" if approved else "rejected")


async def _read_line() -> str:
    """A line of standard input, or nothing when it has ended.

    Read by a daemon thread: a person who does not answer holds up neither the expiry nor Ctrl-C.
    """
    loop = asyncio.get_running_loop()
    answered: asyncio.Future[str] = loop.create_future()

    def settle(line: str) -> None:
        if not answered.done():
            answered.set_result(line)

    def read() -> None:
        line = sys.stdin.readline()
        # The loop is closed when the run was interrupted meanwhile: then nobody waits for the answer.
        with contextlib.suppress(RuntimeError):
            loop.call_soon_threadsafe(settle, line)

    threading.Thread(target=read, daemon=True).start()
    return await answered
