"""The audit log as JSON lines that carry their chain: whoever has the file can check it without the store.

A line is one record as canonical JSON. Its `hash` covers the record and the hash before it, as in the store,
so an edit, a removal or a reorder is found; a missing end is found by the head that was kept elsewhere.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

from .audit import AuditReport, report
from .canonical import canonical
from .chain import Chain, Row, is_erased
from .strictjson import StrictJsonError, parse


class BrokenLogError(Exception):
    """The log is not as it was written: what is wrong with it, in one line."""


def exported(rows: Iterable[Row], chain: Chain) -> Iterator[bytes]:
    """The lines of a whole log from its first record, each checked against `chain` before it is given.

    Raises:
        BrokenLogError: a record is not the next one of the chain.
    """
    for row in rows:
        problem = chain.add(row)
        if problem is not None:
            raise BrokenLogError(problem)
        # of what is erased the digest is left, a text in place of an object
        payload = row.payload if is_erased(row.payload) else json.loads(row.payload)
        yield canonical({**row._asdict(), "payload": payload}) + b"\n"


def verify_export(lines: Iterable[bytes], expect_head: str | None = None) -> AuditReport:
    """Check an exported log. With `expect_head` it must come past that hash."""
    chain = Chain(expect_head)
    for line in lines:
        number = chain.count + 1
        try:
            fields = parse(line.decode())
        except (UnicodeDecodeError, StrictJsonError):
            return report(chain, f"line {number} is not JSON", number)
        if not isinstance(fields, dict) or fields.keys() != set(Row._fields):
            return report(chain, f"line {number} is no record of a log", number)
        payload = fields["payload"]
        text = payload if isinstance(payload, str) else canonical(payload).decode()
        problem = chain.add(Row._make({**fields, "payload": text}[name] for name in Row._fields))
        if problem is not None:
            return report(chain, problem, number)
    return report(chain, *chain.finish([(chain.count, chain.head.hex())]))
