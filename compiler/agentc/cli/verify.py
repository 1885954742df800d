"""`agentc verify`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from .options import text_or_json

if TYPE_CHECKING:
    from agentc_runtime.trust.judge import Trusted
    from agentc_runtime.verify import Bundle


@click.command("verify")
@click.argument("bundle", type=click.Path(exists=True, path_type=Path))
@click.option("--digest", help="The sha256 that the bundle must have.")
@click.option(
    "--trust",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The trust policy: who may have signed it, and what has to be attested.",
)
@text_or_json("How the result is written.")
def command(bundle: Path, digest: str | None, trust: Path | None, format_: str) -> int:
    """Check that a bundle is whole and unchanged, and with --trust that the policy trusts it.

    Every file must be listed in the manifest with its digest, and nothing else may be there. BUNDLE is a
    folder or a `.tar`. Exit code 1: the bundle does not verify.

    \b
    Example:
      agentc verify dist/triage-1.0.0 --trust trust.json
    """
    from agentc_runtime.verify import BundleError, read_bundle

    wanted = digest.removeprefix("sha256:").lower() if digest else None
    trusted = None
    try:
        read = read_bundle(bundle)
        if trust is not None:
            trusted = _judged(read, trust)
        problem = None
        if wanted is not None and read.digest != wanted:
            problem = f"the bundle's digest is sha256:{read.digest}, not sha256:{wanted}"
    except BundleError as error:
        read, problem = None, str(error)
    if format_ == "json":
        digest = read.digest if read else None
        told: dict[str, object] = {"ok": problem is None, "digest": digest, "problem": problem}
        if trust is not None:
            told["attested"] = [
                {"kind": one.statement.kind, "signed_by": one.signed_by, "path": one.path}
                for one in (trusted.attested if trusted else ())
            ]
        click.echo(json.dumps(told))
    elif problem is not None:
        click.echo(f"error: `{bundle}` does not verify: {problem}", err=True)
    elif read is not None:
        agent = read.manifest.agent
        click.echo(f"ok  {agent.name} {agent.version}  sha256:{read.digest}")
        for one in trusted.attested if trusted else ():
            click.echo(f"    {one.statement.kind} by {', '.join(one.signed_by)}")
        if read.attestations and trust is None:
            click.echo(f"    {len(read.attestations)} attestations, not checked: name a policy with --trust")
    return 0 if problem is None else 1


def _judged(bundle: Bundle, trust: Path) -> Trusted:
    from datetime import UTC, datetime

    from agentc_runtime.trust.judge import judge

    from .release import trust_policy

    return judge(bundle, trust_policy(trust), datetime.now(UTC))
