"""Writing a work tip: begun from what it came from, edited by one person at a time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, fields, replace
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncSession

from knowledge import tip_bonds, tip_links, tip_words
from knowledge.tips import (
    LONGEST_LINE,
    LONGEST_PART,
    LONGEST_TITLE,
    NUMBERED,
    Tip,
    TipState,
    TipType,
    WorkTip,
)
from office import audit, redact, units
from office.errors import Conflict, Invalid
from office.hours import beijing_day
from office.staff import Permission, Staff, must, reach
from office.units import Unit, contains
from office.words import CHINESE, say

TITLE: Final = ("title",)
LINES: Final = ("addressed_to", "scope", "copied_to")
DAYS: Final = ("effective_from", "effective_until", "receipt_due", "send_at")
PARTS: Final = ("origin", "wording", "steps", "contact_lines", "basis")
LONGEST_DOCUMENT_NO: Final = 40
LONGEST_MEETING: Final = 120
MOST_ATTACHMENTS: Final = 20
MOST_PRINTED: Final = 100_000
# Kept apart from the columns of the same name, or not a column.
_APART: Final = frozenset({"targets", "entries", "meeting"})


async def draft(
    session: AsyncSession,
    tip: Tip,
    *,
    unit: Unit,
    sources: Mapping[str, Any],
    actor: Staff,
    now: datetime,
) -> WorkTip:
    """Begin a tip of `unit`; raises `NotPermitted` outside the actor's reach, else as `edit` does."""
    await must(session, actor, Permission.DRAFT_ENTRIES, unit.path)
    values = await _checked(session, tip, actor)
    made = WorkTip(
        unit_id=unit.id, sources=await _sources(session, sources, tip), drafter_id=actor.id,
        editor_id=actor.id, created_at=now, changed_at=now, **values,
    )  # fmt: skip
    session.add(made)
    await session.flush()
    await _hang_on(session, made, tip, actor)
    await audit.record(session, "work_tip.draft", f"work_tip:{made.id}", actor=actor.as_actor(), now=now)
    return made


async def from_meeting(
    session: AsyncSession, name: str, day: date | None, *, unit: Unit, actor: Staff, now: datetime
) -> WorkTip:
    """Begin a tip from what a meeting decided.

    Raises `Invalid` with `tip_meeting_needed` without its name, `tip_long_meeting`, and `tip_meeting_day` for
    a day that has not come in Beijing: nothing has been decided yet.
    """
    called = " ".join(redact.text(name).text.split())
    if not called:
        raise Invalid("tip_meeting_needed")
    if len(called) > LONGEST_MEETING:
        raise Invalid("tip_long_meeting", most=LONGEST_MEETING, n=len(called))
    if day is not None and day > beijing_day(now):
        raise Invalid("tip_meeting_day")
    held = say("tip.day", CHINESE, year=day.year, month=day.month, day=day.day) if day else ""
    meeting = f"{held}{called}"
    tip = Tip(
        title=say("tip.title_meeting", CHINESE, meeting=called),
        origin=say("tip.origin_meeting", CHINESE, meeting=meeting),
        contact_lines=await contact(session),
        meeting=meeting,
    )
    return await draft(session, tip, unit=unit, sources={}, actor=actor, now=now)


async def blank(session: AsyncSession, *, unit: Unit, actor: Staff, now: datetime) -> WorkTip:
    """Begin an empty tip: a title to fill in, and whom to call."""
    tip = Tip(title=say("tip.title_blank", CHINESE), contact_lines=await contact(session))
    return await draft(session, tip, unit=unit, sources={}, actor=actor, now=now)


async def correction(session: AsyncSession, old: WorkTip, *, actor: Staff, now: datetime) -> WorkTip:
    """Begin the tip that will take the place of a released one, with all that it says, to be put right.

    Days that are over are left out, and its 发文字号, which is given once. Entry versions that it has not
    brought into force go with the correction. Raises `Conflict("tip_not_standing")` for a tip that has been
    superseded or withdrawn.
    """
    if old.state is not TipState.RELEASED:
        raise Conflict("tip_not_standing")
    unit = await units.get(session, old.unit_id)
    before = await written(session, old)
    within = await reach(session, actor)
    still_open = []
    for _, version, _ in await tip_links.linked(session, old):
        scope = await units.get(session, version.scope_unit_id)
        if version.state in tip_links.OPEN and contains(within, scope.path):
            still_open.append(version.id)
    days = {name: getattr(before, name) for name in DAYS}
    coming: dict[str, Any] = {
        name: day if day is not None and day > now else None for name, day in days.items()
    }
    tip = replace(
        before,
        type=TipType.CORRECTION,
        supersedes_id=old.id,
        document_no="",
        entries=tuple(still_open),
        meeting=None,
        **coming,
    )
    return await draft(session, tip, unit=unit, sources=dict(old.sources), actor=actor, now=now)


