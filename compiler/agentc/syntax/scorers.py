"""What a kind `Eval` measures of a run: one model for each scorer."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import ConfigDict, Field, JsonValue, Strict, StringConstraints

from .common import Bool, Closed, Duration, JsonSchema, Money, Name, NonEmpty, PositiveInt, ToolName

Count: TypeAlias = Annotated[int, Strict(), Field(ge=0)]
Share: TypeAlias = Annotated[float, Field(ge=0, le=1)]
#: `${output}`, `${output.summary}`, `${states.write.output.text}`.
Seen: TypeAlias = Annotated[
    str,
    StringConstraints(
        pattern=r"^\$\{(output|states\.[a-z][a-z0-9_-]{0,62}\.output)(\.[A-Za-z0-9_-]+)*\}$", max_length=500
    ),
]
Language: TypeAlias = Literal[
    "arabic", "chinese", "czech", "danish", "dutch", "english", "esperanto", "finnish", "french", "german",
    "hindi", "hungarian", "italian", "japanese", "korean", "norwegian", "persian", "polish", "portuguese",
    "russian", "spanish", "swedish", "thai", "turkish",
]  # fmt: skip
RefusalCode: TypeAlias = Annotated[str, StringConstraints(pattern=r"^AR[0-9]{3}$")]


class _Scorer(Closed):
    model_config = ConfigDict(populate_by_name=True)

    name: Name | None = None
    """What it is called in reports. Left out: its type."""
    required: Bool = True
    """Whether a case fails when this does; otherwise it only measures."""


class _OfText(_Scorer):
    of: Seen = "${output}"
    """The value that is looked at, as a `${…}` reference to the output or that of a state. JSON stands for
    what is no text."""


class SchemaScorer(_OfText):
    """The value satisfies a JSON Schema: the predicate language of the specs."""

    type: Literal["schema"]
    """`schema`."""
    schema_: Annotated[JsonSchema, Field(alias="schema")]
    """The schema. Keys of objects that it does not name may be there."""


class ExactScorer(_OfText):
    """The value is equal to the expected one."""

    type: Literal["exact"]
    """`exact`."""
    value: JsonValue = None
    """What it has to be. Left out: what the case says under `expected`. Of two objects only the keys that
    stand here are compared."""


class ContainsScorer(_OfText):
    """The text contains others."""

    type: Literal["contains"]
    """`contains`."""
    all: tuple[NonEmpty, ...] = ()
    """Texts that all have to stand in it."""
    any: tuple[NonEmpty, ...] = ()
    """Texts of which one has to stand in it."""
    none: tuple[NonEmpty, ...] = ()
    """Texts that must not stand in it."""
    ignore_case: Bool = True
    """Whether upper and lower case are the same."""


class RegexScorer(_OfText):
    """The whole text matches a pattern, in linear time."""

    type: Literal["regex"]
    """`regex`."""
    pattern: NonEmpty
    """An anchored ECMA pattern without look-around, as everywhere in the specs."""


class NumberScorer(_OfText):
    """The number is near the expected one."""

    type: Literal["number"]
    """`number`."""
    value: float | None = None
    """What it should be. Left out: what the case says under `expected`."""
    tolerance: Annotated[float, Field(ge=0)] = 0
    """How far off it may be."""
    relative: Share = 0
    """How far off it may be as a share of the expected one; the larger of both counts."""


class SimilarityScorer(_OfText):
    """The text is like the expected one, by edits and by words (rapidfuzz)."""

    type: Literal["similarity"]
    """`similarity`."""
    value: NonEmpty | None = None
    """What it should be like. Left out: what the case says under `expected`."""
    method: Literal["edits", "words", "part"] = "words"
    """`edits`: the share of characters that stay. `words`: the same with words sorted, each once. `part`: the
    most similar part of the longer text."""
    threshold: Share = 0.8
    """The least similarity, from 0 to 1."""


class ExpectedCall(Closed):
    """A call that has to be there, or must not."""

    tool: ToolName
    """The tool."""
    arguments: dict[str, JsonSchema] = {}
    """Argument → the schema that it satisfies, those that a grant binds included."""
    min: Count = 1
    """How often at least."""
    max: Count | None = None
    """How often at most."""


class ToolsScorer(_Scorer):
    """The calls of tools that were made and accepted."""

    type: Literal["tools"]
    """`tools`."""
    called: tuple[ToolName, ...] = ()
    """Tools that have to be called."""
    not_called: tuple[ToolName, ...] = ()
    """Tools that must not be called, not even in vain."""
    only: tuple[ToolName, ...] | None = None
    """The tools that may be called."""
    order: tuple[ToolName, ...] = ()
    """Tools that have to be called in this order; others may come between."""
    calls: tuple[ExpectedCall, ...] = ()
    """Calls by their arguments and number."""
    max: Count | None = None
    """How many calls at most, refused ones included."""


class StatesScorer(_Scorer):
    """The states that the run went through."""

    type: Literal["states"]
    """`states`."""
    visited: tuple[Name, ...] = ()
    """States that have to be entered, in this order; others may come between."""
    not_visited: tuple[Name, ...] = ()
    """States that must not be entered."""
    end: Name | None = None
    """The state in which the run ends."""


class RefusalsScorer(_Scorer):
    """What the broker refused."""

    type: Literal["refusals"]
    """`refusals`."""
    rules: tuple[RefusalCode, ...] = ()
    """Rules that have to refuse a call."""
    only: tuple[RefusalCode, ...] | None = None
    """The rules that may."""
    min: Count = 0
    """How many refusals at least."""
    max: Count | None = None
    """How many at most."""


class ApprovalsScorer(_Scorer):
    """What people were asked."""

    type: Literal["approvals"]
    """`approvals`."""
    asked: tuple[ToolName, ...] = ()
    """Tools for which somebody has to be asked."""
    not_asked: tuple[ToolName, ...] = ()
    """Tools for which nobody must be."""
    max: Count | None = None
    """How many questions at most."""


class EffectsScorer(_Scorer):
    """What was changed on the services: requests of tools whose `effect` is not `read`, as they were sent."""

    type: Literal["effects"]
    """`effects`."""
    made: tuple[ExpectedCall, ...] = ()
    """Effects that have to be there."""
    only: tuple[ToolName, ...] | None = None
    """The tools that may have one."""
    max: Count | None = None
    """How many effects at most."""


class ValidOutputScorer(_Scorer):
    """Every answer that a state asked for had its form at once: no model had to be told to answer again."""

    type: Literal["valid_output"]
    """`valid_output`."""


class StatusScorer(_Scorer):
    """How the run ended."""

    type: Literal["status"]
    """`status`."""
    is_: Annotated[Literal["succeeded", "failed"], Field(alias="is")] = "succeeded"
    """`succeeded` or `failed`."""
    rule: RefusalCode | None = None
    """The rule that stopped a failed run."""


class LeakageScorer(_Scorer):
    """Nothing stands where it must not: personal data (phonenumbers, python-stdnum), secrets, labels."""

    type: Literal["leakage"]
    """`leakage`."""
    pii: tuple[Literal["email", "phone", "iban", "card", "ip"], ...] = ("email", "phone", "iban", "card")
    """The kinds of personal data."""
    region: Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")] = "US"
    """The country of telephone numbers that are written without one."""
    secrets: Bool = True
    """Whether the secrets of the environment, and what looks like a key of a provider, count."""
    text: tuple[NonEmpty, ...] = ()
    """Further texts that must not stand there."""
    above: Literal["public", "internal", "confidential"] | None = None
    """Values of eight characters or more out of answers that are more sensitive than this count as well."""
    allow: tuple[NonEmpty, ...] = ()
    """Texts that may stand there all the same."""
    in_: Annotated[tuple[Literal["output", "effects"], ...], Field(alias="in", min_length=1)] = (
        "output",
        "effects",
    )
    """Where: in the `output`, and in what was sent with `effects`."""


class LatencyScorer(_Scorer):
    """How long the run took."""

    type: Literal["latency"]
    """`latency`."""
    max: Duration
    """The longest time."""


class TokensScorer(_Scorer):
    """How many tokens the models read and wrote."""

    type: Literal["tokens"]
    """`tokens`."""
    max: PositiveInt
    """How many at most."""


class CostScorer(_Scorer):
    """What the models cost."""

    type: Literal["cost"]
    """`cost`."""
    max_usd: Money
    """The most, in US dollars. A run with a model without prices fails."""


class GroundedScorer(_OfText):
    """Each sentence stands on what tools answered: its words, and all its numbers, are found there."""

    type: Literal["grounded"]
    """`grounded`."""
    in_: Annotated[tuple[ToolName, ...], Field(alias="in")] = ()
    """The tools whose answers count. Left out: all."""
    input: Bool = False
    """Whether the run's input counts as well."""
    threshold: Share = 0.6
    """The share of a sentence's words that has to be found."""
    max_ungrounded: Share = 0
    """The share of sentences that may stand on nothing."""
    model: Name | None = None
    """A model of the project that makes embeddings. A sentence whose words were not read counts as well when
    it is like something that was. Its numbers have to be read all the same."""
    likeness: Share = 0.8
    """How like, by that model."""


