"""Why cases fail, put together: many failures of an eval have few causes."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Final

import msgspec

from .observation import Observation, Trial
from .summary import reasons

#: What differs between two failures of one cause: objects, quoted values, numbers, names of cases' data.
_VARYING: Final = re.compile(
    r'\{".*(?:\}|more)|"(?:[^"\\]|\\.)*"?(?: … [0-9,]+ more)?|\b[A-Z]+-[0-9]+\b'
    r"|(?<![A-Za-z_./-])[0-9]+(?:\.[0-9]+)?\b(?!:)"
)
#: A quoted word, such as a value of an enum, is the same in all of them.
_WORD: Final = re.compile(r'"[a-z_-]{1,24}"')
#: The name of a tool: what a run did says more than what came out.
_TOOL: Final = re.compile(r"`(?!output\.|states\.)[a-z][a-z0-9_-]*\.[A-Za-z][A-Za-z0-9_-]*`")
_PATH: Final = re.compile(r"`((?:body|path|method)[^`]*)` was ")
#: Where requests to models differ, in the formats of the providers → what that is in the specs.
_PARTS: Final = (
    (
        re.compile(r"body\.(messages\[0\]|system\b|systemInstruction|instructions)"),
        "the instructions are others",
    ),
    (re.compile(r"body\.(messages\[1\]|contents\[0\]|input\[0\])"), "the prompt of the state is another one"),
    (
        re.compile(r"body\.(messages|contents|input)\["),
        "a turn or an answer of a tool before it is another one",
    ),
    (re.compile(r"body\.tools\b"), "the definitions of the tools are others"),
    (
        re.compile(r"body\.(response_format|output_config|generationConfig\.response)"),
        "the schema of the output is another one",
    ),
    (re.compile(r"body\.model\b|path"), "the model is another one"),
    (re.compile(r"body\."), "the request is another one"),
)


class Cause(msgspec.Struct, frozen=True, kw_only=True):
    """One reason for which cases do not pass, an example of it, and the cases."""

    cause: str
    example: str
    cases: tuple[str, ...]


def causes(trials: Iterable[Trial]) -> tuple[Cause, ...]:
    """The causes of all trials that did not pass, the most frequent first."""
    found: dict[str, dict[str, str]] = defaultdict(dict)
    for trial in trials:
        if not trial.passed and trial.counts:
            for cause, example in _causes(trial):
                found[cause].setdefault(trial.case, example)
    ordered = sorted(found.items(), key=lambda item: (-len(item[1]), item[0]))
    return tuple(
        Cause(cause=cause, example=next(iter(cases.values())), cases=tuple(sorted(cases)))
        for cause, cases in ordered
    )


def stale_cause(problem: str) -> str:
    """What has changed since a case was recorded, in words of the specs."""
    path = _PATH.search(problem)
    if path is None:
        return problem.partition(";")[0] if "never recorded" in problem else "more is asked than was recorded"
    return next((words for pattern, words in _PARTS if pattern.match(path[1])), "the request is another one")


def _causes(trial: Trial) -> Iterator[tuple[str, str]]:
    """The causes of one trial. A state that failed is the cause of what came after it."""
    run = trial.observation
    if run.status == "stale":
        yield f"stale: {stale_cause(run.problem)}", run.problem
        return
    if run.status == "broken":
        yield f"broken: {_general(run.problem)}", run.problem
        return
    failed = _failed_state(run)
    if failed is not None:
        yield failed
        return
    said = reasons(trial)
    for reason in [one for one in said if _TOOL.search(one)][:1] or said[:1]:
        before = _refused(run)
        yield _general(reason) + before, reason + before


def _failed_state(run: Observation) -> tuple[str, str] | None:
    for visit in run.visits:
        if visit.rule:
            where = f" ({visit.at})" if visit.at else ""
            said = f"state `{visit.state}` fails by {visit.rule} {visit.message}{where}"
            return f"state `{visit.state}` fails by {visit.rule} {_general(visit.message)}{where}", said
    return None


def _refused(run: Observation) -> str:
    """The first call that was refused or failed, which is often why the run went another way."""
    call = next((call for call in run.calls if call.rule), None)
    if call is None:
        return ""
    where = f" ({call.at})" if call.at else ""
    return f", after `{call.tool}` was refused by {call.rule}: {call.message}{where}"


def _general(reason: str) -> str:
    kept = _VARYING.sub(lambda found: found[0] if _WORD.fullmatch(found[0]) else "…", reason)
    return " ".join(kept.split())
