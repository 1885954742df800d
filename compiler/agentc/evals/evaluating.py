"""One eval from its cases to its outcome: what is finished is kept, so that a killed one goes on."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Literal

import msgspec

from agentc_runtime.recorded import CassetteError
from agentc_runtime.verify import Bundle, load_bundle

from ..driver import Result
from ..lower import lower_models
from ..pipeline import bundle_files
from ..resources import Resource
from ..syntax.eval import EvalSpec, Source
from ..syntax.scorers import RubricScorer
from . import recording as recordings
from .case import Case, cases_of, name_of, scorers_of
from .causes import causes
from .coverage import coverage
from .gates import judge_gates
from .making_up import MadeUp
from .observation import Trial
from .outcome import Outcome
from .processes import processes_for, spread
from .running import Plan, Runner, trials
from .scorers.registered import UnregisteredError
from .scoring import Scoring
from .summary import agreement, case_results, grouped, summarize

if TYPE_CHECKING:
    from .summary import CaseResult

Record = Literal["stale", "all"]


class EvalError(Exception):
    """The eval can't begin: one line that says what and how to mend it."""


@dataclass(frozen=True)
class Options:
    """How to evaluate. What is `None` is as the spec says. `only` are patterns of cases' names.

    `bundle` is run in place of what the project compiles to.
    """

    only: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    environment: str | None = None
    model: Source | None = None
    tools: Source | None = None
    repeats: int | None = None
    concurrency: int | None = None
    record: Record | None = None
    resume: bool = False
    baseline: Sequence[CaseResult] | None = None
    bundle: Bundle | None = None


@dataclass(frozen=True)
class Evaluated:
    """The outcome with the trials that it was made from, in order of their cases."""

    outcome: Outcome
    trials: tuple[Trial, ...]


#: Told of each trial that ended: how many are done, how many there are, and the trial.
Progress = Callable[[int, int, Trial], None]


def evaluate(
    result: Result,
    one: Resource[EvalSpec],
    options: Options,
    *,
    folder: Path | None,
    progress: Progress = lambda done, total, trial: None,
) -> Evaluated:
    """Run the cases and judge them. Finished trials are kept in `folder`.

    Raises:
        EvalError: no case is asked for, an unknown environment, a scorer that is not registered, a recording
            that can't be read or written, or an agent that can't be built.
        BuildError: the agent can't be built.
        KeyboardInterrupt: it was stopped; what is finished is kept.
    """
    program = result.program
    bundle = options.bundle or load_bundle(bundle_files(result, program.agents[one.spec.agent]))
    environment = options.environment or one.spec.environment or bundle.program.default_environment
    if environment not in bundle.program.environments:
        known = ", ".join(f"`{name}`" for name in bundle.program.environments)
        raise EvalError(f"no environment `{environment}`; there is {known}")
    everything, _ = cases_of(program, one)
    cases = _chosen(everything, options)
    if not cases:
        raise EvalError(f"no case of `{one.name}` is asked for; it has {len(everything)}")
    model, tools = options.model or one.spec.model, options.tools or one.spec.tools
    path = program.root / (one.spec.recording or f"recordings/evals/{one.name}.jsonl")
    recorded = "recorded" in (model, tools)
    if options.record is not None and not recorded:
        raise EvalError("nothing is recorded: neither `model` nor `tools` is `recorded`")
    try:
        recording = recordings.load(path) if recorded and path.exists() else recordings.Recording()
        scoring = Scoring(one, bundle.program, cases)
    except (CassetteError, UnregisteredError) as error:
        raise EvalError(str(error)) from error
    judges, judge_environments = lower_models(program, scoring.judges) if scoring.judges else ({}, {})
    plan = Plan(
        one=one,
        bundle=bundle,
        environment=environment,
        model=model,
        tools=tools,
        recording=recording,
        make_up=MadeUp(program, one.spec.seed),
        judges=judges,
        judge_environments=judge_environments,
        rerecord=None if options.record is None else (lambda *_: options.record == "all"),
    )
    repeats = options.repeats or one.spec.repeats
    try:
        found, judge = _run(plan, scoring, cases, repeats, options, folder=folder, progress=progress)
    finally:
        if recording.changed:
            recording.keep(case.id for case in everything)
            _save(recording, path, one)
    order = {case.id: number for number, case in enumerate(cases)}
    found.sort(key=lambda trial: (order[trial.case], trial.repeat))
    partial = len(cases) < len(everything)
    outcome = _outcome(plan, repeats, cases, found, options, judge, partial=partial)
    return Evaluated(outcome, tuple(found))


def _save(recording: recordings.Recording, path: Path, one: Resource[EvalSpec]) -> None:
    try:
        recordings.save(recording, path, eval_name=one.name, agent=one.spec.agent)
    except CassetteError as error:
        raise EvalError(str(error)) from error


def _chosen(cases: Sequence[Case], options: Options) -> list[Case]:
    return [
        case
        for case in cases
        if (not options.only or any(fnmatchcase(case.id, pattern) for pattern in options.only))
        and (not options.tags or set(options.tags) & set(case.spec.tags))
    ]


