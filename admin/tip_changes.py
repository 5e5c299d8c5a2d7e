"""The entries that come into force with a work tip: what they say otherwise, whether they may, and when."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from admin import differences, times
from admin.entries import TONES, choice_words
from admin.pages import Desk
from knowledge import checks, tip_words
from knowledge.tips import TipState, WorkTip
from knowledge.versions import Entry, EntryState, EntryVersion, content_of
from office import units

GONE = (TipState.SUPERSEDED, TipState.WITHDRAWN)


async def change(desk: Desk, tip: WorkTip, version: EntryVersion, entry: Entry) -> dict[str, Any]:
    """What a version that comes into force with the tip says otherwise than the one answered before it."""
    before = await desk.session.scalar(
        select(EntryVersion)
        .where(EntryVersion.entry_id == entry.id, EntryVersion.number < version.number)
        .where(EntryVersion.published_at.is_not(None))
        .order_by(EntryVersion.number.desc())
        .limit(1)
    )
    places = {unit.id: unit.name for unit in await units.all_units(desk.session)}
    found = (
        differences.between(
            await content_of(desk.session, before),
            await content_of(desk.session, version),
            choice_words(desk, places),
        )
        if before is not None
        else []
    )
    return {
        "id": version.id,
        "version": version.version,
        "entry_id": entry.id,
        "no": entry.entry_no,
        "number": version.number,
        "question": version.question,
        "short": version.short,
        "state": desk.t(f"entry.state.{version.state}"),
        "tone": TONES[version.state],
        "first": before is None,
        "differences": found,
        "check": desk.t(f"tips.check_{check}") if (check := await _check(desk, tip, version)) else "",
    }


async def _check(desk: Desk, tip: WorkTip, version: EntryVersion) -> str:
    """What is to be said of the check; of a signed tip that the clock checks again, or a reviewer has to."""
    if tip.state in GONE:
        return ""
    found = await checked(desk, version)
    if found != "needed" or tip.state is not TipState.RELEASED:
        return found
    return "again" if tip.stale_at is None else "late"


async def checked(desk: Desk, version: EntryVersion) -> str:
    """What the check before a publication says of a version: needed, open, blocked; else empty."""
    if version.state is not EntryState.IN_REVIEW:
        return ""
    found = await checks.latest(desk.session, version)
    if found is None or not await checks.holds(desk.session, found, version):
        return "needed"
    return "open" if found.state in checks.OPENING else "blocked"


def when(desk: Desk, tip: WorkTip) -> str:
    """When they come into force, or did, in one sentence: the moment that a release names, too."""
    language, begins = desk.frame.language, tip_words.begins(tip)
    if tip.in_effect_at is not None:
        return desk.t("tips.changes_since", at=times.moment(tip.in_effect_at, language, now=desk.now))
    if tip.state in GONE:
        return desk.t("tips.changes_never")
    if begins is not None and tip.stale_at is not None:
        return desk.t("tips.changes_late", at=times.moment(begins, language, now=desk.now))
    if begins is None or (begins <= desk.now and tip.released_at is None):
        return desk.t("tips.changes_with")
    key = "tips.changes_at" if tip.effective_from is not None else "tips.changes_sent"
    return desk.t(key, at=times.moment(begins, language, now=desk.now))
