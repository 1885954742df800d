"""Who watches runs besides their followers: OpenTelemetry and log lines, where the process has them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final, Protocol

from agentc_runtime.bundle import Program
from agentc_runtime.events import Event
from agentc_runtime.secrets import Secrets
from agentc_runtime.wire import Transport

#: W3C Trace Context, sections 3.2 and 3.3: `tracestate` has 512 characters that have to be passed on.
_TRACEPARENT: Final = re.compile(r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")
_MAX_TRACESTATE: Final = 512


class Watching(Protocol):
    """What the process watches its runs with."""

    def observer(
        self, program: Program, environment: str, secrets: Secrets, trace: Mapping[str, str] | None = None
    ) -> Callable[[Event], None]:
        """Who is told what happens in one run. `trace` is the W3C context that it is part of."""

    def transport(self, live: Transport) -> Transport:
        """What tools send through."""


class Unwatched:
    """Nobody watches."""

    def observer(
        self, program: Program, environment: str, secrets: Secrets, trace: Mapping[str, str] | None = None
    ) -> Callable[[Event], None]:
        """Told to nobody."""
        return lambda event: None

    def transport(self, live: Transport) -> Transport:
        """Sent as it is."""
        return live


def trace_of(headers: Mapping[str, str]) -> dict[str, str]:
    """The trace that a request is part of; nothing where its headers name none."""
    parent, state = headers.get("traceparent", ""), headers.get("tracestate", "")
    if _TRACEPARENT.fullmatch(parent) is None:
        return {}
    return {"traceparent": parent, **({"tracestate": state} if 0 < len(state) <= _MAX_TRACESTATE else {})}
