"""Group robots of WeCom, DingTalk and Feishu: send-only places whose address is a credential."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import ForeignKey, Select, String, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from office import audit, chat_groups, contacts, outbox, robot_addresses, staff, units
from office.audit import Actor
from office.bindings import GROUP_MOVES, ChatGroup, GroupPurpose, GroupState
from office.contacts import Channel, Contact, ContactKind, ContactState
from office.errors import Conflict, Invalid, NotFound
from office.outbox import Delivery, DeliveryState
from office.seal import Sealer
from office.staff import Permission, Staff
from office.store import Base, insert_once, ring_after_commit
from office.units import Unit

TEST_KIND = "robot_test"
G = GroupState


class GroupRobot(Base):
    """The sealed address and signing secret of a robot; its group is a `ChatGroup` like any other.

    The contact's address is a digest of the robot's. `hint` is what may be shown: the last four characters.
    `stopped_why` is set while the platform refuses our set-up (key word, signature, clock): its messages stay
    due until somebody has mended it.
    """

    __tablename__ = "group_robot"

    id: Mapped[int] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(default=1)
    group_id: Mapped[int] = mapped_column(ForeignKey("chat_group.id"), unique=True)
    sealed_address: Mapped[bytes]
    sealed_secret: Mapped[bytes | None]
    hint: Mapped[str] = mapped_column(String(8))
    added_by_id: Mapped[int] = mapped_column(ForeignKey("staff.id"))
    added_at: Mapped[datetime]
    stopped_why: Mapped[str] = mapped_column(String(200), default="")
    stopped_at: Mapped[datetime | None]

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012  SQLAlchemy reads it so


@dataclass(frozen=True, slots=True)
class Robot:
    """A robot with its group, the place it stands for, and the unit the group belongs to."""

    row: GroupRobot
    group: ChatGroup
    contact: Contact
    unit: Unit

    @property
    def version(self) -> int:
        """Changes with the robot and with its group: neither number ever becomes smaller."""
        return self.row.version + self.group.version


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a request is made of; neither shows in a `repr`, so that neither gets into a log or an error."""

    address: str = field(repr=False)
    secret: str = field(repr=False)


async def add(
    session: AsyncSession,
    unit: Unit,
    channel: Channel,
    title: str,
    address: str,
    secret: str,
    *,
    sealer: Sealer,
    actor: Staff,
    now: datetime,
) -> GroupRobot:
    """Enter the robot of a group; the group is bound to the unit by it.

    Raises `NotPermitted` unless the unit lies in the actor's reach, `Invalid` for a title, address or secret
    that cannot be one, `Conflict("robot.known")` for a robot that is entered already.
    """
    await staff.must(session, actor, Permission.MANAGE_STAFF, unit.path)
    title = _title(title)
    bare = robot_addresses.checked(channel, address)
    secret = robot_addresses.checked_secret(channel, secret)
    contact = await contacts.seen(
        session, channel, robot_addresses.digest(bare), kind=ContactKind.GROUP, now=now
    )
    row = {
        "contact_id": contact.id, "unit_id": unit.id, "state": G.ASKED, "version": 1,
        "purpose": GroupPurpose.STAFF, "title": title, "topics": {}, "asked_at": now,
        "administrator": False,
    }  # fmt: skip
    await insert_once(session, ChatGroup, row, unique=("contact_id",))
    group = await _group_at(session, contact)
    if await session.scalar(select(GroupRobot.id).where(GroupRobot.group_id == group.id)) is not None:
        raise Conflict("robot.known")
    await _bind(session, group, unit, title, actor=actor, now=now)
    robot = GroupRobot(
        group_id=group.id, hint=robot_addresses.hint(bare), added_by_id=actor.id, added_at=now,
        sealed_address=sealer.seal(bare) or b"", sealed_secret=sealer.seal(secret),
    )  # fmt: skip
    session.add(robot)
    await session.flush()
    await _record(session, robot, "add", actor.as_actor(), now, unit=unit.id, channel=channel.value)
    return robot


