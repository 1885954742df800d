"""What stands between an agent and its calls in a workflow: approvals, checks, retrievers and undoing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final, TypeAlias

from agentc_runtime import bundle as ir
from agentc_runtime import workflow as wf
from agentc_runtime.labels import ORDER

from ..access import Gain, trusts_more
from ..words import duration_in_words

#: State, and what is gained there.
Row: TypeAlias = tuple[str, Gain]
#: States that let a run go on only if a person, or a check, agrees.
_GATES: Final = (wf.ApprovalState, wf.VerifyState)


def workflow_gains(old: ir.Program, new: ir.Program) -> Iterator[Row]:
    """What the workflow of `new` lets through beyond that of `old`."""
    for name, state in old.states.items():
        if isinstance(state, _GATES):
            yield from _gate(name, state, old, new)
    for name, now in new.states.items():
        before = old.states.get(name)
        if isinstance(now, wf.RetrieveState):
            yield from _retriever(name, before, now)
        if (
            isinstance(now, wf.MapState)
            and isinstance(before, wf.MapState)
            and now.max_items > before.max_items
        ):
            what = f"goes through up to {now.max_items:,} items, not {before.max_items:,}"
            yield name, Gain(what, "quota", "")


def _gate(
    name: str, before: wf.ApprovalState | wf.VerifyState, old: ir.Program, new: ir.Program
) -> Iterator[Row]:
    now = new.states.get(name)
    lost = _guarded(old, name) - (_guarded(new, name) if type(now) is type(before) else frozenset())
    reached = lost & _calling(new) & _reachable(new.states, new.start, None)
    kind = "approval" if isinstance(before, wf.ApprovalState) else "check"
    for state in sorted(reached):
        yield state, Gain(f"calls tools without the {kind} in `{name}` before it", "approval", "tools")
    if isinstance(before, wf.ApprovalState) and isinstance(now, wf.ApprovalState):
        more = sorted(set(now.by) - set(before.by))
        if before.by and (more or not now.by):
            groups = " or ".join(f"`{group}`" for group in more) or "anybody"
            yield name, Gain(f"may be agreed to by {groups} as well", "approval")
        if now.expires_ms > before.expires_ms:
            waits, waited = duration_in_words(now.expires_ms), duration_in_words(before.expires_ms)
            yield name, Gain(f"may be agreed to for {waits}, not {waited}", "approval")
    if isinstance(before, wf.VerifyState) and isinstance(now, wf.VerifyState) and _asks(before) != _asks(now):
        unclear = "what a check asks for is compared as it is written"
        yield name, Gain("checks something else", "approval", "", None, unclear)


def _asks(state: wf.VerifyState) -> tuple[object, ...]:
    return (state.value, state.schema, state.quotes, state.grounds)


def _guarded(program: ir.Program, gate: str) -> frozenset[str]:
    """The states with tools that are reached only once the gate has let the run go on."""
    if gate not in program.states:
        return frozenset()
    free = _reachable(program.states, program.start, gate)
    return _calling(program) & (_reachable(program.states, program.start, None) - free)


def _calling(program: ir.Program) -> frozenset[str]:
    return frozenset(
        name
        for name, state in program.states.items()
        if wf.tools_of(state) or isinstance(state, wf.HandoffState)
    )


def _reachable(states: Mapping[str, wf.State], start: str, closed: str | None) -> frozenset[str]:
    """The states that a run may come to; a gate that is `closed` leads on to none by `next`."""
    seen: set[str] = set()
    waiting = [start]
    while waiting:
        name = waiting.pop()
        if name in seen or name not in states:
            continue
        seen.add(name)
        state = states[name]
        following = [*wf.targets_of(state), *wf.branches_of(state)]
        if name == closed and isinstance(state, _GATES):
            others = [one.next for one in state.catch]
            if isinstance(state, wf.ApprovalState):
                others += [one for one in (state.rejected, state.expired) if one is not None]
            following = others
        waiting += following
    return frozenset(seen)


def _retriever(name: str, before: wf.State | None, now: wf.RetrieveState) -> Iterator[Row]:
    if not isinstance(before, wf.RetrieveState) or before.retriever != now.retriever:
        yield name, Gain(f"asks the retriever `{now.retriever}`, with {now.max_sensitivity} data", "label")
        return
    if ORDER.index(now.max_sensitivity) > ORDER.index(before.max_sensitivity):
        what = f"asks with {now.max_sensitivity} data, not only {before.max_sensitivity}"
        yield name, Gain(what, "label")
    if trusts_more(before.label, now.label):
        yield name, Gain("has passages that are labelled as less of a risk", "label")
    if now.top > before.top:
        yield name, Gain(f"reads up to {now.top} passages, not {before.top}", "quota")
