"""Kind `AssertionSet`: what is never allowed, whatever later changes say."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import Field, StringConstraints

from .common import Bool, Closed, Effect, JsonSchema, Name, NonEmpty, Sensitivity, ToolName

#: `https://api.example.com`, `https://*.example.com:8443`: never a path, never another pattern.
Host: TypeAlias = Annotated[
    str,
    StringConstraints(
        pattern=r"^https?://((\*\.)?[a-z0-9_][a-z0-9._-]*|\[[0-9a-f:.]+\])(:[1-9][0-9]{0,4})?$"
    ),
]
Method: TypeAlias = Literal["GET", "PUT", "POST", "DELETE", "OPTIONS", "HEAD", "PATCH", "TRACE", "QUERY"]


class _Assertion(Closed):
    reason: NonEmpty | None = None
    """Why it has to stay so: shown with each finding."""


class OperationAssertionSpec(_Assertion):
    """Operations that are never granted. What is said here together says which; one key is enough."""

    effect: Effect | None = None
    """What they do."""
    tool: ToolName | None = None
    """The tool."""
    toolset: Name | None = None
    """The toolset."""
    method: Method | None = None
    """The HTTP method."""
    path: NonEmpty | None = None
    """The path template, exactly as the toolset's document has it."""


class HostAssertionSpec(_Assertion):
    """Servers that are never reached: all but these, for tools, access tokens and models."""

    outside: Annotated[tuple[Host, ...], Field(min_length=1)]
    """What may be reached: a scheme, an exact host or `*.` and what it ends in, and a port if it is not the
    scheme's own."""
    environments: tuple[Name, ...] = ()
    """In which environments. Left out: in all of them."""


class CallAssertionSpec(_Assertion):
    """Calls that are never made."""

    tool: ToolName
    """The tool."""
    when: dict[NonEmpty, JsonSchema] = {}
    """Argument → schema: the calls that satisfy all of them. As in `approval.when` what is in doubt belongs
    to them, such as an argument that may be left out. Left out: all calls."""
    unasked: Bool = False
    """They may be made when a person agrees to each."""


class FlowAssertionSpec(_Assertion):
    """Data that is never where such a tool can be called."""

    trust: Literal["untrusted"] | None = None
    """Data that anybody may have written."""
    sensitivity: Sensitivity | None = None
    """Data of this sensitivity, or more."""
    tools: tuple[ToolName, ...] = ()
    """These tools."""
    effects: tuple[Effect, ...] = ()
    """Tools that do this."""
    ways_out: Bool = False
    """Tools by which the data leaves: that send, have a destination which the spec does not settle, or write
    to another service than the data comes from."""
    unasked: Bool = False
    """It may be there when a person agrees to each such call."""


class NeverSpec(Closed):
    """What is never allowed."""

    operations: tuple[OperationAssertionSpec, ...] = ()
    """Operations that are never granted."""
    hosts: tuple[HostAssertionSpec, ...] = ()
    """Servers that are never reached."""
    calls: tuple[CallAssertionSpec, ...] = ()
    """Calls that are never made."""
    flows: tuple[FlowAssertionSpec, ...] = ()
    """Data that is never where it could be sent on."""


class AssertionSetSpec(Closed):
    """Assertions that every change of the project must keep. They are always errors, and never suppressed."""

    agents: tuple[Name, ...] = ()
    """The agents that they are about. Left out: all of them."""
    never: NeverSpec = NeverSpec()
    """What is never allowed."""
    at_most: Name | None = None
    """A PermissionSet: what the agents may do stays inside what it grants."""
    baseline: NonEmpty | None = None
    """A file that `agentc baseline` has written: what the agents may do stays inside what it has recorded."""