class CitationsScorer(_Scorer):
    """What is cited was read: each citation is a value that a tool answered in this run."""

    type: Literal["citations"]
    """`citations`."""
    of: Seen
    """The list of citations, or one, as a `${…}` reference."""
    in_: Annotated[tuple[ToolName, ...], Field(alias="in")] = ()
    """The tools whose answers count. Left out: all."""
    min: Count = 1
    """How many citations at least."""
    expected: Bool = False
    """Whether the citations have to be those that the case lists under `expected`."""


class DeclinesScorer(_OfText):
    """Whether the text declines what was asked, by its wording."""

    type: Literal["declines"]
    """`declines`."""
    is_: Annotated[Bool, Field(alias="is")] = True
    """Whether it should."""
    phrases: tuple[NonEmpty, ...] = ()
    """Further wordings that decline."""


class RefusalScorer(_OfText):
    """The agent declines in the cases where it should, and in no other."""

    type: Literal["refusal"]
    """`refusal`."""
    when: Annotated[tuple[Name, ...], Field(min_length=1)] = ("refusal",)
    """Tags of the cases in which it should decline."""
    declined: JsonSchema | None = None
    """The schema of a value that declines, such as an outcome. Left out: the text declines by its wording."""
    phrases: tuple[NonEmpty, ...] = ()
    """Further wordings that decline."""


