"""Environment files: what a deployment takes away from a bundle. Nothing in them could widen it.

Each part only ever removes, lowers or adds a condition: a tool or a model that is not named is gone, a number
is the smaller one, a limit holds beside the bundle's own. So nothing has to be proven when a bundle is loaded
with one. What would have no effect, because the bundle is narrower already, is an error: it was meant
otherwise.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Final, Literal

import msgspec

from .bundle import Approval, Grant, Limits, Position, Program, Quota, SourceMap
from .environments import Environment
from .expressions import Record, Schema
from .integrity import problems
from .strictjson import StrictJsonError
from .strictjson import parse as parse_json
from .verify import Bundle, BundleError
from .violations import compile_predicate
from .workflow import AgentState, ModelState, State, ToolState

FORMAT: Final = "agentc.environment/1"
MAX_BYTES: Final = 1024 * 1024
#: The keywords of a limit. Any other could be misspelled, and be no limit.
KEYWORDS: Final = frozenset(
    {
        "type",
        "const",
        "enum",
        "minimum",
        "maximum",
        "exclusiveMinimum",
        "exclusiveMaximum",
        "minLength",
        "maxLength",
        "minItems",
        "maxItems",
    }
)
#: Which types a keyword says something about.
_FOR: Final = {
    **dict.fromkeys(("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"), ("number", "integer")),
    **dict.fromkeys(("minLength", "maxLength"), ("string",)),
    **dict.fromkeys(("minItems", "maxItems"), ("array",)),
}
_STRICTER: Final = ("allow", "approve", "deny")


class EnvironmentFileError(ValueError):
    """An environment file that can't be used. The message is one line."""


class NarrowedGrant(Record, frozen=True, kw_only=True):
    """What becomes narrower in a grant: limits by argument, quotas, the flow rule, an approval each time."""

    where: dict[str, Schema] = {}
    per_run: int | None = None
    per_day: int | None = None
    untrusted_to_effect: Literal["approve", "deny"] | None = None
    approval: Literal["always"] | None = None


class NarrowedLimits(Record, frozen=True, kw_only=True):
    """What becomes smaller in the limits of a run."""

    steps: int | None = None
    tokens: int | None = None
    cost_usd: str | None = None
    time_ms: int | None = None
    calls_per_turn: int | None = None


class EnvironmentFile(Record, frozen=True, kw_only=True):
    """An environment file. `tools`, `models` and `private_hosts` are those that are left, all if not given.

    `environment` is the one of the bundle that is left.
    """

    format: str
    agent: str
    environment: str
    tools: tuple[str, ...] | None = None
    models: tuple[str, ...] | None = None
    private_hosts: tuple[str, ...] | None = None
    grants: dict[str, NarrowedGrant] = {}
    limits: NarrowedLimits = NarrowedLimits()


