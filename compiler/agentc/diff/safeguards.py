"""What a project holds its own changes to: assertions, permission tests, rule levels, and who is asked."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from agentc_runtime.canonical import canonical

from ..driver import Result
from ..parse import suppressions
from ..program import Program
from ..syntax.common import Closed
from .values import Place, Safeguard

_RANK: Final = {"ignore": 0, "warning": 1, "error": 2}


def safeguards(result: Result, base: str) -> Iterator[Safeguard]:
    """All of a project."""
    program = result.program
    yield from _assertions(program, base)
    yield from _tests(program, base)
    yield from _levels(program, base)
    yield from _people(program, base)
    for path, file in sorted(result.files.items()):
        counts: dict[str, int] = {}
        for one in suppressions(file) if path.endswith((".yaml", ".yml")) else ():
            counts[one.code] = counts.get(one.code, 0) + 1
            key = f"suppression {path} {one.code} {counts[one.code]}"
            what = f"is silenced in `{path}`: {one.reason or 'no reason given'}"
            yield Safeguard(key, one.code, what, "low", True, Place(path, one.span.line, base))


def _assertions(program: Program, base: str) -> Iterator[Safeguard]:
    for name, asserted in sorted(program.assertion_sets.items()):
        spec = asserted.spec
        about = sorted(spec.agents)
        subject = f"the assertion set {name}"

        def place(*path: str | int) -> Place:
            span = asserted.span(*path)  # noqa: B023  used before the next round
            return Place(span.file, span.line, base)

        for section in ("operations", "hosts", "calls", "flows"):
            for index, item in enumerate(getattr(spec.never, section)):
                said = _said(item, without="reason")
                yield Safeguard(
                    f"never {about} {section} {said}", subject, f"does not forbid {section} {said} any more",
                    "high", False, place("never", section, index),
                )  # fmt: skip
        if spec.at_most is not None:
            ceiling = program.permission_sets.get(spec.at_most)
            grants = "" if ceiling is None else _said(ceiling.spec)
            yield Safeguard(
                f"at_most {about} {spec.at_most} {grants}", subject,
                f"does not keep agents inside `{spec.at_most}` as it was", "high", False, place("at_most"),
            )  # fmt: skip
        if spec.baseline is not None:
            file = program.files.get(spec.baseline)
            yield Safeguard(
                f"baseline {about} {spec.baseline} {'' if file is None else file.sha256}", subject,
                f"does not keep agents inside `{spec.baseline}` as it was", "medium", False,
                place("baseline"),
            )  # fmt: skip


def _tests(program: Program, base: str) -> Iterator[Safeguard]:
    for name, test in sorted(program.permission_tests.items()):
        for index, case in enumerate(test.spec.cases):
            if case.expect.outcome == "allowed":
                continue
            span = test.span("cases", index)
            yield Safeguard(
                f"test {test.spec.agent} {_said(test.spec.model_copy(update={'cases': ()}))} {_said(case)}",
                f"the permission test {name}", f"does not try `{case.name}` as it did", "low", False,
                Place(span.file, span.line, base),
            )  # fmt: skip


def _levels(program: Program, base: str) -> Iterator[Safeguard]:
    if program.project is None:
        return
    from ..checks.registry import RULES

    for code, level in sorted(program.project.spec.rules.items()):
        rule = RULES.get(code)
        if rule is not None and _RANK[level] < _RANK[rule.level]:
            span = program.project.span("rules", code, key=True)
            what = f"is {'ignored' if level == 'ignore' else 'a warning only'} in the project"
            yield Safeguard(
                f"rule {code} {level}", code, what, "medium", True, Place(span.file, span.line, base)
            )


def _people(program: Program, base: str) -> Iterator[Safeguard]:
    project = program.project
    for group, people in sorted(project.spec.approvers.items()) if project is not None else ():
        assert project is not None  # there are groups
        span = project.span("approvers", group, key=True)
        for person in sorted(set(people)):
            yield Safeguard(
                f"approver {group} {person}", person, f"may approve as `{group}`", "high", True,
                Place(span.file, span.line, base),
            )  # fmt: skip
    for name, accepted in sorted(program.acceptance_sets.items()):
        if owners := accepted.spec.owners:
            span = accepted.span("owners", key=True)
            said = canonical([owner.model_dump(mode="json") for owner in owners]).decode()
            yield Safeguard(
                f"owners {name} {said}", f"the acceptance set {name}", "says otherwise who may accept what",
                "high", True, Place(span.file, span.line, base),
            )  # fmt: skip


def _said(model: Closed, *, without: str = "") -> str:
    data = model.model_dump(mode="json", exclude_defaults=True)
    data.pop(without, None)
    return canonical(data).decode()
