"""Channels: which bundles of an agent run where, as signed pointers that can't be turned back.

A pointer has a number. A worker that has seen one never takes a smaller one, nor another with the same
number, nor one whose time is up, nor an older version than it runs unless the pointer says that it is a
rollback.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Final, Literal, TypeAlias

import msgspec

from ..canonical import canonical, parse
from ..expressions import Record
from ..times import parse_time
from ..trust.dsse import Envelope, EnvelopeError, read_envelope, seal
from ..trust.judge import signed_by
from ..trust.policy import TrustPolicy

FORMAT: Final = "agentc.channel/1"
PAYLOAD_TYPE: Final = "application/vnd.agentc.channel+json"
MAX_POINTER_BYTES: Final = 256 * 1024

Metric: TypeAlias = Literal["error_rate", "refusal_rate", "cost_usd", "seconds", "score"]
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,62}")
_DIGEST = re.compile(r"[0-9a-f]{64}")
_VERSION = re.compile(r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(?:-([0-9A-Za-z.-]+))?(?:\+[0-9A-Za-z.-]+)?")


class ChannelError(ValueError):
    """A pointer that is not followed. The message is one line."""


class Arm(Record, frozen=True, kw_only=True):
    """A bundle that runs for `percent` of the sessions. Its name stands on what its runs leave behind."""

    name: str
    digest: str
    version: str
    percent: int


class Gate(Record, frozen=True, kw_only=True):
    """What a metric of an arm has to be: at most, or at least. Averages over its runs.

    `error_rate` and `refusal_rate` are shares from 0 to 1, of runs that fail and of calls that are refused.
    `cost_usd` and `seconds` are those of a run, `score` is what whoever evaluates runs says of them.
    """

    metric: Metric
    at_most: float | None = None
    at_least: float | None = None


class Pointer(Record, frozen=True, kw_only=True):
    """What runs in a channel. The first arm is the stable one: where another is stopped, it takes over.

    An arm is stopped when a gate does not hold after `min_runs` runs of it. With `waves`, percentages of the
    second arm, it begins with the first and goes on to the next whenever `min_runs` more runs kept the gates.
    `previous` is the digest and version that a rollback goes back to.
    """

    format: str
    channel: str
    agent: str
    sequence: int
    issued: str
    expires: str
    arms: tuple[Arm, ...]
    gates: tuple[Gate, ...] = ()
    min_runs: int = 20
    waves: tuple[int, ...] = ()
    rollback: bool = False
    reason: str = ""
    previous: Arm | None = None

    @property
    def stable(self) -> Arm:
        """The arm that runs unless another one was chosen."""
        return self.arms[0]


def seal_pointer(pointer: Pointer, keyid: str, sign: Callable[[bytes], bytes]) -> bytes:
    """The envelope of a pointer.

    Raises:
        ChannelError: the pointer is not one that could be followed.
    """
    for problem in _problems(pointer):
        raise ChannelError(problem)
    return seal(canonical(msgspec.to_builtins(pointer)), PAYLOAD_TYPE, keyid, sign)


def read_pointer(data: bytes, policy: TrustPolicy, channel: str, agent: str, now: datetime) -> Pointer:
    """The pointer in an envelope, if it is that channel's and agent's and a key that may has signed it.

    Whether its own time is up is not looked at: `succeeds` and `expired` do.

    Raises:
        ChannelError: anything else.
    """
    if len(data) > MAX_POINTER_BYTES:
        raise ChannelError(f"the pointer is larger than {MAX_POINTER_BYTES} bytes")
    rule = policy.rule(agent)
    if rule is None or not rule.channels_signed_by:
        raise ChannelError(f"the trust policy lets nobody sign channels of the agent {agent[:80]!a}")
    try:
        envelope = read_envelope(data)
        signed_by(envelope, policy, rule.channels_signed_by, now)
        pointer = unsigned_pointer(envelope)
    except EnvelopeError as error:
        raise ChannelError(f"the pointer {error}") from error
    if (pointer.channel, pointer.agent) != (channel, agent):
        told = f"`{pointer.channel}` of `{pointer.agent}`, not `{channel}` of `{agent}`"
        raise ChannelError(f"the pointer is that of {told}")
    return pointer


def unsigned_pointer(envelope: Envelope) -> Pointer:
    """The pointer that an envelope holds. Whoever looks at the signatures comes before.

    Raises:
        ChannelError: it holds something else.
    """
    if envelope.payload_type != PAYLOAD_TYPE:
        raise ChannelError(f"the envelope holds {envelope.payload_type[:80]!a}, not a pointer")
    try:
        pointer = msgspec.convert(parse(envelope.payload), Pointer)
    except ValueError as error:
        raise ChannelError(f"not a pointer: {ascii(str(error))[1:-1]}") from error
    for problem in _problems(pointer):
        raise ChannelError(problem)
    return pointer


def expired(pointer: Pointer, now: datetime) -> bool:
    """Whether the pointer's time is up: then somebody keeps newer ones away, or nobody makes any."""
    return now >= parse_time(pointer.expires)


