"""A run as structured log records, in the fields of OpenTelemetry's log data model.

One record an event, without pieces of text. Its attributes hold no content; what `Content` admits is added.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Final, TypeAlias

from .. import events
from ..bundle import Program
from ..refusals import Refusal
from . import names
from .attributes import Attributes, Severity, described
from .content import Content

#: The numbers of the log data model.
SEVERITIES: Final[dict[Severity, int]] = {"DEBUG": 5, "INFO": 9, "WARN": 13, "ERROR": 17}

#: Takes one record: when (nanoseconds since 1970), severity, event name, attributes.
Sink: TypeAlias = Callable[[int, Severity, str, Attributes], None]
#: The hexadecimal ids of the trace and the span that are open, if any.
Correlate: TypeAlias = Callable[[], tuple[str, str] | None]


def uncorrelated() -> None:
    """There is no trace."""


class Logs:
    """The log records of one run. `nanoseconds` is the time of day."""

    def __init__(self, sinks: tuple[Sink, ...], content: Content, nanoseconds: Callable[[], int]) -> None:
        self._sinks = sinks
        self._content = content
        self._nanoseconds = nanoseconds
        self._run_id = ""

    def __call__(self, event: events.Event, program: Program) -> None:
        """Write the record of `event`, which is about the agent of `program`."""
        if isinstance(event, events.ModelText):
            return
        if isinstance(event, events.RunStarted):
            self._run_id = event.run_id
        name, severity, described_as = described(event, program)
        told: Attributes = {
            names.AGENT_NAME: program.agent.name,
            names.AGENT_VERSION: program.agent.version,
            names.RUN_ID: self._run_id,
            **described_as,
            **self._shown(event),
        }
        if event.scope:
            told[names.SCOPE] = event.scope
        for sink in self._sinks:
            sink(self._nanoseconds(), severity, name, told)

    def _shown(self, event: events.Event) -> Attributes:
        """The content of `event` that may be seen."""
        told: Attributes = {}
        shows, clean = self._content.shows, self._content.clean
        match event:
            case events.ToolCalled() if shows(event.label):
                told[names.TOOL_CALL_ARGUMENTS] = clean(event.arguments)
            case events.ToolReturned() if shows(event.label):
                told[names.TOOL_CALL_RESULT] = clean(event.content)
            case events.ToolRefused() if shows(event.label):
                told[names.REFUSAL_MESSAGE] = clean(event.refusal.message)
            case events.StateFailed(refusal=Refusal(message=message)) if shows(events.UNKNOWN):
                told[names.REFUSAL_MESSAGE] = clean(message)
            case events.RunEnded(refusal=Refusal(message=message)) if shows(events.UNKNOWN):
                told[names.REFUSAL_MESSAGE] = clean(message)
        return told


def json_lines(write: Callable[[str], None], resource: Mapping[str, object], correlate: Correlate) -> Sink:
    """A sink that writes each record as one line of JSON. `write` gets a line without its end."""

    def sink(nanoseconds: int, severity: Severity, name: str, attributes: Attributes) -> None:
        seconds, rest = divmod(nanoseconds, 1_000_000_000)
        at = datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")
        record: dict[str, object] = {
            "timestamp": f"{at}.{rest // 1000:06d}Z",
            "severity_text": severity,
            "severity_number": SEVERITIES[severity],
            "event_name": name,
        }
        if (ids := correlate()) is not None:
            record["trace_id"], record["span_id"] = ids
        write(json.dumps({**record, "attributes": attributes, "resource": resource}, ensure_ascii=False))

    return sink


def stderr_line(line: str) -> None:
    """Write a line to standard error at once."""
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()
