"""One run of one bundle, from its input to its output, a refusal, or an interruption."""

from __future__ import annotations

import secrets as randomness
import time
from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import cache, lru_cache, partial
from typing import TYPE_CHECKING, Final, Literal, Protocol, TypeAlias

import msgspec

from .bundle import Program, SourceMap, locate, map_of
from .calls import MaybeLater, Parked, answered
from .canonical import canonical
from .events import Event, Placement, RunEnded, RunParked, RunStarted
from .interpret.answers import findings, listed
from .interpret.context import Run, Services, Step
from .interpret.machine import execute
from .interpret.steps import DirectSteps, LateError, Steps
from .interpret.undo import undo
from .models.types import Usage
from .once import Once
from .quoting import shortened
from .refusals import Refusal, RefusedError
from .switches import Inherited, Switches, check_model, stopped
from .values import ABSENT
from .workflow import RetrieveState

if TYPE_CHECKING:
    from .broker import Broker
    from .calls import Approver, Journal
    from .models.client import ModelClient
    from .models.health import Health
    from .models.kept import KeptAnswers
    from .retrieval import Retriever
    from .secrets import Secrets
    from .verify import Bundle
    from .wire import Transport

Status: TypeAlias = Literal["succeeded", "failed", "cancelled"]


class RunResult(msgspec.Struct, frozen=True, kw_only=True):
    """How a run ended: with an `output`, or with the `refusal` that stopped it.

    `cost` is in US dollars, `None` when a model without prices was used. A cancelled run has no result:
    its cancellation goes on.
    """

    run_id: str
    status: Status
    output: object
    refusal: Refusal | None
    usage: Usage
    cost: Decimal | None


class RunLog(Protocol):
    """What is kept of runs. On return from each method the record is durable, or it raised."""

    def start_run(
        self,
        run_id: str,
        *,
        agent: str,
        version: str,
        bundle: str,
        environment: str,
        input: object,  # noqa: A002  the name in the language
        session: object,
    ) -> MaybeLater[None]:
        """A run begins on the bundle with this digest."""

    def record_step(self, run_id: str, step: int, state: str, outcome: object) -> None:
        """A state ended: with its output, or with a `Refusal`."""

    def end_run(
        self, run_id: str, status: str, *, output: object, refusal: Refusal | None
    ) -> MaybeLater[None]:
        """The run is over."""


def new_run_id() -> str:
    """A fresh id: ids order by the second in which they were made."""
    return f"{_stamp(int(time.time()))}-{randomness.token_hex(6)}"


@lru_cache(maxsize=1)
def _stamp(second: int) -> str:
    return time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(second))


