"""What stands in the user's request, and what only looks as if it did."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentc_runtime.origins import ORIGINS, Origins

REQUEST = (
    "Invite Dora (dora@example.org), see www.dora-website.com. Pay 1,250.00 EUR or 19.5% to "
    "GB29NWBK60161331926819 on 2024-05-19 at 10:00, or post to 'general'. Mom's Home is at https://shop.example/a/b?x=1"
)


def found(value: object, *, request: object = REQUEST) -> bool:
    origins = Origins()
    origins.add("input", request)
    return origins.stands_in(value, ("input",))


@pytest.mark.parametrize(
    "value",
    [
        "dora@example.org",
        "Dora",
        "www.dora-website.com",
        "general",
        "GB29NWBK60161331926819",
        "Mom's Home",
        "https://shop.example/a/b?x=1",
        "Pay 1,250.00  EUR",  # white space is folded
        1250,
        1250.0,
        19.5,
        "2024-05-19",
        "2024-05-19 10:00",
        "2024-05-19T10:00:00Z",
        ["Dora", "general"],
        {"Dora": "general", "Pay": 1250},
        True,
        None,
        "",
        " ",
        [],
    ],
)
def test_stands_in_the_request(value):
    assert found(value)


@pytest.mark.parametrize(
    "value",
    [
        "example.org",  # a piece of an address is another address
        "ora@example.org",
        "dora@example.org.evil.example",
        "dora@example.or",
        "dora-website.com",
        "www.dora",
        "GB29NWBK6016133192681",
        "Home is at https://shop.example/a",
        "https://shop.example/a",
        "https://shop.example/a/b",
        "dora@example.оrg",  # noqa: RUF001  one letter is Cyrillic
        "Dor\u200ba",
        "dora@Example.org",
        "DORA",
        "gener\u0430l",
        "Mom",
        "1250",  # a text is compared as a text
        250,
        1251,
        19,
        5,  # of a date
        10,  # of a time
        -1250,
        "2024-05-19 11:00",
        "2024-05-20 10:00",
        ["Dora", "Fred"],
        {"Dora": "admin"},
        {"role": "Dora"},  # a key may be the model's as well
    ],
)
def test_does_not_stand_in_the_request(value):
    assert not found(value)


@pytest.mark.parametrize(
    ("request_", "value"),
    [
        ("write to x.org.evil.example", "x.org"),
        ("write to a.x.org", "x.org"),
        ("write to ax.org", "x.org"),
        ("write to x.org\u200d.evil", "x.org"),
        ("see http://x.org/a", "http://x.org"),
        ("see http://x.org:81", "http://x.org"),
        ("see http://a:b@x.org", "x.org"),
        ("account DE0012", "DE00"),
        ("Ann\u0301 is here", "Ann"),
    ],
)
def test_a_piece_of_a_longer_word_is_not_that_word(request_, value):
    assert not found(value, request=request_)


def test_keys_and_nested_values_of_data_count():
    data = {"hotels": {"City Hub": {"price": 120}}, "more": ["Good Night"]}
    assert found(["City Hub", "Good Night", 120], request=data)


def test_each_origin_is_its_own():
    origins = Origins()
    origins.add("input", "a@x.org")
    origins.add("trusted", ["b@x.org"])
    assert origins.stands_in("b@x.org", ("input", "trusted"))
    assert not origins.stands_in("b@x.org", ("input", "session", "spec", "approved"))
    assert not origins.stands_in("a@x.org", ())
    origins.add("trusted", ["c@x.org"])
    assert origins.stands_in(["b@x.org", "c@x.org"], ("trusted",))


def test_a_date_and_a_time_have_to_stand_in_the_same_origin():
    origins = Origins()
    origins.add("input", "on 2024-05-19")
    origins.add("session", "at 10:00")
    assert not origins.stands_in("2024-05-19 10:00", ORIGINS)


def test_what_is_too_much_to_keep_does_not_count(monkeypatch):
    monkeypatch.setattr("agentc_runtime.origins.MAX_KEPT", 10)
    origins = Origins()
    origins.add("trusted", ["0123456789"])
    origins.add("trusted", ["more"])
    assert origins.stands_in("0123456789", ORIGINS)
    assert not origins.stands_in("more", ORIGINS)


@given(st.text(max_size=20), st.text(max_size=20), st.text(max_size=20))
def test_a_value_put_between_spaces_is_found(before, value, after):
    assert found(value, request=f"{before} {value} {after}")


@given(st.text("ab.@-1 ", min_size=1, max_size=6), st.text("ab.@-1 ", max_size=30))
def test_what_is_found_is_written_there(value, request_):
    if found(value, request=request_):
        assert " ".join(value.split()) in " ".join(request_.split())
