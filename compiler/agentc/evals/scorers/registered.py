"""Scorers that the deployer registered: specs name them and never import code."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from importlib.metadata import entry_points
from typing import Final

from ...syntax.scorers import PythonScorer
from .base import Missing, Said, Scorer, Seen, quoted, value_at

GROUP: Final = "agentc.scorers"


class UnregisteredError(Exception):
    """A scorer that nobody registered: one line that says how."""


def registered(spec: PythonScorer) -> Scorer:
    """The function of that name.

    It is called with the value, and by name with `case` (`id`, `input`, `expected`), `run` (the observation)
    and the spec's `arguments`, and gives a number from 0 to 1, a truth value, or a pair of one and a reason.
    It may be async.

    Raises:
        UnregisteredError: there is no such entry point, or it can't be imported.
    """
    found = [entry for entry in entry_points(group=GROUP) if entry.name == spec.scorer]
    if len(found) != 1:
        names = sorted(entry.name for entry in entry_points(group=GROUP))
        known = f"registered: {', '.join(f'`{name}`' for name in names)}" if names else "none is registered"
        how = "several packages register it" if found else known
        raise UnregisteredError(f"no scorer `{spec.scorer}` under the entry points `{GROUP}`; {how}")
    try:
        function: Callable[..., object] = found[0].load()
    except Exception as error:
        raise UnregisteredError(
            f"scorer `{spec.scorer}` can't be imported: {type(error).__name__}: {error}"
        ) from error

    async def score(seen: Seen) -> Said:
        value = value_at(seen.run, spec.of)
        if isinstance(value, Missing):
            return Said(0, False, value.reason)
        case = {"id": seen.case.id, "input": dict(seen.case.input), "expected": seen.case.spec.expected}
        try:
            said = function(value, case=case, run=seen.run, **spec.arguments)
            if inspect.isawaitable(said):
                said = await said
        except Exception as error:
            return Said(0, False, f"scorer `{spec.scorer}` raised {type(error).__name__}: {error}")
        return _read(spec, said)

    return score


def _read(spec: PythonScorer, said: object) -> Said:
    given, reason = said if isinstance(said, tuple) and len(said) == 2 else (said, "")
    if not isinstance(given, bool | int | float) or not 0 <= float(given) <= 1:
        return Said(0, False, f"scorer `{spec.scorer}` gave {quoted(repr(said))}, no number from 0 to 1")
    value = float(given)
    return Said(value, value >= spec.threshold, str(reason))
