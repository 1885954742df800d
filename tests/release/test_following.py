"""A worker keeps its last good bundle whatever its origin does, says so, and recovers by itself."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from agentc_runtime.archive import pack
from agentc_runtime.environment_file import parse_environment_file
from agentc_runtime.release import deploying, origin
from agentc_runtime.release.following import Follower, NoReleaseError
from agentc_runtime.release.reports import read_status
from agentc_runtime.trust.policy import parse_policy


def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not to wait long for what never answers: only then, since what does may be slow on a busy machine."""
    monkeypatch.setattr(origin, "POINTER_SECONDS", 0.5)
    for module in ("web", "registry"):
        monkeypatch.setattr(f"agentc_runtime.release.{module}.STEP_SECONDS", 0.3)


def version(worker: Follower) -> str:
    return worker.choose("anybody").bundle.manifest.agent.version


def test_it_runs_what_is_deployed(channel: Any) -> None:
    worker = channel.worker()
    with pytest.raises(NoReleaseError, match="it has not looked yet"):
        worker.choose("anybody")
    assert not worker.refresh()
    channel.deploy(channel.bundle("1.0.0"))
    assert worker.refresh()
    assert version(worker) == "1.0.0"
    channel.deploy(channel.bundle("1.1.0"))
    assert version(worker) == "1.0.0", "until it has looked"
    assert worker.refresh()
    assert version(worker) == "1.1.0"
    status = worker.status()
    assert (status.sequence, status.newest, status.problem) == (2, 2, None)
    assert [(arm.name, arm.version, arm.percent) for arm in status.arms] == [("stable", "1.1.0", 100)]


@pytest.mark.parametrize("harm", ["lose", "hang"])
def test_an_origin_that_dies_or_hangs(channel: Any, place: Any, harm: str) -> None:
    worker = channel.worker()
    channel.deploy(channel.bundle("1.0.0"))
    assert worker.refresh()
    getattr(place, harm)()
    with pytest.MonkeyPatch.context() as monkeypatch:
        impatient(monkeypatch)
        for _ in range(2):
            assert not worker.refresh()
            assert version(worker) == "1.0.0"
            assert worker.status().problem
    place.restore()
    channel.deploy(channel.bundle("1.1.0"))
    assert worker.refresh(), worker.status().problem
    assert (version(worker), worker.status().problem) == ("1.1.0", None)


def test_an_origin_that_rolls_back(channel: Any) -> None:
    worker = channel.worker()
    first = channel.deploy(channel.bundle("1.0.0"))
    second = channel.deploy(channel.bundle("1.1.0"))
    assert worker.refresh()
    channel.point(first)
    assert not worker.refresh()
    assert worker.status().problem == "the pointer goes back from 2 to 1"
    assert version(worker) == "1.1.0"
    channel.point(second)
    assert worker.refresh()


def test_an_origin_that_lies_about_a_bundle(channel: Any) -> None:
    worker = channel.worker()
    channel.deploy(channel.bundle("1.0.0"))
    assert worker.refresh()
    good, other = channel.bundle("1.1.0"), channel.bundle("1.2.0")
    channel.push.push_bundle(good.digest, pack(other.files))
    channel.deploy(good)
    assert not worker.refresh()
    assert (
        f"what is there for sha256:{good.digest[:12]} is sha256:{other.digest[:12]}"
        in worker.status().problem
    )
    assert version(worker) == "1.0.0"
    assert (worker.status().sequence, worker.status().newest) == (1, 2)
    channel.push.push_bundle(good.digest, pack(good.files))
    assert worker.refresh()
    assert version(worker) == "1.1.0"


def unsigned(here: Any) -> None:
    bundle = here.bundle("1.1.0")
    files = {name: data for name, data in bundle.files.items() if not name.startswith("attestations/")}
    here.push.push_bundle(bundle.digest, pack(files))
    here.deploy(bundle)


def other_version(here: Any) -> None:
    bundle = here.bundle("1.1.0")
    here.point(deploying.deploy(here.pointer, bundle.digest, "1.5.0", here.terms()))


def canary_of_a_stranger(here: Any) -> None:
    here.deploy(here.bundle("1.1.0", signer=here.keys.stranger), waves=(10,))


@pytest.mark.parametrize(
    ("harm", "told"),
    [
        (unsigned, "signed by 0 of the keys"),
        (lambda here: here.deploy(here.bundle("1.1.0", signer=here.keys.stranger)), "signed by another key"),
        (lambda here: here.deploy(here.bundle("1.1.0", agent="other")), "is `other` 1.1.0, not `desk` 1.1.0"),
        (other_version, "is `desk` 1.1.0, not `desk` 1.5.0"),
        (canary_of_a_stranger, "signed by another key"),
    ],
    ids=["unsigned", "of a stranger", "of another agent", "of another version", "canary of a stranger"],
)
def test_a_bundle_that_is_not_trusted_is_not_activated(
    here: Any, harm: Callable[[Any], None], told: str
) -> None:
    worker = here.worker()
    here.deploy(here.bundle("1.0.0"))
    assert worker.refresh()
    harm(here)
    for _ in range(2):
        assert not worker.refresh()
        assert told in worker.status().problem
        assert version(worker) == "1.0.0"
    here.deploy(here.bundle("2.0.0"))
    assert worker.refresh(), worker.status().problem
    assert version(worker) == "2.0.0"


