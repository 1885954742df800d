"""What it costs to trust a bundle, to start a worker from one, and to change it under load.

    python benchmarks/bundle.py [--repeats N]

Verified and loaded is a signed bundle of four agents with 50 tools and 50 grants each, from the bytes of its
archive to a bundle that a trust policy trusts: every digest, every file canonical and strictly typed, the
program consistent, both attestations signed. Against it stands what can't be less: `json.loads` of the same
files and one verification of an ed25519 signature by `cryptography`.

`cold_ms` is a worker as a process of its own, from its start to the answer of its first call, which gets
pointer and bundle from a web server on loopback; `cached_ms` the same with what an earlier one kept, and no
web server. `python_ms` is an interpreter that does nothing. `dropped` counts runs that did not succeed while
bundles were activated under load, and `activations` how many were.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from http.server import BaseHTTPRequestHandler, SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import msgspec
from support.figures import (
    ROOT,
    CannotMeasureError,
    child_environment,
    finish,
    interleaved,
    main,
    medians,
    process,
)
from support.world import program

from agentc.signing import attest
from agentc_runtime import bundle as ir
from agentc_runtime.archive import pack
from agentc_runtime.environments import Endpoint
from agentc_runtime.expressions import Const
from agentc_runtime.memory import MemoryJournal
from agentc_runtime.release import deploying
from agentc_runtime.release.channel import Pointer, seal_pointer
from agentc_runtime.release.control import FolderControl
from agentc_runtime.release.deploying import Terms
from agentc_runtime.release.folder import FolderOrigin
from agentc_runtime.release.following import Follower
from agentc_runtime.transport import HttpTransport
from agentc_runtime.trust.dsse import read_envelope
from agentc_runtime.trust.judge import judge
from agentc_runtime.trust.keys import Signer, new_key, signer, verifier
from agentc_runtime.trust.policy import TrustPolicy, parse_policy
from agentc_runtime.verify import load_archive, load_bundle
from agentc_runtime.workflow import HandoffState

sys.path.insert(0, str(ROOT / "tests" / "support"))
import deployed

#: A worker: it follows a channel, makes one run and ends. Given: origin, policy, folder, control, modules.
WORKER = """
import asyncio, sys
sys.path.insert(0, sys.argv[5])
from pathlib import Path
import deployed
from agentc_runtime.memory import MemoryJournal
from agentc_runtime.release.control import FolderControl
from agentc_runtime.release.following import Follower
from agentc_runtime.release.origin import open_origin
from agentc_runtime.transport import HttpTransport
from agentc_runtime.trust.policy import read_policy
origin, policy, folder, control = sys.argv[1:5]
follower = Follower("w", channel="production", agent="desk", origin=open_origin(origin),
    policy=read_policy(Path(policy)), folder=Path(folder), control=FolderControl(Path(control)))
if not follower.status().arms:
    follower.refresh()
async def main():
    release = follower.choose("anybody")
    transport = HttpTransport(release.bundle.program.environments["local"])
    result = await deployed.run(release.bundle, transport, MemoryJournal(), lambda event: None)
    await transport.close()
    assert result.status == "succeeded", result.refusal
