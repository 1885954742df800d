"""A model turn inside the budgets of those who pay for it: no model is asked when one might not hold it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from decimal import Decimal
from typing import Final, TypeAlias

from ..budgets import Payer, Spending, units
from ..calls import answered
from ..models.cost import cost_usd, most_usd
from ..models.types import ModelError, ModelRequest, ModelResponse
from .context import Run

Pay: TypeAlias = Callable[[ModelResponse], ModelResponse]


def paid(run: Run, key: str, request: ModelRequest) -> AbstractAsyncContextManager[Pay]:
    """Reserve the most that the turn can cost, and in the end count what it has cost.

    A turn that the provider refused costs nothing. Of one that broke off it is not known, so all of it stays
    counted.

    Raises:
        RefusedError: AR540 a budget might not hold it, AR541 it can't be counted.
    """
    payers = [payer for payer in run.payers if payer.limited]
    return _paid(run, key, request, payers) if payers else _NOBODY


@asynccontextmanager
async def _paid(run: Run, key: str, request: ModelRequest, payers: list[Payer]) -> AsyncIterator[Pay]:
    most = most_usd(request)
    reserved: list[Spending] = []
    charged: list[ModelResponse] = []

    def pay(response: ModelResponse) -> ModelResponse:
        charged.append(response)
        return response

    journal, nothing = run.services.journal, True
    try:
        for payer in payers:
            spending = payer.spending(run.run_id, key, request.model.alias, most)
            exceeded = await answered(journal.reserve(spending))
            if exceeded is not None:
                raise payer.used_up(exceeded, most or Decimal(0))
            reserved.append(spending)
        nothing = False
        yield pay
    except ModelError as error:
        nothing = error.free
        raise
    finally:
        cost = cost_usd(request.model, charged[0].usage) if charged else Decimal(0) if nothing else None
        if cost is not None:
            for spending in reserved:
                await answered(journal.spend(spending.run_id, spending.turn, units(cost)))


def _unpaid(response: ModelResponse) -> ModelResponse:
    return response


_NOBODY: Final = nullcontext(_unpaid)
