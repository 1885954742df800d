"""`agentc sign`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from . import InputError

if TYPE_CHECKING:
    from agentc_runtime.verify import Bundle


@click.command("sign")
@click.argument("bundle", type=click.Path(exists=True, path_type=Path))
@click.option(
    "--key", required=True, help="The private key: a file in PEM, `env:NAME`, or `command:PROGRAM ARGUMENTS`."
)
@click.option(
    "--public-key",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="With `command:`, the file with its public key in PEM.",
)
@click.option(
    "--project",
    type=click.Path(exists=True, path_type=Path),
    help="Sign only if these specs compile to this very bundle.",
)
@click.option(
    "--builder", default="urn:agentc:builder:local", help="Who built it: a URI, for the provenance."
)
@click.option(
    "--evidence",
    multiple=True,
    metavar="KIND=FILE",
    help="A report about this bundle to attest: KIND is validate, eval or approval. Again for more.",
)
def command(
    bundle: Path,
    key: str,
    public_key: Path | None,
    project: Path | None,
    builder: str,
    evidence: tuple[str, ...],
) -> int:
    """Attest what a bundle is made of, or what was found about it.

    Without --evidence it attests the provenance (sources, compiler, parameters) and a bill of materials;
    with it, the reports that it names. Attestations are added to the bundle, and leave its digest as it is.
    With --project nothing is signed that these specs do not give again, byte for byte (exit code 1).
    A program of `command:` gets the bytes to sign on standard input and writes the signature in base64.

    \b
    Example:
      agentc sign dist/triage-1.0.0 --key release.pem
    """
    from agentc_runtime.trust.reports import why_not_passed
    from agentc_runtime.verify import BundleError, read_bundle

    from ..emit import EmitError, add_files
    from ..signing import SigningError, attest, load_signer, read_reports

    try:
        read = read_bundle(bundle)
        if project is not None and (problem := _differs(read, project)) is not None:
            click.echo(f"error: `{bundle}` is not what `{project}` compiles to: {problem}", err=True)
            return 1
        reports = read_reports(evidence, read.digest)
        signer = load_signer(key, public_key)
        made = attest(read, signer, builder, reports)
        add_files(bundle, made)
    except BundleError as error:
        raise InputError(f"`{bundle}` is not a bundle that can be signed: {error}") from error
    except (SigningError, EmitError) as error:
        raise InputError(str(error)) from error
    for path in made:
        click.echo(f"{path}  by {signer.keyid[:16]}")
    for kind, report in reports:
        failed = why_not_passed(report)
        if failed is not None:
            click.echo(f"note: no policy that asks for `{kind}` will trust this bundle: {failed}", err=True)
    return 0


def _differs(bundle: Bundle, project: Path) -> str | None:
    """What is other than in the bundle when a project is compiled again."""
    from agentc_runtime.verify import load_bundle

    from ..pipeline import BuildError, bundle_files
    from .common import choose_agent, compile_project

    result = compile_project(project, use_cache=False)
    if not result.ok:
        return "the project has errors, which `agentc validate` shows"
    try:
        again = load_bundle(bundle_files(result, choose_agent(result, bundle.manifest.agent.name)))
    except BuildError as error:
        return str(error)
    if again.digest == bundle.digest:
        return None
    if again.manifest.compiler != bundle.manifest.compiler:
        return f"it was built by {bundle.manifest.compiler}, and this is {again.manifest.compiler}"
    there = {source.path: source.sha256 for source in bundle.manifest.sources}
    here = {source.path: source.sha256 for source in again.manifest.sources}
    changed = sorted(path for path in there.keys() | here.keys() if there.get(path) != here.get(path))
    if changed:
        return f"`{changed[0]}` is another one"
    listed = {file.path for file in bundle.manifest.files} - {file.path for file in again.manifest.files}
    return f"it holds `{sorted(listed)[0]}` as well" if listed else "the sources are the same"
