"""What people say of runs: a thumb, what should have come out, labels. It goes with what is kept of a run."""

from __future__ import annotations

import msgspec

from ..interpret.answers import findings, listed
from ..ledger import Ledger, Row, as_text
from ..said import COLUMNS, Said, Thumb, said_of
from .runs import stored_bundle

_COLUMNS = f"f.run_id, r.agent, f.given_by, f.given, {COLUMNS}"


class Feedback(msgspec.Struct, frozen=True, kw_only=True):
    """What was said of a run, by whom and when (RFC 3339)."""

    run_id: str
    agent: str
    by: str
    time: str
    said: Said


class NothingKeptError(Exception):
    """There is no such run in the store, or what was kept of it was erased."""


class UnfitCorrectionError(ValueError):
    """A correction that the agent could not give either. The message is one line."""


def give_feedback(ledger: Ledger, run_id: str, said: Said, *, by: str, tenant: str = "") -> Feedback:
    """Keep what `by` of a tenant says of a run. Each has one word on a run: the last one counts.

    Raises:
        NothingKeptError: there is no such run, or its data was erased: nothing about it is kept any more.
        UnfitCorrectionError: the correction does not fit the output schema of the run's bundle. Without the
            bundle, which is collected some time after its last run, nobody can tell.
        StoreError: it can't be kept.
    """
    if said.correction is not None:
        _check(ledger, run_id, said.correction)
    with ledger.transaction() as within:
        row = within.execute(
            f"SELECT agent FROM runs WHERE run_id = ? AND input <> 'null'{within.holding}",  # noqa: S608
            (run_id,),
        ).fetchone()
        if row is None:
            raise NothingKeptError(run_id)
        labels = tuple(dict.fromkeys(said.labels))
        same = within.execute(
            f"SELECT {_COLUMNS} FROM feedback f JOIN runs r ON r.run_id = f.run_id"  # noqa: S608
            " WHERE f.run_id = ? AND f.tenant = ? AND f.given_by = ?",
            (run_id, tenant, by),
        ).fetchone()
        told = msgspec.structs.replace(said, labels=labels)
        if same is not None and _feedback(same).said == told:
            return _feedback(same)
        within.execute(
            "INSERT INTO feedback (run_id, tenant, given_by, given, thumb, correction, labels, comment)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (run_id, tenant, given_by) DO UPDATE SET"
            " given = excluded.given, thumb = excluded.thumb, correction = excluded.correction,"
            " labels = excluded.labels, comment = excluded.comment",
            (
                run_id,
                tenant,
                by,
                within.now,
                told.thumb,
                as_text(told.correction),
                as_text(labels),
                told.comment,
            ),
        )
        return Feedback(run_id=run_id, agent=str(row[0]), by=by, time=within.now, said=told)


def _check(ledger: Ledger, run_id: str, correction: object) -> None:
    with ledger.transaction() as within:
        row = within.execute(
            "SELECT b.digest FROM runs r JOIN bundles b ON b.digest = r.bundle WHERE r.run_id = ?", (run_id,)
        ).fetchone()
    if row is None:
        return
    program = stored_bundle(ledger, str(row[0])).program
    found = findings(correction, program.output)
    if found:
        told = f"the correction is no output of agent `{program.agent.name}`: {listed(found)}"
        raise UnfitCorrectionError(told)


def withdraw_feedback(ledger: Ledger, run_id: str, *, by: str, tenant: str = "") -> bool:
    """Forget what `by` has said of a run; whether there was anything."""
    with ledger.transaction() as within:
        return (
            within.execute(
                "DELETE FROM feedback WHERE run_id = ? AND tenant = ? AND given_by = ?", (run_id, tenant, by)
            ).rowcount
            == 1
        )


def list_feedback(
    ledger: Ledger,
    *,
    tenant: str | None = None,
    run_id: str | None = None,
    by: str | None = None,
    agent: str | None = None,
    thumb: Thumb | None = None,
    before: str | None = None,
    limit: int = 50,
) -> tuple[Feedback, ...]:
    """What people have said, of the newest runs first. What is `None` is no condition.

    `before` is the id of a run: ids order by the second in which runs were begun. What was said of one run
    stands together, and a list is never cut between its parts.
    """
    conditions, parameters = ["1 = 1"], list[object]()
    for column, value in (
        ("f.tenant = ?", tenant),
        ("f.run_id = ?", run_id),
        ("f.given_by = ?", by),
        ("r.agent = ?", agent),
        ("f.thumb = ?", thumb),
        ("f.run_id < ?", before),
    ):
        if value is not None:
            conditions.append(column)
            parameters.append(value)
    where = " AND ".join(conditions)
    # the conditions are those above, with parameters
    sql = (
        f"SELECT {_COLUMNS} FROM feedback f JOIN runs r ON r.run_id = f.run_id WHERE {where}"  # noqa: S608
        f" AND f.run_id IN (SELECT DISTINCT f.run_id FROM feedback f JOIN runs r ON r.run_id = f.run_id"
        f" WHERE {where} ORDER BY f.run_id DESC LIMIT ?) ORDER BY f.run_id DESC, f.given, f.given_by"
    )
    with ledger.transaction() as within:
        rows = within.execute(sql, (*parameters, *parameters, limit)).fetchall()
    return tuple(_feedback(row) for row in rows)


def _feedback(row: Row) -> Feedback:
    run_id, agent, by, given, *said = row
    return Feedback(run_id=str(run_id), agent=str(agent), by=str(by), time=str(given), said=said_of(*said))
