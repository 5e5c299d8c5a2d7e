"""Who may act: staff, their roles, one table of grants, and how far their reach goes."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum, auto

from sqlalchemy import ForeignKey, String, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from office import audit
from office.audit import Actor, ActorKind
from office.errors import Conflict, NotFound, NotPermitted
from office.store import Base
from office.units import Unit, contains


class Role(StrEnum):
    """The six roles of an office."""

    REGISTRAR = auto()
    DUTY_OFFICER = auto()
    EDITOR = auto()
    REVIEWER = auto()
    OBSERVER = auto()
    ADMIN = auto()


class Permission(StrEnum):
    """What can be permitted; each console route and each acting function names one."""

    SEE_TICKETS = auto()
    WORK_TICKETS = auto()
    SEE_ENTRIES = auto()
    DRAFT_ENTRIES = auto()
    PUBLISH_ENTRIES = auto()
    SEE_RULES = auto()
    DRAFT_RULES = auto()
    SIGN_RULES = auto()
    SEE_STAFF = auto()
    MANAGE_STAFF = auto()
    SEE_AUDIT = auto()
    SEE_ROLL = auto()
    PREPARE_ROLL = auto()
    APPLY_ROLL = auto()
    LOOK_UP = auto()
    REVIEW_LOOKUPS = auto()
    OPEN_TICKETS = auto()
    EXPORT_TICKETS = auto()
    SEE_ROSTER = auto()
    EDIT_ROSTER = auto()


P = Permission
GRANTS: Mapping[Role, frozenset[Permission]] = {
    Role.REGISTRAR: frozenset({P.SEE_ENTRIES, P.SEE_RULES, P.LOOK_UP, P.OPEN_TICKETS, P.SEE_ROSTER}),
    Role.DUTY_OFFICER: frozenset(
        {P.SEE_TICKETS, P.WORK_TICKETS, P.SEE_ENTRIES, P.DRAFT_ENTRIES, P.SEE_RULES, P.DRAFT_RULES}
        | {P.OPEN_TICKETS, P.EXPORT_TICKETS, P.SEE_ROSTER}
    ),
    Role.EDITOR: frozenset(
        {P.SEE_TICKETS, P.SEE_ENTRIES, P.DRAFT_ENTRIES, P.SEE_RULES, P.DRAFT_RULES, P.SEE_ROSTER}
    ),
    Role.REVIEWER: frozenset(
        {P.SEE_TICKETS, P.WORK_TICKETS, P.SEE_ENTRIES, P.PUBLISH_ENTRIES, P.SEE_RULES, P.SIGN_RULES}
        | {P.SEE_AUDIT, P.SEE_ROLL, P.PREPARE_ROLL, P.APPLY_ROLL, P.REVIEW_LOOKUPS}
        | {P.OPEN_TICKETS, P.EXPORT_TICKETS, P.SEE_ROSTER, P.EDIT_ROSTER}
    ),
    Role.OBSERVER: frozenset(
        {P.SEE_TICKETS, P.SEE_ENTRIES, P.SEE_RULES, P.SEE_AUDIT, P.EXPORT_TICKETS, P.SEE_ROSTER}
    ),
    Role.ADMIN: frozenset(
        {P.SEE_STAFF, P.MANAGE_STAFF, P.SEE_AUDIT, P.SEE_ENTRIES, P.SEE_RULES, P.SEE_ROLL, P.PREPARE_ROLL}
        | {P.SEE_ROSTER, P.EDIT_ROSTER}
    ),
}


class Staff(Base):
    """A person who may act. The row stays when the person leaves: the audit names it."""

    __tablename__ = "staff"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(40))
    username: Mapped[str | None] = mapped_column(String(40), unique=True)
    password_hash: Mapped[str | None] = mapped_column(String(200))
    unit_id: Mapped[int] = mapped_column(ForeignKey("unit.id"))
    roles: Mapped[list[str]]
    language: Mapped[str] = mapped_column(String(8), default="zh_CN")
    created_at: Mapped[datetime]
    created_by_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    suspended_at: Mapped[datetime | None]
    deactivated_at: Mapped[datetime | None]

    @property
    def active(self) -> bool:
        return self.suspended_at is None and self.deactivated_at is None

    @property
    def masked_name(self) -> str:
        """李* for 李强: what the public and other officers' screens show."""
        return mask_name(self.name)

    def as_actor(self, channel: str = "console") -> Actor:
        return Actor(ActorKind.STAFF, self.id, self.name, channel)


class Invite(Base):
    """A way in for one account: single use, 24 hours, handed over by whoever made it."""

    __tablename__ = "invite"

    id: Mapped[int] = mapped_column(primary_key=True)
    token_digest: Mapped[str] = mapped_column(String(64), unique=True)
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id"), index=True)
    created_by_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