class EmbeddingScorer(_OfText):
    """The text is like the expected one in meaning: the cosine of what an embedding model makes of both."""

    type: Literal["embedding"]
    """`embedding`."""
    model: Name
    """A model of the project, of OpenAI's or Gemini's wire format, that makes embeddings."""
    value: NonEmpty | None = None
    """What it should be like. Left out: what the case says under `expected`."""
    threshold: Share = 0.8
    """The least likeness. Models differ: look at some of its own figures first."""


class ToxicityScorer(_OfText):
    """The text hurts nobody. Without a model it holds no swear word or slur of a dictionary (glin-profanity):
    that is not the same."""

    type: Literal["toxicity"]
    """`toxicity`."""
    model: Name | None = None
    """The judge: a model of the project, which grades how hurtful the text is from 1 to 5."""
    threshold: Annotated[int, Strict(), Field(ge=1, le=5)] = 4
    """The least grade by the judge: 5 hurts nobody."""
    languages: tuple[Language, ...] = ("english",)
    """Whose words count without a judge."""
    allow: tuple[NonEmpty, ...] = ()
    """Words that may stand there all the same."""


class RubricScorer(_OfText):
    """A model grades the text by criteria, from 1 to 5."""

    type: Literal["rubric"]
    """`rubric`."""
    criteria: NonEmpty
    """What is asked of the text, in words."""
    model: Name
    """The judge: a model of the project."""
    threshold: Annotated[int, Strict(), Field(ge=1, le=5)] = 4
    """The least grade."""


class PairwiseScorer(_OfText):
    """A model compares the text with another one, twice, with their places swapped."""

    type: Literal["pairwise"]
    """`pairwise`."""
    criteria: NonEmpty
    """What makes one better, in words."""
    model: Name
    """The judge: a model of the project."""
    value: NonEmpty | None = None
    """The other text. Left out: what the case says under `expected`."""
    at_least: Literal["win", "tie"] = "tie"
    """`tie`: it must not lose. When the judge changes its mind with the places, that is a tie."""


class PythonScorer(_OfText):
    """A function that the deployer registered under the entry point group `agentc.scorers`."""

    type: Literal["python"]
    """`python`."""
    scorer: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$")]
    """The name under which it is registered. Specs never import code."""
    arguments: dict[str, JsonValue] = {}
    """What it is given besides."""
    threshold: Share = 1
    """The least score."""


ScorerSpec: TypeAlias = Annotated[
    SchemaScorer
    | ExactScorer
    | ContainsScorer
    | RegexScorer
    | NumberScorer
    | SimilarityScorer
    | ToolsScorer
    | StatesScorer
    | RefusalsScorer
    | ApprovalsScorer
    | EffectsScorer
    | ValidOutputScorer
    | StatusScorer
    | LeakageScorer
    | LatencyScorer
    | TokensScorer
    | CostScorer
    | GroundedScorer
    | CitationsScorer
    | DeclinesScorer
    | RefusalScorer
    | EmbeddingScorer
    | ToxicityScorer
    | RubricScorer
    | PairwiseScorer
    | PythonScorer,
    Field(discriminator="type"),
]
