"""Recalls: what was told otherwise before, to whom it is owed to say so, and how far that has come."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends
from fastapi.responses import Response

from admin import times
from admin.pages import Desk, Number, Refusal, done, signed_in
from knowledge import shelf
from knowledge.versions import Entry, by_number
from office import staff
from office.errors import NotPermitted
from office.staff import Permission
from ticketing import recall_proposals, recalling, recalls
from ticketing.recalls import Recall, RecallState

router = APIRouter(prefix="/recalls")
Reading = Annotated[Desk, Depends(signed_in(Permission.SEE_ENTRIES))]
Publishing = Annotated[Desk, Depends(signed_in(Permission.PUBLISH_ENTRIES))]
TONES = {RecallState.PROPOSED: "warn", RecallState.SENT: "good", RecallState.DROPPED: "neutral"}


@router.get("")
async def show(desk: Reading) -> Response:
    """All recalls, those that wait for a second person first."""
    return await _list(desk)


async def _list(desk: Desk, refusal: Refusal | None = None) -> Response:
    rows = [
        {
            "id": recall.id,
            "no": entry.entry_no,
            "new": recall.new_text,
            "state": desk.t(f"recall.state.{recall.state}"),
            "tone": TONES[recall.state],
            "at": times.moment(recall.proposed_at, desk.frame.language),
            "board": await recalling.board(desk.session, recall),
        }
        for recall, entry in await recalling.listed(desk.session)
    ]
    return desk.render(
        "console/recalls.html",
        status=refusal.status if refusal else 200,
        here="/admin/recalls",
        error=refusal.words if refusal else "",
        typed=refusal.typed if refusal else {},
        done=desk.request.query_params.get("done", ""),
        rows=rows,
        may_propose=desk.may(Permission.PUBLISH_ENTRIES),
    )


@router.post("")
async def propose(desk: Publishing) -> Response:
    """Call an entry's answers back by hand: it was wrong, or was taken out of force."""
    desk.on_refusal(_list)
    form = desk.form
    entry = await by_number(desk.session, form.text("entry_no").strip().upper())
    await shelf.seen_by(desk.session, desk.person, entry.id)
    recall = await recall_proposals.propose(
        desk.session, entry, form.text("new_text"), form.text("reason"), actor=desk.person, now=desk.now
    )
    return done(f"/admin/recalls/{recall.id}", "proposed")


@router.get("/{recall_id}")
async def show_recall(desk: Reading, recall_id: Number) -> Response:
    """One recall: the two wordings, who is concerned, and what has become of each correction."""
    return await _page(desk, recall_id)


@router.post("/{recall_id}/send")
async def send(desk: Publishing, recall_id: Number) -> Response:
    """Let the correction go out to everybody who was told the old wording."""
    recall = await _recall(desk, recall_id)
    await recalling.send(
        desk.session, recall, seen=desk.form.number("version"), actor=desk.person, now=desk.now
    )
    return done(f"/admin/recalls/{recall_id}", "recall_sent")


@router.post("/{recall_id}/drop")
async def drop(desk: Publishing, recall_id: Number) -> Response:
    """Decide, with a reason, that nobody is to be corrected."""
    recall = await _recall(desk, recall_id)
    await recalling.drop(
        desk.session, recall, desk.form.text("reason"),
        seen=desk.form.number("version"), actor=desk.person, now=desk.now,
    )  # fmt: skip
    return done(f"/admin/recalls/{recall_id}", "recall_dropped")


async def _recall(desk: Desk, recall_id: int) -> Recall:
    async def again(later: Desk, refusal: Refusal) -> Response:
        return await _page(later, recall_id, refusal)

    desk.on_refusal(again)
    return await recalling.get(desk.session, recall_id, actor=desk.person)


async def _page(desk: Desk, recall_id: int, refusal: Refusal | None = None) -> Response:
    recall = await recalling.get(desk.session, recall_id, actor=desk.person)
    entry = await desk.session.get_one(Entry, recall.entry_id)
    await shelf.seen_by(desk.session, desk.person, entry.id)
    people = {number for number in (recall.proposed_by_id, recall.decided_by_id) if number}
    names = await staff.names(desk.session, people)
    language = desk.frame.language
    typed = refusal.typed if refusal else {}
    return desk.render(
        "console/recall.html",
        status=refusal.status if refusal else 200,
        here=f"/admin/recalls/{recall.id}",
        error=refusal.words if refusal else "",
        typed=typed,
        done=desk.request.query_params.get("done", ""),
        entry={"id": entry.id, "no": entry.entry_no},
        recall={
            "id": recall.id,
            "version": recall.version,
            "state": desk.t(f"recall.state.{recall.state}"),
            "state_key": recall.state.value,
            "tone": TONES[recall.state],
            "old": recall.old_text,
            "new": recall.new_text,
            "basis": recall.basis,
            "reason": recall.reason,
            "proposed_by": names.get(recall.proposed_by_id or 0, desk.t("actor.system")),
            "proposed": times.moment(recall.proposed_at, language),
            "decided_by": names.get(recall.decided_by_id or 0, ""),
            "decided": times.moment(recall.decided_at, language) if recall.decided_at else "",
        },
        board=await recalling.board(desk.session, recall),
        strangers=await recalls.out_of_reach(desk.session, recall),
        drafts=[
            {"id": ticket.id, "no": ticket.ticket_no}
            for ticket, _ in await recall_proposals.drafts_citing(desk.session, recall)
        ],
        at=times.moment(desk.now, language),
        **await _can(desk, recall),
    )


async def _can(desk: Desk, recall: Recall) -> dict[str, Any]:
    """Whether this person may decide now, and else why not."""
    if recall.state is RecallState.SENT or not desk.may(Permission.PUBLISH_ENTRIES):
        return {"decides": False, "why_not": ""}
    try:
        await staff.second_person(desk.session, desk.person, recall.proposed_by_id, now=desk.now)
    except NotPermitted as refusal:
        return {"decides": False, "why_not": refusal.key}
    return {"decides": True, "why_not": ""}
