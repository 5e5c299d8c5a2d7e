"""Rows that share a number: harmless repeats, 重登 within and across electoral districts, other names.

Numbers are compared as they leave `Mixer`: each as another 64-bit number, so that what is put aside for
comparing holds none. Two rows never meet by chance, for the mixing can be undone by whoever has the secret.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from knowledge.roll.findings import NUMBERS, PACKED, Fault

SEEN: Final = np.dtype([("mixed", "<u8"), ("tag", "<u8"), ("stand", "<u4"), ("row", "<u4")])
"""A row as it is compared: its number mixed, the first eight bytes of its digest, its stand, its row."""
ACT: Final = np.dtype([("tag", "<u8"), ("row", "<u4"), ("stand", "<u4"), ("act", "u1")])
STAND: Final = np.dtype([("place", "<u4"), ("district", "<u4"), ("unit", "<u4"), ("mark", "u1")])
"""What is to be known of each stand."""

Array = NDArray[Any]


class Act(IntEnum):
    """What becomes of a row that is not alone: a repeat or a double goes, one that stays asks the station."""

    REPEAT = 1
    DOUBLE = 2
    ASK = 3


@dataclass(frozen=True, slots=True)
class Doubles:
    """Acts on rows (`ACT`) and findings (`findings.PACKED`) about them."""

    acts: Array
    found: Array


class Mixer:
    """A permutation of 64-bit numbers by a secret that is drawn for one build and never written down.

    It is no cipher; it stands between a number and a reader of a file without a name that is soon gone.
    """

    def __init__(self, secret: bytes) -> None:
        self._keys = np.frombuffer(secret, np.uint64) | np.uint64(1)

    def mixed(self, numbers: NDArray[np.uint64]) -> NDArray[np.uint64]:
        """Each number as another one."""
        found = numbers.copy()
        for at, shift in enumerate((32, 29, 31, 32)):
            found ^= self._keys[2 * at]
            found *= self._keys[2 * at + 1]
            found ^= found >> np.uint64(shift)
        return found


def fresh_secret() -> bytes:
    """A secret for one build's `Mixer`."""
    return secrets.token_bytes(64)


def doubles(seen: Array, stands: Array) -> Doubles:
    """What is to be done and said about rows (`SEEN`) with the same number; `stands` are of `STAND`."""
    numbers = np.sort(seen["mixed"])
    again = numbers[1:][numbers[1:] == numbers[:-1]]
    if not len(again):
        return Doubles(np.empty(0, ACT), np.empty(0, PACKED))
    at = np.minimum(np.searchsorted(again, seen["mixed"]), len(again) - 1)
    rows = seen[again[at] == seen["mixed"]]
    rows = rows[np.lexsort((rows["row"], rows["mixed"]))]
    begins = np.concatenate(([True], rows["mixed"][1:] != rows["mixed"][:-1]))
    group = np.cumsum(begins) - 1
    first = rows[begins][group]
    stand, stand_of_first = stands[rows["stand"]], stands[first["stand"]]
    other_name = rows["tag"] != first["tag"]
    other_place = stand["place"] != stand_of_first["place"]
    other_district = stand["district"] != stand_of_first["district"]
    other_mark = stand["mark"] != stand_of_first["mark"]
    fault = np.select(
        [begins, other_name, other_place & other_district, other_place, other_mark],
        [0, NUMBERS[Fault.NAMES], NUMBERS[Fault.ACROSS], NUMBERS[Fault.WITHIN], NUMBERS[Fault.OTHER_STATUS]],
        default=0,
    ).astype(np.uint8)
    harmless = ~begins & ~other_name & ~other_place & ~other_mark
    asked = np.bincount(group, weights=~begins & ~harmless).astype(bool)[group]
    # Of each number and name one row stays, the first.
    order = np.lexsort((rows["row"], rows["tag"], group))
    kept = np.zeros(len(rows), bool)
    groups, names = group[order], rows["tag"][order]
    kept[order] = np.concatenate(([True], (groups[1:] != groups[:-1]) | (names[1:] != names[:-1])))
    act = np.where(kept, np.where(asked, Act.ASK, 0), np.where(harmless, Act.REPEAT, Act.DOUBLE))
    changed = act > 0
    acts = np.empty(np.count_nonzero(changed), ACT)
    for name in ("tag", "row", "stand"):
        acts[name] = rows[name][changed]
    acts["act"] = act[changed]
    told = ~begins & ~harmless
    found = np.empty(np.count_nonzero(told), PACKED)
    found["row"], found["other"], found["fault"] = rows["row"][told], first["row"][told], fault[told]
    found["unit"] = stand["unit"][told]
    return Doubles(acts, found)
