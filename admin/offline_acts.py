"""Taking a ticket offline, opening what it said, closing it; and the list of such cases."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from fastapi.responses import Response

from admin import times
from admin.pages import Desk, Number, Refusal, done, lines, signed_in
from admin.ticket_forms import back, chosen, form_ticket
from office import staff
from office.errors import Invalid
from office.staff import Permission
from ticketing import offline, openings, queue, tickets
from ticketing.offline import OfflineResult, OfflineWay
from ticketing.records import Ticket, TicketState
from ticketing.restricted import Restricted

router = APIRouter()
SHOWN = ("words", "why", "summary", "spot_reply", "proposed_text", "conclusion_basis", "answer_text")
Working = Annotated[Desk, Depends(signed_in(Permission.WORK_TICKETS))]
Opening = Annotated[Desk, Depends(signed_in(Permission.OPEN_TICKETS))]
Reviewing = Annotated[Desk, Depends(signed_in(Permission.PUBLISH_ENTRIES))]


@router.get("/restricted")
async def listed(desk: Working) -> Response:
    """What waits for a decision, what is handled offline, and broken glass that nobody has looked at."""
    return await _list(desk)


async def _list(desk: Desk, refusal: Refusal | None = None) -> Response:
    language = desk.frame.language
    cases = [
        {
            "id": case.ticket.id,
            "no": case.ticket.ticket_no,
            "unit": case.unit.name,
            "kind": desk.t(f"ticket.kind.{case.ticket.kind}"),
            "waits": case.ticket.state is not TicketState.OFFLINE,
            "owner": case.owner.name if case.owner else "",
            "mine": case.owner is not None and case.owner.id == desk.person.id,
            "since": times.moment(case.ticket.accepted_at, language),
            "days": (desk.now - case.ticket.accepted_at).days,
        }
        for case in await offline.listed(desk.session, desk.person)
    ]
    broken = [
        {
            "id": opening.id,
            "ticket": ticket.id,
            "no": ticket.ticket_no,
            "who": opener.masked_name,
            "when": times.moment(opening.at, language),
            "reason": opening.reason,
            "own": opener.id == desk.person.id,
        }
        for opening, ticket, opener in await openings.unreviewed(desk.session, desk.person)
    ]
    return desk.render(
        "console/restricted.html",
        status=refusal.status if refusal else 200,
        here="/admin/restricted",
        cases=cases,
        broken=broken,
        reviews=desk.may(Permission.PUBLISH_ENTRIES),
        error=refusal.words if refusal else "",
        done=desk.request.query_params.get("done", ""),
    )


@router.post("/restricted/openings/{opening_id}/review")
async def review(desk: Reviewing, opening_id: Number) -> Response:
    """Another reviewer has looked at why the glass was broken."""
    desk.on_refusal(_list)
    await openings.review(desk.session, opening_id, actor=desk.person, now=desk.now)
    return done("/admin/restricted", "kept")


@router.post("/tickets/{ticket_id}/flag")
async def flag(desk: Opening, ticket_id: Number) -> Response:
    """Say that this should be handled offline."""
    if desk.may(Permission.SEE_TICKETS):
        ticket = await form_ticket(desk, ticket_id)
    else:
        # A registrar has no page of a ticket; the act itself looks whether it is one they took in.
        ticket = await tickets.get(desk.session, ticket_id)
    await offline.flag(desk.session, ticket, actor=desk.person, now=desk.now)
    return back(ticket_id) if desk.may(Permission.SEE_TICKETS) else done("/admin/me", "kept")


@router.post("/tickets/{ticket_id}/unflag")
async def decline(desk: Working, ticket_id: Number) -> Response:
    """The leader has it answered like any other."""
    ticket = await form_ticket(desk, ticket_id)
    reason = desk.form.text("reason_unflag")
    await offline.decline(desk.session, ticket, reason, actor=desk.person, now=desk.now)
    return back(ticket_id)


@router.post("/tickets/{ticket_id}/take-offline")
async def take(desk: Working, ticket_id: Number) -> Response:
    """The leader has it handled offline by a named owner."""
    ticket = await form_ticket(desk, ticket_id)
    owner = await chosen(desk, "owner")
    readers = [await staff.get(desk.session, int(one)) for one in desk.form.all("readers") if one.isdecimal()]
    await offline.take(
        desk.session, ticket, owner, readers=readers, reason=desk.form.text("reason_offline"),
        sealer=desk.services.sealer, actor=desk.person, now=desk.now,
    )  # fmt: skip
    return back(ticket_id, "taken_offline")


@router.post("/tickets/{ticket_id}/entrust")
async def entrust(desk: Working, ticket_id: Number) -> Response:
    """The leader gives the case to another owner."""
    ticket = await form_ticket(desk, ticket_id)
    owner = await chosen(desk, "new_owner")
    await offline.entrust(desk.session, ticket, owner, actor=desk.person, now=desk.now)
    return back(ticket_id)


@router.post("/tickets/{ticket_id}/readers")
async def admit(desk: Working, ticket_id: Number) -> Response:
    """The leader puts somebody on the list of readers."""
    ticket = await form_ticket(desk, ticket_id, fresh=False)
    person = await chosen(desk, "reader")
    await openings.admit(desk.session, ticket, person, actor=desk.person, now=desk.now)
    return back(ticket_id)


@router.post("/tickets/{ticket_id}/readers/{staff_id}/dismiss")
async def dismiss(desk: Working, ticket_id: Number, staff_id: Number) -> Response:
    """The leader takes somebody off the list of readers."""
    ticket = await form_ticket(desk, ticket_id, fresh=False)
    person = await staff.get(desk.session, staff_id)
    await openings.dismiss(desk.session, ticket, person, actor=desk.person, now=desk.now)
    return back(ticket_id)


@router.post("/tickets/{ticket_id}/finish-offline")
async def close(desk: Working, ticket_id: Number) -> Response:
    """The owner closes the case with way and result."""
    ticket = await form_ticket(desk, ticket_id)
    try:
        way = OfflineWay(desk.form.text("offline_way"))
        result = OfflineResult(desk.form.text("offline_result"))
    except ValueError as error:
        raise Invalid("offline_class") from error
    await offline.close(desk.session, ticket, way, result, actor=desk.person, now=desk.now)
    return back(ticket_id, "closed_offline")


@router.post("/tickets/{ticket_id}/restricted")
async def open_text(desk: Working, ticket_id: Number) -> Response:
    """What the case says, once: a second look is a second opening with a reason of its own."""
    ticket = await form_ticket(desk, ticket_id, fresh=False)
    found = await openings.open_(
        desk.session, ticket, desk.form.text("reason_open"), sealer=desk.services.sealer, actor=desk.person,
        now=desk.now, break_glass=desk.form.text("break_glass") == "1",
    )  # fmt: skip
    return await _shown(desk, ticket, found)


async def _shown(desk: Desk, ticket: Ticket, found: Restricted) -> Response:
    language = desk.frame.language
    people = await _names(desk, found)
    unit = (await queue.seen_by(desk.session, desk.person, ticket.id))[1]
    # The headers of every console page say no-store already; this page says so itself as well.
    response = desk.render(
        "console/restricted_text.html",
        here=f"/admin/tickets/{ticket.id}",
        no=ticket.ticket_no,
        unit=unit.name,
        opened=times.moment(desk.now, language),
        moved_in=[_part(desk, part, people) for part in found.parts],
        later=[
            {
                "time": times.moment(line.at, language),
                "who": people.get(line.who or 0, desk.t("actor.contact")),
                "what": desk.t(f"thread.{line.kind}"),
                "words": lines(line.text),
            }
            for line in found.later
        ],
    )
    response.headers["Cache-Control"] = "no-store, private"
    return response


def _part(desk: Desk, part: Any, people: dict[int, str]) -> dict[str, Any]:
    fields: list[tuple[str, str]] = [
        (desk.t(f"restricted.field.{name}"), lines(str(part[name]))) for name in SHOWN if part.get(name)
    ]
    fields += [
        (desk.t("restricted.field.note"), lines(str(part[name])))
        for name in ("note", "reason", "failure_reason")
        if part.get(name)
    ]
    fields += [
        (desk.t("restricted.field.facts"), "；".join(f"{name} {told}" for name, told in part[table].items()))
        for table in ("wizard_facts", "materials", "cross_area")
        if part.get(table)
    ]
    thread = [
        {
            "time": times.moment(datetime.fromisoformat(line["at"]), desk.frame.language),
            "who": people.get(line["who"] or 0, desk.t("actor.contact")),
            "what": desk.t(f"thread.{line['kind']}"),
            "words": lines(line["text"]),
        }
        for line in part["thread"]
    ]
    drafts = [
        {"who": people.get(draft["who"], ""), "words": lines(draft["text"])} for draft in part["drafts"]
    ]
    joined = [_part(desk, inner, people) for inner in part.get("joined", ())]
    return {"fields": fields, "thread": thread, "drafts": drafts, "joined": joined}


async def _names(desk: Desk, found: Restricted) -> dict[int, str]:
    ids = {line.who for line in found.later}
    for part in found.parts:
        for one in (part, *part.get("joined", ())):
            ids |= {line["who"] for line in one["thread"]} | {draft["who"] for draft in one["drafts"]}
    named = await staff.names(desk.session, {number for number in ids if number})
    return {number: staff.mask_name(name) for number, name in named.items()}
