"""`agentc init`."""

from __future__ import annotations

import os
from pathlib import Path

import click

from . import InputError

_README = """\
Next:

  cd {folder}
  agentc validate            check the specs
  agentc inspect .           say in words what the agent may do
  agentc explain AC408       explain a rule

Replace openapi.yaml by your service's document with
`agentc import openapi PATH-OR-URL --toolset desk`.
"""


@click.command("init")
@click.argument("folder", default=".", type=click.Path(file_okay=False, path_type=Path))
def command(folder: Path) -> int:
    """Start a project in a folder.

    Writes a small project that validates: a model, a service with two operations, a permission set and an
    agent, and in schemas/ what editors need to complete and check specs. Files that are there already are
    never overwritten.

    \b
    Example:
      agentc init support && agentc validate support
    """
    from ..starter import SCHEMAS, starter_files
    from ..syntax.generate import schema_files

    files = starter_files(folder.resolve().name)
    files |= {f"{SCHEMAS}/{name}": text for name, text in schema_files().items()}
    present = [name for name in files if os.path.lexists(folder / name)]
    if present:
        raise InputError(f"`{folder / present[0]}` exists already: choose another folder, or remove it")
    try:
        (folder / SCHEMAS).mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            with (folder / name).open("x", encoding="utf-8", newline="\n") as target:
                target.write(text)
    except OSError as error:
        raise InputError(f"can't write into `{folder}`: {error.strerror}") from error
    for name in files:
        click.echo(f"wrote {folder / name}")
    click.echo("\n" + _README.format(folder=folder), nl=False)
    return 0