asyncio.run(main())
"""


class Quiet(SimpleHTTPRequestHandler):
    """Files over HTTP."""

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class Desk(BaseHTTPRequestHandler):
    """A service that answers every request."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # or the body waits for an acknowledgement of the head

    def do_GET(self) -> None:
        """One ticket."""
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", "12")
        self.end_headers()
        self.wfile.write(b'{"id": "T1"}')

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def serving(handler: Callable[..., BaseHTTPRequestHandler]) -> Iterator[str]:
    """A server on loopback, by its URL."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


def policy_text(key: Signer, agent: str) -> bytes:
    """A policy that trusts one key."""
    rule = {"agents": [agent], "signed_by": ["release"], "channels_signed_by": ["release"]}
    known = {"release": {"public_key": key.public}}
    return json.dumps({"format": "agentc.trust/1", "keys": known, "rules": [rule]}).encode()


def large_bundle(key: Signer) -> dict[str, bytes]:
    """A signed bundle of 200 grants: an agent with 50 tools that hands to three others with 50 each."""
    model = ir.Model(
        alias="fast", provider="openai", model="small", endpoint=Endpoint(url="https://models.example")
    )
    one = program(8080)
    work = msgspec.structs.replace(one.states["work"], models=("fast",))
    one = msgspec.structs.replace(one, models={"fast": model}, states={**one.states, "work": work})
    others = {f"agent{number}": one for number in range(3)}
    for name in others:
        others[name] = msgspec.structs.replace(one, agent=msgspec.structs.replace(one.agent, name=name))
    nothing = Const(value={})
    hands = {
        f"to_{name}": HandoffState(agent=name, input=nothing, session=nothing, next="end") for name in others
    }
    whole = msgspec.structs.replace(one, agents=others, states={**one.states, **hands})
    files: dict[str, bytes] = deployed.files(whole)
    return {**files, **attest(load_bundle(files), key, "urn:benchmark:builder")}


def trusting(key: Signer) -> dict[str, Callable[[], object]]:
    """Our verified load, and what it stands against."""
    files = large_bundle(key)
    archive, policy, now = pack(files), parse_policy(policy_text(key, "triage")), datetime.now(UTC)
    envelope = read_envelope(next(data for name, data in files.items() if "/provenance-" in name))
    known, signed = verifier(key.public), envelope.signed_bytes()

    def bare() -> None:
        for data in files.values():
            json.loads(data)
        if not known.verify(signed, envelope.signatures[0].sig):
            raise CannotMeasureError("the signature that is verified is false")

    return {"load": lambda: judge(load_archive(archive), policy, now), "bare": bare}


class Channel:
    """A channel in a folder, whose bundles call a service."""

    def __init__(self, root: Path, key: Signer, url: str) -> None:
        self.key, self.url, self.now = key, url, datetime.now(UTC)
        self.origin = FolderOrigin(root)
        self.pointer: Pointer | None = None
        self.policy: TrustPolicy = parse_policy(policy_text(key, "desk"))

    def deploy(self, version: str) -> None:
        """Build, sign, push and point."""
        files = deployed.files(deployed.program(self.url, version, calls=3))
        files |= attest(load_bundle(files), self.key, "urn:benchmark:builder")
        digest = load_bundle(files).digest
        self.origin.push_bundle(digest, pack(files))
        terms = Terms(channel="production", agent="desk", now=self.now, lifetime=timedelta(days=7))
        self.pointer = deploying.deploy(self.pointer, digest, version, terms)
        envelope = seal_pointer(self.pointer, self.key.keyid, self.key.sign)
        self.origin.push_pointer("production", "desk", envelope)


def starting(folder: Path, key: Signer, url: str) -> Iterator[dict[str, Callable[[], object]]]:
    """Workers as processes: one that fetches, one that has what it needs."""
    channel = Channel(folder / "origin", key, url)
    channel.deploy("1.0.0")
    (folder / "trust.json").write_bytes(policy_text(key, "desk"))
    (folder / "control").mkdir()
    support, count = ROOT / "tests" / "support", 0

    def worker(origin: str, kept: Path) -> Callable[[], object]:
        words = (origin, folder / "trust.json", kept, folder / "control", support)
        return process([sys.executable, "-c", WORKER, *words], environment=child_environment())

    with serving(partial(Quiet, directory=str(folder / "origin"))) as origin:
        worker(origin, folder / "kept")()

        def cold() -> None:
            nonlocal count
            count += 1
            worker(origin, folder / f"new{count}")()

        yield {
            "cold": cold,
            "cached": worker("http://127.0.0.1:9", folder / "kept"),
            "python": process([sys.executable, "-c", "pass"], environment=child_environment()),
        }


async def under_load(folder: Path, key: Signer, url: str, activations: int) -> int:
    """How many runs do not succeed while one bundle after the other is activated."""
    channel = Channel(folder / "origin", key, url)
    channel.deploy("1.0.0")
    (folder / "control").mkdir()
    follower = Follower(
        "w",
        channel="production",
        agent="desk",
        origin=channel.origin,
        policy=channel.policy,
        folder=folder / "kept",
        control=FolderControl(folder / "control"),
    )
    if not follower.refresh():
        raise CannotMeasureError(f"the channel can't be followed: {follower.status().problem}")
    over, ends, journal = asyncio.Event(), [], MemoryJournal()

    async def sessions(name: str) -> None:
        while not over.is_set():
            release = follower.choose(name)
            transport = HttpTransport(release.bundle.program.environments["local"])
            result = await deployed.run(release.bundle, transport, journal, lambda event: None)
            await transport.close()
            ends.append(result.status)

    running = [asyncio.create_task(sessions(f"session {number}")) for number in range(8)]
    for number in range(1, activations + 1):
        await asyncio.to_thread(channel.deploy, f"1.{number}.0")
        if not await asyncio.to_thread(follower.refresh):
            raise CannotMeasureError(f"a bundle was not activated: {follower.status().problem}")
    over.set()
    await asyncio.gather(*running)
    return sum(status != "succeeded" for status in ends)


def measure(repeats: int) -> None:
    """Print the figures, in milliseconds."""
    key = signer(new_key("ed25519"))
    found = medians(interleaved(trusting(key), repeats * 4))
    activations = max(2, repeats)
    with tempfile.TemporaryDirectory() as made, serving(Desk) as url:
        folder = Path(made)
        (folder / "start").mkdir()
        (folder / "load").mkdir()
        for actions in starting(folder / "start", key, url):
            found |= medians(interleaved(actions, repeats))
        dropped = asyncio.run(under_load(folder / "load", key, url, activations))
    for name, value in found.items():
        print(f"{name:<8} {value:8.2f} ms")
    figures = {f"{name}_ms": value for name, value in found.items()} | {
        "cold_ratio": found["cold"] / found["python"],
        "cached_ratio": found["cached"] / found["python"],
    }
    finish(
        "bundle",
        "json.loads of the same files and one ed25519 verification",
        found["load"] / found["bare"],
        "ratio <= 3, dropped = 0",
        {**figures, "dropped": dropped, "activations": activations, "repeats": repeats},
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--repeats", type=int, default=15)
    options = parser.parse_args()
    sys.exit(main(lambda: measure(options.repeats)))
