"""Answering a ticket: what is typed, what is cited, and the ways on: sent, reviewed, or only replied."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, TypeVar

from fastapi import APIRouter, Depends
from fastapi.responses import JSONResponse, Response

from admin import answer_box, suggestions, ticket_history, times
from admin.pages import Desk, Number, done, signed_in, wants_json
from admin.ticket_forms import back, form_ticket
from knowledge.versions import EntryVersion, get_version
from office import units
from office.errors import Conflict, Invalid
from office.staff import Permission
from ticketing import drafts, entry_flags, interim, macros, queue, tickets
from ticketing.particulars import AnswerMode, Cause
from ticketing.records import Ticket, TicketState

router = APIRouter(prefix="/tickets")
Working = Annotated[Desk, Depends(signed_in(Permission.WORK_TICKETS))]
_Choice = TypeVar("_Choice", bound=StrEnum)


@router.post("/{ticket_id}/draft")
async def draft(desk: Working, ticket_id: Number) -> Response:
    """Keep what is typed so far, as the page does by itself after each pause; tells where it differs."""
    ticket = await form_ticket(desk, ticket_id, fresh=False)
    await _keep(desk, ticket, desk.form.text("text"))
    if wants_json(desk.request):
        told: dict[str, object] = {"saved_at": times.clock(desk.now)}
        version = await _chosen(desk)
        if version is not None:
            found = await answer_box.differing(desk, ticket, desk.form.text("text"), version)
            told["differences"] = [one["words"] for one in found]
        return JSONResponse(told)
    return back(ticket_id, "draft_saved")


@router.post("/{ticket_id}/drafts/{staff_id}")
async def take_over(desk: Working, ticket_id: Number, staff_id: Number) -> Response:
    """Copy a colleague's draft behind one's own."""
    ticket = await form_ticket(desk, ticket_id, fresh=False)
    await _keep(desk, ticket, desk.form.text("text"))
    await drafts.take_over(desk.session, ticket, staff_id, actor=desk.person, now=desk.now)
    return back(ticket_id, "draft_taken")


@router.post("/{ticket_id}/macro")
async def macro(desk: Working, ticket_id: Number) -> Response:
    """Put a macro behind what is typed."""
    ticket = await form_ticket(desk, ticket_id, fresh=False)
    await _must_be_current(desk, ticket)
    if not desk.form.text("macro"):
        raise Invalid("macro_choose")
    found = await macros.get(desk.session, desk.person, desk.form.number("macro"))
    typed = desk.form.text("text").rstrip()
    await _keep(desk, ticket, f"{typed}\n{found.text}" if typed else found.text)
    return back(ticket_id, "")


async def _keep(desk: Desk, ticket: Ticket, text: str) -> None:
    """Save the box as one's own draft, with its basis and what it cites; an overtaken box is refused."""
    await _must_be_current(desk, ticket)
    version = await _chosen(desk)
    await drafts.save(
        desk.session,
        ticket,
        text,
        actor=desk.person,
        now=desk.now,
        basis=await answer_box.basis_typed(desk),
        version_id=version.id if version else None,
    )


async def _must_be_current(desk: Desk, ticket: Ticket) -> None:
    await drafts.must_be_current(desk.session, ticket, answer_box.made_from(desk))


async def _chosen(desk: Desk) -> EntryVersion | None:
    number = desk.form.text("version_id")
    if not number.isdecimal() or len(number) > 9:
        return None
    return await desk.session.get(EntryVersion, int(number))


@router.post("/{ticket_id}/cite/{version_id}")
async def cite(desk: Working, ticket_id: Number, version_id: Number) -> Response:
    """Put an entry's short answer into the box and choose it as the conclusion.

    What was typed stays in front of it, unless it only quoted another entry.
    """
    ticket = await form_ticket(desk, ticket_id, fresh=False)
    office = await units.election_office(desk.session)
    chosen = await suggestions.citation(desk, version_id, office)
    if chosen is None:
        raise Conflict("entry_not_in_force")
    await _must_be_current(desk, ticket)
    typed = desk.form.text("text").strip()
    before = desk.form.text("version_id")
    quoted = await suggestions.citation(desk, int(before), office) if before.isdecimal() else None
    if typed == (quoted or chosen)["short"]:
        typed = ""
    text = f"{typed}\n\n{chosen['short']}" if typed else chosen["short"]
    typed_basis = desk.form.text("basis")
    basis = chosen["basis"] if not typed_basis or (quoted and typed_basis == quoted["basis"]) else typed_basis
    await drafts.save(
        desk.session, ticket, text, actor=desk.person, now=desk.now, basis=basis, version_id=version_id
    )
    return done(f"/admin/tickets/{ticket_id}?cite={version_id}")


