"""The records of a package in order of their digests, one bucket after another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from knowledge.roll.duplicates import Act
from knowledge.roll.identity import DIGEST_SIZE
from knowledge.roll.package import RECORD
from knowledge.roll.records import Mark

KEPT: Final = np.dtype([("digest", "u1", (DIGEST_SIZE,)), ("stand", "<u4"), ("row", "<u4"), ("mark", "u1")])
"""A row as it is put aside until its place in the package is known."""

Array = NDArray[Any]


def tags(digests: Array) -> NDArray[np.uint64]:
    """The first eight bytes of digests as numbers that sort as they do."""
    return digests[:, :8].view(">u8")[:, 0].astype(np.uint64)


@dataclass(frozen=True, slots=True)
class Settled:
    """A bucket's `RECORD`s by digest, rows whose receipts are among them, registered persons by stand."""

    records: Array
    receipts: Array
    registered: Array


def settled(kept: Array, acts: Array, places: Array) -> Settled:
    """Rows (`KEPT`) as records, after what was decided about doubles.

    `acts` are of `duplicates.ACT`, in order of their rows; `places` gives the place of each stand.
    """
    if len(acts):
        at = np.minimum(np.searchsorted(acts["row"], kept["row"]), len(acts) - 1)
        act = np.where(acts["row"][at] == kept["row"], acts["act"][at], 0)
        asked = act == Act.ASK
        kept = kept.copy()
        kept["mark"][asked] &= np.uint8(0xFF ^ Mark.REGISTERED)
        kept = kept[(act == 0) | asked]
    order, upper = in_order(kept["digest"])
    kept = np.take(kept, order)  # ten times as fast as by index
    if (upper[1:] == upper[:-1]).any():
        # Two of one digest. Somebody bears what was made up for nobody: the person stays. Or two persons have
        # one receipt code: it would say of one what is true of the other, so neither stays.
        whole = np.ascontiguousarray(kept["digest"]).view(f"V{DIGEST_SIZE}").ravel()
        same = whole[1:] == whole[:-1]
        again, before = np.concatenate(([False], same)), np.concatenate((same, [False]))
        receipt = kept["mark"] & np.uint8(Mark.RECEIPT) != 0
        kept = kept[~again & ~(before & receipt)]
    records = np.empty(len(kept), RECORD)
    records["digest"], records["mark"] = kept["digest"], kept["mark"]
    records["place"] = places[kept["stand"]]
    receipt = kept["mark"] & np.uint8(Mark.RECEIPT) != 0
    registered = kept["mark"] == Mark.REGISTERED
    return Settled(
        records, np.ascontiguousarray(kept["row"][receipt]),
        np.bincount(kept["stand"][registered], minlength=len(places)),
    )  # fmt: skip


def in_order(digests: Array) -> tuple[Array, Array]:
    """The order in which digests rise, the first of equal ones first, and their `tags` in that order."""
    upper = tags(digests)
    # Numbers are sorted much faster than their order is found: each takes its place along in lower bits.
    places = np.uint64((1 << len(upper).bit_length()) - 1)
    found = np.sort((upper & ~places) | np.arange(len(upper), dtype=np.uint64))
    order = (found & places).astype(np.intp)
    if (upper[order][1:] <= upper[order][:-1]).any():
        order = np.lexsort((tags(digests[:, 8:]), upper))
    return order, upper[order]
