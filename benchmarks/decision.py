"""What one decision on a tool call costs, with 50 grants, against Cedar's for an equivalent policy.

    python benchmarks/decision.py [--repeats N]

Decided is a call as the model writes it: its arguments are JSON text, one argument is bound to the run's
input, two are limited. Ours parses that text strictly, finds the grant, checks the tool's schema, puts the
bound argument in, checks the whole again and then the limits. `cedarpy` is given a parsed request and a
policy set that was parsed before: 50 `permit` policies that name their action and limit the same two
arguments. `allow` and `deny` (an amount over the limit) are taken in turn; the ratio is that of both
together. `unknown` is a tool that is not granted.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from typing import Any

from support.figures import CannotMeasureError, finish, interleaved, main, medians
from support.world import ALLOWED, GRANTS, TOO_MUCH, call, program, source_map

from agentc_runtime.policy import Allowed, Policy
from agentc_runtime.refusals import Refusal

#: Decisions in one sample.
ROUNDS = 200


def ours() -> dict[str, Callable[[], object]]:
    """Our decisions on an allowed call, on one over a limit, and on a tool that is not there."""
    made = program(8080)
    policy = Policy(made, source_map(made))
    calls = {
        "allow": call("helpdesk_refund_07", ALLOWED, "call-1"),
        "deny": call("helpdesk_refund_07", TOO_MUCH, "call-2"),
        "unknown": call("helpdesk_purge", "{}", "call-3"),
    }
    if not isinstance(policy.decide(calls["allow"]), Allowed):
        raise CannotMeasureError("the call that should be allowed is not")
    if not all(isinstance(policy.decide(calls[name]), Refusal) for name in ("deny", "unknown")):
        raise CannotMeasureError("a call that should be refused is not")
    return {name: lambda one=one: policy.decide(one) for name, one in calls.items()}


def cedar() -> dict[str, Callable[[], object]]:
    """Cedar's decisions on the same, its policies and entities parsed once.

    Raises:
        CannotMeasureError: `cedarpy` is not installed, or decides otherwise.
    """
    try:
        import cedarpy
    except ImportError as error:
        raise CannotMeasureError("no `cedarpy`: pip install 'agentc[bench]'") from error
    limits = 'context.amount.lessThanOrEqual(decimal("50.0")) && context.currency == "EUR"'
    policies = cedarpy.PolicySet.from_str(
        "\n".join(
            f'permit(principal == Agent::"triage", action == Action::"refund_{number:02}", resource) '
            f"when {{ {limits} }};"
            for number in range(GRANTS)
        )
    )
    entities = cedarpy.Entities.from_json_str("[]")

    def request(amount: str) -> dict[str, Any]:
        context = {"amount": {"__extn": {"fn": "decimal", "arg": amount}}, "currency": "EUR"}
        return {
            "principal": 'Agent::"triage"',
            "action": 'Action::"refund_07"',
            "resource": 'Ticket::"T-1001"',
            "context": context,
        }

    asked = {"allow": request("12.5"), "deny": request("1250.0")}
    for name, one in asked.items():
        if cedarpy.is_authorized(one, policies, entities).allowed != (name == "allow"):
            raise CannotMeasureError(f"cedarpy does not decide `{name}` as it should")
    return {
        name: lambda one=one: cedarpy.is_authorized(one, policies, entities) for name, one in asked.items()
    }


def many(action: Callable[[], object]) -> Callable[[], None]:
    """The action `ROUNDS` times: one alone is shorter than the clock is exact."""

    def run() -> None:
        for _ in range(ROUNDS):
            action()

    return run


def measure(repeats: int) -> None:
    """Print the figures, in microseconds a decision."""
    actions = {f"{name}_us": many(action) for name, action in ours().items()}
    actions |= {f"cedar_{name}_us": many(action) for name, action in cedar().items()}
    found = {name: value * 1000 / ROUNDS for name, value in medians(interleaved(actions, repeats)).items()}
    ratio = (found["allow_us"] + found["deny_us"]) / (found["cedar_allow_us"] + found["cedar_deny_us"])
    for name, value in found.items():
        print(f"{name.removesuffix('_us'):<12} {value:8.2f} us")
    figures = {**found, "allow_ratio": found["allow_us"] / found["cedar_allow_us"], "grants": GRANTS}
    finish("decision", "cedarpy", ratio, "ratio <= 0.1, allow_us <= 5", {**figures, "repeats": repeats})


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--repeats", type=int, default=60)
    options = parser.parse_args()
    sys.exit(main(lambda: measure(options.repeats)))
