"""What officers fill in of a ticket's record later: choices, names and numbers, times; never the words."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession

from knowledge.versions import topics
from office.errors import Conflict, Invalid
from office.hours import BEIJING
from office.seal import Sealer
from office.staff import Staff
from office.units import group_key, parse_group_no
from ticketing import call_backs, leading, offline, restricted
from ticketing.intake import clean, post
from ticketing.ledgers import Enquiry
from ticketing.moving import LONGEST_ANSWER, lock, may_work, noted
from ticketing.particulars import (
    AnswerMode,
    AskerKind,
    Cause,
    LedgerKind,
    Nature,
    PlatformModule,
    Relay,
    ResidenceCase,
    Secrecy,
    Symptom,
    VoterKind,
)
from ticketing.records import OPEN_STATES, PostKind, Ticket, UnansweredReason

CHOICES: Final[Mapping[str, type[StrEnum]]] = {
    "relayed_from": Relay,
    "asker_kind": AskerKind,
    "voter_kind": VoterKind,
    "ledger": LedgerKind,
    "nature": Nature,
    "residence_case": ResidenceCase,
    "platform_module": PlatformModule,
    "symptom": Symptom,
    "secrecy": Secrecy,
    "why_unanswered": UnansweredReason,
    "cause": Cause,
    "answer_mode": AnswerMode,
}
NEEDED: Final = frozenset({"secrecy", "why_unanswered"})
TEXTS: Final[Mapping[str, int]] = {
    "relayed_no": 40, "post": 40, "electoral_district": 60, "group_no": 16, "station": 60,
    "failure_reason": 80, "summary": 500, "spot_reply": 1000, "superior_no": 40, "tip_no": 16, "note": 500,
}  # fmt: skip
TIMES: Final = ("call_started_at", "call_ended_at")
SEALED: Final[Mapping[str, int]] = {"asker_name": 40, "phone": 20}
"""Shown masked, so an empty field leaves what is there; `<name>_remove` takes it away."""
MORE_WORDS: Final = "more_words"
FIELDS: Final = (
    *CHOICES, *TEXTS, *TIMES, *SEALED, *(f"{name}_remove" for name in SEALED), "topic", MORE_WORDS,
)  # fmt: skip
_PHONE: Final = re.compile(r"\+?[0-9][0-9 ()\-]{5,18}[0-9]")


async def change(
    session: AsyncSession,
    ticket: Ticket,
    typed: Mapping[str, str],
    *,
    seen: int,
    sealer: Sealer,
    actor: Staff,
    now: datetime,
) -> tuple[str, ...]:
    """Fill in what is typed; returns the names of the fields that changed, which is all the audit keeps.

    `typed` holds fields by name as a form gives them; what is missing in it stays. `seen` is the version the
    form was made from. `more_words` is what the asker added by phone: a line of the thread, because the words
    themselves never change. Raises `Conflict("stale_card")` if somebody else was faster, `Conflict(
    "offline_only")` for a confidential case, `Invalid` for what cannot be.
    """
    await may_work(session, actor, ticket)
    await lock(session, ticket)
    if ticket.version != seen:
        raise Conflict("stale_card")
    restricted.must_be_open(ticket)
    found = await _values(session, ticket, typed, sealer, now)
    changed = [name for name, value in found.items() if not _same(ticket, name, value, sealer)]
    if "secrecy" in changed:
        await _secrecy(session, ticket, found["secrecy"], actor, now)
        found.pop("secrecy")
    for name in changed:
        if name in found:
            value = found[name]
            setattr(ticket, name, sealer.seal(value) if name in SEALED else value)
    if "ledger" in changed:
        await _ledger_of_enquiries(session, ticket)
    if more := typed.get(MORE_WORDS, "").strip():
        if len(more) > LONGEST_ANSWER:
            raise Invalid("text_long", most=LONGEST_ANSWER)
        await post(session, ticket, PostKind.EDITED, await clean(session, more), now=now, staff=actor)
        changed.append("words")
    if "phone" in changed:
        await call_backs.renumbered(session, ticket)
    if changed:
        await session.flush()
        await noted(session, ticket, "record", actor.as_actor(), now, fields=sorted(changed))
    return tuple(changed)


async def set_ledger(
    session: AsyncSession, ticket: Ticket, ledger: LedgerKind, *, actor: Staff, now: datetime
) -> bool:
    """Put a ticket and its enquiries into a ledger; returns whether that changed anything."""
    await may_work(session, actor, ticket)
    await lock(session, ticket)
    if ticket.ledger is ledger:
        return False
    ticket.ledger = ledger
    await _ledger_of_enquiries(session, ticket)
    await session.flush()
    await noted(session, ticket, "record", actor.as_actor(), now, fields=["ledger"])
    return True


async def _ledger_of_enquiries(session: AsyncSession, ticket: Ticket) -> None:
    # Ledgers are views over both, so both say the same.
    await session.execute(update(Enquiry).where(Enquiry.ticket_id == ticket.id).values(ledger=ticket.ledger))


async def _secrecy(
    session: AsyncSession, ticket: Ticket, wanted: Secrecy, actor: Staff, now: datetime
) -> None:
    """Anyone may flag a ticket as not for the public; taking the flag away is a leader's (线下)."""
    if wanted is Secrecy.RESTRICTED and ticket.state in OPEN_STATES:
        await offline.flag(session, ticket, actor=actor, now=now)
        return
    if ticket.secrecy is Secrecy.RESTRICTED:
        await leading.must_lead(session, actor, ticket, now=now)
    ticket.secrecy = wanted


