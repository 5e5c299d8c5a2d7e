"""What stands on a printed work tip: plain texts, gathered once, so that rendering asks for nothing more."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from sqlalchemy.ext.asyncio import AsyncSession

from knowledge import tip_words, tips
from knowledge.tips import TipHead, TipState, WorkTip
from office import units
from office.cells import written
from office.hours import BEIJING
from office.staff import Staff
from office.words import CHINESE, say
from ticketing.tip_paper_form import form

UNRELEASED: Final = (TipState.DRAFT, TipState.IN_REVIEW)
# Signs that turn the direction of a line: what is printed would not be what was signed.
_TURNS: Final = re.compile("[\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_OFFICIAL_NO: Final = re.compile(
    r"(?P<symbol>.*?)\s*[\[(（〔【［﹝]\s*(?P<year>\d{4})\s*[\])）〕】］﹞]\s*第?\s*0*(?P<no>\d+)\s*号"
)


@dataclass(frozen=True, slots=True)
class Part:
    """One of the numbered parts, with its lines."""

    title: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Attachment:
    """One attachment: its title and its lines."""

    title: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PaperFacts:
    """A tip as it is printed. What is empty is left out; `at` is the time that the file tells.

    `mark` stands on every page: not yet released, withdrawn, replaced. `number` is empty before release.
    """

    key: str
    at: datetime
    head: TipHead
    office: str
    title: str
    number: str = ""
    document_no: str = ""
    addressed_to: str = ""
    chain: str = ""
    mark: str = ""
    parts: tuple[Part, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    dated: date | None = None
    printed: date | None = None
    note: str = ""
    copied_to: str = ""
    people: tuple[str, ...] = ()
    print_run: int = 0
    classification: str = ""
    copy_no: str = ""


async def facts(
    session: AsyncSession,
    tip: WorkTip,
    *,
    now: datetime | None = None,
    classification: str = "",
    copy_no: str = "",
) -> PaperFacts:
    """All that the paper of `tip` needs; who may see the tip was asked when it was found.

    With `now` a tip whose time is over is marked so. `classification` (密级) and `copy_no` (份号) are of one
    printing, not of the tip.
    """
    office = await units.election_office(session)
    old = await session.get(WorkTip, tip.supersedes_id) if tip.supersedes_id else None
    new = await session.get(WorkTip, tip.superseded_by_id) if tip.superseded_by_id else None
    moments = (tip.changed_at, tip.submitted_at, tip.released_at, tip.withdrawn_at)
    at = max(moment for moment in moments if moment)
    year = tip.year or at.astimezone(BEIJING).year
    return PaperFacts(
        key=f"work_tip:{tip.id}",
        at=at,
        head=tip.head,
        office=_line(office.office_name or office.name),
        title=_line(tip.title),
        number=_number(tip, year),
        document_no=official_no(tip.document_no),
        addressed_to=_line(tip.addressed_to).rstrip("：:。.，,；;、 "),
        chain=say("tip_paper.replaces", CHINESE, number=_number(old, year)) if old else "",
        mark=_mark(tip, new, year, now),
        parts=_parts(tip),
        attachments=_attachments(tip),
        dated=tip.dated,
        printed=tip.released_at.astimezone(BEIJING).date() if tip.released_at else None,
        note=form().notes.get(tip.secrecy.value, ""),
        copied_to=_line(tip.copied_to).rstrip("。.，,；;、 "),
        people=await _people(session, tip),
        print_run=max(tip.print_run, 0),
        classification=_line(classification),
        copy_no=_line(copy_no),
    )


def official_no(text: str) -> str:
    """A 发文字号 as the standard writes it: 六角括号, no 第, no leading zero; another text as it is."""
    found = _OFFICIAL_NO.fullmatch(unicodedata.normalize("NFKC", _line(text)))
    if not found:
        return _line(text)
    return f"{found['symbol']}〔{found['year']}〕{found['no']}号"


def arabic(day: date) -> str:
    """A date in Arabic figures without leading zeros: 2026年1月5日."""
    return f"{day.year}年{day.month}月{day.day}日"


def hour(at: datetime) -> str:
    """A moment as an official text says it, Beijing time: 2026年11月20日12时, 12时30分."""
    local = at.astimezone(BEIJING)
    return f"{arabic(local.date())}{local.hour}时" + (f"{local.minute}分" if local.minute else "")


def lines(text: str) -> tuple[str, ...]:
    """The lines of a text that say something, as a document can hold them."""
    return tuple(line for line in map(str.strip, _clean(text).split("\n")) if line)


def _number(tip: WorkTip | None, year: int) -> str:
    """Its number as one of `year` says it: with its own year only if that is another one."""
    if tip is None:
        return ""
    return tip_words.short_number(tip) if tip.year == year else tip_words.number(tip)


async def _people(session: AsyncSession, tip: WorkTip) -> tuple[str, ...]:
    """拟稿, 核稿 and 签发, as far as there is somebody."""
    named = (
        ("tip_paper.drafter", tip.drafter_id),
        ("tip_paper.checker", tip.checker_id),
        ("tip_paper.releaser", tip.releaser_id),
    )
    found = [(key, await session.get(Staff, number)) for key, number in named if number is not None]
    return tuple(say(key, CHINESE, name=_line(person.name)) for key, person in found if person)


def _mark(tip: WorkTip, new: WorkTip | None, year: int, now: datetime | None) -> str:
    if tip.state in UNRELEASED:
        return say("tip_paper.draft", CHINESE)
    if tip.state is TipState.WITHDRAWN:
        return say("tip_paper.withdrawn", CHINESE)
    if tip.state is TipState.SUPERSEDED:
        return say("tip_paper.superseded", CHINESE, number=_number(new, year))
    return say("tip_paper.expired", CHINESE) if now is not None and tips.expired(tip, now) else ""


def _parts(tip: WorkTip) -> tuple[Part, ...]:
    """来由, 统一口径, 操作步骤, 时限与联系人; the basis with the wording unless it stands there already."""
    wording = lines(tip.wording)
    basis = _line(tip.basis)
    if basis and basis not in "".join(wording):
        wording = (*wording, say("tip_paper.basis", CHINESE, text=basis))
    found = (
        ("tip_paper.origin", lines(tip.origin)),
        ("tip_paper.wording", wording),
        ("tip_paper.steps", lines(tip.steps)),
        ("tip_paper.contact", (*_terms(tip), *lines(tip.contact_lines))),
    )
    return tuple(Part(say(key, CHINESE), told) for key, told in found if told)


def _terms(tip: WorkTip) -> Iterable[str]:
    """Where and when it holds, and until when it is to be signed for."""
    if tip.scope:
        yield say("tip_paper.scope", CHINESE, text=_line(tip.scope).rstrip("。"))
    begins = tip_words.begins(tip)
    if begins and tip.effective_until:
        yield say("tip_paper.from_until", CHINESE, begins=hour(begins), ends=hour(tip.effective_until))
    elif begins:
        yield say("tip_paper.from", CHINESE, begins=hour(begins))
    elif tip.effective_until:
        yield say("tip_paper.until", CHINESE, ends=hour(tip.effective_until))
    if tip.receipt_wanted and tip.receipt_due:
        yield say("tip_paper.receipt", CHINESE, until=hour(tip.receipt_due))


def _attachments(tip: WorkTip) -> tuple[Attachment, ...]:
    found = (
        Attachment(_line(str(row.get("title", ""))), lines(str(row.get("text", ""))))
        for row in tip.attachments
    )
    return tuple(one for one in found if one.title or one.lines)


def _clean(text: str) -> str:
    return written(_TURNS.sub("", text))


def _line(text: str) -> str:
    return " ".join(_clean(text).split())
