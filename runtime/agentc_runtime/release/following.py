"""A worker follows a channel: it runs the bundles that the newest pointer names, and only trusted ones.

What it runs changes in one step, and only to what was verified whole. Whatever an origin does, the last good
bundles go on, and the status says why. Runs that have begun keep their bundle.
"""

from __future__ import annotations

import base64
import threading
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from ..archive import MAX_ARCHIVE_BYTES
from ..canonical import canonical
from ..environment_file import EnvironmentFile, narrow
from ..events import Event, Placement, RunEnded, RunStarted
from ..expressions import Record
from ..switches import ControlError
from ..times import time_text
from ..trust.judge import judge
from ..trust.policy import TrustPolicy
from ..verify import Bundle, BundleError, load_archive
from ..whole import write_whole
from .channel import Arm, ChannelError, Pointer, check_succession, expired, read_pointer
from .control import Control, Seen
from .origin import Fetched, Origin, OriginError, bundle_from
from .reports import FORMAT, ArmStatus, WorkerStatus, read_rollout, read_status, share
from .rollout import Counts, Rollout, both, choose, counted, decide, percent, total

Clock = Callable[[], datetime]


class NoReleaseError(Exception):
    """The worker has no bundle that it may run. The message is one line and says why."""


class Release(msgspec.Struct, frozen=True, kw_only=True):
    """The bundle that a session runs, and where it comes from."""

    bundle: Bundle
    placement: Placement


class _Active(msgspec.Struct, frozen=True):
    pointer: Pointer
    bundles: dict[str, Bundle]


class _State(Record, frozen=True, kw_only=True):
    """What a worker keeps over a restart: the newest pointer that it has seen, and the one that it runs."""

    format: str
    newest: str
    active: str


