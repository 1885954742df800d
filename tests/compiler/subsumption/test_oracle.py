"""What conditions mean here is what they mean to jsonschema-rs: it is asked about each, many times over."""

from __future__ import annotations

import random
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agentc.subsumption.automata import PatternAutomaton, WordAutomaton, searched
from agentc.subsumption.budget import Budget
from agentc.subsumption.characters import EVERY, class_ranges, contains
from agentc.subsumption.formats import ORDINARY, SAMPLES, SUPERSETS
from agentc.subsumption.judge import has_format, matches
from agentc.subsumption.values import exact, key_of, written
from agentc_runtime.violations import compile_shape

INTEGERS = st.one_of(
    st.integers(-20, 20),
    st.integers(-(2**63) + 1, 2**63 - 1),
    st.sampled_from([2**53, 2**62, 10**18]).flatmap(lambda n: st.integers(n - 3, n + 3)),
)
DOUBLES = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False),
    st.integers(-1000, 1000).map(lambda n: n / 100),
    st.integers(-(2**62), 2**62).map(float),
)
NUMBERS = st.one_of(INTEGERS, DOUBLES)


def valid(schema: dict[str, object], value: object) -> bool:
    return compile_shape(schema).is_valid(value)


@settings(max_examples=200)
@given(bound=NUMBERS, value=NUMBERS)
def test_numbers_are_ordered_as_the_validator_orders_them(bound: float, value: float) -> None:
    for other in (value, bound, -bound):
        assert valid({"minimum": bound}, other) == (exact(other) >= exact(bound))
        assert valid({"exclusiveMaximum": bound}, other) == (exact(other) < exact(bound))
        assert valid({"const": bound}, other) == (key_of(other) == key_of(bound))
        assert valid({"uniqueItems": True}, [bound, other]) == (key_of(other) != key_of(bound))


@settings(max_examples=200)
@given(step=NUMBERS.filter(lambda n: n > 0), times=st.integers(-1000, 1000), value=NUMBERS)
def test_multiples_are_those_of_the_validator(step: float, times: int, value: float) -> None:
    product = times * step
    for other in (value, product) if abs(product) < 1e300 else (value,):
        assert valid({"multipleOf": step}, other) == (exact(other) % exact(step) == 0)
        assert valid({"type": "integer"}, other) == (exact(other) % 1 == 0)


@given(value=NUMBERS)
def test_a_number_is_written_as_it_was_read(value: float) -> None:
    found = written(exact(value))
    assert found is not None
    assert exact(found) == exact(value)
    assert written(Fraction(1, 3)) is None


@given(value=st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-3, 3), st.sampled_from([0.0, 1.0, "", "0", "a"])),
    lambda inner: st.one_of(st.lists(inner, max_size=2), st.dictionaries(st.sampled_from("ab"), inner)),
), other=st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-3, 3), st.sampled_from([0.0, 1.0, "", "0", "a"])),
    lambda inner: st.one_of(st.lists(inner, max_size=2), st.dictionaries(st.sampled_from("ab"), inner)),
))  # fmt: skip
def test_values_are_equal_when_the_validator_takes_one_for_the_other(value: object, other: object) -> None:
    assert valid({"const": value}, other) == (key_of(value) == key_of(other))
    assert valid({"enum": [value]}, other) == (key_of(value) == key_of(other))


CLASSES = ["\\d", "\\w", "\\s", "\\D", "\\W", "\\S", "\\p{L}", "\\P{L}", "\\p{Lu}", "\\p{Nd}", "\\p{Z}"]


@pytest.mark.parametrize("name", CLASSES)
def test_a_class_holds_the_characters_that_the_matcher_finds_in_it(name: str) -> None:
    inside = [code for first, last in class_ranges(name) for code in range(first, last + 1)]
    every = {code for first, last in EVERY for code in range(first, last + 1)}
    assert len(every) == 0x110000 - 0x800
    assert matches(f"^{name}*$", "".join(map(chr, inside)))
    assert matches(f"^[^{name}]*$", "".join(map(chr, every.difference(inside))))


