"""Documents as the tests see them: their blocks of code, their links, and a place to carry them out."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[2]
#: `<!-- file: PATH -->` before a block says that the reader has this file from then on.
_BLOCK = re.compile(
    r"^(?:<!-- file: (?P<file>\S+) -->\n)?"
    r"(?P<fence>```+)(?P<info>[^\n`]*)\n(?P<text>.*?)^(?P=fence)$",
    re.MULTILINE | re.DOTALL,
)


class Block(NamedTuple):
    """A block of code: its info string, its text, and the file that it is, if it is one."""

    info: str
    text: str
    file: str | None
    line: int


@pytest.fixture(scope="session")
def blocks_of() -> Callable[[Path], list[Block]]:
    def read(path: Path) -> list[Block]:
        text = path.read_text(encoding="utf-8")
        # What `docs/generate.py` puts into the README has a test of its own.
        text = re.sub(r"<!-- demo -->.*?<!-- /demo -->", "", text, flags=re.DOTALL)
        return [
            Block(m["info"].strip(), m["text"], m["file"], text.count("\n", 0, m.start()) + 1)
            for m in _BLOCK.finditer(text)
        ]

    return read


@pytest.fixture(scope="session")
def generate() -> ModuleType:
    spec = spec_from_file_location("docs_generate", ROOT / "docs" / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


#: Ports that documents show: the helpdesk's, the library's, and that of `agentc serve`.
SERVICE = "8952"
PORTS = ("8931", "8933", SERVICE)


def free_ports(count: int) -> list[str]:
    with ExitStack() as held:
        found = [held.enter_context(socket.socket()) for _ in range(count)]
        for one in found:
            one.bind(("127.0.0.1", 0))
        return [str(one.getsockname()[1]) for one in found]


def listens(port: str) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", int(port))) == 0


class Shell:
    """One shell in a folder that looks like a clone of the repository, as far as an author sees it.

    The ports of its servers are free ones, here and in the text of commands and outputs.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        shutil.copytree(ROOT / "specs", folder / "specs", ignore=shutil.ignore_patterns(".agentc", "dist"))
        shutil.copytree(ROOT / "schemas", folder / "schemas")
        self.ports = dict(zip(PORTS, free_ports(len(PORTS)), strict=True))
        for project in (folder / "specs").glob("*/agentc.yaml"):
            project.write_text(self.local(project.read_text(encoding="utf-8")), encoding="utf-8")
        bin_folder = Path(sys.executable).parent
        self.environment = {
            "PATH": f"{bin_folder}{os.pathsep}/usr/bin:/bin",
            "HOME": str(folder / ".home"),
            "LC_ALL": "C.UTF-8",
            "PYTHONPATH": os.environ.get("PYTHONPATH", ""),
        }
        self.process = subprocess.Popen(
            ["bash"],
            cwd=folder,
            env=self.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            text=True,
            start_new_session=True,
        )
        self.number = 0

    def local(self, text: str) -> str:
        for shown, port in self.ports.items():
            text = text.replace(shown, port)
        return text

    def run(self, command: str) -> str:
        """What the command prints. One in the background is a server: its port is waited for."""
        self.number += 1
        out, done = self.folder / f".out{self.number}", self.folder / f".done{self.number}"
        assert self.process.stdin is not None
        self.process.stdin.write(f"{{ {self.local(command)}\n}} </dev/null >{out} 2>&1\n: >{done}\n")
        self.process.stdin.flush()
        serves = command.rstrip().endswith("&")
        # `agentc serve` has its port in its file
        port = self.ports[next((one for one in PORTS if one in command), SERVICE)]
        end = time.monotonic() + 30
        while time.monotonic() < end and not (done.exists() and (not serves or listens(port))):
            time.sleep(0.01)
        return out.read_text(encoding="utf-8")

    def close(self) -> None:
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        if self.process.stdin is not None:
            self.process.stdin.close()


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Shell]:
    opened = Shell(tmp_path)
    yield opened
    opened.close()
