"""The keys of an identity provider, fetched over HTTP."""

from __future__ import annotations

from typing import Final

import httpx

from .jwt import Fetch

#: Bytes of a key set that are read, and seconds that it may take.
MAX_BYTES: Final = 262_144
TIMEOUT: Final = 5.0


def fetching(url: str) -> Fetch:
    """What fetches the key set at `url`: no redirects, no proxies, bounded."""

    async def fetch() -> bytes:
        try:
            async with (
                httpx.AsyncClient(timeout=TIMEOUT, trust_env=False) as client,
                client.stream("GET", url, headers={"accept": "application/json"}) as answer,
            ):
                if answer.status_code != 200:
                    raise OSError(f"the identity provider answered {answer.status_code}")
                data = bytearray()
                async for piece in answer.aiter_bytes():
                    data += piece
                    if len(data) > MAX_BYTES:
                        raise OSError("the identity provider's key set is too large")
                return bytes(data)
        except httpx.HTTPError as error:
            raise OSError(f"the identity provider can't be reached: {type(error).__name__}") from error

    return fetch
