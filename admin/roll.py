"""Packages of the roll: carried in, looked at as counts, applied by a second person, taken back.

Nowhere a row: there is nothing here that could list, search or export one, and names or numbers are no file
that this page takes.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from fastapi.responses import Response

from admin import package_uploads, roll_counts, times
from admin.pages import Desk, Number, Refusal, done, signed_in
from admin.replay import Aside
from knowledge.roll import imports, purge, signers
from knowledge.roll.keys import BadKey
from knowledge.roll.records import ImportState, RollImport
from office import staff
from office.errors import DeskError, Invalid, NotPermitted
from office.staff import Permission

router = APIRouter(prefix="/roll")
Reading = Annotated[Desk, Depends(signed_in(Permission.SEE_ROLL))]
Applying = Annotated[Desk, Depends(signed_in(Permission.APPLY_ROLL))]
Carrying = Annotated[Desk, Depends(Aside(Permission.PREPARE_ROLL, package_uploads.read))]
Comparing = Annotated[Desk, Depends(Aside(Permission.PREPARE_ROLL))]
DONE = ("prepared", "applied", "dropped", "rolled_back", "compared")
TONES = {
    ImportState.LOADING: "active",
    ImportState.PREPARED: "warn",
    ImportState.APPLIED: "good",
    ImportState.ROLLED_BACK: "danger",
}


@router.get("")
async def show(desk: Reading) -> Response:
    """What is in force, and every package that was carried in."""
    return await _page(desk)


@router.post("/imports", dependencies=[Depends(package_uploads.removed_afterwards)])
async def carry_in(desk: Carrying) -> Response:
    """Take a package in: checked, staged where nobody asks, compared; the file is gone afterwards."""
    desk.on_refusal(_page)
    path = package_uploads.chosen(desk.form)
    person, now, language = desk.person, desk.now, desk.frame.language
    key = desk.services.roll_key.key()
    # It takes as long as the rows do, and no look at the database may stay open so long.
    await desk.session.close()
    with days_told(language):
        row = await imports.prepare(desk.services.store, path, key=key, actor=person, now=now)
    return done(f"/admin/roll/imports/{row.id}", "prepared")


@router.get("/imports/{import_id}")
async def one(desk: Reading, import_id: Number) -> Response:
    """One import: what it would change in counts, and what may be done now."""
    return await _one(desk, import_id)


@router.post("/imports/{import_id}/apply")
async def apply(desk: Applying, import_id: Number) -> Response:
    """Put it in force as the second person; what is unusually large must have been ticked."""
    row = await _begun(desk, import_id)
    meant = desk.form.all("meant")
    if any(name not in meant for name, _ in roll_counts.warnings(row)):
        raise Invalid("roll.not_meant")
    with days_told(desk.frame.language):
        await imports.apply(
            desk.session, row, seen=desk.form.number("version"), actor=desk.person, now=desk.now
        )
    return done("/admin/roll", "applied")


@router.post("/imports/{import_id}/compare")
async def compare(desk: Comparing, import_id: Number) -> Response:
    """Count anew what it would change, after another roll came in force."""

    async def again(later: Desk, refusal: Refusal) -> Response:
        return await _one(later, import_id, refusal)

    desk.on_refusal(again)
    person, now = desk.person, desk.now
    await desk.session.close()
    await imports.compare(desk.services.store, import_id, actor=person, now=now)
    return done(f"/admin/roll/imports/{import_id}", "compared")


@router.post("/imports/{import_id}/drop")
async def drop(desk: Reading, import_id: Number) -> Response:
    """Give an import up that nobody has applied; the domain says who may."""
    row = await _begun(desk, import_id)
    await imports.drop(desk.session, row, seen=desk.form.number("version"), actor=desk.person, now=desk.now)
    return done("/admin/roll", "dropped")


@router.post("/roll-back")
async def roll_back(desk: Applying) -> Response:
    """Take the roll in force out at once; the one before it is asked again."""
    desk.on_refusal(_page)
    seen, why = desk.form.number("version"), desk.form.text("why")
    await imports.roll_back(desk.session, seen=seen, why=why, actor=desk.person, now=desk.now)
    return done("/admin/roll", "rolled_back")


@contextmanager
def days_told(language: str) -> Iterator[None]:
    """Refusals inside tell moments with their day: packages differ by days, not by minutes."""
    try:
        yield
    except DeskError as error:
        for name, value in error.facts.items():
            if isinstance(value, datetime) and name != "until":
                error.facts[name] = times.moment(value, language)
        raise


async def _begun(desk: Desk, import_id: int) -> RollImport:
    async def again(later: Desk, refusal: Refusal) -> Response:
        return await _one(later, import_id, refusal)

    desk.on_refusal(again)
    return await imports.get(desk.session, import_id)


async def _page(desk: Desk, refusal: Refusal | None = None) -> Response:
    rows = await imports.listed(desk.session)
    names = await _names(desk, rows)
    current = await imports.in_force(desk.session)
    before = await imports.before(desk.session)
    signer = await signers.in_force(desk.session, now=desk.now)
    ended = next((row for row in await purge.listed(desk.session) if row.done_at), None)
    return desk.render(
        "console/roll.html",
        status=refusal.status if refusal else 200,
        here="/admin/roll",
        error=refusal.words if refusal else "",
        error_key=refusal.key if refusal else "",
        why=desk.form.text("why"),
        done=_done(desk),
        rows=[_about(desk, row, names) for row in rows],
        current=_about(desk, current, names) if current else None,
        counts=roll_counts.shown(desk, current)["package"] if current else [],
        before=before.id if before else 0,
        lookup=await _lookup(desk),
        purged=times.moment(ended.done_at, desk.frame.language) if ended and ended.done_at else "",
        signer=signer,
        keys=_keys(desk, signer.key_id if signer else ""),
        most=package_uploads.LARGEST // 1024 // 1024,
        can_prepare=desk.may(Permission.PREPARE_ROLL),
        can_apply=desk.may(Permission.APPLY_ROLL),
        longest=imports.LONGEST_WHY,
    )


async def _lookup(desk: Desk) -> dict[str, str]:
    """Whether voters can look up now, and if not, why."""
    opening = await desk.services.lookups.opening(desk.session, desk.now)
    cause = opening.cause.value if opening.cause else "not_now"
    words = desk.t("roll.lookup_open") if opening.open else desk.t(f"roll.closed_{cause}")
    return {"words": words, "tone": "good" if opening.open else "warn"}


def _keys(desk: Desk, trusted: str) -> list[dict[str, str]]:
    """The id of the service's key and of the trusted signer's, and whether they agree."""
    try:
        key_id, tone = desk.services.roll_key.key().key_id, "good"
        words = desk.t("roll.key_here", id=key_id)
    except BadKey as error:
        return [{"words": desk.t_or(error.key, error.key), "tone": "danger"}]
    if trusted and trusted != key_id:
        words, tone = desk.t("roll.key_differs", id=key_id, signer=trusted), "danger"
    return [{"words": words, "tone": tone}]


async def _one(desk: Desk, import_id: int, refusal: Refusal | None = None) -> Response:
    row = await imports.get(desk.session, import_id)
    current = await imports.in_force(desk.session)
    return desk.render(
        "console/roll_import.html",
        status=refusal.status if refusal else 200,
        here=f"/admin/roll/imports/{import_id}",
        error=refusal.words if refusal else "",
        done=_done(desk),
        row=_about(desk, row, await _names(desk, [row])),
        counts=roll_counts.shown(desk, row),
        warnings=[
            {"name": name, "words": desk.t(f"roll.warn_{name}", **facts)}
            for name, facts in roll_counts.warnings(row)
        ],
        meant=desk.form.all("meant"),
        current=current.id if current else 0,
        can=await _can(desk, row, current),
    )


async def _can(desk: Desk, row: RollImport, current: RollImport | None) -> dict[str, Any]:
    """What this person may do next, and why not, as the domain will see it."""
    applies, prepares = desk.may(Permission.APPLY_ROLL), desk.may(Permission.PREPARE_ROLL)
    open_states = (ImportState.PREPARED, ImportState.LOADING)
    found: dict[str, Any] = {"apply": False, "compare": False, "why_not": ""}
    found["drop"] = (applies or prepares) and row.state in open_states
    if row.state is not ImportState.PREPARED:
        return found
    if row.counts.get("compared_with") != (current.id if current else 0):
        return found | {"compare": prepares, "why_not": "roll_import.compared"}
    if not applies:
        return found | {"why_not": "roll.only_appliers"}
    try:
        await staff.second_person(desk.session, desk.person, row.prepared_by_id, now=desk.now)
    except NotPermitted as refused:
        return found | {"why_not": f"refused.{refused.key}"}
    return found | {"apply": True}


def _done(desk: Desk) -> str:
    asked = desk.request.query_params.get("done", "")
    return desk.t(f"roll.done_{asked}") if asked in DONE else ""


async def _names(desk: Desk, rows: list[RollImport]) -> dict[int, str]:
    people = {number for row in rows for number in (row.prepared_by_id, row.applied_by_id) if number}
    return await staff.names(desk.session, people)


def _about(desk: Desk, row: RollImport, names: dict[int, str]) -> dict[str, Any]:
    language = desk.frame.language

    def at(moment: datetime | None) -> str:
        return times.moment(moment, language) if moment else ""

    return {
        "id": row.id,
        "version": row.version,
        "state": desk.t(f"roll.state_{row.state.value}"),
        "state_key": row.state.value,
        "tone": TONES.get(row.state, "neutral"),
        "short_hash": row.package_hash[:12],
        "hash": row.package_hash,
        "election": row.election,
        "key_id": row.key_id,
        "signer": row.signer,
        "rows": f"{row.rows:,}",
        "persons": f"{roll_counts.figure(row.counts, 'persons'):,}",
        "made": at(row.made_at),
        "prepared": at(row.prepared_at),
        "prepared_by": names.get(row.prepared_by_id or 0, desk.t("changes.installation")),
        "applied": at(row.applied_at),
        "applied_by": names.get(row.applied_by_id or 0, desk.t("changes.installation")),
        "ended": at(row.ended_at),
        "compared": row.counts.get("compared_with", 0),
    }