_COMPOUND = (
    "欧阳", "上官", "司马", "诸葛", "东方", "皇甫", "尉迟", "公孙", "慕容", "司徒", "令狐", "夏侯", "端木",
    "长孙", "宇文", "轩辕", "申屠", "独孤", "南宫", "西门", "东郭", "百里", "呼延", "闻人", "澹台", "淳于",
)  # fmt: skip


def mask_name(name: str) -> str:
    """张*三 for 张小三, 李* for 李强, 欧阳* for 欧阳春雨; with · the first character of the first part."""
    name = name.strip()
    if len(name) > 2 and name.startswith(_COMPOUND):
        return name[:2] + "*"
    if "·" in name or len(name) == 2:
        return name[0] + "*"
    if len(name) < 2:
        return "*"
    return name[0] + "*" + name[-1]


def may(person: Staff, permission: Permission) -> bool:
    """Whether any of the person's roles grants `permission`; never for a stopped account."""
    return person.active and any(permission in GRANTS[Role(role)] for role in person.roles)


async def reach(session: AsyncSession, person: Staff) -> str:
    """Path of the unit under which the person may see and do what their roles permit."""
    unit = await session.get_one(Unit, person.unit_id)
    return unit.path


async def must(
    session: AsyncSession, person: Staff, permission: Permission, unit_path: str | None = None
) -> None:
    """Raise `NotPermitted` unless the person has `permission` and `unit_path` lies in their reach."""
    if not may(person, permission):
        raise NotPermitted("not_permitted")
    if unit_path is not None and not contains(await reach(session, person), unit_path):
        raise NotPermitted("not_permitted")


async def second_person(
    session: AsyncSession, person: Staff, author_id: int | None, *, now: datetime
) -> None:
    """Hold the two-person rule: `person` may decide on what `author_id` wrote.

    Raises `NotPermitted` if they are the same person, or if the author made, or re-opened the way into,
    the deciding account within the last 24 hours: a second account is not a second person.
    """
    if author_id is None:
        return
    if person.id == author_id:
        raise NotPermitted("second_person_needed")
    recent = await session.scalar(
        select(Invite.id)
        .where(Invite.staff_id == person.id, Invite.created_by_id == author_id)
        .where(Invite.created_at > now - timedelta(days=1))
        .limit(1)
    )
    if recent is not None:
        raise NotPermitted("second_person_too_new")


async def get(session: AsyncSession, staff_id: int) -> Staff:
    """The person with this row number; raises `NotFound`."""
    person = await session.get(Staff, staff_id)
    if person is None:
        raise NotFound("staff_unknown")
    return person


async def all_staff(session: AsyncSession, within: str) -> list[Staff]:
    """Everybody whose unit lies under the path `within`, in order of joining."""
    statement = select(Staff).join(Unit, Unit.id == Staff.unit_id).where(Unit.path.startswith(within))
    return list((await session.scalars(statement.order_by(Staff.id))).all())


async def names(session: AsyncSession, ids: set[int]) -> dict[int, str]:
    """Names by row number, for pages that show who did what."""
    if not ids:
        return {}
    rows = await session.execute(select(Staff.id, Staff.name).where(Staff.id.in_(ids)))
    return dict(rows.all())


async def speak(session: AsyncSession, staff_id: int, language: str) -> None:
    """Remember the language in which a person wants the console."""
    person = await get(session, staff_id)
    person.language = language
    await session.flush()


async def suspend(session: AsyncSession, person: Staff, *, actor: Staff, now: datetime) -> None:
    """Stop an account at once, pending a check; effective at its next request."""
    await _manage(session, person, actor)
    person.suspended_at = now
    await audit.record(session, "staff.suspend", f"staff:{person.id}", actor=actor.as_actor(), now=now)


async def resume(session: AsyncSession, person: Staff, *, actor: Staff, now: datetime) -> None:
    """Open a suspended account again."""
    await _manage(session, person, actor)
    person.suspended_at = None
    await audit.record(session, "staff.resume", f"staff:{person.id}", actor=actor.as_actor(), now=now)


async def deactivate(session: AsyncSession, person: Staff, *, actor: Staff, now: datetime) -> None:
    """The person has left: no more access; the name stays in the audit."""
    await _manage(session, person, actor)
    person.deactivated_at = now
    await audit.record(session, "staff.deactivate", f"staff:{person.id}", actor=actor.as_actor(), now=now)


async def _manage(session: AsyncSession, person: Staff, actor: Staff) -> None:
    unit = await session.get_one(Unit, person.unit_id)
    await must(session, actor, Permission.MANAGE_STAFF, unit.path)
    if person.id == actor.id:
        raise Conflict("not_yourself")
