"""`agentc pull`."""

from __future__ import annotations

from pathlib import Path

import click

from . import InputError
from .release import ORIGIN, digest_of, trust_policy


@click.command("pull")
@ORIGIN
@click.option("--digest", required=True, help="The sha256 of the bundle.")
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
def command(origin: str, digest: str, trust: Path | None, out: Path) -> int:
    """Get a bundle by its digest.

    Nothing is written unless what comes is that bundle, whole and unchanged, and with --trust one that the
    policy trusts. Exit code 1: it is not.

    \b
    Example:
      agentc pull https://bundles.example/agents --digest sha256:4f0c… --trust trust.json
    """
    from datetime import UTC, datetime

    from agentc_runtime.archive import unpack
    from agentc_runtime.release.origin import OriginError, bundle_from, open_origin
    from agentc_runtime.trust.judge import judge
    from agentc_runtime.verify import BundleError

    from ..emit import EmitError, write_bundle

    policy = trust_policy(trust) if trust is not None else None
    wanted = digest_of(digest)
    try:
        bundle, archive = bundle_from(open_origin(origin), wanted)
        if policy is not None:
            judge(bundle, policy, datetime.now(UTC))
        target = out / f"{bundle.manifest.agent.name}-{bundle.manifest.agent.version}"
        write_bundle(unpack(archive), target)
    except OriginError as error:
        click.echo(f"error: `{origin}`: {error}", err=True)
        return 1
    except BundleError as error:
        click.echo(f"error: sha256:{wanted[:12]} is not trusted: {error}", err=True)
        return 1
    except EmitError as error:
        raise InputError(str(error)) from error
    click.echo(f"{target}  sha256:{bundle.digest}")
    return 0
