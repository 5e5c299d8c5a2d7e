"""One ticket as a page: what was asked, what has happened, what may answer it, what one may do."""

from __future__ import annotations

from typing import Any

from fastapi.responses import Response

from admin import (
    answer_box,
    case_facts,
    delivery_truth,
    forms,
    offline,
    record,
    suggestions,
    ticket_acts,
    ticket_history,
    times,
)
from admin.pages import Desk, Refusal
from admin.queue import TONES, time_left
from knowledge import rules
from knowledge.versions import Entry, EntryVersion
from office import audit, contacts, staff, units
from office.errors import NotFound
from office.staff import Permission, Staff
from office.units import Unit
from ticketing import answering, drafts, precedents, queue, tickets
from ticketing.records import (
    OPEN_STATES,
    REOPEN_WITHIN,
    PostKind,
    ThreadPost,
    Ticket,
    TicketState,
)

S = TicketState


async def page(desk: Desk, ticket_id: int, refusal: Refusal | None = None, **more: Any) -> Response:
    """The page of a ticket, with what was refused and whatever a form shows on this one response."""
    shown = await context(desk, ticket_id, refusal)
    return desk.render("console/ticket.html", status=refusal.status if refusal else 200, **(shown | more))


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
    can = _can(desk, ticket)
    acts_ = _acts(await ticket_acts.context(desk, ticket), can)
    chosen = await answer_box.chosen(desk, ticket) if can["answer"] else ""
    overtaken = can["answer"] and await answer_box.overtaken(desk, ticket, refusal)
    in_box = None if overtaken else refusal
    cited = await suggestions.cited(desk, office, in_box, chosen)
    acts, _ = await audit.listed(session, subject=f"ticket:{ticket.id}", limit=200)
    following = await queue.next_for(session, person, now=desk.now, after=ticket.id)
    return {
        "here": f"/admin/tickets/{ticket.id}",
        "ticket": _facts(desk, ticket, unit, names) | {"answered": _answered(desk, ticket, posts)},
        "wizard": await _wizard(desk, ticket),
        "case": await case_facts.of(desk, ticket),
        # Only the answer to the button 按本人回执核实 fills it.
        "confirmed": None,
        "timeline": ticket_history.timeline(desk, acts, posts, names),
        "edited": ticket_history.edited(ticket, posts) if is_open or ticket.state is S.ANSWERED else None,
        "seen_post": ticket_history.last_word(posts),
        "open": is_open,
        "likely": likely,
        "outcome": outcome,
        "search": search,
        "past": await _past(desk, ticket, search or ticket.words) if is_open else [],
        "truth": await delivery_truth.of(desk, ticket),
        "others": await _other_tickets(desk, ticket),
        "can": can,
        "box": await answer_box.of(desk, ticket, cited, in_box),
        "returned_as": await drafts.returned_as(desk.session, ticket) if can["answer"] else 0,
        "kept": refusal.typed if refusal and (overtaken or not can["answer"]) else {},
        "overtaken": overtaken,
        "colleagues": await answer_box.colleagues(desk, ticket) if can["answer"] else [],
        "review": await _review(desk, ticket),
        "cites": await _cites(desk, ticket) if can["promote"] else None,
        "since": ticket_history.since(desk, acts, posts, refusal),
        "acts": acts_,
        **_given(ticket, names, bool(acts_) and acts_["can"]["accept"]),
        "special": await offline.context(desk, ticket),
        "record": await record.context(desk, ticket),
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


def _facts(desk: Desk, ticket: Ticket, unit: Unit, names: dict[int, str]) -> dict[str, Any]:
    language = desk.frame.language
    return {
        "id": ticket.id,
        "no": ticket.ticket_no,
        "version": ticket.version,
        "cluster_id": ticket.cluster_id,
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
        "who": _holder(desk, ticket, names),
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
        "asked_back": times.moment(ticket.follow_up_asked_at, language) if ticket.follow_up_asked_at else "",
        "mode": answer_box.mode_words(desk, ticket) if ticket.answer_mode else "",
        "cause": desk.t(f"cause.{ticket.cause}") if ticket.cause else "",
        "answered_by": names.get(ticket.answered_by_id or 0, ""),
        "lead": ticket.merged_into_id,
        "entry_id": ticket.entry_created_id,
        "group": ticket.group,
        **time_left(desk, ticket),
    }


def _answered(desk: Desk, ticket: Ticket, posts: list[ThreadPost]) -> str:
    """When the answer that is shown was given; a ticket opened again has none that counts, but it was."""
    said = next((post.at for post in reversed(posts) if post.kind is PostKind.ANSWER), None)
    at = ticket.answered_at or said or ticket.first_answered_at
    return times.moment(at, desk.frame.language) if at else ""


def _holder(desk: Desk, ticket: Ticket, names: dict[int, str]) -> str:
    """Who has the ticket; to whom it was handed has not said yes yet, and the page says so."""
    own = ticket.assignee_id == desk.person.id
    who = desk.t("queue.me") if own else names.get(ticket.assignee_id or 0, "")
    return desk.t("ticket.unaccepted", who=who) if who and ticket.state is S.ASSIGNED else who


def _given(ticket: Ticket, names: dict[int, str], may_accept: bool) -> dict[str, Any]:
    """Whose word an assigned ticket waits for. Whoever else reaches it may still be the first to take it."""
    if ticket.state is not S.ASSIGNED:
        return {"waits_for": "", "given_to": ""}
    person = "" if may_accept else names.get(ticket.assignee_id or 0, "")
    group = ticket.group if ticket.assignee_id is None else ""
    return {"waits_for": "me" if may_accept else "another", "given_to": person or group}


async def _names(desk: Desk, ticket: Ticket, posts: list[ThreadPost]) -> dict[int, str]:
    ids = {post.staff_id for post in posts} | {ticket.assignee_id, ticket.author_id, ticket.reviewer_id}
    ids |= {ticket.answered_by_id}
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


def _acts(acts: dict[str, Any], can: dict[str, bool]) -> dict[str, Any]:
    """The further acts; whoever has the box for an answer replies with a button of it."""
    if acts and can["answer"]:
        acts["can"]["reply"] = False
    return acts


async def _past(desk: Desk, ticket: Ticket, words: str) -> list[dict[str, Any]]:
    found = await precedents.like(desk.session, desk.person, ticket, words)
    return [
        {
            "id": one.ticket_id,
            "no": one.ticket_no,
            "percent": one.percent,
            "words": one.words,
            "answer": one.answer,
            "version_id": one.version_id,
            "answered": times.moment(one.answered_at, desk.frame.language),
        }
        for one in found
    ]


async def _review(desk: Desk, ticket: Ticket) -> dict[str, Any]:
    """What a reviewer has to see beside the proposed text: what it cites and where it says otherwise."""
    if ticket.state is not S.IN_REVIEW:
        return {"cited": "", "differences": [], "mode": ""}
    version = None
    if ticket.conclusion_version_id is not None:
        version = await desk.session.get(EntryVersion, ticket.conclusion_version_id)
    entry = await desk.session.get(Entry, version.entry_id) if version else None
    return {
        "cited": desk.t("review.cited", no=entry.entry_no, n=version.number) if entry and version else "",
        "differences": await answer_box.differing(desk, ticket, ticket.proposed_text, version),
        "mode": answer_box.mode_words(desk, ticket),
    }


async def _cites(desk: Desk, ticket: Ticket) -> dict[str, Any] | None:
    """The entry that the answer cites: an entry begun from it would say the same a second time."""
    found = await answering.cited(desk.session, ticket.conclusion_version_id)
    if found is None:
        return None
    entry, version = found
    words = desk.t("review.cited", no=entry.entry_no, n=version.number)
    return {"id": entry.id, "no": entry.entry_no, "words": words, "live": entry.published_id is not None}


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
        # What was assigned goes back with the rule that says whose it is: an act of its own.
        "put_back": holds and ticket.assigned_at is None,
        "flag": work and ticket.state in OPEN_STATES,
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
        "tip": desk.may(Permission.DRAFT_ENTRIES) and done,
    }