async def edit(
    session: AsyncSession, made: WorkTip, tip: Tip, *, seen: int, actor: Staff, now: datetime
) -> None:
    """Replace what a draft says; `seen` is the version count the editor's page was made from.

    Raises `Conflict("stale_card")` if somebody else saved it meanwhile or it is no draft any more, `Invalid`
    with `tip_title_needed`, `tip_long_…` with the name of the field (`most` characters, not `n`),
    `tip_print_run`, `tip_attachments`, `tip_attachment_title`, `tip_supersedes`, and what `tip_bonds` and
    `tip_links` raise.
    """
    unit = await session.get_one(Unit, made.unit_id)
    await must(session, actor, Permission.DRAFT_ENTRIES, unit.path)
    values = await _checked(session, tip, actor, made.id)
    await session.refresh(made, with_for_update=True)
    if made.state is not TipState.DRAFT or made.version != seen:
        raise Conflict("stale_card")
    for name, value in values.items():
        setattr(made, name, value)
    made.sources = await _sources(session, made.sources, tip)
    made.changed_at, made.editor_id = now, actor.id
    await session.flush()
    await _hang_on(session, made, tip, actor)
    await audit.record(session, "work_tip.edit", f"work_tip:{made.id}", actor=actor.as_actor(), now=now)


async def written(session: AsyncSession, made: WorkTip) -> Tip:
    """A tip as its drafter would write it again."""
    own = {field.name: getattr(made, field.name) for field in fields(Tip) if field.name not in _APART}
    return Tip(
        **(own | {"attachments": tuple(made.attachments)}),
        targets=tuple(unit.id for unit in await tip_links.targets(session, made)),
        entries=tuple(version.id for _, version, _ in await tip_links.linked(session, made)),
        meeting=str(made.sources.get("meeting", "")),
    )


async def contact(session: AsyncSession) -> str:
    """四、时限与联系人 as it begins: the election office and how to reach it."""
    office = await units.election_office(session)
    return say(
        "tip.contact", CHINESE,
        office=office.office_name, phone=office.phone, hours=office.hours_text, address=office.address,
    )  # fmt: skip


async def _hang_on(session: AsyncSession, made: WorkTip, tip: Tip, actor: Staff) -> None:
    if tip.targets is not None:
        await tip_links.set_targets(session, made, tip.targets, actor=actor)
    if tip.entries is not None:
        await tip_bonds.demand_free(session, tip)
        await tip_links.link(session, made, tip.entries, actor=actor)


async def _checked(session: AsyncSession, tip: Tip, actor: Staff, own_id: int = 0) -> dict[str, Any]:
    """The columns as they are kept: trimmed, without personal numbers; those the office publishes stay."""
    published = await units.published_numbers(session)

    def clean(text: str) -> str:
        return redact.text(text.strip(), published=published).text

    values = {name: value for name, value in asdict(tip).items() if name not in _APART}
    for name in (*TITLE, *LINES, *PARTS, "document_no"):
        values[name] = clean(values[name])
    for name in (*TITLE, *LINES):
        values[name] = " ".join(values[name].split())
    values["document_no"] = tip_words.official_no(values["document_no"])
    if not values["title"]:
        raise Invalid("tip_title_needed")
    for names, most in (
        (TITLE, LONGEST_TITLE), (LINES, LONGEST_LINE), (PARTS, LONGEST_PART),
        (("document_no",), LONGEST_DOCUMENT_NO),
    ):  # fmt: skip
        for name in names:
            if len(values[name]) > most:
                raise Invalid(f"tip_long_{name}", most=most, n=len(values[name]))
    if not 0 <= tip.print_run <= MOST_PRINTED:
        raise Invalid("tip_print_run", most=MOST_PRINTED)
    values["attachments"] = [
        {"title": " ".join(clean(row.get("title", "")).split()), "text": clean(row.get("text", ""))}
        for row in tip.attachments
    ]
    _fits(values["attachments"])
    if tip.supersedes_id is not None:
        await _supersedable(session, tip.supersedes_id, actor, own_id)
    return values


def _fits(attachments: list[dict[str, str]]) -> None:
    if len(attachments) > MOST_ATTACHMENTS:
        raise Invalid("tip_attachments", most=MOST_ATTACHMENTS)
    if any(not row["title"] for row in attachments):
        raise Invalid("tip_attachment_title")
    for name, most in (("title", LONGEST_TITLE), ("text", LONGEST_PART)):
        for number, row in enumerate(attachments, 1):
            if len(row[name]) > most:
                raise Invalid(f"tip_long_attached_{name}", most=most, n=len(row[name]), number=number)


async def _supersedable(session: AsyncSession, tip_id: int, actor: Staff, own_id: int) -> None:
    """Only a tip that was released can be superseded; whether it still stands is asked when it matters."""
    old = await session.get(WorkTip, tip_id)
    if old is None or old.id == own_id or old.state not in NUMBERED:
        raise Invalid("tip_supersedes")
    unit = await units.get(session, old.unit_id)
    await must(session, actor, Permission.DRAFT_ENTRIES, unit.path)


async def _sources(session: AsyncSession, before: Mapping[str, Any], tip: Tip) -> dict[str, Any]:
    if tip.meeting is None:
        return dict(before)
    published = await units.published_numbers(session)
    meeting = " ".join(redact.text(tip.meeting, published=published).text.split())
    if len(meeting) > LONGEST_LINE:
        raise Invalid("tip_long_meeting", most=LONGEST_LINE, n=len(meeting))
    rest = {name: value for name, value in before.items() if name != "meeting"}
    return rest | ({"meeting": meeting} if meeting else {})
