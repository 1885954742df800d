"""`agentc inspect`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..diagnostics import did_you_mean
from . import InputError
from .options import text_or_json
from .release import NARROW, narrowed

if TYPE_CHECKING:
    from agentc_runtime.verify import Bundle


@click.command("inspect")
@click.argument("path", type=click.Path(exists=True, path_type=Path))
@click.option("--agent", "name", help="Which agent, when PATH is a project.")
@click.option(
    "--attestation", "kind", metavar="KIND", help="Print what is attested instead: provenance, sbom, eval, …"
)
@NARROW
@text_or_json("How it is written.")
def command(path: Path, name: str | None, kind: str | None, narrow: Path | None, format_: str) -> int:
    """Say in words what a bundle lets the agent do.

    PATH is a bundle, or a project, which is then compiled first. With --attestation it prints the statements
    of that kind as JSON, one a line; who signed them, `agentc verify --trust` checks. Exit code 1: the
    project has errors.

    \b
    Example:
      agentc inspect dist/triage-1.0.0
    """
    from agentc_runtime.bundle import MANIFEST
    from agentc_runtime.verify import BundleError, load_bundle, read_bundle

    from ..privileges import privileges_as_data, privileges_as_text
    from .common import choose_agent, compile_project, report_errors

    if (path / MANIFEST).exists() or path.is_file():
        try:
            bundle = read_bundle(path)
        except BundleError as error:
            raise InputError(f"`{path}` is not a bundle that can be read: {error}") from error
    else:
        from ..pipeline import bundle_files

        result = compile_project(path)
        if not result.ok:
            report_errors(result)
            return 1
        bundle = load_bundle(bundle_files(result, choose_agent(result, name)))
    if narrow is not None:
        bundle = narrowed(bundle, narrow)
    if kind is not None:
        return _statements(bundle, kind)
    if format_ == "json":
        click.echo(json.dumps(privileges_as_data(bundle), indent=2, ensure_ascii=False))
    else:
        click.echo(privileges_as_text(bundle), nl=False)
    return 0


def _statements(bundle: Bundle, kind: str) -> int:
    from agentc_runtime.trust.dsse import EnvelopeError, read_envelope
    from agentc_runtime.trust.statement import KINDS, read_statement

    if kind not in KINDS:
        raise InputError(f"no kind of attestation is `{kind}`; {did_you_mean(kind, KINDS)}")
    found = []
    for path, data in bundle.attestations.items():
        try:
            envelope = read_envelope(data)
            if read_statement(envelope).kind == kind:
                found.append(envelope.payload.decode())
        except EnvelopeError as error:
            raise InputError(f"`{path}` {error}") from error
    if not found:
        raise InputError(f"the bundle has no attestation `{kind}`: `agentc sign` makes one")
    for text in found:
        click.echo(text)
    return 0
