"""Calls: the form for the phone at one's ear, what came of it, and the calls of the day."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends
from fastapi.responses import JSONResponse, Response

from admin import call_form, call_likely, times
from admin.forms import Form
from admin.pages import Desk, Number, Refusal, done, signed_in, wants_json
from admin.queue import TONES
from admin.replay import Aside
from knowledge.versions import Entry, get_version
from office import redact, units
from office.errors import Conflict, Invalid
from office.staff import Permission
from ticketing import call_drafts, call_log, calls, ledgers, tickets
from ticketing.clocks import business_day
from ticketing.ledgers import Enquiry, Outcome
from ticketing.particulars import AskerKind, LedgerKind
from ticketing.records import Ticket, TicketState, UnansweredReason

router = APIRouter(prefix="/calls")
Calling = Annotated[Desk, Depends(signed_in(Permission.OPEN_TICKETS))]
Looking = Annotated[Desk, Depends(Aside(Permission.OPEN_TICKETS))]
EXCERPT = 60


@router.get("")
async def mine(desk: Calling) -> Response:
    """What this person has written down today, and what became of the tickets they took first."""
    return await _list(desk)


@router.get("/new")
async def form(desk: Calling) -> Response:
    """The form, with the call that was not finished, if there is one."""
    typed, restored = await call_form.begun(desk)
    desk.form = Form({name: (text,) for name, text in typed.items()})
    return await _page(desk, typed, restored=restored)


@router.post("/new")
async def record(desk: Calling) -> Response:
    """Write the call down: answered at once, owed an answer, or added to what the caller is owed already.

    Without script the same form also looks for entries.
    """
    desk.on_refusal(_again)
    then = desk.form.text("then")
    if then == "find":
        return await _page(desk, call_form.typed(desk))
    known = await calls.recorded(desk.session, desk.form.text("event_id"), desk.person)
    if known is None:
        known = await _record(desk, then)
        forms = {desk.form.text(name) for name in ("event_id", call_form.CONTINUES)}
        sealer = desk.services.sealer
        await call_drafts.recorded(desk.session, desk.person, forms, sealer=sealer, now=desk.now)
    return done(f"/admin/calls/{known.id}")


@router.post("/likely")
async def likely(desk: Looking) -> Response:
    """The entries that may answer what is typed so far; nothing is written."""
    unit = await call_form.unit_of(desk)
    asker = call_form.choice(desk, "asker_kind", AskerKind)
    return desk.render("console/call_likely.html", **await call_likely.context(desk, unit, asker))


@router.post("/draft")
async def draft(desk: Calling) -> Response:
    """Keep what is typed so far, as the page does by itself; or begin anew."""
    if desk.form.text("then") == "drop":
        await call_drafts.drop(desk.session, desk.person)
        return done("/admin/calls/new")
    typed = call_form.typed(desk)
    typed.setdefault("started", desk.now.isoformat())
    if any(typed.get(name, "").strip() for name in call_form.TEXTS if name != "post"):
        sealer = desk.services.sealer
        await call_drafts.save(desk.session, typed, actor=desk.person, sealer=sealer, now=desk.now)
    else:
        await call_drafts.drop(desk.session, desk.person)
    if wants_json(desk.request):
        return JSONResponse({"saved_at": times.clock(desk.now), "started": typed["started"]})
    return done("/admin/calls/new")


@router.get("/{enquiry_id}")
async def one(desk: Calling, enquiry_id: Number) -> Response:
    """What came of a call: what is to be read out, and the way to the next one."""
    return await _one(desk, enquiry_id)


@router.post("/{enquiry_id}/correct")
async def correct(desk: Calling, enquiry_id: Number) -> Response:
    """更正: add what was wrong in it, within the day."""

    async def again(later: Desk, refusal: Refusal) -> Response:
        return await _one(later, enquiry_id, refusal)

    desk.on_refusal(again)
    found = await call_log.seen_by(desk.session, desk.person, enquiry_id)
    ledger = call_form.choice(desk, "ledger", LedgerKind)
    text = desk.form.text("correction")
    await call_log.correct(desk.session, found, text, ledger, actor=desk.person, now=desk.now)
    return done(f"/admin/calls/{enquiry_id}", "corrected")


async def _record(desk: Desk, then: str) -> Enquiry:
    session, sealer = desk.session, desk.services.sealer
    facts: dict[str, Any] = {"actor": desk.person, "sealer": sealer, "now": desk.now}
    if then == "spot":
        if not desk.form.text("version_id"):
            raise Invalid("calls.entry_needed")
        if not await call_likely.still_listed(desk, await call_form.unit_of(desk)):
            raise Conflict("calls.list_changed")
        version = await get_version(session, desk.form.number("version_id"))
        return await calls.answered(session, await call_form.call(desk), version, hours=desk.hours, **facts)
    if desk.form.text("append_to"):
        ticket = await tickets.get(session, desk.form.number("append_to"))
        return await calls.appended(session, await call_form.call(desk), ticket, **facts)
    if then != "owe":
        raise Invalid("form_broken")
    unit, asker = await call_form.unit_of(desk), call_form.choice(desk, "asker_kind", AskerKind)
    why = call_form.choice(desk, "why", UnansweredReason) or UnansweredReason.NO_ENTRY
    call = await call_form.call(desk, await call_likely.topic_of(desk, unit, asker))
    group = desk.form.text("group").strip()
    await calls.unanswered(session, call, why, group, hours=desk.hours, **facts)
    found = await calls.recorded(session, call.event_id, desk.person)
    if found is None:
        raise Conflict("stale_card")
    return found


async def _again(desk: Desk, refusal: Refusal) -> Response:
    return await _page(desk, call_form.typed(desk), refusal)


async def _page(
    desk: Desk, typed: dict[str, str], refusal: Refusal | None = None, *, restored: bool = False
) -> Response:
    published = await units.published_numbers(desk.session)
    # What is shown again is what would be kept: without the numbers. The phone's own field keeps its.
    shown = {
        name: ("" if redact.has_id_number(text) else text) if name == "phone" else
        redact.text(text, published).text if name in call_form.TEXTS else text
        for name, text in typed.items()
    }  # fmt: skip
    return desk.render(
        "console/call.html",
        status=refusal.status if refusal else 200,
        here="/admin/calls/new",
        error=refusal.words if refusal else "",
        error_key=refusal.key if refusal else "",
        restored=restored,
        **await call_form.context(desk, shown),
    )


async def _one(desk: Desk, enquiry_id: int, refusal: Refusal | None = None) -> Response:
    found = await call_log.seen_by(desk.session, desk.person, enquiry_id)
    ticket = await desk.session.get(Ticket, found.ticket_id) if found.ticket_id else None
    own = found.staff_id == desk.person.id
    correctable = own and found.business_day == business_day(desk.now)
    return desk.render(
        "console/call_done.html",
        status=refusal.status if refusal else 200,
        here=f"/admin/calls/{found.id}",
        done=desk.request.query_params.get("done", ""),
        error=refusal.words if refusal else "",
        call=await _row(desk, found),
        ticket=_ticket(desk, ticket) if ticket else None,
        first=await call_log.opened_it(desk.session, found),
        correctable=correctable,
        correction=desk.form.text("correction") if refusal else "",
        notes=[
            (times.clock(note.at), note.text)
            for note in (await call_log.notes(desk.session, [found.id])).get(found.id, [])
        ],
        ledgers=[(kind.value, desk.t(f"calls.ledger.{kind}")) for kind in LedgerKind],
        may_see=desk.may(Permission.SEE_TICKETS),
    )


async def _list(desk: Desk) -> Response:
    found = await call_log.today(desk.session, desk.person, now=desk.now)
    noted = await call_log.notes(desk.session, [row.id for row in found])
    followed = await call_log.followed(desk.session, desk.person, now=desk.now)
    return desk.render(
        "console/calls.html",
        done=desk.request.query_params.get("done", ""),
        calls=[{**await _row(desk, row), "notes": len(noted.get(row.id, []))} for row in found],
        on_the_spot=sum(row.outcome is Outcome.ON_THE_SPOT for row in found),
        tickets=[_ticket(desk, ticket) for ticket in followed],
        may_see=desk.may(Permission.SEE_TICKETS),
    )


async def _row(desk: Desk, row: Enquiry) -> dict[str, Any]:
    entry = await desk.session.get(Entry, row.entry_id) if row.entry_id else None
    version = await get_version(desk.session, row.entry_version_id) if row.entry_version_id else None
    unit = await units.get(desk.session, row.unit_id) if row.unit_id else None
    phone = call_log.shown_phone(desk.services.sealer, call_log.sealed(row, "phone"))
    ledger = ledgers.ledger_of(row)
    return {
        "id": row.id,
        "at": times.clock(row.at),
        "words": row.words,
        "excerpt": row.words[:EXCERPT] + ("…" if len(row.words) > EXCERPT else ""),
        "spot": row.outcome is Outcome.ON_THE_SPOT,
        "outcome": desk.t(f"calls.outcome.{row.outcome}") if row.outcome else "",
        "channel": desk.t(f"channel.{row.channel}"),
        "unit": unit.name if unit else "",
        "entry": entry.entry_no if entry else "",
        "entry_id": entry.id if entry else 0,
        "number": version.number if version else 0,
        "reply": row.reply,
        "phone": phone,
        "ledger": ledger.value,
        "ledger_words": desk.t(f"calls.ledger.{ledger}"),
        "removed": redact.PLACEHOLDER in row.words,
        "repeats": row.repeat_of_id is not None,
    }


def _ticket(desk: Desk, ticket: Ticket) -> dict[str, Any]:
    language = desk.frame.language
    told = ticket.state in (TicketState.ANSWERED, TicketState.CLOSED)
    return {
        "id": ticket.id,
        "no": ticket.ticket_no,
        "key": ticket.progress_code,
        "promise": times.moment(ticket.promised_at, language),
        "group": ticket.group,
        "why": desk.t(f"ticket.why.{ticket.why_unanswered}"),
        "state": desk.t(f"ticket.state.{ticket.state}"),
        "tone": TONES[ticket.state],
        "words": ticket.words[:EXCERPT] + ("…" if len(ticket.words) > EXCERPT else ""),
        "answer": ticket.answer_text if told else "",
        "phone": call_log.shown_phone(desk.services.sealer, ticket.phone),
        "reachable": ticket.phone is not None or ticket.contact_id is not None,
    }
