"""Receipt codes that were lost: stopped by one person at the counter, and never found again by a lookup."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from knowledge.roll import receipts
from knowledge.roll.identity import DigestKey
from knowledge.roll.records import ReceiptStop
from office import audit
from office.staff import Permission, Staff, must
from office.store import insert_once

SUBJECT = "roll:receipt"


async def stop(session: AsyncSession, key: DigestKey, code: str, *, actor: Staff, now: datetime) -> None:
    """Let a receipt code count no longer; only its digest is kept.

    A code that nobody has, or that was stopped before, is taken in the same words: the counter is no place to
    try codes. Raises `NotPermitted`, `Invalid("receipt.mistyped")`.
    """
    await must(session, actor, Permission.LOOK_UP)
    digest = key.receipt(receipts.read_code(code))
    values = {"digest": digest, "at": now, "staff_id": actor.id}
    await insert_once(session, ReceiptStop, values, unique=["digest"])
    await audit.record(session, "receipt.stop", SUBJECT, actor=actor.as_actor(), now=now)