async def run_bundle(  # noqa: PLR0913, PLR0915  one name for each door of a run, all by keyword
    bundle: Bundle,
    *,
    input: object,  # noqa: A002  the name in the language
    session: object,
    environment: str | None,
    transport: Transport,
    model_transport: Transport,
    journal: Journal,
    approver: Approver,
    secrets: Secrets,
    emit: Callable[[Event], None],
    log: RunLog | None = None,
    run_id: str | None = None,
    retrievers: Mapping[str, Retriever] | None = None,
    steps: Steps | None = None,
    switches: Switches | None = None,
    placement: Placement | None = None,
    health: Health | None = None,
    kept: KeptAnswers | None = None,
) -> RunResult:
    """Run the agent once, in `environment` or else in the bundle's default one.

    What the model, the services and the data do wrong ends in the result's `refusal`. A cancellation, or
    whatever the journal or the log raises, is recorded as `cancelled` and goes on. `retrievers` are those
    that the bundle's `retrieve` states name. `steps` may remember what came through them, and then the run
    goes on where it was. `switches` say what operators have disabled,
    `placement` why it is this bundle. `health` is what the runs of this process know of their models,
    `kept` are the answers that they share.

    Raises:
        Parked: the run is not over, and nothing is recorded of its end.
    """
    broker_of, models_of = _doors()
    found = retrievers or {}

    begun = time.monotonic()
    program, source_map = bundle.program, bundle.source_map
    name = environment or program.default_environment
    run_id = run_id or new_run_id()
    replay = getattr(model_transport, "replays", False) is True
    emit(started(bundle, name, run_id, replay=replay, placement=placement))
    refusal = unfit(bundle, name, input, session) or _unequipped(program, source_map, found)
    if refusal is None and steps is None and switches is not None:
        # one that goes on is stopped, and ended, at its next step
        refusal = stopped(switches, program.agent.name)
    if refusal is not None:
        result = RunResult(
            run_id=run_id, status="failed", output=None, refusal=refusal, usage=Usage(), cost=Decimal(0)
        )
        emit(_ended(result, begun, calls=0, refused=0))
        return result
    if secrets.renewable:
        # before anything is kept: what is not known yet would not be taken out of it
        await secrets.renew(transport)
    if log is not None:
        begun_there = log.start_run(
            run_id,
            agent=program.agent.name,
            version=program.agent.version,
            bundle=bundle.digest,
            environment=name,
            input=secrets.redact_data(input),
            session=secrets.redact_data(session),
        )
        await answered(begun_there)
        if placement is not None:
            await answered(journal.record(run_id, "placed", msgspec.to_builtins(placement)))

    def serve(
        program: Program, source_map: SourceMap, callers: tuple[str, ...], agents: Mapping[str, Services]
    ) -> Services:
        agent = program.agent.name
        inherited = Inherited(switches, callers) if callers and switches is not None else switches
        return Services(
            program=program,
            source_map=source_map,
            environment=name,
            broker=broker_of(
                program,
                source_map,
                name,
                transport,
                journal,
                secrets,
                approver,
                switches=inherited,
                counted_as=(*callers, agent)[0],
            ),
            models=models_of(
                program.environments[name],
                secrets,
                model_transport,
                check=None if inherited is None else partial(check_model, inherited, agent),
                health=health,
                kept=kept,
            ),
            journal=journal,
            secrets=secrets,
            emit=emit,
            steps=steps or DirectSteps(),
            retrievers=found,
            agents=agents,
        )

    services = _served(serve, program, source_map, ())
    run = Run(run_id, services, input=input, session=session)

    def observe(step: int, state: str, outcome: Step | Refusal) -> None:
        if log is not None:
            kept = outcome if isinstance(outcome, Refusal) else _kept(outcome, secrets)
            log.record_step(run_id, step, state, kept)

    # what leaves the block without an output or a refusal was interrupted
    status: Status = "cancelled"
    output: object = None
    over = True
    try:
        try:
            seconds = program.limits.time_ms / 1000
            output = await services.steps.within("run", seconds, lambda: execute(run, observe))
            status = "succeeded"
        except RefusedError as error:
            status, refusal = "failed", error.refusal
        except LateError:
            status, refusal = "failed", _late(program, source_map)
        if status == "failed" and program.undo:
            await undo(run)
    except Parked as parked:
        over = False
        emit(RunParked(run_id=run_id, status=parked.status, why=parked.why))
        raise
    finally:
        if over:
            result = _result(run, status, output, refusal)
            if log is not None:
                said = secrets.redact_data(result.output)
                await answered(log.end_run(run_id, result.status, output=said, refusal=result.refusal))
            emit(_ended(result, begun, calls=run.tally.calls, refused=run.tally.refusals))
    return result


@cache
def _doors() -> tuple[type[Broker], type[ModelClient]]:
    """What a run sends with: not imported by who only checks what a run would be given."""
    from .broker import Broker
    from .models.client import ModelClient

    return Broker, ModelClient


_Serve: TypeAlias = Callable[[Program, SourceMap, tuple[str, ...], Mapping[str, Services]], Services]


