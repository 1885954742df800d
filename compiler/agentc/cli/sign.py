"""`agentc sign`."""

from __future__ import annotations

from pathlib import Path

import click

from . import InputError


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
    "--builder", default="urn:agentc:builder:local", help="Who built it: a URI, for the provenance."
)
@click.option(
    "--evidence",
    multiple=True,
    metavar="KIND=FILE",
    help="A report to attest: KIND is validate, eval or approval.",
)
def command(bundle: Path, key: str, public_key: Path | None, builder: str, evidence: tuple[str, ...]) -> int:
    """Attest what a bundle is made of, or what was found about it.

    Without --evidence it attests the provenance (sources, compiler, parameters) and a bill of materials;
    with it, the reports that it names. Attestations are added to the bundle, and leave its digest as it is.
    A program of `command:` gets the bytes to sign on standard input and writes the signature in base64.

    \b
    Example:
      agentc sign dist/triage-1.0.0 --key release.pem
    """
    from agentc_runtime.verify import BundleError, read_bundle

    from ..emit import EmitError, add_files
    from ..signing import SigningError, attest, load_signer, read_reports

    try:
        read = read_bundle(bundle)
        reports = read_reports(evidence)
        signer = load_signer(key, public_key)
        made = attest(read, signer, builder, reports)
        add_files(bundle, made)
    except BundleError as error:
        raise InputError(f"`{bundle}` is not a bundle that can be signed: {error}") from error
    except (SigningError, EmitError) as error:
        raise InputError(str(error)) from error
    for path in made:
        click.echo(f"{path}  by {signer.keyid[:16]}")
    return 0
