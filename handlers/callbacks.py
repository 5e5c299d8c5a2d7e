"""What buttons carry: an operation, a row and a stamp; ASCII, at most 64 bytes, never anything personal."""

from __future__ import annotations

from enum import StrEnum

from aiogram.filters.callback_data import CallbackData

DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


class Op(StrEnum):
    """Every operation a button can ask for; three letters each, registered here once."""

    SOLVED = "hlp"
    NOT_SOLVED = "nos"
    HUMAN = "hum"
    CHANGE = "chg"
    PICK = "pik"
    NONE_OF_THESE = "non"
    MENU = "rst"
    MINE = "min"
    FOLLOW_UP = "fol"
    AGAIN = "rop"
    LARGE = "big"
    FORGET = "fgt"
    WHEN = "whn"
    ASK = "ask"


class Tap(CallbackData, prefix="1", sep="|"):
    """`1|op|id|stamp|arg`: grammar version, operation, row in base 36, version stamp, small argument."""

    op: str
    id: str = "0"
    stamp: str = "0"
    arg: str = ""

    @property
    def row(self) -> int:
        """The row number; raises `ValueError` for what is not base 36."""
        return int(self.id, 36)


def base36(number: int) -> str:
    """A row number in the short form that buttons carry."""
    digits = ""
    while number:
        number, rest = divmod(number, 36)
        digits = DIGITS[rest] + digits
    return digits or "0"


def tap(op: Op, row: int = 0, stamp: int = 0, arg: str = "") -> str:
    """Callback data for a button."""
    return Tap(op=op.value, id=base36(row), stamp=base36(stamp), arg=arg).pack()
