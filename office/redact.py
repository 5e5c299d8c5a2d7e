"""Finds what looks like a personal number in text and takes it out, before anything is kept or logged.

This is not validation: check digits and birth dates are ignored, because a mistyped number still gives
the rest away, and where it is doubtful too much is removed rather than too little. What the office
needs in order to work stays: dates, times, group, ticket and entry numbers, receipt codes, and the
numbers the office itself has published.

The text is first folded (`office.digits`). All patterns run over the folded text, and none has two ways
to read the same symbols, so time grows with length only.
"""

import logging
import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from itertools import takewhile
from typing import Any, Final, NamedTuple

from office.digits import digits, fold, fold_character

PLACEHOLDER: Final = "［号码已隐去］"


class NumberKind(StrEnum):
    """What a removed number looked like; the keys of `Redacted.counts`."""

    ID_NUMBER = "id_number"
    PHONE = "phone"
    CARD = "card"
    PASSPORT = "passport"
    PERMIT = "permit"


@dataclass(frozen=True)
class Redacted:
    """The text that may be kept, and how many numbers of each kind (NumberKind) were taken out."""

    text: str
    counts: Mapping[str, int]


class _Find(NamedTuple):
    start: int
    end: int
    kind: NumberKind


def text(raw: str, published: Collection[str] = ()) -> Redacted:
    """Replace personal numbers in `raw` by ［号码已隐去］.

    `published` holds telephone numbers the office has made public, in any spelling; they stay, with or
    without country and trunk prefix. Overlapping finds become one, named after the longest.
    """
    pieces: list[str] = []
    kept_from = 0
    finds = _find(raw, published)
    for find in finds:
        pieces += (raw[kept_from : find.start], PLACEHOLDER)
        kept_from = find.end
    pieces.append(raw[kept_from:])
    return Redacted("".join(pieces), dict(Counter(find.kind.value for find in finds)))


def has_id_number(raw: str) -> bool:
    """Whether something in `raw` looks like a resident identity number, complete or mistyped."""
    return any(find.kind is NumberKind.ID_NUMBER for find in _find(raw, ()))


# --- patterns over folded text --------------------------------------------------------------------------

_BARRIER: Final = "\0"
_S: Final = r"[ \-./_\x1f]"
_FREE: Final = rf"{_S}{{0,4}}"
_RUN: Final = re.compile(rf"[0-9](?:{_FREE}[0-9])*")
_X: Final = rf"{_FREE}X(?![A-Z])"
_X_AFTER: Final = re.compile(_X)
_GAP: Final = re.compile(rf"{_S}{{1,4}}")

_CODE: Final = "[0-9A-HJKMNP-TV-Z]"
_BARRIERS: Final = re.compile(
    r"(?<![0-9])(?:[01]?[0-9]|2[0-4]):[0-5][0-9](?::[0-5][0-9](?:\.[0-9]{1,6})?)?(?![0-9])"  # time
    r"|(?<![A-Z0-9])[A-Z]{2,4}-[0-9]{4}-[0-9]{2,5}-[A-Z](?![A-Z0-9])"  # ticket number
    r"|(?<![A-Z0-9])K-[0-9]{3,5}(?!-?[0-9])"  # entry number
    # Receipt code; with no letter but a closing X it may be the end of somebody's identity number.
    rf"|(?<![A-Z0-9-])(?=[0-9-]{{0,10}}[A-Z]|[0-9-]{{11}}[A-WYZ]){_CODE}{{4}}-{_CODE}{{4}}-{_CODE}{{2}}(?![A-Z0-9-])"
)

_DATE: Final = (
    r"(?:19|20)[0-9]{2}(?:(?P<gap>[-./])(?:0?[1-9]|1[0-2])(?:(?P=gap)(?:0?[1-9]|[12][0-9]|3[01]))?"
    r"|(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])(?:(?:[01][0-9]|2[0-3])[0-5][0-9][0-5][0-9])?)"
)
# In lists a group number counts only as two digits, hyphen, two digits, apart from its neighbours: such
# a list never has the 11, 15 or 18 digits of a number that somebody has spelled out in pairs.
_GROUP: Final = r"(?<!-)[0-9]{2}-[0-9]{2}(?!-)"
_KEPT: Final = re.compile(rf"(?:{_DATE}|{_GROUP})(?![0-9])")

