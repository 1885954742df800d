"""What a store holds of past runs: what they were given, which calls were made, and how those ended."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import closing, suppress
from pathlib import Path
from typing import Protocol, TypeAlias

import msgspec

from .database import APPLICATION_ID, VERSION, open_readonly, reporting
from .journal import StoreError
from .labels import Label
from .ledger import Row
from .refusals import Refusal
from .said import COLUMNS, Said, said_of
from .strictjson import parse

_RUNS = (
    "SELECT run_id, agent, version, bundle, environment, input, session, started, status, ended, output,"
    " refusal FROM runs"
    " ORDER BY started, run_id"
)
_CALLS = "SELECT tool, day, arguments, claimed, outcome FROM calls WHERE run_id = ? ORDER BY id"
_STEPS = "SELECT state, outcome, time FROM steps WHERE run_id = ? AND status = 'succeeded' ORDER BY id"
_TURNS = "SELECT answer FROM turns WHERE run_id = ?"
_SAID = f"SELECT {COLUMNS} FROM feedback WHERE run_id = ? ORDER BY given, given_by"  # noqa: S608  ours
_REFUSED = "SELECT payload FROM audit WHERE run_id = ? AND kind = 'refused' ORDER BY seq"


class _Found(Protocol):
    def fetchall(self) -> list[Row]: ...


#: Carries out one statement; parameters stand as `?`.
Execute: TypeAlias = Callable[[str, tuple[object, ...]], _Found]


class Answered(msgspec.Struct, frozen=True, kw_only=True):
    """The accepted answer to a call, and whether a person had agreed to it."""

    value: object
    label: Label
    approved: bool = False


class PastCall(msgspec.Struct, frozen=True, kw_only=True):
    """A call that was let through.

    `arguments` are all of them with secrets taken out, or without `whole` those that the caller gave and no
    bound ones; `None` when they are not known. `day` is the UTC day whose quota it counts against, `claimed`
    when it was let through (RFC 3339), both empty and `state` `None` when that was not kept. `answer` is
    `None` when no answer was accepted, or it was not kept. `code` is the rule by which it failed.
    """

    tool: str
    arguments: dict[str, object] | None
    day: str = ""
    claimed: str = ""
    state: str | None = None
    whole: bool = True
    answer: Answered | None = None
    code: str | None = None


class PastRefusal(msgspec.Struct, frozen=True, kw_only=True):
    """A call that was refused by the rule `code`. `arguments` are the caller's as JSON, or `None`."""

    tool: str
    code: str
    state: str
    arguments: str | None = None


class PastStep(msgspec.Struct, frozen=True, kw_only=True):
    """A state that ended at `time` (RFC 3339) with an output."""

    state: str
    output: object
    time: str


class PastRun(msgspec.Struct, frozen=True, kw_only=True):
    """One run, and the calls of it in their order.

    `started` (RFC 3339) is empty, and `input` and `session` are `None`, when that was not kept. `refused` are
    the calls that did not go out, for whatever reason.

    `status` and `ended` are empty while it is under way; `refusal` is the rule by which it failed. `tokens`
    is known of durable runs only. `said` is what people have said of it, the oldest first.
    """

    run_id: str
    agent: str
    version: str
    bundle: str
    environment: str
    input: object
    session: object
    started: str
    calls: tuple[PastCall, ...]
    steps: tuple[PastStep, ...] = ()
    refused: tuple[PastRefusal, ...] = ()
    status: str = ""
    ended: str = ""
    output: object = None
    refusal: str | None = None
    tokens: int | None = None
    said: tuple[Said, ...] = ()


class _Usage(msgspec.Struct):
    input: int
    output: int


class _Response(msgspec.Struct):
    usage: _Usage


class _Turn(msgspec.Struct):
    response: _Response


class _Refused(msgspec.Struct):
    tool: str
    state: str
    refusal: Refusal


