"""Plain scalars: YAML 1.2 core, and a warning wherever YAML 1.1 would read something else."""

import pytest
import yaml
from hypothesis import assume, example, given
from hypothesis import strategies as st

from agentc.scalars import elsewhere, resolve


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", None),
        ("~", None),
        ("null", None),
        ("true", True),
        ("False", False),
        ("tRue", "tRue"),
        ("yes", "yes"),
        ("no", "no"),
        ("0", 0),
        ("-12", -12),
        ("+7", 7),
        ("0644", 644),
        ("0o17", 15),
        ("-0o17", "-0o17"),
        ("0xFF", 255),
        ("0x", "0x"),
        ("1.5", 1.5),
        (".5", 0.5),
        ("5.", 5.0),
        ("1e3", 1000.0),
        ("-1.5E-3", -0.0015),
        ("1_000", "1_000"),
        ("12:30:45", "12:30:45"),
        ("1.2.3", "1.2.3"),
        (".", "."),
        ("-", "-"),
        ("2026-01-01", "2026-01-01"),
    ],
)
def test_core_schema(text, value):
    resolved = resolve(text)
    assert (type(resolved), resolved) == (type(value), value)


@pytest.mark.parametrize("text", [".inf", "-.INF", ".nan", "1e999", "9" * 5000, "0x" + "f" * 100])
def test_numbers_that_no_json_holds_are_refused(parse, text):
    with pytest.raises(ValueError, match="number"):
        resolve(text)
    _, found = parse(f"a: {text}\nb: no\n")
    assert [(f.code, f.span.line) for f in found] == [("AC101", 1), ("AC109", 2)]


@pytest.mark.parametrize(
    ("text", "words", "edit"),
    [
        ("no", "`no` is text here and `false` to YAML 1.1 readers", '"no"'),
        ("On", "`On` is text here and `true` to YAML 1.1 readers", '"On"'),
        ("0644", "`0644` is the number 644 here and the octal number 420 to YAML 1.1 readers", None),
        ("089", "`089` is the number 89 here and text to YAML 1.1 readers", "89"),
        ("0o17", "`0o17` is the number 15 here and text to YAML 1.1 readers", "15"),
        ("1e3", "`1e3` is the number 1000.0 here and text to YAML 1.1 readers", "1000.0"),
        ("1e30", "`1e30` is the number 1.0e+30 here and text to YAML 1.1 readers", "1.0e+30"),
        ("12:30:45", "`12:30:45` is text here and a number to YAML 1.1 readers", '"12:30:45"'),
        ("1_000", "`1_000` is text here and a number to YAML 1.1 readers", '"1_000"'),
        ("2026-01-01", "`2026-01-01` is text here and a date to YAML 1.1 readers", '"2026-01-01"'),
    ],
)
def test_ambiguous_scalars(parse, text, words, edit):
    (document,), (finding,) = parse(f"key: {text}\n")
    assert (finding.code, finding.message, finding.span[1:]) == ("AC109", words, (1, 6, 1, 6 + len(text)))
    assert [e.text for e in finding.edits] == ([edit] if edit else [])
    if edit:  # the edit keeps the value, and nobody disagrees any more
        (fixed,), found = parse(f"key: {edit}\n")
        assert not found
        assert fixed.root.entries["key"][1].value == document.root.entries["key"][1].value
    assert not parse(f'key: "{text}"\n')[1]


@pytest.mark.parametrize(
    "text", ["true", "null", "0", "10", "1.5", "triage", "1.2.3", "v1", "desk.get", "-", "0x1F"]
)
def test_what_all_readers_agree_on_is_no_finding(parse, text):
    assert not parse(f"- {text}\n")[1] or text == "-"


NUMBERLIKE = st.text("0123456789+-._:eExob nyofTZ", min_size=1, max_size=12)


@given(NUMBERLIKE | st.sampled_from(["yes", "No", "on", "OFF", "y", "n", "=", "null", "~", "True", "TRUE"]))
@example("0")
@example("00")
@example("-0")
@example("2026-1-1 1:11:11")
def test_whoever_reads_an_accepted_scalar_reads_the_same(text):
    """The law behind AC109: PyYAML (YAML 1.1) gives what we give, or there is a finding."""
    try:
        value = resolve(text)
    except ValueError:
        return
    if elsewhere(text, value) is not None:
        return
    try:
        (token,) = [e for e in yaml.parse(text, Loader=yaml.SafeLoader) if isinstance(e, yaml.ScalarEvent)]
    except (yaml.YAMLError, ValueError):
        assume(False)
    assume(token.value == text)
    other = yaml.safe_load(text)
    assert (type(other), other) == (type(value), value)
