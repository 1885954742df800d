"""Kind `Eval`: cases of one agent, what is measured of them, and the gates that a release has to pass."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import ConfigDict, Field, JsonValue, Strict, StringConstraints

from .common import Bool, Closed, Int, JsonSchema, Name, NonEmpty, PositiveInt, ToolName
from .scorers import ScorerSpec, Share

Data: TypeAlias = dict[str, JsonValue]
CaseId: TypeAlias = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$")]
Source: TypeAlias = Literal["live", "recorded", "mock"]


class MockAnswerSpec(Closed):
    """What the mock answers to a call: the first entry that fits, those of the case before the eval's."""

    tool: ToolName
    """The tool."""
    arguments: dict[str, JsonSchema] = {}
    """Argument → the schema that it satisfies, those that a grant binds included."""
    status: Annotated[int, Strict(), Field(ge=200, le=599)] | None = None
    """The HTTP status. Left out: the first good one of the operation."""
    body: JsonValue = None
    """The body, as JSON. `${arguments.NAME}` stands for an argument of the call."""
    text: str | None = None
    """The body as it stands, such as one that is no JSON."""
    complete: Bool = False
    """Whether what the body lacks is made up from the operation's schema."""
    fails: Literal["timeout", "broken_off"] | None = None
    """The exchange does not come to an end: nobody answers in time, or the connection breaks."""
    times: PositiveInt | None = None
    """How many calls it answers; then the next entry that fits does."""


class MockCallSpec(Closed):
    """A call that the mocked model proposes."""

    tool: NonEmpty
    """The tool's name; one that does not exist is passed on as it stands."""
    arguments: JsonValue = {}
    """The arguments; a text is passed on as it stands."""


class MockTurnSpec(Closed):
    """One answer of the mocked model."""

    text: str = ""
    """What it says."""
    output: JsonValue = None
    """The same as JSON."""
    calls: tuple[MockCallSpec, ...] = ()
    """The calls that it proposes."""
    status: Annotated[int, Strict(), Field(ge=400, le=599)] | None = None
    """The provider fails with this HTTP status instead."""
    made_up: Bool = False
    """This answer, and all that follow, are made up from the schema that is asked for."""


class OriginSpec(Closed):
    """Where a case came from."""

    source: Literal["person", "production", "synthetic", "import"] = "person"
    """Who made it."""
    run: NonEmpty | None = None
    """The run that it was made from."""
    bundle: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")] | None = None
    """The digest of the bundle that ran."""
    added: NonEmpty | None = None
    """The day on which it was added."""
    accepted_by: NonEmpty | None = None
    """The person who looked at it. A case that nobody accepted is left out of gates."""
    consent: NonEmpty | None = None
    """Why its data may be kept: the policy or the agreement."""
    labels: dict[str, JsonValue] = {}
    """What people said of it: thumbs, corrections, grades by scorer."""


class EvalCaseSpec(Closed):
    """One task for the agent."""

    model_config = ConfigDict(populate_by_name=True)

    id: CaseId
    """Its name, unique in the eval."""
    description: str = ""
    """What it shows, in a sentence."""
    tags: tuple[Name, ...] = ()
    """Slices that it belongs to."""
    input: Data = {}
    """The run's input, laid over that of `defaults`."""
    session: Data = {}
    """The run's session, laid over that of `defaults`."""
    expected: JsonValue = None
    """What should come out, for scorers that compare."""
    approve: Literal["all", "none"] | tuple[ToolName, ...] | None = None
    """What a person agrees to: all, none, or calls of some tools. Left out: what `defaults` says."""
    mock: tuple[MockAnswerSpec, ...] = ()
    """What mocked tools answer."""
    turns: tuple[MockTurnSpec, ...] = ()
    """What the mocked model answers, in order."""
    assert_: Annotated[tuple[ScorerSpec, ...], Field(alias="assert")] = ()
    """Scorers of this case, besides those of the eval."""
    origin: OriginSpec = OriginSpec()
    """Where it came from."""


class DefaultsSpec(Closed):
    """What all cases share."""

    input: Data = {}
    """Input."""
    session: Data = {}
    """Session."""
    approve: Literal["all", "none"] | tuple[ToolName, ...] = "none"
    """What a person agrees to."""


class BaselineGateSpec(Closed):
    """The same cases in an earlier report."""

    max_drop: Share = 0
    """How much worse the metric may be; for rates, as a difference."""
    significance: Annotated[float, Field(gt=0, lt=1)] = 0.05
    """A drop counts when chance makes one like it with less than this probability (exact McNemar test for
    passes, else a paired permutation test)."""


Metric: TypeAlias = Literal[
    "pass_rate",
    "task_success_rate",
    "tool_success_rate",
    "valid_output_rate",
    "ungrounded_rate",
    "violations",
    "flaky_rate",
    "latency_p50",
    "latency_p95",
    "tokens",
    "cost_usd",
    "cost_per_success",
]


class GateSpec(Closed):
    """What has to hold before a release."""

    metric: Metric = "pass_rate"
    """What is compared. Latencies are in seconds, `tokens` and `cost_usd` are means of a run."""
    slice: Name | None = None
    """Only the cases with this tag."""
    scorer: Name | None = None
    """For `pass_rate`: only this scorer."""
    min: Annotated[float, Field(ge=0)] | None = None
    """The least."""
    max: Annotated[float, Field(ge=0)] | None = None
    """The most."""
    confident: Bool = False
    """Whether the end of the 95 % confidence interval has to keep the bound, not only the estimate."""
    baseline: BaselineGateSpec | None = None
    """Compare with the baseline, when there is one."""


class EvalSpec(Closed):
    """Cases of one agent, what is measured of them, and the gates that a release has to pass."""

    agent: Name
    """The agent."""
    environment: Name | None = None
    """The environment. Left out: the project's default."""
    model: Source = "recorded"
    """What answers model calls: the provider (`live`), the recording, or the `turns` of a case (`mock`)."""
    tools: Source = "mock"
    """What answers tool calls: the service (`live`), the recording, or the `mock` answers; where none fits,
    what `agentc mock` makes up."""
    recording: NonEmpty | None = None
    """The recording's file. Left out: `recordings/evals/NAME.jsonl`."""
    repeats: Annotated[int, Strict(), Field(ge=1, le=100)] = 1
    """How often each case is run."""
    seed: Int = 0
    """Decides what the mock makes up and what is resampled."""
    concurrency: Annotated[int, Strict(), Field(ge=1, le=64)] = 8
    """How many runs at a time."""
    defaults: DefaultsSpec = DefaultsSpec()
    """What all cases share."""
    mock: tuple[MockAnswerSpec, ...] = ()
    """What mocked tools answer in all cases."""
    cases: tuple[EvalCaseSpec, ...] = ()
    """Cases."""
    files: tuple[NonEmpty, ...] = ()
    """Further cases: `.jsonl`, one a line with a case's keys, or `.csv` with dotted keys in its header."""
    scorers: tuple[ScorerSpec, ...] = ()
    """What is measured of every case."""
    gates: tuple[GateSpec, ...] = ()
    """What has to hold. Left out: every case passes."""