def test_a_pointer_of_a_stranger(here: Any) -> None:
    worker = here.worker()
    first = here.deploy(here.bundle("1.0.0"))
    assert worker.refresh()
    forged = deploying.deploy(first, here.bundle("9.0.0").digest, "9.0.0", here.terms())
    here.push.push_pointer("production", "desk", here.sealed(forged, here.keys.stranger))
    assert not worker.refresh()
    assert "signed by another key" in worker.status().problem
    assert (version(worker), worker.status().newest) == ("1.0.0", 1)


def test_an_origin_that_stands_still(here: Any) -> None:
    """Nothing new for longer than the pointer is good: newer ones are kept away, or nobody made any."""
    worker = here.worker()
    here.deploy(here.bundle("1.0.0"))
    assert worker.refresh()
    here.now += timedelta(days=8)
    assert not worker.refresh()
    assert "the pointer 1 expired" in worker.status().problem
    assert version(worker) == "1.0.0"
    here.deploy(here.bundle("1.0.0"))
    assert worker.refresh(), worker.status().problem


# --- over a restart ------------------------------------------------------------------------------------


def test_it_starts_without_its_origin(here: Any, tmp_path: Path) -> None:
    here.deploy(here.bundle("1.0.0"))
    assert here.worker().refresh()
    shutil.rmtree(tmp_path / "origin")
    again = here.worker()
    assert version(again) == "1.0.0"
    assert not again.refresh()
    assert version(again) == "1.0.0"


def test_it_remembers_how_far_it_has_been(here: Any) -> None:
    first = here.deploy(here.bundle("1.0.0"))
    here.deploy(here.bundle("1.1.0"))
    assert here.worker().refresh()
    here.point(first)
    again = here.worker()
    assert not again.refresh()
    assert again.status().problem == "the pointer goes back from 2 to 1"
    assert version(again) == "1.1.0"


def test_it_remembers_also_what_it_could_not_run(here: Any) -> None:
    first = here.deploy(here.bundle("1.0.0"))
    worker = here.worker()
    assert worker.refresh()
    unsigned(here)
    assert not worker.refresh()
    here.point(first)
    again = here.worker()
    assert not again.refresh()
    assert again.status().problem == "the pointer goes back from 2 to 1"
    assert version(again) == "1.0.0"


@pytest.mark.parametrize("harm", ["policy", "bundle", "state", "gone"])
def test_what_was_kept_is_verified_again(here: Any, tmp_path: Path, harm: str) -> None:
    here.deploy(here.bundle("1.0.0"))
    assert here.worker().refresh()
    shutil.rmtree(tmp_path / "origin")
    kept = tmp_path / "w1"
    match harm:
        case "policy":
            rule = {"agents": ["desk"], "signed_by": ["other"], "channels_signed_by": ["other"]}
            known = {"other": {"public_key": here.keys.ci.public}}
            said = {"format": "agentc.trust/1", "keys": known, "rules": [rule]}
            here.policy = parse_policy(json.dumps(said).encode())
        case "bundle":
            (path,) = (kept / "bundles").iterdir()
            path.write_bytes(path.read_bytes().replace(b"reads tickets", b"reads TICKETS"))
        case "state":
            (kept / "state.json").write_bytes((kept / "state.json").read_bytes()[:-40])
        case _:
            shutil.rmtree(kept / "bundles")
    again = here.worker()
    with pytest.raises(NoReleaseError, match="what was kept can't be used"):
        again.choose("anybody")


def test_bundles_that_are_not_needed_go(here: Any, tmp_path: Path) -> None:
    worker = here.worker()
    for number in range(5):
        here.deploy(here.bundle(f"1.{number}.0"))
        assert worker.refresh()
    assert len(list((tmp_path / "w1/bundles").iterdir())) == 2, "the one that runs, and the one before"


def test_its_status_is_in_the_control(here: Any) -> None:
    worker = here.worker()
    here.deploy(here.bundle("1.0.0"))
    worker.refresh()
    (name,) = here.control.names("workers/")
    assert read_status(here.control.read(name).data) == worker.status()
    assert worker.status().worker == "w1"


def test_a_bundle_that_the_environment_file_does_not_fit_is_not_activated(here: Any) -> None:
    said = {"format": "agentc.environment/1", "agent": "desk", "environment": "local", "limits": {"steps": 3}}
    file = parse_environment_file(json.dumps(said).encode())
    worker = here.worker(narrowed_by=file)
    here.deploy(here.bundle("1.0.0"))
    assert worker.refresh(), worker.status().problem
    assert worker.choose("anybody").bundle.program.limits.steps == 3
    here.deploy(here.bundle("1.1.0", environment="elsewhere"))
    assert not worker.refresh()
    assert "names the environment 'local', which the bundle lacks" in worker.status().problem
    assert version(worker) == "1.0.0"
