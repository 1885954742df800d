"""`agentc audit`."""

from __future__ import annotations

import json
from collections.abc import Iterable
from contextlib import ExitStack
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
@click.option(
    "--export",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Check a file that `agentc audit export` wrote, in place of a store.",
)
@text_or_json("How the result is written.")
def verify(store: str, head: str | None, export: Path | None, format_: str) -> int:
    """Find any edit, removal, insertion or reorder. Exit code 1: the log was changed.

    A missing end is found by --head alone: keep what `verify` or `export` prints somewhere else.

    \b
    Example:
      agentc audit verify --store .agentc/runs.db
    """
    from agentc_runtime.audit import verify_audit
    from agentc_runtime.journal import StoreError

    try:
        if export is not None:
            from agentc_runtime.exporting import verify_export

            store = str(export)
            with export.open("rb") as lines:
                report = verify_export(lines, expect_head=head)
        elif "://" in store:
            from agentc_runtime.durable.audits import verify_ledger

            from .runs import opened

            with opened(store) as ledger:
                report = verify_ledger(ledger, expect_head=head)
        else:
            report = verify_audit(_existing(store), expect_head=head)
    except StoreError as error:
        raise InputError(str(error)) from error
    except OSError as error:
        raise InputError(f"can't read `{export}`: {error.strerror}") from error
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


@command.command("export")
@STORE
@click.option(
    "--out", required=True, type=click.Path(dir_okay=False, path_type=Path), help="The file to write."
)
def export(store: str, out: Path) -> int:
    """Write the whole log as JSON lines that carry their chain, and check it on the way.

    Whoever has the file checks it with `agentc audit verify --export`, without the store. Exit code 1: the
    log was changed; nothing is written then.

    \b
    Example:
      agentc audit export --store .agentc/runs.db --out audit.jsonl
    """
    from agentc_runtime.audit import read_rows
    from agentc_runtime.chain import Chain
    from agentc_runtime.exporting import BrokenLogError, exported
    from agentc_runtime.journal import StoreError

    chain, unfinished = Chain(), out.with_name(f"{out.name}.part")
    try:
        with ExitStack() as stack:
            if "://" in store:
                from agentc_runtime.durable.audits import ledger_rows

                from .runs import opened

                records = ledger_rows(stack.enter_context(opened(store)))
            else:
                records = read_rows(_existing(store))
            with unfinished.open("wb") as target:
                target.writelines(exported(records, chain))
        unfinished.replace(out)
    except StoreError as error:
        raise InputError(str(error)) from error
    except OSError as error:
        raise InputError(f"can't write `{out}`: {error.strerror}") from error
    except BrokenLogError as error:
        click.echo(f"error: the audit log in `{store}` is not as it was written: {error}", err=True)
        return 1
    finally:
        unfinished.unlink(missing_ok=True)
    click.echo(f"{out.as_posix()}  {chain.count} records  head {chain.head.hex()}")
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
