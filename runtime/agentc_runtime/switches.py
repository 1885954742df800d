"""Kill switches: a tool, an agent, a model or a group of approvers that is disabled, by whom, why, how long.

They are looked up at each call, so that they hold from the next one on. Where they can't be read, nothing is
done.
"""

from __future__ import annotations

from typing import Literal, Protocol, TypeAlias

from .expressions import Record
from .models.types import ModelError, ModelRequest
from .quoting import shortened
from .refusals import Refusal, RefusedError

Kind: TypeAlias = Literal["tool", "agent", "model", "approvers"]


class ControlError(Exception):
    """What operators say can't be read or changed. The message is one line."""


class Switch(Record, frozen=True, kw_only=True):
    """Something that is disabled, in every agent or in `agent` alone, until `expires` or for good."""

    kind: Kind
    name: str
    agent: str | None = None
    reason: str
    by: str
    since: str
    expires: str | None = None

    def __str__(self) -> str:
        until = f" until {self.expires}" if self.expires else ""
        return f"disabled by {shortened(self.by, 80)}{until}: {shortened(self.reason)}"


class Switches(Protocol):
    """What is disabled now."""

    def find(self, kind: Kind, name: str, agent: str) -> Switch | None:
        """The switch that disables it for that agent.

        Raises:
            ControlError: it is not known. Then nothing is to be done.
        """


class NoSwitches:
    """Where nobody can disable anything."""

    def find(self, kind: Kind, name: str, agent: str) -> Switch | None:
        """Nothing is disabled."""
        return None


class Inherited:
    """What is disabled for an agent of a `handoff`: also what is for those that have handed off to it."""

    def __init__(self, switches: Switches, callers: tuple[str, ...]) -> None:
        self._switches = switches
        self._callers = callers

    def find(self, kind: Kind, name: str, agent: str) -> Switch | None:
        """The switch that disables it for the agent or for one of its callers."""
        for one in (agent, *self._callers):
            found = self._switches.find(kind, one if kind == "agent" else name, one)
            if found is not None:
                return found
        return None


def stopped(switches: Switches, agent: str, tool: str | None = None) -> Refusal | None:
    """Why an agent may do nothing now, or not call that tool: AR520, AR521, AR522."""
    try:
        found = switches.find("agent", agent, agent)
        if found is not None:
            return Refusal(code="AR521", message=f"the agent `{agent}` is {found}", value=agent)
        found = switches.find("tool", tool, agent) if tool is not None else None
    except ControlError as error:
        return Refusal(code="AR522", message=f"what is disabled is not known: {shortened(str(error))}")
    return None if found is None else Refusal(code="AR520", message=f"`{tool}` is {found}", value=tool)


def open_groups(switches: Switches, agent: str, by: tuple[str, ...]) -> tuple[str, ...] | str:
    """The groups of approvers that may still be asked; if there are none left, why."""
    left: list[str] = []
    why = ""
    try:
        for group in by:
            found = switches.find("approvers", group, agent)
            if found is None:
                left.append(group)
            else:
                why = f"`{group}` is {found}"
    except ControlError as error:
        return f"what is disabled is not known: {shortened(str(error))}"
    return why if why and not left else tuple(left)


def check_model(switches: Switches, agent: str, request: ModelRequest) -> None:
    """That the agent may ask this model now.

    Raises:
        RefusedError: AR521, AR522.
        ModelError: the model is disabled; a fallback may answer.
    """
    refusal = stopped(switches, agent)
    if refusal is not None:
        raise RefusedError(refusal)
    try:
        found = switches.find("model", request.model.alias, agent)
    except ControlError as error:
        told = f"what is disabled is not known: {shortened(str(error))}"
        raise RefusedError(Refusal(code="AR522", message=told)) from error
    if found is not None:
        raise ModelError(f"model `{request.model.alias}` is {found}", sent=False)
