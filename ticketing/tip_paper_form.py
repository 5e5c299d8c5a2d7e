"""How a work tip is printed: the values of the standard, as the office has set them.

Source: GB/T 9704-2012 《党政机关公文格式》, in `data/tip_paper.yaml`. Word counts in twentieths of a point.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from math import floor
from pathlib import Path
from typing import Any, Final

import yaml

TEMPLATE: Final = Path(__file__).parent.parent / "data" / "tip_paper.yaml"
TWIPS_A_POINT: Final = 20
TWIPS_A_MILLIMETRE: Final = 1440 / 25.4
TIGHT: Final = 1.2
"""A line of its own, off the grid: so many times the size of its font, or signs are cut off above."""
_COLOUR: Final = re.compile(r"[0-9A-F]{6}")
FONTS: Final = ("title", "text", "level_1", "level_2", "page_number")


def twips(millimetres: float) -> int:
    """A length as Word counts it."""
    return round(millimetres * TWIPS_A_MILLIMETRE)


def eighths(millimetres: float) -> int:
    """The thickness of a rule as Word counts it, in eighths of a point."""
    return max(2, round(millimetres * TWIPS_A_MILLIMETRE / TWIPS_A_POINT * 8))


def width(text: str) -> float:
    """How many full characters wide a text is: Latin letters and digits take half of one."""
    return sum(1.0 if unicodedata.east_asian_width(sign) in "WFA" else 0.5 for sign in text)


@dataclass(frozen=True, slots=True)
class Page:
    """The sheet and its margins, in millimetres."""

    width: float
    height: float
    top: float
    bottom: float
    left: float
    right: float


@dataclass(frozen=True, slots=True)
class HeadForm:
    """A head: the big line with `{office}` filled in, its colour, where it begins and what follows it."""

    mark: str
    colour: str
    top: float
    largest: float
    smallest: float
    rule: float
    rule_gap: float

    def size(self, text: str, room: int) -> float:
        """The size in points at which the line fills `room` twips, in half points as Word knows them."""
        fitting = floor(2 * room / TWIPS_A_POINT / max(width(text), 1)) / 2
        return max(self.smallest, min(self.largest, fitting))


@dataclass(frozen=True, slots=True)
class Form:
    """All settings of the printed tip."""

    page: Page
    lines: int
    characters: int
    title_size: float
    text_size: float
    small_size: float
    fonts: Mapping[str, tuple[str, ...]]
    plain: HeadForm
    red: HeadForm
    seal_lines: int
    notes: Mapping[str, str]
    outer_rule: float
    inner_rule: float
    page_number_gap: float

    @property
    def room(self) -> int:
        """The width of the type area in twips, as the rounded margins leave it."""
        return twips(self.page.width) - twips(self.page.left) - twips(self.page.right)

    @property
    def pitch(self) -> int:
        """From line to line, in twips: rounded down, so that the last line still fits."""
        return floor((self.page.height - self.page.top - self.page.bottom) * TWIPS_A_MILLIMETRE / self.lines)

    @property
    def character_space(self) -> int:
        """What the grid adds to a character of the text, in 4096ths of a point; less than nothing here."""
        return floor((self.room / TWIPS_A_POINT / self.characters - self.text_size) * 4096)

    @property
    def spacing(self) -> int:
        """The same in whole twips, between the characters of each line."""
        return floor((self.room / self.characters) - self.text_size * TWIPS_A_POINT)

    @property
    def footer_distance(self) -> int:
        """From the lower edge of the sheet to the foot, in twips: the dash of the page number is measured."""
        return twips(self.page.bottom - self.page_number_gap) - self.foot_line // 2

    @property
    def foot_line(self) -> int:
        """The height of the line that holds the page number, in twips."""
        return round(self.small_size * TWIPS_A_POINT * TIGHT)

    @property
    def character(self) -> float:
        """The width of a character of the text, in twips."""
        return self.text_size * TWIPS_A_POINT + self.spacing

    def font(self, use: str) -> str:
        """The name of the font that is asked for."""
        return self.fonts[use][0]


@cache
def form(path: Path = TEMPLATE) -> Form:
    """The settings; raises `ValueError` for a file that no paper can be made from."""
    told: Mapping[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    try:
        made = Form(
            page=Page(**told["page"]),
            lines=int(told["grid"]["lines"]),
            characters=int(told["grid"]["characters"]),
            title_size=float(told["sizes"]["title"]),
            text_size=float(told["sizes"]["text"]),
            small_size=float(told["sizes"]["small"]),
            fonts={use: tuple(map(str, told["fonts"][use])) for use in FONTS},
            plain=HeadForm(**told["plain"]),
            red=HeadForm(**told["red"]),
            seal_lines=int(told["seal_lines"]),
            notes={str(key): str(text) for key, text in told["notes"].items()},
            outer_rule=float(told["closing"]["outer"]),
            inner_rule=float(told["closing"]["inner"]),
            page_number_gap=float(told["page_number_gap"]),
        )
    except (KeyError, TypeError) as error:
        raise ValueError(f"{path.name}: {error}") from error
    wrong = [use for use, names in made.fonts.items() if not names]
    wrong += [head.colour for head in (made.plain, made.red) if not _COLOUR.fullmatch(head.colour)]
    if wrong or made.room <= 0 or made.pitch <= 0:
        raise ValueError(f"{path.name}: not usable: {wrong or 'no room on the page'}")
    return made
