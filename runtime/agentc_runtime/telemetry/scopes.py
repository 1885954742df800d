"""Which agent an event is about: in a `handoff`, the one that works on it."""

from __future__ import annotations

from collections.abc import Iterator

from .. import events
from ..bundle import Program
from ..workflow import HandoffState


def enclosing(scope: str) -> Iterator[str]:
    """The scopes around `scope`, the nearest first: `1.web/2.a/` lies in `1.web/` and in the run itself."""
    while scope:
        scope = scope.rstrip("/").rpartition("/")[0]
        scope = f"{scope}/" if scope else ""
        yield scope


class Scopes:
    """The programs of one run, by scope. While a state hands over, what is told inside it is the other's."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._handed: dict[str, Program] = {}

    def program(self, event: events.Event) -> Program:
        """The program whose states, tools and models `event` names."""
        return next(
            (self._handed[scope] for scope in enclosing(event.scope) if scope in self._handed), self._program
        )

    def note(self, event: events.Event, program: Program) -> None:
        """Take down that a state of `program` hands over, or has ended."""
        if isinstance(event, events.StateEntered):
            state = program.states.get(event.state)
            if isinstance(state, HandoffState) and state.agent in program.agents:
                self._handed[event.scope] = program.agents[state.agent]
        elif isinstance(event, events.StateEnded | events.StateFailed):
            self._handed.pop(event.scope, None)
