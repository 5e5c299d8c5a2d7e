"""Packed records put aside in a file without a name, by bucket, until they can be looked at together."""

from __future__ import annotations

import tempfile
from typing import IO, Any, Final

import numpy as np
from numpy.typing import NDArray

MOST_BUCKETS: Final = 64
_BUCKET_BYTES: Final = 6_000_000
"""Of the file that is read: about 70,000 rows, of which 1.8 MB are put aside twice."""

Array = NDArray[Any]


def bits_for(size: int) -> int:
    """How many leading bits tell buckets apart, for a file of `size` bytes."""
    buckets = min(MOST_BUCKETS, -(-size // _BUCKET_BYTES))
    return max(0, buckets - 1).bit_length()


def parted(records: Array, first: NDArray[np.uint64], bits: int) -> tuple[Array, Array]:
    """Records by bucket, and how many there are of each; the upper bits of `first` tell buckets apart."""
    if not bits:
        return records, np.array([len(records)])
    bucket = (first >> np.uint64(64 - bits)).astype(np.uint8)
    counts = np.bincount(bucket, minlength=1 << bits)
    return np.take(records, np.argsort(bucket, kind="stable")), counts


def write(file: IO[bytes], records: Array) -> None:
    """Write records to a file without a buffer."""
    if len(records):
        rest = records.view(np.uint8).data
        while rest:
            rest = rest[file.write(rest) :]


class Spool:
    """Records of one dtype. The file has no name, so that even a build that is killed leaves none.

    On Windows it has one as long as it is open.
    """

    def __init__(self, dtype: np.dtype[Any], bits: int) -> None:
        self.buckets = 1 << bits
        self._dtype = dtype
        self._file = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115  closed by `close`
        self._counts: list[Array] = []

    def add(self, records: Array, counts: Array) -> None:
        """Put records aside that are in order of their buckets, `counts` of each."""
        write(self._file, records)
        self._counts.append(counts.astype(np.uint32))

    def read(self, bucket: int) -> Array:
        """All records of one bucket, in the order in which they came."""
        counts = np.array(self._counts, np.int64).reshape(-1, self.buckets)
        begins = np.cumsum(counts.ravel()).reshape(counts.shape) - counts
        parts = []
        for begin, count in zip(begins[:, bucket].tolist(), counts[:, bucket].tolist(), strict=True):
            self._file.seek(begin * self._dtype.itemsize)
            parts.append(self._file.read(count * self._dtype.itemsize))
        return np.frombuffer(b"".join(parts), self._dtype)

    def close(self) -> None:
        """Let the file go."""
        self._file.close()
