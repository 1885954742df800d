"""What observers of a durable run are told: nothing twice, and no end of a run that is not over."""

from __future__ import annotations

from collections.abc import Callable

from ..events import Event, RunEnded, RunParked, RunStarted
from .steps import DurableSteps


class Telling:
    """Passes on what happens in one run while this process carries it out.

    What was told when it happened is not told again. A run that is cut off tells that it was cancelled, which
    only the store knows: that is kept back until `cut_off` or `ended` says what it was.
    """

    def __init__(self, run_id: str, observe: Callable[[Event], None], steps: DurableSteps) -> None:
        self._run_id = run_id
        self._observe = observe
        self._steps = steps
        self._open = False
        self._held: Event | None = None

    def __call__(self, event: Event) -> None:
        """Told of each event."""
        match event:
            case RunStarted():
                self._open = True
            case RunEnded(status="cancelled") | RunParked(status="stopped"):
                self._held = event
                return
            case RunEnded() | RunParked():
                self._open = False
            case _ if self._steps.replays:
                return
        self._observe(event)

    def cut_off(self, status: str, why: str) -> None:
        """The run stops here and is not over. Nothing is told when its end was, or its beginning was not."""
        if self._open:
            self._open = False
            self._observe(RunParked(run_id=self._run_id, status=status, why=why))

    def ended(self) -> None:
        """An operator has ended the run: what it has told of that holds, if it has told anything."""
        if self._open and self._held is not None:
            self._open = False
            self._observe(self._held)
