"""What the commands that distribute and deploy share."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from . import InputError

if TYPE_CHECKING:
    from collections.abc import Callable

    from agentc_runtime.release.channel import Pointer
    from agentc_runtime.release.control import Control
    from agentc_runtime.release.deploying import Terms
    from agentc_runtime.switches import Switches
    from agentc_runtime.trust.policy import TrustPolicy
    from agentc_runtime.verify import Bundle

    from ..pointing import Pointing

ORIGIN = click.argument("origin", metavar="ORIGIN")
CONTROL = click.option(
    "--control",
    required=True,
    envvar="AGENTC_CONTROL",
    help="What operators and workers share: a folder, or a store by its URL. Also in AGENTC_CONTROL.",
)
CONTROLLED = click.option(
    "--control",
    envvar="AGENTC_CONTROL",
    help="Where operators disable things: a folder, or a store by its URL. Also in AGENTC_CONTROL.",
)
CHANNEL = click.option("--channel", default="production", show_default=True, help="The channel.")
TRUST = click.option(
    "--trust",
    required=True,
    envvar="AGENTC_TRUST",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The trust policy of the workers. Also in the variable AGENTC_TRUST.",
)
KEY = click.option("--key", required=True, help="Who signs the pointer: as for `agentc sign`.")
PUBLIC_KEY = click.option(
    "--public-key",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="With `command:`, the file with its public key in PEM.",
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


EXPIRES = click.option(
    "--expires",
    type=Duration(),
    default="30d",
    show_default=True,
    help="How long workers take the pointer for current.",
)


def open_control(place: str) -> Control:
    """The control in a folder or a store.

    Raises:
        InputError: there is no such folder, or the store can't be opened.
    """
    from agentc_runtime.release.control import FolderControl
    from agentc_runtime.switches import ControlError

    try:
        if "://" in place:
            from agentc_runtime.release.database import DatabaseControl

            return DatabaseControl.at(place)
        return FolderControl(Path(place))
    except ControlError as error:
        raise InputError(f"--control: {error}") from error


def switches_of(control: str | None) -> Switches | None:
    """The switches of `--control`, looked at anew at each call.

    Raises:
        InputError: there is no such folder or store.
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


NARROW = click.option(
    "--narrow",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="An environment file: what it takes away from the bundle.",
)


def narrowed(bundle: Bundle, path: Path) -> Bundle:
    """The bundle with what an environment file leaves of it.

    Raises:
        InputError: the file can't be used, or would widen the bundle.
    """
    from agentc_runtime.environment_file import EnvironmentFileError, narrow, read_environment_file
    from agentc_runtime.verify import BundleError

    try:
        return narrow(bundle, read_environment_file(path), str(path))
    except EnvironmentFileError as error:
        raise InputError(f"--narrow {error}") from error
    except BundleError as error:
        raise InputError(f"--narrow {error}") from error


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


def moved(what: Pointing, make: Callable[[Pointer | None, Terms], Pointer]) -> int:
    """Move a channel and say where it points; 1 when it can't be moved there.

    Raises:
        InputError: the origin or the key can't be used.
    """
    from agentc_runtime.release.channel import ChannelError
    from agentc_runtime.release.origin import OriginError

    from ..pointing import move
    from ..signing import SigningError

    try:
        pointer = move(what, make)
    except ChannelError as error:
        click.echo(f"error: {error}", err=True)
        return 1
    except OriginError as error:
        raise InputError(f"`{what.origin}`: {error}") from error
    except SigningError as error:
        raise InputError(str(error)) from error
    where = f"{pointer.agent} in {pointer.channel}"
    click.echo(f"{where}  pointer {pointer.sequence}, good until {pointer.expires}")
    for arm in pointer.arms:
        click.echo(f"    {arm.name}  {arm.version}  {arm.percent} %  sha256:{arm.digest}")
    return 0
