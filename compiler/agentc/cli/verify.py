"""`agentc verify`."""

from __future__ import annotations

import json
from pathlib import Path

import click

from .options import text_or_json


@click.command("verify")
@click.argument("bundle", type=click.Path(exists=True, path_type=Path))
@click.option("--digest", help="The sha256 that the bundle must have.")
@text_or_json("How the result is written.")
def command(bundle: Path, digest: str | None, format_: str) -> int:
    """Check that a bundle is whole and unchanged.

    Every file must be listed in the manifest with its digest, and nothing else may be there.
    Exit code 1: the bundle does not verify.

    \b
    Example:
      agentc verify dist/triage-1.0.0
    """
    from agentc_runtime.verify import BundleError, read_bundle

    wanted = digest.removeprefix("sha256:").lower() if digest else None
    try:
        read = read_bundle(bundle)
        problem = None
        if wanted is not None and read.digest != wanted:
            problem = f"the bundle's digest is sha256:{read.digest}, not sha256:{wanted}"
    except BundleError as error:
        read, problem = None, str(error)
    if format_ == "json":
        found = read.digest if read is not None else None
        click.echo(json.dumps({"ok": problem is None, "digest": found, "problem": problem}))
    elif problem is not None:
        click.echo(f"error: `{bundle}` does not verify: {problem}", err=True)
    elif read is not None:
        agent = read.manifest.agent
        click.echo(f"ok  {agent.name} {agent.version}  sha256:{read.digest}")
    return 0 if problem is None else 1