def read_runs(path: Path) -> Iterator[PastRun]:
    """The runs in the store at `path`, oldest first. A run that is under way is there as far as it has come.

    Raises:
        StoreError: the file can't be opened, is no store of this version, or holds what no run has left.
    """
    with reporting(path), closing(open_readonly(path)) as connection:
        # One snapshot, so that a run and its calls belong together.
        connection.execute("BEGIN")
        _known(connection, path)
        found = connection.execute("SELECT name FROM sqlite_master WHERE name IN ('turns', 'feedback')")
        yield from runs_in(connection.execute, str(path), {str(one) for (one,) in found.fetchall()})


def runs_in(
    execute: Execute, name: str, tables: Collection[str] = ("turns", "feedback")
) -> Iterator[PastRun]:
    """The same for a store in any database, whose statements `execute` carries out in one transaction.

    `tables` are those it has of what not every store has.

    Raises:
        StoreError: it holds what no run has left. `name` is that of the store.
    """
    for row in execute(_RUNS, ()).fetchall():
        yield _run(execute, row, name, tables)


def _known(connection: sqlite3.Connection, path: Path) -> None:
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if application != APPLICATION_ID:
        raise StoreError("this is no agentc store: name the database that `agentc run` wrote", str(path))
    if version != VERSION:
        message = f"store of version {version}, and this agentc knows {VERSION}: use the agentc that wrote it"
        raise StoreError(message, str(path))


def _run(execute: Execute, row: Row, name: str, tables: Collection[str]) -> PastRun:
    run_id, agent, version, bundle, environment, input_, session, started, *end = row
    status, ended, output, refusal = end
    try:
        return msgspec.convert(
            {
                "run_id": run_id,
                "agent": agent,
                "version": version,
                "bundle": bundle,
                "environment": environment,
                "input": _json(input_),
                "session": _json(session),
                "started": started,
                "calls": [_call(call) for call in execute(_CALLS, (run_id,)).fetchall()],
                "steps": [
                    {"state": state, "output": _json(outcome), "time": time}
                    for state, outcome, time in execute(_STEPS, (run_id,)).fetchall()
                ],
                "refused": [
                    refused
                    for (payload,) in execute(_REFUSED, (run_id,)).fetchall()
                    if (refused := _refused(payload)) is not None
                ],
                "status": "" if ended is None else status,
                "ended": ended or "",
                "output": None if output is None else _json(output),
                "refusal": _code(refusal),
                "tokens": _tokens(execute(_TURNS, (run_id,)).fetchall()) if "turns" in tables else None,
                "said": [said_of(*said) for said in execute(_SAID, (run_id,)).fetchall()]
                if "feedback" in tables
                else [],
            },
            PastRun,
        )
    except (msgspec.ValidationError, TypeError, ValueError, RecursionError) as error:
        message = f"run `{run_id!s:.60}` is damaged: {str(error)[:200]}; run `agentc audit verify`"
        raise StoreError(message, name) from error


def _call(row: Row) -> dict[str, object]:
    tool, day, arguments, claimed, outcome = row
    answer = None if outcome is None else _json(outcome)
    code = None
    if isinstance(answer, Mapping) and "code" in answer:  # a refusal
        code, answer = answer["code"], None
    return {
        "tool": tool,
        "day": day,
        "arguments": _json(arguments),
        "claimed": claimed,
        "answer": answer,
        "code": code,
    }


def _code(refusal: object) -> object:
    told = None if refusal is None else _json(refusal)
    return told.get("code") if isinstance(told, Mapping) else None


def _tokens(answers: list[Row]) -> int | None:
    """What the kept turns have used; other steps are kept beside them."""
    found: list[int] = []
    for (answer,) in answers:
        with suppress(msgspec.DecodeError):
            usage = msgspec.json.decode(str(answer), type=_Turn).response.usage
            found.append(usage.input + usage.output)
    return sum(found) if found else None


def _refused(payload: object) -> dict[str, object] | None:
    """A call that was not sent; one that failed after that is among the calls."""
    record = msgspec.convert(_json(payload), _Refused)
    if was_sent(record.refusal.code):
        return None
    return {"tool": record.tool, "code": record.refusal.code, "state": record.state}


def was_sent(code: str) -> bool:
    """Whether a call that ended in this refusal had been let through and sent before."""
    return code.startswith("AR4") and code != "AR408"


def _json(text: object) -> object:
    if not isinstance(text, str):
        raise TypeError("a column is no text")
    return parse(text)
