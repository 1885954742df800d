"""A model turn inside the budgets of those who pay for it: no model is asked when one might not hold it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from decimal import Decimal

from ..budgets import Spending, units
from ..calls import answered
from ..models.cost import cost_usd, most_usd
from ..models.types import ModelError, ModelRequest, ModelResponse
from .context import Run


async def paid(
    run: Run, key: str, request: ModelRequest, ask: Callable[[], Awaitable[ModelResponse]]
) -> ModelResponse:
    """What `ask` answers, with the most that it can cost reserved before, and what it has cost counted after.

    A turn that the provider refused costs nothing. Of one that broke off it is not known, so all of it stays
    counted.

    Raises:
        RefusedError: AR540 a budget might not hold it, AR541 it can't be counted.
    """
    most = most_usd(request)
    reserved: list[Spending] = []
    cost: Decimal | None = Decimal(0)
    journal = run.services.journal
    try:
        for payer in run.payers:
            spending = payer.spending(run.run_id, key, request.model.alias, most)
            exceeded = await answered(journal.reserve(spending))
            if exceeded is not None:
                raise payer.used_up(exceeded, most or Decimal(0))
            reserved.append(spending)
        cost = None
        response = await ask()
        cost = cost_usd(request.model, response.usage)
        return response
    except ModelError as error:
        cost = Decimal(0) if error.free else None
        raise
    finally:
        if cost is not None:
            for spending in reserved:
                await answered(journal.spend(spending.run_id, spending.turn, units(cost)))
