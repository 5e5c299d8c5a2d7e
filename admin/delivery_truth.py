"""Whether an answer has reached who waits for it: told, waiting to be fetched, out of reach, to be called."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import func, select

from admin import times
from admin.pages import Desk
from office import outbox
from office.contacts import Contact, ContactState
from office.outbox import Delivery, DeliveryState
from ticketing import call_list
from ticketing.call_backs import CallBack, CallBackState, CallTry
from ticketing.particulars import AnswerMode
from ticketing.records import Ticket, TicketState

S = TicketState
MOST_MEMBERS = 50
TONES = {
    DeliveryState.DUE: "info",
    DeliveryState.CLAIMED: "info",
    DeliveryState.SENT: "good",
    DeliveryState.FAILED: "danger",
    DeliveryState.PARKED: "warn",
    DeliveryState.HELD: "warn",
    DeliveryState.STOPPED: "warn",
}
CALL_TONES = {CallBackState.DUE: "warn", CallBackState.REACHED: "good", CallBackState.GIVEN_UP: "danger"}
TOLD = {
    "told": "good",
    "parked": "warn",
    "undeliverable": "danger",
    "to_call": "warn",
    "to_ask": "warn",
    "pending": "info",
}
TOLD_BY_HAND = (AnswerMode.PHONE, AnswerMode.IN_PERSON, AnswerMode.LETTER, AnswerMode.GROUP)


async def of(desk: Desk, ticket: Ticket) -> dict[str, Any]:
    """What was sent about a ticket, the calls about it, and how each joined member was told."""
    calls = await call_list.of_ticket(desk.session, [ticket.id])
    tries = await call_list.tries_of(desk.session, [call.id for call in calls])
    rows = await outbox.about(desk.session, f"ticket:{ticket.id}")
    lost = await _lost(desk, ticket)
    return {
        "deliveries": [_delivery(desk, row) for row in rows],
        "calls": [_call(desk, call, tries) for call in calls],
        "lost": lost,
        # Somebody whose channel is closed and whose number nobody knows: only they can come to us.
        "unreachable": lost and ticket.phone is None,
        "by_phone": ticket.phone is not None,
        "told": _word(desk, _told(ticket, rows, calls))
        if ticket.answered_at and ticket.answer_text
        else None,
        **await _members(desk, ticket),
    }


def _delivery(desk: Desk, row: Delivery) -> dict[str, Any]:
    what = desk.t("delivery.message")
    if row.kind == "answer":
        what = desk.t("delivery.answer", n=row.facts.get("conclusion", 1))
    return {
        "what": what,
        "state": desk.t(f"delivery.state.{row.state}"),
        "tone": TONES[row.state],
        "time": times.moment(row.sent_at or row.created_at, desk.frame.language),
        "attempts": row.attempts,
        "trouble": row.last_error,
    }


def _call(desk: Desk, call: CallBack, tries: Sequence[CallTry]) -> dict[str, Any]:
    language = desk.frame.language
    return {
        "kind": desk.t(f"call_back.kind.{call.kind}"),
        "state": call_state(desk, call),
        "tone": CALL_TONES[call.state],
        "tries": [
            f"{times.moment(one.at, language)} {desk.t(f'call_back.result.{one.result}')}"
            for one in tries
            if one.call_back_id == call.id
        ],
    }


def call_state(desk: Desk, call: CallBack) -> str:
    """Where a call stands in words; who left no phone is not said to be called."""
    to_ask = call.state is CallBackState.DUE and call.to_ask
    return desk.t("call_back.state.to_ask" if to_ask else f"call_back.state.{call.state}")


def _told(ticket: Ticket, rows: Sequence[Delivery], calls: Sequence[CallBack]) -> str:
    """How the newest answer stands, in one of the words of `TOLD`; `ticket` may be a joined one."""
    own = [row for row in rows if row.kind == "answer" and row.state is not DeliveryState.FAILED]
    if any(call.state is CallBackState.REACHED for call in calls):
        return "told"
    if own and own[-1].state is DeliveryState.SENT:
        return "told"
    if due := [call for call in calls if call.state is CallBackState.DUE]:
        return "to_ask" if all(call.to_ask for call in due) else "to_call"
    if own:
        return "parked" if own[-1].state is DeliveryState.PARKED else "pending"
    if any(row.kind == "answer" for row in rows) or calls:
        return "undeliverable"
    return "told" if ticket.answer_mode in TOLD_BY_HAND else "pending"


def _word(desk: Desk, told: str) -> dict[str, str]:
    return {"key": told, "words": desk.t(f"told_how.{told}"), "tone": TOLD[told]}


async def _lost(desk: Desk, ticket: Ticket) -> bool:
    if ticket.contact_id is None:
        return False
    contact = await desk.session.get_one(Contact, ticket.contact_id)
    return contact.state is ContactState.LOST


async def _members(desk: Desk, ticket: Ticket) -> dict[str, Any]:
    """The tickets joined to this one, the first fifty by number, and how many there are."""
    joined = select(Ticket).where(Ticket.merged_into_id == ticket.id, Ticket.state == S.MERGED)
    number = await desk.session.scalar(select(func.count()).select_from(joined.subquery())) or 0
    if not number:
        return {"members": [], "members_more": 0}
    found = (await desk.session.scalars(joined.order_by(Ticket.id).limit(MOST_MEMBERS))).all()
    sent = await _sent(desk, found)
    calls: dict[int, list[CallBack]] = defaultdict(list)
    for call in await call_list.of_ticket(desk.session, [member.id for member in found]):
        calls[call.ticket_id or 0].append(call)
    answered = ticket.state in (S.ANSWERED, S.CLOSED)
    shown = []
    for member in found:
        same_asker = member.contact_id is not None and member.contact_id == ticket.contact_id
        told = _told(member, sent.get(member.id, []), calls[member.id]) if answered and not same_asker else ""
        shown.append(
            {
                "id": member.id,
                "no": member.ticket_no,
                "channel": desk.t(f"channel.{member.channel}"),
                "same_asker": same_asker,
                "told": _word(desk, told) if told else None,
                "follow_up": desk.t(f"ticket.follow_up.{member.follow_up}") if member.follow_up else "",
            }
        )
    return {"members": shown, "members_more": number - len(shown)}


async def _sent(desk: Desk, members: Sequence[Ticket]) -> Mapping[int, list[Delivery]]:
    subjects = {f"ticket:{member.id}": member.id for member in members}
    rows = await desk.session.scalars(
        select(Delivery).where(Delivery.subject.in_(subjects)).order_by(Delivery.id)
    )
    found: dict[int, list[Delivery]] = defaultdict(list)
    for row in rows:
        found[subjects[row.subject]].append(row)
    return found
