"""Intervals and tests, against scipy and as laws."""

from __future__ import annotations

import random

import pytest
import scipy
from hypothesis import given
from hypothesis import strategies as st

from agentc.evals.drifting import fisher
from agentc.evals.statistics import bootstrap, mcnemar_worse, percentile, permutation_worse, wilson


@given(st.integers(1, 400), st.data())
def test_wilson_is_scipys(total: int, data: st.DataObject) -> None:
    passed = data.draw(st.integers(0, total))
    low, high = wilson(passed, total)
    theirs = scipy.stats.binomtest(passed, total).proportion_ci(0.95, method="wilson")
    assert (low, high) == pytest.approx((theirs.low, theirs.high), abs=1e-9)
    assert 0 <= low <= high <= 1


@given(st.integers(0, 60), st.integers(0, 60))
def test_mcnemar_is_the_binomial_test_of_the_pairs_that_differ(broke: int, mended: int) -> None:
    theirs = (
        scipy.stats.binomtest(broke, broke + mended, 0.5, alternative="greater").pvalue
        if broke + mended
        else 1.0
    )
    assert mcnemar_worse(broke, mended) == pytest.approx(theirs)


def test_five_cases_that_broke_are_no_chance_and_four_may_be() -> None:
    assert mcnemar_worse(5, 0) < 0.05 < mcnemar_worse(4, 0)


def test_bootstrap_is_near_scipys() -> None:
    draw = random.Random(7)
    values = [draw.random() for _ in range(60)]
    low, high = bootstrap(values, seed=1)
    theirs = scipy.stats.bootstrap(
        (values,), lambda sample, axis=-1: sample.mean(axis=axis), method="percentile"
    )
    assert (low, high) == pytest.approx(tuple(theirs.confidence_interval), abs=0.02)
    assert bootstrap(values, seed=1) == (low, high)


@pytest.mark.parametrize("size", [8, 40])
def test_permutation_is_near_scipys(size: int) -> None:
    draw = random.Random(3)
    drops = [draw.gauss(0.2, 1) for _ in range(size)]
    theirs = scipy.stats.permutation_test(
        (drops,), lambda sample, axis=-1: sample.mean(axis=axis),
        permutation_type="samples", alternative="greater", n_resamples=9999,
    )  # fmt: skip
    assert permutation_worse(drops, seed=1) == pytest.approx(theirs.pvalue, abs=0.05)


def test_nothing_changed_is_no_evidence() -> None:
    assert permutation_worse([0.0, 0.0], seed=1) == 1.0
    assert mcnemar_worse(0, 0) == 1.0


@given(st.lists(st.floats(0, 100), min_size=1), st.floats(0, 1))
def test_a_percentile_lies_among_the_values(values: list[float], share: float) -> None:
    assert min(values) <= percentile(values, share) <= max(values)
    assert percentile(values, 0) == min(values)
    assert percentile(values, 1) == max(values)


@given(st.integers(1, 40), st.integers(1, 40), st.data())
def test_fisher_is_scipys(total: int, other_total: int, data: st.DataObject) -> None:
    hits, other = data.draw(st.integers(0, total)), data.draw(st.integers(0, other_total))
    theirs = scipy.stats.fisher_exact([[hits, total - hits], [other, other_total - other]]).pvalue
    assert fisher(hits, total, other, other_total) == pytest.approx(theirs, rel=1e-6, abs=1e-9)
