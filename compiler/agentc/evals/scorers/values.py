"""Scorers of a value: schemas, equality, texts, patterns, numbers."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from agentc_runtime.violations import compile_predicate, first_violation, found_in_words

from ...predicates import match_when
from ...syntax.scorers import (
    ContainsScorer,
    DeclinesScorer,
    ExactScorer,
    NumberScorer,
    RegexScorer,
    SchemaScorer,
    SimilarityScorer,
)
from .base import Missing, Said, Scorer, Seen, quoted, text_of, value_at, verdict

#: How texts decline, in English and German; lower case, apostrophes straight.
_DECLINES = (
    "i can't", "i cannot", "i can not", "i'm not able to", "i am not able to", "i'm unable to",
    "i am unable to", "i won't", "i will not", "we can't", "we cannot", "we are unable to",
    "we're unable to", "not allowed to", "i must decline", "i have to decline", "i'm sorry, but",
    "i am sorry, but", "against our policy", "ich kann nicht", "das kann ich nicht",
    "wir können nicht", "leider können wir", "leider kann ich",
)  # fmt: skip


def schema(spec: SchemaScorer) -> Scorer:
    """The value satisfies a JSON Schema."""
    validator = compile_predicate(match_when(dict(spec.schema_)))

    def score(seen: Seen) -> Said:
        value = value_at(seen.run, spec.of)
        if isinstance(value, Missing):
            return Said(0, False, value.reason)
        broken = first_violation(validator, value)
        if broken is None:
            return Said(1, True)
        said = found_in_words(broken)
        return Said(0, False, f"in `{spec.of}` {said}, and the schema takes {broken.expected}")

    return score


def exact(spec: ExactScorer) -> Scorer:
    """The value is equal to the expected one."""

    def score(seen: Seen) -> Said:
        wanted = seen.case.spec.expected if spec.value is None else spec.value
        value = value_at(seen.run, spec.of)
        if isinstance(value, Missing):
            return Said(0, False, value.reason)
        return verdict(_differences(wanted, value, spec.of[2:-1]))

    return score


def _differences(wanted: object, value: object, path: str) -> list[str]:
    if isinstance(wanted, dict) and isinstance(value, dict):
        found: list[str] = []
        for key, item in wanted.items():
            if key in value:
                found += _differences(item, value[key], f"{path}.{key}")
            else:
                found.append(f"`{path}.{key}` is not there; expected {quoted(item)}")
        return found
    same = type(wanted) is type(value) or (_is_number(wanted) and _is_number(value))
    if same and wanted == value:
        return []
    return [f"`{path}` is {quoted(value)}; expected {quoted(wanted)}"]


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def contains(spec: ContainsScorer) -> Scorer:
    """The text contains others."""

    def fold(text: str) -> str:
        return text.casefold() if spec.ignore_case else text

    def score(seen: Seen) -> Said:
        value = value_at(seen.run, spec.of)
        if isinstance(value, Missing):
            return Said(0, False, value.reason)
        text = fold(text_of(value))
        wrong = [f"{quoted(part)} is not in it" for part in spec.all if fold(part) not in text]
        wrong += [f"{quoted(part)} is in it" for part in spec.none if fold(part) in text]
        if spec.any and not any(fold(part) in text for part in spec.any):
            wrong.append(f"none of {', '.join(quoted(part) for part in spec.any)} is in it")
        if wrong:
            wrong.append(f"it is {quoted(value)}")
        return verdict(wrong)

    return score


def regex(spec: RegexScorer) -> Scorer:
    """The whole text matches a pattern."""
    validator = compile_predicate(match_when({"type": "string", "pattern": spec.pattern}))

    def score(seen: Seen) -> Said:
        value = value_at(seen.run, spec.of)
        if isinstance(value, Missing):
            return Said(0, False, value.reason)
        matches = validator.is_valid(text_of(value))
        return verdict([] if matches else [f"{quoted(value)} does not match `{spec.pattern}`"])

    return score


def number(spec: NumberScorer) -> Scorer:
    """The number is near the expected one."""

    def score(seen: Seen) -> Said:
        wanted = seen.case.spec.expected if spec.value is None else spec.value
        value = value_at(seen.run, spec.of)
        if isinstance(value, Missing):
            return Said(0, False, value.reason)
        if not isinstance(value, int | float) or isinstance(value, bool):
            return Said(0, False, f"`{spec.of}` is {quoted(value)}, which is no number")
        if not isinstance(wanted, int | float) or isinstance(wanted, bool):
            return Said(0, False, f"{quoted(wanted)} is expected, which is no number")
        room = max(spec.tolerance, spec.relative * abs(wanted))
        off = abs(value - wanted)
        reason = f"it is {value:g}; expected {wanted:g}" + (f" within {room:g}" if room else "")
        return Said(1, True) if off <= room else Said(0, False, reason)

    return score


def similarity(spec: SimilarityScorer) -> Scorer:
    """The text is like the expected one."""
    from rapidfuzz import fuzz, utils

    ratio = {"edits": fuzz.ratio, "words": fuzz.token_set_ratio, "part": fuzz.partial_ratio}[spec.method]

    def score(seen: Seen) -> Said:
        wanted = seen.case.spec.expected if spec.value is None else spec.value
        value = value_at(seen.run, spec.of)
        if isinstance(value, Missing):
            return Said(0, False, value.reason)
        like = ratio(text_of(wanted), text_of(value), processor=utils.default_process) / 100
        reason = f"{like:.2f} like {quoted(wanted)}, at least {spec.threshold:g} is wanted: {quoted(value)}"
        return Said(like, like >= spec.threshold, "" if like >= spec.threshold else reason)

    return score


def declining(more: Sequence[str]) -> Callable[[str], str | None]:
    """What finds the wording by which a text declines, among those that are known and `more`."""
    phrases = (*_DECLINES, *(phrase.casefold() for phrase in more))

    def wording(text: str) -> str | None:
        plain = " ".join(text.casefold().replace("\u2019", "'").split())
        return next((phrase for phrase in phrases if phrase in plain), None)

    return wording


def declines(spec: DeclinesScorer) -> Scorer:
    """Whether the text declines what was asked."""
    wording = declining(spec.phrases)

    def score(seen: Seen) -> Said:
        value = value_at(seen.run, spec.of)
        if isinstance(value, Missing):
            return Said(0, False, value.reason)
        found = wording(text_of(value))
        if (found is not None) == spec.is_:
            return Said(1, True)
        said = f"it declines (`{found}`)" if found else "it does not decline"
        return Said(0, False, f"{said}: {quoted(value)}")

    return score
