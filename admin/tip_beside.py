"""What the form of a work tip says of a colleague's save beside it: whose, when, and what differs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi.responses import Response
from sqlalchemy import select

from admin import differences, times, tip_form
from admin.pages import Desk, Refusal
from admin.tip_merge import LABELS, Began
from knowledge import tip_words
from knowledge.tips import TipState, WorkTip
from knowledge.versions import Entry, EntryVersion
from office import staff
from office.units import Unit

LONG = ("origin", "wording", "steps", "contact_lines")


async def told(
    desk: Desk,
    tip: WorkTip,
    typed: Mapping[str, Any],
    theirs: Mapping[str, Any],
    start: Began,
    adopted: tuple[str, ...],
) -> dict[str, Any]:
    """What a template needs to show what a colleague wrote and to ask whose words are to stand."""
    who = (await staff.names(desk.session, {tip.editor_id or tip.drafter_id})).get(
        tip.editor_id or tip.drafter_id, ""
    )
    own = tip.editor_id == desk.person.id
    at = times.moment(tip.changed_at, desk.frame.language, now=desk.now)
    shown = []
    for name in start.open:
        words = await _words(desk, name, theirs[name])
        parts = []
        if name in LONG and typed[name].strip() and words:
            parts = differences.of_lines(typed[name].splitlines(), words.splitlines())
        shown.append(
            {
                "name": name,
                "label": desk.t(LABELS[name]),
                "theirs": words,
                "parts": parts,
                "chosen": (start.chosen or {}).get(name, ""),
            }
        )
    return {
        "who": who,
        "title": desk.t("tips.beside_own" if own else "tips.beside", who=who, at=at),
        "open": shown,
        "adopted": [
            {"label": desk.t(LABELS[name]), "words": await _words(desk, name, theirs[name])}
            for name in adopted
        ],
    }


def moved_on(desk: Desk, tip: WorkTip) -> str:
    """Why a tip cannot be written any more, in words; empty while it can."""
    if tip.state is TipState.DRAFT:
        return ""
    return desk.t("tips.beside_in_review" if tip.state is TipState.IN_REVIEW else "tips.beside_released")


async def handed_back(desk: Desk, typed: Mapping[str, Any], refusal: Refusal) -> Response:
    """What was typed into a draft that is gone, to be copied away: each field as the form calls it."""
    said = [(desk.t(LABELS[name]), await _words(desk, name, typed[name])) for name in LABELS if typed[name]]
    return desk.render(
        "console/refused.html",
        status=refusal.status,
        code=refusal.status,
        heading=desk.t(f"refused.title_{refusal.status}"),
        message=refusal.words,
        typed=[(label, words.strip()) for label, words in said if words.strip()],
        back_url="/admin/tips",
    )


async def _words(desk: Desk, name: str, value: Any) -> str:
    """The value of a field as a page can say it."""
    comma = desk.t("list.comma")
    if name in tip_form.KINDS:
        return desk.t(f"tips.{name}_{value}")
    if name == "receipt_wanted":
        return desk.t("tips.receipt_yes" if value else "tips.receipt_no")
    if name == "attachments":
        return "\n".join("\n".join(filter(None, (row["title"], row["text"]))) for row in value)
    if name == "targets":
        rows = await desk.session.scalars(select(Unit.name).where(Unit.id.in_(value)).order_by(Unit.path))
        return comma.join(rows)
    if name == "entries":
        pairs = await desk.session.execute(
            select(Entry.entry_no, EntryVersion.number)
            .join(EntryVersion, EntryVersion.entry_id == Entry.id)
            .where(EntryVersion.id.in_(value))
            .order_by(Entry.entry_no)
        )
        return comma.join(f"{no} {desk.t('passport.version', n=number)}" for no, number in pairs)
    if name == "supersedes":
        old = await desk.session.get(WorkTip, int(value)) if value else None
        return f"{tip_words.number(old)} {old.title}" if old else desk.t("tips.supersedes_none")
    return str(value).replace("T", " ") if name in tip_form.MOMENTS else str(value)
