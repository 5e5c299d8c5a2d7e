"""Receipt codes for a whole roll: as many as there are rows, no two alike, and none of them kept anywhere.

A code is a row's serial number sent through a secret permutation of all 45-bit numbers (a Feistel network of
six rounds, each a keyed BLAKE2s), so it can be had again for the print list as long as the build is running.
Drawn at random, one in seventy builds of a million rows would give two persons the same code.
"""

from __future__ import annotations

import hashlib
import secrets
from typing import Final

from knowledge.roll.receipts import ALPHABET, LENGTH, check_symbol

_ROUNDS: Final = 6
_LEFT, _RIGHT = 22, 23
SERIALS: Final = 1 << (_LEFT + _RIGHT)
_OF_BLOCK: Final = 21


class Codes:
    """The codes of one build; `secret` is drawn for it and forgotten after it."""

    def __init__(self, secret: bytes) -> None:
        self._keyed = [
            hashlib.blake2s(key=secret, digest_size=4, salt=bytes([number] * 8)) for number in range(_ROUNDS)
        ]

    def code(self, serial: int) -> str:
        """The code of one serial number, which is less than `SERIALS`."""
        left, right = serial >> _RIGHT, serial & ((1 << _RIGHT) - 1)
        for number, keyed in enumerate(self._keyed):
            mixing = keyed.copy()
            mixing.update((left if number % 2 else right).to_bytes(4, "little"))
            mixed = int.from_bytes(mixing.digest(), "little")
            if number % 2:
                right ^= mixed & ((1 << _RIGHT) - 1)
            else:
                left ^= mixed & ((1 << _LEFT) - 1)
        value = left << _RIGHT | right
        body = "".join(ALPHABET[value >> 5 * place & 31] for place in range(LENGTH - 1))
        return body + check_symbol(body)


def fresh_secret() -> bytes:
    """A secret for one build."""
    return secrets.token_bytes(32)


def serial(block: int, line: int) -> int:
    """The serial number of a line of a block, both from 0; they must stay below 2²⁴ and 2²¹."""
    if block >> (_LEFT + _RIGHT - _OF_BLOCK) or line >> _OF_BLOCK:
        raise ValueError("more rows than there are serial numbers")
    return block << _OF_BLOCK | line
