"""What the commands that distribute and deploy share."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from . import InputError

if TYPE_CHECKING:
    from agentc_runtime.trust.policy import TrustPolicy

ORIGIN = click.argument("origin", metavar="ORIGIN")


def digest_of(text: str) -> str:
    """The digest that an option names.

    Raises:
        InputError: it is no sha256.
    """
    from agentc_runtime.release.channel import is_digest

    digest = text.removeprefix("sha256:").lower()
    if not is_digest(digest):
        raise InputError(
            f"`{text}` is no sha256: it has 64 hexadecimal digits, as `agentc build` prints them"
        )
    return digest


def trust_policy(path: Path) -> TrustPolicy:
    """The trust policy in a file.

    Raises:
        InputError: it can't be used.
    """
    from agentc_runtime.trust.policy import PolicyError, read_policy

    try:
        return read_policy(path)
    except PolicyError as error:
        raise InputError(f"--trust {error}") from error
