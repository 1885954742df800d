"""AC423: assertion about something that does not exist."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ..diagnostics import Diagnostic, Rule, did_you_mean
from ..program import Program
from ..resources import Resource, Step
from ..schematypes import properties_of
from ..syntax.assertions import AssertionSetSpec

RULE = Rule(
    code="AC423",
    name="assertion-about-nothing",
    title="assertion about something that does not exist",
    why=(
        "An assertion with a misspelled name would hold whatever anybody changes. So would one that says "
        "nothing. Both look like a promise and are none."
    ),
    bad="""\
# file: assertions.yaml
apiVersion: agentc/v1
kind: AssertionSet
metadata: { name: money, version: 1.0.0, owner: security }
spec:
  never:
    calls:
      - { tool: desk.refunds, when: { amount: { exclusiveMinimum: 100 } } }  # <- AC423
""",
    good="""\
# file: assertions.yaml
apiVersion: agentc/v1
kind: AssertionSet
metadata: { name: money, version: 1.0.0, owner: security }
spec:
  never:
    calls:
      - { tool: desk.refund, when: { amount: { exclusiveMinimum: 100 } } }
""",
)

Asserted = Resource[AssertionSetSpec]


def check(program: Program) -> Iterator[Diagnostic]:
    """Names in assertion sets that are no names of this project, and assertions that say nothing."""
    for asserted in program.assertion_sets.values():
        yield from _empty(asserted)
        yield from _set(program, asserted)
        for names, path in _tools(asserted.spec):
            yield from _unknown(program, asserted, names, path, "Toolset", "tool", program.tools)
        yield from _arguments(program, asserted)
        yield from _paths(program, asserted)
        yield from _baseline(program, asserted)


def _baseline(program: Program, asserted: Asserted) -> Iterator[Diagnostic]:
    from ..baseline import BaselineError, read

    path = asserted.spec.baseline
    if path is None:
        return
    problem = "the file is not there, or can't be read"
    if path in program.files:
        try:
            read(program.files[path].data)
            return
        except BaselineError as error:
            problem = str(error)
    yield RULE.at(
        asserted.span("baseline"),
        f"there is no baseline in `{path}`: {problem}",
        help="`agentc baseline` writes it",
    )


def _empty(asserted: Asserted) -> Iterator[Diagnostic]:
    spec = asserted.spec
    never = spec.never
    if not (never.operations or never.hosts or never.calls or never.flows or spec.at_most or spec.baseline):
        yield RULE.at(
            asserted.name_span(),
            f"the assertion set `{asserted.name}` asserts nothing",
            help="say what is never allowed under `never`, or name a PermissionSet with `at_most`",
        )
    for index, one in enumerate(never.operations):
        if not (one.effect or one.tool or one.toolset or one.method or one.path):
            yield RULE.at(
                asserted.span("never", "operations", index),
                "the assertion does not say which operations",
                help="add `effect`, `tool`, `toolset`, `method` or `path`",
            )
    for index, flow in enumerate(never.flows):
        lacking = [] if flow.trust or flow.sensitivity else ["which data: add `trust` or `sensitivity`"]
        if not (flow.tools or flow.effects or flow.ways_out):
            lacking.append("where it is never: add `tools`, `effects` or `ways_out: true`")
        for lack in lacking:
            said, _, fix = lack.partition(": ")
            yield RULE.at(
                asserted.span("never", "flows", index), f"the assertion does not say {said}", help=fix
            )


def _set(program: Program, asserted: Asserted) -> Iterator[Diagnostic]:
    spec = asserted.spec
    for index, agent in enumerate(spec.agents):
        yield from _unknown(program, asserted, agent, ("agents", index), "Agent", "agent", program.agents)
    if spec.at_most is not None:
        sets = program.permission_sets
        yield from _unknown(
            program, asserted, spec.at_most, ("at_most",), "PermissionSet", "permission set", sets
        )
    for index, operation in enumerate(spec.never.operations):
        if operation.toolset is not None:
            at: tuple[Step, ...] = ("never", "operations", index, "toolset")
            yield from _unknown(
                program, asserted, operation.toolset, at, "Toolset", "toolset", program.toolsets
            )
    environments = program.project.spec.environments if program.project else {}
    for index, host in enumerate(spec.never.hosts):
        for place, name in enumerate(host.environments):
            at = ("never", "hosts", index, "environments", place)
            yield from _unknown(program, asserted, name, at, "Project", "environment", environments)


def _tools(spec: AssertionSetSpec) -> Iterator[tuple[str, tuple[Step, ...]]]:
    for index, operation in enumerate(spec.never.operations):
        if operation.tool is not None:
            yield operation.tool, ("never", "operations", index, "tool")
    for index, call in enumerate(spec.never.calls):
        yield call.tool, ("never", "calls", index, "tool")
    for index, flow in enumerate(spec.never.flows):
        for place, tool in enumerate(flow.tools):
            yield tool, ("never", "flows", index, "tools", place)


def _unknown(
    program: Program,
    asserted: Asserted,
    name: str,
    path: tuple[Step, ...],
    kind: str,
    what: str,
    known: Iterable[str],
) -> Iterator[Diagnostic]:
    hidden = name.partition(".")[0] if what == "tool" else name
    if name in known or program.broken.hides(kind, hidden) or (kind == "Project" and program.project is None):
        return
    yield RULE.at(asserted.span(*path), f"there is no {what} `{name}`", help=did_you_mean(name, known))


def _arguments(program: Program, asserted: Asserted) -> Iterator[Diagnostic]:
    for index, call in enumerate(asserted.spec.never.calls):
        tool = program.tools.get(call.tool)
        if tool is None or tool.operation is None:
            continue
        known = properties_of(tool.operation.arguments)
        for name in call.when:
            if name not in known:
                yield RULE.at(
                    asserted.span("never", "calls", index, "when", name, key=True),
                    f"`{call.tool}` has no argument `{name}`",
                    help=did_you_mean(name, known),
                )


def _paths(program: Program, asserted: Asserted) -> Iterator[Diagnostic]:
    for index, operation in enumerate(asserted.spec.never.operations):
        if operation.path is None:
            continue
        asked = [
            toolset.document
            for name, toolset in program.toolsets.items()
            if operation.toolset in (None, name)
        ]
        if any(document is None or document.problems for document in asked):
            continue  # it may be a path of a document that is not there, which AC702 says
        known = {
            entry.path
            for document in asked
            if document is not None
            for entry in document.entries
            if operation.method in (None, entry.method)
        }
        if operation.path not in known:
            method = f"{operation.method} " if operation.method else ""
            yield RULE.at(
                asserted.span("never", "operations", index, "path"),
                f"no document has the operation `{method}{operation.path}`",
                help=did_you_mean(operation.path, known),
            )
