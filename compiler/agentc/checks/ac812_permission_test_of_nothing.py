"""AC812: permission test of something that does not exist."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from agentc_runtime.refusals import RULES as REFUSALS

from ..diagnostics import Diagnostic, Rule, did_you_mean
from ..predicates import close_schema
from ..program import Agent, Program, SchemaData
from ..resources import Resource, Step
from ..schematypes import properties_of
from ..syntax.permission_test import CaseSpec, PermissionTestSpec

RULE = Rule(
    code="AC812",
    name="permission-test-of-nothing",
    title="permission test of something that does not exist",
    why=(
        "A call of a misspelled tool is refused, and so is one with a misspelled argument: a test that "
        "expects a refusal would pass for the wrong reason, for ever."
    ),
    bad="""\
# file: tests.yaml
apiVersion: agentc/v1
kind: PermissionTest
metadata: { name: refunds, version: 1.0.0, owner: support }
spec:
  agent: triage
  input: { ticket_id: T-1 }
  cases:
    - name: the limit holds
      tool: desk.refund
      arguments: { amout: 51 }  # <- AC812
      expect: refused
    - name: a small refund is made
      tool: desk.refund
      arguments: { amount: 50 }
      expect: allowed
    - name: a large refund is refused
      tool: desk.refund
      arguments: { amount: 51 }
      expect: refused
    - name: the ticket is not the model's to choose
      tool: desk.refund
      arguments: { amount: 5, ticket_id: T-2 }
      expect: { outcome: refused, rule: AR105 }
    - name: a ticket may have told the model to
      tool: desk.refund
      read: { trust: untrusted }
      arguments: { amount: 5 }
      expect: asks
    - name: tickets are read
      tool: desk.get_ticket
      arguments: { ticket_id: T-1 }
      expect: allowed
""",
    good="""\
# file: tests.yaml
apiVersion: agentc/v1
kind: PermissionTest
metadata: { name: refunds, version: 1.0.0, owner: support }
spec:
  agent: triage
  input: { ticket_id: T-1 }
  cases:
    - name: a small refund is made
      tool: desk.refund
      arguments: { amount: 50 }
      expect: allowed
    - name: a large refund is refused
      tool: desk.refund
      arguments: { amount: 51 }
      expect: refused
    - name: the ticket is not the model's to choose
      tool: desk.refund
      arguments: { amount: 5, ticket_id: T-2 }
      expect: { outcome: refused, rule: AR105 }
    - name: a ticket may have told the model to
      tool: desk.refund
      read: { trust: untrusted }
      arguments: { amount: 5 }
      expect: asks
    - name: tickets are read
      tool: desk.get_ticket
      arguments: { ticket_id: T-1 }
      expect: allowed
