"""The lock beside an imported document: what it shows, and that nobody can show something else."""

from __future__ import annotations

import hashlib
import os
import pty
import re
import signal
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from agentc.checks.base import OPENAPI, TOOLSET, sha256_of

SECOND = """\
apiVersion: agentc/v1
kind: Toolset
metadata: { name: reader, version: 1.0.0, owner: support }
spec:
  openapi: { file: ./openapi.yaml, sha256: SHA }
  server: ${env.DESK_URL}
  auth: { scheme: bearerAuth, secret: desk_token }
  tools:
    read: { operation: "GET /tickets/{ticket_id}", effect: read }
"""
ONLY_REFUND = TOOLSET.replace("    get_ticket: { operation: getTicket, effect: read }\n", "")


def codes(outcome) -> list[str]:
    return re.findall(r"^(?:error|warning)\[(AC\d+)\]", outcome.out, re.MULTILINE)


@pytest.fixture
def locked(agentc, project: Path, folder: Path) -> Path:
    """The project after its document was imported; the vendor's copy is in `vendor/openapi.yaml`."""
    (folder / "vendor").mkdir()
    (folder / "vendor/openapi.yaml").write_text(OPENAPI)
    done = agentc("import", "openapi", "vendor/openapi.yaml", "--project", project, "--toolset", "desk")
    assert (done.code, done.err) == (0, "")
    assert agentc("validate", project, "--strict").code == 0
    return project


def test_the_lock_shows_what_the_toolset_uses(locked):
    text = (locked / "openapi.lock.yaml").read_text()
    head, _, shown = text.partition("\n---\n")
    assert f"sha256: {sha256_of(OPENAPI)}" in head.replace('"', "")
    assert "operationId: createRefund" in shown
    assert "operationId: getTicket" in shown
    assert "bearerAuth" in shown


def test_importing_again_writes_the_same_bytes(agentc, locked):
    before = {path: path.read_bytes() for path in locked.rglob("*") if path.is_file()}
    assert (
        agentc("import", "openapi", "vendor/openapi.yaml", "--project", locked, "--toolset", "desk").code == 0
    )
    assert agentc("import", "openapi", locked / "openapi.yaml", "--project", locked).code == 0
    assert {path: path.read_bytes() for path in locked.rglob("*") if path.is_file()} == before


def test_a_changed_parameter_is_a_readable_diff(agentc, locked, folder, edit):
    before = (locked / "openapi.lock.yaml").read_text().splitlines()
    edit(folder / "vendor/openapi.yaml", "amount: { type: number }", "amount: { type: number, maximum: 500 }")
    edit(folder / "vendor/openapi.yaml", "summary: Read a ticket", "summary: Read a ticket\n      tags: [x]")
    assert (
        agentc("import", "openapi", "vendor/openapi.yaml", "--project", locked, "--toolset", "desk").code == 0
    )
    after = (locked / "openapi.lock.yaml").read_text().splitlines()
    assert [line.strip() for line in after if line not in before and "sha256" not in line] == ["maximum: 500"]
    assert agentc("validate", locked, "--strict").code == 0


def test_another_tool_makes_the_lock_stale_and_an_import_in_place_mends_it(
    agentc, locked, folder, monkeypatch
):
    (locked / "toolset.yaml").write_text(ONLY_REFUND % sha256_of(OPENAPI))
    (locked / "permissions.yaml").write_text(
        (locked / "permissions.yaml").read_text().replace("    - tool: desk.get_ticket\n", "")
    )
    for _ in range(2):  # cold and warm
        done = agentc("validate", locked)
        assert (done.code, codes(done)) == (1, ["AC717"])
        assert "which is not used of `openapi.yaml`" in done.out or "where `openapi.yaml` says" in done.out
        assert "write it anew with `agentc import openapi openapi.yaml`" in done.out
    monkeypatch.chdir(locked)
    assert agentc("import", "openapi", "openapi.yaml").out.endswith("pinned in toolset.yaml\n")
    assert agentc("validate", "--strict").code == 0
    assert "getTicket" not in Path("openapi.lock.yaml").read_text()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("type: number\n", "maximum: 10\n                  type: number\n"),
        ("operationId: createRefund", "operationId: createRefund\x0b"),
        ("summary: Pay money back", "summary: Pay money in"),
        ("\n---\n", "\n--- # nothing\n"),
    ],
)
def test_a_lock_does_not_show_something_else(agentc, locked, edit, old, new):
    edit(locked / "openapi.lock.yaml", old, new)
    for arguments in ((), (), ("--no-cache",)):
        done = agentc("validate", locked, *arguments)
        assert done.code == 1
        assert set(codes(done)) <= {"AC717", "AC701"}
        assert "openapi.lock.yaml:" in done.out


def test_a_cut_lock_is_found_at_its_end(agentc, locked):
    path = locked / "openapi.lock.yaml"
    path.write_text(path.read_text().partition("\n---\n")[0] + "\n")
    done = agentc("validate", locked)
    assert codes(done) == ["AC717"]
    assert "the lock leaves out `components:` of `openapi.yaml`" in done.out


