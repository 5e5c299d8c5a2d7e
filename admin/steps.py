"""The steps of an entry: handed in, given up, sent back, retired; publishing has its own file."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import APIRouter, Depends
from fastapi.responses import Response

from admin.entries import Drafting, page
from admin.forms import Form
from admin.pages import Desk, Number, Refusal, done, signed_in
from knowledge import entries, shelf
from knowledge.versions import Alteration, Entry, EntryVersion, by_number, get_version
from office.errors import Conflict, Invalid, NotFound
from office.staff import Permission

router = APIRouter(prefix="/entries")
Publishing = Annotated[Desk, Depends(signed_in(Permission.PUBLISH_ENTRIES))]


def alteration(form: Form) -> Alteration | None:
    """What the author says of the change; None while nothing is chosen."""
    given = form.text("alteration")
    return Alteration(given) if given in tuple(Alteration) else None


async def current(
    desk: Desk, entry_id: int, shown: Callable[[Desk, int, Refusal], Awaitable[Response]] = page
) -> tuple[Entry, EntryVersion]:
    """The entry and the version the form is about; the page `shown` says again what could not be done."""

    async def again(later: Desk, refusal: Refusal) -> Response:
        return await shown(later, entry_id, refusal)

    desk.on_refusal(again)
    entry = await shelf.seen_by(desk.session, desk.person, entry_id)
    version = await get_version(desk.session, desk.form.number("version_id"))
    if version.entry_id != entry.id:
        raise NotFound("entry_unknown")
    if version.version != desk.form.number("version"):
        raise Conflict("stale_card")
    return entry, version


@router.post("/{entry_id}/submit")
async def submit(desk: Drafting, entry_id: Number) -> Response:
    """Hand the draft to a reviewer."""
    _, version = await current(desk, entry_id)
    altered = alteration(desk.form)
    await entries.submit(desk.session, version, actor=desk.person, now=desk.now, alteration=altered)
    return done(f"/admin/entries/{entry_id}", "submitted")


@router.post("/{entry_id}/drop")
async def drop(desk: Drafting, entry_id: Number) -> Response:
    """Give the draft up."""
    _, version = await current(desk, entry_id)
    await entries.drop(desk.session, version, actor=desk.person, now=desk.now)
    return done(f"/admin/entries/{entry_id}", "dropped")


@router.post("/{entry_id}/send-back")
async def send_back(desk: Publishing, entry_id: Number) -> Response:
    """Return the version to its author with a remark."""
    _, version = await current(desk, entry_id)
    remark = desk.form.text("remark")[:1000]
    if not remark.strip():
        raise Invalid("remark_needed")
    await entries.send_back(desk.session, version, remark, actor=desk.person, now=desk.now)
    return done(f"/admin/entries/{entry_id}", "sent_back")


@router.post("/{entry_id}/retire")
async def retire(desk: Publishing, entry_id: Number) -> Response:
    """Take the entry out of force; old buttons lead to its successor, if one is named."""
    entry, _ = await current(desk, entry_id)
    named = desk.form.text("successor").strip().upper()
    try:
        successor = await by_number(desk.session, named) if named else None
    except NotFound as error:
        raise Invalid("successor_unknown", no=named) from error
    if successor is not None and successor.id == entry.id:
        raise Invalid("successor_itself")
    await entries.retire(desk.session, entry, actor=desk.person, now=desk.now, successor=successor)
    return done(f"/admin/entries/{entry_id}", "retired")
