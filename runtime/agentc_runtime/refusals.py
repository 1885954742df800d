"""What the runtime refuses, as data: one code a rule, the same in transcripts, audit log and docs.

`AR1` calls, `AR2` permissions, `AR3` egress, `AR4` responses, `AR5` limits of a run.
"""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from .bundle import Position


class RefusalRule(NamedTuple):
    """A rule of the runtime: its code, what it says, why it exists, and what to do about it."""

    code: str
    title: str
    why: str
    fix: str


_RULES = (
    RefusalRule(
        "AR101",
        "tool is not granted",
        "A tool that no permission set grants to the agent does not exist for it. Names are compared "
        "exactly.",
        "grant the tool in a PermissionSet of the agent, if the agent is meant to have it",
    ),
    RefusalRule(
        "AR102",
        "tool is not in this state's allowlist",
        "Each workflow state may call only the tools that it lists, so that a step which reads hostile text "
        "need not hold the tools of a later step.",
        "add the tool to the state's `tools`, or do this work in the state that has it",
    ),
    RefusalRule(
        "AR103",
        "arguments are not one JSON object",
        "Arguments must parse as exactly one JSON object without duplicate keys, NaN or Infinity. A lenient "
        "parser and the server might read two different calls.",
        "nothing to change in the specs: the model is told, and may try again",
    ),
    RefusalRule(
        "AR104",
        "arguments do not fit the tool's schema",
        "Only arguments that the tool's schema describes are sent. Unknown arguments are refused, "
        "not dropped.",
        "nothing to change in the specs: the model is told, and may try again",
    ),
    RefusalRule(
        "AR105",
        "argument is bound",
        "A bound argument is set by the spec. The model neither sees nor sets it.",
        "remove the argument from `bind` only if the model is meant to choose it",
    ),
    RefusalRule(
        "AR106",
        "bound value is missing",
        "A bound argument had no value at run time, so the call would go out without its limit.",
        "pass the session value that `bind` names, and make it required in the agent's session schema",
    ),
    RefusalRule(
        "AR107",
        "too many tool calls in one turn",
        "One model turn may carry out `limits.calls_per_turn` calls; the others are refused.",
        "raise `limits.calls_per_turn` if the agent really needs more",
    ),
    RefusalRule(
        "AR201",
        "argument is outside the grant's limits",
        "`where` limits what the grant allows. The call is refused before a request is built.",
        "widen `where` in the permission set, if the agent is meant to do this",
    ),
    RefusalRule(
        "AR202",
        "untrusted content may not cause this effect",
        "The model has read untrusted content in this state, and the permission set says "
        "`untrusted_to_effect: deny`.",
        "split the state so that only typed values cross, or ask for an approval instead",
    ),
    RefusalRule(
        "AR203",
        "quota of the run is used up",
        "`quota.per_run` bounds what one run can do, whatever the model was talked into.",
        "raise `quota.per_run`",
    ),
    RefusalRule(
        "AR204",
        "quota of the day is used up",
        "`quota.per_day` bounds what all runs of the agent can do in a UTC day.",
        "raise `quota.per_day`, or wait until the next UTC day",
    ),
    RefusalRule(
        "AR205",
        "approval was not given",
        "The call needs a person's approval and did not get it: it was rejected, or nobody could be asked.",
        "approve the call, run where somebody can be asked, or change `approval` in the permission set",
    ),
    RefusalRule(
        "AR206",
        "approval expired",
        "An approval that is not given within `approval.expires` counts as rejected.",
        "answer sooner, or raise `approval.expires`",
    ),
    RefusalRule(
        "AR207",
        "argument comes from elsewhere",
        "`from` says where the value of an argument has to stand word for word: in the user's request, the "
        "session, the spec, or what trusted tools have answered. Whoever writes what the model reads can't "
        "put an address of theirs into these.",
        "put the value into the request, or add the origin to `from` if the agent is meant to find it there",
    ),
    RefusalRule(
        "AR208",
        "approved call is not narrower",
        "Whoever approves a call may lower a number or take items out of a list. Any other change makes "
        "another call, which only the model can propose and the policy decide.",
        "approve the call as it is, or reject it and say in the reason what it should be",
    ),
    RefusalRule(
        "AR301",
        "destination is not in the bundle",
        "Requests go to the scheme, host and port of the tool's server, and nowhere else.",
        "declare the server in the environment's `variables`",
    ),
    RefusalRule(
        "AR302",
        "host resolves to a private address",
        "A public name that resolves to a loopback, link-local or private address is how an attacker reaches "
        "metadata services and internal systems.",
        "list the `host:port` in the environment's `private_hosts`, if the service is meant to be internal",
    ),
    RefusalRule(
        "AR303",
        "redirect is not followed",
        "A redirect would move the request, its credentials and its data off the plan.",
        "point the server at its final URL",
    ),
    RefusalRule(
        "AR304",
        "value would leave its place in the request",
        "A path value that is empty, `.` or `..`, or a header value with a line break, changes which request "
        "is sent.",
        "nothing to change in the specs: the model is told, and may try again",
    ),
    RefusalRule(
        "AR305",
        "next page is off the plan",
        "The service says where its next page is. A link to another origin or path, one that changes a "
        "parameter which the call has set, or a cursor that comes again would lead the call, with its "
        "credentials, somewhere that no grant names, or round in a circle.",
        "repair the tool's `pagination`, or the service: a next page differs from the first in query "
        "parameters that the document declares",
    ),
    RefusalRule(
        "AR401",
        "response is too large",
        "A response is read up to the tool's `output.max_bytes`, also after decompression.",
        "raise `output.max_bytes`, or ask the service for less",
    ),
    RefusalRule(
        "AR402",
        "response has an unexpected content type",
        "Only content types that the operation's OpenAPI response declares are read.",
        "correct the OpenAPI document, or the service",
    ),
    RefusalRule(
        "AR403",
        "response does not fit its schema",
        "A response that is not what the OpenAPI document promises is not given to the model.",
        "correct the OpenAPI document, or the service",
    ),
    RefusalRule(
        "AR404",
        "service answered with an error",
        "The service answered with a status that is not a success.",
        "see the status and the body in the transcript",
    ),
    RefusalRule(
        "AR405",
        "service did not answer in time",
        "The tool's `timeout` covers connecting, sending and reading.",
        "raise `timeout`, or look at the service",
    ),
    RefusalRule(
        "AR406",
        "service can't be reached",
        "The connection failed or broke.",
        "look at the service and at the environment's `variables`",
    ),
    RefusalRule(
        "AR407",
        "outcome of an effect is not known",
        "The request was sent and no answer came. Repeating it could do it twice.",
        "find out at the service whether it took effect; declare `idempotency` if the service supports keys",
    ),
    RefusalRule(
        "AR408",
        "call is held back",
        "The tool's rate limit is used up, or its circuit breaker is open after repeated failures.",
        "wait, or raise `rate`",
    ),
    RefusalRule(
        "AR501",
        "run is over a limit",
        "`limits` bounds steps, tokens, cost and time of a run.",
        "raise the limit that the message names",
    ),
    RefusalRule(
        "AR502",
        "model answer can't be used",
        "The model answered with nothing, with text that is not what the state's `output` schema asks "
        "for, or with tool calls that can't be read, and did so again after it was told.",
        "look at the transcript; a smaller `output` schema or another model may help",
    ),
    RefusalRule(
        "AR503",
        "model can't be reached",
        "The provider answered with an error or not at all, and so did each fallback.",
        "look at the provider's message in the transcript",
    ),
    RefusalRule(
        "AR504",
        "model may not see this data",
        "The data in this state's context is more sensitive than the model's `max_sensitivity`.",
        "use a model that is approved for the data, or do not read it in this state",
    ),
    RefusalRule(
        "AR505",
        "value does not fit its schema",
        "Input, session and output must satisfy the schemas that the agent declares.",
        "pass a value that fits, or change the schema",
    ),
    RefusalRule(
        "AR506",
        "secret is not set",
        "A secret that the call needs has no value in the environment.",
        "set the variable or file that the message names",
    ),
    RefusalRule(
        "AR507",
        "access token can't be had",
        "A call that needs an access token is made with one bearer token that has the scopes of the granted "
        "operations and no more. The token endpoint did not give one.",
        "look at the client's registration; scopes that the service adds on its own go into `extra_scopes`",
    ),
    RefusalRule(
        "AR508",
        "secret can't be read from Vault",
        "The Vault of the environment did not give a secret that the call needs. A value whose time is up is "
        "not used any more.",
        "look at what the message says: the token and its policies, the path, or whether Vault is sealed",
    ),
    RefusalRule(
        "AR509",
        "client certificate can't be used",
        "The secrets that hold a toolset's certificate and private key are not PEM that belongs together, or "
        "the key does not open with its password.",
        "look at the secrets that the toolset's `client_certificate` names",
    ),
    RefusalRule(
        "AR510",
        "state took too long",
        "A state with a `timeout` is stopped when its time is up. What was under way is recorded as unclear.",
        "raise the state's `timeout`, or give it a `catch` for `timeout`",
    ),
    RefusalRule(
        "AR511",
        "value is not verified",
        "A `verify` state lets a value pass that satisfies its schema and whose quotes stand in the sources.",
        "give the state a `catch` for `unverified` that repairs the value or hands over to a person",
    ),
    RefusalRule(
        "AR512",
        "retriever can't be asked",
        "A `retrieve` state asks the retriever that the deployer registered under its name, and takes no "
        "more from it than it asked for.",
        "register a retriever under this name where the bundle is run, or see why it failed",
    ),
    RefusalRule(
        "AR520",
        "tool is disabled",
        "An operator disabled the tool with `agentc disable`, for the reason that the message gives.",
        "`agentc enable` it when the reason is gone, or wait until it expires",
    ),
    RefusalRule(
        "AR521",
        "agent is disabled",
        "An operator disabled the agent with `agentc disable`. It begins no run, asks no model and calls no "
        "tool.",
        "`agentc enable` it when the reason is gone, or wait until it expires",
    ),
    RefusalRule(
        "AR522",
        "what is disabled is not known",
        "The switches of operators can't be read, so that nobody could stop what is done now. Nothing is "
        "done.",
        "look at the folder that `--control` names, and at its permissions",
    ),
    RefusalRule(
        "AR540",
        "budget is used up",
        "The runs of a session, a tenant or a day may cost so much together. A model turn is reserved at the "
        "most that it can cost, and not asked for when a budget might not hold it.",
        "wait until the next UTC day, raise the limit that the message names, or lower the model's "
        "`max_output_tokens`",
    ),
    RefusalRule(
        "AR541",
        "budget can't be kept",
        "What a turn costs, or whose budget it comes out of, is not known: the model has no prices, or the "
        "session lacks the field that says whose the run is.",
        "give the model `prices`, or pass the field that the message names in the session",
    ),
)

#: Every rule by its code.
RULES: dict[str, RefusalRule] = {rule.code: rule for rule in _RULES}


class Refusal(msgspec.Struct, frozen=True, kw_only=True):
    """A call or a run that was refused: the rule, the value that broke it, the spec line that governs it.

    `message` is one line, lower case, without a full stop. `value` never holds a secret.
    """

    code: str
    message: str
    value: object = None
    path: str = ""
    at: Position | None = None

    @property
    def title(self) -> str:
        """The title of the rule."""
        return RULES[self.code].title

    def as_data(self) -> dict[str, object]:
        """What the model is told: enough to try something else, nothing about the system's inside."""
        told: dict[str, object] = {"refused": self.code, "reason": self.message}
        if self.path:
            told["argument"] = self.path
        return told


class RefusedError(Exception):
    """Carries a `Refusal` up to the place that records it."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(f"{refusal.code} {refusal.message}")
        self.refusal = refusal
