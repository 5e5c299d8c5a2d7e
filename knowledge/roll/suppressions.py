"""Protected persons 保护对象: one person takes somebody out of sight at once, two put them back.

What is kept is a digest and the paper it rests on. Nothing here tells one person alone whether somebody is
protected: being on this list says more about a person than any lookup does.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from knowledge.roll import identity
from knowledge.roll.identity import DigestKey
from knowledge.roll.records import Suppression
from office import audit, redact
from office.errors import Invalid, NotPermitted
from office.hours import beijing_day
from office.staff import Permission, Staff, must, second_person
from office.store import insert_once

LONGEST_BASIS = 200
SUBJECT = "roll:suppression"
"""What the audit names instead of the person: its lines outlast the roll."""


async def suppress(
    session: AsyncSession, key: DigestKey, name: str, number: str, *, basis: str, actor: Staff, now: datetime
) -> None:
    """From now on every lookup of this person says 请到登记站核实, whatever package is in force.

    Doing it twice is the same as once, and looks the same. `basis` names the paper, never the person. Raises
    `NotPermitted`, `BadIdentity`, `Invalid("roll_counter.basis")` without a basis or with a long one.
    """
    await must(session, actor, Permission.LOOK_UP)
    digest = _digest(key, name, number, now)
    paper = redact.text(basis).text.strip()
    if not paper or len(paper) > LONGEST_BASIS:
        raise Invalid("roll_counter.basis", most=LONGEST_BASIS)
    values = {"digest": digest, "basis": paper, "at": now, "staff_id": actor.id}
    if not await insert_once(session, Suppression, values, unique=["digest"]):
        # Somebody had asked to lift it: protecting anew is an answer to that.
        row = await session.get_one(Suppression, digest)
        row.lift_asked_by_id = None
        await session.flush()
    await audit.record(session, "suppression.set", SUBJECT, actor=actor.as_actor(), now=now)


async def lift(
    session: AsyncSession, key: DigestKey, name: str, number: str, *, actor: Staff, now: datetime
) -> bool:
    """Ask that a protection ends, or end it as the second person who asks the same.

    True once it has ended. False means that the wish is noted, also where there is nothing to lift, where the
    same person asks twice, or where the second account is too new to count as a second person: one person
    alone cannot find out with it who is protected. Raises `NotPermitted`, `BadIdentity`.
    """
    await must(session, actor, Permission.LOOK_UP)
    row = await session.get(Suppression, _digest(key, name, number, now), with_for_update=True)
    lifted = row is not None and await _is_second(session, actor, row.lift_asked_by_id, now)
    if row is not None and lifted:
        await session.delete(row)
    elif row is not None and row.lift_asked_by_id is None:
        row.lift_asked_by_id = actor.id
    await session.flush()
    action = "suppression.lift" if lifted else "suppression.ask_lift"
    await audit.record(session, action, SUBJECT, actor=actor.as_actor(), now=now)
    return lifted


async def _is_second(session: AsyncSession, actor: Staff, first_id: int | None, now: datetime) -> bool:
    if first_id is None:
        return False
    try:
        await second_person(session, actor, first_id, now=now)
    except NotPermitted:
        return False
    return True


def _digest(key: DigestKey, name: str, number: str, now: datetime) -> bytes:
    return key.identity(identity.read_name(name), identity.read_number(number, beijing_day(now)))
