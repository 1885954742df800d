"""The bundle contract: every type that a bundle can hold, shared by the compiler and the runtime.

The compiler imports this module to lower into it; the runtime imports it to read. It imports neither.
Unknown fields are refused when a bundle is read, so a newer bundle never runs with half of its limits
ignored. Durations are integer milliseconds, sizes are bytes, money is a decimal string in US dollars.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

from .behaviour import Cache, Pagination
from .environments import Auth, ClientCertificate, Endpoint, Environment
from .expressions import Expr, Record, Schema
from .labels import Label, Sensitivity
from .workflow import Retry, State

FORMAT = "agentc.bundle/1"
MANIFEST, PROGRAM, SOURCE_MAP = "manifest.json", "program.json", "source_map.json"

Effect: TypeAlias = Literal["read", "create", "update", "delete", "send"]
Provider: TypeAlias = Literal["openai", "anthropic", "gemini"]
Style: TypeAlias = Literal[
    "simple", "label", "matrix", "form", "spaceDelimited", "pipeDelimited", "deepObject"
]
#: Where the values of an argument may come from: see `agentc_runtime.origins`.
Origin: TypeAlias = Literal["input", "session", "spec", "trusted", "approved"]


# --- tools and how their requests are built ------------------------------------------------------------


class Param(Record, frozen=True, kw_only=True):
    """One parameter of a request: the argument that feeds it, its wire name and its OpenAPI style.

    With `content_type` the style says nothing: the value is written as JSON, or as it is if it is text.
    `reserved` leaves reserved characters as they are where they can't change what the query means.
    """

    argument: str
    name: str
    style: Style = "form"
    explode: bool = True
    required: bool = False
    reserved: bool = False
    content_type: str | None = None


class PathPart(Record, frozen=True, kw_only=True):
    """One piece of a path segment: a literal (already percent-encoded), or the parameter that fills it."""

    literal: str | None = None
    param: Param | None = None


class Part(Record, frozen=True, kw_only=True):
    """How one property of a form or multipart body is written.

    `plain`: text as text, objects as JSON, each item of an array on its own. `style`: as a query parameter.
    `json`: JSON, whatever it is. `file`: objects of `content`, `encoding` (`text` or `base64`) and, if
    wanted, `filename` and `content_type`. `content_type` is that of the part in a multipart body, where
    `headers` stand as well; for a file the first of `content_types` is the one that it has by default.
    """

    kind: Literal["plain", "style", "json", "file"] = "plain"
    style: Style = "form"
    explode: bool = True
    reserved: bool = False
    content_types: tuple[str, ...] = ()
    headers: dict[str, str] = {}


class Body(Record, frozen=True, kw_only=True):
    """A request body: the whole `argument`, or an object of `fields` (wire name → argument).

    `form` is `application/x-www-form-urlencoded`, `text` a string, `binary` a string in base64, or
    with a range as `content_type` an object of `content_type` and `base64`. `parts` are the properties of a
    form or multipart body that are not `plain`. `content_type` has no boundary.
    """

    content_type: str
    argument: str | None = None
    fields: dict[str, str] | None = None
    kind: Literal["json", "form", "multipart", "text", "binary"] = "json"
    parts: dict[str, Part] = {}


class ResponseCase(Record, frozen=True, kw_only=True):
    """What may come back: `status` is `200`, `2XX` or `default`; `schema` is absent when unspecified."""

    status: str
    content_type: str | None = None
    schema: Schema | None = None


class RequestPlan(Record, frozen=True, kw_only=True):
    """All that is needed to build one operation's requests: no OpenAPI is read at run time.

    `path` is a tuple of segments, each a tuple of parts; a segment is joined, segments are joined by `/`
    and appended to the endpoint's base path. `certificate` is shown to a server that asks for one.
    """

    operation: str
    method: Literal["GET", "PUT", "POST", "DELETE", "OPTIONS", "HEAD", "PATCH", "TRACE", "QUERY"]
    endpoint: Endpoint
    path: tuple[tuple[PathPart, ...], ...]
    query: tuple[Param, ...] = ()
    headers: tuple[Param, ...] = ()
    cookies: tuple[Param, ...] = ()
    body: Body | None = None
    auth: tuple[Auth, ...] = ()
    certificate: ClientCertificate | None = None
    responses: tuple[ResponseCase, ...] = ()

    def secrets(self) -> tuple[str, ...]:
        """The names of the secrets that a call needs, each once."""
        names = [name for auth in self.auth for name in auth.secrets()]
        return tuple(dict.fromkeys((*names, *(self.certificate.secrets() if self.certificate else ()))))


class Undo(Record, frozen=True, kw_only=True):
    """The call that takes another one back. Its arguments read `("arguments", …)` and `("answer", …)`, those
    of the call that is undone."""

    tool: str
    arguments: dict[str, Expr] = {}


class Tool(Record, frozen=True, kw_only=True):
    """A tool: what it does to the world, what its arguments must look like, and the request it becomes.

    `arguments` is the whole argument schema, bound arguments included. `name` is `toolset.tool`;
    `model_name` is the same inside every provider's limits (`[A-Za-z0-9_-]{1,64}`). `destinations` are the
    arguments that say where data, money or access goes. An untrusted answer that satisfies the schema `typed`
    holds no sentence, and its label is `typed`.
    """

    name: str
    model_name: str
    description: str
    effect: Effect
    arguments: Schema
    output: Label
    request: RequestPlan
    max_response_bytes: int = 1_048_576
    fields: tuple[str, ...] = ()
    timeout_ms: int = 30_000
    retry: Retry = Retry()
    rate_per_minute: int | None = None
    idempotency_header: str | None = None
    pagination: Pagination | None = None
    cache: Cache | None = None
    undo: Undo | None = None
    destinations: tuple[str, ...] = ()
    typed: Schema | None = None


# --- permissions ---------------------------------------------------------------------------------------


class Approval(Record, frozen=True, kw_only=True):
    """A person has to agree. `when` absent: always. It is asked when the arguments satisfy `when`."""

    by: tuple[str, ...]
    when: Schema | None = None
    expires_ms: int = 86_400_000


class Quota(Record, frozen=True, kw_only=True):
    """How often a tool may be called. Calls that reach the world count, whatever their outcome."""

    per_run: int | None = None
    per_day: int | None = None


class Unless(Record, frozen=True, kw_only=True):
    """The calls that the flow rule lets pass although untrusted content was read.

    All arguments that the model gave satisfy `schema`, which knows no others; those in `origins` come from
    there; and nothing more sensitive than `max_sensitivity` was read.
    """

    schema: Schema
    origins: dict[str, tuple[Origin, ...]] = {}
    max_sensitivity: Sensitivity = "internal"


class Grant(Record, frozen=True, kw_only=True):
    """Leave to call one tool. A tool without a grant can't be called.

    `schema` is what the model sees and what its arguments must satisfy: the tool's own schema without the
    bound arguments. `where` is the closed schema of the limits, checked as well, and the values of the
    arguments in `origins` have to come from there. `untrusted_to_effect` is the flow rule: what becomes of
    an effect, or of any call with a destination, after untrusted content was read; `unless` has exceptions.
    """

    tool: str
    permission_set: str
    schema: Schema
    where: Schema | None = None
    origins: dict[str, tuple[Origin, ...]] = {}
    bind: dict[str, Expr] = {}
    approval: Approval | None = None
    quota: Quota | None = None
    untrusted_to_effect: Literal["deny", "approve", "allow"] = "approve"
    unless: Unless | None = None


# --- models, limits, the program -----------------------------------------------------------------------


class Prices(Record, frozen=True, kw_only=True):
    """US dollars for one million tokens, as decimal strings."""

    input: str
    output: str
    cached_input: str | None = None
    cache_write: str | None = None


class Model(Record, frozen=True, kw_only=True):
    """An approved model under its alias. It is shown data up to `max_sensitivity` and no more."""

    alias: str
    provider: Provider
    model: str
    endpoint: Endpoint
    secret: str | None = None
    prices: Prices | None = None
    max_sensitivity: Sensitivity = "internal"
    max_output_tokens: int = 4096
    temperature: str | None = None
    timeout_ms: int = 120_000
    strict_tools: bool = False
    prompt_cache: bool = False
    response_cache_ms: int | None = None


class Limits(Record, frozen=True, kw_only=True):
    """Bounds of one run. `calls_per_turn` is how many tool calls of one model turn are carried out.

    The `cost_per_…` bound what all runs of the agent cost together: of a session, of a tenant in a UTC day,
    in a UTC day. Whose a run is stands in the fields `session_key` and `tenant_key` of its session.
    """

    steps: int = 50
    tokens: int | None = None
    cost_usd: str | None = None
    time_ms: int = 600_000
    calls_per_turn: int = 16
    cost_per_session_usd: str | None = None
    cost_per_tenant_usd: str | None = None
    cost_per_day_usd: str | None = None
    session_key: str | None = None
    tenant_key: str | None = None


class Data(Record, frozen=True, kw_only=True):
    """A schema with the label of the data that arrives under it."""

    schema: Schema
    label: Label


class AgentInfo(Record, frozen=True, kw_only=True):
    """Who this is."""

    name: str
    version: str
    owner: str
    description: str


class Program(Record, frozen=True, kw_only=True):
    """Everything an agent may do, and nothing else: the content of `program.json`.

    `agents` are those that its `handoff` states name, each whole: theirs inside it. With `undo` what a run
    has done is undone when it fails, the last effect first. `undoing` are the tools that this may call.
    """

    agent: AgentInfo
    input: Data
    session: Data
    output: Schema
    start: str
    states: dict[str, State]
    models: dict[str, Model]
    tools: dict[str, Tool]
    grants: dict[str, Grant]
    environments: dict[str, Environment]
    default_environment: str
    limits: Limits
    agents: dict[str, Program] = {}
    undo: bool = False
    undoing: tuple[str, ...] = ()


class Position(Record, frozen=True, kw_only=True):
    """A place in the author's repository. `line` and `column` count from 1."""

    file: str
    line: int
    column: int


