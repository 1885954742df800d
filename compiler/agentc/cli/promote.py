"""`agentc promote`."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import click

from .release import CHANNEL, EXPIRES, KEY, ORIGIN, PUBLIC_KEY, REASON, TRUST, moved, trust_policy


@click.command("promote")
@click.argument("agent")
@ORIGIN
@CHANNEL
@REASON
@EXPIRES
@KEY
@PUBLIC_KEY
@TRUST
def command(
    agent: str,
    origin: str,
    channel: str,
    reason: str,
    expires: timedelta,
    key: str,
    public_key: Path | None,
    trust: Path,
) -> int:
    """Give the canary of a channel all sessions.

    Runs that have begun end on their bundle. Exit code 1: there is no canary.

    \b
    Example:
      agentc promote triage origin --reason "good for a week" --key release.pem --trust trust.json
    """
    from agentc_runtime.release.deploying import promote

    from ..pointing import Pointing

    policy = trust_policy(trust)
    return moved(Pointing(origin, channel, agent, policy, key, public_key, expires, reason), promote)
