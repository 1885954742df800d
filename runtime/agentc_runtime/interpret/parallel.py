"""State types `parallel` and `map`: workflows inside a state, at once.

What comes of it does not depend on which branch is faster, but for the winners of a race. Branches know
nothing of each other, they are joined in the order of their names or items, and a branch that fails stops no
other: an effect that is under way is never cut off by a neighbour.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import TypeAlias

from ..expressions import Schema
from ..labels import Label, join
from ..quoting import clipped
from ..refusals import Refusal, RefusedError
from ..values import ABSENT, lookup
from ..workflow import MapState, ParallelState
from .answers import findings, listed
from .context import Run, Step
from .failures import error_class, failure

#: Follows a workflow from a state to the end that it reaches; raises `RefusedError` when it fails.
Walk: TypeAlias = Callable[[Run, str], Awaitable[Step]]


async def run_parallel(run: Run, name: str, state: ParallelState, walk: Walk) -> Step:
    """Run the branches and wait for as many as the state needs.

    Raises:
        RefusedError: what made the first branch fail, or AR505 the outputs do not fit.
    """
    fork = run.next_fork()
    runs = {branch: run.branch(fork, branch) for branch in sorted(state.branches)}
    needed = len(runs) if state.wait == "all" else 1 if state.wait == "any" else state.wait
    outcomes: dict[str, Step | Refusal] = {}

    async def race() -> tuple[str, ...]:
        return await _race(walk, runs, state, needed, outcomes)

    if needed == len(runs):
        counted = await race()
    else:
        counted = await run.services.steps.race(run.key("race"), race)
    for branch in counted:
        if branch not in outcomes:  # who won was remembered: what they did is gone through once more
            outcomes[branch] = await _attempt(walk, runs[branch], state.branches[branch])
    outcomes = {branch: outcomes[branch] for branch in runs if branch in counted}
    for branch in outcomes:
        run.join(runs[branch])
    steps = {branch: one for branch, one in outcomes.items() if isinstance(one, Step)}
    if len(steps) < needed:
        raise RefusedError(next(one for one in outcomes.values() if isinstance(one, Refusal)))
    outputs = {branch: step.output for branch, step in steps.items()}
    output: object = outputs
    if state.wait != "all":
        output = next(iter(outputs.values())) if state.wait == "any" else list(outputs.values())
    label = join(*(step.label for step in steps.values()))
    return Step(next=state.next, output=_fitting(run, name, output, state.output), label=label)


async def run_map(run: Run, name: str, state: MapState, walk: Walk) -> Step:
    """Run the workflow for each item.

    The item N begins once those up to N minus `concurrency` are over and have not failed too often. So which
    items are begun does not depend on how long each takes.

    Raises:
        RefusedError: AR505 there is no list, an item or the output does not fit, AR501 it is too long, or
            what made the first item fail when more failed than are tolerated.
    """
    items, label = _items(run, name, state)
    fork = run.next_fork()
    runs = [run.branch(fork, str(index), (name, item, label)) for index, item in enumerate(items)]
    over = [asyncio.get_running_loop().create_future() for _ in items]
    outcomes: dict[int, Step | Refusal] = {}

    def too_many(before: int) -> bool:
        failed = sum(isinstance(outcomes.get(index), Refusal) for index in range(before))
        return state.tolerated is not None and failed > state.tolerated

    async def one(index: int) -> None:
        known = index - state.concurrency + 1
        for earlier in over[: max(known, 0)]:
            await earlier
        if not too_many(known):
            outcomes[index] = await _attempt(walk, runs[index], state.start)
        over[index].set_result(None)

    await _together([one(index) for index in range(len(items))])
    for index in sorted(outcomes):
        run.join(runs[index])
    ordered = [outcomes[index] for index in sorted(outcomes)]
    if too_many(len(items)):
        raise RefusedError(next(one for one in ordered if isinstance(one, Refusal)))
    steps = [one for one in ordered if isinstance(one, Step)]
    failed = [
        {"index": index, "error": error_class(one.code)}
        for index, one in enumerate(ordered)
        if isinstance(one, Refusal)
    ]
    output = {"results": [step.output for step in steps], "failed": failed}
    # which items failed is for whoever wrote them to say, but it can't be a sentence
    which = Label(trust="typed" if label.trust != "trusted" else "trusted", sensitivity=label.sensitivity)
    label = join(which, *(step.label for step in steps))
    return Step(next=state.next, output=_fitting(run, name, output, state.output), label=label)


def _items(run: Run, name: str, state: MapState) -> tuple[list[object], Label]:
    source_map, path = run.services.source_map, ".".join(state.over.path)
    items = lookup(state.over.path, run.data)
    if not isinstance(items, list):
        message = f"state `{name}` goes over `{path}`, which is no list"
        value = None if items is ABSENT else clipped(items)
        raise failure(source_map, "AR505", message, key=f"state:{name}", value=value, path=path)
    if len(items) > state.max_items:
        message = f"`max_items` of state `{name}` is {state.max_items}, and `{path}` has {len(items)}"
        raise failure(source_map, "AR501", message, key=f"state:{name}", value=len(items), path=path)
    for index, item in enumerate(items):
        if found := findings(item, state.item):
            message = f"item {index} of `{path}` does not fit its schema: {listed(found)}"
            raise failure(source_map, "AR505", message, key=f"state:{name}", value=found[0].value, path=path)
    return items, run.label_of({state.over.path})


def _fitting(run: Run, name: str, output: object, schema: Schema) -> object:
    """The output, once it is what the compiler has worked out: the schema tells the labels of its parts."""
    if found := findings(output, schema):
        message = f"the output of state `{name}` does not fit its schema: {listed(found)}"
        key = f"state:{name}"
        raise failure(
            run.services.source_map, "AR505", message, key=key, value=found[0].value, path=found[0].path
        )
    return output


async def _attempt(walk: Walk, run: Run, start: str) -> Step | Refusal:
    try:
        return await walk(run, start)
    except RefusedError as error:
        return error.refusal


async def _race(
    walk: Walk,
    runs: Mapping[str, Run],
    state: ParallelState,
    needed: int,
    outcomes: dict[str, Step | Refusal],
) -> tuple[str, ...]:
    """Run the branches, and put how each ended into `outcomes`, until `needed` of them have succeeded.

    Gives the names of those that count: all of them, or those that were fast enough. Those that are still
    under way then are cancelled, and waited for.
    """
    won: list[str] = []
    tasks: list[asyncio.Task[None]] = []

    async def one(branch: str) -> None:
        outcomes[branch] = outcome = await _attempt(walk, runs[branch], state.branches[branch])
        if isinstance(outcome, Step) and len(won) < needed:
            won.append(branch)
            if len(won) == needed < len(runs):
                for task in tasks:
                    if task is not asyncio.current_task():
                        task.cancel()

    async def all_of() -> None:
        async with asyncio.TaskGroup() as group:
            tasks.extend(group.create_task(one(branch)) for branch in runs)

    await _unwrapped(all_of())
    return tuple(won) if len(won) == needed else tuple(outcomes)


async def _together(parts: list[Awaitable[None]]) -> None:
    async def all_of() -> None:
        async with asyncio.TaskGroup() as group:
            for part in parts:
                group.create_task(_awaited(part))

    await _unwrapped(all_of())


async def _awaited(part: Awaitable[None]) -> None:
    await part


async def _unwrapped(group: Awaitable[None]) -> None:
    """Wait for a task group. What breaks one of its tasks, such as a store, stops all and is raised."""
    try:
        await group
    except BaseExceptionGroup as broken:
        first: BaseException = broken
        while isinstance(first, BaseExceptionGroup):
            first = first.exceptions[0]
        raise first from None