_COUNTRY: Final = rf"(?:(?:0{_FREE}0{_FREE})?8{_FREE}6{_FREE})"
_AREA: Final = r"(?:10|2[0-9]|[3-9][0-9]{2})"
_SPELLED_AREA: Final = rf"0{_FREE}(?:1{_FREE}0|2{_FREE}[0-9]|[3-9]{_FREE}[0-9]{_FREE}[0-9])"
_LANDLINE: Final = (
    rf"(?:{_COUNTRY}?{_SPELLED_AREA}|{_COUNTRY}{_AREA}{_S}){_FREE}[1-9](?:{_FREE}[0-9]){{6,7}}(?![0-9])"
)
_MOBILE: Final = rf"(?:{_COUNTRY}|0{_FREE})?1{_FREE}[3-9](?:{_FREE}[0-9]){{9}}(?![0-9])"
_PHONE: Final = re.compile(rf"(?<![0-9])(?:{_MOBILE}|{_LANDLINE})")
_ANY_PHONE: Final = re.compile(rf"1[3-9][0-9]{{9}}|0{_AREA}[1-9][0-9]{{6}}")
_BRACKETED: Final = re.compile(rf"\( ?0{_AREA} ?\){_FREE}[0-9]{{3,4}}{_S}?[0-9]{{4}}(?![0-9])")

# Numbers in the layouts in which people write them. Only these may stand beside something that is kept.
_WHOLE: Final = re.compile(
    r"(?<![0-9])(?:"
    rf"(?P<id>[0-9]{{17}}{_X}|(?:[0-9]{{15}}|[0-9]{{17,18}}|[0-9]{{20,}})(?![0-9])"
    rf"|[0-9]{{6}}{_S}{{1,3}}[0-9]{{4}}{_S}{{0,3}}[0-9]{{2}}{_S}{{0,3}}[0-9]{{2}}{_S}{{1,3}}"
    rf"[0-9]{{3}}(?:{_X}|{_S}?[0-9](?![0-9])))"
    rf"|(?P<card>(?:[0-9]{{16}}|[0-9]{{19}})(?![0-9])|[0-9]{{4}}(?:{_S}{{1,3}}[0-9]{{4}}){{3}}(?:{_S}{{1,3}}[0-9]{{1,3}})?(?![0-9]))"
    rf"|(?P<mobile>(?:{_COUNTRY}|0)?1[3-9][0-9](?:[0-9]{{8}}|{_S}{{1,3}}[0-9]{{4}}{_S}{{1,3}}[0-9]{{4}})(?![0-9]))"
    rf"|(?P<landline>0{_AREA}{_S}{{0,3}}[1-9][0-9]{{2,3}}{_S}?[0-9]{{4}}(?![0-9]))(?:-[0-9]{{1,5}}(?![0-9]))?"
    r")"
)

_DOCUMENT: Final = re.compile(
    r"(?<![A-Z0-9])(?P<letters>(?P<passport>E[A-Z]|[EGDSP])|[HM]|C[A-Z]|[CLTW]|[A-Z]{3})"
    rf"(?:(?<=[A-Z]{{3}})[0-9]{{12}}|(?<=[A-Z]{{2}})(?<![A-Z]{{3}})(?:{_S}{{0,2}}[0-9]){{7}}|(?<![A-Z]{{2}})(?:{_S}{{0,2}}[0-9]){{8}}"
    rf"|(?<=[HM])(?<![A-Z]{{2}})(?:{_S}{{0,2}}[0-9]){{9,10}})(?![0-9])"
)
# A Taiwan permit is eight or ten digits without a letter: only the word before it tells it apart.
_NAMED_DOCUMENT: Final = re.compile(
    r"(?:[台臺]胞[证証證]|通行[证証證]|[护護]照|[证証證]件号?码?)[ :是为為号號码碼#.(]{0,8}"
    rf"(?P<number>[A-Z]{{0,3}}[0-9](?:{_S}{{0,2}}[0-9]){{6,11}}(?:\([A-Z0-9]{{1,2}}\)|[A-Z])?)(?![0-9])"
)


# --- finding --------------------------------------------------------------------------------------------


def _find(raw: str, published: Collection[str]) -> list[_Find]:
    finds: list[_Find] = []
    symbols, origins, spoken = fold(raw)
    for find in _find_folded(symbols, spoken, _published_numbers(frozenset(published))):
        end = origins[find.end - 1] + 1
        # Marks on the last digit go with it.
        while end < len(raw) and fold_character(raw[end]) == "":
            end += 1
        finds.append(_Find(origins[find.start], end, find.kind))
    return _joined(finds)


