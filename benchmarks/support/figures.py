"""How the benchmarks take time and report it."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent


class CannotMeasureError(Exception):
    """A peer or an input is missing. The message says what to do."""


def main(measure: Callable[[], None]) -> int:
    """Exit code: 0 when the figures were taken, whatever they are, 2 when they could not be."""
    try:
        measure()
    except CannotMeasureError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


def interleaved(actions: Mapping[str, Callable[[], object]], repeats: int) -> dict[str, list[float]]:
    """Milliseconds of each action, run in turn (A B A B …), so that a slow moment falls on all of them.

    One round before the first is not counted: it fills caches and writes bytecode.
    """
    for action in actions.values():
        action()
    taken: dict[str, list[float]] = {name: [] for name in actions}
    for _ in range(repeats):
        for name, action in actions.items():
            taken[name].append(milliseconds(action))
    return taken


def milliseconds(action: Callable[[], object]) -> float:
    """How long one call takes."""
    started = time.perf_counter_ns()
    action()
    return (time.perf_counter_ns() - started) / 1e6


def medians(taken: Mapping[str, Sequence[float]]) -> dict[str, float]:
    """The median of each."""
    return {name: statistics.median(values) for name, values in taken.items()}


def child_environment(**changes: str) -> dict[str, str]:
    """The environment for child processes: they use and keep bytecode, as they do for a user."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {**kept, **changes}


def process(
    command: Sequence[str | Path],
    *,
    environment: Mapping[str, str],
    folder: Path = ROOT,
    allowed: tuple[int, ...] = (0,),
) -> Callable[[], object]:
    """An action that runs `command` to its end.

    Raises:
        CannotMeasureError: when it runs, and exits with a code that is not `allowed`.
    """

    def run() -> None:
        done = subprocess.run(
            [str(word) for word in command], cwd=folder, env=environment, capture_output=True, check=False
        )
        if done.returncode not in allowed:
            said = (done.stderr or done.stdout).decode(errors="replace").strip()[-2000:]
            words = " ".join(str(word) for word in command[:4])
            raise CannotMeasureError(f"`{words}` exited with {done.returncode}: {said}")

    return run


def script(name: str, extra: str) -> Path:
    """The console script `name` of this Python's environment.

    Raises:
        CannotMeasureError: it is not installed; `extra` is the extra of agentc that brings it.
    """
    path = BIN / name
    if not path.is_file():
        raise CannotMeasureError(f"no `{name}` beside {sys.executable}: pip install 'agentc{extra}'")
    return path


def finish(
    name: str, against: str, ratio: float, target: str, figures: Mapping[str, float | int | str]
) -> None:
    """Print the last line."""
    rounded = {key: round(value, 6) if isinstance(value, float) else value for key, value in figures.items()}
    print(
        json.dumps({"name": name, "against": against, "ratio": round(ratio, 3), "target": target, **rounded})
    )
