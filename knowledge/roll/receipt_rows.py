"""Receipt codes for a whole roll: each follows from its person, so that a printed receipt outlives a build.

A code is 45 bits of an HMAC over the person's digest, under a secret that follows from the signing half of
the offline key. The service has no such half: whoever has its key and its database cannot make a code.
Of a million persons two have the same code in about one build of seventy: neither gets a receipt then.
"""

from __future__ import annotations

import hmac
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from knowledge.roll.digests import Digester
from knowledge.roll.identity import DigestKey
from knowledge.roll.keys import OfflineKey
from knowledge.roll.receipts import ALPHABET, LENGTH, check_symbol

BITS: Final = 5 * (LENGTH - 1)
CODE: Final = np.dtype([("row", "<u4"), ("value", "<u8")])
"""The code of the person in a row, as a number below 2⁴⁵."""
_PURPOSE: Final = b"one-window receipt codes"

Array = NDArray[Any]


def secret_of(key: OfflineKey) -> bytes:
    """What the codes of one offline key are made with, always the same; it never leaves the machine."""
    return hmac.digest(key.signing.private_bytes_raw(), _PURPOSE, "sha256")


class Codes:
    """The codes of one election's persons; `secret` is of `secret_of`."""

    def __init__(self, election: str, secret: bytes) -> None:
        self._digester = Digester(DigestKey(election, secret), "receipt code")

    def values(self, persons: Array) -> NDArray[np.uint64]:
        """The codes, as numbers, of persons who are given by their digests (one row each)."""
        found = self._digester.all(person.tobytes() for person in persons)
        upper: NDArray[np.uint64] = np.ascontiguousarray(found[:, :8]).view(">u8")[:, 0].astype(np.uint64)
        return upper >> np.uint64(64 - BITS)


def text(value: int) -> str:
    """A code as it is typed, with its check symbol."""
    body = "".join(ALPHABET[value >> 5 * place & 31] for place in range(LENGTH - 1))
    return body + check_symbol(body)