def _run(
    plan: Plan,
    scoring: Scoring,
    cases: Sequence[Case],
    repeats: int,
    options: Options,
    *,
    folder: Path | None,
    progress: Progress,
) -> tuple[list[Trial], Decimal]:
    runner = Runner(plan, scoring)
    unset = runner.unset()
    if unset is not None:
        raise EvalError(unset)
    jobs = [(case, repeat) for case in cases for repeat in range(repeats)]
    kept = _finished(folder / "trials.jsonl") if options.resume and folder is not None else {}
    found: list[Trial] = []
    left: list[tuple[Case, int]] = []
    for case, repeat in jobs:
        old = kept.get((case.id, repeat))
        if old is not None and old.key == runner.key(case, repeat) and old.observation.ran:
            found.append(old)
        else:
            left.append((case, repeat))
    encode = msgspec.json.Encoder().encode
    with contextlib.ExitStack() as stack:
        log = None
        if folder is not None:
            log = stack.enter_context(_log(folder, [encode(trial) for trial in found]))

        def note(line: bytes) -> None:
            trial = decoder.decode(line)
            found.append(trial)
            if log is not None:
                log.write(line + b"\n")
                log.flush()
            progress(len(found), len(jobs), trial)

        decoder = msgspec.json.Decoder(Trial)
        concurrency = options.concurrency or plan.one.spec.concurrency
        count = 1
        if not plan.live and not scoring.asks:  # nobody is waited for: one after the other, on every core
            count = 1 if options.concurrency == 1 else processes_for(len(left))
            concurrency = 1
        if count == 1:
            return found, asyncio.run(_carried_out(runner, scoring, left, concurrency, note))

        def work(jobs: Sequence[tuple[Case, int]], tell: Callable[[bytes], None]) -> None:
            asyncio.run(_carried_out(runner, scoring, jobs, concurrency, tell))

        for line in spread(work, left, count):
            note(line)
        return found, Decimal(0)


async def _carried_out(
    runner: Runner,
    scoring: Scoring,
    jobs: Sequence[tuple[Case, int]],
    concurrency: int,
    tell: Callable[[bytes], None],
) -> Decimal:
    """Run jobs in this process and tell each trial as JSON; what judges have cost."""
    scoring.secrets = runner.secrets
    scoring.judge = runner.judge()
    encode = msgspec.json.Encoder().encode
    try:
        async for trial in trials(runner, jobs, concurrency):
            tell(encode(trial))
    finally:
        await runner.close()
    return scoring.judge.spent


def _log(folder: Path, lines: Sequence[bytes]) -> BinaryIO:
    """Where trials are kept, with those that stay. Whoever is killed while it is written loses nothing."""
    path = folder / "trials.jsonl"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        staging = path.with_suffix(f".{os.getpid()}")
        staging.write_bytes(b"".join(line + b"\n" for line in lines))
        staging.replace(path)
        return path.open("ab")
    except OSError as error:
        said = (error.strerror or "it is not writable").lower()
        raise EvalError(f"can't keep trials in `{folder}`: {said}") from error


def _finished(path: Path) -> dict[tuple[str, int], Trial]:
    """What an earlier run has finished. A line that it was killed in is passed over."""
    found: dict[tuple[str, int], Trial] = {}
    decoder = msgspec.json.Decoder(Trial)
    try:
        lines = path.read_bytes().split(b"\n")
    except FileNotFoundError:
        return found
    for line in lines:
        with contextlib.suppress(msgspec.DecodeError):
            trial = decoder.decode(line)
            found[trial.case, trial.repeat] = trial
    return found


def _outcome(
    plan: Plan,
    repeats: int,
    cases: Sequence[Case],
    found: Sequence[Trial],
    options: Options,
    judge: Decimal,
    *,
    partial: bool,
) -> Outcome:
    one, seed = plan.one, plan.one.spec.seed
    types = {name_of(spec): spec.type for case in cases for spec in scorers_of(one, case)}
    summary = summarize(found, types, seed=seed, judge_cost=judge)
    summary = msgspec.structs.replace(summary, agreement=agreement(found, _labels(one, cases)))
    results = case_results(grouped(found))
    gates = judge_gates(one.spec.gates, summary, results, options.baseline, seed=seed, partial=partial)
    manifest = plan.bundle.manifest
    return Outcome(
        eval=one.name,
        version=one.metadata.version,
        agent=manifest.agent.name,
        agent_version=manifest.agent.version,
        bundle=plan.bundle.digest,
        dataset=dataset_digest(cases),
        environment=plan.environment,
        model=plan.model,
        tools=plan.tools,
        repeats=repeats,
        seed=seed,
        partial=partial,
        passed=all(gate.passed for gate in gates),
        gates=gates,
        summary=summary,
        coverage=coverage(plan.bundle.program, (one.observation for one in found if one.counts)),
        causes=causes(found),
        cases=results,
    )


def _labels(one: Resource[EvalSpec], cases: Sequence[Case]) -> dict[str, dict[str, bool]]:
    """What people have said of cases: scorer → case → whether they were content.

    A label is a truth value, or for a rubric a grade, which its threshold judges as it does the model's.
    """
    found: dict[str, dict[str, bool]] = {}
    for case in cases:
        for spec in scorers_of(one, case):
            label = case.spec.origin.labels.get(name_of(spec))
            if isinstance(label, bool):
                found.setdefault(name_of(spec), {})[case.id] = label
            elif isinstance(label, int) and isinstance(spec, RubricScorer):
                found.setdefault(name_of(spec), {})[case.id] = label >= spec.threshold
    return found


def dataset_digest(cases: Sequence[Case]) -> str:
    """The identity of a set of cases: what they say, in whatever order and file they stand."""
    digest = hashlib.sha256()
    for case in sorted(cases, key=lambda one: one.id):
        digest.update(case.spec.model_dump_json(by_alias=True).encode() + b"\n")
    return digest.hexdigest()
