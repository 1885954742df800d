"""Whether what one grant lets through stays inside what another does, and what it gains where it does not.

What can't be decided counts as gained.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from agentc_runtime import bundle as ir
from agentc_runtime import expressions
from agentc_runtime.canonical import canonical
from agentc_runtime.consent import open_destinations
from agentc_runtime.labels import ORDER

from ..subsumption import Complement, Escapes, Included, Intersection, Region, Undecided, includes
from .tools import ToolAccess, about_others, allowed, sent

_POLICIES: Final = ("deny", "approve", "allow")


#: What a gain is about.
Topic: TypeAlias = Literal[
    "arguments", "bound", "approval", "origins", "flow", "quota", "request", "effect", "label", "input"
]


@dataclass(frozen=True)
class Gain:
    """Something that the one grant allows and the other does not.

    `what` goes on with a sentence whose subject is the tool; `part` is the key of the grant that it is about,
    empty for all of it. `call` are arguments that show it, without those that both grants bind to the same
    data; `unclear` says why it could not be decided.
    """

    what: str
    topic: Topic
    part: str = ""
    call: Mapping[str, object] | None = None
    unclear: str = ""


def gains(wide: ToolAccess, narrow: ToolAccess, program: ir.Program) -> Iterator[Gain]:
    """What `narrow`, a grant of `program`, allows beyond `wide`, a grant of the same tool."""
    yield from _bound(wide, narrow)
    yield from _arguments(wide, narrow, program)
    yield from _origins(wide.grant.origins, narrow.grant.origins, "where")
    yield from _flow(wide, narrow)
    yield from _quotas(wide.grant.quota, narrow.grant.quota)


def _bound(wide: ToolAccess, narrow: ToolAccess) -> Iterator[Gain]:
    for name, expr in wide.referred.items():
        if narrow.grant.bind.get(name) != expr:
            yield Gain(f"`{name}` is not bound to what it has to be bound to", "bound", f"bind/{name}")
        elif not isinstance(includes(_limit(wide, name), _limit(narrow, name)), Included):
            yield Gain(f"`{name}`, which is bound, has fewer limits", "bound", f"bind/{name}")


def _limit(access: ToolAccess, name: str) -> Region:
    """What `where` says of one argument."""
    named = (access.grant.where or {}).get("properties")
    return {"properties": {name: named[name]}} if isinstance(named, Mapping) and name in named else True


def _arguments(wide: ToolAccess, narrow: ToolAccess, program: ir.Program) -> Iterator[Gain]:
    """What may be sent, then what is sent with nobody asked. Both bind some arguments to the same data, and
    nothing is said about those."""
    asked, asking = wide.grant.approval, narrow.grant.approval
    alike, settled = _limits(wide) == _limits(narrow), asked is None or asked == asking
    if alike and settled:
        return
    same = set(wide.referred)
    outer, inner = allowed(wide, same), sent(program, narrow, same)
    if not alike:
        yield from _escaping(outer, inner, "may be called with {}", "arguments", "where")
    if asked is None or settled:
        return
    if asking is not None and asking != asked and same & _names(asking.when):
        unclear = "a condition on what is bound"
        yield Gain(
            f"is asked about under {unclear}, which can't be compared", "approval", "approval", None, unclear
        )
        return
    unasked = Intersection((outer, inner, Complement(_asked(asking, same))))
    yield from _escaping(
        Complement(_asked(asked, same)), unasked, "asks nobody about {}", "approval", "approval"
    )
    more = sorted(set(asking.by) - set(asked.by)) if asking is not None else []
    if asked.by and more:
        groups = " or ".join(f"`{group}`" for group in more)
        yield Gain(f"may be agreed to by {groups} as well", "approval", "approval")


def _limits(access: ToolAccess) -> tuple[object, ...]:
    """All that decides which arguments are let through, besides where their values come from."""
    grant = access.grant
    return (access.tool.arguments, grant.schema, grant.where, grant.bind)


def _escaping(outer: Region, inner: Region, words: str, topic: Topic, part: str) -> Iterator[Gain]:
    match includes(outer, inner):
        case Escapes(witness):
            call = witness if isinstance(witness, dict) else None
            yield Gain(words.format(canonical(witness).decode()), topic, part, call)
        case Undecided(reason):
            yield Gain(words.format(f"arguments that can't be told ({reason})"), topic, part, None, reason)


def _asked(approval: ir.Approval | None, same: Collection[str]) -> Region:
    if approval is None:
        return False
    return True if approval.when is None else about_others(approval.when, same)


def _names(schema: expressions.Schema | None) -> set[str]:
    named = (schema or {}).get("properties")
    return set(named) if isinstance(named, Mapping) else set()


def _origins(
    wide: Mapping[str, tuple[ir.Origin, ...]], narrow: Mapping[str, tuple[ir.Origin, ...]], part: str
) -> Iterator[Gain]:
    for name, origins in wide.items():
        now = narrow.get(name)
        if now is None or not set(now) <= set(origins):
            yield Gain(
                f"takes `{name}` from elsewhere than {', '.join(origins)}", "origins", f"{part}/{name}"
            )


def _flow(wide: ToolAccess, narrow: ToolAccess) -> Iterator[Gain]:
    old, new, part = wide.grant, narrow.grant, "untrusted_to_effect"
    before, now = open_destinations(wide.tool, old), open_destinations(narrow.tool, new)
    if old.untrusted_to_effect == "allow" or (wide.tool.effect == "read" and not before):
        return
    if _POLICIES.index(new.untrusted_to_effect) > _POLICIES.index(old.untrusted_to_effect):
        yield Gain(
            f"has the flow rule `{new.untrusted_to_effect}`, not `{old.untrusted_to_effect}`", "flow", part
        )
        return
    if settled := sorted(before - now - new.bind.keys()):
        yield Gain(f"asks nobody about where it goes by `{settled[0]}`, which is settled", "flow", "where")
    if new.unless is None or new.untrusted_to_effect == "allow":
        return
    if old.unless is None:
        yield Gain("has exceptions to the flow rule", "flow", part)
        return
    words = "asks nobody after untrusted content was read about {}"
    passing = Intersection((new.schema, new.unless.schema))
    yield from _escaping(old.unless.schema, passing, words, "flow", part)
    yield from _origins(old.unless.origins, new.unless.origins, part)
    if ORDER.index(new.unless.max_sensitivity) > ORDER.index(old.unless.max_sensitivity):
        said = f"has exceptions also after {new.unless.max_sensitivity} data was read"
        yield Gain(said, "flow", part)


def _quotas(wide: ir.Quota | None, narrow: ir.Quota | None) -> Iterator[Gain]:
    for name in ("per_run", "per_day"):
        limit = getattr(wide, name, None)
        now = getattr(narrow, name, None)
        if limit is not None and (now is None or now > limit):
            period = name.removeprefix("per_")
            often = "any number of times" if now is None else f"{now} times"
            yield Gain(f"may be called {often} a {period}, not {limit}", "quota", f"quota/{name}")
