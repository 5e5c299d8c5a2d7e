"""Digests of many things at a time, the same that `identity.DigestKey` gives one at a time."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from knowledge.roll.identity import DIGEST_SIZE, DigestKey

_BLOCK: Final = 64


class Digester:
    """HMAC-SHA256 (RFC 2104) whose two beginnings, key and prefix, are hashed once and then copied.

    A third of the time that a whole HMAC takes, where the message is as short as a name and a number.
    """

    def __init__(self, key: DigestKey, kind: str) -> None:
        secret = key.secret if len(key.secret) <= _BLOCK else hashlib.sha256(key.secret).digest()
        padded = secret.ljust(_BLOCK, b"\0")
        self._inner = hashlib.sha256(bytes(byte ^ 0x36 for byte in padded) + key.prefix(kind))
        self._outer = hashlib.sha256(bytes(byte ^ 0x5C for byte in padded))

    def all(self, messages: Iterable[bytes]) -> NDArray[np.uint8]:
        """One row of sixteen bytes for each message."""
        inner, outer = self._inner.copy, self._outer.copy
        found: list[bytes] = []
        keep: Any = found.append
        for message in messages:
            inside = inner()
            inside.update(message)
            outside = outer()
            outside.update(inside.digest())
            keep(outside.digest())
        return np.frombuffer(b"".join(found), np.uint8).reshape(-1, 32)[:, :DIGEST_SIZE]
