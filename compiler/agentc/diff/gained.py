"""What the agent of one version may do and the agent of another may not.

Asked both ways it says what a change adds and what it takes away. What can't be decided counts as gained.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Literal

import msgspec

from agentc_runtime import bundle as ir
from agentc_runtime import labels
from agentc_runtime.environments import Endpoint
from agentc_runtime.labels import NOTHING_READ, ORDER, join

from ..access import Gain, ToolAccess, gains, most_suspect, redeclared, takes_more
from ..grant_words import request_line, verb_of
from ..words import duration_in_words
from .reach import environment_gains, model_gains
from .requests import credential_gains, request_gains
from .values import Severity, Version
from .workflows import workflow_gains

#: Data may be as suspect as this before a call, for what is found about untrusted content.
TAINTED: Final = labels.Label(trust="untrusted", sensitivity="public")
_CODES: Final = {
    "arguments": "AC903",
    "bound": "AC903",
    "approval": "AC905",
    "origins": "AC908",
    "flow": "AC907",
    "quota": "AC906",
    "request": "AC910",
    "effect": "AC910",
    "label": "AC909",
}
_WORKFLOW: Final[Mapping[str, tuple[str, Severity]]] = {
    "approval": ("AC905", "high"),
    "label": ("AC909", "high"),
    "quota": ("AC906", "low"),
}


@dataclass(frozen=True)
class Probe:
    """The circumstances that tell two grants apart: what was read in each, the calls made before in the run
    and on the day, and the origins that values may be traced to, `None` for all."""

    read: tuple[labels.Label, labels.Label] = (NOTHING_READ, NOTHING_READ)
    in_run: int = 0
    in_day: int = 0
    origins: tuple[ir.Origin, ...] | None = None


@dataclass(frozen=True)
class Found:
    """One thing gained. `key` is where it is written, as in a source map; `call` are arguments of such a
    call."""

    how: Literal["added", "widened"]
    code: str
    severity: Severity
    subject: str
    what: str
    key: str
    tool: str | None = None
    call: Mapping[str, object] | None = None
    unclear: str = ""
    probe: Probe | None = None


def gained(old: Version, new: Version) -> Iterator[Found]:
    """All that the agent of `new` may do and the agent of `old` may not."""
    for name, access in new.accesses.items():
        before = old.accesses.get(name)
        if before is None:
            yield _new_tool(access)
        elif (before.tool, before.grant, before.states) != (access.tool, access.grant, access.states):
            yield from _of_tool(before, access, new.program)
    yield from _spec_texts(old, new)
    yield from _flows(old, new)
    yield from _data(old.program, new.program)
    for row in (*environment_gains(old.program, new.program), *model_gains(old.program, new.program)):
        how, code, severity, subject, what, key = row
        yield Found(how, code, severity, subject, what, key)
    for state, gain in workflow_gains(old.program, new.program):
        code, severity = _WORKFLOW[gain.topic]
        key = f"state:{state}/{gain.part}" if gain.part else f"state:{state}"
        subject = f"the state {state}"
        yield Found("widened", code, severity, subject, gain.what, key, unclear=gain.unclear)
    yield from _limits(old.program.limits, new.program.limits)


def risk(tool: ir.Tool, *, of_read: Severity = "medium") -> Severity:
    """How much it matters that more of a tool is allowed."""
    return "high" if tool.effect != "read" or tool.destinations else of_read


def _new_tool(access: ToolAccess) -> Found:
    tool = access.tool
    what = f"may be called: it {verb_of(tool)}, {request_line(tool)}, in {', '.join(access.states)}"
    return Found(
        "added", "AC902", risk(tool), tool.name, what, f"grant:{tool.name}", tool.name, None, "", Probe()
    )


def _of_tool(before: ToolAccess, now: ToolAccess, program: ir.Program) -> Iterator[Found]:
    tool = now.tool
    for gain in gains(before, now, program):
        part = _first_limit(before, now) if gain.topic == "arguments" else gain.part
        yield _found(gain, now, f"grant:{tool.name}/{part}", _probe(gain, before, now))
    for gain in (*request_gains(before.tool, tool), *redeclared(_asks(before.tool), _asks(tool))):
        yield _found(gain, now, f"tool:{tool.name}/{gain.part}", _probe(gain, before, now))
    for what, key in (*_tempo(before.tool, tool), *_expiry(before.grant, now.grant)):
        code = "AC906" if key.startswith("tool:") else "AC905"
        yield Found("widened", code, risk(tool, of_read="low"), tool.name, what, key)
    for what in _answers(before.tool, tool):
        yield Found("widened", "AC909", "medium", tool.name, what, f"tool:{tool.name}")
    for what in credential_gains(before.tool, tool):
        yield Found("widened", "AC912", "high", tool.name, what, f"tool:{tool.name}")
    for state in now.states:
        if state not in before.states:
            what = f"may be called in state `{state}`"
            key = f"state:{state}/tools"
            yield Found("added", "AC913", risk(tool), tool.name, what, key, tool.name, None, "", Probe())


def _first_limit(before: ToolAccess, now: ToolAccess) -> str:
    """The first argument that the two grants limit or bind otherwise, as a part of a grant."""
    for part in ("where", "bind"):
        old, new = _arguments(before.grant, part), _arguments(now.grant, part)
        for name in sorted({*old, *new}):
            if old.get(name) != new.get(name):
                return f"{part}/{name}"
    return "where"


def _arguments(grant: ir.Grant, part: str) -> Mapping[str, object]:
    named = grant.bind if part == "bind" else (grant.where or {}).get("properties")
    return named if isinstance(named, Mapping) else {}


def _found(gain: Gain, access: ToolAccess, key: str, probe: Probe | None) -> Found:
    tool = access.tool
    severity = risk(tool, of_read="low" if gain.topic == "quota" else "medium")
    if gain.topic in ("label", "request", "effect"):
        severity = "high"
    code = _CODES[gain.topic]
    return Found(
        "widened", code, severity, tool.name, gain.what, key, tool.name, gain.call, gain.unclear, probe
    )


def _probe(gain: Gain, before: ToolAccess, now: ToolAccess) -> Probe | None:
    """Circumstances in which the gain shows; `None` where no call does."""
    match gain.topic:
        case "arguments" | "approval" | "bound":
            return Probe()
        case "quota":
            quota = before.grant.quota or ir.Quota()
            if gain.part == "quota/per_run":
                return Probe(in_run=quota.per_run or 0)
            return Probe(in_day=quota.per_day or 0)
        case "flow":
            unless = now.grant.unless
            most: labels.Sensitivity = "public" if unless is None else unless.max_sensitivity
            read = labels.Label(trust="untrusted", sensitivity=most)
            return Probe(read=(read, read))
        case "origins":
            name = gain.part.rpartition("/")[2]
            old, new = before.grant.origins.get(name), now.grant.origins.get(name)
            if old is None:
                return Probe(read=(TAINTED, TAINTED))
            return Probe(origins=() if new is None else tuple(one for one in new if one not in old))
        case _:
            return None


def _asks(tool: ir.Tool) -> ir.Tool:
    """The tool without its request, which is compared piece by piece."""
    return msgspec.structs.replace(tool, request=_NO_REQUEST)


_NO_REQUEST: Final = ir.RequestPlan(operation="", method="GET", endpoint=Endpoint(), path=())


def _tempo(before: ir.Tool, now: ir.Tool) -> Iterator[tuple[str, str]]:
    key = f"tool:{now.name}"
    limit, rate = before.rate_per_minute, now.rate_per_minute
    if limit is not None and (rate is None or rate > limit):
        often = "any number of times" if rate is None else f"{rate} times"
        yield f"may be called {often} a minute, not {limit}", key
    if now.pagination is not None:
        pages, items = now.pagination.max_pages, now.pagination.max_items
        old = before.pagination
        if old is None or pages > old.max_pages or items > old.max_items:
            less = "one page" if old is None else f"{old.max_pages:,} pages and {old.max_items:,} items"
            yield f"reads up to {pages:,} pages and {items:,} items a call, not {less}", f"{key}/pagination"


def _expiry(before: ir.Grant, now: ir.Grant) -> Iterator[tuple[str, str]]:
    old, new = before.approval, now.approval
    if old is not None and new is not None and new.expires_ms > old.expires_ms:
        waits, waited = duration_in_words(new.expires_ms), duration_in_words(old.expires_ms)
        yield f"may be agreed to for {waits}, not {waited}", f"grant:{now.tool}/approval"


def _answers(before: ir.Tool, now: ir.Tool) -> Iterator[str]:
    """What an agent gets to see of an answer."""
    if before.fields and (more := sorted(set(now.fields) - set(before.fields)) if now.fields else ["all"]):
        yield f"shows more of its answers: {', '.join(f'`{field}`' for field in more)}"
    if now.max_response_bytes > before.max_response_bytes:
        yield f"shows up to {now.max_response_bytes:,} bytes of an answer, not {before.max_response_bytes:,}"


def _spec_texts(old: Version, new: Version) -> Iterator[Found]:
    """Values may come `from: [spec]`, so what stands in prompts is a permission as well."""
    using = [
        access
        for name, access in new.accesses.items()
        if name in old.accesses
        and any("spec" in origins for origins in access.grant.origins.values())
        and access.grant.origins == old.accesses[name].grant.origins
    ]
    if not using:
        return
    from .texts import spec_literals

    more = sorted(spec_literals(new.program) - spec_literals(old.program))
    for access in using if more else ():
        names = [name for name, origins in access.grant.origins.items() if "spec" in origins]
        what = f"takes `{names[0]}` from the prompts of the spec, and these say more"
        key = f"grant:{access.tool.name}/where/{names[0]}"
        yield Found("widened", "AC908", risk(access.tool), access.tool.name, what, key)


def _flows(old: Version, new: Version) -> Iterator[Found]:
    """Data that a call may carry away: the most suspect and the most sensitive that may have been read."""
    before, now = most_suspect(old.program), most_suspect(new.program)
    for name, access in new.accesses.items():
        known = old.accesses.get(name)
        if known is None or (access.tool.effect == "read" and not access.tool.destinations):
            continue
        read = join(NOTHING_READ, *(now.get(state, NOTHING_READ) for state in access.states))
        was = join(NOTHING_READ, *(before.get(state, NOTHING_READ) for state in known.states))
        key = f"state:{access.states[0]}/tools"
        if ORDER.index(read.sensitivity) > ORDER.index(was.sensitivity):
            what = f"may be called after {read.sensitivity} data was read, not only {was.sensitivity}"
            yield Found("widened", "AC909", "high", name, what, key)
        if read.trust == "untrusted" and was.trust != "untrusted":
            yield Found(
                "widened", "AC909", "medium", name, "may be called after untrusted content was read", key
            )


def _data(old: ir.Program, new: ir.Program) -> Iterator[Found]:
    pairs: Iterable[tuple[str, ir.Data, ir.Data]] = (
        ("input", old.input, new.input),
        ("session", old.session, new.session),
    )
    for name, before, now in pairs:
        for gain in takes_more(before, now):
            code, severity = ("AC909", "high") if gain.topic == "label" else ("AC916", "medium")
            what = gain.what
            if gain.call is not None:
                from agentc_runtime.canonical import canonical

                what = f"takes more, such as {canonical(dict(gain.call)).decode()}"
            yield Found("widened", code, severity, f"the {name}", what, name, unclear=gain.unclear)  # type: ignore[arg-type]


def _limits(old: ir.Limits, new: ir.Limits) -> Iterator[Found]:
    from decimal import Decimal

    for name in ir.Limits.__struct_fields__:
        before, now = getattr(old, name), getattr(new, name)
        if before is None or before == now:
            continue
        if name.endswith("_key"):  # whatever is counted under another name begins at nothing
            what = f"is another: {now}, not {before}"
            yield Found("widened", "AC915", "low", f"the limit {name}", what, f"limits/{name}")
        elif now is None or Decimal(now) > Decimal(before):
            less = "there is no limit any more" if now is None else f"up to {now}, not {before}"
            yield Found(
                "widened", "AC915", "low", f"the limit {name}", f"is higher: {less}", f"limits/{name}"
            )
