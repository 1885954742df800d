"""Every name under which telemetry leaves a run, in one place.

Names that begin with `gen_ai.` are OpenTelemetry's semantic conventions for generative AI, the others
without `agentc.` its general ones. The conventions' Python package marks its copy as moved to a repository of
its own, so the names stand here as they are, and a test compares them with that package.
"""

from __future__ import annotations

from typing import Final, NamedTuple

# --- operations: the values of `gen_ai.operation.name`, and the first word of a span's name -------------
CHAT: Final = "chat"
EXECUTE_TOOL: Final = "execute_tool"
INVOKE_AGENT: Final = "invoke_agent"
INVOKE_WORKFLOW: Final = "invoke_workflow"
RETRIEVAL: Final = "retrieval"

# --- attributes of the conventions -----------------------------------------------------------------------
OPERATION: Final = "gen_ai.operation.name"
PROVIDER: Final = "gen_ai.provider.name"
AGENT_NAME: Final = "gen_ai.agent.name"
AGENT_VERSION: Final = "gen_ai.agent.version"
AGENT_DESCRIPTION: Final = "gen_ai.agent.description"
DATA_SOURCE_ID: Final = "gen_ai.data_source.id"
WORKFLOW_NAME: Final = "gen_ai.workflow.name"
REQUEST_MODEL: Final = "gen_ai.request.model"
REQUEST_MAX_TOKENS: Final = "gen_ai.request.max_tokens"
REQUEST_TEMPERATURE: Final = "gen_ai.request.temperature"
REQUEST_STREAM: Final = "gen_ai.request.stream"
RESPONSE_ID: Final = "gen_ai.response.id"
RESPONSE_MODEL: Final = "gen_ai.response.model"
FINISH_REASONS: Final = "gen_ai.response.finish_reasons"
TIME_TO_FIRST_CHUNK: Final = "gen_ai.response.time_to_first_chunk"
OUTPUT_TYPE: Final = "gen_ai.output.type"
INPUT_TOKENS: Final = "gen_ai.usage.input_tokens"
OUTPUT_TOKENS: Final = "gen_ai.usage.output_tokens"
CACHE_READ_TOKENS: Final = "gen_ai.usage.cache_read.input_tokens"
CACHE_WRITE_TOKENS: Final = "gen_ai.usage.cache_creation.input_tokens"
REASONING_TOKENS: Final = "gen_ai.usage.reasoning.output_tokens"
TOKEN_TYPE: Final = "gen_ai.token.type"  # noqa: S105  what kind of token a model counted
TOOL_NAME: Final = "gen_ai.tool.name"
TOOL_TYPE: Final = "gen_ai.tool.type"
TOOL_DESCRIPTION: Final = "gen_ai.tool.description"
TOOL_CALL_ID: Final = "gen_ai.tool.call.id"
# what these hold is content: see `content`
SYSTEM_INSTRUCTIONS: Final = "gen_ai.system_instructions"
INPUT_MESSAGES: Final = "gen_ai.input.messages"
OUTPUT_MESSAGES: Final = "gen_ai.output.messages"
TOOL_DEFINITIONS: Final = "gen_ai.tool.definitions"
TOOL_CALL_ARGUMENTS: Final = "gen_ai.tool.call.arguments"
TOOL_CALL_RESULT: Final = "gen_ai.tool.call.result"

ERROR_TYPE: Final = "error.type"
EVALUATION_NAME: Final = "gen_ai.evaluation.name"
SERVER_ADDRESS: Final = "server.address"
SERVER_PORT: Final = "server.port"
STATUS_CODE: Final = "http.response.status_code"
ENVIRONMENT: Final = "deployment.environment.name"
FILE_PATH: Final = "code.file.path"
LINE_NUMBER: Final = "code.line.number"
SERVICE_NAME: Final = "service.name"
SERVICE_VERSION: Final = "service.version"
#: The value of an attribute that would otherwise take any value: what the model calls a tool, say.
OTHER: Final = "_OTHER"
#: The error of what was stopped, or was not needed any more.
CANCELLED: Final = "cancelled"

