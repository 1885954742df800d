"""Past runs out of the lines that `agentc run --format json` prints: one event of a run on each."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final, TypeAlias

import msgspec

from .events import RunStarted, ToolCalled, ToolRefused, ToolReturned
from .history import PastCall, PastRefusal, PastRun, was_sent
from .journal import StoreError
from .strictjson import StrictJsonError, parse

_Told: TypeAlias = RunStarted | ToolCalled | ToolReturned | ToolRefused
#: The events that are read; others say nothing about calls.
_READ: Final = {"run_started", "tool_called", "tool_returned", "tool_refused"}
#: Bytes of one line.
MAX_LINE: Final = 64 * 1024 * 1024


class _Tagged(msgspec.Struct):
    event: str


_TAG: Final = msgspec.json.Decoder(_Tagged)
_EVENT: Final = msgspec.json.Decoder(_Told)


def read_transcript(path: Path) -> Iterator[PastRun]:
    """The runs that were printed into the file, one after the other.

    What a run was given, and when it was, is in no event. Arguments that were cut are not known.

    Raises:
        StoreError: the file can't be read, or a line of it is no event.
    """
    begun: RunStarted | None = None
    calls: list[PastCall] = []
    refused: list[PastRefusal] = []
    called: dict[str, ToolCalled] = {}
    for event in _events(path):
        if isinstance(event, RunStarted):
            if begun is not None:
                yield _run(begun, calls, refused)
            begun, calls, refused, called = event, [], [], {}
        elif begun is None:
            raise StoreError("a call stands before the start of its run: the file is cut", str(path))
        elif isinstance(event, ToolCalled):
            called[event.call_id] = event
        elif (asked := called.pop(event.call_id, None)) is None:
            raise StoreError(f"call `{event.call_id}` ended before it began: the file is cut", str(path))
        elif isinstance(event, ToolReturned) or was_sent(event.refusal.code):
            given = _given(asked.arguments)
            calls.append(PastCall(tool=event.tool, arguments=given, state=event.state, whole=False))
        else:
            known = asked.arguments if _given(asked.arguments) is not None else None
            code = event.refusal.code
            refused.append(PastRefusal(tool=event.tool, code=code, state=event.state, arguments=known))
    if begun is not None:
        yield _run(begun, calls, refused)


def _events(path: Path) -> Iterator[_Told]:
    try:
        with path.open("rb") as file:
            for number, line in enumerate(iter(lambda: file.readline(MAX_LINE), b""), 1):
                if not line.strip():
                    continue
                try:
                    if _TAG.decode(line).event in _READ:
                        yield _EVENT.decode(line)
                except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
                    message = (
                        f"line {number} is no event of a run: name a database that `agentc run` wrote, or"
                    )
                    raise StoreError(f"{message} what it printed with `--format json`", str(path)) from error
    except OSError as error:
        reason = (error.strerror or "unreadable").lower()
        raise StoreError(f"{reason}: check the path and its permissions", str(path)) from error


def _given(text: str) -> dict[str, object] | None:
    """The arguments as they were given; `None` when they are no JSON object, or were cut."""
    try:
        value = parse(text)
    except StrictJsonError:
        return None
    return value if isinstance(value, dict) else None


def _run(begun: RunStarted, calls: list[PastCall], refused: list[PastRefusal]) -> PastRun:
    return PastRun(
        run_id=begun.run_id,
        agent=begun.agent,
        version=begun.version,
        bundle=begun.bundle,
        environment=begun.environment,
        input=None,
        session=None,
        started="",
        calls=tuple(calls),
        refused=tuple(refused),
    )