async def change(
    session: AsyncSession,
    robot_id: int,
    unit: Unit,
    title: str,
    address: str,
    secret: str,
    *,
    seen: int,
    sealer: Sealer,
    actor: Staff,
    now: datetime,
) -> None:
    """Change unit and title; a new address with its secret, where one is given, mends a robot as well.

    An empty `address` keeps the one it has; a secret alone may be new. Raises as `add` does, and
    `Conflict("stale_card")` when somebody else changed the robot since the page was made.
    """
    await staff.must(session, actor, Permission.MANAGE_STAFF, unit.path)
    robot = await get(session, robot_id, actor=actor, seen=seen)
    channel, title = robot.contact.channel, _title(title)
    renewed = False
    if address.strip():
        bare = robot_addresses.checked(channel, address)
        taken = await contacts.find(session, channel, robot_addresses.digest(bare))
        if taken is not None and taken.id != robot.contact.id:
            raise Conflict("robot.known")
        robot.contact.address = robot_addresses.digest(bare)
        robot.row.sealed_address, robot.row.hint = sealer.seal(bare) or b"", robot_addresses.hint(bare)
        renewed = True
    if channel in robot_addresses.SIGNING and (secret.strip() or renewed):
        robot.row.sealed_secret = sealer.seal(robot_addresses.checked_secret(channel, secret))
        renewed = True
    await _bind(session, robot.group, unit, title, actor=actor, now=now)
    if renewed:
        robot.contact.state = _heard(robot.group)
        await _go_on(session, robot, now)
    await _record(session, robot.row, "change", actor.as_actor(), now, unit=unit.id, renewed=renewed)


async def mended(session: AsyncSession, robot_id: int, *, seen: int, actor: Staff, now: datetime) -> None:
    """What the platform refused has been put right over there: the messages that waited go out now.

    Raises `Conflict("stale_card")` for one that has not stopped, or was changed since the page was made.
    """
    robot = await get(session, robot_id, actor=actor, seen=seen)
    if robot.row.stopped_at is None:
        raise Conflict("stale_card")
    await _go_on(session, robot, now)
    await _record(session, robot.row, "mend", actor.as_actor(), now)


async def remove(session: AsyncSession, robot_id: int, *, seen: int, actor: Staff, now: datetime) -> None:
    """Take a robot out: its credentials are gone, its group is bound to nobody, nothing is sent there."""
    robot = await get(session, robot_id, actor=actor, seen=seen)
    if robot.group.state is G.BOUND:
        await audit.move(
            session, robot.group, G.ENDED, by="unbind", table=GROUP_MOVES, actor=actor.as_actor(), now=now
        )
    robot.contact.state = ContactState.LOST
    await _record(session, robot.row, "remove", actor.as_actor(), now)
    await session.delete(robot.row)
    await session.flush()


async def test(session: AsyncSession, robot_id: int, *, actor: Staff, now: datetime) -> None:
    """Send a line to the group, so that everybody sees the robot works; it goes through the post room."""
    robot = await get(session, robot_id, actor=actor)
    office = (await units.election_office(session)).office_name
    await outbox.put(
        session, robot.contact, TEST_KIND, {"unit": robot.unit.name, "office": office},
        key=f"robot_test:{robot.row.id}:{now.timestamp():.6f}", subject=f"chat_group:{robot.group.id}",
        now=now, priority=outbox.Priority.NOTICE, though_silenced=True,
    )  # fmt: skip
    await _record(session, robot.row, "test", actor.as_actor(), now)


async def halt(session: AsyncSession, contact_id: int, why: str, *, now: datetime) -> bool:
    """The platform refuses our set-up: the robot stops, who answers for it is told; returns whether new.

    `why` is one word: `signature`, `clock`, `keyword`, `network`, `disabled` or `seal`. What is to be sent
    stays due.
    """
    robot = await of_contact(session, contact_id, lock=True)
    if robot is None or robot.row.stopped_at is not None:
        return False
    robot.row.stopped_why, robot.row.stopped_at = why, now
    await session.flush()
    await _record(session, robot.row, "halt", audit.SYSTEM, now, why=why)
    await chat_groups.tell(
        session, robot.group, "robot_stopped", now=now, once=f"robot:{robot.row.id}:{robot.row.version}"
    )
    return True


