"""What to do when something is wrong with an agent: written from its specs and from what its runs tell."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from agentc_runtime.bundle import Program, Quota
from agentc_runtime.refusals import RULES
from agentc_runtime.telemetry import names
from agentc_runtime.workflow import ApprovalState, RetrieveState

from ..diff.markdown import code, escaped
from ..driver import Result
from ..program import Agent
from .alerts import FOR
from .handbook import NOTE
from .objectives import Objective, objectives

#: What an objective that is missed most often means, and where that is seen.
_ADVICE: Final[dict[str, str]] = {
    "latency.p50": (
        f"Compare `{names.OPERATION_DURATION.name}` (models), `{names.TOOL_DURATION.name}` (tools) and "
        f"`{names.APPROVAL_DURATION.name}` (people): one of them grew. A trace of a slow run shows which "
        "step."
    ),
    "latency.p95": (
        f"Look at the traces of the slowest runs, and at `{names.RETRIES.name}`: new tries take long."
    ),
    "success": (
        f"`{names.REFUSALS.name}` by `{names.REFUSAL_CODE}` says why runs fail; the table below says "
        "what to do "
        "about each rule."
    ),
    "tool_success": (
        f"`{names.TOOL_CALLS.name}` by `{names.TOOL_NAME}` says which service fails. If its calls have "
        "effects, "
        "disable the tool until the service is well."
    ),
    "valid_output": (
        "A model answers in another form than it is asked: its provider changed it, or the prompt or the "
        "schema "
        "changed. Compare with the bundle before, and roll back if that was better."
    ),
    "refusals": (
        f"`{names.REFUSALS.name}` by `{names.REFUSAL_CODE}`. AR1 and AR2 that grow suddenly are what an "
        "injected "
        "model looks like: read the audit log of such a run before anything is widened."
    ),
    "approvals_waiting": (
        "People do not keep up, or the agent asks more than before. `agentc approvals list` shows what "
        "waits; "
        "what expires is refused."
    ),
    "approval_time": "The approvers take longer than is promised: see who is asked, below.",
    "cost_per_success_usd": (
        f"`{names.TOKEN_USAGE.name}` by `{names.REQUEST_MODEL}`: longer conversations, a fallback that "
        "costs more, "
        "or runs that fail after they have cost money."
    ),
    "tokens_per_run": "Larger answers of tools, more turns, or a loop. A trace shows the tokens of each "
    "turn.",
    "eval_drift": (
        "The agent got worse at what it is tested for, without a change of the specs: most often a model "
        "changed. "
        "`agentc eval` shows which cases fail."
    ),
}


def runbook(result: Result, agent: Agent, program: Program) -> str:
    """The runbook, as Markdown."""
    return "\n".join(_lines(result, agent, program)) + "\n"


def _lines(result: Result, agent: Agent, program: Program) -> Iterator[str]:
    name = agent.resource.name
    yield from (NOTE, "", f"# Runbook of {name}", "")
    yield f"What it is and may do: [{name}]({name}.md). Owner: {code(agent.resource.metadata.owner)}."
    yield ""
    yield (
        "`AGENTC_CONTROL` and `AGENTC_TRUST` are set where these commands are run. `ORIGIN` is where "
        "bundles are "
        "pushed to, `STORE` the database of runs."
    )
    yield from _stopping(name, program)
    yield from ("", "## Roll back", "")
    yield (
        "To the bundle before; from a canary, to the stable one. Runs end on the bundle that they began with."
    )
    yield from _commands(f'agentc rollback {name} ORIGIN --reason "…" --key release.pem')
    yield from _looking(name)
    yield from _alerts(agent)
    yield from _failures(program)
    yield from _escalation(result, agent)


def _commands(*lines: str) -> Iterator[str]:
    yield from ("", "```sh", *lines, "```", "")


def _stopping(name: str, program: Program) -> Iterator[str]:
    effects = [tool for tool in sorted(program.grants) if program.tools[tool].effect != "read"]
    yield from ("", "## Stop it", "")
    yield "It holds from the next call on, on every worker, also in runs that are under way."
    yield from _commands(
        f'agentc disable agent {name} --reason "…" --for 2h',
        *(f'agentc disable tool {tool} --reason "…" --for 2h' for tool in effects),
        *(f'agentc disable model {alias} --reason "…" --for 2h' for alias in sorted(program.models)),
        f'agentc enable agent {name} --reason "…"',
        "agentc status",
    )
    yield "Without `--for` it stays off until it is enabled. Tools that only read are not listed."


def _looking(name: str) -> Iterator[str]:
    yield "## Look"
    yield from _commands(
        "agentc runs list --store STORE --status needs_attention",
        "agentc runs show RUN --store STORE",
        "agentc audit show --store STORE --run RUN",
        "agentc approvals list --store STORE",
        "agentc audit verify --store STORE",
    )
    yield (
        f"`agentc dashboards` writes the dashboard `Agent {name}`. In traces `{names.RUN_ID}` is the run, "
        f"`{names.AGENT_NAME}` the agent, `{names.ERROR_TYPE}` the rule that refused or the error of a "
        "provider, "
        f"`{names.FILE_PATH}` and `{names.LINE_NUMBER}` the spec line that governs it."
    )
    yield ""
    yield (
        "A run that needs attention has sent something and does not know whether it took effect. Find "
        "out at the "
        "service, then let it go on:"
    )
    yield from _commands("agentc runs resume RUN --store STORE")


def _alerts(agent: Agent) -> Iterator[str]:
    yield from ("## When an alert goes off", "")
    slos = agent.spec.slos
    if slos is None:
        yield from ("The agent states no `slos`, so there is none.", "")
        return
    yield f"Each says that an objective was missed over {slos.window}, for {FOR}."
    yield ""
    for objective in objectives(agent.resource.name, slos):
        yield from _alert(objective)


def _alert(objective: Objective) -> Iterator[str]:
    word = "at least" if objective.beyond == "<" else "at most"
    yield from (f"### {objective.title}", "")
    yield f"`Agentc{objective.alert}`: `slos.{objective.key}` is {word} {objective.target}."
    yield from ("", _ADVICE[objective.key], "")


def _failures(program: Program) -> Iterator[str]:
    yield from ("## What can fail", "", "| rule | | what to do |", "| --- | --- | --- |")
    for rule in RULES.values():
        if _POSSIBLE.get(rule.code, _always)(program):
            yield f"| {rule.code} | {rule.title} | {rule.fix} |"
    yield from ("", "`agentc explain RULE` says more about each.", "")


def _escalation(result: Result, agent: Agent) -> Iterator[str]:
    yield from ("## Escalate", "", "| for | to |", "| --- | --- |")
    yield f"| the agent | {escaped(agent.resource.metadata.owner)} |"
    for one in agent.permission_sets:
        yield f"| what it may do ({code(one.name)}) | {escaped(one.metadata.owner)} |"
    toolsets = {grant.tool.toolset.name: grant.tool.toolset.metadata.owner for grant in agent.grants.values()}
    for name in sorted(toolsets):
        yield f"| the tools of {code(name)} | {escaped(toolsets[name])} |"
    approvers = result.program.project.spec.approvers if result.program.project else {}
    for group in sorted(approvers):
        yield f"| approvals of {code(group)} | {', '.join(escaped(person) for person in approvers[group])} |"
    yield ""


# --- which rules can ever refuse something of this agent ---------------------------------------------------


def _always(program: Program) -> bool:
    return True


def _grants(has: Callable[[object], object], field: str) -> Callable[[Program], bool]:
    return lambda program: any(has(getattr(grant, field)) for grant in program.grants.values())


def _tools(field: str) -> Callable[[Program], bool]:
    return lambda program: any(getattr(program.tools[name], field) for name in program.grants)


def _states(*kinds: type) -> Callable[[Program], bool]:
    return lambda program: any(isinstance(state, kinds) for state in program.states.values())


def _asks(program: Program) -> bool:
    flows = any(grant.untrusted_to_effect == "approve" for grant in program.grants.values())
    return flows or _grants(bool, "approval")(program) or _states(ApprovalState)(program)


def _auth(field: str) -> Callable[[Program], bool]:
    return lambda program: any(
        getattr(auth, field) for name in program.grants for auth in program.tools[name].request.auth
    )


def _has_budget(program: Program) -> bool:
    limits = program.limits
    return any((limits.cost_per_session_usd, limits.cost_per_tenant_usd, limits.cost_per_day_usd))


_POSSIBLE: Final[dict[str, Callable[[Program], bool]]] = {
    "AR105": _grants(bool, "bind"),
    "AR106": _grants(bool, "bind"),
    "AR201": _grants(lambda where: where is not None, "where"),
    "AR202": _grants(lambda flow: flow == "deny", "untrusted_to_effect"),
    "AR203": _grants(lambda quota: isinstance(quota, Quota) and quota.per_run, "quota"),
    "AR204": _grants(lambda quota: isinstance(quota, Quota) and quota.per_day, "quota"),
    "AR205": _asks,
    "AR206": _asks,
    "AR207": _grants(bool, "origins"),
    "AR305": _tools("pagination"),
    "AR507": _auth("token"),
    "AR508": lambda program: any(one.vault is not None for one in program.environments.values()),
    "AR509": lambda program: any(program.tools[name].request.certificate for name in program.grants),
    "AR512": _states(RetrieveState),
    "AR540": _has_budget,
    "AR541": _has_budget,
}
