"""Files that hold recorded runs, of whatever kind."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec

from agentc_runtime.history import Answered, PastCall, PastRefusal, PastRun, read_runs, runs_in
from agentc_runtime.journal import StoreError
from agentc_runtime.labels import Label
from agentc_runtime.transcripts import MAX_LINE, read_transcript

from ..evals.observation import Call, Trial

_SQLITE: Final = b"SQLite format 3\x00"
_TRIAL: Final = msgspec.json.Decoder(Trial)


class _Line(msgspec.Struct):
    observation: msgspec.Raw = msgspec.Raw(b"")


_LINE: Final = msgspec.json.Decoder(_Line)


def recorded_runs(path: Path) -> Iterator[PastRun]:
    """The runs in a store, in the events of `agentc run --format json`, or in the trials of an eval.

    Raises:
        StoreError: it is none of them, or can't be read.
    """
    try:
        with path.open("rb") as file:
            first = file.readline(MAX_LINE)
    except OSError as error:
        reason = (error.strerror or "unreadable").lower()
        raise StoreError(f"{reason}: check the path and its permissions", str(path)) from error
    if first.startswith(_SQLITE):
        yield from read_runs(path)
    elif _is_trial(first):
        yield from _trials(path)
    else:
        yield from read_transcript(path)


def runs_of_server(url: str) -> Iterator[PastRun]:
    """The runs in the store of a fleet, which is there already.

    Raises:
        StoreError: the server can't be reached, or its store can't be read.
        ImportError: what speaks to such a server is not installed.
    """
    from agentc_runtime.durable.ledgers import open_ledger

    ledger = open_ledger(url)
    try:
        with ledger.transaction() as within:
            yield from runs_in(within.execute, ledger.name)
    finally:
        ledger.close()


def _is_trial(line: bytes) -> bool:
    try:
        return bool(bytes(_LINE.decode(line).observation))
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return False


def _trials(path: Path) -> Iterator[PastRun]:
    """The trials that passed: what a model did that did not do its work shows nothing that is needed."""
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            try:
                trial = _TRIAL.decode(line)
            except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
                raise StoreError(f"line {number} is no trial of an eval: {error}", str(path)) from error
            if trial.passed:
                yield _run(trial)


def _run(trial: Trial) -> PastRun:
    calls = trial.observation.calls
    return PastRun(
        run_id=f"eval-{trial.case}-{trial.repeat}-{trial.key}",
        agent=trial.agent,
        version="",
        bundle=trial.bundle,
        environment="",
        input=None,
        session=None,
        started="",
        calls=tuple(_call(one) for one in calls if one.sent),
        refused=tuple(_refusal(one) for one in calls if one.rule and not one.sent),
    )


def _call(seen: Call) -> PastCall:
    answer = None
    if seen.trust and not seen.rule:
        label = msgspec.convert({"trust": seen.trust, "sensitivity": seen.sensitivity}, Label)
        answer = Answered(value=seen.answer, label=label, approved=seen.approved)
    arguments = seen.arguments if isinstance(seen.arguments, dict) else None
    return PastCall(tool=seen.tool, arguments=arguments, state=seen.state, answer=answer)


def _refusal(seen: Call) -> PastRefusal:
    given = json.dumps(seen.arguments) if isinstance(seen.arguments, dict) else None
    return PastRefusal(tool=seen.tool, code=seen.rule, state=seen.state, arguments=given)
