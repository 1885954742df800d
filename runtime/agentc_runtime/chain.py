"""The chain of the audit log: each record's hash covers the hash before it. Pure, whatever it is kept in.

`hash = sha256(hash before || canonical JSON of {kind, payload_sha256, run_id, seq, time})`, where the payload
is canonical JSON too. So what a record says about people can be erased, and the chain still verifies: the
digest stays in place of the payload, and a later record, `erased`, says which ones were erased.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from .canonical import canonical

#: What the first record's hash covers, in place of a hash before it.
GENESIS: Final = hashlib.sha256(b"agentc.audit/2").digest()
#: The kind of a record that says which records were erased.
ERASED_KIND: Final = "erased"

HASH: Final = re.compile(r"[0-9a-f]{64}")
_ERASED: Final = re.compile(r"erased:([0-9a-f]{64})")


class Row(NamedTuple):
    """A record as it is kept."""

    seq: int
    time: str
    run_id: str
    kind: str
    payload: str
    hash: str


def link(previous: bytes, seq: int, time: str, run_id: str, kind: str, payload_sha256: str) -> bytes:
    """The hash of a record. Raises `ValueError` when its texts can't be encoded."""
    said = {"kind": kind, "payload_sha256": payload_sha256, "run_id": run_id, "seq": seq, "time": time}
    return hashlib.sha256(previous + canonical(said)).digest()


def digest_of(payload: bytes) -> str:
    """The sha256 of a payload as it is kept, in hex."""
    return hashlib.sha256(payload).hexdigest()


def erased(payload: str) -> str:
    """What stands in place of a payload that is erased."""
    return payload if is_erased(payload) else f"erased:{digest_of(payload.encode())}"


def is_erased(payload: str) -> bool:
    """Whether nothing but a digest is left."""
    return _ERASED.fullmatch(payload) is not None


def erasure(seqs: Iterable[int]) -> list[list[int]]:
    """Numbers of records as ranges, first and last: what the record of an erasure says."""
    ranges: list[list[int]] = []
    for seq in sorted(seqs):
        if ranges and ranges[-1][1] == seq - 1:
            ranges[-1][1] = seq
        else:
            ranges.append([seq, seq])
    return ranges


class Chain:
    """Follows a chain from its first record. `count` and `head` say how far it holds."""

    def __init__(self, expect_head: str | None = None) -> None:
        """With `expect_head` the chain must come past that hash (hex)."""
        self.count = 0
        self.head = GENESIS
        self._expect = expect_head
        self._met = expect_head in (None, GENESIS.hex())
        self._erased: list[list[int]] = []
        self._said: list[tuple[int, int]] = []

    def add(self, row: Row) -> str | None:
        """Why `row` can't be the next record; nothing when it is."""
        seq = self.count + 1
        changed = f"record {seq} was changed, or one before it was removed"
        # A column may hold any type, whatever its table says, and the schema itself may be damaged.
        if not isinstance(row.seq, int) or not all(isinstance(column, str) for column in row[1:]):
            return changed
        if row.seq != seq:
            return f"record {seq} is missing" if row.seq > seq else f"record {row.seq} does not belong here"
        gone = _ERASED.fullmatch(row.payload)
        digest = gone[1] if gone else digest_of(row.payload.encode("utf-8", "surrogateescape"))
        try:
            expected = link(self.head, seq, row.time, row.run_id, row.kind, digest)
        except ValueError:
            return changed
        if row.hash != expected.hex():
            return changed
        self.count, self.head = seq, expected
        self._met = self._met or row.hash == self._expect
        if gone and self._erased and self._erased[-1][1] == seq - 1:
            self._erased[-1][1] = seq
        elif gone:
            self._erased.append([seq, seq])
        elif row.kind == ERASED_KIND:
            self._said += _ranges(row.payload)
        return None

    def finish(self, heads: list[tuple[object, ...]]) -> tuple[str | None, int | None]:
        """What is wrong with the chain as a whole, and from which record on, given the rows of its head."""
        problem, at_seq = self._ending(heads)
        if problem is None:
            at_seq = self._unsaid()
            problem = None if at_seq is None else f"record {at_seq} is erased, and no record says so"
        if problem is None and not self._met:
            problem = "the expected head is not in the log: the log was rewritten, or it is another one"
        return problem, at_seq

    def _ending(self, heads: list[tuple[object, ...]]) -> tuple[str | None, int | None]:
        if heads == [(self.count, self.head.hex())]:
            return None, None
        if len(heads) != 1 or not isinstance(heads[0][0], int):
            return "the head was changed", None
        claimed = heads[0][0]
        if claimed > self.count:
            return f"record {self.count + 1} is missing: the head counts {claimed}", self.count + 1
        if claimed < self.count:
            return f"record {claimed + 1} was added: the head counts {claimed}", max(claimed, 0) + 1
        return "the head was changed", None

    def _unsaid(self) -> int | None:
        """The first erased record that no record of an erasure names."""
        said = sorted(self._said)
        for first, last in self._erased:
            seq = first
            for low, high in said:
                if low <= seq <= high:
                    seq = high + 1
            if seq <= last:
                return seq
        return None


def _ranges(payload: str) -> list[tuple[int, int]]:
    """The ranges that the record of an erasure names; of one that is not understood none."""
    try:
        said: object = json.loads(payload)
    except (ValueError, RecursionError):
        return []
    records = said.get("records") if isinstance(said, Mapping) else None
    return [
        (one[0], one[1])
        for one in (records if isinstance(records, list) else ())
        if isinstance(one, list) and len(one) == 2 and all(type(part) is int for part in one)
    ]
