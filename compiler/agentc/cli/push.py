"""`agentc push`."""

from __future__ import annotations

from pathlib import Path

import click

from . import InputError


@click.command("push")
@click.argument("bundle", type=click.Path(exists=True, path_type=Path))
@click.argument("origin")
def command(bundle: Path, origin: str) -> int:
    """Put a bundle where machines get it from.

    ORIGIN is a folder, which any web server can serve, or `oci://HOST/REPOSITORY`. The bundle is kept under
    its digest, with its attestations.

    \b
    Example:
      agentc push dist/triage-1.0.0 oci://registry.example/agents
    """
    from agentc_runtime.archive import pack
    from agentc_runtime.release.origin import OriginError, open_publisher
    from agentc_runtime.verify import BundleError, load_bundle, read_files

    try:
        files = read_files(bundle)
        read = load_bundle(files)
        open_publisher(origin).push_bundle(read.digest, pack(files))
    except BundleError as error:
        raise InputError(f"`{bundle}` is not a bundle that can be pushed: {error}") from error
    except OriginError as error:
        raise InputError(f"can't push to `{origin}`: {error}") from error
    agent = read.manifest.agent
    click.echo(f"{agent.name} {agent.version}  sha256:{read.digest}")
    return 0
