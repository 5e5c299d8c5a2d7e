"""Receipt codes 回执码: ten characters that name a registration and nobody; the last checks the others."""

from __future__ import annotations

import re
import unicodedata

from office.errors import Invalid

ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZL"
"""Thirty-two symbols without 0, O, 1 and I. L is read for l; 0 and O are read as Q, 1 and I as L."""
LENGTH = 10
_ALIKE = str.maketrans("0O1I", "QQLL")
_VALUES = {symbol: value for value, symbol in enumerate(ALPHABET)}


def check_symbol(body: str) -> str:
    """The tenth symbol: weights 1, 3, 5 … over the nine before it, modulo 32, all odd and each one different.

    Odd weights have inverses modulo 32, so every single wrong symbol is noticed, and most swapped neighbours.
    """
    total = sum((2 * place + 1) * _VALUES[symbol] for place, symbol in enumerate(body))
    return ALPHABET[total % 32]


def read_code(raw: str) -> str:
    """The code in its one form; raises `Invalid("receipt.mistyped")` if it cannot be a code."""
    plain = re.sub(r"[\s\-‐-―－]", "", unicodedata.normalize("NFKC", raw)).upper().translate(_ALIKE)
    if len(plain) != LENGTH or any(symbol not in _VALUES for symbol in plain):
        raise Invalid("receipt.mistyped")
    if check_symbol(plain[:-1]) != plain[-1]:
        raise Invalid("receipt.mistyped")
    return plain


def written(code: str) -> str:
    """K7M2-9QXD-4E: how a code is printed."""
    return f"{code[:4]}-{code[4:8]}-{code[8:]}"
