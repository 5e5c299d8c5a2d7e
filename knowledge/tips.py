"""Work tips (工作提示) as they are kept: one wording for all, its number, and how to find it again."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum, auto
from typing import Any

from sqlalchemy import (
    ColumnElement,
    ForeignKey,
    String,
    Text,
    UniqueConstraint,
    and_,
    cast,
    event,
    func,
    inspect,
    or_,
    select,
)
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, Mapper, mapped_column

from knowledge import tip_numbers
from office.errors import NotFound
from office.staff import Permission, Staff, may, must, reach
from office.store import Base, word
from office.units import Unit

PAGE = 50
LONGEST_TITLE = 200
LONGEST_PART = 6000
LONGEST_LINE = 300


class TipState(StrEnum):
    """Where a tip stands. A released one is never edited: it is superseded by another, or withdrawn."""

    DRAFT = auto()
    IN_REVIEW = auto()
    RELEASED = auto()
    SUPERSEDED = auto()
    WITHDRAWN = auto()


T = TipState
TIP_MOVES: Mapping[TipState, frozenset[TipState]] = {
    T.DRAFT: frozenset({T.IN_REVIEW}),
    T.IN_REVIEW: frozenset({T.DRAFT, T.RELEASED}),
    T.RELEASED: frozenset({T.SUPERSEDED, T.WITHDRAWN}),
    T.SUPERSEDED: frozenset(),
    T.WITHDRAWN: frozenset(),
}

UNRELEASED = frozenset({T.DRAFT, T.IN_REVIEW})
NUMBERED = frozenset(TipState) - UNRELEASED


class TipType(StrEnum):
    """口径统一, 操作规程, 工作部署, 更正."""

    WORDING = auto()
    PROCEDURE = auto()
    DEPLOYMENT = auto()
    CORRECTION = auto()


class TipSecrecy(StrEnum):
    """公开范围: for everybody, or for staff."""

    PUBLIC = auto()
    INTERNAL = auto()


class TipHead(StrEnum):
    """The head of the printed tip: 选民登记工作提示 with its number, or 发文机关标志 in red with 发文字号."""

    PLAIN = auto()
    RED = auto()


class WorkTip(Base):
    """A tip: 一、来由 二、统一口径 三、操作步骤 四、时限与联系人.

    `unit_id` is whose tip it is; who does not reach that unit does not see its drafts. `sources` names what
    it came from: `tickets` (row numbers), `cluster`, `meeting` (words) and `entries` (numbers of entries).
    `year` and `issue_no` are given at release and never again. `attachments` are dicts with `title` and
    `text`. `send_at`: until then a released tip is shown to nobody outside the console (embargo).
    `effective_from`: when its wording holds, and when the entry versions of `TipEntry` come into force;
    `in_effect_at`: when they did; `stale_at`: when the clock found that they could not, so that a reviewer
    must look. `editor_id` wrote it last; `laid_out_at`: when its messages were laid into the outbox.
    """

    __tablename__ = "work_tip"
    __table_args__ = (UniqueConstraint("year", "issue_no"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(default=1)
    state: Mapped[TipState] = mapped_column(word(TipState), default=TipState.DRAFT, index=True)
    type: Mapped[TipType] = mapped_column(word(TipType), default=TipType.WORDING)
    year: Mapped[int | None]
    issue_no: Mapped[int | None]
    unit_id: Mapped[int] = mapped_column(ForeignKey("unit.id"))
    title: Mapped[str] = mapped_column(String(LONGEST_TITLE))
    addressed_to: Mapped[str] = mapped_column(String(LONGEST_LINE), default="")
    origin: Mapped[str] = mapped_column(Text, default="")
    wording: Mapped[str] = mapped_column(Text, default="")
    steps: Mapped[str] = mapped_column(Text, default="")
    contact_lines: Mapped[str] = mapped_column(Text, default="")
    basis: Mapped[str] = mapped_column(Text, default="")
    scope: Mapped[str] = mapped_column(String(LONGEST_LINE), default="")
    effective_from: Mapped[datetime | None]
    effective_until: Mapped[datetime | None]
    in_effect_at: Mapped[datetime | None]
    stale_at: Mapped[datetime | None]
    secrecy: Mapped[TipSecrecy] = mapped_column(word(TipSecrecy), default=TipSecrecy.INTERNAL)
    print_run: Mapped[int] = mapped_column(default=0)
    head: Mapped[TipHead] = mapped_column(word(TipHead), default=TipHead.PLAIN)
    document_no: Mapped[str] = mapped_column(String(40), default="")
    copied_to: Mapped[str] = mapped_column(String(LONGEST_LINE), default="")
    attachments: Mapped[list[dict[str, Any]]] = mapped_column(default=list)
    sources: Mapped[dict[str, Any]]
    receipt_wanted: Mapped[bool] = mapped_column(default=True)
    receipt_due: Mapped[datetime | None]
    send_at: Mapped[datetime | None]
    laid_out_at: Mapped[datetime | None]
    drafter_id: Mapped[int] = mapped_column(ForeignKey("staff.id"))
    editor_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    checker_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    releaser_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    review_note: Mapped[str] = mapped_column(Text, default="")
    created_at: Mapped[datetime]
    changed_at: Mapped[datetime]
    submitted_at: Mapped[datetime | None]
    released_at: Mapped[datetime | None]
    dated: Mapped[date | None]
    supersedes_id: Mapped[int | None] = mapped_column(ForeignKey("work_tip.id"))
    superseded_by_id: Mapped[int | None] = mapped_column(ForeignKey("work_tip.id"))
    withdrawn_why: Mapped[str] = mapped_column(String(LONGEST_LINE), default="")
    withdrawn_at: Mapped[datetime | None]
    withdrawn_by_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012  SQLAlchemy reads it so


class TipTarget(Base):
    """A unit a tip is addressed to: its groups get the message, and its receipt is owed."""

    __tablename__ = "tip_target"

    tip_id: Mapped[int] = mapped_column(ForeignKey("work_tip.id"), primary_key=True)
    unit_id: Mapped[int] = mapped_column(ForeignKey("unit.id"), primary_key=True)


class TipEntry(Base):
    """A version of an entry that is published with the tip, in the same transaction.

    `seen`: its version count when the tip was handed in, so that what was read is what comes into force.
    """

    __tablename__ = "tip_entry"

    tip_id: Mapped[int] = mapped_column(ForeignKey("work_tip.id"), primary_key=True)
    version_id: Mapped[int] = mapped_column(ForeignKey("entry_version.id"), primary_key=True)
    seen: Mapped[int | None]


class TipSerial(Base):
    """The last number of a year; counted in the releasing transaction, so none is lost or used twice."""

    __tablename__ = "tip_serial"

    year: Mapped[int] = mapped_column(primary_key=True)
    last: Mapped[int]


LIVING = frozenset(
    {"version", "state", "changed_at", "in_effect_at", "stale_at", "laid_out_at", "superseded_by_id"}
    | {"withdrawn_why", "withdrawn_at", "withdrawn_by_id"}
)
"""What still changes once a tip is released; nobody touches anything else."""


@event.listens_for(WorkTip, "before_update")
def _immutable(mapper: Mapper[WorkTip], connection: Any, tip: WorkTip) -> None:
    """Whatever a module tries: what the groups have read stays as it was signed."""
    columns = inspect(tip).attrs
    changed = {column.key for column in columns if column.history.has_changes()} - LIVING
    if changed and (columns.state.history.deleted or (tip.state,))[0] in NUMBERED:
        raise RuntimeError(f"a released tip is never changed: {', '.join(sorted(changed))}")


@dataclass(frozen=True, slots=True)
class Tip:
    """What a drafter writes, texts as plain text, times as aware datetimes.

    `attachments` are mappings with `title` and `text`. `targets` are row numbers of units, `entries` of entry
    versions, `meeting` the name and day of the meeting it comes from; None leaves each as it is.
    """

    title: str
    origin: str = ""
    wording: str = ""
    steps: str = ""
    contact_lines: str = ""
    basis: str = ""
    type: TipType = TipType.WORDING
    addressed_to: str = ""
    scope: str = ""
    effective_from: datetime | None = None
    effective_until: datetime | None = None
    secrecy: TipSecrecy = TipSecrecy.INTERNAL
    print_run: int = 0
    head: TipHead = TipHead.PLAIN
    document_no: str = ""
    copied_to: str = ""
    attachments: tuple[Mapping[str, str], ...] = ()
    receipt_wanted: bool = True
    receipt_due: datetime | None = None
    send_at: datetime | None = None
    supersedes_id: int | None = None
    targets: tuple[int, ...] | None = None
    entries: tuple[int, ...] | None = None
    meeting: str | None = None


async def get(session: AsyncSession, person: Staff, tip_id: int) -> WorkTip:
    """A tip for a page of this person; raises `NotFound` for one they may not see, as if it were not there.

    Drafts, and released tips under embargo, are for those who see tickets and reach their unit; what has gone
    out is for all who see entries.
    """
    found = await session.scalar(
        select(WorkTip)
        .join(Unit, Unit.id == WorkTip.unit_id)
        .where(WorkTip.id == tip_id, await visible(session, person))
    )
    if found is None:
        raise NotFound("tip_unknown")
    return found


async def listed(
    session: AsyncSession,
    person: Staff,
    *,
    search: str = "",
    year: int | None = None,
    state: TipState | None = None,
    type: TipType | None = None,
    page: int = 1,
) -> tuple[list[WorkTip], int]:
    """One page of the tips that the person may see, the last changed first, and how many there are.

    `search`: words that all stand somewhere in the title or a part, or a number (第3期, 2026年第3期).
    """
    conditions: list[ColumnElement[bool]] = [await visible(session, person)]
    if number := tip_numbers.exactly(search):
        conditions.append(numbered_as(*number))
    else:
        conditions += [holds(word) for word in search.split()]
    wanted = {"year": year, "state": state, "type": type}
    conditions += [getattr(WorkTip, name) == value for name, value in wanted.items() if value is not None]
    statement = select(WorkTip).join(Unit, Unit.id == WorkTip.unit_id).where(*conditions)
    total = await session.scalar(select(func.count()).select_from(statement.subquery()))
    last = statement.order_by(WorkTip.changed_at.desc(), WorkTip.id.desc())
    rows = await session.scalars(last.limit(PAGE).offset((max(page, 1) - 1) * PAGE))
    return list(rows.all()), total or 0


async def numbered(session: AsyncSession, text: str) -> WorkTip | None:
    """The tip that a text names (工作提示第3期, 2026年第3期); without a year the newest with this number.

    Whether it may be shown is the caller's question: `shown`, `secrecy`.
    """
    number = tip_numbers.find(text)
    if number is None:
        return None
    return await session.scalar(
        select(WorkTip).where(numbered_as(*number)).order_by(WorkTip.year.desc()).limit(1)
    )


def shown(tip: WorkTip, now: datetime) -> bool:
    """Whether people outside the console may see it: released, whatever became of it, and embargo over."""
    return tip.state in NUMBERED and (tip.send_at is None or tip.send_at <= now)


def expired(tip: WorkTip, now: datetime) -> bool:
    """Whether its time is over (已失效); it stays readable."""
    return tip.effective_until is not None and tip.effective_until <= now


async def visible(session: AsyncSession, person: Staff) -> ColumnElement[bool]:
    """The condition that a person may see a tip, beside its `Unit`; see `get`."""
    await must(session, person, Permission.SEE_ENTRIES)
    # What was laid out has gone out: until then a released tip is under embargo.
    gone_out = and_(WorkTip.state.in_(NUMBERED), WorkTip.laid_out_at.is_not(None))
    if not may(person, Permission.SEE_TICKETS):
        return gone_out
    return or_(gone_out, Unit.path.startswith(await reach(session, person)))


def numbered_as(year: int | None, issue_no: int) -> ColumnElement[bool]:
    """The condition that a tip has this number."""
    same = WorkTip.issue_no == issue_no
    return same if year is None else and_(same, WorkTip.year == year)


def holds(word: str) -> ColumnElement[bool]:
    """The condition that a word stands in it; in JSON, each Chinese character is written as its number."""
    texts = (
        WorkTip.title, WorkTip.addressed_to, WorkTip.origin, WorkTip.wording, WorkTip.steps,
        WorkTip.contact_lines, WorkTip.basis, WorkTip.scope, WorkTip.document_no,
    )  # fmt: skip
    spelled = cast(WorkTip.attachments, Text).icontains(json.dumps(word)[1:-1], autoescape=True)
    return or_(spelled, *(text.icontains(word, autoescape=True) for text in texts))