def read_environment_file(path: Path) -> EnvironmentFile:
    """The environment file at `path`.

    Raises:
        EnvironmentFileError: it can't be read, or is none.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise EnvironmentFileError(
            f"{path}: can't be read: {(error.strerror or 'unknown error').lower()}"
        ) from error
    try:
        return parse_environment_file(data)
    except EnvironmentFileError as error:
        raise EnvironmentFileError(f"{path}: {error}") from error


def parse_environment_file(data: bytes) -> EnvironmentFile:
    """The environment file that `data` is.

    Raises:
        EnvironmentFileError: it is none.
    """
    if len(data) > MAX_BYTES:
        raise EnvironmentFileError(f"larger than {MAX_BYTES} bytes")
    try:
        found = msgspec.convert(parse_json(data.decode()), EnvironmentFile)
    except UnicodeDecodeError as error:
        raise EnvironmentFileError(f"not UTF-8 at byte {error.start}") from error
    except StrictJsonError as error:
        raise EnvironmentFileError(f"not strict JSON: {error}") from error
    except msgspec.ValidationError as error:
        said = ascii(str(error))[1:-1]
        raise EnvironmentFileError(f"{said[:1].lower()}{said[1:]}") from error
    if found.format != FORMAT:
        raise EnvironmentFileError(f"`format` is {found.format!a}, not `{FORMAT}`")
    return found


def narrow(bundle: Bundle, file: EnvironmentFile, name: str) -> Bundle:
    """The bundle with what the environment file `name` leaves of it, in every agent that it holds.

    Raises:
        BundleError: the file is of another agent, names what is not there, would widen, or leaves nothing
            that could run.
    """
    program = bundle.program
    if file.agent != program.agent.name:
        raise BundleError(f"is for the agent {file.agent[:80]!a}, not `{program.agent.name}`", name)
    for problem in _unknown(program, file):
        raise BundleError(problem, name)
    for problem in _wider(program, file):
        raise BundleError(f"{problem}: an environment file narrows", name)
    narrowed = _narrowed(program, file)
    for problem in problems(narrowed):
        raise BundleError(f"leaves something that can't run: {problem}", name)
    here = Position(file=name, line=1, column=1)
    return msgspec.structs.replace(
        bundle,
        environment_file=name,
        program=narrowed,
        source_map={**bundle.source_map, **_places(program, file, here)},
    )


# --- what is not allowed -------------------------------------------------------------------------------


def _programs(program: Program) -> Iterator[Program]:
    yield program
    for inner in program.agents.values():
        yield from _programs(inner)


def _unknown(program: Program, file: EnvironmentFile) -> Iterator[str]:
    whole = list(_programs(program))
    if file.environment not in program.environments:
        yield f"names the environment {file.environment[:80]!a}, which the bundle lacks"
        return
    tools = {name for one in whole for name in one.grants}
    for tool in (*(file.tools or ()), *file.grants):
        if tool not in tools:
            yield f"names the tool {tool[:80]!a}, which is not granted"
    models = {alias for one in whole for alias in one.models}
    for alias in file.models or ():
        if alias not in models:
            yield f"names the model {alias[:80]!a}, which the bundle lacks"
    known = program.environments[file.environment].private_hosts
    for host in file.private_hosts or ():
        if host not in known:
            yield f"names the private host {host[:80]!a}, which `{file.environment}` lacks"
    for tool, grant in file.grants.items():
        yield from _bad_limits(whole, tool, grant)


def _bad_limits(whole: list[Program], tool: str, narrowed: NarrowedGrant) -> Iterator[str]:
    for argument, schema in narrowed.where.items():
        unknown = sorted(schema.keys() - KEYWORDS)
        if unknown or not schema:
            word = f"the keyword {unknown[0][:80]!a}" if unknown else "no keyword"
            known = ", ".join(sorted(KEYWORDS))
            yield f"the limit of `{argument}` of `{tool}` has {word}: it has some of {known}"
            continue
        try:
            compile_predicate(schema)
        except ValueError as error:
            yield f"the limit of `{argument}` of `{tool}`: {' '.join(str(error).split())[:200]}"
        for one in whole:
            grant, properties = one.grants.get(tool), _properties(one, tool)
            if grant is not None and (argument in grant.bind or argument not in properties):
                yield f"limits {argument[:80]!a}, which is no argument of `{tool}` that a model sets"
            elif grant is not None and not _applies(schema, properties[argument]):
                yield f"the limit of `{argument}` of `{tool}` is for values of another type"


def _applies(schema: Schema, argument: object) -> bool:
    """Whether no keyword of a limit would be passed over, as it is for values of other types."""
    kind = argument.get("type") if isinstance(argument, dict) else None
    return not isinstance(kind, str) or all(kind in _FOR.get(word, (kind,)) for word in schema)


def _properties(program: Program, tool: str) -> dict[str, object]:
    found = program.tools[tool].arguments.get("properties") if tool in program.tools else None
    return found if isinstance(found, dict) else {}


def _wider(program: Program, file: EnvironmentFile) -> Iterator[str]:
    """What would let the agent do more than the bundle does, if it were put in its place."""
    for one in _programs(program):
        for tool, narrowed in file.grants.items():
            if tool in one.grants:
                yield from _wider_grant(one.grants[tool], narrowed)
        yield from _wider_limits(one.limits, file.limits)


def _wider_grant(grant: Grant, narrowed: NarrowedGrant) -> Iterator[str]:
    quota = grant.quota or Quota()
    for name, old, new in (
        ("per_run", quota.per_run, narrowed.per_run),
        ("per_day", quota.per_day, narrowed.per_day),
    ):
        if new is not None and (new < 0 or (old is not None and new > old)):
            yield f"`{name}` of `{grant.tool}` is {new}, and the bundle has {old}"
    new_rule, old_rule = narrowed.untrusted_to_effect, grant.untrusted_to_effect
    if new_rule is not None and _STRICTER.index(new_rule) < _STRICTER.index(old_rule):
        yield f"`untrusted_to_effect` of `{grant.tool}` is `{new_rule}`, and the bundle has `{old_rule}`"
    limited = (grant.where or {}).get("properties")
    for argument, schema in narrowed.where.items():
        known = limited.get(argument) if isinstance(limited, dict) else None
        if isinstance(known, dict):
            yield from _wider_limit(grant.tool, argument, known, schema)


def _wider_limit(tool: str, argument: str, known: Schema, schema: Schema) -> Iterator[str]:
    for word, new in schema.items():
        old = known.get(word)
        if not isinstance(new, int | float) or not isinstance(old, int | float):
            continue
        upper = word in ("maximum", "exclusiveMaximum", "maxLength", "maxItems")
        lower = word in ("minimum", "exclusiveMinimum", "minLength", "minItems")
        if (upper and new > old) or (lower and new < old):
            yield f"`{word}` of `{argument}` of `{tool}` is {new}, and the bundle has {old}"
    values, wanted = known.get("enum"), schema.get("enum")
    if isinstance(values, list) and isinstance(wanted, list) and any(one not in values for one in wanted):
        yield f"`enum` of `{argument}` of `{tool}` has values that the bundle does not allow"


def _wider_limits(limits: Limits, narrowed: NarrowedLimits) -> Iterator[str]:
    for name in ("steps", "tokens", "time_ms", "calls_per_turn"):
        new, old = getattr(narrowed, name), getattr(limits, name)
        if new is not None and (new < 1 or (old is not None and new > old)):
            yield f"the limit `{name}` is {new}, and the bundle has {old}"
    if narrowed.cost_usd is not None:
        try:
            new_cost = Decimal(narrowed.cost_usd)
        except InvalidOperation:
            yield f"the limit `cost_usd` is {narrowed.cost_usd[:40]!a}, which is no amount"
            return
        old_cost = None if limits.cost_usd is None else Decimal(limits.cost_usd)
        if not new_cost.is_finite() or new_cost < 0 or (old_cost is not None and new_cost > old_cost):
            yield f"the limit `cost_usd` is {narrowed.cost_usd}, and the bundle has {limits.cost_usd}"


# --- what is left --------------------------------------------------------------------------------------


def _narrowed(program: Program, file: EnvironmentFile) -> Program:
    tools = set(program.grants) if file.tools is None else set(file.tools) & set(program.grants)
    models = set(program.models) if file.models is None else set(file.models) & set(program.models)
    environment = program.environments[file.environment]
    if file.private_hosts is not None:
        environment = msgspec.structs.replace(environment, private_hosts=file.private_hosts)
    environments: dict[str, Environment] = {file.environment: environment}
    return msgspec.structs.replace(
        program,
        states={name: _state(state, tools, models) for name, state in program.states.items()},
        models={alias: model for alias, model in program.models.items() if alias in models},
        grants={
            name: _grant(grant, file.grants.get(name))
            for name, grant in program.grants.items()
            if name in tools
        },
        environments=environments,
        default_environment=file.environment,
        limits=_limits(program.limits, file.limits),
        agents={name: _narrowed(inner, file) for name, inner in program.agents.items()},
    )


def _state(state: State, tools: set[str], models: set[str]) -> State:
    match state:
        case AgentState():
            return msgspec.structs.replace(
                state,
                tools=tuple(tool for tool in state.tools if tool in tools),
                models=tuple(alias for alias in state.models if alias in models),
            )
        case ModelState():
            kept = tuple(alias for alias in state.models if alias in models)
            return msgspec.structs.replace(state, models=kept)
        case ToolState():
            return state  # one whose tool is gone can't run: the integrity of the program says so
    return state


def _grant(grant: Grant, narrowed: NarrowedGrant | None) -> Grant:
    if narrowed is None:
        return grant
    where = grant.where
    if narrowed.where:
        extra: Schema = {"properties": dict(narrowed.where)}
        where = extra if where is None else {"allOf": [where, extra]}
    quota = grant.quota or Quota()
    quota = Quota(
        per_run=quota.per_run if narrowed.per_run is None else narrowed.per_run,
        per_day=quota.per_day if narrowed.per_day is None else narrowed.per_day,
    )
    approval = grant.approval
    if narrowed.approval == "always":
        known = approval or Approval(by=())
        approval = Approval(by=known.by, expires_ms=known.expires_ms)
    rule = narrowed.untrusted_to_effect
    return msgspec.structs.replace(
        grant,
        where=where,
        quota=None if quota == Quota() else quota,
        approval=approval,
        untrusted_to_effect=rule or grant.untrusted_to_effect,
        unless=None if rule is not None else grant.unless,
    )


def _limits(limits: Limits, narrowed: NarrowedLimits) -> Limits:
    changes = {name: value for name, value in msgspec.structs.asdict(narrowed).items() if value is not None}
    return msgspec.structs.replace(limits, **changes)


def _places(program: Program, file: EnvironmentFile, here: Position) -> SourceMap:
    """The file governs what it has narrowed, and refusals name it."""
    keys = [f"environment:{file.environment}"]
    for tool, grant in file.grants.items():
        keys += [f"grant:{tool}/where/{argument}" for argument in grant.where]
        keys += [f"grant:{tool}/quota"] if grant.per_run is not None or grant.per_day is not None else []
        keys += [f"grant:{tool}/untrusted_to_effect"] if grant.untrusted_to_effect else []
        keys += [f"grant:{tool}/approval"] if grant.approval else []
    for name, value in msgspec.structs.asdict(file.limits).items():
        keys += [f"limits/{name.removesuffix('_ms').removesuffix('_usd')}"] if value is not None else []
    inner = [f"agent:{name}/{key}" for name in program.agents for key in keys]
    return dict.fromkeys((*keys, *inner), here)
