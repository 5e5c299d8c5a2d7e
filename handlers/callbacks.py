"""What buttons carry: an operation, a row and a stamp; ASCII, at most 64 bytes, never anything personal."""

from __future__ import annotations

from enum import StrEnum

from aiogram.filters.callback_data import CallbackData
from pydantic import Field

DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
# What a row number may be on every database; more can only be forged.
HIGHEST_ROW = 2**31 - 1


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
    LARGE = "big"
    FORGET = "fgt"
    ASK = "ask"
    NOTIFY = "ntf"
    APPEAL = "apl"
    STATION = "sta"
    REFER = "ref"
    WIZARD = "wiz"
    BACK = "bck"
    RESTART = "new"
    RIGHT = "sur"
    STATUS = "reg"
    CODE = "cod"
    SECURE = "sec"
    VERIFY = "vfy"
    WRONG = "wrg"
    OBJECT = "obj"
    DOCUMENTS = "doc"
    CORRECTED = "ack"
    CARD_TAKE = "ctk"
    CARD_GROUP = "cgr"
    CARD_MERGE = "cmg"
    CARD_OFFLINE = "cof"
    CARD_BACK = "cbk"
    CONFIRM = "cfm"
    BIND_GROUP = "bnd"
    ENTRY = "ent"
    COPY = "cpy"
    PLATFORM = "plt"
    OWN_TICKETS = "dan"
    ACCEPT = "acc"
    CLAIM = "clm"
    CITE = "cit"
    DUTY = "dty"
    SWAP = "swp"
    TIP_READ = "tak"
    TIP_TEXT = "tft"
    TIP_QUESTION = "tqn"


class Tap(CallbackData, prefix="1", sep="|"):
    """`1|op|id|stamp|arg`: grammar version, operation, row in base 36, version stamp, small argument.

    Data comes from outside: what does not follow the grammar does not become a `Tap`.
    """

    op: str = Field(pattern=r"^[a-z]{3}$")
    id: str = Field("0", pattern=r"^[0-9a-z]{1,10}$")
    stamp: str = Field("0", pattern=r"^[0-9a-z]{1,8}$")
    arg: str = Field("", pattern=r"^[0-9a-z_-]{0,12}$")

    @property
    def row(self) -> int:
        """The row number; 0, which no row has, for one that no row can have."""
        number = int(self.id, 36)
        return number if number <= HIGHEST_ROW else 0

    @property
    def number(self) -> int:
        """The argument as a place in a list; -1 where it is none."""
        return int(self.arg) if self.arg.isdigit() else -1


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
