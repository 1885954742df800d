"""`agentc runs feedback`: what people say of runs."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal

import click

from . import InputError
from .options import json_value, text_or_json
from .runs import STORE, command, opened

if TYPE_CHECKING:
    from agentc_runtime.durable.feedback import Feedback

_LABEL = re.compile(r"[a-z][a-z0-9_-]{0,62}")


@command.command("feedback")
@click.argument("run_id", metavar="[RUN]", required=False)
@STORE
@click.option("--thumb", type=click.Choice(["up", "down"]), help="Whether it was good.")
@click.option("--correction", help="The output that should have come: JSON, `@FILE` or `-`.")
@click.option("--label", "labels", multiple=True, help="A name of what was wrong or right.")
@click.option("--comment", default="", help="Whatever else there is to say.")
@click.option(
    "--limit", type=click.IntRange(1, 10_000), default=200, show_default=True, help="Runs, at most."
)
@text_or_json("How the list is written.")
def feedback(
    run_id: str | None,
    store: str,
    thumb: Literal["up", "down"] | None,
    correction: str | None,
    labels: tuple[str, ...],
    comment: str,
    limit: int,
    format_: str,
) -> int:
    """Say what you think of a run, or list what people have said.

    With one of --thumb, --correction, --label and --comment it is kept under your name, in place of what you
    have said of that run before. Without them it lists, of RUN or of the newest runs. `agentc dataset add
    --feedback` makes cases of it. It is erased with the run's data.

    \b
    Example:
      agentc runs feedback 20260301T120000Z-0123456789ab --thumb down --label wrong-amount
    """
    from agentc_runtime.durable.feedback import (
        NothingKeptError,
        UnfitCorrectionError,
        give_feedback,
        list_feedback,
    )
    from agentc_runtime.said import Said
    from agentc_service import tables

    from ..approver import user_name

    value = None if correction is None else json_value(correction, "--correction")
    said = Said(thumb=thumb, correction=value, labels=labels, comment=comment)
    for label in labels:
        if not _LABEL.fullmatch(label):
            raise click.UsageError(f"--label: `{label}` is no name such as wrong-amount")
    if not said.nothing and run_id is None:
        raise click.UsageError("name the run that you speak of")
    with opened(store) as ledger:
        if said.nothing:
            found = list_feedback(ledger, run_id=run_id, limit=limit)
            _show(found, store, format_)
            return 0
        tables.prepare(ledger)
        assert run_id is not None
        try:
            kept = give_feedback(
                ledger, run_id, said, by=user_name(), tenant=tables.tenant_of(ledger, run_id)
            )
        except NothingKeptError as error:
            raise InputError(f"no run `{run_id}` in {store}, or its data was erased") from error
        except UnfitCorrectionError as error:
            raise InputError(f"--correction: {error}") from error
    _show((kept,), store, format_)
    return 0


def _show(found: tuple[Feedback, ...], store: str, format_: str) -> None:
    import json

    from ..transcript import shown

    if format_ == "json":
        import msgspec

        click.echo(json.dumps(msgspec.to_builtins(found), ensure_ascii=False, indent=2))
        return
    if not found:
        click.echo(f"nobody has said anything of the runs in {store}", err=True)
    for one in found:
        said = one.said
        mark = {"up": "↑", "down": "↓"}.get(said.thumb or "", "·")
        click.echo(f"{one.run_id}  {mark}  {shown(one.by, 60)}  {' '.join(said.labels)}".rstrip())
        if said.correction is not None:
            click.echo(f"  should be {shown(json.dumps(said.correction, ensure_ascii=False), 400)}")
        if said.comment:
            click.echo(f"  {shown(said.comment, 400)}")
