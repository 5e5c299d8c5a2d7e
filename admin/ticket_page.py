"""One ticket as a page: what was asked, what has happened, what may answer it, what one may do."""

from __future__ import annotations

from typing import Any

from admin import case_facts, forms, suggestions, times
from admin.pages import Desk, Refusal, lines
from admin.queue import TONES, time_left
from knowledge import rules
from office import audit, contacts, outbox, staff, units
from office.contacts import ContactState
from office.errors import NotFound
from office.outbox import DeliveryState
from office.staff import Permission, Staff
from office.units import Unit
from ticketing import drafts, queue, tickets
from ticketing.records import (
    OPEN_STATES,
    REOPEN_WITHIN,
    PostKind,
    ThreadPost,
    Ticket,
    TicketState,
)

S = TicketState
# Acts that the thread does not show by itself; the answer and the notes are lines of their own.
SHOWN_ACTS = ("take", "send_back", "propose", "revise", "close", "reopen", "merge", "void")
POST_TONES = {
    PostKind.ASKER: "active",
    PostKind.EDITED: "warn",
    PostKind.INTERIM: "info",
    PostKind.ANSWER: "good",
    PostKind.NOTE: "neutral",
}
DELIVERY_TONES = {
    DeliveryState.DUE: "info",
    DeliveryState.CLAIMED: "info",
    DeliveryState.SENT: "good",
    DeliveryState.FAILED: "danger",
    DeliveryState.PARKED: "warn",
}


async def context(desk: Desk, ticket_id: int, refusal: Refusal | None = None) -> dict[str, Any]:
    """Everything the template shows; raises `NotFound` for a ticket outside the person's reach."""
    session, person, language = desk.session, desk.person, desk.frame.language
    ticket, unit = await queue.seen_by(session, person, ticket_id)
    posts = list(await queue.thread(session, ticket))
    office = await units.election_office(session)
    names = await _names(desk, ticket, posts)
    asked = desk.request.query_params
    search = forms.clean(asked.get("q", ""))[:200]
    is_open = ticket.state in OPEN_STATES
    likely, outcome = (
        await suggestions.likely(desk, search or ticket.words, unit, office) if is_open else ([], "miss")
    )
    cited = await suggestions.cited(desk, office, refusal)
    following = await queue.next_for(session, person, now=desk.now, after=ticket.id)
    return {
        "here": f"/admin/tickets/{ticket.id}",
        "ticket": _facts(desk, ticket, unit, names),
        "wizard": await _wizard(desk, ticket),
        "case": await case_facts.of(desk, ticket),
        # Only the answer to the button 按本人回执核实 fills it.
        "confirmed": None,
        "timeline": await _timeline(desk, ticket, posts, names),
        "edited": any(post.kind is PostKind.EDITED for post in posts) and is_open,
        "newest_words": next((p.text for p in reversed(posts) if p.kind is PostKind.EDITED), ""),
        "seen_post": last_word(posts),
        "open": is_open,
        "likely": likely,
        "outcome": outcome,
        "search": search,
        "deliveries": await _deliveries(desk, ticket),
        "lost": await _lost(desk, ticket),
        "others": await _other_tickets(desk, ticket),
        "can": _can(desk, ticket),
        "box": await _box(desk, ticket, cited, refusal),
        "citable": suggestions.citable(desk, likely, cited),
        "error": refusal.words if refusal else "",
        "error_key": refusal.key if refusal else "",
        "typed": refusal.typed if refusal else {},
        "done": asked.get("done", ""),
        "next_url": f"/admin/tickets/{following.id}" if following else "/admin",
        "next_known": following is not None,
        "reviewer_is_author": ticket.author_id == person.id,
        "at": times.moment(desk.now, language),
    }


def last_word(posts: list[ThreadPost]) -> int:
    """Row number of the asker's newest line: an answer written before it may miss the point."""
    return max((post.id for post in posts if post.kind in (PostKind.ASKER, PostKind.EDITED)), default=0)


