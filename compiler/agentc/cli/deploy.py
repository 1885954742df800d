"""`agentc deploy`."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from . import InputError
from .release import CHANNEL, EXPIRES, KEY, ORIGIN, PUBLIC_KEY, TRUST, moved, trust_policy

if TYPE_CHECKING:
    from agentc_runtime.release.channel import Gate

_GATE = re.compile(r"(error_rate|refusal_rate|cost_usd|seconds|score)(<=|>=)([0-9]{1,9}(?:[.][0-9]{1,9})?)")


@click.command("deploy")
@click.argument("bundle", type=click.Path(exists=True, path_type=Path))
@ORIGIN
@CHANNEL
@click.option(
    "--canary",
    "waves",
    multiple=True,
    type=click.IntRange(1, 100),
    help="Percent of the sessions. Again: the next share, once the runs before have kept the gates.",
)
@click.option(
    "--gate",
    "gates",
    multiple=True,
    metavar="METRIC<=LIMIT",
    help="What stops a canary: error_rate, refusal_rate, cost_usd, seconds (<=) or score (>=).",
)
@click.option(
    "--min-runs", type=click.IntRange(1), default=20, show_default=True, help="Runs before gates decide."
)
@click.option("--older", is_flag=True, help="It is meant that the bundle is older than what runs.")
@click.option("--reason", default="", help="Why; it stands in the pointer.")
@EXPIRES
@KEY
@PUBLIC_KEY
@TRUST
def command(
    bundle: Path,
    origin: str,
    channel: str,
    waves: tuple[int, ...],
    gates: tuple[str, ...],
    min_runs: int,
    older: bool,
    reason: str,
    expires: timedelta,
    key: str,
    public_key: Path | None,
    trust: Path,
) -> int:
    """Point a channel at a bundle, for all sessions or for some of them.

    The bundle is pushed to ORIGIN, and the channel's pointer gets the next number and a signature. Workers
    that follow the channel take it when they look the next time. With --canary it runs beside the bundle that
    is there, and workers stop it by themselves when a gate does not hold. Exit code 1: the workers' policy
    does not trust the bundle, or it can't follow what is deployed.

    \b
    Example:
      agentc deploy dist/triage-1.1.0 origin --canary 10 --gate 'error_rate<=0.05' --key release.pem
    """
    from datetime import UTC, datetime

    from agentc_runtime.archive import pack
    from agentc_runtime.release.deploying import deploy
    from agentc_runtime.release.origin import OriginError, open_publisher
    from agentc_runtime.trust.judge import judge
    from agentc_runtime.verify import BundleError, read_bundle

    from ..pointing import Pointing

    policy = trust_policy(trust)
    wanted = tuple(_gate(gate) for gate in gates)
    if gates and not waves:
        raise click.UsageError("--gate needs --canary: a bundle for all sessions has none to go back to")
    if list(waves) != sorted(set(waves)):
        raise click.UsageError("--canary: the shares have to rise")
    try:
        read = read_bundle(bundle)
        judge(read, policy, datetime.now(UTC))
        open_publisher(origin).push_bundle(read.digest, pack(read.files))
    except BundleError as error:
        click.echo(f"error: `{bundle}` is not trusted: {error}", err=True)
        return 1
    except OriginError as error:
        raise InputError(f"can't push to `{origin}`: {error}") from error
    agent = read.manifest.agent
    what = Pointing(origin, channel, agent.name, policy, key, public_key, expires, reason)
    return moved(
        what,
        lambda current, terms: deploy(
            current,
            read.digest,
            agent.version,
            terms,
            waves=waves,
            gates=wanted,
            min_runs=min_runs,
            older=older,
        ),
    )


def _gate(text: str) -> Gate:
    import msgspec

    from agentc_runtime.release.channel import Gate

    match = _GATE.fullmatch(text.replace(" ", ""))
    if match is None or (match[1] == "score") != (match[2] == ">="):
        raise click.UsageError(f"--gate {text}: write it like 'error_rate<=0.05' or 'score>=0.8'")
    bound = "at_least" if match[2] == ">=" else "at_most"
    return msgspec.convert({"metric": match[1], bound: float(match[3])}, Gate)