#: Where each governed thing stands in the specs. Keys: `grant:T`, `grant:T/where/ARG`, `grant:T/bind/ARG`,
#: `grant:T/approval`, `grant:T/quota`, `grant:T/untrusted_to_effect`, `tool:T`, `tool:T/pagination`,
#: `state:S`, `state:S/tools`, `model:A`, `environment:E`, `environment:E/NAME`, `limits`, `limits/NAME`,
#: `input`, `session`, `output`, `agent`.
#: T is a full tool name. What governs an agent of a `handoff` has keys that begin with `agent:NAME/`. A
#: missing key is looked up without its last `/…` part.
SourceMap: TypeAlias = dict[str, Position]


class File(Record, frozen=True, kw_only=True):
    """One file of the bundle."""

    path: str
    sha256: str
    size: int


class Source(Record, frozen=True, kw_only=True):
    """One input of the compilation, by its path in the project and the sha256 of its bytes."""

    path: str
    sha256: str


class Manifest(Record, frozen=True, kw_only=True):
    """The bundle's table of contents. The sha256 of its bytes is the identity of the bundle."""

    format: str
    agent: AgentInfo
    compiler: str
    files: tuple[File, ...]
    sources: tuple[Source, ...]


def locate(source_map: SourceMap, key: str) -> Position | None:
    """The position that governs `key`, or its nearest ancestor's; `None` if nothing on the way is mapped."""
    while key not in source_map:
        if "/" not in key:
            return None
        key = key.rpartition("/")[0]
    return source_map[key]


def map_of(source_map: SourceMap, agent: str) -> SourceMap:
    """The part of a source map that is about an agent of a `handoff`, under the keys that it has there."""
    before = f"agent:{agent}/"
    return {
        key.removeprefix(before): position for key, position in source_map.items() if key.startswith(before)
    }