class Follower:
    """Follows one channel of one agent. `refresh` is called again and again, by `follow` or by a test."""

    def __init__(  # noqa: PLR0913  one name for each thing that it deals with, all by keyword
        self,
        name: str,
        *,
        channel: str,
        agent: str,
        origin: Origin,
        policy: TrustPolicy,
        folder: Path,
        control: Control,
        narrowed_by: EnvironmentFile | None = None,
        clock: Clock = lambda: datetime.now(UTC),
    ) -> None:
        """`folder` is this worker's own: what it keeps there it verifies again before it runs it.

        `narrowed_by` is the environment file of this place: a bundle that it does not fit is not activated.

        With a bundle in it the worker has a release at once, whether the origin answers or not.
        """
        self._name, self._channel, self._agent = name, channel, agent
        self._origin, self._policy, self._folder = origin, policy, folder
        self._control, self._clock, self._narrowed_by = control, clock, narrowed_by
        self._active: _Active | None = None
        self._newest: Pointer | None = None
        self._envelopes = {"newest": b"", "active": b""}
        self._tag: str | None = None
        self._problem: str | None = "it has not looked yet"
        self._checked = clock()
        self._rollout_seen: Seen | None = None
        #: What was decided here and is perhaps not written down yet.
        self._own: Rollout | None = None
        self._counts: dict[str, Counts] = {}
        self._lock = threading.Lock()
        (folder / "bundles").mkdir(parents=True, exist_ok=True)
        self._recall()

    # --- what runs -------------------------------------------------------------------------------------

    def choose(self, sticky: str) -> Release:
        """The release for a session: the same `sticky` text gets the same arm.

        Raises:
            NoReleaseError: nothing was verified yet.
        """
        active = self._active
        if active is None:
            raise NoReleaseError(f"no bundle of `{self._agent}` in `{self._channel}`: {self._problem}")
        pointer = active.pointer
        arm = choose(pointer, self._decided(pointer), sticky)
        placement = Placement(channel=self._channel, sequence=pointer.sequence, arm=arm.name)
        return Release(bundle=active.bundles[arm.name], placement=placement)

    def stable(self) -> Bundle:
        """The bundle of the stable arm.

        Raises:
            NoReleaseError: nothing was verified yet.
        """
        active = self._active
        if active is None:
            raise NoReleaseError(f"no bundle of `{self._agent}` in `{self._channel}`: {self._problem}")
        return active.bundles[active.pointer.stable.name]

    def release_of(self, digest: str) -> Release | None:
        """The release with that bundle, while it is one: for runs that were begun elsewhere."""
        active = self._active
        for arm in active.pointer.arms if active is not None else ():
            if active is not None and arm.digest == digest:
                sequence = active.pointer.sequence
                placement = Placement(channel=self._channel, sequence=sequence, arm=arm.name)
                return Release(bundle=active.bundles[arm.name], placement=placement)
        return None

    def watch(self, release: Release, emit: Callable[[Event], None]) -> Callable[[Event], None]:
        """An observer that counts how runs of the release end, and passes on all that it is told.

        A run that begins is told its placement.
        """

        def observe(event: Event) -> None:
            if isinstance(event, RunStarted) and event.placement is None:
                event = msgspec.structs.replace(event, placement=release.placement)
            if isinstance(event, RunEnded) and event.status != "cancelled":
                self._count(release.placement, counted(event))
            emit(event)

        return observe

    def score(self, release: Release, score: float) -> None:
        """Say how good a run of the release was, for gates on `score`."""
        self._count(release.placement, Counts(scored=1, score=score))

    # --- what should run -------------------------------------------------------------------------------

    def refresh(self) -> bool:
        """Look once whether there is something newer, and take it if it may be. True if all is well.

        Whatever the origin does, this returns: what went wrong is the status' `problem`.
        """
        try:
            self._problem = self._look()
        except (OriginError, ChannelError, BundleError, ControlError, OSError) as error:
            self._problem = str(error)
        self._checked = self._clock()
        try:
            self._report()
        except ControlError as error:
            self._problem = self._problem or str(error)
        return self._problem is None

    def status(self) -> WorkerStatus:
        """What it runs and why not something else."""
        active = self._active
        arms: list[ArmStatus] = []
        if active is not None:
            rollout = self._decided(active.pointer)
            for arm in active.pointer.arms:
                arms.append(
                    ArmStatus(
                        name=arm.name,
                        version=arm.version,
                        digest=arm.digest,
                        percent=share(active.pointer, rollout, arm),
                        stopped=rollout.stopped.get(arm.name),
                        counts=self._counts.get(arm.name, Counts()),
                    )
                )
        return WorkerStatus(
            format=FORMAT,
            worker=self._name,
            channel=self._channel,
            agent=self._agent,
            sequence=active.pointer.sequence if active else 0,
            newest=self._newest.sequence if self._newest else 0,
            arms=tuple(arms),
            problem=self._problem,
            checked=time_text(self._checked),
        )

    def _look(self) -> str | None:
        now = self._clock()
        pointed = self._origin.pointer(self._channel, self._agent, self._tag)
        if pointed is not None:
            pointer = read_pointer(pointed.envelope, self._policy, self._channel, self._agent, now)
            check_succession(self._newest, pointer, now)
            if pointer != self._newest:
                self._newest = pointer
                self._keep("newest", pointed.envelope)
            bundles = {arm.name: self._verified(arm, now) for arm in pointer.arms}
            if self._active is None or pointer != self._active.pointer:
                self._activate(pointer, bundles)
                self._keep("active", pointed.envelope)
                self._forget(pointer)
            # only now: what could not be taken is asked for again
            self._tag = pointed.tag or None
        if self._newest is not None and expired(self._newest, now):
            told = "newer ones are kept away, or nobody made any"
            return f"the pointer {self._newest.sequence} expired {self._newest.expires}: {told}"
        return None

    def _verified(self, arm: Arm, now: datetime) -> Bundle:
        """The bundle of an arm, from what is kept here or else from the origin, if the policy trusts it."""
        kept = self._folder / "bundles" / f"sha256-{arm.digest}.tar"
        fetched = _from_disk(kept, arm.digest)
        with suppress(BundleError):  # it may have been attested since
            if fetched is not None:
                return self._trusted(fetched.bundle, arm, now)
        fetched = bundle_from(self._origin, arm.digest)
        bundle = self._trusted(fetched.bundle, arm, now)
        write_whole(kept, fetched.archive)
        return bundle

    def _trusted(self, bundle: Bundle, arm: Arm, now: datetime) -> Bundle:
        agent = bundle.manifest.agent
        if (agent.name, agent.version) != (self._agent, arm.version):
            told = f"is `{agent.name}` {agent.version}, not `{self._agent}` {arm.version}"
            raise BundleError(f"the bundle of the arm `{arm.name}` {told}", "manifest.json")
        trusted = judge(bundle, self._policy, now).bundle
        return (
            trusted if self._narrowed_by is None else narrow(trusted, self._narrowed_by, "environment file")
        )

    def _activate(self, pointer: Pointer, bundles: dict[str, Bundle]) -> None:
        with self._lock:
            self._active, self._counts = _Active(pointer, bundles), {}

    # --- how it goes -----------------------------------------------------------------------------------

    def _count(self, placement: Placement, counts: Counts) -> None:
        """Add to an arm's counts, and decide anew what becomes of the arms."""
        with self._lock:
            active = self._active
            if active is None or active.pointer.sequence != placement.sequence:
                return  # a run of before; what it was like has no say any more
            self._counts[placement.arm] = self._counts.get(placement.arm, Counts()).plus(counts)
        pointer = active.pointer
        if len(pointer.arms) == 1 or not (pointer.gates or pointer.waves):
            return
        try:
            known = self._decided(pointer)
            new = decide(pointer, known, self._everywhere(pointer))
            if new != known:
                self._decide(pointer, new)
        except ControlError as error:
            # the decision is made here at least; whoever can write it down does so later
            self._problem = str(error)

    def _decided(self, pointer: Pointer) -> Rollout:
        """What all workers have decided of the pointer's arms."""
        own, there = self._own, None
        try:
            self._rollout_seen = self._control.read(self._rollout_name, self._rollout_seen)
            there = read_rollout(self._rollout_seen.data)
        except ControlError as error:
            self._problem = str(error)
        decided = Rollout(sequence=pointer.sequence)
        for one in (own, there):
            if one is not None and one.sequence == pointer.sequence:
                decided = both(decided, one)
        return decided

    def _decide(self, pointer: Pointer, new: Rollout) -> None:
        self._own = new
        said = {
            "agent": self._agent,
            "channel": self._channel,
            "sequence": pointer.sequence,
            "worker": self._name,
        }
        kind = "rolled_back" if new.stopped else "promoted"
        arm = pointer.arms[1]
        share = {"arm": arm.name, "percent": percent(pointer, new, arm)}
        more: dict[str, object] = {"stopped": dict(new.stopped)} if new.stopped else share

        def joined(data: bytes | None) -> bytes | None:
            there = read_rollout(data)
            if there is not None and there.sequence >= pointer.sequence:
                joint = both(new, there)
                if there.sequence > pointer.sequence or joint == there:
                    return None
                return canonical(msgspec.to_builtins(joint))
            return canonical(msgspec.to_builtins(new))

        self._control.change(self._rollout_name, joined, kind, {**said, **more})
        self._report()

    def _everywhere(self, pointer: Pointer) -> dict[str, Counts]:
        """The counts of this worker now, and those that the others have last reported of the same pointer."""
        with self._lock:
            found = {name: [counts] for name, counts in self._counts.items()}
        mine = f"{self._reports}{self._name}"
        for name in self._control.names(self._reports):
            if name == mine:
                continue
            other = read_status(self._control.read(name).data)
            if other is not None and other.sequence == pointer.sequence:
                for arm in other.arms:
                    found.setdefault(arm.name, []).append(arm.counts)
        return {name: total(counts) for name, counts in found.items()}

    def _report(self) -> None:
        self._control.put(f"{self._reports}{self._name}", canonical(msgspec.to_builtins(self.status())))

    @property
    def _reports(self) -> str:
        return f"workers/{self._channel}.{self._agent}."

    @property
    def _rollout_name(self) -> str:
        return f"rollouts/{self._channel}.{self._agent}"

    # --- over a restart --------------------------------------------------------------------------------

    def _keep(self, which: str, envelope: bytes) -> None:
        self._envelopes[which] = envelope
        texts = {name: base64.b64encode(data).decode() for name, data in self._envelopes.items()}
        write_whole(self._folder / "state.json", canonical({"format": FORMAT, **texts}))

    def _recall(self) -> None:
        """Take up what was kept, if it is still trusted: it may have been changed, or a key have expired."""
        now = self._clock()
        try:
            state = msgspec.json.decode((self._folder / "state.json").read_bytes(), type=_State)
            self._envelopes = {
                "newest": base64.b64decode(state.newest),
                "active": base64.b64decode(state.active),
            }
            newest, active = (
                read_pointer(data, self._policy, self._channel, self._agent, now) if data else None
                for data in self._envelopes.values()
            )
            self._newest = newest
            if active is not None:
                self._activate(active, {arm.name: self._verified(arm, now) for arm in active.arms})
                self._recount(active)
        except FileNotFoundError:
            return
        except (ValueError, OSError, BundleError, OriginError, ControlError) as error:
            self._problem = f"what was kept can't be used: {error}"

    def _recount(self, pointer: Pointer) -> None:
        mine = read_status(self._control.read(f"{self._reports}{self._name}").data)
        if mine is not None and mine.sequence == pointer.sequence:
            self._counts = {arm.name: arm.counts for arm in mine.arms}

    def _forget(self, pointer: Pointer) -> None:
        """Remove bundles that neither run nor could be gone back to."""
        needed = {arm.digest for arm in (*pointer.arms, *([pointer.previous] if pointer.previous else []))}
        for path in (self._folder / "bundles").glob("sha256-*.tar"):
            if path.stem.removeprefix("sha256-") not in needed:
                path.unlink(missing_ok=True)


async def follow(worker: Follower, seconds: float, sleep: Callable[[float], Awaitable[object]]) -> None:
    """Refresh a worker again and again, with `seconds` between, until it is cancelled."""
    import asyncio

    while True:
        await asyncio.to_thread(worker.refresh)
        await sleep(seconds)


def _from_disk(path: Path, digest: str) -> Fetched | None:
    try:
        with path.open("rb") as file:
            data = file.read(MAX_ARCHIVE_BYTES + 1)
        bundle = load_archive(data)
    except (OSError, BundleError):
        return None  # it is fetched again
    return Fetched(bundle, data) if bundle.digest == digest else None
