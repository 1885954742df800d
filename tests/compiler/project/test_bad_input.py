"""Input that is broken, hostile or huge: a clear error with place and fix, soon, and never a traceback."""

from __future__ import annotations

import json
import os
import re
import socket
import tempfile
from pathlib import Path

import pytest

from agentc.checks.base import AGENT, OPENAPI, sha256_of

LAUGHS = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{name}: &{name} [*{before}, *{before}, *{before}, *{before}, *{before}, *{before}, *{before}]\n"
    for before, name in zip("abcdefghijk", "bcdefghijkl", strict=True)
)
HEAD = "apiVersion: agentc/v1\nkind: PermissionSet\nmetadata: { name: other, version: 1.0.0, owner: x }\n"


def repin(root: Path, text: str) -> None:
    """Replace the API document and its digest."""
    (root / "openapi.yaml").write_text(text)
    toolset = (root / "toolset.yaml").read_text()
    (root / "toolset.yaml").write_text(toolset.replace(sha256_of(OPENAPI), sha256_of(text)))


def prompt_file(root: Path, name: str = "prompt.md") -> Path:
    text = (root / "agent.yaml").read_text()
    (root / "agent.yaml").write_text(text.replace("Help the customer.", f"{{ file: {name} }}"))
    return root / name


def told(outcome: tuple[int, str], code: str, place: str, *words: str) -> None:
    """The findings hold one of `code` at `place` with these words, and help."""
    text = outcome[1]
    assert outcome[0] == 1, text
    block = re.search(rf"(error|warning)\[{code}\][^\n]*\n *--> {re.escape(place)}(.*?)\n\n", text, re.DOTALL)
    assert block is not None, text
    for word in words:
        assert word in block[0], text


# --- folders and files -----------------------------------------------------------------------------------


def test_an_empty_folder(agentc, tmp_path):
    (tmp_path / "empty").mkdir()
    for command in ("validate", "build", "inspect", "run"):
        outcome = agentc(command, tmp_path / "empty")
        assert outcome.code == 2
        assert "a project is a folder with an `agentc.yaml`; `agentc init" in outcome.text


@pytest.mark.parametrize("text", ["", "\n", "# nothing\n", "---\n", "\ufeff", "null\n", "{}\n"])
def test_an_empty_project_file(agentc, root, text):
    for path in root.iterdir():
        path.unlink()
    (root / "agentc.yaml").write_text(text)
    outcome = agentc("validate")
    assert outcome.code == 1
    assert re.search(r"error\[AC(115|114)\].*\n --> agentc.yaml:1:1\n", outcome.text)
    assert " = help: " in outcome.text


def test_an_empty_file_that_may_have_been_a_spec_is_found(agentc, root):
    (root / "more.yaml").write_text("")
    (root / "notes.yml").write_text("# nothing\n")
    outcome = agentc("validate")
    assert outcome.code == 1
    assert "error[AC116]: `more.yaml` is empty, and no spec refers to it" in outcome.text
    assert "error[AC116]: `notes.yml` is empty, and no spec refers to it" in outcome.text


@pytest.mark.parametrize("name", ["agentc.yaml", "openapi.yaml", "prompt.md", "toolset.yaml"])
@pytest.mark.parametrize(
    "kind",
    ["missing", "folder", "pipe", "socket", "device", "dangling link", "link to itself", "link outside"],
)
def test_a_path_that_is_no_file_inside_the_project(agentc, root, tmp_path, name, kind):
    if name == "prompt.md":
        prompt_file(root)
    path = root / name
    path.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX)
    if kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind == "socket":
        os.chdir(root)  # the path of a socket is short
        listener.bind(name)
    elif kind == "device":
        path.symlink_to("/dev/zero")
    elif kind == "dangling link":
        path.symlink_to("nowhere")
    elif kind == "link to itself":
        path.symlink_to(name)
    elif kind == "link outside":
        (tmp_path / "outside").write_text("secret")
        path.symlink_to(tmp_path / "outside")
    outcome = agentc("validate")
    listener.close()
    assert "secret" not in outcome.text
    if name == "agentc.yaml" and kind == "missing":
        assert outcome.code == 2
    elif name == "openapi.yaml":
        told(outcome, "AC702", "toolset.yaml:5:20", "can't read `openapi.yaml`: ", "= help: ")
    elif name == "prompt.md":
        told(outcome, "AC110", "agent.yaml:6:25", "can't read `prompt.md`: ", "= help: ")
    elif name == "agentc.yaml":
        told(outcome, "AC110", "agentc.yaml:1:1", "can't read `agentc.yaml`: ", "= help: ")
    elif kind in ("missing", "folder"):
        told(outcome, "AC201", "permissions.yaml:6:13", "unknown toolset `desk`", "= help: ")
    else:
        told(outcome, "AC110", "toolset.yaml:1:1", "can't read `toolset.yaml`: ")
        assert "AC201" not in outcome.text


