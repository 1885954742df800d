"""Whether what is said stands on what was read, and whether what is cited was read."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from agentc_runtime.models.embeddings import cosine

from ...syntax.scorers import CitationsScorer, GroundedScorer
from .base import Missing, Said, Scorer, Seen, answers, quoted, text_of, value_at, verdict

_SENTENCE: Final = re.compile(r"(?<=[.!?])\s+(?=[^\s])|\n+")
_WORD: Final = re.compile(r"[^\W\d_]+(?:['\u2019-][^\W\d_]+)*")
_NEW_NUMBER: Final = "nothing says"
#: What is compared with at most.
_MOST_PASSAGES: Final = 500
_NUMBER: Final = re.compile(r"\d+(?:[.,]\d+)*")
#: Words that stand in any text, English and German: they ground nothing.
_COMMON_WORDS: Final = """
a about after all also an and any are as at be been but by can could did do does for from had has have he her
his how i if in into is it its may more most no not of on or our out she should so some than that the their
them then there these they this to up us was we were what when which who will with would you your
aber als am an auch auf aus bei bin bis das dass dem den der des die ein eine einem einen einer er es für hat
haben ich ihr im in ist mit nicht noch nur oder sich sie sind so um und uns von war was wir wird zu zum zur
"""
_COMMON: Final = frozenset(_COMMON_WORDS.split())


def grounded(spec: GroundedScorer) -> Scorer:
    """Each sentence stands on what tools answered."""

    async def score(seen: Seen) -> Said:
        value = value_at(seen.run, spec.of)
        if isinstance(value, Missing):
            return Said(0, False, value.reason)
        read = [text_of(call.answer) for call in answers(seen.run, spec.in_)]
        if spec.input:
            read.append(text_of(dict(seen.case.input)))
        sentences = [part.strip() for part in _SENTENCE.split(text_of(value)) if part.strip()]
        words, numbers = _words(read), _numbers(read)
        wrong = [
            (sentence, why)
            for sentence in sentences
            if (why := _ungrounded(sentence, words, numbers, spec.threshold))
        ]
        if wrong and spec.model is not None:
            wrong = await _unlike_anything(seen, spec.model, spec.likeness, wrong, _passages(seen, spec))
        share = 1 - len(wrong) / len(sentences) if sentences else 1.0
        if 1 - share <= spec.max_ungrounded + 1e-9:
            return Said(share, True)
        said = "; ".join(f"{quoted(sentence)}: {why}" for sentence, why in wrong[:3])
        return Said(share, False, f"{len(wrong)} of {len(sentences)} sentences stand on nothing read: {said}")

    return score


def _passages(seen: Seen, spec: GroundedScorer) -> list[str]:
    """The sentences of what was read."""
    read: list[object] = [call.answer for call in answers(seen.run, spec.in_)]
    if spec.input:
        read.append(dict(seen.case.input))
    texts = [one for value in read for one in _scalars(value) if isinstance(one, str) and " " in one]
    parts = [part.strip() for text in texts for part in _SENTENCE.split(text) if part.strip()]
    return list(dict.fromkeys(parts))[:_MOST_PASSAGES]


async def _unlike_anything(
    seen: Seen, model: str, likeness: float, wrong: Sequence[tuple[str, str]], passages: Sequence[str]
) -> list[tuple[str, str]]:
    """Those of the sentences that are like nothing that was read, or say a number that was not."""
    doubtful = [sentence for sentence, why in wrong if not why.startswith(_NEW_NUMBER)]
    if not doubtful or not passages:
        return list(wrong)
    vectors = await seen.judge.embed(model, (*doubtful, *passages))
    known = vectors[len(doubtful) :]
    best = {
        sentence: max(cosine(vector, other) for other in known)
        for sentence, vector in zip(doubtful, vectors, strict=False)
    }
    return [
        (sentence, f"{why}, and the most similar passage is like it by {best[sentence]:.2f}")
        if sentence in best
        else (sentence, why)
        for sentence, why in wrong
        if best.get(sentence, 0.0) < likeness
    ]


def _words(texts: Iterable[str]) -> frozenset[str]:
    return frozenset(_stem(word) for text in texts for word in _WORD.findall(text.casefold()))


def _stem(word: str) -> str:
    """The beginning of a word: `refunded`, `refunds` and `refund` are one."""
    return word[:5]


def _numbers(texts: Iterable[str]) -> frozenset[float]:
    return frozenset(number for text in texts for number in _values(text))


def _values(text: str) -> Iterator[float]:
    for match in _NUMBER.findall(text):
        plain = (
            match.replace(",", ".") if match.count(",") == 1 and "." not in match else match.replace(",", "")
        )
        try:
            yield float(plain)
        except ValueError:
            continue


def _ungrounded(
    sentence: str, words: frozenset[str], numbers: frozenset[float], threshold: float
) -> str | None:
    new = [f"{number:g}" for number in _values(sentence) if number not in numbers]
    if new:
        return f"{_NEW_NUMBER} {', '.join(new)}"
    telling = [word for word in _WORD.findall(sentence.casefold()) if word not in _COMMON]
    found = sum(_stem(word) in words for word in telling)
    if telling and found / len(telling) < threshold:
        return f"{found} of {len(telling)} words were read"
    return None


def citations(spec: CitationsScorer) -> Scorer:
    """What is cited was read."""

    def score(seen: Seen) -> Said:
        value = value_at(seen.run, spec.of)
        if isinstance(value, Missing):
            return Said(0, False, value.reason)
        cited = value if isinstance(value, list) else [value]
        read = {one for call in answers(seen.run, spec.in_) for one in _scalars(call.answer)}
        wrong = [f"{quoted(one)} is cited, and nothing read says it" for one in cited if one not in read]
        if len(cited) < spec.min:
            wrong.append(f"{len(cited)} citations; at least {spec.min} expected")
        if spec.expected:
            wanted = seen.case.spec.expected
            wanted = wanted if isinstance(wanted, list) else [wanted]
            wrong += [f"{quoted(one)} should be cited" for one in wanted if one not in cited]
            wrong += [f"{quoted(one)} should not be cited" for one in cited if one not in wanted]
        return verdict(wrong)

    return score


def _scalars(value: object) -> Iterator[object]:
    if isinstance(value, Mapping):
        for item in value.values():
            yield from _scalars(item)
    elif isinstance(value, list):
        for item in value:
            yield from _scalars(item)
    elif isinstance(value, str | int | float):
        yield value
