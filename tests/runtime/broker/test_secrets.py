"""Secrets: where they come from, and how they are taken out of text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentc_runtime.environments import Environment, Secret
from agentc_runtime.refusals import RefusedError
from agentc_runtime.secrets import Secrets


def made(environ=None, **sources):
    return Secrets(Environment(secrets=sources), environ or {})


def test_from_the_environment_and_from_a_file(tmp_path):
    (tmp_path / "key").write_text("from file\n")
    secrets = made({"A": "from env\r\n"}, a=Secret(env="A"), b=Secret(file=str(tmp_path / "key")))
    assert (secrets.get("a"), secrets.get("b")) == ("from env", "from file")
    assert secrets.redact("x from env y from file z") == "x [secret a] y [secret b] z"
    assert "from" not in repr(secrets)


@pytest.mark.parametrize(
    ("source", "words"),
    [
        (Secret(env="NOT_SET"), "`NOT_SET`"),
        (Secret(env="EMPTY"), "`EMPTY`"),
        (Secret(file="/no/such/file"), "`/no/such/file`"),
        (Secret(file="/"), "`/`"),
        (Secret(), "file"),
    ],
)
def test_what_is_not_set_says_what_to_set(source, words):
    with pytest.raises(RefusedError) as caught:
        made({"EMPTY": "\n"}, key=source).get("key")
    assert caught.value.refusal.code == "AR506"
    assert words in caught.value.refusal.message


def test_an_undeclared_secret_is_not_looked_up():
    with pytest.raises(RefusedError, match="AR506"):
        made({"HOME": "/root"}).get("HOME")


def test_a_secret_inside_another_one():
    secrets = made({"A": "abcabcabc", "B": "xxabcabcabcxx"}, a=Secret(env="A"), b=Secret(env="B"))
    secrets.get("a")
    secrets.get("b")
    assert secrets.redact("xxabcabcabcxx abcabcabc") == "[secret b] [secret a]"


def test_a_secret_of_a_few_characters_is_refused():
    """Redaction would take those characters out of every text."""
    with pytest.raises(RefusedError) as caught:
        made({"A": "x"}, a=Secret(env="A")).get("a")
    assert caught.value.refusal.code == "AR506"
    assert "shorter than 8 characters" in caught.value.refusal.message


WORD = st.text(min_size=6, max_size=20).map(
    lambda text: "#" + text.replace("\r", "r").replace("\n", "n") + "#"
)


@given(WORD, st.text(max_size=20), st.text(max_size=20))
def test_law_no_secret_is_left(secret, before, after):
    secrets = made({"A": secret}, a=Secret(env="A"))
    secrets.get("a")
    cleaned = secrets.redact_data({before + secret: [{"x": secret + after}, secret, 5, None]})
    assert secret not in repr(cleaned).replace("[secret a]", "")
    assert secrets.redact(before) == before
