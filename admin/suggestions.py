"""The entries that may answer a ticket, and the one its officer has chosen to cite."""

from __future__ import annotations

from typing import Any

from admin import times
from admin.pages import Desk, Refusal
from knowledge import answer
from knowledge.outcomes import Candidate, Hit, Near
from knowledge.versions import Audience, EntryLevel, EntryState, EntryVersion, get_version
from office.errors import NotFound
from office.units import Unit

MOST_LIKELY = 6


async def likely(desk: Desk, words: str, unit: Unit, office: Unit) -> tuple[list[dict[str, Any]], str]:
    """The entries that come closest to `words`, and what the matcher makes of them: hit, near or miss."""
    outcome = await answer.find(
        desk.session, desk.services.live, words, audience=Audience.STAFF, unit=unit, now=desk.now
    )
    kind = "hit" if isinstance(outcome, Hit) else "near" if isinstance(outcome, Near) else "miss"
    shown = [await _suggestion(desk, found, office) for found in outcome.candidates[:MOST_LIKELY]]
    return [row for row in shown if row], kind


async def _suggestion(desk: Desk, found: Candidate, office: Unit) -> dict[str, Any] | None:
    known = await answer.published(desk.session, found.entry_id, office=office, now=desk.now)
    if known is None:
        return None
    version = await get_version(desk.session, known.version_id)
    return {
        "entry_id": known.entry_id,
        "version_id": known.version_id,
        "no": known.entry_no,
        "number": known.number,
        "question": known.question,
        "short": known.short,
        "full": known.full,
        "basis": known.basis,
        "issuer": known.issuer,
        "scope": known.scope,
        "published": times.day(known.published_on, desk.frame.language),
        "confirmed": known.confirmed,
        "percent": round(found.probability * 100),
        "phrasing": found.phrasing,
        "reasons": found.reasons,
        "staff_only": version.audience is Audience.STAFF,
        "needs_reviewer": needs_reviewer(version),
    }


def needs_reviewer(version: EntryVersion) -> bool:
    """Whether one officer alone may not answer with this version."""
    return version.level is not EntryLevel.ORDINARY or not version.confirmed


async def cited(
    desk: Desk, office: Unit, refusal: Refusal | None, drafted: str = ""
) -> dict[str, Any] | None:
    """The version the officer has chosen to answer with: in the refused form, by address, in the draft."""
    text = desk.form.text("version_id") if refusal else desk.request.query_params.get("cite", drafted)
    if not text.isdecimal() or len(text) > 9:
        return None
    return await citation(desk, int(text), office)


async def citation(desk: Desk, version_id: int, office: Unit) -> dict[str, Any] | None:
    """A published version as it can be quoted, with its dates filled in; None if it is not in force."""
    try:
        version = await get_version(desk.session, version_id)
    except NotFound:
        return None
    known = await answer.published(desk.session, version.entry_id, office=office, now=desk.now)
    if version.state is not EntryState.PUBLISHED or known is None or known.version_id != version.id:
        return None
    return {
        "version_id": known.version_id,
        "no": known.entry_no,
        "number": known.number,
        "question": known.question,
        "short": known.short,
        "basis": desk.t("passport.and").join(known.basis),
        "needs_reviewer": needs_reviewer(version),
    }


def citable(desk: Desk, likely: list[dict[str, Any]], cited: dict[str, Any] | None) -> list[tuple[str, str]]:
    """The choices of a conclusion: none, what is cited already, then what may answer."""
    rows = {row["version_id"]: row for row in ([cited] if cited else []) + likely}
    return [("", desk.t("answer.no_entry"))] + [
        (
            str(number),
            desk.t("answer.entry_option", no=row["no"], n=row["number"], question=row["question"])
            + (f" · {desk.t('likely.needs_reviewer')}" if row["needs_reviewer"] else ""),
        )
        for number, row in rows.items()
    ]