def _served(serve: _Serve, program: Program, source_map: SourceMap, callers: tuple[str, ...]) -> Services:
    """The services of a program, with those of the agents that it hands off to."""
    inner = (*callers, program.agent.name)
    agents = {
        name: _served(serve, one, map_of(source_map, name), inner) for name, one in program.agents.items()
    }
    return serve(program, source_map, callers, agents)


def _kept(step: Step, secrets: Secrets) -> object:
    return None if step.output is ABSENT else secrets.redact_data(step.output)


def _result(run: Run, status: Status, output: object, refusal: Refusal | None) -> RunResult:
    return RunResult(
        run_id=run.run_id,
        status=status,
        output=output,
        refusal=refusal,
        usage=run.tally.usage,
        cost=run.tally.cost,
    )


def _ended(result: RunResult, begun: float, *, calls: int, refused: int) -> RunEnded:
    return RunEnded(
        run_id=result.run_id,
        status=result.status,
        output=result.output,
        refusal=result.refusal,
        usage=result.usage,
        cost_usd=None if result.cost is None else f"{result.cost:f}",
        seconds=time.monotonic() - begun,
        calls=calls,
        refused=refused,
    )


def started(
    bundle: Bundle, environment: str, run_id: str, *, replay: bool, placement: Placement | None = None
) -> RunStarted:
    """The event of a run that begins."""
    return RunStarted(
        run_id=run_id,
        agent=bundle.program.agent.name,
        version=bundle.program.agent.version,
        bundle=bundle.digest,
        environment=environment,
        replay=replay,
        placement=placement,
    )


def unfit(bundle: Bundle, environment: str, given: object, session: object) -> Refusal | None:
    """Why a run may not even begin."""
    program = bundle.program
    if environment not in program.environments:
        known = ", ".join(f"`{name}`" for name in sorted(program.environments))
        message = f"environment `{shortened(environment)}` is not in the bundle, which has {known}"
        return Refusal(code="AR505", message=message, value=shortened(environment), path="environment")
    return unfit_data(bundle, "input", given) or unfit_data(bundle, "session", session)


def unfit_data(bundle: Bundle, root: Literal["input", "session"], value: object) -> Refusal | None:
    """Why `value` can't be the input or the session of a run."""
    data = bundle.program.input if root == "input" else bundle.program.session
    try:
        canonical(value)
    except ValueError as error:
        message = f"the {root} is not JSON: {shortened(str(error))}"
        return Refusal(code="AR505", message=message, path=root, at=locate(bundle.source_map, root))
    found = findings(value, data.schema)
    if not found:
        return None
    at = locate(bundle.source_map, root)
    path = f"{root}.{found[0].path}" if found[0].path else root
    message = f"the {root} does not fit its schema: {listed(found)}"
    return Refusal(code="AR505", message=message, value=found[0].value, path=path, at=at)


def _unequipped(
    program: Program, source_map: SourceMap, retrievers: Mapping[str, Retriever]
) -> Refusal | None:
    """Why the run would come to a state that asks what nobody has registered."""
    for name, state in _retrieving(program).items():
        if state.retriever not in retrievers:
            message = (
                f"no retriever is registered as `{shortened(state.retriever)}`, which state `{name}` asks"
            )
            at = locate(source_map, f"state:{name}")
            return Refusal(code="AR512", message=message, value=shortened(state.retriever), at=at)
    for agent, one in program.agents.items():
        refusal = _unequipped(one, map_of(source_map, agent), retrievers)
        if refusal is not None:
            return refusal
    return None


def _retrieve_states(program: Program) -> dict[str, RetrieveState]:
    return {name: state for name, state in program.states.items() if isinstance(state, RetrieveState)}


_retrieving: Final = Once(_retrieve_states)


def _late(program: Program, source_map: SourceMap) -> Refusal:
    limit = program.limits.time_ms
    message = f"limit `time` of {limit / 1000:g} s is used up"
    return Refusal(code="AR501", message=message, value=limit, path="", at=locate(source_map, "limits/time"))
