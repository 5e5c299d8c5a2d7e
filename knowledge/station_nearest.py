"""Nearest points on the globe, exactly and without looking at all of them: a tree of unit vectors."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from heapq import heappush, heappushpop
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

EARTH = 6_371_008.8
"""Mean radius in metres."""
_LEAF = 8

Point = tuple[float, float, float]


class _Leaf(NamedTuple):
    points: tuple[tuple[int, float, float, float], ...]


class _Fork(NamedTuple):
    axis: int
    split: float
    below: _Node
    above: _Node


_Node = _Leaf | _Fork


def metres(latitude: float, longitude: float, other_latitude: float, other_longitude: float) -> float:
    """The distance of two positions in degrees along the globe (haversine)."""
    a, b = math.radians(latitude), math.radians(other_latitude)
    across = math.radians(other_longitude - longitude)
    half = math.sin((b - a) / 2) ** 2 + math.cos(a) * math.cos(b) * math.sin(across / 2) ** 2
    return 2 * EARTH * math.asin(min(1.0, math.sqrt(half)))


def is_position(latitude: float, longitude: float) -> bool:
    """Whether these are degrees of a place on the globe."""
    return -90 <= latitude <= 90 and -180 <= longitude <= 180


class Nearest:
    """Positions, numbered in the order given, to be asked for the nearest ones."""

    def __init__(self, positions: Sequence[tuple[float, float]]) -> None:
        self._positions = positions
        vectors = _vectors(positions)
        self._root = _grown(vectors, np.arange(len(positions))) if positions else None

    def find(
        self, latitude: float, longitude: float, limit: int, allowed: Callable[[int], bool] | None = None
    ) -> list[tuple[int, float]]:
        """The nearest `limit` positions that are allowed: number and metres, nearest first."""
        if self._root is None or limit < 1:
            return []
        at: Point = tuple(_vectors([(latitude, longitude)])[0].tolist())
        x, y, z = at
        best: list[tuple[float, int]] = []  # the worst first: negative square of the chord, negative number
        waiting: list[tuple[float, _Node]] = [(0.0, self._root)]
        while waiting:
            least, node = waiting.pop()
            if len(best) == limit and least > -best[0][0]:
                continue
            if isinstance(node, _Leaf):
                for number, px, py, pz in node.points:
                    if allowed is None or allowed(number):
                        entry = (-((px - x) ** 2 + (py - y) ** 2 + (pz - z) ** 2), -number)
                        if len(best) < limit:
                            heappush(best, entry)
                        else:
                            heappushpop(best, entry)
                continue
            beyond = at[node.axis] - node.split
            near, far = (node.above, node.below) if beyond >= 0 else (node.below, node.above)
            waiting.append((max(least, beyond * beyond), far))
            waiting.append((least, near))
        found = ((-number, self._metres(-number, latitude, longitude)) for _, number in best)
        return sorted(found, key=lambda pair: (pair[1], pair[0]))

    def _metres(self, number: int, latitude: float, longitude: float) -> float:
        return metres(latitude, longitude, *self._positions[number])


def _vectors(positions: Sequence[tuple[float, float]]) -> NDArray[np.float64]:
    degrees = np.array(positions, dtype=np.float64).reshape(-1, 2)
    latitudes, longitudes = np.radians(degrees[:, 0]), np.radians(degrees[:, 1])
    flat = np.cos(latitudes)
    return np.stack([flat * np.cos(longitudes), flat * np.sin(longitudes), np.sin(latitudes)], axis=1)


def _grown(vectors: NDArray[np.float64], numbers: NDArray[np.intp]) -> _Node:
    if len(numbers) <= _LEAF:
        return _Leaf(tuple((int(number), *map(float, vectors[number])) for number in numbers))  # type: ignore[misc]
    part = vectors[numbers]
    axis = int(np.argmax(np.ptp(part, axis=0)))
    order = numbers[np.argsort(part[:, axis], kind="stable")]
    middle = len(order) // 2
    # What lies on the split may stand on either side: a bound equal to the worst is still looked at.
    return _Fork(
        axis, float(vectors[order[middle], axis]),
        _grown(vectors, order[:middle]), _grown(vectors, order[middle:]),
    )  # fmt: skip