""",
)

#: The rules by which a call can be refused before anything is sent.
DECIDED = frozenset(
    {"AR101", "AR102", "AR104", "AR105", "AR106", "AR201", "AR202", "AR203", "AR204", "AR207"}
    | {"AR301", "AR304"}
)
Tested = Resource[PermissionTestSpec]


def check(program: Program) -> Iterator[Diagnostic]:
    """Names in permission tests that are no names of this project, and cases that can never come about."""
    for test in program.permission_tests.values():
        agent = program.agents.get(test.spec.agent)
        if agent is None:
            if not program.broken.hides("Agent", test.spec.agent):
                yield RULE.at(
                    test.span("agent"),
                    f"there is no agent `{test.spec.agent}`",
                    help=did_you_mean(test.spec.agent, program.agents),
                )
            continue
        yield from _data(test, agent, (), test.spec.input, test.spec.session)
        seen: dict[str, int] = {}
        for index, case in enumerate(test.spec.cases):
            if seen.setdefault(case.name, index) != index:
                yield RULE.at(
                    test.span("cases", index, "name"),
                    f"another case is called `{case.name}` already",
                    help="give each case the name of what it shows",
                )
            yield from _case(program, test, agent, index, case)


def _case(program: Program, test: Tested, agent: Agent, index: int, case: CaseSpec) -> Iterator[Diagnostic]:
    path = ("cases", index)
    if case.state is not None and case.state not in agent.states:
        yield RULE.at(
            test.span(*path, "state"),
            f"agent `{agent.resource.name}` has no state `{case.state}`",
            help=did_you_mean(case.state, agent.states),
        )
    for state in case.outputs:
        if state not in agent.states:
            yield RULE.at(
                test.span(*path, "outputs", state, key=True),
                f"agent `{agent.resource.name}` has no state `{state}`",
                help=did_you_mean(state, agent.states),
            )
    tool = program.tools.get(case.tool)
    if tool is None and not program.broken.hides("Toolset", case.tool.partition(".")[0]):
        yield RULE.at(
            test.span(*path, "tool"),
            f"there is no tool `{case.tool}`",
            help=did_you_mean(case.tool, program.tools),
        )
    if tool is not None and tool.operation is not None and case.expect.rule != "AR104":
        known = properties_of(tool.operation.arguments)
        for name in case.arguments or ():
            if name not in known:
                yield RULE.at(
                    test.span(*path, "arguments", name, key=True),
                    f"`{case.tool}` has no argument `{name}`",
                    help=did_you_mean(name, known),
                )
    yield from _data(test, agent, path, case.input, case.session)
    yield from _expectation(program, test, path, case)


def _expectation(
    program: Program, test: Tested, path: tuple[Step, ...], case: CaseSpec
) -> Iterator[Diagnostic]:
    expect = case.expect
    if expect.rule is not None and expect.outcome != "refused":
        yield RULE.at(
            test.span(*path, "expect", "rule", key=True),
            f"`rule` says what refuses a call, and this one is expected to be `{expect.outcome}`",
            help="expect `refused`, or leave `rule` out",
        )
    elif expect.rule is not None and expect.rule not in DECIDED:
        known = (
            f"there is no rule `{expect.rule}`"
            if expect.rule not in REFUSALS
            else (f"no permission test comes to `{expect.rule}`: it is decided when a call is on its way")
        )
        yield RULE.at(test.span(*path, "expect", "rule"), known, help=f"one of {', '.join(sorted(DECIDED))}")
    for name in ("by", "because"):
        if getattr(expect, name) is not None and expect.outcome != "asks":
            yield RULE.at(
                test.span(*path, "expect", name, key=True),
                f"`{name}` says who is asked and why, and this call is expected to be `{expect.outcome}`",
                help=f"expect `asks`, or leave `{name}` out",
            )
    groups = program.project.spec.approvers if program.project else {}
    for index, group in enumerate(expect.by or ()):
        if program.project is not None and group not in groups:
            yield RULE.at(
                test.span(*path, "expect", "by", index),
                f"there is no group `{group}` of approvers",
                help=did_you_mean(group, groups),
            )


def _data(
    test: Tested,
    agent: Agent,
    path: tuple[Step, ...],
    given: Mapping[str, object] | None,
    session: Mapping[str, object] | None,
) -> Iterator[Diagnostic]:
    said: tuple[tuple[str, Mapping[str, object] | None, SchemaData | None], ...] = (
        ("input", given, dict(agent.spec.input.schema_)),
        ("session", session, dict(agent.spec.session.schema_) if agent.spec.session else None),
    )
    for name, value, schema in said:
        if value is None:
            continue
        if schema is None:
            yield RULE.at(
                test.span(*path, name, key=True),
                f"agent `{agent.resource.name}` has no {name}",
                help=f"leave `{name}` out",
            )
        elif (problem := unfit(schema, value)) is not None:
            yield RULE.at(
                test.span(*path, name, key=True),
                f"no run has this {name}: {problem}",
                help=f"write what the agent's `{name}` takes",
            )


def unfit(schema: SchemaData, value: Mapping[str, object]) -> str | None:
    """Why a value does not fit a schema of the agent, in words; nothing when it does."""
    from agentc_runtime.violations import compile_predicate, first_violation, found_in_words

    try:
        broken = first_violation(compile_predicate(close_schema(schema)), dict(value))
    except ValueError:
        return None  # AC301 to AC303 say what is wrong with the schema
    return None if broken is None else f"{found_in_words(broken)}, and the schema takes {broken.expected}"
