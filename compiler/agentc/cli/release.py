"""What the commands that distribute and deploy share."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from . import InputError

if TYPE_CHECKING:
    from agentc_runtime.release.control import FolderControl
    from agentc_runtime.switches import Switches
    from agentc_runtime.trust.policy import TrustPolicy

ORIGIN = click.argument("origin", metavar="ORIGIN")
CONTROL = click.option(
    "--control",
    required=True,
    envvar="AGENTC_CONTROL",
    type=click.Path(path_type=Path),
    help="The folder that operators and workers share. Also in the variable AGENTC_CONTROL.",
)
CONTROLLED = click.option(
    "--control",
    envvar="AGENTC_CONTROL",
    type=click.Path(path_type=Path),
    help="The folder in which operators disable things. Also in the variable AGENTC_CONTROL.",
)
REASON = click.option("--reason", required=True, help="Why, for the audit log and for whoever is refused.")
BY = click.option("--by", help="Who does it. Without it, the user of this machine.")
_DURATION = re.compile(r"([1-9][0-9]{0,6})([smhd])")


class Duration(click.ParamType[timedelta]):
    """A span of time as in specs: `30s`, `5m`, `24h`, `7d`."""

    name = "duration"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> timedelta:
        """The span; a usage error if it is none."""
        if isinstance(value, timedelta):
            return value
        match = _DURATION.fullmatch(str(value))
        if match is None:
            self.fail(f"`{value}` is no duration: write it like 30s, 5m, 24h or 7d", param, ctx)
        unit = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}[match[2]]
        return timedelta(**{unit: int(match[1])})


def open_control(path: Path) -> FolderControl:
    """The control in a folder.

    Raises:
        InputError: there is no such folder.
    """
    from agentc_runtime.release.control import FolderControl
    from agentc_runtime.switches import ControlError

    try:
        return FolderControl(path)
    except ControlError as error:
        raise InputError(f"--control: {error}") from error


def switches_of(control: Path | None) -> Switches | None:
    """The switches of `--control`, looked at anew at each call.

    Raises:
        InputError: there is no such folder.
    """
    if control is None:
        return None
    from agentc_runtime.release.switching import ControlledSwitches

    return ControlledSwitches(open_control(control))


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
