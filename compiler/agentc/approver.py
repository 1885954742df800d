"""Approvals on the terminal: a person sees the exact request and answers, or nobody is there."""

from __future__ import annotations

import asyncio
import contextlib
import getpass
import os
import sys
import threading
from collections.abc import Callable

from agentc_runtime.calls import NOBODY, ApprovalRequest, Decision

from .transcript import YELLOW, paint, reason_shown, shown

_STDIN = 0
#: Bytes of an answer that are read; `yes` has three.
_LONGEST = 1000
#: Characters of a line of the request that are shown: a person should see all that is sent.
_PREVIEW = 10_000


class TerminalApprover:
    """Asks on standard error and reads the answer from standard input. No answer is a rejection.

    `write` gets one line at a time, without its end. `prefix` begins the paths of spec lines.
    """

    def __init__(self, write: Callable[[str], None], *, color: bool = False, prefix: str = "") -> None:
        self._write = write
        self._color = color
        self._prefix = prefix

    async def ask(self, request: ApprovalRequest) -> Decision:
        """The person's decision; a rejection when standard input has ended."""
        groups = f" ({', '.join(request.by)})" if request.by else ""
        self._write("    " + paint(f"? a person has to agree{groups}", YELLOW, color=self._color))
        for reason in request.reasons:
            self._write(f"      {reason_shown(reason, self._prefix)}")
        for line in request.preview.splitlines():
            self._write(f"      {shown(line, _PREVIEW)}")
        sys.stderr.write(f"    {'Send it' if request.tool else 'Go on'}? [y/N] ")
        sys.stderr.flush()
        answer = await _read_line()
        if answer is None:
            self._write("")
            return Decision(approved=False, by=NOBODY, reason="standard input has ended")
        if not sys.stdin.isatty():
            self._write(shown(answer, 80))
        approved = answer.strip().lower() in {"y", "yes"}
        return Decision(approved=approved, by=user_name())


def user_name() -> str:
    """Who sits at this machine, as it says."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        # In a container the user may have no name.
        return f"uid {os.getuid()}"


async def _read_line() -> str | None:
    """A line of standard input, or nothing when it has ended.

    Read by a daemon thread: a person who does not answer holds up neither the expiry nor Ctrl-C. It reads
    past Python's buffer, whose lock would be held when the interpreter exits, and never beyond the line.
    """
    loop = asyncio.get_running_loop()
    answered: asyncio.Future[str | None] = loop.create_future()

    def settle(line: str | None) -> None:
        if not answered.done():
            answered.set_result(line)

    def read() -> None:
        data = b""
        # A standard input that is closed or can't be read has ended too.
        with contextlib.suppress(OSError):
            while len(data) < _LONGEST and not data.endswith(b"\n"):
                byte = os.read(_STDIN, 1)
                if not byte:
                    break
                data += byte
        line = data.decode("utf-8", "replace").rstrip("\r\n") if data else None
        # The loop is closed when the run was interrupted meanwhile: then nobody waits for the answer.
        with contextlib.suppress(RuntimeError):
            loop.call_soon_threadsafe(settle, line)

    threading.Thread(target=read, daemon=True).start()
    return await answered