def _find_folded(symbols: str, spoken: list[bool], published: frozenset[str]) -> Iterator[_Find]:
    symbols = _BARRIERS.sub(lambda found: _BARRIER * len(found.group()), symbols)
    documents = list(_find_documents(symbols))
    yield from documents
    for found in _BRACKETED.finditer(symbols):
        if _national(found.group()) not in published:
            yield _Find(*found.span(), NumberKind.PHONE)
    in_documents = {at: find.end for find in documents for at in range(find.start, find.end)}
    sorter = _Sorter(symbols, spoken, published, in_documents)
    for run in _RUN.finditer(symbols):
        yield from sorter.sort(*run.span())


def _find_documents(symbols: str) -> Iterator[_Find]:
    for found in _DOCUMENT.finditer(symbols):
        # "E 2026-12-29" is a date beside a letter; a passport number has its letter close to it.
        body = found.end("letters")
        if symbols[body].isdigit() or not _KEPT.match(symbols, body + 1):
            kind = NumberKind.PASSPORT if found["passport"] else NumberKind.PERMIT
            yield _Find(*found.span(), kind)
    for found in _NAMED_DOCUMENT.finditer(symbols):
        if not _KEPT.fullmatch(found["number"]):
            yield _Find(*found.span("number"), NumberKind.PERMIT)


class _Sorter:
    """Sorts a run, digits with at most a few separators between them, into numbers and what is kept."""

    def __init__(
        self, symbols: str, spoken: list[bool], published: frozenset[str], in_documents: Mapping[int, int]
    ) -> None:
        self.symbols = symbols
        self.spoken = spoken
        self.published = published
        self.in_documents = in_documents

    def sort(self, start: int, end: int) -> Iterator[_Find]:
        count = len(digits(self.symbols[start:end]))
        if count < 10:
            return
        explained = self._explain(start, end)
        if explained is not None:
            yield from explained
        elif count >= 20:
            # More than one number: those in a usual layout are taken out if that leaves little behind;
            # else a number spelled out in some other way may be anywhere in it.
            yield from self._cut(start, end)
        elif count >= 15:
            kind = NumberKind.CARD if count in {16, 19} else NumberKind.ID_NUMBER
            yield self._whole(start, end, kind)
        else:
            yield from self._phones(start, end)

    def _explain(self, start: int, end: int) -> list[_Find] | None:
        """The finds of a run made up completely of known layouts and kept numbers, else None."""
        finds: list[_Find] = []
        at = start
        while at < end:
            step = self._step(at)
            if step is None:
                return None
            at, find = step
            if find:
                finds.append(find)
            gap = _GAP.match(self.symbols, at, end)
            if gap is None and at < end:
                return None
            at = gap.end() if gap else at
        return finds

    def _step(self, at: int) -> tuple[int, _Find | None] | None:
        if at in self.in_documents:
            return self.in_documents[at], None
        kept = _KEPT.match(self.symbols, at) or self._published(at)
        whole = _WHOLE.match(self.symbols, at)
        if whole and (kept is None or whole.end() > kept.end()):
            return whole.end(), self._named(whole)
        return (kept.end(), None) if kept else None

    def _published(self, at: int) -> re.Match[str] | None:
        pattern = _published_pattern(self.published)
        return pattern.match(self.symbols, at) if pattern else None

    def _named(self, whole: re.Match[str]) -> _Find | None:
        if whole["id"] or whole["card"]:
            return _Find(*whole.span(), NumberKind.ID_NUMBER if whole["id"] else NumberKind.CARD)
        number = whole["mobile"] or whole["landline"]
        return None if _national(number) in self.published else _Find(*whole.span(), NumberKind.PHONE)

    def _cut(self, start: int, end: int) -> Iterator[_Find]:
        # Not bounded by the end of the run: the X of an identity number stands behind it.
        wholes = list(takewhile(lambda found: found.start() < end, _WHOLE.finditer(self.symbols, start)))
        edges = [start, *(edge for found in wholes for edge in found.span()), end]
        pieces = zip(edges[::2], edges[1::2], strict=True)
        rest = [run.span() for piece in pieces for run in _RUN.finditer(self.symbols, *piece)]
        # More than a few digits beside them, and a layout was perhaps seen inside a longer number.
        doubtful = (piece for piece in rest if len(digits(self.symbols[slice(*piece)])) > 6)
        if not wholes or any(self._explain(*piece) is None for piece in doubtful):
            yield self._whole(start, end, NumberKind.ID_NUMBER)
        else:
            yield from filter(None, map(self._named, wholes))

    def _whole(self, start: int, end: int, kind: NumberKind) -> _Find:
        complete = kind is NumberKind.CARD or len(digits(self.symbols[start:end])) in {15, 18}
        check = None if complete else _X_AFTER.match(self.symbols, end)
        return _Find(start, check.end() if check else end, kind)

    def _phones(self, start: int, end: int) -> Iterator[_Find]:
        finds = [found.span() for found in _PHONE.finditer(self.symbols, start, end)]
        if not finds and any(self.spoken[start:end]) and _ANY_PHONE.search(digits(self.symbols[start:end])):
            # 壹叁捌…贰一次: among spoken digits a neighbouring word may have joined the number.
            finds = [(start, end)]
        for span in finds:
            if _national(self.symbols[slice(*span)]) not in self.published:
                yield _Find(*span, NumberKind.PHONE)