def _facts(desk: Desk, ticket: Ticket, unit: Unit, names: dict[int, str]) -> dict[str, Any]:
    language = desk.frame.language
    return {
        "id": ticket.id,
        "no": ticket.ticket_no,
        "version": ticket.version,
        "words": ticket.words,
        "state": desk.t(f"ticket.state.{ticket.state}"),
        "state_key": ticket.state.value,
        "tone": TONES[ticket.state],
        "kind": desk.t(f"ticket.kind.{ticket.kind}"),
        "why": desk.t(f"ticket.why.{ticket.why_unanswered}"),
        "unit": unit.name,
        "channel": desk.t(f"channel.{ticket.channel}"),
        "accepted": times.moment(ticket.accepted_at, language),
        "promised": times.moment(ticket.promised_at, language),
        "due": times.moment(ticket.due_at, language),
        "answered": times.moment(ticket.answered_at, language) if ticket.answered_at else "",
        "holder": names.get(ticket.assignee_id or 0, ""),
        "mine": ticket.assignee_id == desk.person.id,
        "author": names.get(ticket.author_id or 0, ""),
        "reviewer": names.get(ticket.reviewer_id or 0, ""),
        "priority": desk.t(f"ticket.priority.{ticket.priority}"),
        "asked_for_person": ticket.asked_for_person,
        "has_personal": ticket.has_personal,
        "proposed": ticket.proposed_text,
        "basis": ticket.conclusion_basis,
        "answer": ticket.answer_text,
        "reason": ticket.reason,
        "reopened": ticket.reopen_count,
        "follow_up": desk.t(f"ticket.follow_up.{ticket.follow_up}") if ticket.follow_up else "",
        "lead": ticket.merged_into_id,
        "entry_id": ticket.entry_created_id,
        "group": ticket.group,
        **time_left(desk, ticket),
    }


async def _names(desk: Desk, ticket: Ticket, posts: list[ThreadPost]) -> dict[int, str]:
    ids = {post.staff_id for post in posts} | {ticket.assignee_id, ticket.author_id, ticket.reviewer_id}
    found = await staff.names(desk.session, {number for number in ids if number})
    return {number: staff.mask_name(name) for number, name in found.items()}


async def _wizard(desk: Desk, ticket: Ticket) -> list[tuple[str, str]]:
    """What the asker has answered step by step: each question with its answer, in words."""
    if not ticket.wizard_facts:
        return []
    pack, language = await rules.in_force(desk.session, now=desk.now), desk.frame.language
    shown = []
    for code, value in ticket.wizard_facts.items():
        slot = pack.slot(code)
        option = slot.option(value) if slot is not None else None
        # What these rules no longer know is shown as it was kept.
        question = slot.ask_in(language) if slot is not None else code
        otherwise = desk.t_or(f"ticket.wizard_{value}", value)
        answer = option.label_in(language) if option is not None else otherwise
        shown.append((question or desk.t("ticket.wizard_also"), answer))
    return shown


async def _timeline(
    desk: Desk, ticket: Ticket, posts: list[ThreadPost], names: dict[int, str]
) -> list[dict[str, Any]]:
    language = desk.frame.language
    shown = [
        (
            post.at,
            {
                "time": times.moment(post.at, language),
                "who": names.get(post.staff_id or 0, desk.t("actor.contact")),
                "what": desk.t(f"thread.{post.kind}"),
                "words": lines(post.text),
                "tone": POST_TONES[post.kind],
            },
        )
        for post in posts
    ]
    acts, _ = await audit.listed(desk.session, subject=f"ticket:{ticket.id}", limit=200)
    for act in acts:
        if act.action.removeprefix("ticket.") in SHOWN_ACTS or act.action == "lookup.case":
            by_staff = act.actor_kind == audit.ActorKind.STAFF
            who = staff.mask_name(act.actor_name) if by_staff else desk.t(f"actor.{act.actor_kind}")
            words = {"who": who, "what": desk.t(f"act.{act.action}"), "words": "", "tone": "neutral"}
            shown.append((act.at, {"time": times.moment(act.at, language), **words}))
    return [line for _, line in sorted(shown, key=lambda pair: pair[0])]


