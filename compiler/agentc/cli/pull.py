"""`agentc pull`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from . import InputError
from .release import CHANNEL, ORIGIN, digest_of, trust_policy

if TYPE_CHECKING:
    from agentc_runtime.trust.policy import TrustPolicy


@click.command("pull")
@ORIGIN
@click.option("--digest", help="The sha256 of the bundle.")
@click.option("--agent", help="In place of --digest: the agent whose stable bundle in --channel is meant.")
@CHANNEL
@click.option(
    "--trust",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The trust policy: who may have signed it, and what has to be attested.",
)
@click.option(
    "--out",
    default="dist",
    show_default=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="The folder that the bundle is written to, as NAME-VERSION.",
)
def command(
    origin: str, digest: str | None, agent: str | None, channel: str, trust: Path | None, out: Path
) -> int:
    """Get a bundle by its digest, or the one that a channel points at.

    Nothing is written unless what comes is that bundle, whole and unchanged, and with --trust one that the
    policy trusts. A channel's pointer is believed with --trust only. Exit code 1: it is not.

    \b
    Example:
      agentc pull https://bundles.example/agents --digest sha256:4f0c… --trust trust.json
    """
    from datetime import UTC, datetime

    from agentc_runtime.archive import unpack
    from agentc_runtime.release.channel import ChannelError
    from agentc_runtime.release.origin import OriginError, bundle_from, open_origin
    from agentc_runtime.trust.judge import judge
    from agentc_runtime.verify import BundleError

    from ..emit import EmitError, write_bundle

    if (digest is None) == (agent is None) or (agent is not None and trust is None):
        raise click.UsageError("say --digest, or --agent with --trust")
    policy = trust_policy(trust) if trust is not None else None
    wanted = digest_of(digest) if digest is not None else ""
    try:
        if agent is not None and policy is not None:
            wanted = _stable(origin, channel, agent, policy)
        bundle, archive = bundle_from(open_origin(origin), wanted)
        if policy is not None:
            judge(bundle, policy, datetime.now(UTC))
        target = out / f"{bundle.manifest.agent.name}-{bundle.manifest.agent.version}"
        write_bundle(unpack(archive), target)
    except OriginError as error:
        click.echo(f"error: `{origin}`: {error}", err=True)
        return 1
    except ChannelError as error:
        click.echo(f"error: `{channel}` of `{agent}`: {error}", err=True)
        return 1
    except BundleError as error:
        click.echo(f"error: sha256:{wanted[:12]} is not trusted: {error}", err=True)
        return 1
    except EmitError as error:
        raise InputError(str(error)) from error
    click.echo(f"{target}  sha256:{bundle.digest}")
    return 0


def _stable(origin: str, channel: str, agent: str, policy: TrustPolicy) -> str:
    from datetime import UTC, datetime

    from agentc_runtime.release.channel import ChannelError, check_succession, is_name, read_pointer
    from agentc_runtime.release.origin import open_origin

    if not is_name(channel) or not is_name(agent):
        raise ChannelError("no name of a channel or an agent")
    now = datetime.now(UTC)
    pointed = open_origin(origin).pointer(channel, agent, None)
    if pointed is None:
        raise ChannelError("there is no pointer")
    pointer = read_pointer(pointed.envelope, policy, channel, agent, now)
    check_succession(None, pointer, now)
    return pointer.stable.digest
