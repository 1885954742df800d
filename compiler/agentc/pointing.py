"""Reading a channel's pointer from its origin, and putting the next one there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from agentc_runtime.release.channel import (
    ChannelError,
    Pointer,
    check_succession,
    is_name,
    read_pointer,
    seal_pointer,
)
from agentc_runtime.release.deploying import Terms
from agentc_runtime.release.origin import MissingError, open_publisher
from agentc_runtime.trust.policy import TrustPolicy

from .signing import load_signer


@dataclass(frozen=True)
class Pointing:
    """What the commands that move a channel are told."""

    origin: str
    channel: str
    agent: str
    policy: TrustPolicy
    key: str
    public_key: Path | None
    expires: timedelta
    reason: str


def move(what: Pointing, make: Callable[[Pointer | None, Terms], Pointer]) -> Pointer:
    """Make the next pointer, sign it and put it there. That workers take it is checked first.

    Raises:
        ChannelError: it can't be made, or workers would not take it.
        OriginError: the origin can't be read or written.
        SigningError: it can't be signed.
    """
    now = datetime.now(UTC)
    if not is_name(what.channel) or not is_name(what.agent):
        raise ChannelError(f"{what.channel!a} or {what.agent!a} is no name of a channel or an agent")
    origin = open_publisher(what.origin)
    current: Pointer | None = None
    try:
        pointed = origin.pointer(what.channel, what.agent, None)
    except MissingError:
        pointed = None
    if pointed is not None:
        current = read_pointer(pointed.envelope, what.policy, what.channel, what.agent, now)
    terms = Terms(channel=what.channel, agent=what.agent, now=now, lifetime=what.expires, reason=what.reason)
    pointer = make(current, terms)
    check_succession(current, pointer, now)
    signer = load_signer(what.key, what.public_key)
    envelope = seal_pointer(pointer, signer.keyid, signer.sign)
    read_pointer(envelope, what.policy, what.channel, what.agent, now)
    origin.push_pointer(what.channel, what.agent, envelope)
    return pointer