@pytest.mark.parametrize("name", ["agentc.yaml", "openapi.yaml", "toolset.yaml", "specs"])
def test_no_permission_to_read(agentc, root, name):
    with tempfile.TemporaryDirectory() as folder:  # pytest's own folders are closed to other users
        shared = Path(folder)
        shared.chmod(0o755)
        for path in root.iterdir():
            (shared / path.name).write_bytes(path.read_bytes())
        (shared / "specs").mkdir()
        (root / "openapi.yaml").unlink()
        assert agentc("validate", root).code == 1  # everything is imported: another user may not read that
        (shared / name).chmod(0)
        user = os.geteuid()
        if user == 0:  # root may read everything
            os.seteuid(65534)
        try:
            outcome = agentc("validate", shared)
        finally:
            os.seteuid(user)
        (shared / name).chmod(0o700)
    assert outcome.code == 1
    assert f"can't read `{name}`: permission denied" in outcome.text
    assert " = help: " in outcome.text


@pytest.mark.parametrize(
    "path", ["/etc/passwd", "../secret.md", "a/../../secret.md", "prompt.md/x", "x" * 300, "."]
)
def test_paths_that_lead_elsewhere(agentc, root, tmp_path, path):
    (tmp_path / "secret.md").write_text("secret")
    (root / "a").mkdir()
    (root / "prompt.md").write_text("x")
    prompt_file(root, path)
    outcome = agentc("validate")
    told(outcome, "AC110", "agent.yaml:6:25", f"can't read `{path}`: ", "= help: ")
    assert "root:" not in outcome.text


# --- size and depth --------------------------------------------------------------------------------------


def test_a_thousand_specs(bounded, root):
    for number in range(995):
        (root / f"agent{number}.yaml").write_text(AGENT.replace("name: triage", f"name: a{number}"))
    assert bounded("validate") == (0, "no findings in 1000 files\n")
    assert bounded("validate") == (0, "no findings in 1000 files\n")


@pytest.mark.parametrize("name", ["agentc.yaml", "toolset.yaml", "more.yaml"])
def test_a_spec_of_50_megabytes(bounded, root, name):
    with (root / name).open("a") as file:
        file.write("\n# apiVersion: agentc/v1\n")
        file.write("# filling filling filling filling filling\n" * 1_250_000)
    with (root / "more.yaml").open("r+" if name == "more.yaml" else "w") as file:
        file.write("apiVersion: agentc/v1\n")
    told(bounded("validate"), "AC108", f"{name}:1:1")


def test_other_yaml_of_50_megabytes_is_not_the_compilers(bounded, root):
    (root / "data.yaml").write_text("row: 1, 2, 3, 4, 5, 6, 7, 8, 9, 10\n" * 1_500_000)
    assert bounded("validate") == (0, "no findings in 5 files\n")


def test_a_document_of_70_megabytes(bounded, root):
    (root / "openapi.yaml").write_text("# filling filling filling filling filling\n" * 1_800_000)
    told(bounded("validate"), "AC702", "toolset.yaml:5:20", "it has more than 67,108,864 bytes")


def test_a_prompt_of_10_megabytes(bounded, root):
    prompt_file(root).write_text("{{ input.ticket_id }} " * 500_000)
    told(bounded("validate"), "AC110", "agent.yaml:6:25", "it has more than 1,048,576 bytes")


@pytest.mark.parametrize("bomb", [LAUGHS, "a: " + "[" * 100_000, "a: " + "{b: " * 50_000, "- " * 50_000])
def test_a_bomb(bounded, root, bomb):
    (root / "more.yaml").write_text("apiVersion: agentc/v1\n" + bomb)
    outcome = bounded("validate")
    assert outcome.code == 1
    assert re.search(r"error\[AC10[18]\].*\n +--> more.yaml:", outcome.text)


@pytest.mark.parametrize("bomb", [LAUGHS, "openapi: " + "[" * 100_000, "{" * 100_000, '{"a": ' * 100_000])
def test_a_bomb_in_a_document(bounded, root, bomb):
    repin(root, bomb)
    outcome = bounded("validate")
    assert outcome.code == 1
    assert re.search(r"error\[AC701\].*\n +--> openapi.yaml:", outcome.text)