@pytest.mark.parametrize(
    "text", ["", "[", "files: 1\n", "main: a\nsha256: b\nfiles: {}\n", "\xff", "a: 1\na: 2\n"]
)
def test_a_lock_that_can_not_be_read_is_an_error(agentc, locked, text):
    (locked / "openapi.lock.yaml").write_bytes(text.encode("latin-1"))
    done = agentc("validate", locked)
    assert (done.code, codes(done)) == (1, ["AC701"])
    assert "openapi.lock.yaml:" in done.out


def test_a_changed_document_has_one_finding(agentc, locked, edit, monkeypatch):
    edit(locked / "openapi.yaml", "amount: { type: number }", "amount: { type: integer }")
    assert codes(agentc("validate", locked)) == ["AC703"]
    monkeypatch.chdir(locked)
    assert agentc("import", "openapi", "openapi.yaml").code == 0
    assert agentc("validate", "--strict").code == 0


def test_a_toolset_pinned_by_hand_does_not_match_the_lock(agentc, locked, edit):
    edit(locked / "openapi.yaml", "amount: { type: number }", "amount: { type: integer }")
    digest = hashlib.sha256((locked / "openapi.yaml").read_bytes()).hexdigest()
    edit(locked / "toolset.yaml", sha256_of(OPENAPI), digest)
    done = agentc("validate", locked)
    assert codes(done) == ["AC703"]
    assert "openapi.lock.yaml:" in done.out


def test_two_toolsets_share_a_document_and_its_lock(agentc, locked, folder, edit):
    (locked / "toolset.yaml").write_text(ONLY_REFUND % sha256_of(OPENAPI))
    (locked / "reader.yaml").write_text(SECOND.replace("SHA", sha256_of(OPENAPI)))
    permissions = (locked / "permissions.yaml").read_text()
    (locked / "permissions.yaml").write_text(permissions.replace("desk.get_ticket", "reader.read"))
    edit(folder / "vendor/openapi.yaml", "summary: Pay money back", "summary: Pay back")
    done = agentc("import", "openapi", "vendor/openapi.yaml", "--project", locked, "--toolset", "desk")
    assert done.code == 0
    assert "pinned in desk/reader.yaml" in done.out.replace(str(folder) + "/", "")
    assert "pinned in desk/toolset.yaml" in done.out.replace(str(folder) + "/", "")
    assert "file: ./openapi.yaml" in (locked / "reader.yaml").read_text()
    text = (locked / "openapi.lock.yaml").read_text()
    assert "getTicket" in text
    assert "createRefund" in text
    assert agentc("validate", locked, "--strict").code == 0


def test_a_toolset_that_can_not_be_read_does_not_make_a_lock_stale(agentc, locked):
    (locked / "toolset.yaml").write_text(ONLY_REFUND % sha256_of(OPENAPI))
    (locked / "reader.yaml").write_text(SECOND.replace("tools:", "tols:"))
    assert "AC717" not in codes(agentc("validate", locked))


def test_an_overlay_does_not_change_the_lock(agentc, locked, edit):
    (locked / "fix.yaml").write_text(
        "overlay: 1.0.0\ninfo: { title: x, version: 1.0.0 }\n"
        "actions: [{ target: \"$.paths['/refunds'].post\", update: { summary: Refund } }]\n"
    )
    edit(locked / "toolset.yaml", "openapi: {", "openapi: { overlays: [fix.yaml],")
    assert agentc("validate", locked, "--strict").code == 0
    assert "Pay money back" in (locked / "openapi.lock.yaml").read_text()


def test_two_documents_do_not_share_a_lock(agentc, locked, folder):
    (locked / "reader.yaml").write_text(SECOND.replace("./openapi.yaml, sha256: SHA", "openapi.json"))
    (folder / "vendor/other.json").write_text('{"openapi": "3.0.3", "info": {}, "paths": {}}')
    done = agentc("import", "openapi", "vendor/other.json", "--project", locked, "--toolset", "reader")
    assert (done.code, done.out) == (2, "")
    assert "openapi.lock.yaml` is the lock of `openapi.yaml`; let the toolset name" in done.err
    assert not (locked / "openapi.json").exists()


def test_a_file_that_is_no_longer_referred_to_is_taken_away(agentc, locked, folder, edit):
    document = folder / "vendor/openapi.yaml"
    edit(document, "amount: { type: number }", "amount: { $ref: 'amount.yaml' }")
    (folder / "vendor/amount.yaml").write_text("type: number\n")
    arguments = ("import", "openapi", "vendor/openapi.yaml", "--project", locked, "--toolset", "desk")
    assert agentc(*arguments).code == 0
    assert (locked / "amount.yaml").exists()
    document.write_text(OPENAPI)
    assert agentc(*arguments).code == 0
    assert not (locked / "amount.yaml").exists()


# --- where it came from --------------------------------------------------------------------------------


def source_in(project: Path) -> str | None:
    found = re.search(r"^source: (.*)$", (project / "openapi.lock.yaml").read_text(), re.MULTILINE)
    return found[1].strip('"') if found else None


