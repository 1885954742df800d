"""A new durable run, kept before anybody carries it out."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ..ledger import Ledger, Transaction
from ..refusals import RefusedError
from ..run import new_run_id, unfit
from ..secrets import Secrets
from ..verify import Bundle
from . import runs


def keep_run(
    ledger: Ledger,
    bundle: Bundle,
    environ: Mapping[str, str],
    *,
    environment: str,
    input: object,  # noqa: A002  the name in the language
    session: object,
    handed: bool,
    also: Callable[[Transaction, str], None] = lambda _, run_id: None,
) -> str:
    """Keep a new run, and give its id. One that is not `handed` to the engine here is left to a worker.

    `also` keeps, in the same transaction, what somebody else knows of the run with the id that it is given.

    Raises:
        RefusedError: AR505 the environment, the input or the session is not fit for it.
        StoreError: it can't be kept.
    """
    refusal = unfit(bundle, environment, input, session)
    if refusal is not None:
        raise RefusedError(refusal)
    run_id = new_run_id()
    secrets = Secrets(bundle.program.environments[environment], environ)
    runs.create_run(
        ledger,
        bundle,
        run_id,
        environment=environment,
        input=secrets.redact_data(input),
        session=secrets.redact_data(session),
        handed=handed,
        also=lambda within: also(within, run_id),
    )
    return run_id
