"""`agentc keygen`."""

from __future__ import annotations

import os
from pathlib import Path

import click

from . import InputError


@click.command("keygen")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option(
    "--type",
    "kind",
    type=click.Choice(["ed25519", "ecdsa-p256"]),
    default="ed25519",
    show_default=True,
    help="The kind of key.",
)
def command(file: Path, kind: str) -> int:
    """Make a key that signs bundles and channels.

    FILE is created, for its owner only, with the private key in PEM. What is printed is the public key, as
    trust policies hold it. A file that exists is left alone.

    \b
    Example:
      agentc keygen release.pem
    """
    from agentc_runtime.trust.keys import KeyProblemError, new_key, signer

    try:
        pem = new_key("ed25519" if kind == "ed25519" else "ecdsa-p256")
    except KeyProblemError as error:
        raise InputError(str(error)) from error
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError as error:
        raise InputError(f"`{file}` exists: name another file, or remove it") from error
    except OSError as error:
        raise InputError(f"can't write `{file}`: {error.strerror}") from error
    with os.fdopen(descriptor, "wb") as out:
        out.write(pem)
    click.echo(signer(pem).public)
    return 0
