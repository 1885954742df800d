"""Whether a person has to agree to a call that is inside its grant, and why."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import msgspec

from .bundle import Grant, Position, SourceMap, Tool, locate
from .calls import Call
from .labels import allows
from .origins import in_words
from .refusals import Refusal
from .violations import compile_predicate, first_violation, found_in_words


class Reason(msgspec.Struct, frozen=True, kw_only=True):
    """Why a person has to agree, the spec line that says so, and the key of the grant that stands there."""

    text: str
    at: Position | None
    key: Literal["approval", "untrusted_to_effect"]

    def __str__(self) -> str:
        return self.text if self.at is None else f"{self.text} ({self.at.file}:{self.at.line})"


class Consent:
    """The flow rule and the approval of one grant.

    Raises:
        ValueError: a schema can't be compiled.
    """

    def __init__(self, tool: Tool, grant: Grant) -> None:
        when = None if grant.approval is None else grant.approval.when
        self._tool, self._grant = tool, grant
        self._silent = grant.approval is None
        self._when = None if when is None else compile_predicate(when)
        self._unless = None if grant.unless is None else compile_predicate(grant.unless.schema)
        #: The arguments by which the model says where something goes.
        self._open = open_destinations(tool, grant)

    def reasons(
        self, given: Mapping[str, object], arguments: Mapping[str, object], call: Call, source_map: SourceMap
    ) -> tuple[Reason, ...] | Refusal:
        """Why a person has to agree to the call; nothing when nobody has to. `given` is what the model set.

        A refusal when untrusted content was read and the flow rule is `deny`.
        """
        if self._silent and call.context.trust == "trusted":
            return ()
        tool, grant = self._tool, self._grant
        reasons: list[Reason] = []
        doubt = self._doubt(given, call)
        if doubt is not None:
            at = locate(source_map, f"grant:{tool.name}/untrusted_to_effect")
            what = "content was" if call.context.trust == "untrusted" else "values were"
            if grant.untrusted_to_effect == "deny":
                does = f"has the effect `{tool.effect}`" if tool.effect != "read" else "has a destination"
                message = f"untrusted {what} read in this state, and `{tool.name}` {does}{doubt}"
                return Refusal(code="AR202", message=message, value=tool.effect, at=at)
            text = f"untrusted {what} read before this `{tool.effect}`{doubt}"
            reasons.append(Reason(text=text, at=at, key="untrusted_to_effect"))
        if grant.approval is not None and (self._when is None or self._when.is_valid(arguments)):
            text = f"`{tool.name}` needs an approval" + (" for these arguments" if self._when else "")
            at = locate(source_map, f"grant:{tool.name}/approval")
            reasons.append(Reason(text=text, at=at, key="approval"))
        return tuple(reasons)

    def _doubt(self, given: Mapping[str, object], call: Call) -> str | None:
        """Whether untrusted content may be behind the call, as the end of a message on why; else `None`.

        A model that has read a sentence may have been told anything. One that has read values alone was told
        nothing, and all that these can do is to be where something goes.
        """
        commanded = call.context.trust == "untrusted" and self._tool.effect != "read"
        directed = call.context.trust != "trusted" and bool(self._open)
        if self._grant.untrusted_to_effect == "allow" or not (commanded or directed):
            return None
        unless = self._grant.unless
        if unless is None or self._unless is None:
            return ""
        if not allows(unless.max_sensitivity, call.context):
            return f", and {call.context.sensitivity} data"
        if call.context.trust == "typed":
            given = {name: value for name, value in given.items() if name in self._open}
        if not self._unless.is_valid(given):
            broken = first_violation(self._unless, given)
            return "" if broken is None else f": {found_in_words(broken)}"
        for argument, origins in unless.origins.items():
            if argument in given and not call.origins.stands_in(given[argument], origins):
                return f": `{argument}` does not stand in {in_words(origins)}"
        return None


def open_destinations(tool: Tool, grant: Grant) -> frozenset[str]:
    """The arguments by which the model says where something goes: the spec neither sets nor lists them."""
    return frozenset(name for name in tool.destinations if not _closed(grant, name))


def _closed(grant: Grant, argument: str) -> bool:
    """Whether the grant sets the argument, or lists its values."""
    named = (grant.where or {}).get("properties")
    limit = named.get(argument) if isinstance(named, Mapping) else None
    return argument in grant.bind or (isinstance(limit, Mapping) and bool({"const", "enum"} & limit.keys()))