async def _box(
    desk: Desk, ticket: Ticket, cited: dict[str, Any] | None, refusal: Refusal | None
) -> dict[str, Any]:
    """What stands in the answer box: what was typed, else one's own draft, else the quotation."""
    draft = await drafts.of(desk.session, ticket, desk.person)
    text = draft or (cited["short"] if cited else "") or ticket.proposed_text
    basis = (cited["basis"] if cited else "") or ticket.conclusion_basis
    if refusal and "text" in desk.form.fields:
        text, basis = desk.form.text("text"), desk.form.text("basis") or basis
    return {
        "text": text,
        "basis": basis,
        "version_id": str(cited["version_id"]) if cited else "",
        "needs_reviewer": bool(cited and cited["needs_reviewer"]),
        "drafted": bool(draft),
    }


async def _deliveries(desk: Desk, ticket: Ticket) -> list[dict[str, Any]]:
    rows = await outbox.about(desk.session, f"ticket:{ticket.id}")
    return [
        {
            "what": desk.t("delivery.answer", n=row.facts.get("conclusion", 1))
            if row.kind == "answer"
            else desk.t("delivery.message"),
            "state": desk.t(f"delivery.state.{row.state}"),
            "tone": DELIVERY_TONES[row.state],
            "time": times.moment(row.sent_at or row.created_at, desk.frame.language),
            "attempts": row.attempts,
            "trouble": row.last_error,
        }
        for row in rows
    ]


async def _lost(desk: Desk, ticket: Ticket) -> bool:
    if ticket.contact_id is None:
        return False
    return (await contacts.get(desk.session, ticket.contact_id)).state is ContactState.LOST


async def _other_tickets(desk: Desk, ticket: Ticket) -> list[dict[str, Any]]:
    """The asker's other open tickets that this person may see: what this one can be joined to."""
    if ticket.contact_id is None:
        return []
    contact = await contacts.get(desk.session, ticket.contact_id)
    found = []
    for other in await queue.of_asker(desk.session, contact, only_open=True):
        if other.id == ticket.id:
            continue
        try:
            await queue.seen_by(desk.session, desk.person, other.id)
        except NotFound:
            continue
        words = " ".join(other.words.split())
        found.append({"id": other.id, "no": other.ticket_no, "words": words[:60]})
    return found


def _can(desk: Desk, ticket: Ticket) -> dict[str, bool]:
    """Which controls are shown; each act checks for itself."""
    person: Staff = desk.person
    work = desk.may(Permission.WORK_TICKETS)
    holds = work and ticket.state is S.WORKING and ticket.assignee_id == person.id
    recent = ticket.closed_at is not None and desk.now - ticket.closed_at <= REOPEN_WITHIN
    done = ticket.state in (S.ANSWERED, S.CLOSED)
    return {
        "take": work and ticket.state in (S.UNASSIGNED, S.ASSIGNED),
        "put_back": holds,
        "answer": holds,
        "review": desk.may(Permission.PUBLISH_ENTRIES) and ticket.state is S.IN_REVIEW,
        "note": work,
        "close": work and ticket.state is S.ANSWERED,
        "reopen": work and (ticket.state is S.ANSWERED or (ticket.state is S.CLOSED and recent)),
        "merge": work and ticket.state in OPEN_STATES,
        "void": work
        and ticket.state in (S.UNASSIGNED, S.ASSIGNED, S.WORKING)
        and tickets.may_be_void(ticket),
        "phrasing": desk.may(Permission.DRAFT_ENTRIES),
        "promote": desk.may(Permission.DRAFT_ENTRIES) and done and ticket.entry_created_id is None,
    }