# --- attributes of our own -------------------------------------------------------------------------------
RUN_ID: Final = "agentc.run.id"
RUN_STATUS: Final = "agentc.run.status"
BUNDLE: Final = "agentc.bundle.digest"
REPLAY: Final = "agentc.replay"
CHANNEL: Final = "agentc.release.channel"
SEQUENCE: Final = "agentc.release.sequence"
ARM: Final = "agentc.release.arm"
SCOPE: Final = "agentc.scope"
STATE_NAME: Final = "agentc.state.name"
STATE_TYPE: Final = "agentc.state.type"
STATE_NEXT: Final = "agentc.state.next"
STEP: Final = "agentc.step"
ATTEMPT: Final = "agentc.attempt"
MODEL_ALIAS: Final = "agentc.model.alias"
MODEL_CACHED: Final = "agentc.model.cached"
MODEL_NEXT: Final = "agentc.model.next"
MODEL_CALLS: Final = "agentc.model.calls"
COST: Final = "agentc.cost"
DURATION: Final = "agentc.duration"
EFFECT: Final = "agentc.tool.effect"
OUTCOME: Final = "agentc.outcome"
PASSAGES: Final = "agentc.retrieval.passages"
PAGES: Final = "agentc.tool.pages"
CACHED: Final = "agentc.tool.cached"
TRUST: Final = "agentc.label.trust"
SENSITIVITY: Final = "agentc.label.sensitivity"
REFUSAL_CODE: Final = "agentc.refusal.code"
REFUSAL_TITLE: Final = "agentc.refusal.title"
REFUSAL_MESSAGE: Final = "agentc.refusal.message"
VALID: Final = "agentc.output.valid"
RETRIED: Final = "agentc.retried"
RETRY_OF: Final = "agentc.retry.of"

# --- events on spans, and the event names of logs --------------------------------------------------------
EVENT_RUN_STARTED: Final = "agentc.run.started"
EVENT_RUN_ENDED: Final = "agentc.run.ended"
EVENT_RUN_PARKED: Final = "agentc.run.parked"
EVENT_STATE_ENTERED: Final = "agentc.state.entered"
EVENT_STATE_ENDED: Final = "agentc.state.ended"
EVENT_STATE_FAILED: Final = "agentc.state.failed"
EVENT_MODEL_ASKED: Final = "agentc.model.asked"
EVENT_MODEL_TEXT: Final = "agentc.model.text"
EVENT_MODEL_ANSWERED: Final = "agentc.model.answered"
EVENT_MODEL_RETRIED: Final = "agentc.model.retried"
EVENT_MODEL_FAILED: Final = "agentc.model.failed"
EVENT_OUTPUT_CHECKED: Final = "agentc.output.checked"
EVENT_TOOL_CALLED: Final = "agentc.tool.called"
EVENT_TOOL_RETURNED: Final = "agentc.tool.returned"
EVENT_TOOL_RETRIED: Final = "agentc.tool.retried"
EVENT_TOOL_REFUSED: Final = "agentc.tool.refused"
EVENT_NOT_UNDONE: Final = "agentc.tool.not_undone"
EVENT_RETRIEVED: Final = "agentc.retrieved"
EVENT_APPROVAL_ASKED: Final = "agentc.approval.asked"
EVENT_APPROVAL_DECIDED: Final = "agentc.approval.decided"


# --- metrics ---------------------------------------------------------------------------------------------
class Metric(NamedTuple):
    """An instrument. `buckets` are the bounds of a histogram, in its unit."""

    name: str
    kind: str
    unit: str
    description: str
    buckets: tuple[float, ...] = ()

    @property
    def exposed(self) -> str:
        """What Prometheus calls it. Of a histogram it has `_bucket`, `_sum` and `_count`."""
        unit = "_seconds" if self.unit == "s" else ""
        return self.name.replace(".", "_") + unit + ("_total" if self.kind == "counter" else "")


