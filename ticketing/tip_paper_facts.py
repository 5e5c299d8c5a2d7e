"""What stands on a printed work tip: plain texts, gathered once, so that rendering asks for nothing more."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final

from sqlalchemy.ext.asyncio import AsyncSession

from knowledge import tip_shelf, tip_words
from knowledge.tip_shelf import Standing
from knowledge.tips import TipHead, TipState, WorkTip
from office import units
from office.cells import written
from office.hours import BEIJING
from office.staff import Staff
from office.words import CHINESE, say
from ticketing.tip_paper_form import form

UNRELEASED: Final = (TipState.DRAFT, TipState.IN_REVIEW)
MARKED: Final = frozenset({"superseded", "withdrawn", "expired"})
"""The standings that are printed; from when a tip holds stands in its text."""
# Signs that turn the direction of a line: what is printed would not be what was signed.
_TURNS: Final = re.compile("[\u200e\u200f\u202a-\u202e\u2066-\u2069]")


@dataclass(frozen=True, slots=True)
class Part:
    """One of the parts: its heading with its number, and its lines."""

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

    `mark` stands on every page: not yet released, withdrawn, replaced, or from when it is. `number` is empty
    before release, and `issue`: series and number for a head that says neither.
    """

    key: str
    at: datetime
    head: TipHead
    office: str
    title: str
    number: str = ""
    issue: str = ""
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
    now: datetime,
    classification: str = "",
    copy_no: str = "",
) -> PaperFacts:
    """All that the paper of `tip` needs; who may see the tip was asked when it was found.

    Its mark is what people may know of it at `now`. `classification` (密级) and `copy_no` (份号) are of one
    printing, not of the tip.
    """
    office = await units.election_office(session)
    old = await session.get(WorkTip, tip.supersedes_id) if tip.supersedes_id else None
    standing = await tip_shelf.standing(session, tip, now=now)
    moments = (tip.changed_at, tip.submitted_at, tip.released_at, tip.withdrawn_at)
    at = max(moment for moment in moments if moment)
    year = tip.year or at.astimezone(BEIJING).year
    return PaperFacts(
        key=f"work_tip:{tip.id}",
        at=at,
        head=tip.head,
        office=_line(office.office_name or office.name),
        title=_line(tip.title),
        number=tip_words.beside(tip, year),
        issue=_issue(tip),
        document_no=tip_words.official_no(_line(tip.document_no)),
        addressed_to=_line(tip.addressed_to).rstrip("：:。.，,；;、 "),
        chain=say("tip_paper.replaces", CHINESE, number=tip_words.beside(old, year)) if old else "",
        mark=_mark(tip, standing, year),
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


def arabic(day: date) -> str:
    """A date in Arabic figures without leading zeros: 2026年1月5日."""
    return f"{day.year}年{day.month}月{day.day}日"


def hour(at: datetime, *, ends: bool = False) -> str:
    """A moment as an official text says it, Beijing time: 2026年11月20日12时, 12时30分.

    What `ends` at midnight ends at 24时 of the day before.
    """
    local = at.astimezone(BEIJING)
    if ends and local.time() == time(0):
        return f"{arabic(local.date() - timedelta(days=1))}24时"
    return f"{arabic(local.date())}{local.hour}时" + (f"{local.minute}分" if local.minute else "")


def lines(text: str) -> tuple[str, ...]:
    """The lines of a text that say something, as a document can hold them."""
    return tuple(line for line in map(str.strip, _clean(text).split("\n")) if line)


def _issue(tip: WorkTip) -> str:
    """Series and number as they are cited, in one line with what it replaces: 工作提示2026年第3期."""
    number = tip_words.number(tip)
    return say("tip_paper.issue", CHINESE, number=number) if number else ""


async def _people(session: AsyncSession, tip: WorkTip) -> tuple[str, ...]:
    """拟稿, 核稿 and 签发, as far as there is somebody."""
    named = (
        ("tip_paper.drafter", tip.drafter_id),
        ("tip_paper.checker", tip.checker_id),
        ("tip_paper.releaser", tip.releaser_id),
    )
    found = [(key, await session.get(Staff, number)) for key, number in named if number is not None]
    return tuple(say(key, CHINESE, name=_line(person.name)) for key, person in found if person)


def _mark(tip: WorkTip, standing: Standing, year: int) -> str:
    if tip.state in UNRELEASED:
        return say("tip_paper.draft", CHINESE)
    number = tip_words.beside(standing.successor, year)
    if standing.since is not None:
        return say("tip_paper.superseding", CHINESE, day=_from(standing.since), number=number)
    if standing.state not in MARKED:
        return ""
    return say(f"tip_paper.{standing.state}", CHINESE, number=number)


def _from(at: datetime) -> str:
    """From when something holds: what begins at midnight is told by its day alone."""
    local = at.astimezone(BEIJING)
    return arabic(local.date()) if local.time() == time(0) else hour(at)


def _parts(tip: WorkTip) -> tuple[Part, ...]:
    """来由, 统一口径, 操作步骤, 时限与联系人; the basis with the wording unless it stands there already."""
    found = {part: lines(getattr(tip, part)) for part in tip_words.PARTS}
    if basis := _line(tip_words.basis_beside(tip, tip.wording)):
        found["wording"] += (say("tip_paper.basis", CHINESE, text=basis),)
    found["contact_lines"] = (*_terms(tip), *found["contact_lines"])
    written = tip_words.headings([part for part, told in found.items() if told])
    return tuple(Part(heading, found[part]) for part, heading in written.items())


def _terms(tip: WorkTip) -> Iterable[str]:
    """Where and when it holds, and until when it is to be signed for."""
    if tip.scope:
        yield say("tip_paper.scope", CHINESE, text=_line(tip.scope).rstrip("。"))
    begins = tip_words.begins(tip)
    if begins and tip.effective_until:
        yield say(
            "tip_paper.from_until", CHINESE, begins=hour(begins), ends=hour(tip.effective_until, ends=True)
        )
    elif begins:
        yield say("tip_paper.from", CHINESE, begins=hour(begins))
    elif tip.effective_until:
        yield say("tip_paper.until", CHINESE, ends=hour(tip.effective_until, ends=True))
    if tip.receipt_wanted and tip.receipt_due:
        yield say("tip_paper.receipt", CHINESE, until=hour(tip.receipt_due, ends=True))


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
