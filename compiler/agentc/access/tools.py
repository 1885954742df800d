"""The calls of one granted tool as regions of arguments: what is allowed, and what nobody is asked about.

An argument that is bound to a reference is no part of a region: the model does not choose it. So two grants
are compared over the arguments that neither binds to a reference (`without` names the others), and their
references are compared as such. An argument that is bound to a constant has that one value.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from agentc_runtime import bundle as ir
from agentc_runtime import expressions, labels, workflow
from agentc_runtime.consent import open_destinations
from agentc_runtime.expressions import Const, Expr, Ref
from agentc_runtime.labels import allows
from agentc_runtime.values import references

from ..predicates import merge_limits
from ..schematypes import type_at
from ..subsumption import Complement, Intersection, Region, Union


@dataclass(frozen=True)
class ToolAccess:
    """A tool of a bundle with its grant and the states that may call it."""

    tool: ir.Tool
    grant: ir.Grant
    states: tuple[str, ...]

    @property
    def constants(self) -> dict[str, object]:
        """The arguments that are bound to a value of the spec."""
        return {name: expr.value for name, expr in self.grant.bind.items() if isinstance(expr, Const)}

    @property
    def referred(self) -> dict[str, Expr]:
        """The arguments that are bound to what a run knows."""
        return {name: expr for name, expr in self.grant.bind.items() if references(expr)}


def accesses(program: ir.Program) -> dict[str, ToolAccess]:
    """Every granted tool by name."""
    users: dict[str, list[str]] = {name: [] for name in program.grants}
    for state, spec in program.states.items():
        for name in workflow.tools_of(spec):
            users.setdefault(name, []).append(state)
    return {
        name: ToolAccess(program.tools[name], grant, tuple(sorted(users[name])))
        for name, grant in sorted(program.grants.items())
    }


def allowed(access: ToolAccess, without: Collection[str] = ()) -> Region:
    """The arguments with which the call is not refused, whatever was read before."""
    parts: list[Region] = [_given(access, without)]
    if access.grant.where is not None:
        parts.append(about_others(access.grant.where, {*without, *access.referred}))
    return Intersection(tuple(parts))


def asked(access: ToolAccess, without: Collection[str] = ()) -> Region:
    """The arguments about which a person is asked by `approval`. May hold some that are not allowed."""
    approval = access.grant.approval
    if approval is None:
        return False
    return True if approval.when is None else about_others(approval.when, {*without, *access.referred})


def unasked(access: ToolAccess, without: Collection[str] = ()) -> Region:
    """The arguments with which the call is made and nobody is asked, when nothing untrusted was read."""
    return Intersection((allowed(access, without), Complement(asked(access, without))))


def unasked_when_tainted(access: ToolAccess, without: Collection[str] = ()) -> Region:
    """The same after untrusted content was read. Where `unless` wants values from is left open."""
    return unasked_after(access, labels.Label(trust="untrusted", sensitivity="public"), without)


def unasked_after(access: ToolAccess, read: labels.Label, without: Collection[str] = ()) -> Region:
    """The arguments with which the call is made and nobody is asked after data with the label `read`.

    Where `unless` wants values from is left open: they may stand there.
    """
    passing = passing_after(access, read, without)
    return passing if passing is False else Intersection((unasked(access, without), passing))


def passing_after(access: ToolAccess, read: labels.Label, without: Collection[str] = ()) -> Region:
    """The arguments about which the flow rule says nothing after data with the label `read` was read.

    It is the rule of `agentc_runtime.consent`, as a region. It is silent on what is bound to references.
    """
    grant, unless = access.grant, access.grant.unless
    open_ = open_destinations(access.tool, grant)
    commanded = read.trust == "untrusted" and access.tool.effect != "read"
    directed = read.trust != "trusted" and bool(open_)
    if grant.untrusted_to_effect == "allow" or not (commanded or directed):
        return True
    if unless is None or not allows(unless.max_sensitivity, read):
        return False
    if read.trust == "typed":
        named = _named(unless.schema)
        return {"properties": {name: named.get(name, False) for name in sorted(open_)}}
    schema = about_others(unless.schema, {*without, *access.referred})
    free: dict[str, object] = {name: {} for name in access.referred}
    return _with_constants({**schema, "properties": {**_named(schema), **free}}, access.constants)


def sent(program: ir.Program, access: ToolAccess, without: Collection[str] = ()) -> Region:
    """The whole arguments of the calls that are not refused, those that are bound to references included.

    Such a value is one of the schema that the agent declares for what it refers to.
    """
    grant, arguments = access.grant, access.tool.arguments
    whole = {**grant.schema, "properties": {**_named(grant.schema), **{name: {} for name in grant.bind}}}
    known = _named(arguments).keys() >= {*grant.bind, *_named(grant.where or {})}
    said = [schema for schema in (arguments, grant.where) if schema is not None]
    if known and grant.schema == merge_limits(arguments, set(grant.bind), grant.where):
        # all that the tool and the limits say of the other arguments is in the grant's schema already
        said = [_about_bound(schema, grant.bind) for schema in said]
    schemas = [_with_constants(whole, access.constants), *said]
    parts: list[Region] = [about_others(schema, without) if without else schema for schema in schemas]
    bound = ((name, expr) for name, expr in sorted(access.referred.items()) if name not in without)
    return Intersection((*parts, *(_bound_to(program, name, expr) for name, expr in bound)))


def sent_unasked(program: ir.Program, access: ToolAccess, read: labels.Label) -> Region:
    """The whole arguments of the calls that are made with nobody asked after data with the label `read`."""
    approval = access.grant.approval
    asked_: Region = False if approval is None else True if approval.when is None else approval.when
    return Intersection((sent(program, access), Complement(asked_), passing_after(access, read)))


def _bound_to(program: ir.Program, name: str, expr: Expr) -> Region:
    present: expressions.Schema = {"properties": {name: {"not": {"type": "null"}}}, "required": [name]}
    if not isinstance(expr, Ref):
        return present
    ways = [_argument(name, schema) for schema in schemas_at(program, expr.path)]
    return Intersection((present, Union(tuple(ways)))) if ways else present


def _argument(name: str, schema: expressions.Schema) -> expressions.Schema:
    """The schema of arguments among which `name` is one of `schema`, whose definitions go to the top."""
    definitions = {
        key: value for key, value in schema.items() if key in ("$defs", "definitions", "components")
    }
    rest = {key: value for key, value in schema.items() if key not in definitions}
    return {**definitions, "properties": {name: rest}}


def schemas_at(program: ir.Program, path: tuple[str, ...]) -> list[expressions.Schema]:
    """The schemas of which what stands at `path` is one; none when nothing is known of it."""
    root, *steps = path
    if root in ("input", "session"):
        data = program.input if root == "input" else program.session
        found = type_at(data.schema, steps)
        return [] if found is None else [found]
    state = program.states.get(steps[0]) if steps else None
    schema: expressions.Schema | None = None
    if isinstance(state, workflow.AgentState | workflow.ModelState):
        schema = state.output or {"type": "string"}
    elif isinstance(state, workflow.MapState):
        schema = state.item if steps[1:2] == ["item"] else state.output
    elif isinstance(state, workflow.ParallelState):
        schema = state.output
    elif isinstance(state, workflow.VerifyState):
        schema = state.schema
    elif isinstance(state, workflow.HandoffState) and state.agent in program.agents:
        schema = program.agents[state.agent].output
    found = None if schema is None else type_at(schema, steps[2:])
    return [] if found is None else [found]


def _given(access: ToolAccess, without: Collection[str]) -> expressions.Schema:
    """What the tool and the grant say of the arguments that the model gives, and of the constant ones."""
    return _with_constants(about_others(access.grant.schema, set(without)), access.constants)


def about_others(schema: expressions.Schema, names: Collection[str]) -> expressions.Schema:
    """An object schema without what its top says about the arguments `names`."""
    properties, required = schema.get("properties"), schema.get("required")
    changed = dict(schema)
    if isinstance(properties, Mapping):
        changed["properties"] = {name: part for name, part in properties.items() if name not in names}
    if isinstance(required, list):
        changed["required"] = [name for name in required if name not in names]
    return changed


def _about_bound(schema: expressions.Schema, bound: Collection[str]) -> expressions.Schema:
    """An object schema without what its top says about other arguments than those that are bound."""
    required = schema.get("required")
    return {
        **{key: value for key, value in schema.items() if key != "additionalProperties"},
        "properties": {name: part for name, part in _named(schema).items() if name in bound},
        "required": [name for name in required if name in bound] if isinstance(required, list) else [],
    }


def _named(schema: Mapping[str, object]) -> dict[str, object]:
    named = schema.get("properties")
    return dict(named) if isinstance(named, Mapping) else {}


def _with_constants(schema: expressions.Schema, constants: Mapping[str, object]) -> expressions.Schema:
    properties, required = schema.get("properties", {}), schema.get("required", [])
    if not constants or not isinstance(properties, Mapping) or not isinstance(required, list):
        return schema
    fixed = {name: {"const": value} for name, value in constants.items()}
    return {**schema, "properties": {**properties, **fixed}, "required": sorted({*required, *constants})}