def _joined(finds: Iterable[_Find]) -> list[_Find]:
    joined: list[_Find] = []
    longest = 0
    for find in sorted(finds):
        length = find.end - find.start
        if joined and find.start < joined[-1].end:
            last = joined[-1]
            kind = find.kind if length > longest else last.kind
            joined[-1] = _Find(last.start, max(last.end, find.end), kind)
            longest = max(longest, length)
        else:
            joined.append(find)
            longest = length
    return joined


def _national(number: str) -> str:
    """The digits of a telephone number without country and trunk prefix, for comparing."""
    return re.sub(r"^(?:0*86(?=[0-9]{10}))?0*", "", digits(fold(number).symbols))


@lru_cache(maxsize=16)
def _published_numbers(published: frozenset[str]) -> frozenset[str]:
    return frozenset(map(_national, published))


@lru_cache(maxsize=16)
def _published_pattern(published: frozenset[str]) -> re.Pattern[str] | None:
    # Fewer than five digits would keep any piece of any number.
    numbers = sorted((number for number in published if len(number) >= 5), key=len, reverse=True)
    spelled = "|".join(_FREE.join(number) for number in numbers)
    return re.compile(rf"{_COUNTRY}?(?:0{_FREE}){{0,4}}(?:{spelled})(?![0-9])") if spelled else None


# --- logging --------------------------------------------------------------------------------------------

_STANDARD: Final = frozenset(vars(logging.makeLogRecord({})))


class LogRedaction(logging.Filter):
    """Takes personal numbers out of log records: message, arguments, extra fields, exception text.

    Belongs on every handler: a filter on a logger does not see the records of its children. The
    exception itself is dropped from the record and its redacted text kept, because a later formatter
    would print the original again.
    """

    def __init__(self, published: Collection[str] = ()) -> None:
        super().__init__()
        self._published = tuple(published)

    def filter(self, record: logging.LogRecord) -> bool:
        try:
            self._clean_record(record)
        except Exception:
            # Arguments may be any object, and a filter that raises stops the work it reports on. What
            # could not be searched is not written.
            record.msg, record.args = "log record withheld: it could not be searched for numbers", None
            record.exc_info = record.exc_text = record.stack_info = None
            for name in vars(record).keys() - _STANDARD:
                delattr(record, name)
        return True

    def _clean_record(self, record: logging.LogRecord) -> None:
        arguments = record.args
        record.args = self._clean(arguments)
        try:
            message = record.getMessage()
        except (TypeError, ValueError):
            # %d does not take the text that now stands for a number.
            record.args = arguments
            message = record.getMessage()
            record.msg, record.args = message, None
        # A number may come together only here, out of several arguments.
        clean = self._clean(message)
        if clean != message:
            record.msg, record.args = clean, None
        if record.exc_info:
            record.exc_text = record.exc_text or logging.Formatter().formatException(record.exc_info)
            record.exc_info = None
        for name in vars(record).keys() - _STANDARD | {"exc_text", "stack_info"}:
            setattr(record, name, self._clean(getattr(record, name)))

    def _clean(self, value: Any) -> Any:
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, Mapping):
            return {self._clean(key): self._clean(inner) for key, inner in value.items()}
        if isinstance(value, tuple):
            return tuple(map(self._clean, value))
        if isinstance(value, list | set | frozenset):
            return list(map(self._clean, value))
        # Numbers and other objects stay what they are unless their text gives something away.
        written = str(value)
        clean = text(written, self._published).text
        return value if clean == written else clean
