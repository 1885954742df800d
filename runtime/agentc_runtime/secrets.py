"""The one place that reads secrets, and that takes them out of text again."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import math
import re
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from typing import Final
from urllib.parse import quote

import msgspec

from .environments import Environment, Vault, VaultField
from .refusals import Refusal, RefusedError
from .sources import Reading, read_local
from .wire import Transport

#: Values made with one secret that are recognised: more than are in use at a time.
REMEMBERED: Final = 16
#: Characters that no JSON encoder writes in another way.
_UNESCAPED: Final = re.compile(r"[A-Za-z0-9_.=+-]+")
#: The lines of a private key in PEM; a text that holds one of them holds a part of the key.
_KEY: Final = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----(.*?)-----END", re.DOTALL)
_KEY_LINE: Final = re.compile(r"[A-Za-z0-9+/=]{16,}")


class Secrets:
    """The secrets of one environment, from wherever they come.

    Those in variables and files are read at the start, those in Vault by `renew`, so that none passes
    unrecognised before its use. One that is not set is no error until it is asked for. Values are in no
    `repr` and no exception.
    """

    def __init__(
        self,
        environment: Environment,
        environ: Mapping[str, str],
        *,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._sources = environment.secrets
        self._vault = environment.vault
        self._environ = environ
        self._monotonic = monotonic
        self._values: dict[str, str] = {}
        self._until: dict[str, float] = {}
        self._refusals: dict[str, Refusal] = {}
        self._renewing = asyncio.Lock()
        self._learned: dict[str, deque[str]] = {}
        self._covers: tuple[tuple[str, str], ...] = ()
        self._needles: frozenset[bytes] = frozenset()
        for name, source in environment.secrets.items():
            if source.vault is None:
                with contextlib.suppress(RefusedError):
                    self.get(name)

    @property
    def renewable(self) -> bool:
        """Whether some are read from Vault, and `renew` has something to do."""
        return self._vault is not None

    def get(self, name: str) -> str:
        """The value of the secret `name`, without line ends after it.

        Raises:
            RefusedError: AR506 it is not declared, not set or empty, or its file can't be read; AR508 it was
                not read from Vault. The refusal's `value` is the secret's name.
        """
        value = self._values.get(name)
        if value is not None:
            return value
        source = self._sources.get(name)
        if source is not None and source.vault is not None:
            unread = Refusal(code="AR508", message=f"secret `{name}` was not read from Vault", value=name)
            raise RefusedError(self._refusals.get(name, unread))
        value = read_local(name, source, self._environ).value
        self._values[name] = value
        self._cover()
        return value

    async def renew(self, transport: Transport, names: Iterable[str] | None = None) -> None:
        """Read those of `names`, or of all secrets, that are in Vault and whose time is up.

        What can't be read has no value from then on, an older one neither: `get` says why.
        """
        if self._vault is None or not self._due(names):
            return
        async with self._renewing:
            due = self._due(names)
            fields = {name: field for name in due if (field := self._sources[name].vault) is not None}
            if not fields:
                return
            started = self._monotonic()
            for name, outcome in (await self._read(self._vault, fields, transport)).items():
                if isinstance(outcome, Refusal):
                    self._values.pop(name, None)
                    self._refusals[name] = outcome
                else:
                    self._values[name] = outcome.value
                    self._until[name] = started + outcome.seconds
                    self.learn(name, outcome.value)

    async def _read(
        self, vault: Vault, fields: Mapping[str, VaultField], transport: Transport
    ) -> Mapping[str, Reading | Refusal]:
        from .vault import read_fields

        try:
            # read again: whoever keeps the token in a file may have put a new one there
            token = read_local(vault.token, self._sources.get(vault.token), self._environ).value
        except RefusedError as error:
            return dict.fromkeys(fields, error.refusal)
        self.learn(vault.token, token)
        return await read_fields(vault, token, fields, transport)

    def _due(self, names: Iterable[str] | None) -> list[str]:
        now = self._monotonic()
        return [
            name
            for name in (self._sources if names is None else names)
            if (source := self._sources.get(name)) is not None
            and source.vault is not None
            and (name not in self._values or self._until.get(name, -math.inf) <= now)
        ]

    def learn(self, name: str, value: str) -> None:
        """Take out `value` as well, which was made with the secret `name`: the last ones are remembered."""
        learned = self._learned.setdefault(name, deque(maxlen=REMEMBERED))
        if value in learned:
            learned.remove(value)
        learned.append(value)
        self._cover()

    def _cover(self) -> None:
        known = [*self._values.items()]
        known += [(name, value) for name, values in self._learned.items() for value in values]
        covers = {(form, f"[secret {name}]") for name, value in known for form in _forms(value)}
        # longest first: a secret that contains another one is replaced as a whole
        self._covers = tuple(sorted(covers, key=lambda cover: (-len(cover[0]), cover)))
        self._needles = frozenset(_needle(form) for form, _ in self._covers)

    def redact(self, text: str) -> str:
        """`text` with each secret replaced by `[secret NAME]`, in any spelling of requests."""
        for form, cover in self._covers:
            if form in text:
                text = text.replace(form, cover)
        return text

    def redact_data(self, value: object) -> object:
        """A JSON value with `redact` applied to each string and key. The same object if nothing is in it."""
        if isinstance(value, str):
            return self.redact(value)
        return value if self._free(value) else self._redacted(value)

    def redact_object(self, value: dict[str, object]) -> dict[str, object]:
        """`redact_data` of an object."""
        if self._free(value):
            return value
        return {self.redact(name): self._redacted(item) for name, item in value.items()}

    def _free(self, value: object) -> bool:
        """Whether it is certain, without a walk through `value`, that no secret stands in it."""
        if not self._covers:
            return True
        try:
            text = msgspec.json.encode(value)
        except (TypeError, ValueError, OverflowError, RecursionError, msgspec.MsgspecError):
            return False
        return not [needle for needle in self._needles if needle in text]

    def _redacted(self, value: object) -> object:
        if isinstance(value, str):
            return self.redact(value)
        if isinstance(value, Mapping):
            return {self.redact(str(key)): self._redacted(item) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [self._redacted(item) for item in value]
        return value


def _forms(value: str) -> frozenset[str]:
    """The spellings in which a secret stands in headers, URLs and JSON."""
    encoded = base64.b64encode(value.encode()).decode()
    escaped = (json.dumps(value)[1:-1], json.dumps(value, ensure_ascii=False)[1:-1])
    key_lines = (line for key in _KEY.findall(value) for line in _KEY_LINE.findall(key))
    return frozenset((value, encoded, quote(value, safe=""), *escaped, *key_lines))


def _needle(form: str) -> bytes:
    """The longest piece of `form` that every JSON text of a string with `form` in it contains as it is."""
    return max(_UNESCAPED.findall(form), key=len, default="").encode()
