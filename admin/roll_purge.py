"""The end of the roll: asked for by one person, carried out by another, with a certificate to keep."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from fastapi.responses import Response

from admin import times
from admin.downloads import attached
from admin.pages import Desk, Number, Refusal, done, signed_in
from admin.replay import Aside
from knowledge.roll import certificate, purge
from knowledge.roll.key_end import FINAL, KeyEnd
from knowledge.roll.records import PurgeState, RollPurge
from office import staff
from office.errors import Invalid, NotFound, NotPermitted
from office.hours import beijing_day
from office.staff import Permission

router = APIRouter(prefix="/roll/purge")
Reading = Annotated[Desk, Depends(signed_in(Permission.SEE_ROLL))]
Ending = Annotated[Desk, Depends(signed_in(Permission.APPLY_ROLL))]
Carrying = Annotated[Desk, Depends(Aside(Permission.APPLY_ROLL))]
DONE = ("asked", "dropped", "carried_out", "finished")
TONES = {PurgeState.ASKED: "warn", PurgeState.DONE: "good", PurgeState.DROPPED: "neutral"}


@router.get("")
async def show(desk: Reading) -> Response:
    """Whether the roll may go, what was asked, and the certificates of what went."""
    return await _page(desk)


@router.post("")
async def ask(desk: Ending) -> Response:
    """Ask that the roll ends; another person carries it out."""
    desk.on_refusal(_page)
    form = desk.form
    await purge.ask(
        desk.session, basis=form.text("basis"), reason=form.text("reason"), actor=desk.person, now=desk.now
    )
    return done("/admin/roll/purge", "asked")


@router.post("/{purge_id}/drop")
async def drop(desk: Ending, purge_id: Number) -> Response:
    """Take the wish back."""
    desk.on_refusal(_page)
    row = await purge.get(desk.session, purge_id)
    await purge.drop(desk.session, row, actor=desk.person, now=desk.now)
    return done("/admin/roll/purge", "dropped")


@router.post("/{purge_id}/carry-out")
async def carry_out(desk: Carrying, purge_id: Number) -> Response:
    """End the roll, as the second person and after saying to be sure: it cannot be undone."""
    desk.on_refusal(_page)
    if desk.form.text("sure") != "1":
        raise Invalid("roll_purge.not_sure")
    seen, person, now = desk.form.number("version"), desk.person, desk.now
    await desk.session.close()  # the database must be free to tidy its files
    key_path = desk.services.roll_key.path
    await purge.carry_out(desk.services.store, purge_id, seen=seen, actor=person, now=now, key_path=key_path)
    return done("/admin/roll/purge", "carried_out")


@router.post("/{purge_id}/finish")
async def finish(desk: Carrying, purge_id: Number) -> Response:
    """Try again what a purge could not do: the key file, the files of the database."""
    desk.on_refusal(_page)
    person, now = desk.person, desk.now
    await desk.session.close()
    key_path = desk.services.roll_key.path
    await purge.finish(desk.services.store, purge_id, actor=person, now=now, key_path=key_path)
    return done("/admin/roll/purge", "finished")


@router.get("/{purge_id}/certificate")
async def paper(desk: Reading, purge_id: Number) -> Response:
    """The certificate; the same bytes each time while its facts stay the same."""
    row = await purge.get(desk.session, purge_id)
    if row.done_at is None:
        raise NotFound("roll_purge.unknown")
    content = await asyncio.to_thread(certificate.document, row, desk.frame.office["name"])
    day = f"{beijing_day(row.done_at):%Y%m%d}"
    name = desk.t("roll_purge.certificate_name", day=day, n=row.id)
    return attached(content, f"purge-certificate-{day}-{row.id}.docx", name)


async def _page(desk: Desk, refusal: Refusal | None = None) -> Response:
    standing = await purge.standing(desk.session, desk.now)
    rows = await purge.listed(desk.session)
    people = {number for row in rows for number in (row.asked_by_id, row.done_by_id) if number}
    names = await staff.names(desk.session, people)
    waiting = next((row for row in rows if row.state is PurgeState.ASKED), None)
    asked = desk.request.query_params.get("done", "")
    language = desk.frame.language
    return desk.render(
        "console/roll_purge.html",
        status=refusal.status if refusal else 200,
        here="/admin/roll/purge",
        error=refusal.words if refusal else "",
        done=desk.t(f"roll_purge.done_{asked}") if asked in DONE else "",
        standing={
            "election": standing.election,
            "day": times.day(standing.election_day, language) if standing.election_day else "",
            "from_day": times.day(standing.from_day, language) if standing.from_day else "",
            "early": standing.early,
        }
        if standing
        else None,
        typed={name: desk.form.text(name) for name in ("basis", "reason")},
        longest=purge.LONGEST,
        key_path=str(desk.services.roll_key.path),
        waiting=_about(desk, waiting, names) if waiting else None,
        can=await _can(desk, waiting),
        rows=[_about(desk, row, names) for row in rows if row.state is not PurgeState.ASKED],
    )


async def _can(desk: Desk, waiting: RollPurge | None) -> dict[str, Any]:
    applies = desk.may(Permission.APPLY_ROLL)
    found: dict[str, Any] = {"ask": applies and waiting is None, "drop": applies, "do": False, "why_not": ""}
    if waiting is None:
        return found
    if not applies:
        return found | {"why_not": "roll.only_appliers"}
    try:
        await staff.second_person(desk.session, desk.person, waiting.asked_by_id, now=desk.now)
    except NotPermitted as refused:
        return found | {"why_not": f"refused.{refused.key}"}
    return found | {"do": True}


def _about(desk: Desk, row: RollPurge, names: dict[int, str]) -> dict[str, Any]:
    language, facts = desk.frame.language, row.facts
    key = KeyEnd(facts["key"]["end"]) if row.done_at else KeyEnd.PENDING
    return {
        "id": row.id,
        "version": row.version,
        "state": desk.t(f"roll_purge.state_{row.state.value}"),
        "tone": TONES[row.state],
        "election": row.election,
        "basis": row.basis,
        "early": facts.get("early", ""),
        "asked": times.moment(row.asked_at, language),
        "asked_by": names.get(row.asked_by_id, ""),
        "done": times.moment(row.done_at, language) if row.done_at else "",
        "done_by": names.get(row.done_by_id or 0, ""),
        "deleted": [
            (desk.t(f"roll_paper.deleted_{name}"), f"{facts['deleted'][name]:,}")
            for name in certificate.DELETED
        ]
        if row.done_at
        else [],
        "key": desk.t(
            f"roll_paper.key_{key.value}",
            at=times.moment(row.done_at, language) if row.done_at else "",
            why=facts["key"]["why"] or "—" if row.done_at else "",
        ),
        "key_tone": "good" if key in FINAL else "danger",
        "storage": bool(facts.get("storage")),
        "complete": purge.complete(row) if row.done_at else False,
    }
