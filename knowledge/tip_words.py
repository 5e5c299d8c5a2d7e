"""What is said of a work tip in a line or two: its number, what it lays down, whether it still holds."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime
from typing import Final

from knowledge import tip_numbers, tips
from knowledge.tips import TipState, WorkTip

MOST_BULLETS: Final = 3
LONGEST_BULLET: Final = 60
"""Characters: three of them and the title fit a telephone's screen."""

_ANSWER: Final = re.compile(r"^(?:统一)?答复?\s*[:：]\s*")
_LABEL: Final = re.compile(r"^(?:问题?|依据)\s*[:：]")
_MARK: Final = re.compile(
    r"^(?:[0-9]{1,2}\s*[.．、)）]|[（(][0-9一二三四五六七八九十]{1,3}[）)]|[一二三四五六七八九十]{1,3}、|[-•·●*])\s*"
)
_SENTENCE: Final = re.compile(r"[^。！？；\n]+[。！？；]?")


def number(tip: WorkTip) -> str:
    """2026年第3期; empty before the release."""
    return tip_numbers.written(tip.year, tip.issue_no) if tip.year and tip.issue_no else ""


def short_number(tip: WorkTip) -> str:
    """第3期; empty before the release."""
    return tip_numbers.short(tip.issue_no) if tip.issue_no else ""


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


def begins(tip: WorkTip) -> datetime | None:
    """From when it holds; without a day of its own with the release, or when an embargo ends."""
    return tip.effective_from or tip.send_at


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
