"""AC118: file that looks like a spec and is not read as one."""

from ..diagnostics import Diagnostic, Rule, Span

RULE = Rule(
    code="AC118",
    name="almost-a-spec",
    title="file that looks like a spec and is not read as one",
    why=(
        "Specs are found by `apiVersion: agentc/v1`. A file that misspells it is somebody else's, as far as anyone "
        "can tell, so what it says would silently not hold."
    ),
    bad="""\
# file: archive.yaml
apiversion: agentc-v1
kind: PermissionSet  # <- AC118
metadata: { name: archive, version: 1.0.0, owner: support }
spec: { grants: [] }
""",
    good="""\
# file: archive.yaml
apiVersion: apps/v1
kind: Deployment
metadata: { name: archive }
spec: {}
""",
)


def report(span: Span, path: str, kind: str, reason: str, version: str) -> Diagnostic:
    """The file at `path` names a kind of ours and is passed over."""
    return RULE.at(
        span,
        f"`{path}` looks like a spec of kind `{kind}` and is not read: {reason}",
        help=f"write `apiVersion: {version}`; if it is not ours, set `AC118: ignore` in the project's `rules`",
    )
