"""What is said of a work tip in a line or two: its number, what it lays down, its parts, whether it holds."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable
from datetime import datetime, time, timedelta
from typing import Final

from knowledge import calendar, tip_numbers, tips
from knowledge.tips import TipHead, TipState, WorkTip
from office.hours import BEIJING
from office.words import CHINESE, say

MOST_BULLETS: Final = 3
LONGEST_BULLET: Final = 60
"""Characters: three of them and the title fit a telephone's screen."""
PARTS: Final = ("origin", "wording", "steps", "contact_lines")
NUMERALS: Final = "一二三四五六七八九十"

_ANSWER: Final = re.compile(r"^(?:统一)?答复?\s*[:：]\s*")
_LABEL: Final = re.compile(r"^(?:问题?|依据)\s*[:：]")
_MARK: Final = re.compile(
    r"^(?:[0-9]{1,2}\s*[.．、)）]|[（(][0-9一二三四五六七八九十]{1,3}[）)]|[一二三四五六七八九十]{1,3}、|[-•·●*])\s*"
)
_SENTENCE: Final = re.compile(r"[^。！？；\n]+[。！？；]?")
_CITATIONS: Final = re.compile(r"[；;\n]")
_OFFICIAL_NO: Final = re.compile(
    r"(?P<symbol>.*?)\s*[\[(（〔【［﹝]\s*(?P<year>\d{4})\s*[\])）〕】］﹞]\s*第?\s*0*(?P<no>\d+)\s*号"
)


def number(tip: WorkTip) -> str:
    """2026年第3期; empty before the release."""
    return tip_numbers.written(tip.year, tip.issue_no) if tip.year and tip.issue_no else ""


def short_number(tip: WorkTip) -> str:
    """第3期; empty before the release."""
    return tip_numbers.short(tip.issue_no) if tip.issue_no else ""


def beside(tip: WorkTip | None, year: int | None) -> str:
    """Its number beside one of `year`: 第3期, with its own year where that is another one."""
    if tip is None:
        return ""
    return short_number(tip) if tip.year == year else number(tip)


def document_no(tip: WorkTip) -> str:
    """发文字号, by which a tip with a red head is cited; empty for one without."""
    return official_no(tip.document_no) if tip.head is TipHead.RED else ""


def official_no(text: str) -> str:
    """A 发文字号 as GB/T 9704-2012 writes it: 六角括号, no 第, no leading zero; another text as it is."""
    plain = " ".join(text.split())
    found = _OFFICIAL_NO.fullmatch(unicodedata.normalize("NFKC", plain))
    return f"{found['symbol']}〔{found['year']}〕{found['no']}号" if found else plain


def bullets(tip: WorkTip) -> tuple[str, ...]:
    """Up to three short lines of what it lays down: its answers, else its first sentences.

    Several answers give a line each, a single one its first sentences.
    """
    lines = [line.strip() for line in tip.wording.splitlines() if line.strip()]
    answers = [_ANSWER.sub("", line) for line in lines if _ANSWER.match(line)]
    said = answers or [line for line in lines if not _LABEL.match(line)]
    parts = [_MARK.sub("", line).strip() for line in said]
    if len(parts) < MOST_BULLETS:
        parts = [sentence.strip() for part in parts for sentence in _SENTENCE.findall(part)]
    return tuple(_shortened(part for part in parts if part))


def headings(present: Collection[str], lang: str = CHINESE) -> dict[str, str]:
    """The heading of each of these `PARTS`: 一、来由; an empty part takes no number, the others move up."""
    found: dict[str, str] = {}
    for part in PARTS:
        if part in present:
            numeral = NUMERALS[len(found)] if lang == CHINESE else str(len(found) + 1)
            found[part] = say("tipchat.part", lang, n=numeral, title=say(f"tipchat.part.{part}", lang))
    return found


def parts(tip: WorkTip, lang: str = CHINESE) -> list[tuple[str, str]]:
    """The parts in which something is written, each with its heading."""
    written = {part: words for part in PARTS if (words := getattr(tip, part).strip())}
    return [(heading, written[part]) for part, heading in headings(written, lang).items()]


def basis_beside(tip: WorkTip, text: str) -> str:
    """Its basis, as far as `text` does not cite it already: nobody is to read the same citation twice."""
    cited = [one.strip() for one in _CITATIONS.split(tip.basis) if one.strip()]
    left = [one for one in cited if not _cites(_bare(text), _bare(one))]
    return tip.basis.strip() if len(left) == len(cited) else "；".join(left)


def begins(tip: WorkTip) -> datetime | None:
    """From when it holds; without a day of its own with the release, or when an embargo ends."""
    return tip.effective_from or tip.send_at


def since(tip: WorkTip) -> datetime | None:
    """From when it holds, where it says nothing from its release; None before that."""
    return begins(tip) or tip.released_at


def moment(at: datetime, year: int | None, lang: str = CHINESE, *, ends: bool = False) -> str:
    """11月21日（周六）17:30, Beijing time; 2027年1月5日17:30 beside anything of another `year`.

    What begins at midnight is told by its day alone, what `ends` then by the day before: 12月4日24:00.
    """
    local = at.astimezone(BEIJING)
    day, clock = local.date(), f"{local:%H:%M}"
    if local.time() == time(0):
        day, clock = (day - timedelta(days=1), "24:00") if ends else (day, "")
    words = calendar.spoken(day, lang, year=day.year != year)
    if lang == CHINESE or not clock:
        return words + clock
    return f"{words}, {clock} (Beijing time)"


def outdated(tip: WorkTip, now: datetime) -> str:
    """Why it is not to be followed now: superseded, withdrawn, expired, later; empty while it holds."""
    if tip.state in (TipState.SUPERSEDED, TipState.WITHDRAWN):
        return tip.state.value
    if tips.expired(tip, now):
        return "expired"
    return "later" if tip.effective_from is not None and tip.effective_from > now else ""


def _shortened(parts: Iterable[str]) -> list[str]:
    found: list[str] = []
    for part in parts:
        text = part.rstrip("；;")
        found.append(text if len(text) <= LONGEST_BULLET else text[: LONGEST_BULLET - 1] + "…")
        if len(found) == MOST_BULLETS:
            break
    return found


def _bare(text: str) -> str:
    return "".join(sign for sign in text if sign.isalnum())


def _cites(text: str, citation: str) -> bool:
    # 第一条之二 is another article than 第一条.
    return bool(citation) and re.search(f"{re.escape(citation)}(?!之[{NUMERALS}])", text) is not None
