"""Invented voters for tests. Their region code 310199 belongs to no place, so nobody bears their numbers.

Each name holds one of a few rare characters that stand nowhere else, so that a leak can be looked for in
everything the whole suite has written.
"""

from __future__ import annotations

from dataclasses import dataclass

from knowledge.roll import receipts
from knowledge.roll.identity import with_check

REGION = "310199"
RARE = "㛃䶮𠅤𫖯𬭚"
"""U+36C3, U+4DAE and three outside the first plane."""


@dataclass(frozen=True)
class Voter:
    """Somebody who could stand on a roll, with the code on their receipt."""

    name: str
    number: str
    receipt: str


def code(seed: str) -> str:
    """The receipt code that begins with these symbols, filled up with 2 and checked."""
    body = seed.ljust(receipts.LENGTH - 1, "2")
    return body + receipts.check_symbol(body)


def voter(n: int) -> Voter:
    """The n-th invented voter, born in 1990, n from 0 to 9999."""
    symbols = receipts.ALPHABET
    seed = "ZZTEST" + "".join(symbols[n // 32**place % 32] for place in range(3))
    month, day = n % 12 + 1, n // 12 % 28 + 1
    number = with_check(f"{REGION}1990{month:02}{day:02}{n % 1000:03}")
    return Voter(f"林{RARE[n % len(RARE)]}{chr(0x4E00 + n // len(RARE))}", number, code(seed))


LIN_YAN = Voter("林䶮", with_check(f"{REGION}19780312101"), code("ZZYAN"))
HE_JIE = Voter("贺㛃", with_check(f"{REGION}19850607202"), code("ZZJ"))
OUYANG = Voter("欧阳𠅤", with_check(f"{REGION}19640229303"), code("ZZX"))
AYGUL = Voter("阿依𫖯·买买提", with_check(f"{REGION}19951111404"), code("ZZAY"))
TAO_MIN = Voter("陶𬭚", with_check(f"{REGION}20080101505"), code("ZZTM"))
"""TAO_MIN is on no roll."""
CAST = (LIN_YAN, HE_JIE, OUYANG, AYGUL)
"""Those on the roll of most tests."""
