"""How the models of a process do: one that keeps failing is left alone, so that a fallback answers at once.

The runs of a process share it. What it decides is part of the step that asks a model, so a run that is run
again decides the same.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import msgspec

from ..pacing import BREAK_AFTER, Breaker
from .types import ModelError


class ModelHealth(msgspec.Struct, frozen=True, kw_only=True):
    """One model at one server: whether it is asked, and in how many seconds it will be if it is not."""

    origin: str
    model: str
    ok: bool
    failures: int
    next_try_seconds: float


class Health:
    """Circuit breakers by server and model. `monotonic` gives seconds."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._breakers: dict[tuple[str, str], Breaker] = {}

    def admit(self, origin: str, model: str) -> None:
        """Take leave to ask a model.

        Raises:
            ModelError: it failed too often, and is left alone for a while. Nothing was sent.
        """
        now = self._monotonic()
        breaker = self._breakers.get((origin, model))
        if breaker is None:
            breaker = self._breakers[origin, model] = Breaker(now)
        why = breaker.take(now)
        if why is not None:
            raise ModelError(f"model `{model}` at `{origin}` {why}", sent=False)

    def record(self, origin: str, model: str, error: ModelError | None) -> None:
        """What came of it. An error that no new try would mend says nothing of the model's health."""
        breaker = self._breakers[origin, model]
        if error is not None and error.retryable:
            breaker.failed(self._monotonic())
        else:
            breaker.succeeded()

    def report(self) -> tuple[ModelHealth, ...]:
        """Every model that was asked, by server and name."""
        now = self._monotonic()
        return tuple(
            ModelHealth(
                origin=origin,
                model=model,
                ok=breaker.failures < BREAK_AFTER,
                failures=breaker.failures,
                next_try_seconds=max(0.0, breaker.closed_until - now)
                if breaker.failures >= BREAK_AFTER
                else 0.0,
            )
            for (origin, model), breaker in sorted(self._breakers.items())
        )