def random_pattern(chance: random.Random, depth: int) -> str:
    """A pattern of the language, from the characters that `random_text` uses."""
    atoms = [
        "a",
        "b",
        "c",
        ".",
        "[ab]",
        "[^a]",
        "\\d",
        "\\w",
        "\\W",
        "\\s",
        "\\n",
        "[\\d_-]",
        "[^\\w]",
        "\\p{L}",
        "\\x41",
    ]
    if depth == 0:
        return chance.choice([*atoms, "^", "$"])
    inner = [random_pattern(chance, depth - 1) for _ in range(chance.randint(1, 3))]
    match chance.randrange(4):
        case 0:
            return "".join(inner)
        case 1:
            return "(" + "|".join(inner) + ")"
        case 2:
            count = chance.choice(["*", "+", "?", "{2}", "{0,2}", "{1,}", "*?"])
            return "(?:" + "".join(inner) + ")" + count
        case _:
            return chance.choice(["^", ""]) + "".join(inner) + chance.choice(["$", ""])


def random_text(chance: random.Random) -> str:
    return "".join(
        chance.choice("abcA1_- \n\r\t\u00e9\u2028\u0661\U0001f600") for _ in range(chance.randint(0, 5))
    )


def accepts(automaton: PatternAutomaton | WordAutomaton, text: str) -> bool:
    state: int | None = 0
    for sign in text:
        symbol = frozenset(at for at, ranges in enumerate(automaton.sets) if contains(ranges, ord(sign)))
        state = automaton.step(state, symbol, Budget(10**6)) if state is not None else None
    return state is not None and automaton.accepts(state)


@settings(max_examples=200, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_an_automaton_accepts_the_texts_in_which_the_matcher_finds_its_pattern(seed: int) -> None:
    chance = random.Random(seed)
    pattern = random_pattern(chance, 3)
    tree = searched(pattern)
    assert tree is not None, pattern
    automaton = PatternAutomaton(tree)
    for _ in range(25):
        text = random_text(chance)
        assert accepts(automaton, text) == matches(pattern, text), (pattern, text)


@given(words=st.lists(st.text("ab\u00e9", max_size=3), max_size=5), text=st.text("ab\u00e9", max_size=3))
def test_an_automaton_of_words_accepts_those(words: list[str], text: str) -> None:
    assert accepts(WordAutomaton(words), text) == (text in words)


@pytest.mark.parametrize("name", list(SAMPLES))
def test_samples_are_of_their_format(name: str) -> None:
    assert [text for text in SAMPLES[name] if not has_format(name, text)] == []


ODD_SIGNS = "aZ09.-_:@/ +[]{}<>\"'\\\n\r\t\u00e9%tTzZ,;()#?*\u3002\u0661"
#: Texts that a validator may take for a text of the format, or not.
ODD = {
    "email": ['"a@b"@example.com', "a@[127.0.0.1]", "Name <a@b.example>", "a@b", '"\n"@c.d', "a@b@c.d"],
    "hostname": ["a.", "xn--a", "a" * 63 + ".b", "1.2.3.4", "a\u3002b"],
    "uuid": ["urn:uuid:00000000-0000-4000-8000-000000000001", "{00000000-0000-4000-8000-000000000001}"],
    "date": ["+024-01-01", "204,-02-29", "2024-02-29"],
    "time": ["12:00:0/Z", "23:59:60z", "12:00:00.1+01:00"],
    "date-time": ["2024-01-31t12:00:00z", "2024-01-31 12:00:00Z", "2024-01-31T12:00:00.123+01:00"],
    "ipv6": ["::", "::ffff:1.2.3.4", "fe80::1%eth0", "1:2:3:4:5:6:1.2.3.4"],
    "uri": ["a:", "A+.-1:x", "//a", "http://a b"],
}  # fmt: skip


def mutated(chance: random.Random, text: str) -> str:
    for _ in range(chance.randint(0, 3)):
        at, sign = chance.randrange(len(text) + 1), chance.choice(ODD_SIGNS)
        text = text[:at] + chance.choice([sign, "", sign + text[at : at + 1]]) + text[at + 1 :]
    return text


@pytest.mark.parametrize("name", list(SUPERSETS))
def test_the_pattern_of_a_format_finds_every_text_that_has_it(name: str) -> None:
    chance = random.Random(name)
    texts = [mutated(chance, chance.choice([*SAMPLES[name], *ODD.get(name, [])])) for _ in range(20_000)]
    having = [text for text in texts if has_format(name, text)]
    assert len(having) > 100
    assert [text for text in having if not matches(SUPERSETS[name], text)] == []


@pytest.mark.parametrize("name", list(ORDINARY))
def test_what_most_texts_of_a_format_look_like_can_be_searched(name: str) -> None:
    assert searched(ORDINARY[name]) is not None
    assert any(matches(ORDINARY[name], text) for text in SAMPLES[name])
