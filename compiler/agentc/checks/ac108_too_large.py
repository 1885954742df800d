"""AC108: more than a spec may hold."""

from ..diagnostics import Diagnostic, Rule, Span

#: Bytes of one spec file.
MAX_BYTES = 4 * 1024 * 1024
#: Bytes of all spec files of a project.
MAX_PROJECT_BYTES = 64 * 1024 * 1024
#: Mappings and lists inside each other.
MAX_DEPTH = 64
#: Keys, values, mappings and lists of one file.
MAX_NODES = 200_000

RULE = Rule(
    code="AC108",
    name="too-large",
    title="file too large, too deep or of too many values",
    why="A spec is written and reviewed by people. A bound keeps a hostile file from taking the compiler's "
    "time and memory.",
    bad="""\
# file: permissions.yaml
apiVersion: agentc/v1
kind: PermissionSet
metadata: { name: triage, version: 1.0.0, owner: support }
spec: [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]  # <- AC108
""",
    good="""\
# file: permissions.yaml
apiVersion: agentc/v1
kind: PermissionSet
metadata: { name: triage, version: 1.0.0, owner: support }
spec:
  grants:
    - tool: desk.get_ticket
    - tool: desk.refund
      where: { amount: { maximum: 50 } }
      bind: { ticket_id: "${input.ticket_id}" }
""",
)


def report_bytes(span: Span, size: int) -> Diagnostic:
    """The file of `span` has `size` bytes."""
    return RULE.at(
        span,
        f"the file has {size:,} bytes, a spec file may have {MAX_BYTES:,}",
        help="split it: each resource may stand in a file of its own",
    )


def report_project(span: Span) -> Diagnostic:
    """With the file of `span`, the project's spec files are larger than a project may be."""
    return RULE.at(
        span,
        f"the project's spec files have more than {MAX_PROJECT_BYTES:,} bytes; from this one on none is read",
        help="split the project",
    )


def report_depth(span: Span) -> Diagnostic:
    """What begins at `span` is nested too deep."""
    return RULE.at(
        span,
        f"more than {MAX_DEPTH} levels of nesting; the rest of the file is not read",
        help="make the structure flatter",
    )


def report_nodes(span: Span) -> Diagnostic:
    """What begins at `span` is one value too many."""
    return RULE.at(
        span,
        f"more than {MAX_NODES:,} values; the rest of the file is not read",
        help="split the file, and write no aliases",
    )