async def get(session: AsyncSession, robot_id: int, *, actor: Staff, seen: int | None = None) -> Robot:
    """A robot, locked; raises `NotFound`, `NotPermitted` out of reach, `Conflict("stale_card")`."""
    row = await session.get(GroupRobot, robot_id, with_for_update=True, populate_existing=True)
    if row is None:
        raise NotFound("robot.unknown")
    group = await session.get_one(ChatGroup, row.group_id, with_for_update=True, populate_existing=True)
    unit = await units.get(session, group.unit_id)
    await staff.must(session, actor, Permission.MANAGE_STAFF, unit.path)
    robot = Robot(row, group, await session.get_one(Contact, group.contact_id), unit)
    if seen is not None and robot.version != seen:
        raise Conflict("stale_card")
    return robot


async def of_contact(session: AsyncSession, contact_id: int, *, lock: bool = False) -> Robot | None:
    """The robot that a contact stands for; None where it was removed."""
    asked = _all().where(Contact.id == contact_id).execution_options(populate_existing=True)
    row = (await session.execute(asked.with_for_update(of=GroupRobot) if lock else asked)).one_or_none()
    return Robot(row[0], row[1], row[2], row[3]) if row else None


async def listed(session: AsyncSession, within: str) -> list[Robot]:
    """The robots of units under the path `within`; those that have stopped come first."""
    rows = await session.execute(
        _all()
        .where(Unit.path.startswith(within))
        .order_by(GroupRobot.stopped_at.is_(None), Unit.path, GroupRobot.id)
    )
    return [Robot(row, group, contact, unit) for row, group, contact, unit in rows]


def opened(robot: GroupRobot, sealer: Sealer) -> Credentials:
    """Address and secret, for the moment of sending. Raises `Conflict("seal_broken")`."""
    return Credentials(sealer.open(robot.sealed_address), sealer.open(robot.sealed_secret))


def _all() -> Select[GroupRobot, ChatGroup, Contact, Unit]:
    return (
        select(GroupRobot, ChatGroup, Contact, Unit)
        .join(ChatGroup, ChatGroup.id == GroupRobot.group_id)
        .join(Contact, Contact.id == ChatGroup.contact_id)
        .join(Unit, Unit.id == ChatGroup.unit_id)
    )


def _title(typed: str) -> str:
    title = " ".join(typed.split())
    if not 1 <= len(title) <= chat_groups.LONGEST_TITLE:
        raise Invalid("robot.title")
    return title


def _heard(group: ChatGroup) -> ContactState:
    return ContactState.SILENCED if group.silent_since is not None else ContactState.ACTIVE


async def _group_at(session: AsyncSession, contact: Contact) -> ChatGroup:
    return (
        await session.scalars(
            select(ChatGroup)
            .where(ChatGroup.contact_id == contact.id)
            .with_for_update()
            .execution_options(populate_existing=True)
        )
    ).one()


async def _bind(
    session: AsyncSession, group: ChatGroup, unit: Unit, title: str, *, actor: Staff, now: datetime
) -> None:
    """The group of a robot is bound at once: who knows its address was given it by the group."""
    moved = group.unit_id != unit.id
    group.unit_id, group.title = unit.id, title
    if group.state is G.BOUND:
        if moved:
            group.bound_by_id, group.bound_at = actor.id, now
        return
    by = actor.as_actor()
    if group.state in (G.ENDED, G.LOST):
        await audit.move(session, group, G.ASKED, by="ask", table=GROUP_MOVES, actor=by, now=now)
    group.asked_by_id = group.bound_by_id = actor.id
    group.asked_at = group.bound_at = now
    await audit.move(
        session, group, G.BOUND, by="bind", table=GROUP_MOVES, actor=by, now=now, unit=unit.id,
        purpose=group.purpose.value,
    )  # fmt: skip


async def _go_on(session: AsyncSession, robot: Robot, now: datetime) -> None:
    robot.row.stopped_why, robot.row.stopped_at = "", None
    await session.flush()
    await session.execute(
        update(Delivery)
        .where(Delivery.contact_id == robot.contact.id, Delivery.state == DeliveryState.DUE)
        .where(Delivery.due_at > now, Delivery.last_error != "")
        .values(due_at=now)
    )
    ring_after_commit(session, outbox.DUE_TOPIC)


async def _record(
    session: AsyncSession, robot: GroupRobot, by: str, actor: Actor, now: datetime, **facts: object
) -> None:
    await audit.record(
        session, f"group_robot.{by}", f"chat_group:{robot.group_id}", actor=actor, now=now, **facts
    )
