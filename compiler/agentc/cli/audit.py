"""`agentc audit`."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from . import InputError
from .options import text_or_json

if TYPE_CHECKING:
    from agentc_runtime.audit import AuditRecord

STORE = click.option(
    "--store",
    default=".agentc/runs.db",
    show_default=True,
    help="The database of runs: a file or postgresql://…",
)


@click.group("audit")
def command() -> None:
    """Verify and read the audit log.

    The log is append-only and each record holds the digest of the one before it.

    \b
    Example:
      agentc audit verify
    """


@command.command("verify")
@STORE
@click.option("--head", help="The head that was kept elsewhere; finds a log that was rewritten as a whole.")
@text_or_json("How the result is written.")
def verify(store: str, head: str | None, format_: str) -> int:
    """Find any edit, removal, insertion or reorder. Exit code 1: the log was changed.

    \b
    Example:
      agentc audit verify --store .agentc/runs.db
    """
    from agentc_runtime.audit import verify_audit
    from agentc_runtime.journal import StoreError

    try:
        if "://" in store:
            from agentc_runtime.durable.audits import verify_ledger

            from .runs import opened

            with opened(store) as ledger:
                report = verify_ledger(ledger, expect_head=head)
        else:
            report = verify_audit(_existing(store), expect_head=head)
    except StoreError as error:
        raise InputError(str(error)) from error
    if format_ == "json":
        click.echo(
            json.dumps(
                {
                    "ok": report.ok,
                    "records": report.records,
                    "head": report.head,
                    "problem": report.problem,
                    "at_seq": report.at_seq,
                }
            )
        )
    elif report.ok:
        click.echo(f"ok  {report.records} records  head {report.head}")
    else:
        click.echo(f"error: the audit log in `{store}` is not as it was written: {report.problem}", err=True)
    return 0 if report.ok else 1


@command.command("show")
@STORE
@click.option("--run", "run_id", help="Only the records of one run.")
@text_or_json("How records are written; json is one object a line.")
def show(store: str, run_id: str | None, format_: str) -> int:
    """Print the records, oldest first.

    \b
    Example:
      agentc audit show --format json
    """
    from agentc_runtime.audit import read_audit
    from agentc_runtime.journal import StoreError

    try:
        if "://" in store:
            from agentc_runtime.durable.audits import read_ledger

            from .runs import opened

            with opened(store) as ledger:
                _print(read_ledger(ledger, run_id), format_)
        else:
            _print(read_audit(_existing(store), run_id), format_)
    except StoreError as error:
        raise InputError(str(error)) from error
    return 0


def _as_json(record: AuditRecord) -> str:
    fields = {name: getattr(record, name) for name in ("seq", "time", "run_id", "kind", "payload")}
    return json.dumps(fields, ensure_ascii=False)


def _as_text(record: AuditRecord) -> str:
    payload = json.dumps(record.payload, ensure_ascii=True)
    return f"{record.seq:>6}  {record.time}  {record.run_id[-12:]}  {record.kind:<12} {payload}"


def _print(records: Iterable[AuditRecord], format_: str) -> None:
    for record in records:
        click.echo(_as_json(record) if format_ == "json" else _as_text(record))


def _existing(store: str) -> Path:
    path = Path(store)
    if not path.is_file():
        raise InputError(f"no run database at `{store}`: `agentc run` writes one, or name it with --store")
    return path
