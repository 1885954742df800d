"""Replays spread over processes: the same outcome, and no silence when one of them dies."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from agentc.driver import check_project
from agentc.evals import evaluating
from agentc.evals.evaluating import Options, evaluate
from agentc.evals.outcome import encoded
from agentc.evals.processes import processes_for, spread

CASES = "".join(
    f"    - {{ id: c{number}, turns: [{{ text: answer {number % 7} }}] }}\n" for number in range(160)
)
EVAL = f"""\
  agent: triage
  model: mock
  defaults: {{ input: {{ ticket_id: T-1 }} }}
  scorers: [{{ type: contains, none: ["answer 3"] }}]
  cases:
{CASES}"""


def test_the_outcome_is_that_of_one_process(project: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    result = check_project(project(EVAL))
    one = result.program.evals["triage"]
    outcomes = []
    for count in (1, 3):
        monkeypatch.setattr(evaluating, "processes_for", lambda jobs, count=count: count)
        outcome = evaluate(result, one, Options(), folder=None).outcome
        outcomes.append(re.sub(rb'"(?:seconds|latency_p\d\d)": [0-9.e-]+', b"", encoded(outcome)))
        assert outcome.summary.pass_rate.value == pytest.approx(137 / 160)
    assert outcomes[0] == outcomes[1]


def dies(jobs: Sequence[int], tell: Callable[[bytes], None]) -> None:
    for job in jobs:
        if job == 5:
            os.kill(os.getpid(), signal.SIGKILL)
        tell(str(job).encode())


def counts(jobs: Sequence[int], tell: Callable[[bytes], None]) -> None:
    for job in jobs:
        tell(str(job).encode())


def test_every_job_is_done_once() -> None:
    assert sorted(int(said) for said in spread(counts, range(100), 3)) == list(range(100))


def test_a_process_that_dies_is_an_error_and_not_fewer_cases() -> None:
    with pytest.raises(RuntimeError, match="ended before its work did"):
        list(spread(dies, range(20), 2))


def test_few_jobs_are_not_spread() -> None:
    assert processes_for(10) == 1
    assert processes_for(10_000) <= 8
