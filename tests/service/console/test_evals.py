"""Which reports the console finds in a bundle, whatever else lies there."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from agentc.driver import check_project
from agentc.pipeline import bundle_files
from agentc_runtime.trust.dsse import IN_TOTO, seal
from agentc_runtime.trust.statement import evidence, statement
from agentc_runtime.verify import load_bundle
from agentc_service.console.evals import reports_of
from agentc_service.console.rendering import render

SUPPORT = Path(__file__).parents[3] / "specs" / "support"
NOW = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def bundle():
    result = check_project(SUPPORT)
    return load_bundle(bundle_files(result, result.program.agents["triage"]))


def attested(bundle, report, about=None):
    """The bundle with a report about itself, or about another bundle."""
    said = statement(about or bundle, "eval", evidence(report, NOW))
    envelope = seal(said, IN_TOTO, "ci", lambda data: b"x" * 64)
    return msgspec.structs.replace(bundle, attestations={"attestations/eval-1.json": envelope})


def test_a_report_of_another_format_is_named_and_not_shown(bundle):
    for report in ({}, {"format": "agentc.eval/9"}, [], "<script>", {"format": "agentc.eval/1", "cases": 7}):
        (found,) = reports_of(attested(bundle, report))
        assert (found.path, found.signed_on, found.outcome) == ("attestations/eval-1.json", NOW, None)
        assert found.failing == ()


def test_what_is_no_report_about_this_bundle_is_left_out(bundle):
    other = msgspec.structs.replace(bundle, digest="0" * 64)
    assert reports_of(attested(bundle, {}, about=other)) == []
    broken = msgspec.structs.replace(bundle, attestations={"attestations/a.json": b"{", "b": b"\xff"})
    assert reports_of(broken) == []
    assert reports_of(bundle) == []


def test_names_in_a_report_stay_text(bundle):
    class Served:
        name = "triage"

    frame = {
        "caller": type("Caller", (), {"subject": "a", "tenant": "b"}),
        "menu": [], "form_token": "0", "section": "evals",
    }  # fmt: skip
    found = reports_of(attested(bundle, {"format": "<script>"}))
    hostile = [msgspec.structs.replace(bundle), found]
    page = render("evals.html", rows=[(Served(), hostile[0], hostile[1])], **frame)
    assert "can't be shown" in page.replace("&#39;", "'")
    assert "<script>" not in page