async def _values(
    session: AsyncSession, ticket: Ticket, typed: Mapping[str, str], sealer: Sealer, now: datetime
) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, kind in CHOICES.items():
        if name in typed:
            found[name] = _choice(name, kind, typed[name])
    for name, most in TEXTS.items():
        if name in typed:
            found[name] = await _text(session, name, typed[name], most)
    if "topic" in typed:
        if typed["topic"] and typed["topic"] not in topics():
            raise Invalid("form_broken")
        found["topic"] = typed["topic"]
    if found.get("group_no"):
        found["group_no"] = _group_no(found["group_no"])
    for name in TIMES:
        if name in typed:
            found[name] = _moment(typed[name])
    began = found.get("call_started_at", ticket.call_started_at)
    ended = found.get("call_ended_at", ticket.call_ended_at)
    if any(at is not None and at > now for at in (began, ended)) or (began and ended and ended < began):
        raise Invalid("record_call_times")
    for name, most in SEALED.items():
        if typed.get(f"{name}_remove"):
            found[name] = ""
        elif text := " ".join(typed.get(name, "").split()):
            found[name] = await _personal(session, name, text, most)
    return found


def _same(ticket: Ticket, name: str, value: Any, sealer: Sealer) -> bool:
    present = getattr(ticket, name)
    if name in TIMES and present is not None and value is not None:
        # Forms know minutes only.
        return bool(present.replace(second=0, microsecond=0) == value.replace(second=0, microsecond=0))
    if name not in SEALED:
        return bool(present == value)
    try:
        return bool(sealer.open(present) == value)
    except Conflict:
        return False  # sealed with a secret that has gone: what is typed now takes its place


def _choice(name: str, kind: type[StrEnum], typed: str) -> StrEnum | None:
    if not typed and name not in NEEDED:
        return None
    try:
        return kind(typed)
    except ValueError as error:
        raise Invalid("form_broken") from error


async def _text(session: AsyncSession, name: str, typed: str, most: int) -> str:
    text = (await clean(session, typed.strip())).strip()
    if len(text) > most:
        raise Invalid("record_long", most=most)
    return text


def _group_no(typed: str) -> str:
    found = parse_group_no(typed)
    if found is None or group_key(found) == (0, 0):
        raise Invalid("record_group_no")
    return found


def _moment(typed: str) -> datetime | None:
    if not typed.strip():
        return None
    try:
        at = datetime.fromisoformat(typed.strip())
    except ValueError as error:
        raise Invalid("record_call_times") from error
    return at.replace(tzinfo=BEIJING) if at.tzinfo is None else at


async def _personal(session: AsyncSession, name: str, text: str, most: int) -> str:
    if len(text) > most:
        raise Invalid("record_long", most=most)
    if name == "phone":
        if not _PHONE.fullmatch(text):
            raise Invalid("record_phone")
        return text
    if await clean(session, text) != text or any(symbol.isdecimal() for symbol in text):
        raise Invalid("record_name")  # a number is no name, whoever's it is
    return text