def label(attribute: str) -> str:
    """What Prometheus calls an attribute."""
    return attribute.replace(".", "_")


#: The bounds that the conventions ask for.
_SECONDS: Final = (0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92)
_FIRST: Final = (0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0)
_CHUNK: Final = (0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1.0, 2.5)
_TOKENS: Final = tuple(float(4**power) for power in range(14))
#: A run takes as long as its people: up to a week.
_LONG: Final = (*_SECONDS, 300.0, 1800.0, 7200.0, 43200.0, 172800.0, 604800.0)

TOKEN_USAGE: Final = Metric(
    "gen_ai.client.token.usage", "histogram", "{token}", "Number of input and output tokens used.", _TOKENS
)
OPERATION_DURATION: Final = Metric(
    "gen_ai.client.operation.duration", "histogram", "s", "GenAI operation duration.", _SECONDS
)
FIRST_CHUNK: Final = Metric(
    "gen_ai.client.operation.time_to_first_chunk",
    "histogram",
    "s",
    "Time from the request to the first chunk of its answer.",
    _FIRST,
)
OUTPUT_CHUNK: Final = Metric(
    "gen_ai.client.operation.time_per_output_chunk",
    "histogram",
    "s",
    "Time from one chunk of text to the next.",
    _CHUNK,
)
RUN_DURATION: Final = Metric("agentc.run.duration", "histogram", "s", "How long runs take.", _LONG)
RUNS_ACTIVE: Final = Metric("agentc.runs.active", "updowncounter", "{run}", "Runs under way.")
RUN_COSTS: Final = Metric("agentc.run.costs", "counter", "{USD}", "What runs cost, in US dollars.")
TOOL_CALLS: Final = Metric("agentc.tool.calls", "counter", "{call}", "Tool calls, by how they came out.")
TOOL_DURATION: Final = Metric(
    "agentc.tool.duration", "histogram", "s", "From sending a call to its accepted answer.", _SECONDS
)
REFUSALS: Final = Metric(
    "agentc.refusals", "counter", "{refusal}", "Refused or failed calls and runs, by rule."
)
APPROVALS_WAITING: Final = Metric(
    "agentc.approvals.waiting", "updowncounter", "{approval}", "Approvals that nobody has decided yet."
)
APPROVALS: Final = Metric("agentc.approvals", "counter", "{approval}", "Decided approvals, by decision.")
APPROVAL_DURATION: Final = Metric(
    "agentc.approval.duration", "histogram", "s", "How long people take to decide.", _LONG
)
OUTPUT_CHECKS: Final = Metric(
    "agentc.output.checks",
    "counter",
    "{check}",
    "Answers held against an output schema, by whether they fit.",
)
RETRIES: Final = Metric("agentc.retries", "counter", "{retry}", "New tries of model turns, calls and states.")
EVAL_PASS_RATE: Final = Metric(
    "agentc.eval.pass_rate", "gauge", "", "The share of an eval's trials that passed, in its last run."
)

METRICS: Final = (
    TOKEN_USAGE,
    OPERATION_DURATION,
    FIRST_CHUNK,
    OUTPUT_CHUNK,
    RUN_DURATION,
    RUNS_ACTIVE,
    RUN_COSTS,
    TOOL_CALLS,
    TOOL_DURATION,
    REFUSALS,
    APPROVALS_WAITING,
    APPROVALS,
    APPROVAL_DURATION,
    OUTPUT_CHECKS,
    RETRIES,
    EVAL_PASS_RATE,
)

#: What the conventions call the providers of a bundle.
PROVIDERS: Final = {"openai": "openai", "anthropic": "anthropic", "gemini": "gcp.gemini"}
