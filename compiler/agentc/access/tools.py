"""The calls of one granted tool as regions of arguments: what is allowed, and what nobody is asked about.

An argument that is bound to a reference is no part of a region: the model does not choose it. So two grants
are compared over the arguments that neither binds to a reference (`without` names the others), and their
references are compared as such. An argument that is bound to a constant has that one value.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from agentc_runtime import bundle as ir
from agentc_runtime.expressions import Const, Expr
from agentc_runtime.values import references

from ..subsumption import Complement, Intersection, Region


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
        for name in ir.tools_of(spec):
            users.setdefault(name, []).append(state)
    return {
        name: ToolAccess(program.tools[name], grant, tuple(sorted(users[name])))
        for name, grant in sorted(program.grants.items())
    }


def allowed(access: ToolAccess, without: Collection[str] = ()) -> Region:
    """The arguments with which the call is not refused, whatever was read before."""
    parts: list[Region] = [_given(access, without)]
    if access.grant.where is not None:
        parts.append(_about_others(access.grant.where, {*without, *access.referred}))
    return Intersection(tuple(parts))


def asked(access: ToolAccess, without: Collection[str] = ()) -> Region:
    """The arguments about which a person is asked by `approval`. May hold some that are not allowed."""
    approval = access.grant.approval
    if approval is None:
        return False
    return True if approval.when is None else _about_others(approval.when, {*without, *access.referred})


def unasked(access: ToolAccess, without: Collection[str] = ()) -> Region:
    """The arguments with which the call is made and nobody is asked, when nothing untrusted was read."""
    return Intersection((allowed(access, without), Complement(asked(access, without))))


def unasked_when_tainted(access: ToolAccess, without: Collection[str] = ()) -> Region:
    """The same after untrusted content was read. Where `unless` wants values from is left open."""
    policy, unless = access.grant.untrusted_to_effect, access.grant.unless
    free = access.tool.effect == "read" and not access.tool.destinations
    if policy == "allow" or free:
        return unasked(access, without)
    if unless is None:
        return False
    schema = _with_constants(_about_others(unless.schema, {*without, *access.referred}), access.constants)
    return Intersection((unasked(access, without), schema))


def _given(access: ToolAccess, without: Collection[str]) -> ir.Schema:
    """What the tool and the grant say of the arguments that the model gives, and of the constant ones."""
    return _with_constants(_about_others(access.grant.schema, set(without)), access.constants)


def _about_others(schema: ir.Schema, names: Collection[str]) -> ir.Schema:
    """An object schema without what its top says about the arguments `names`."""
    properties, required = schema.get("properties"), schema.get("required")
    changed = dict(schema)
    if isinstance(properties, Mapping):
        changed["properties"] = {name: part for name, part in properties.items() if name not in names}
    if isinstance(required, list):
        changed["required"] = [name for name in required if name not in names]
    return changed


def _with_constants(schema: ir.Schema, constants: Mapping[str, object]) -> ir.Schema:
    properties, required = schema.get("properties", {}), schema.get("required", [])
    if not constants or not isinstance(properties, Mapping) or not isinstance(required, list):
        return schema
    fixed = {name: {"const": value} for name, value in constants.items()}
    return {**schema, "properties": {**properties, **fixed}, "required": sorted({*required, *constants})}