@pytest.mark.parametrize("depth", [100, 10_000])
def test_a_deep_schema(bounded, root, depth):
    schema = '{ "items": ' * depth + "{}" + " }" * depth
    text = (root / "permissions.yaml").read_text()
    (root / "permissions.yaml").write_text(text.replace("{ maximum: 50 }", schema))
    outcome = bounded("validate")
    assert outcome.code == 1
    assert re.search(r"error\[AC(108|302)\].*\n +--> permissions.yaml:8:", outcome.text)


def test_a_deep_schema_in_a_document(bounded, root):
    schema = '{ "type": "array", "items": ' * 10_000 + "{}" + " }" * 10_000
    repin(root, OPENAPI.replace("priority: { type: integer }", f"priority: {schema}"))
    outcome = bounded("validate")
    assert outcome.code == 1
    assert re.search(r"error\[AC70[15]\].*\n +--> openapi.yaml:", outcome.text)


def test_a_huge_enum(bounded, root):
    values = ", ".join(f"c{number}" for number in range(50_000))
    text = (root / "permissions.yaml").read_text()
    (root / "permissions.yaml").write_text(
        text.replace("{ amount: { maximum: 50 } }", f"{{ currency: {{ enum: [{values}] }} }}")
    )
    assert bounded("validate").code == 0
    assert bounded("build").code == 0
    assert len(bounded("inspect", "dist/triage-1.0.0").text) < 10_000


@pytest.mark.parametrize(
    "prompt",
    ["{{ " + "(" * 5000 + "input" + ")" * 5000 + " }}", "{% if input %}" * 2000 + "{% endif %}" * 2000,
     "{% for a in input %}" * 500 + "{% endfor %}" * 500, "{{ input" + ".a" * 50_000 + " }}",
     "{{ " + "-" * 20_000 + "1 }}", "{% include 'prompt.md' %}",
     "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}"],
    ids=range(7),
)  # fmt: skip
def test_a_template_that_never_ends(bounded, root, prompt):
    prompt_file(root).write_text(prompt)
    outcome = bounded("validate")
    assert outcome.code == 1, outcome.text
    assert re.search(r"error\[AC30[456]\].*\n +--> prompt.md:1:", outcome.text), outcome.text[:2000]


def test_a_template_with_very_many_filters(bounded, root):
    prompt_file(root).write_text("{{ input.ticket_id" + " | upper" * 20_000 + " }}")
    assert bounded("validate").code == bounded("build").code


def test_includes_that_go_in_a_circle(agentc, root):
    prompt_file(root).write_text("{% include 'a.md' %}")
    (root / "a.md").write_text("x\n{% include 'b.md' %}")
    (root / "b.md").write_text("{% include 'a.md' %}")
    told(agentc("validate"), "AC305", "b.md:1:", "the files include each other: `a.md` → `b.md` → `a.md`")


# --- references ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "schema",
    ['{ $ref: "#/components/schemas/Self" }\n', '{ allOf: [{ $ref: "#/components/schemas/Self" }] }\n'],
)
def test_a_reference_to_itself_in_a_document(agentc, root, schema):
    text = OPENAPI.replace("amount: { type: number }", 'amount: { $ref: "#/components/schemas/Self" }')
    repin(root, text + "  schemas:\n    Self: " + schema)
    outcome = agentc("validate")
    assert outcome.code == 1
    assert re.search(r"error\[AC70[145]\].*\n +--> openapi.yaml:", outcome.text)


@pytest.mark.parametrize(
    "schema",
    [
        '{ $ref: "#" }',
        '{ $ref: "#/$defs/a", $defs: { a: { $ref: "#/$defs/a" } } }',
        '{ $ref: "#/$defs/a", $defs: { a: { $ref: "#/$defs/b" }, b: { $ref: "#/$defs/a" } } }',
        '{ $ref: "#/$defs/nowhere" }',
        '{ $ref: "https://example.com/schema.json" }',
        '{ $ref: "other.json" }',
    ],
)
def test_a_reference_that_leads_nowhere_in_an_input_schema(agentc, root, schema):
    text = re.sub(r"schema:\n.*required: \[ticket_id\]", f"schema: {schema}", AGENT, flags=re.DOTALL)
    (root / "agent.yaml").write_text(text)
    outcome = agentc("validate")
    assert outcome.code == 1
    assert re.search(r"error\[AC30[12]\].*\n +--> agent.yaml:8:", outcome.text)


def test_a_tree_in_a_document_is_fine(agentc, root):
    text = OPENAPI.replace("priority: { type: integer }", 'tree: { $ref: "#/components/schemas/Tree" }')
    below = "{ type: array, items: { $ref: '#/components/schemas/Tree' } }"
    tree = f"{{ type: object, properties: {{ below: {below} }} }}\n"
    repin(root, text + "  schemas:\n    Tree: " + tree)
    assert agentc("validate").code == 0
    assert agentc("build").code == 0


