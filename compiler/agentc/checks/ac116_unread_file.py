"""AC116: YAML file that nobody can read and no spec refers to."""

from ..diagnostics import Diagnostic, Rule, Span

RULE = Rule(
    code="AC116",
    name="unread-file",
    title="YAML file that nobody can read and no spec refers to",
    why=(
        "Every `.yaml` and `.yml` below `agentc.yaml` may be a spec. One that was emptied or overwritten would be "
        "passed over, and with it an agent, a limit or a permission that the project had."
    ),
    bad="""\
# file: archive.yaml
# All that was here is gone.  # <- AC116
""",
    good="""\
# file: archive.yaml
tickets: { closed: 12 }
""",
)


def report(span: Span, path: str, what: str) -> Diagnostic:
    """The file at `path` holds nothing that can be read."""
    return RULE.at(
        span,
        f"`{path}` {what}, and no spec refers to it",
        help="restore it, or take it away; if it is meant to be so, set `AC116: ignore` in the project's `rules`",
    )