def check_succession(last: Pointer | None, new: Pointer, now: datetime) -> None:
    """That `new` may follow `last`, the newest pointer that was ever taken.

    Raises:
        ChannelError: it goes back, or its time is up.
    """
    if expired(new, now):
        raise ChannelError(
            f"the pointer {new.sequence} expired {new.expires}: newer ones are kept away, or missing"
        )
    if last is None or new == last:
        return
    if new.sequence < last.sequence:
        raise ChannelError(f"the pointer goes back from {last.sequence} to {new.sequence}")
    if new.sequence == last.sequence:
        raise ChannelError(f"there are two pointers with the number {new.sequence}")
    oldest = min((arm.version for arm in new.arms), key=precedence)
    if not new.rollback and precedence(oldest) < precedence(last.stable.version):
        told = f"from {last.stable.version} to {oldest}"
        raise ChannelError(
            f"the pointer {new.sequence} goes back {told} and does not say that it is a rollback"
        )


def precedence(version: str) -> tuple[object, ...]:
    """What orders versions (semver.org, section 11).

    Raises:
        ChannelError: it is no semantic version.
    """
    match = _VERSION.fullmatch(version)
    if match is None:
        raise ChannelError(f"{version[:80]!a} is no semantic version")
    parts = [
        (0, int(part), "") if part.isdecimal() else (1, 0, part)
        for part in (match[4].split(".") if match[4] else ())
    ]
    return (int(match[1]), int(match[2]), int(match[3]), not parts, tuple(parts))


def is_name(text: str) -> bool:
    """Whether it can be the name of a channel or an agent in an origin."""
    return _NAME.fullmatch(text) is not None


def is_digest(text: str) -> bool:
    """Whether it is a sha256 in hex."""
    return _DIGEST.fullmatch(text) is not None


def _problems(pointer: Pointer) -> Iterator[str]:
    if pointer.format != FORMAT:
        yield f"the pointer's format is {pointer.format[:80]!a}, and this runtime reads `{FORMAT}`"
    if not is_name(pointer.channel) or not is_name(pointer.agent):
        yield f"{pointer.channel[:80]!a} or {pointer.agent[:80]!a} is no name of a channel or an agent"
    if pointer.sequence < 1 or pointer.min_runs < 1:
        yield "`sequence` and `min_runs` have to be at least 1"
    try:
        if parse_time(pointer.issued) >= parse_time(pointer.expires):
            yield "the pointer expires before it begins"
    except ValueError as error:
        yield str(error)
    if not pointer.arms or sum(arm.percent for arm in pointer.arms) != 100:
        yield "the percentages of a pointer's arms have to be 100 together"
    if len({arm.name for arm in pointer.arms}) != len(pointer.arms):
        yield "two arms of a pointer have the same name"
    for arm in (*pointer.arms, *((pointer.previous,) if pointer.previous else ())):
        if not is_name(arm.name) or not is_digest(arm.digest) or not 0 <= arm.percent <= 100:
            yield f"the arm {arm.name[:80]!a} has no name, no sha256, or no percentage"
        precedence(arm.version)
    for gate in pointer.gates:
        if (gate.at_most is None) == (gate.at_least is None):
            yield f"the gate on `{gate.metric}` needs either `at_most` or `at_least`"
    if pointer.waves and (len(pointer.arms) != 2 or list(pointer.waves) != sorted(set(pointer.waves))):
        yield "`waves` need two arms, and percentages that rise"
    if any(not 0 < wave <= 100 for wave in pointer.waves):
        yield "each of `waves` has to be from 1 to 100"
