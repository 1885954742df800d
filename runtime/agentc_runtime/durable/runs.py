"""Durable runs as they are kept: what they run, where they are, and what they wait for."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Final, Literal, NamedTuple

import msgspec

from ..archive import pack
from ..calls import Parked
from ..journal import StoreError
from ..ledger import Ledger, Transaction, as_text, insert_step, log
from ..refusals import Refusal
from ..verify import Bundle, BundleError, load_archive

OVER: Final = frozenset({"succeeded", "failed", "cancelled"})
#: How many processes may end while they carry a run out, without its getting any further.
MOST_DEATHS: Final = 10
_DEATH: Final = "died:"


class Begun(NamedTuple):
    """A run that a process has taken up. `used_ms` is how long it has been worked on before.

    `attempts` is the number of this time. Whoever has a lower one has lost the run: see `held`.
    """

    bundle: str
    environment: str
    input: object
    session: object
    used_ms: int
    attempts: int


class Step(NamedTuple):
    """A state that ended."""

    step: int
    state: str
    outcome: object


def create_run(
    ledger: Ledger,
    bundle: Bundle,
    run_id: str,
    *,
    environment: str,
    input: object,  # noqa: A002  the name in the language
    session: object,
    handed: bool,
    also: Callable[[Transaction], None] = lambda _: None,
) -> None:
    """Keep a run that is to be run, with its bundle. Its values are redacted before they come here.

    One that is not `handed` to the engine by its maker is left to a worker. `also` keeps, in the same
    transaction, what somebody else knows of the run.

    Raises:
        StoreError: it can't be kept.
    """
    if bundle.environment_file is not None:
        # whoever takes the run up would read the bundle as it was built
        told = f"its bundle is narrowed by `{bundle.environment_file}`, which durable runs can't keep"
        raise StoreError(told, ledger.name)
    agent = bundle.program.agent
    started = {
        "agent": agent.name,
        "version": agent.version,
        "bundle": bundle.digest,
        "environment": environment,
    }
    with ledger.transaction() as within:
        kept = within.execute("SELECT 1 FROM bundles WHERE digest = ?", (bundle.digest,)).fetchone()
        if kept is None:
            within.execute(
                "INSERT INTO bundles (digest, agent, version, content, stored) VALUES (?, ?, ?, ?, ?)"
                " ON CONFLICT DO NOTHING",
                (bundle.digest, agent.name, agent.version, pack(bundle.files), within.now),
            )
        within.execute(
            "INSERT INTO runs (run_id, agent, version, bundle, environment, input, session, status, started)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                run_id,
                agent.name,
                agent.version,
                bundle.digest,
                environment,
                as_text(input),
                as_text(session),
                "running" if handed else "queued",
                within.now,
            ),
        )
        within.execute(
            "INSERT INTO durable_runs (run_id, why, attempts, used_ms, woken, handed, pinned)"
            " VALUES (?, '', ?, 0, 0, ?, ?)",
            (run_id, 1 if handed else 0, 1 if handed else 0, bundle.digest),
        )
        also(within)
        log(within, run_id, "run_started", started)


def begin_run(ledger: Ledger, run_id: str) -> Begun | None:
    """Take the run up; nothing when it is over, or not to be run now.

    One whose processes have died `MOST_DEATHS` times without getting any further is not run again by itself:
    it may be what ends them, and would end all others.
    """
    with ledger.transaction() as within:
        status = held_status(within, run_id)
        if status not in ("queued", "running"):
            return None
        if status == "running" and (deaths := _died(within, run_id)) >= MOST_DEATHS:
            why = (
                f"{deaths} processes died or were stopped while they carried it out, and it got no further: "
                "see what ends them, and let it go on with `agentc runs resume`"
            )
            within.execute("UPDATE runs SET status = 'needs_attention' WHERE run_id = ?", (run_id,))
            within.execute("UPDATE durable_runs SET why = ? WHERE run_id = ?", (why, run_id))
            within.execute("DELETE FROM run_events WHERE run_id = ? AND event LIKE ?", (run_id, f"{_DEATH}%"))
            log(within, run_id, "needs_attention", {"why": why})
            return None
        within.execute("UPDATE runs SET status = 'running' WHERE run_id = ?", (run_id,))
        within.execute(
            "UPDATE durable_runs SET why = '', attempts = attempts + 1, woken = 0, handed = 1"
            " WHERE run_id = ?",
            (run_id,),
        )
        return _begun(within, run_id, ledger.name)[1]


def _died(within: Transaction, run_id: str) -> int:
    """Note that whoever carried the run out did not come to its end; how often that was so at this point."""
    row = within.execute(
        "SELECT (SELECT count(*) FROM turns t WHERE t.run_id = d.run_id),"
        " (SELECT count(*) FROM steps s WHERE s.run_id = d.run_id),"
        " (SELECT count(*) FROM calls c WHERE c.run_id = d.run_id AND c.settled IS NOT NULL), d.attempts"
        " FROM durable_runs d WHERE d.run_id = ?",
        (run_id,),
    ).fetchone()
    if row is None:
        return 0
    *done, attempts = row
    here = f"{_DEATH}{'-'.join(map(str, done))}:"
    within.execute(
        "INSERT INTO run_events (run_id, event) VALUES (?, ?) ON CONFLICT DO NOTHING",
        (run_id, f"{here}{attempts}"),
    )
    counted = within.execute(
        "SELECT count(*) FROM run_events WHERE run_id = ? AND event LIKE ?", (run_id, f"{here}%")
    ).fetchone()
    return 0 if counted is None else int(str(counted[0]))


def made_here(ledger: Ledger, run_id: str) -> Begun | None:
    """A run that this process has kept as taken up; nothing when it was cancelled while it waited here."""
    with ledger.transaction() as within:
        status, begun = _begun(within, run_id, ledger.name)
        return begun if status == "running" else None


def _begun(within: Transaction, run_id: str, where: str) -> tuple[object, Begun]:
    """The status of a run, and the run."""
    found = within.execute(
        "SELECT r.status, r.bundle, r.environment, r.input, r.session, d.used_ms, d.attempts"
        " FROM runs r JOIN durable_runs d ON d.run_id = r.run_id WHERE r.run_id = ?",
        (run_id,),
    ).fetchone()
    if found is None:
        raise StoreError(f"run `{run_id}` is no durable run", where)
    status, bundle, environment, given, session, used_ms, attempts = found
    return status, Begun(
        str(bundle),
        str(environment),
        json.loads(str(given)),
        json.loads(str(session)),
        int(str(used_ms)),
        int(str(attempts)),
    )


def queue_run(ledger: Ledger, run_id: str, *, handed: bool) -> None:
    """Let a run that has stopped go on when a process takes it up: a worker, unless it is `handed` to one."""
    with ledger.transaction() as within:
        within.execute(
            "UPDATE runs SET status = 'queued' WHERE run_id = ? AND status IN ('waiting', 'needs_attention')",
            (run_id,),
        )
        within.execute("UPDATE durable_runs SET handed = ? WHERE run_id = ?", (1 if handed else 0, run_id))


def held_status(within: Transaction, run_id: str) -> str | None:
    """The status of a run, which nobody else changes until the transaction is over.

    Whoever changes several rows of a run begins with this one, so that no two wait for each other.
    """
    row = within.execute(
        f"SELECT status FROM runs WHERE run_id = ?{within.holding}",  # noqa: S608  ours
        (run_id,),
    ).fetchone()
    return None if row is None else str(row[0])


def held(within: Transaction, run_id: str, attempt: int) -> None:
    """Make sure that the run is to be run, and by nobody else than who took it up as `attempt`.

    Raises:
        Parked: it is not.
    """
    row = within.execute(
        "SELECT r.status, d.attempts FROM runs r JOIN durable_runs d ON d.run_id = r.run_id"  # noqa: S608  ours
        f" WHERE r.run_id = ?{within.holding}",
        (run_id,),
    ).fetchone()
    if row is None or row[0] != "running":
        raise Parked("stopped", "the run was stopped")
    if row[1] != attempt:
        raise Parked("stopped", "another process carries out this run")


def standing(ledger: Ledger, run_id: str, attempt: int) -> Literal["ours", "stopped", "lost"]:
    """Whether the run is to be run by who took it up as `attempt`, by nobody now, or by another process."""
    with ledger.transaction() as within:
        row = within.execute(
            "SELECT r.status, d.attempts FROM runs r JOIN durable_runs d ON d.run_id = r.run_id"
            " WHERE r.run_id = ?",
            (run_id,),
        ).fetchone()
    if row is None or row[1] != attempt:
        return "lost"
    return "ours" if row[0] == "running" else "stopped"


def count_time(ledger: Ledger, run_id: str, attempt: int, milliseconds: int) -> None:
    """Count time that the run was worked on, so that it is not lost with the process that does it."""
    with ledger.transaction() as within:
        within.execute(
            "UPDATE durable_runs SET used_ms = used_ms + ? WHERE run_id = ? AND attempts = ?",
            (milliseconds, run_id, attempt),
        )


def wake_run(within: Transaction, run_id: str) -> None:
    """Something has happened that the run may wait for: let it go on, now or once it has stopped."""
    waits = within.execute(
        "UPDATE runs SET status = 'queued' WHERE run_id = ? AND status = 'waiting'", (run_id,)
    )
    handed = ", handed = 0" if waits.rowcount else ""
    within.execute(f"UPDATE durable_runs SET woken = 1{handed} WHERE run_id = ?", (run_id,))  # noqa: S608


def park_run(ledger: Ledger, run_id: str, parked: Parked, used_ms: int) -> None:
    """The run stops and is not over. What has happened meanwhile lets it go on at once."""
    if parked.status == "stopped":
        return
    with ledger.transaction() as within:
        if held_status(within, run_id) != "running":
            return
        row = within.execute("SELECT woken FROM durable_runs WHERE run_id = ?", (run_id,)).fetchone()
        woken = row is not None and row[0] == 1 and parked.status == "waiting"
        status = "queued" if woken else parked.status
        within.execute("UPDATE runs SET status = ? WHERE run_id = ?", (status, run_id))
        within.execute(
            "UPDATE durable_runs SET why = ?, used_ms = used_ms + ?, handed = ? WHERE run_id = ?",
            ("" if woken else parked.why, used_ms, 0 if woken else 1, run_id),
        )
        if parked.status == "needs_attention":
            log(within, run_id, "needs_attention", {"why": parked.why})


def end_run(
    within: Transaction,
    run_id: str,
    status: str,
    output: object,
    refusal: Refusal | None,
    said: Mapping[str, object] | None = None,
) -> bool:
    """The run is over, and holds its bundle no more. One that is over already stays as it is.

    `said` is what else the record of it says.
    """
    refused = None if refusal is None else msgspec.to_builtins(refusal)
    changed = within.execute(
        "UPDATE runs SET status = ?, ended = ?, output = ?, refusal = ? WHERE run_id = ? AND ended IS NULL",
        (status, within.now, as_text(output), as_text(refused), run_id),
    )
    if changed.rowcount != 1:
        return False
    within.execute("UPDATE durable_runs SET why = '', pinned = NULL WHERE run_id = ?", (run_id,))
    within.execute("UPDATE approvals SET status = 'void' WHERE run_id = ? AND status = 'pending'", (run_id,))
    log(within, run_id, "run_ended", {"status": status, "refusal": refused, **(said or {})})
    return True


def keep_turns(within: Transaction, run_id: str, turns: list[tuple[str, str]]) -> None:
    """Keep what models, retrievers and timers answered, by the key of the step."""
    for step, answer in turns:
        within.execute("INSERT INTO turns (run_id, step, answer) VALUES (?, ?, ?)", (run_id, step, answer))


def turns_of(ledger: Ledger, run_id: str) -> dict[str, str]:
    """What was kept of the run's steps, by key."""
    with ledger.transaction() as within:
        rows = within.execute("SELECT step, answer FROM turns WHERE run_id = ?", (run_id,)).fetchall()
    return {str(step): str(answer) for step, answer in rows}


def keep_steps(within: Transaction, run_id: str, steps: list[Step]) -> None:
    """Keep how states ended."""
    for step, state, outcome in steps:
        insert_step(within, run_id, step, state, outcome)


def stored_bundle(ledger: Ledger, digest: str) -> Bundle:
    """The bundle that was kept under this digest, verified again.

    Raises:
        StoreError: it is not there, or is another one.
    """
    with ledger.transaction() as within:
        row = within.execute("SELECT content FROM bundles WHERE digest = ?", (digest,)).fetchone()
    if row is None:
        raise StoreError(f"bundle {digest[:12]} is not in the store", ledger.name)
    content = row[0]
    try:
        bundle = load_archive(content if isinstance(content, bytes) else b"")
    except BundleError as error:
        raise StoreError(f"bundle {digest[:12]} is damaged: {error}", ledger.name) from error
    if bundle.digest != digest:
        raise StoreError(f"bundle {digest[:12]} was exchanged for {bundle.digest[:12]}", ledger.name)
    return bundle
