"""Work tips in the console: the drafts, editing one, and how it will look on paper."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends
from fastapi.responses import Response
from sqlalchemy import select

from admin import times
from admin.pages import Desk, Number, Refusal, done, signed_in
from knowledge import tips
from knowledge.tips import Tip, WorkTip
from office import staff, units
from office.staff import Permission
from ticketing import promote, queue
from ticketing.cluster_records import Cluster
from ticketing.records import Ticket

router = APIRouter(prefix="/tips")
Reading = Annotated[Desk, Depends(signed_in(Permission.SEE_TICKETS))]
Drafting = Annotated[Desk, Depends(signed_in(Permission.DRAFT_ENTRIES))]
PARTS = ("origin", "wording", "steps", "contact_lines")
FIELDS = ("title", *PARTS, "basis")
DONE = ("saved", "begun")


@router.get("")
async def show(desk: Reading) -> Response:
    """The drafts, the last changed first."""
    asked = desk.request.query_params
    page = int(asked["page"]) if asked.get("page", "").isdecimal() and len(asked["page"]) < 7 else 1
    rows, total = await tips.listed(desk.session, desk.person, page=page)
    names = await staff.names(desk.session, {row.drafter_id for row in rows})
    return desk.render(
        "console/tips.html",
        rows=[
            {
                "id": row.id,
                "title": row.title,
                "drafter": names.get(row.drafter_id, ""),
                "changed": times.moment(row.changed_at, desk.frame.language),
                "count": len(row.sources.get("tickets", ())),
            }
            for row in rows
        ],
        total=total,
        page=page,
        pages=max(1, -(-total // tips.PAGE)),
        page_base="/admin/tips?page=",
    )


@router.post("/from-ticket/{ticket_id}")
async def begin(desk: Drafting, ticket_id: Number) -> Response:
    """Begin a tip from an answered ticket and go on in its editor."""
    ticket, _ = await queue.seen_by(desk.session, desk.person, ticket_id)
    made = await promote.to_tip(desk.session, ticket, actor=desk.person, now=desk.now)
    return done(f"/admin/tips/{made.id}/edit", "begun")


@router.get("/{tip_id}")
async def show_tip(desk: Reading, tip_id: Number) -> Response:
    """One draft as it reads, with the mark that it is not released."""
    tip = await tips.get(desk.session, desk.person, tip_id)
    office = await units.election_office(desk.session)
    names = await staff.names(desk.session, {tip.drafter_id})
    asked = desk.request.query_params.get("done", "")
    return desk.render(
        "console/tip.html",
        done=asked if asked in DONE else "",
        tip=_facts(tip),
        office_name=office.office_name,
        drafter=names.get(tip.drafter_id, ""),
        changed=times.moment(tip.changed_at, desk.frame.language),
        sources=await _sources(desk, tip),
        may_edit=desk.may(Permission.DRAFT_ENTRIES),
    )


@router.get("/{tip_id}/edit")
async def edit(desk: Drafting, tip_id: Number) -> Response:
    """The draft in a form."""
    return await _editor(desk, tip_id)


@router.post("/{tip_id}/edit")
async def save(desk: Drafting, tip_id: Number) -> Response:
    """Save the draft."""

    async def again(later: Desk, refusal: Refusal) -> Response:
        return await _editor(later, tip_id, refusal)

    desk.on_refusal(again)
    made = await tips.get(desk.session, desk.person, tip_id)
    written = Tip(**{name: desk.form.text(name) for name in FIELDS})
    seen = desk.form.number("version")
    await tips.edit(desk.session, made, written, seen=seen, actor=desk.person, now=desk.now)
    return done(f"/admin/tips/{tip_id}", "saved")


async def _editor(desk: Desk, tip_id: int, refusal: Refusal | None = None) -> Response:
    tip = await tips.get(desk.session, desk.person, tip_id)
    values = {name: desk.form.text(name) for name in FIELDS} if refusal else _facts(tip)
    asked = desk.request.query_params.get("done", "")
    return desk.render(
        "console/tip_edit.html",
        status=refusal.status if refusal else 200,
        here=f"/admin/tips/{tip.id}/edit",
        error=refusal.words if refusal else "",
        done=asked if asked in DONE else "",
        tip={"id": tip.id, "version": tip.version, "title": tip.title},
        values=values,
        sources=await _sources(desk, tip),
        most_title=tips.LONGEST_TITLE,
        most_part=tips.LONGEST_PART,
    )


def _facts(tip: WorkTip) -> dict[str, Any]:
    return {"id": tip.id, **{name: getattr(tip, name) for name in FIELDS}}


async def _sources(desk: Desk, tip: WorkTip) -> dict[str, Any]:
    """The tickets and the cluster a tip came from, as far as this person may open them."""
    rows = await desk.session.execute(
        select(Ticket.id, Ticket.ticket_no)
        .where(Ticket.id.in_(tip.sources.get("tickets", [])[:200]))
        .order_by(Ticket.id)
    )
    cluster = await desk.session.get(Cluster, tip.sources.get("cluster", 0))
    return {
        "tickets": [{"id": number, "no": no} for number, no in rows],
        "cluster": {"id": cluster.id, "no": cluster.cluster_no} if cluster else None,
        "entries": tip.sources.get("entries", []),
    }
