"""Identity numbers and names as a lookup needs them: checked, brought to one form, turned into one digest.

Nothing here keeps what it is given. The rules of the number are those of GB 11643-1999: seventeen digits and
a check character by ISO 7064, MOD 11-2.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import unicodedata
from dataclasses import dataclass, field
from datetime import date

from office.errors import Invalid

DIGEST_SIZE = 16
DIGEST_VERSION = 1
"""HMAC-SHA256, its first 16 bytes. A slower or a separately held key would be another version."""
OLDEST = 120
LONGEST_NAME = 60
# Between the parts of what is digested: no name or number can hold it.
_JOINT = "\x1f"
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECKS = "10X98765432"
_SHAPE = re.compile(r"\d{17}[\dX]|\d{15}", re.ASCII)
# The first two digits, by GB/T 2260: provinces, regions, cities under the state, special regions.
_TENS = ((11, 16), (21, 24), (31, 38), (41, 47), (50, 55), (61, 66), (71, 72), (81, 84))
REGIONS = frozenset(str(code) for first, end in _TENS for code in range(first, end))
_DOTS = str.maketrans(dict.fromkeys("•・‧∙⋅．.", "·"))
# What a name may be made of: letters of any script (rare characters lie outside the first plane), · between.
_NAME_KINDS = frozenset({"Lo", "Lu", "Ll", "Lt", "Lm", "Mn", "Mc"})


class BadIdentity(Invalid):
    """A number or a name that nobody can have; `key` says what to look at, never what was typed."""


def read_number(raw: str, today: date) -> str:
    """The number in its one form: eighteen characters, the last a digit or X.

    Full-width digits, spaces and a small x are taken as meant. Fifteen digits, as they stood on cards before
    1999, get their century and check character, so that both forms give one digest. `today` is the day in
    Beijing. Raises `BadIdentity`: "identity.shape", "identity.region", "identity.birth", "identity.check".
    """
    plain = "".join(unicodedata.normalize("NFKC", raw).split()).upper()
    if not _SHAPE.fullmatch(plain):
        raise BadIdentity("identity.shape")
    if plain[:2] not in REGIONS:
        raise BadIdentity("identity.region")
    number = plain if len(plain) == 18 else with_check(f"{plain[:6]}19{plain[6:]}")
    if born(number[6:14], today) is None:
        raise BadIdentity("identity.birth")
    if with_check(number[:17]) != number:
        raise BadIdentity("identity.check")
    return number


def with_check(first: str) -> str:
    """Seventeen digits with their check character (GB 11643-1999, ISO 7064 MOD 11-2)."""
    total = sum(weight * int(digit) for weight, digit in zip(_WEIGHTS, first, strict=True))
    return first + _CHECKS[total % 11]


def born(digits: str, today: date) -> date | None:
    """The birth date in eight digits; None for no day, one to come, or one more than 120 years ago."""
    try:
        day = date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    except ValueError:
        return None
    return day if day <= today and day.year >= today.year - OLDEST else None


def read_name(raw: str) -> str:
    """The name in its one form: NFKC, without spaces, every middle dot `·`, Latin letters in capitals.

    Raises `BadIdentity("identity.name")` for what is no name: empty, longer than 60 characters, with digits
    or signs, or with a dot at its edge. Rare characters outside the first plane are letters like others.
    """
    plain = "".join(unicodedata.normalize("NFKC", raw).split()).translate(_DOTS).upper()
    letters = plain.replace("·", "")
    if not letters or len(plain) > LONGEST_NAME or plain[0] == "·" or plain[-1] == "·" or "··" in plain:
        raise BadIdentity("identity.name")
    # 〇 stands in names, though it is a numeral to Unicode.
    if any(unicodedata.category(letter) not in _NAME_KINDS for letter in letters.replace("〇", "")):
        raise BadIdentity("identity.name")
    return plain


@dataclass(frozen=True)
class DigestKey:
    """The key of one election's roll: 32 random bytes that are kept apart from the database."""

    election: str
    secret: bytes = field(repr=False)

    @property
    def key_id(self) -> str:
        """Sixteen characters that name the key and give nothing of it away."""
        return hashlib.sha256(b"one-window roll key" + self.secret).hexdigest()[:16]

    def identity(self, name: str, number: str) -> bytes:
        """The digest of a name and a number in their one form, both together: there is no partial match."""
        return self._digest("identity", f"{name}{_JOINT}{number}")

    def receipt(self, code: str) -> bytes:
        """The digest of a receipt code in its one form."""
        return self._digest("receipt", code)

    def prefix(self, kind: str) -> bytes:
        """What stands before the content in everything of one kind that is digested."""
        return f"{self.election}{_JOINT}{kind}{_JOINT}".encode()

    def _digest(self, kind: str, content: str) -> bytes:
        return hmac.digest(self.secret, self.prefix(kind) + content.encode(), "sha256")[:DIGEST_SIZE]

    def as_text(self) -> str:
        """The secret as it stands in a key file."""
        return base64.b64encode(self.secret).decode()
