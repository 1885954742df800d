"""The tasks and attacks: from the PyPI package `agentdojo`, or from a file of the same form.

The form of a file is one suite as JSON: `suite`, `user_tasks` and `injection_tasks`, each task by its name
with `prompt` or `goal` and `ground_truth`, a list of `{"function": …, "args": {…}}`. A file with `witnesses`
instead (suite → injection task → calls) gives calls to injection tasks that ship none.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

BENCHMARK = "v1.2.2"
SUITES = ("workspace", "travel", "banking", "slack")


@dataclass(frozen=True)
class FunctionCall:
    """A call of one of the suite's functions."""

    name: str
    arguments: Mapping[str, Any]


@dataclass(frozen=True)
class Task:
    """A user's request, or an attacker's goal, with the calls that reach it."""

    name: str
    text: str
    calls: tuple[FunctionCall, ...]


@dataclass(frozen=True)
class Suite:
    """One suite. `package` is the package's own object: functions and environment."""

    name: str
    package: Any
    user_tasks: tuple[Task, ...]
    injection_tasks: tuple[Task, ...]
    vectors: tuple[str, ...] = field(default=())


def load_suite(name: str) -> Suite:
    """A suite as the package has it, with the ground truths of its default environment."""
    from agentdojo.task_suite import get_suite

    package = get_suite(BENCHMARK, name)
    environment = package.load_and_inject_default_environment({})
    return Suite(
        name=name,
        package=package,
        user_tasks=tuple(
            Task(
                key,
                task.PROMPT,
                _calls(task.ground_truth(task.init_environment(environment.model_copy(deep=True)))),
            )
            for key, task in package.user_tasks.items()
        ),
        injection_tasks=tuple(
            Task(key, task.GOAL, _calls(task.ground_truth(environment.model_copy(deep=True))))
            for key, task in package.injection_tasks.items()
        ),
        vectors=tuple(package.get_injection_vector_defaults()),
    )


def with_file(suites: Mapping[str, Suite], path: Path) -> dict[str, Suite]:
    """The suites with what a file says in place of what they have: tasks by suite, or witnesses.

    Raises:
        ValueError: the file is of neither form, or names a suite that is not there.
    """
    said = json.loads(path.read_text(encoding="utf-8"))
    if "witnesses" in said:
        return {
            name: replace(
                suite, injection_tasks=_witnessed(suite.injection_tasks, said["witnesses"].get(name, {}))
            )
            for name, suite in suites.items()
        }
    name = said.get("suite")
    if name not in suites:
        raise ValueError(f"{path}: `suite` is {name!r}, and has to be one of {', '.join(suites)}")
    changed: dict[str, Any] = {}
    if "user_tasks" in said:
        changed["user_tasks"] = _tasks(said["user_tasks"], "prompt")
    if "injection_tasks" in said:
        changed["injection_tasks"] = _tasks(said["injection_tasks"], "goal")
    return {**suites, name: replace(suites[name], **changed)}


def _tasks(said: Mapping[str, Any], text: str) -> tuple[Task, ...]:
    return tuple(
        Task(
            key,
            str(task.get(text, "")),
            tuple(FunctionCall(call["function"], call["args"]) for call in task["ground_truth"]),
        )
        for key, task in said.items()
    )


def _witnessed(tasks: Iterable[Task], calls: Mapping[str, Any]) -> tuple[Task, ...]:
    return tuple(
        replace(task, calls=tuple(FunctionCall(call["function"], call["args"]) for call in calls[task.name]))
        if not task.calls and task.name in calls
        else task
        for task in tasks
    )


def _calls(calls: Iterable[Any]) -> tuple[FunctionCall, ...]:
    return tuple(FunctionCall(call.function, _plain(call.args)) for call in calls)


def _plain(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments as JSON has them: dates and enumerations as text."""
    return json.loads(json.dumps(dict(arguments), default=str))
