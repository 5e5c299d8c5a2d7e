"""Ticket numbers and progress codes: made to be read over the phone and typed with errors.

A ticket number is `DP-1120-07-K`: district code, month and day of the business day, serial of that day,
check letter. It says which ticket, never that one may see it: the progress code does that.
"""

import re
import secrets
import unicodedata
from collections.abc import Callable, Iterable
from datetime import date
from typing import Final

CHECK_LETTERS: Final = "ABCDEFGHJKLMNPQRTUVWXYZ"
"""23 letters, a prime number, so that a single wrong digit always changes the letter; I, O and S are
left out because they are read as 1, 0 and 5."""

PROGRESS_ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""32 symbols without I, L, O and U; receipt codes use the same."""

PROGRESS_LENGTH: Final = 4
MAX_SERIAL: Final = 99_999

_DISTRICT: Final = r"[A-Z]{2,4}"
_MONTH_DAY: Final = r"(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])"
_GAP: Final = r"[ \-]{0,3}"
_WRITTEN: Final = re.compile(
    rf"(?<![A-Z0-9])({_DISTRICT}){_GAP}({_MONTH_DAY}){_GAP}([0-9]{{2}}|[1-9][0-9]{{2,4}}){_GAP}"
    rf"([{CHECK_LETTERS}])(?![A-Z0-9])"
)
_SHORT: Final = re.compile(rf"({_MONTH_DAY}){_GAP}([0-9]{{1,5}})(?:{_GAP}([{CHECK_LETTERS}]))?")
_LOOK_ALIKES: Final = str.maketrans("OIL", "011")


def check_letter(body: str) -> str:
    """The check letter of a number without it, such as `DP-1120-07`; hyphens do not count.

    Digits count 0 to 9, letters A=10 to Z=35, weighted 2, 3, 4... from the right, summed modulo 23.
    Raises ValueError when the body holds anything but A-Z, 0-9 and hyphens, or nothing at all.
    """
    symbols = body.replace("-", "")
    if not re.fullmatch(r"[A-Z0-9]+", symbols):
        raise ValueError(f"not the body of a ticket number: {body!r}")
    weighed = sum(weight * int(symbol, 36) for weight, symbol in enumerate(reversed(symbols), start=2))
    return CHECK_LETTERS[weighed % len(CHECK_LETTERS)]


def ticket_no(district_code: str, business_day: date, serial: int) -> str:
    """The number of the `serial`-th ticket of a business day, for example `DP-1120-07-K`.

    The serial comes from the database and starts at 1. The year is not in it: the number is unique
    together with the year. Raises ValueError for a district code that is not two to four letters A-Z
    and for a serial outside 1 to 99,999.
    """
    if not re.fullmatch(_DISTRICT, district_code):
        raise ValueError(f"a district code is two to four letters A-Z, not {district_code!r}")
    if not 1 <= serial <= MAX_SERIAL:
        raise ValueError(f"a serial is between 1 and {MAX_SERIAL}, not {serial}")
    body = f"{district_code}-{business_day:%m%d}-{serial:02d}"
    return f"{body}-{check_letter(body)}"


def parse_ticket_no(text: str) -> str | None:
    """The ticket number that `text` consists of, in its proper form, or None.

    Lower case, full-width letters, any kind of dash, spaces and missing hyphens are forgiven: the month
    and day always have four digits, so the parts stay apart. A wrong check letter is not forgiven.
    """
    found = _WRITTEN.fullmatch(_tidy(text).strip())
    return _checked(found) if found else None


def complete(text: str, district_codes: Iterable[str]) -> tuple[str, ...]:
    """The numbers that a text without the district code can mean, one for each of the codes at most.

    Read out among colleagues, 1120-07 is enough: the check letter follows from the rest, and one that is
    typed all the same has to be right. Empty for a text that is no such number.
    """
    found = _SHORT.fullmatch(_tidy(text).strip())
    if found is None or not int(found[2]):
        return ()
    bodies = (f"{code}-{found[1]}-{int(found[2]):02d}" for code in district_codes)
    letters = ((body, check_letter(body)) for body in bodies)
    return tuple(f"{body}-{letter}" for body, letter in letters if found[3] in (None, letter))


def find_ticket_no(text: str) -> str | None:
    """The first valid ticket number anywhere in a message, in its proper form, or None.

    What looks like one but has a wrong check letter is passed over.
    """
    numbers = (_checked(found) for found in _WRITTEN.finditer(_tidy(text)))
    return next((number for number in numbers if number), None)


def new_progress_code(randbelow: Callable[[int], int] = secrets.randbelow) -> str:
    """Four random symbols that must be given with the ticket number outside the original chat.

    `randbelow(n)` gives an unpredictable number from 0 to n-1; another source is for tests only. About
    a million codes exist, which is enough only because wrong tries are counted and stopped.
    """
    return "".join(PROGRESS_ALPHABET[randbelow(len(PROGRESS_ALPHABET))] for _ in range(PROGRESS_LENGTH))


def normalise_code(text: str) -> str:
    """A typed progress or receipt code in the form in which codes are compared.

    Upper case, without spaces and dashes, O read as 0, I and L as 1. Whether the result is a code is
    for the caller to check: other characters stay.
    """
    return re.sub(r"[ \-]", "", _tidy(text)).translate(_LOOK_ALIKES)


def _tidy(text: str) -> str:
    # Phones and Chinese keyboards give full-width letters, their own dashes, and invisible marks when
    # a number is copied out of a chat.
    symbols = unicodedata.normalize("NFKC", text).upper()
    return "".join(_plain(symbol) for symbol in symbols if unicodedata.category(symbol) != "Cf")


def _plain(symbol: str) -> str:
    if symbol.isspace():
        return " "
    # U+2212 and U+30FC are a minus sign and a vowel mark to Unicode, and dashes to the person typing.
    return "-" if unicodedata.category(symbol) == "Pd" or symbol in "\u2212\u30fc" else symbol


def _checked(found: re.Match[str]) -> str | None:
    district, month_day, serial, letter = found.groups()
    body = f"{district}-{month_day}-{serial}"
    valid = serial != "00" and letter == check_letter(body)
    return f"{body}-{letter}" if valid else None
