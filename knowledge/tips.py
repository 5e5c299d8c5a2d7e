"""Work tips (工作提示) as they are drafted: one wording for everybody, with where it came from."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum, auto
from typing import Any

from sqlalchemy import ForeignKey, String, Text, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from office import audit, redact, units
from office.errors import Conflict, Invalid, NotFound
from office.staff import Permission, Staff, must, reach
from office.store import Base, word
from office.units import Unit

PAGE = 50
LONGEST_TITLE = 200
LONGEST_PART = 6000


class TipState(StrEnum):
    """Where a tip stands."""

    DRAFT = auto()


class WorkTip(Base):
    """A tip in the making: 一、来由 二、统一口径 三、操作步骤 四、时限与联系人.

    `unit_id` is whose tip it is; who does not reach that unit does not see it. `sources` names what it came
    from: `tickets` (row numbers), `cluster` and `entries` (numbers of entries).
    """

    __tablename__ = "work_tip"

    id: Mapped[int] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(default=1)
    state: Mapped[TipState] = mapped_column(word(TipState), default=TipState.DRAFT)
    unit_id: Mapped[int] = mapped_column(ForeignKey("unit.id"))
    title: Mapped[str] = mapped_column(String(LONGEST_TITLE))
    origin: Mapped[str] = mapped_column(Text, default="")
    wording: Mapped[str] = mapped_column(Text, default="")
    steps: Mapped[str] = mapped_column(Text, default="")
    contact_lines: Mapped[str] = mapped_column(Text, default="")
    basis: Mapped[str] = mapped_column(Text, default="")
    sources: Mapped[dict[str, Any]]
    drafter_id: Mapped[int] = mapped_column(ForeignKey("staff.id"))
    created_at: Mapped[datetime]
    changed_at: Mapped[datetime]

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012  SQLAlchemy reads it so


@dataclass(frozen=True, slots=True)
class Tip:
    """What a drafter writes: the title, the four parts and the basis, as plain text."""

    title: str
    origin: str = ""
    wording: str = ""
    steps: str = ""
    contact_lines: str = ""
    basis: str = ""


async def draft(
    session: AsyncSession,
    tip: Tip,
    *,
    unit: Unit,
    sources: dict[str, Any],
    actor: Staff,
    now: datetime,
) -> WorkTip:
    """Begin a tip of `unit`; raises `NotPermitted` outside the actor's reach, `Invalid` as `edit` does."""
    await must(session, actor, Permission.DRAFT_ENTRIES, unit.path)
    made = WorkTip(
        unit_id=unit.id, sources=sources, drafter_id=actor.id, created_at=now, changed_at=now,
        **await _checked(session, tip),
    )  # fmt: skip
    session.add(made)
    await session.flush()
    await audit.record(session, "work_tip.draft", f"work_tip:{made.id}", actor=actor.as_actor(), now=now)
    return made


async def edit(
    session: AsyncSession, made: WorkTip, tip: Tip, *, seen: int, actor: Staff, now: datetime
) -> None:
    """Replace what a draft says; `seen` is the version count the editor's page was made from.

    Raises `Conflict("stale_card")` if somebody else saved it meanwhile, `Invalid("tip_title_needed")`
    without a title, `Invalid("tip_long")` for a part that is too long.
    """
    unit = await session.get_one(Unit, made.unit_id)
    await must(session, actor, Permission.DRAFT_ENTRIES, unit.path)
    values = await _checked(session, tip)
    await session.refresh(made, with_for_update=True)
    if made.state is not TipState.DRAFT or made.version != seen:
        raise Conflict("stale_card")
    for name, value in values.items():
        setattr(made, name, value)
    made.changed_at = now
    await session.flush()
    await audit.record(session, "work_tip.edit", f"work_tip:{made.id}", actor=actor.as_actor(), now=now)


async def get(session: AsyncSession, person: Staff, tip_id: int) -> WorkTip:
    """A tip for a page of this person; raises `NotFound` outside their reach, as if it were not there."""
    await must(session, person, Permission.SEE_TICKETS)
    found = await session.scalar(
        select(WorkTip)
        .join(Unit, Unit.id == WorkTip.unit_id)
        .where(WorkTip.id == tip_id, Unit.path.startswith(await reach(session, person)))
    )
    if found is None:
        raise NotFound("tip_unknown")
    return found


async def listed(session: AsyncSession, person: Staff, *, page: int = 1) -> tuple[list[WorkTip], int]:
    """One page of tips within the person's reach, the last changed first, and how many there are."""
    await must(session, person, Permission.SEE_TICKETS)
    statement = (
        select(WorkTip)
        .join(Unit, Unit.id == WorkTip.unit_id)
        .where(Unit.path.startswith(await reach(session, person)))
    )
    total = await session.scalar(select(func.count()).select_from(statement.subquery()))
    rows = await session.scalars(
        statement.order_by(WorkTip.changed_at.desc(), WorkTip.id.desc())
        .limit(PAGE)
        .offset((max(page, 1) - 1) * PAGE)
    )
    return list(rows.all()), total or 0


async def _checked(session: AsyncSession, tip: Tip) -> dict[str, str]:
    """The texts as they are kept: trimmed, without personal numbers; those the office publishes stay."""
    published = await units.published_numbers(session)
    values = {name: redact.text(text.strip(), published=published).text for name, text in asdict(tip).items()}
    values["title"] = " ".join(values["title"].split())
    if not values["title"]:
        raise Invalid("tip_title_needed")
    if len(values["title"]) > LONGEST_TITLE:
        raise Invalid("tip_long", most=LONGEST_TITLE)
    if any(len(text) > LONGEST_PART for text in values.values()):
        raise Invalid("tip_long", most=LONGEST_PART)
    return values