def test_a_path_is_remembered_inside_the_repository_only(agentc, locked, folder):
    assert source_in(locked) is None
    (folder / ".git").mkdir()
    assert (
        agentc("import", "openapi", "vendor/openapi.yaml", "--project", locked, "--toolset", "desk").code == 0
    )
    assert source_in(locked) == "../vendor/openapi.yaml"
    assert agentc("import", "openapi", locked / "openapi.yaml", "--project", locked).code == 0
    assert source_in(locked) == "../vendor/openapi.yaml"


def test_without_a_source_the_remembered_one_is_read(agentc, locked, folder, edit):
    done = agentc("import", "openapi", "--project", locked, "--toolset", "desk")
    assert (done.code, done.out) == (2, "")
    assert "nothing says where `openapi.yaml` came from; give its path or URL" in done.err
    (folder / ".git").mkdir()
    assert (
        agentc("import", "openapi", "vendor/openapi.yaml", "--project", locked, "--toolset", "desk").code == 0
    )
    edit(folder / "vendor/openapi.yaml", "summary: Pay money back", "summary: Pay back")
    assert agentc("import", "openapi", "--project", locked, "--toolset", "desk").code == 0
    assert "Pay back" in (locked / "openapi.lock.yaml").read_text()


@pytest.mark.parametrize(
    "path", ["../../outside.yaml", "/etc/passwd", "../vendor/../../outside.yaml", "link.yaml"]
)
def test_a_lock_does_not_make_the_import_read_outside_of_the_repository(agentc, locked, folder, path):
    (folder / ".git").mkdir()
    (folder.parent / "outside.yaml").write_text(OPENAPI)
    (locked / "link.yaml").symlink_to(folder.parent / "outside.yaml")
    lock = locked / "openapi.lock.yaml"
    lock.write_text(lock.read_text().replace("---\n", f"source: {path}\n---\n", 1))
    done = agentc("import", "openapi", "--project", locked, "--toolset", "desk")
    assert (done.code, done.out) == (2, "")
    assert "outside of the repository" in done.err


class _Site:
    def __init__(self) -> None:
        self.asked: list[str] = []
        self.gate: threading.Event | None = None
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.asked.append(self.path)
                self.send_response(200)
                self.send_header("content-length", str(len(OPENAPI)))
                self.end_headers()
                if outer.gate is not None:
                    self.wfile.write(OPENAPI.encode()[:10])
                    outer.gate.wait(30)
                    return
                self.wfile.write(OPENAPI.encode())

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(
            target=self.server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True
        ).start()


@pytest.fixture
def site():
    """A server on loopback that gives every path the document."""
    made = _Site()
    yield made
    if made.gate is not None:
        made.gate.set()
    made.server.shutdown()
    made.server.server_close()


@pytest.mark.parametrize(
    ("path", "kept"),
    [
        ("/openapi.yaml", True),
        ("/openapi.yaml?format=yaml#part", True),
        ("/openapi.yaml?access_token=abc", False),
        ("/openapi.yaml?X-Amz-Signature=abc", False),
    ],
)
def test_a_url_is_remembered_unless_it_may_hold_a_credential(agentc, locked, site, path, kept):
    done = agentc("import", "openapi", site.url + path, "--project", locked, "--toolset", "desk")
    assert (done.code, done.err) == (0, "")
    assert source_in(locked) == (site.url + path.partition("#")[0] if kept else None)
    assert "abc" not in (locked / "openapi.lock.yaml").read_text()


def test_a_remembered_url_has_to_be_on_the_public_internet(agentc, locked, site):
    assert agentc("import", "openapi", site.url, "--project", locked, "--toolset", "desk").code == 0
    site.asked.clear()
    done = agentc("import", "openapi", "--project", locked, "--toolset", "desk")
    assert (done.code, done.out) == (2, "")
    assert "which is not on the public internet; if you mean it, name" in done.err
    assert site.asked == []


def test_an_interrupted_download_leaves_everything_as_it_was(locked, site, folder):
    before = {path: path.read_bytes() for path in locked.rglob("*") if path.is_file()}
    site.gate = threading.Event()
    command = [sys.executable, "-m", "agentc", "import", "openapi", site.url, "--project", str(locked)]
    with subprocess.Popen(
        [*command, "--toolset", "desk"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=folder
    ) as process:
        end = time.monotonic() + 20
        while not site.asked and time.monotonic() < end:
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=20)
    assert (process.returncode, out, err.strip()) == (130, "", "interrupted")
    assert {path: path.read_bytes() for path in locked.rglob("*") if path.is_file()} == before


def test_progress_is_shown_on_a_terminal_and_gone_afterwards(locked, site, folder):
    command = [sys.executable, "-m", "agentc", "import", "openapi", site.url, "--project", str(locked)]
    ours, theirs = pty.openpty()
    try:
        done = subprocess.run(
            command, stdout=subprocess.PIPE, stderr=theirs, check=False, timeout=30, cwd=folder
        )
        os.close(theirs)
        shown = os.read(ours, 65536).decode()
    finally:
        os.close(ours)
    assert done.returncode == 0
    assert f"0.0 MiB  {site.url}" in shown
    assert shown.endswith("\r\x1b[K")
    assert b"MiB" not in done.stdout