# --- bytes and names -------------------------------------------------------------------------------------


@pytest.mark.parametrize("data", [b"\xff\xfe\xfd", b"\xc3\x28", b"\xed\xa0\x80", b"\x80abc", b"caf\xe9"])
@pytest.mark.parametrize("name", ["agentc.yaml", "toolset.yaml"])
def test_bytes_that_are_not_utf8(agentc, root, name, data):
    (root / name).write_bytes((root / name).read_bytes().replace(b"owner: support", b"owner: " + data))
    told(agentc("validate"), "AC102", f"{name}:3:", "= help: ")


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_other_encodings(agentc, root, encoding):
    (root / "toolset.yaml").write_bytes((root / "toolset.yaml").read_text().encode(encoding))
    outcome = agentc("validate")
    assert outcome.code == 1
    assert re.search(r"error\[AC(102|107|116)\].*\n +--> toolset.yaml:1:", outcome.text)


def test_bytes_that_are_not_utf8_in_a_document_and_a_prompt(agentc, root):
    prompt_file(root).write_bytes(b"caf\xe9 {{ input.ticket_id }}")
    (root / "openapi.yaml").write_bytes(b"openapi: 3.1.0\ninfo: { title: \xff }\n")
    outcome = agentc("validate")
    assert outcome.code == 1
    assert re.search(r"error\[AC701\].*\n +--> openapi.yaml:", outcome.text)


@pytest.mark.parametrize("name", ["agentc.yaml", "agent.yaml", "toolset.yaml"])
def test_nul_bytes(agentc, root, name):
    (root / name).write_bytes((root / name).read_bytes().replace(b"owner: support", b"owner: sup\0port"))
    told(agentc("validate"), "AC107", f"{name}:3:", "U+0000", "= help: ")


def test_windows_line_ends_and_a_byte_order_mark_are_fine(agentc, root):
    agentc("build", "--out", "unix")
    for path in root.glob("*.yaml"):
        if path.name != "openapi.yaml":
            path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n"))
    assert agentc("validate", "--strict") == (0, "no findings in 5 files\n")
    assert agentc("build", "--out", "windows").code == 0
    unix, windows = (root / out / "triage-1.0.0" / "program.json" for out in ("unix", "windows"))
    assert unix.read_bytes() == windows.read_bytes()


def test_file_names_of_other_scripts(agentc, root):
    (root / "日本").mkdir()
    (root / "toolset.yaml").rename(root / "日本" / "ツール\u202e.yaml")
    (root / "agent.yaml").write_text(AGENT.replace("model: fast", "model: fats"))
    (root / "日本" / os.fsdecode(b"\xff.yaml")).write_text(HEAD + "spec: {}\n")
    outcome = agentc("validate")
    told(outcome, "AC204", "agent.yaml:5:10")
    told(outcome, "AC112", "日本/\\xff.yaml:4:1")
    for form in ("json", "sarif", "github", "junit"):
        assert agentc("validate", "--format", form).code == 1


def test_two_resources_of_one_name_in_two_files(agentc, root):
    (root / "again.yaml").write_text((root / "toolset.yaml").read_text())
    (root / "AGAIN.yaml").write_text((root / "permissions.yaml").read_text())
    outcome = agentc("validate")
    assert [line for line in outcome.text.splitlines() if line.startswith("error")] == [
        "error[AC206]: a second `PermissionSet` named `triage`",
        "error[AC206]: a second `Toolset` named `desk`",
    ]


# --- bundles ---------------------------------------------------------------------------------------------


def test_a_bundle_that_is_a_bomb(bounded, root):
    assert bounded("build").code == 0
    program = root / "dist" / "triage-1.0.0" / "program.json"
    program.write_bytes(b"[" * 20_000_000)
    for command in ("verify", "inspect", "run"):
        outcome = bounded(command, program.parent)
        assert outcome.code in (1, 2)
        assert "error: `" in outcome.text


def test_a_manifest_that_names_files_elsewhere(agentc, root):
    agentc("build")
    bundle = root / "dist" / "triage-1.0.0"
    manifest = json.loads((bundle / "manifest.json").read_text())
    for path in ("../../agent.yaml", "/etc/passwd", "program.json\0", "", ".", "a/../program.json"):
        manifest["files"][0]["path"] = path
        (bundle / "manifest.json").write_text(json.dumps(manifest))
        outcome = agentc("verify", bundle)
        assert outcome.code == 1
        assert "does not verify" in outcome.text
