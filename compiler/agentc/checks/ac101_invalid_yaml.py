"""AC101: text that is not YAML, or YAML that a spec may not hold."""

from ..diagnostics import Diagnostic, Edit, Note, Rule, Span

RULE = Rule(
    code="AC101",
    name="invalid-yaml",
    title="invalid YAML",
    why="The document can't be read, so nothing in it can be checked. Documents after the next `---` are.",
    bad="""\
# file: permissions.yaml
apiVersion: agentc/v1
kind: PermissionSet
metadata: { name: triage, version: 1.0.0, owner: support }
spec:
  grants:
    - tool: desk.get_ticket
    - tool: desk.refund: EUR  # <- AC101
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

_INDENT = "keys of one mapping, and the dashes of one list, begin in the same column; indent with spaces"
_CLOSE = "close it, and put commas between the items"

#: The parser's words → (ours, the help, the finding stands where the construct begins).
_PROBLEMS: dict[str, tuple[str, str, bool]] = {
    "mapping values are not allowed in this context": (
        "a second `: ` in one value",
        "quote a value that holds `: `; check the indentation, and the space after each `:`",
        False,
    ),
    "could not find expected ':'": (
        "a line that is neither a key nor part of a value",
        "write `key: value`, with a space after the colon",
        True,
    ),
    "found unexpected end of stream": ("a quote that is never closed", "close the quote", True),
    "found unexpected document indicator": ("a quote that is never closed", "close the quote", True),
    "block sequence entries are not allowed in this context": (
        "a list item `- ` on the line of its key",
        "begin the list on the next line",
        False,
    ),
    "mapping keys are not allowed in this context": ("a `? ` key is not allowed here", _INDENT, False),
    "block mapping values are not allowed in this context": ("a `: ` is not allowed here", _INDENT, False),
    "did not find expected key": ("a key was expected here", _INDENT, False),
    "did not find expected '-' indicator": ("a list item `- ` was expected here", _INDENT, False),
    "did not find expected ',' or '}'": ("a `{` that is never closed", _CLOSE, True),
    "did not find expected ',' or ']'": ("a `[` that is never closed", _CLOSE, True),
    "did not find expected node content": (
        "a value was expected here",
        "quote the value if it is text",
        False,
    ),
    "found unknown escape character": (
        "an escape that YAML does not have",
        "write `\\\\` for a backslash, or use single quotes",
        False,
    ),
    "did not find expected hexdecimal number": (
        "an escape without its hexadecimal digits",
        "write `\\x` with two digits, `\\u` with four, `\\U` with eight",
        False,
    ),
    "found invalid Unicode character escape code": (
        "an escape of a character that does not exist",
        "write the character itself",
        False,
    ),
    "did not find expected alphabetic or numeric character": (
        "a value that begins with `*` or `&`",
        "quote the value",
        True,
    ),
    "did not find expected comment or line break": (
        "text after the mark of a block of text",
        "begin the text on the next line",
        False,
    ),
    "did not find expected <document start>": (
        "content after the end of the document",
        "begin a new document with `---`",
        False,
    ),
}


def report_parser(span: Span, begin: Span | None, problem: str, character: str) -> Diagnostic:
    """The YAML parser stopped at `span`, in a construct that starts at `begin`, because of `problem`.

    `character` is the one at `span`, or empty at the end of the file.
    """
    if "tab" in problem or (character == "\t" and "cannot start any token" in problem):
        return RULE.at(span, "a tab in the indentation", help="indent with spaces")
    if "cannot start any token" in problem:
        shown = "a backtick" if character == "`" else f"`{character}`"
        return RULE.at(span, f"a value can't begin with {shown}", help="quote the value")
    if character == "$":
        return RULE.at(span, "an unquoted `${…}` inside `{ }` or `[ ]`", help='write `"${…}"`')
    message, help_, at_begin = _PROBLEMS.get(problem, (problem, "", False))
    if begin is None or begin == span:
        return RULE.at(span, message, help=help_ or None)
    if at_begin:
        return RULE.at(begin, message, help=help_ or None, notes=(Note("the parser gave up here", span),))
    return RULE.at(span, message, help=help_ or None, notes=(Note("what it belongs to begins here", begin),))


def report_unclosed(span: Span, bracket: str) -> Diagnostic:
    """The document ends before the bracket at `span` is closed."""
    return RULE.at(span, f"a `{bracket}` that is never closed", help=_CLOSE)


def report_after_quote(span: Span) -> Diagnostic:
    """Text at `span` follows a closing quote."""
    return RULE.at(
        span,
        "text after the closing quote",
        help="quote the whole value; inside single quotes write `''` for one, inside double quotes `\\\"`",
    )


def report_key(span: Span, text: str, *, quotable: bool) -> Diagnostic:
    """The key at `span` is not text."""
    if quotable:
        return RULE.at(
            span,
            f"the key `{text}` is not text",
            help=f'write `"{text}"`',
            edits=(Edit(span, f'"{text}"'),),
        )
    return RULE.at(span, "the key is not text", help="a key is one word; quote a text that begins with `{{`")


def report_number(span: Span, text: str, reason: str) -> Diagnostic:
    """The number `text` at `span` can't be held because of `reason`."""
    shown = text if len(text) <= 40 else f"{text[:40]}…"
    return RULE.at(
        span, f"`{shown}` is {reason}", help=f'write `"{text}"` if it is text' if shown == text else None
    )


def report_version(span: Span) -> Diagnostic:
    """A `%YAML` directive of another version than 1.2 stands at `span`."""
    return RULE.at(span, "a `%YAML` directive of another version", help="delete it: specs are YAML 1.2")
