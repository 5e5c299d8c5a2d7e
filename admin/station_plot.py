"""Stations as points on a sheet: where they lie to each other, without a map beneath or a third party."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

WIDTH, TALLEST, FLATTEST = 1000.0, 760.0, 420.0
MARGIN = 40.0
SHAPES = 6
COLOURS = 6
MOST_POINTS = 600
CELLS = 24
# Marks whose middles lie closer than this would cover each other.
APART = 24.0
_ROUNDS, _MOST_STEPS = 60, 12_000
_TURN = math.pi * (3 - math.sqrt(5))
# The middle of all, and how many times as far out as the farthest quarter a point may lie to count as inside.
FAR = 4.0


@dataclass(frozen=True, slots=True)
class Point:
    """A place to be shown: degrees, and the number of its street, by which it gets its shape and colour."""

    latitude: float
    longitude: float
    street: int


@dataclass(frozen=True, slots=True)
class Mark:
    """A mark on the sheet; `members` are the places it stands for, as their numbers in the list given.

    `outside`: it lies farther out than the sheet reaches, and stands at its edge.
    """

    x: float
    y: float
    street: int
    members: tuple[int, ...]
    outside: bool = False

    @property
    def shape(self) -> int:
        """The number of its shape."""
        return self.street % SHAPES

    @property
    def colour(self) -> int:
        """The number of its colour; shapes and colours together tell 36 streets apart."""
        return (self.street + self.street // SHAPES) % COLOURS


@dataclass(frozen=True, slots=True)
class Plot:
    """A sheet of this size with its marks, and how many metres one of its units is."""

    width: float
    height: float
    marks: tuple[Mark, ...]
    metres: float

    @property
    def scale(self) -> tuple[int, float]:
        """A round length in metres for the scale bar, and how long it is on the sheet."""
        most = self.width * self.metres / 4
        power = 10 ** math.floor(math.log10(most))
        length = max(power * step for step in (1, 2, 5) if power * step <= most)
        return int(length), length / self.metres


def plot(points: Sequence[Point]) -> Plot | None:
    """The sheet for these places; None without any.

    Its edges are set by the bulk of the places, so that one whose figures were swapped shrinks nobody else.
    Places on top of each other are moved apart as far as the sheet has room. Above 600 places, those of one
    street that lie close together share a mark.
    """
    if not points:
        return None
    middle = _middle([point.latitude for point in points]), _middle([point.longitude for point in points])
    # East and west lie closer together the farther one is from the equator.
    flat = [_flat(point, middle) for point in points]
    reach_x, reach_y = (_reach([abs(place[axis]) for place in flat]) for axis in (0, 1))
    inside = [abs(x) <= reach_x and abs(y) <= reach_y for x, y in flat]
    kept = [place for place, within in zip(flat, inside, strict=True) if within]
    left, right = min(x for x, _ in kept), max(x for x, _ in kept)
    bottom, top = min(y for _, y in kept), max(y for _, y in kept)
    across, up = max(right - left, 200.0), max(top - bottom, 200.0)
    height = min(max(WIDTH * up / across, FLATTEST), TALLEST)
    metres = max(across / (WIDTH - 2 * MARGIN), up / (height - 2 * MARGIN))

    def placed(x: float, y: float) -> tuple[float, float]:
        # Both centred, and whoever is outside put on the edge.
        on_x = WIDTH / 2 + (x - (left + right) / 2) / metres
        on_y = height / 2 - (y - (bottom + top) / 2) / metres
        edge = MARGIN / 2
        return round(min(max(on_x, edge), WIDTH - edge), 1), round(min(max(on_y, edge), height - edge), 1)

    marks = [
        Mark(*placed(*flat[number]), points[number].street, (number,), not inside[number])
        for number in range(len(points))
    ]
    shown = _apart(_gathered(marks) if len(marks) > MOST_POINTS else marks, height)
    return Plot(WIDTH, round(height, 1), tuple(shown), metres)


def _flat(point: Point, middle: tuple[float, float]) -> tuple[float, float]:
    """Metres east and north of the middle; over a city the earth is flat enough."""
    north = (point.latitude - middle[0]) * 111_320.0
    east = (point.longitude - middle[1]) * 111_320.0 * math.cos(math.radians(middle[0]))
    return east, north


def _middle(values: Sequence[float]) -> float:
    return sorted(values)[len(values) // 2]


def _reach(distances: Sequence[float]) -> float:
    """How far out from the middle still counts as inside: four times the distance of three quarters."""
    return max(FAR * sorted(distances)[(len(distances) - 1) * 3 // 4], 2_000.0)


def _apart(marks: Sequence[Mark], height: float) -> list[Mark]:
    """The marks pushed off each other, so that each can be seen and met; alone, a mark stays where it is."""
    at = [(mark.x, mark.y) for mark in marks]
    edge = MARGIN / 2
    # Thousands have no room beside each other anyhow, and nobody waits for a sheet.
    for _ in range(max(4, min(_ROUNDS, _MOST_STEPS // max(1, len(at))))):
        pushes = _pushes(at)
        if not pushes:
            break
        for number, (by_x, by_y) in pushes.items():
            x, y = at[number][0] + by_x, at[number][1] + by_y
            at[number] = min(max(x, edge), WIDTH - edge), min(max(y, edge), height - edge)
    return [replace(mark, x=round(x, 1), y=round(y, 1)) for mark, (x, y) in zip(marks, at, strict=True)]


def _pushes(at: Sequence[tuple[float, float]]) -> dict[int, tuple[float, float]]:
    """How far each mark that is too close to others has to give way, half of what is missing for each."""
    near: dict[tuple[int, int], list[int]] = {}
    for number, (x, y) in enumerate(at):
        near.setdefault((int(x // APART), int(y // APART)), []).append(number)
    found: dict[int, tuple[float, float]] = {}
    for (column, line), members in near.items():
        around = [n for c in (-1, 0, 1) for r in (-1, 0, 1) for n in near.get((column + c, line + r), ())]
        for one in members:
            by_x = by_y = 0.0
            for other in around:
                x, y = at[one][0] - at[other][0], at[one][1] - at[other][1]
                away = math.hypot(x, y)
                if other == one or away >= APART - 0.5:
                    continue
                if away < 0.01:
                    # From the same spot each goes its own way, the same one every time.
                    x, y, away = math.cos(one * _TURN), math.sin(one * _TURN), 1.0
                    missing = APART
                else:
                    missing = APART - away
                by_x, by_y = by_x + x / away * missing / 2, by_y + y / away * missing / 2
            if by_x or by_y:
                found[one] = by_x, by_y
    return found


def _gathered(marks: Sequence[Mark]) -> list[Mark]:
    cells: dict[tuple[int, int, int, bool], list[Mark]] = {}
    for mark in marks:
        cell = int(mark.x * CELLS / WIDTH), int(mark.y * CELLS / WIDTH), mark.street, mark.outside
        cells.setdefault(cell, []).append(mark)
    return [
        Mark(
            round(sum(mark.x for mark in found) / len(found), 1),
            round(sum(mark.y for mark in found) / len(found), 1),
            street,
            tuple(number for mark in found for number in mark.members),
            outside,
        )
        for (_, _, street, outside), found in cells.items()
    ]