@router.post("/{ticket_id}/answer")
async def answer(desk: Working, ticket_id: Number) -> Response:
    """Send an answer that a published entry carries; one that differs goes to a reviewer with its reason."""
    ticket = await _answerable(desk, ticket_id)
    if not desk.form.text("version_id"):
        raise Invalid("conclusion_needed")
    version = await get_version(desk.session, desk.form.number("version_id"))
    mode, cause = _choice(AnswerMode, desk.form.text("mode")), _choice(Cause, desk.form.text("cause"))
    text, _ = await answer_box.text_and_basis(desk)
    await tickets.answer(
        desk.session,
        ticket,
        text,
        version,
        actor=desk.person,
        hours=desk.hours,
        now=desk.now,
        mode=mode or AnswerMode.CHAT,
        cause=cause,
        explained=desk.form.text("explained"),
    )
    await drafts.save(desk.session, ticket, "", actor=desk.person, now=desk.now)
    proposed = ticket.state is TicketState.IN_REVIEW
    return back(ticket_id, "proposed" if proposed else answer_box.sent_how(ticket))


@router.post("/{ticket_id}/propose")
async def propose(desk: Working, ticket_id: Number) -> Response:
    """Hand an answer to a reviewer: because no entry carries it, or because its officer wants that."""
    ticket = await _answerable(desk, ticket_id)
    text, basis = await answer_box.text_and_basis(desk)
    given = [part for part in (basis, desk.form.text("explained").strip()) if part]
    mode, cause = _choice(AnswerMode, desk.form.text("mode")), _choice(Cause, desk.form.text("cause"))
    await tickets.propose(
        desk.session,
        ticket,
        text,
        "\n".join(given),
        await _chosen(desk),
        actor=desk.person,
        now=desk.now,
        mode=mode,
        cause=cause,
    )
    await drafts.save(desk.session, ticket, "", actor=desk.person, now=desk.now)
    return back(ticket_id, "proposed")


@router.post("/{ticket_id}/interim")
async def reply(desk: Working, ticket_id: Number) -> Response:
    """Write to the asker without concluding: the ticket stays with its officer and its time runs on."""
    ticket = await _answerable(desk, ticket_id)
    text, hours = desk.form.text("text"), desk.hours
    await interim.reply(desk.session, ticket, text, actor=desk.person, hours=hours, now=desk.now)
    await drafts.save(desk.session, ticket, "", actor=desk.person, now=desk.now)
    return back(ticket_id, "replied")


@router.post("/{ticket_id}/flag/{version_id}")
async def flag(desk: Working, ticket_id: Number, version_id: Number) -> Response:
    """Say that an entry is wrong, to whoever answers for it."""
    ticket = await form_ticket(desk, ticket_id, fresh=False)
    version = await get_version(desk.session, version_id)
    why = desk.form.text(f"why_{version_id}")
    await entry_flags.flag(desk.session, ticket, version, why, actor=desk.person, now=desk.now)
    return back(ticket_id, "flagged")


def _choice(among: type[_Choice], text: str) -> _Choice | None:
    """What was chosen of a list; None for nothing, and for what is not in it."""
    return next((one for one in among if one.value == text), None)


async def _answerable(desk: Desk, ticket_id: int) -> Ticket:
    ticket = await form_ticket(desk, ticket_id)
    posts = list(await queue.thread(desk.session, ticket))
    if ticket_history.last_word(posts) != desk.form.number("seen_post"):
        raise Conflict("asker_wrote")
    return ticket
