"""Cases carried out: each run with what answers it, several at a time."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import time
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import msgspec

from agentc_runtime.bundle import Model
from agentc_runtime.cassette import Cassette, RecordingTransport, ReplayTransport
from agentc_runtime.environments import Endpoint, Environment, Secret
from agentc_runtime.models.client import ModelClient
from agentc_runtime.models.embeddings import Embedder
from agentc_runtime.recorded import CassetteError
from agentc_runtime.refusals import RefusedError
from agentc_runtime.run import run_bundle
from agentc_runtime.secrets import Secrets
from agentc_runtime.workflow import AgentState, ModelState, ToolState

from ..resources import Resource
from ..syntax.eval import EvalSpec, Source
from .case import Case
from .judging import Judge
from .mocking import MakeUp, MockError, MockModel, MockTools
from .observation import Observation, Trial
from .observing import Observer
from .recording import Recording, Side

if TYPE_CHECKING:
    from agentc_runtime.verify import Bundle
    from agentc_runtime.wire import Transport

    from .observation import Score
    from .scoring import Scoring

#: What stands for a model that is mocked: the wire format that the mock speaks.
_ENDPOINT = Endpoint(url="http://127.0.0.1:1/v1")


@dataclass(frozen=True)
class Plan:
    """How the cases of an eval are run. `rerecord` says which runs are recorded anew."""

    one: Resource[EvalSpec]
    bundle: Bundle
    environment: str
    model: Source
    tools: Source
    recording: Recording
    make_up: MakeUp
    rerecord: Callable[[str, int], bool] | None = None
    judges: Mapping[str, Model] = field(default_factory=dict)
    judge_environments: Mapping[str, Environment] = field(default_factory=dict)
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ)

    @property
    def live(self) -> frozenset[Side]:
        """The sides that are asked over the network."""
        recorded = {"recorded"} if self.rerecord is not None else set()
        sides: dict[Side, Source] = {"model": self.model, "tools": self.tools}
        return frozenset(side for side, source in sides.items() if source in {"live", *recorded})


class Runner:
    """Runs cases. It holds what all runs share; `close` frees it."""

    def __init__(self, plan: Plan, scoring: Scoring) -> None:
        self._plan = plan
        self._scoring = scoring
        self._bundle = _for_evals(plan)
        environment = plan.bundle.program.environments[plan.environment]
        self._needed = _needed(plan)
        self.secrets = _secrets(plan, environment, self._needed)
        self._judging = plan.judge_environments.get(plan.environment, Environment())
        self._judge_secrets = Secrets(self._judging, plan.environ)
        self._opened: list[Transport] = []
        self._environment = environment
        self._stamp = _stamp(plan)

    def unset(self) -> str | None:
        """Why a live side can't be asked, when a secret that it needs is not set."""
        graded = {model.secret for model in self._plan.judges.values() if model.secret is not None}
        wanted = [(self.secrets, name) for name in sorted(self._needed)]
        for secrets, name in (*wanted, *((self._judge_secrets, name) for name in sorted(graded))):
            try:
                secrets.get(name)
            except RefusedError as error:
                if error.refusal.code != "AR508":  # what is in Vault is read later
                    return error.refusal.message
        return None

    def judge(self) -> Judge:
        """What asks the models that grade: over connections and with secrets of their own."""
        judges = self._plan.judges
        http = self._connect(self._judging, self._judge_secrets) if judges else None
        if http is None:
            return Judge(judges, None)
        client = ModelClient(self._judging, self._judge_secrets, http)
        return Judge(judges, client, Embedder(self._judging, self._judge_secrets, http))

    @cached_property
    def _http(self) -> Transport:
        return self._connect(self._environment, self.secrets)

    def _connect(self, environment: Environment, secrets: Secrets) -> Transport:
        # what is replayed or mocked connects to nobody, and need not wait for the import
        from agentc_runtime.transport import HttpTransport

        opened = HttpTransport(environment, secrets)
        self._opened.append(opened)
        return opened

    async def close(self) -> None:
        """Free the connections."""
        for transport in self._opened:
            await transport.close()

    def key(self, case: Case, repeat: int) -> str:
        """The digest of all that a trial depends on: one with the same key need not be repeated."""
        said = [case.spec.model_dump_json(by_alias=True), case.input, case.session, repeat]
        digest = hashlib.sha256(f"{self._stamp}{json.dumps(said, sort_keys=True)}".encode())
        digest.update(self._plan.recording.digest(case.id, repeat).encode())
        return digest.hexdigest()

    async def trial(self, case: Case, repeat: int) -> Trial:
        """One run of a case, with its scores."""
        observation = await self._observed(case, repeat)
        scores: tuple[Score, ...] = ()
        if observation.ran:
            scores = await self._scoring.scores(case, observation)
        return Trial(
            case=case.id,
            repeat=repeat,
            tags=case.spec.tags,
            counts=case.counts,
            observation=observation,
            scores=scores,
            key=self.key(case, repeat),
            agent=self._plan.bundle.manifest.agent.name,
            bundle=self._plan.bundle.digest,
        )

    async def _observed(self, case: Case, repeat: int) -> Observation:
        plan = self._plan
        if plan.rerecord is None or not plan.rerecord(case.id, repeat):
            seen = await self._run(case, repeat, record=False)
            if plan.rerecord is None or seen.status != "stale":
                return seen
        return await self._run(case, repeat, record=True)

    async def _run(self, case: Case, repeat: int, *, record: bool) -> Observation:
        plan, bundle = self._plan, self._bundle
        approve = case.spec.approve
        observer = Observer(bundle.program, plan.one.spec.defaults.approve if approve is None else approve)
        begun = time.monotonic()
        recorders: dict[Side, RecordingTransport] = {}
        try:
            model = self._transport("model", case, repeat, recorders if record else None)
            tools = self._transport("tools", case, repeat, recorders if record else None)
            result = await run_bundle(
                bundle,
                input=dict(case.input),
                session=dict(case.session),
                environment=plan.environment,
                transport=tools,
                model_transport=model,
                journal=observer,
                log=observer,
                approver=observer,
                secrets=self.secrets,
                emit=observer,
                run_id=f"eval-{case.id}-{repeat}",
            )
        except CassetteError as error:
            said = str(error).replace("with `--record`", "with `--record stale`")
            return observer.broken("stale", said, time.monotonic() - begun)
        except MockError as error:
            return observer.broken("broken", str(error), time.monotonic() - begun)
        if recorders:
            plan.recording.put(
                case.id, repeat, {side: made.cassette.entries for side, made in recorders.items()}
            )
        output = self.secrets.redact_data(result.output)
        return observer.observation(result, output, time.monotonic() - begun)

    def _transport(
        self, side: Side, case: Case, repeat: int, recorders: dict[Side, RecordingTransport] | None
    ) -> Transport:
        plan = self._plan
        source = plan.model if side == "model" else plan.tools
        if source == "live":
            return self._http
        if source == "mock":
            if side == "model":
                return MockModel(self._bundle.program, case.spec.turns)
            answers = (*case.spec.mock, *plan.one.spec.mock)
            return MockTools(self._bundle.program, answers, plan.make_up, plan.one.spec.seed)
        if recorders is not None:
            recorders[side] = RecordingTransport(self._http, self.secrets.redact)
            return recorders[side]
        cassette = plan.recording.cassette(case.id, repeat, side)
        if cassette is None:
            raise CassetteError("it was never recorded: record with `--record`")
        return ReplayTransport(Cassette(entries=cassette.entries), self.secrets.redact)


