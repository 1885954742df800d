"""What would have to change for a call to come out otherwise: where in the specs, and what to write."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agentc_runtime.refusals import RULES

from ..access import Verdict

if TYPE_CHECKING:
    from ..program import Agent, Program


def remedy(verdict: Verdict, tool: str, states: tuple[str, ...], specs: tuple[Program, Agent] | None) -> str:
    """What would have to change, empty for an allowed call.

    `states` are those that have the tool; `specs` are the project, if there is one.
    """
    if verdict.outcome == "allowed":
        return ""
    if verdict.code == "AR101":
        return _grant(tool, specs)
    if verdict.code == "AR102" and states:
        named = " and ".join(f"`{state}`" for state in states)
        return f"call it in {named}, or add `{tool}` to the `tools` of the state, if it is meant to be there"
    if verdict.outcome == "refused":
        return RULES[verdict.code].fix
    if "untrusted_to_effect" not in verdict.because:
        return "a narrower `approval.when` would ask about fewer calls"
    apart = "read in a state of its own and let only numbers, enums or identifiers cross"
    also = "; `approval` asks as well" if "approval" in verdict.because else ""
    return f"{apart}, or say in `unless` which calls pass{also}"


def _grant(tool: str, specs: tuple[Program, Agent] | None) -> str:
    if specs is None:
        return RULES["AR101"].fix
    program, agent = specs
    elsewhere = [
        f"`{name}` ({resource.file.path}:{resource.span('grants', index, 'tool').line})"
        for name, resource in sorted(program.permission_sets.items())
        for index, grant in enumerate(resource.spec.grants)
        if grant.tool == tool and name not in agent.spec.permissions
    ]
    if elsewhere:
        at = agent.span("permissions", key=True)
        sets = " or ".join(elsewhere)
        return f"it is granted by the PermissionSet {sets}: name that in `permissions` ({at.file}:{at.line})"
    for resource in agent.permission_sets:
        at = resource.span("grants", key=True)
        line = f"add `- tool: {tool}` to the grants of `{resource.name}` ({at.file}:{at.line})"
        return line + (", and the tool to `tools` of a state" if agent.spec.workflow is not None else "")
    return RULES["AR101"].fix
