"""The next pointer of a channel: a bundle is deployed, promoted or rolled back. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

import msgspec

from ..times import time_text
from .channel import FORMAT, Arm, ChannelError, Gate, Pointer, precedence

STABLE: Final = "stable"
CANARY: Final = "canary"


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """What is said of a deployment beside the bundle. `lifetime` is how long the pointer is good."""

    channel: str
    agent: str
    now: datetime
    lifetime: timedelta
    reason: str = ""


def deploy(
    current: Pointer | None,
    digest: str,
    version: str,
    terms: Terms,
    *,
    waves: tuple[int, ...] = (),
    gates: tuple[Gate, ...] = (),
    min_runs: int = 20,
    older: bool = False,
) -> Pointer:
    """The bundle for all sessions, or beside the stable one for a share of them: the first of `waves`.

    Raises:
        ChannelError: it is older than the stable one and `older` does not say that this is meant; there is no
            stable one to stand beside; or it is the stable one.
    """
    stable = current.stable if current is not None else None
    if stable is not None and not older and precedence(version) < precedence(stable.version):
        told = f"{version} is older than {stable.version}, which runs"
        raise ChannelError(f"{told}: `agentc rollback` goes back, or say --older")
    if not waves:
        arms = (Arm(name=STABLE, digest=digest, version=version, percent=100),)
        replaced = stable if stable is not None and stable.digest != digest else _previous(current)
        return _next(current, terms, arms, previous=replaced, rollback=older)
    if stable is None:
        raise ChannelError("there is no stable bundle yet that others could be compared with")
    if stable.digest == digest:
        raise ChannelError("it is the stable bundle already")
    canary = Arm(name=CANARY, digest=digest, version=version, percent=waves[0])
    both = (_arm(stable, STABLE, 100 - waves[0]), canary)
    made = _next(current, terms, both, previous=_previous(current), rollback=older)
    return msgspec.structs.replace(
        made, gates=gates, min_runs=min_runs, waves=waves if len(waves) > 1 else ()
    )


def promote(current: Pointer | None, terms: Terms) -> Pointer:
    """The second arm for all sessions.

    Raises:
        ChannelError: there is none.
    """
    if current is None or len(current.arms) < 2:
        raise ChannelError("there is no canary to promote")
    arms = (_arm(current.arms[1], STABLE, 100),)
    back = precedence(arms[0].version) < precedence(current.stable.version)
    return _next(current, terms, arms, previous=current.stable, rollback=back)


def rollback(current: Pointer | None, terms: Terms) -> Pointer:
    """The stable bundle for all sessions, or where it is that already, the one before it.

    Raises:
        ChannelError: there is nothing to go back to.
    """
    if current is None:
        raise ChannelError("nothing is deployed yet")
    if len(current.arms) > 1:
        arms = (_arm(current.stable, STABLE, 100),)
        return _next(current, terms, arms, previous=current.previous, rollback=True)
    if current.previous is None:
        raise ChannelError(f"nothing was deployed before {current.stable.version}")
    arms = (_arm(current.previous, STABLE, 100),)
    return _next(current, terms, arms, previous=None, rollback=True)


def _next(
    current: Pointer | None, terms: Terms, arms: tuple[Arm, ...], *, previous: Arm | None, rollback: bool
) -> Pointer:
    return Pointer(
        format=FORMAT,
        channel=terms.channel,
        agent=terms.agent,
        sequence=current.sequence + 1 if current is not None else 1,
        issued=time_text(terms.now),
        expires=time_text(terms.now + terms.lifetime),
        arms=arms,
        rollback=rollback,
        reason=terms.reason,
        previous=None if previous is None else _arm(previous, STABLE, 100),
    )


def _previous(current: Pointer | None) -> Arm | None:
    return None if current is None else current.previous


def _arm(arm: Arm, name: str, percent: int) -> Arm:
    return msgspec.structs.replace(arm, name=name, percent=percent)