async def trials(runner: Runner, jobs: Iterable[tuple[Case, int]], concurrency: int) -> AsyncIterator[Trial]:
    """The trials as they end, at most `concurrency` at a time."""
    if concurrency == 1:
        for case, repeat in jobs:
            yield await runner.trial(case, repeat)
        return
    waiting = iter(jobs)
    running: set[asyncio.Task[Trial]] = set()
    try:
        while True:
            for case, repeat in _take(waiting, concurrency - len(running)):
                running.add(asyncio.create_task(runner.trial(case, repeat)))
            if not running:
                return
            done, running = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                yield task.result()
    finally:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)


def _take(waiting: Iterator[tuple[Case, int]], count: int) -> Iterator[tuple[Case, int]]:
    for _ in range(count):
        job = next(waiting, None)
        if job is None:
            return
        yield job


def _stamp(plan: Plan) -> str:
    spec = plan.one.spec
    said = spec.model_dump(mode="json", by_alias=True, exclude={"cases", "files", "gates", "concurrency"})
    rest = [plan.bundle.digest, plan.environment, plan.model, plan.tools, said]
    return hashlib.sha256(json.dumps(rest, sort_keys=True).encode()).hexdigest()


def _for_evals(plan: Plan) -> Bundle:
    """The bundle as it is run here: nobody waits for a stand-in, a mocked model speaks the mock's format."""
    program = plan.bundle.program
    if plan.model == "mock":
        models = {alias: _mocked(model) for alias, model in program.models.items()}
        program = msgspec.structs.replace(program, models=models)
    if "tools" not in plan.live:
        tools = {
            name: msgspec.structs.replace(tool, retry=msgspec.structs.replace(tool.retry, backoff_ms=0))
            for name, tool in program.tools.items()
        }
        program = msgspec.structs.replace(program, tools=tools)
    if not plan.live:
        states = {
            name: msgspec.structs.replace(state, retry=msgspec.structs.replace(state.retry, backoff_ms=0))
            if isinstance(state, AgentState | ModelState | ToolState)
            else state
            for name, state in program.states.items()
        }
        program = msgspec.structs.replace(program, states=states)
    return msgspec.structs.replace(plan.bundle, program=program)


def _mocked(model: Model) -> Model:
    return msgspec.structs.replace(model, provider="openai", endpoint=_ENDPOINT, secret=None)


def _needed(plan: Plan) -> frozenset[str]:
    """The secrets that must be there: those of live sides, and of models those that are asked first."""
    program = plan.bundle.program
    models: set[str] = set()
    if "model" in plan.live:
        models |= {
            state.models[0]
            for state in program.states.values()
            if isinstance(state, AgentState | ModelState) and state.models
        }
    needed = {secret for alias in models if (secret := program.models[alias].secret) is not None}
    if "tools" in plan.live:
        needed |= {name for tool in program.tools.values() for name in tool.request.secrets()}
    return frozenset(needed)


def _secrets(plan: Plan, environment: Environment, needed: frozenset[str]) -> Secrets:
    """The secrets that are needed, and those of fallbacks if they are set; stand-ins for all others."""
    program = plan.bundle.program
    real_names = set(needed)
    if "model" in plan.live:
        real_names |= {model.secret for model in program.models.values() if model.secret is not None}
    vault = environment.vault
    if vault is not None:
        real_names.add(vault.token)
    real = {name: secret for name, secret in environment.secrets.items() if name in real_names}
    if not any(secret.vault is not None for secret in real.values()):
        vault = None
    stand_ins = {name: Secret(env=f"agentc.{name}") for name in environment.secrets.keys() - real_names}
    known = msgspec.structs.replace(environment, secrets={**real, **stand_ins}, vault=vault)
    values = {f"agentc.{name}": f"stand-in-for-{name}" for name in stand_ins}
    return Secrets(known, {**plan.environ, **values})
