"""`agentc keys`."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from . import InputError
from .options import text_or_json

if TYPE_CHECKING:
    from agentc_service.auth.api_keys import ApiKey

F = TypeVar("F", bound=Callable[..., object])
FILE = click.option(
    "--file", default="keys.jsonl", show_default=True, type=click.Path(dir_okay=False, path_type=Path),
    help="The file of keys that the service names.",
)  # fmt: skip
ROLES = ("caller", "approver", "operator", "auditor")


@click.group("keys")
def command() -> None:
    """Make, list and withdraw the API keys of a service.

    \b
    Example:
      agentc keys create ci --tenant acme --role caller
    """


@command.command("create")
@click.argument("subject")
@click.option("--tenant", required=True, help="The tenant that it belongs to.")
@click.option(
    "--role", "roles", type=click.Choice(ROLES), multiple=True, required=True, help="What it may do."
)
@click.option("--group", "groups", multiple=True, help="An approver group that it decides for.")
@click.option(
    "--days", type=click.IntRange(1, 3650), default=90, show_default=True, help="How long it holds."
)
@FILE
def create(
    subject: str, tenant: str, roles: tuple[str, ...], groups: tuple[str, ...], days: int, file: Path
) -> int:
    """Make a key for SUBJECT and print it: it is shown this one time.

    \b
    Example:
      agentc keys create ana --tenant acme --role approver --group support-leads
    """
    import msgspec

    from agentc_service.auth.api_keys import make_key, write_keys
    from agentc_service.auth.caller import Role

    if groups and "approver" not in roles:
        raise click.UsageError("--group is for keys with `--role approver`")
    kept = dict(_read(file) if file.exists() else {})
    now = datetime.now(UTC)
    key, record = make_key(
        tenant=tenant,
        subject=subject,
        roles=msgspec.convert(sorted(set(roles)), tuple[Role, ...]),
        groups=tuple(sorted(set(groups))),
        now=now,
        expires=now + timedelta(days=days),
    )
    _checked(lambda: write_keys(file, {**kept, record.id: record}))
    click.echo(key)
    return 0


@command.command("list")
@FILE
@text_or_json("How the list is written.")
def list_(file: Path, format_: str) -> int:
    """List keys: whose they are, what they may do, when they end.

    \b
    Example:
      agentc keys list
    """
    import msgspec

    kept = _read(file)
    if format_ == "json":
        shown = [
            {k: v for k, v in msgspec.to_builtins(key).items() if k != "sha256"} for key in kept.values()
        ]
        click.echo(json.dumps(shown, ensure_ascii=False, indent=2))
        return 0
    if not kept:
        click.echo(f"no keys in {file}", err=True)
    for key in kept.values():
        groups = f" for {', '.join(key.groups)}" if key.groups else ""
        ends = f"until {key.expires}" if key.expires else "without an end"
        click.echo(f"{key.id}  {key.tenant}/{key.subject}  {', '.join(key.roles)}{groups}  {ends}")
    return 0


@command.command("revoke")
@click.argument("identifier", metavar="ID")
@FILE
def revoke(identifier: str, file: Path) -> int:
    """Withdraw a key: the service refuses it from the next request on.

    \b
    Example:
      agentc keys revoke 0a1b2c3d4e5f
    """
    from agentc_service.auth.api_keys import write_keys

    from ..diagnostics import did_you_mean

    kept = _read(file)
    if identifier not in kept:
        raise InputError(f"no key `{identifier}` in {file}; {did_you_mean(identifier, kept)}")
    rest = {name: key for name, key in kept.items() if name != identifier}
    _checked(lambda: write_keys(file, rest))
    return 0


def _read(file: Path) -> Mapping[str, ApiKey]:
    from agentc_service.auth.api_keys import read_keys

    return _checked(lambda: read_keys(file))


T = TypeVar("T")


def _checked(action: Callable[[], T]) -> T:
    from agentc_service.auth.api_keys import KeyFileError

    try:
        return action()
    except KeyFileError as error:
        raise InputError(str(error)) from error
