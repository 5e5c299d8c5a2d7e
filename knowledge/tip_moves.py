"""The steps of a work tip up to its release: handed in, looked over, sent back."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Final

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from knowledge import lint, tip_bonds, tip_corrections, tip_links
from knowledge.lint import Problem
from knowledge.tips import NUMBERED, TIP_MOVES, TipEntry, TipHead, TipState, TipType, WorkTip
from knowledge.versions import EntryState, EntryVersion
from office import audit, notices, redact, units
from office.errors import Conflict, Invalid, NotPermitted
from office.hours import beijing_day
from office.staff import Permission, Staff, may, must, second_person
from office.units import Unit, contains
from office.words import CHINESE, say

LONGEST_NOTE = 1000
# GB/T 9704-2012, 7.2.5: 发文机关代字, the year in 六角括号, a number without 第 or leading zero, 号.
_OFFICIAL_NO: Final = re.compile(r"[^<>\s〔〕]{1,30}〔[0-9]{4}〕[1-9][0-9]{0,4}号")
# In a tip days are written out: it is dated, and its days are its content. Nothing fills in variables.
_FOUND = frozenset({"lint_wrong_claim", "lint_variable"})


async def problems(session: AsyncSession, tip: WorkTip, *, now: datetime) -> list[Problem]:
    """What stands between a draft and its release, in the order of its fields."""
    addressed = await tip_links.targets(session, tip)
    linked = await tip_links.linked(session, tip)
    old = await session.get(WorkTip, tip.supersedes_id) if tip.supersedes_id else None
    begins, sent = tip.effective_from, tip.send_at
    before_sent = begins is not None and sent is not None and begins < sent and now < sent
    needed = (
        ("tip_needs_wording", not tip.wording.strip()),
        ("tip_needs_addressed_to", not tip.addressed_to.strip()),
        ("tip_needs_targets", not addressed),
        ("tip_needs_basis", tip.type is TipType.WORDING and not tip.basis.strip()),
        ("tip_to_fill", "……" in tip.title or any(say("tip.to_fill", CHINESE) in text for text in texts(tip))),
        ("tip_needs_supersedes", tip.type is TipType.CORRECTION and old is None),
        ("tip_not_standing", old is not None and old.state is not TipState.RELEASED),
        ("tip_corrects_nothing", tip_corrections.corrects_nothing(tip, old)),
        ("tip_needs_document_no", tip.head is TipHead.RED and not tip.document_no.strip()),
        ("tip_document_no_form", bool(tip.document_no) and not _OFFICIAL_NO.fullmatch(tip.document_no)),
        ("tip_document_no_taken", await _document_no_taken(session, tip)),
        ("tip_effect_early", bool(linked) and before_sent),
        ("tip_entries_unready", any(version.state is not EntryState.IN_REVIEW for _, version, _ in linked)),
        (
            "tip_entries_changed",
            tip.state is not TipState.DRAFT and any(_changed(one, version) for one, version, _ in linked),
        ),
    )
    found = [Problem(key) for key, wrong in needed if wrong]
    # Announced below the text, and nobody gets anything: 附件说明 names what follows (GB/T 9704-2012, 7.3.4).
    found += [
        Problem("tip_attachment_empty", facts={"number": number, "title": row["title"]})
        for number, row in enumerate(tip.attachments, 1)
        if not row["text"].strip()
    ]
    found += await tip_bonds.problems(session, tip, [version.id for _, version, _ in linked])
    found += _days(tip, now)
    return found + misworded(tip)


def misworded(tip: WorkTip) -> list[Problem]:
    """Claims known to be wrong and variables that nothing fills in."""
    return [one for one in lint.in_texts(texts(tip), variables=()) if one.key in _FOUND]


def texts(tip: WorkTip) -> tuple[str, ...]:
    """Everything in a tip that is read by others."""
    own = (
        tip.title, tip.addressed_to, tip.origin, tip.wording, tip.steps, tip.contact_lines, tip.basis,
        tip.scope, tip.copied_to,
    )  # fmt: skip
    return (*own, *(text for row in tip.attachments for text in (row["title"], row["text"])))


async def submit(session: AsyncSession, tip: WorkTip, *, seen: int, actor: Staff, now: datetime) -> None:
    """Hand a draft in (送审), with the wording of the entry versions as they are now.

    Raises `Invalid("tip_unready")` with the keys of its `problems`.
    """
    await locked(session, tip, TipState.DRAFT, seen, Permission.DRAFT_ENTRIES, actor)
    await demand(session, tip, now=now)
    for link, version, _ in await tip_links.linked(session, tip):
        link.seen = version.version
    tip.submitted_at, tip.review_note = now, ""
    await audit.move(session, tip, TipState.IN_REVIEW, by="submit", table=TIP_MOVES,
                     actor=actor.as_actor(), now=now)  # fmt: skip
    for person in await signers(session, tip, now=now):
        if person.id != actor.id:
            await notices.tell(
                session, person.id, "tip_submitted", {"who": actor.masked_name}, inside={"title": tip.title},
                key=f"tip_submitted:{tip.id}:{tip.version}", subject=f"work_tip:{tip.id}", now=now,
            )  # fmt: skip


async def demand(session: AsyncSession, tip: WorkTip, *, now: datetime) -> None:
    """Raise `Invalid("tip_unready")` with the keys of what blocks, if anything does."""
    blocking = [problem.key for problem in await problems(session, tip, now=now) if problem.blocks]
    if blocking:
        raise Invalid("tip_unready", problems=blocking)


async def look_over(session: AsyncSession, tip: WorkTip, *, seen: int, actor: Staff, now: datetime) -> None:
    """Note who has gone over the text (核稿) before it is signed: neither its drafter nor who wrote it last.

    A tip can be released without; then this place stays empty on paper.
    """
    await locked(session, tip, TipState.IN_REVIEW, seen, Permission.DRAFT_ENTRIES, actor)
    await another(session, tip, actor, now=now)
    tip.checker_id = actor.id
    await session.flush()
    await audit.record(session, "work_tip.look_over", f"work_tip:{tip.id}", actor=actor.as_actor(), now=now)


async def send_back(
    session: AsyncSession, tip: WorkTip, note: str, *, seen: int, actor: Staff, now: datetime
) -> None:
    """Return a tip to its drafter with a remark; raises `Invalid("reason_needed")` without one."""
    await locked(session, tip, TipState.IN_REVIEW, seen, Permission.PUBLISH_ENTRIES, actor)
    remark = redact.text(note.strip()[:LONGEST_NOTE]).text
    if not remark:
        raise Invalid("reason_needed")
    tip.review_note, tip.checker_id = remark, None
    await audit.move(session, tip, TipState.DRAFT, by="send_back", table=TIP_MOVES,
                     actor=actor.as_actor(), now=now)  # fmt: skip
    # What a draft gets wrong is nobody's outside the console.
    await notices.tell(
        session, tip.drafter_id, "tip_returned", {"who": actor.masked_name},
        inside={"title": tip.title, "why": remark},
        key=f"tip_returned:{tip.id}:{tip.version}", subject=f"work_tip:{tip.id}", now=now,
    )  # fmt: skip


async def take_back(session: AsyncSession, tip: WorkTip, *, seen: int, actor: Staff, now: datetime) -> None:
    """The drafter's side takes a tip back out of review, to go on writing."""
    await locked(session, tip, TipState.IN_REVIEW, seen, Permission.DRAFT_ENTRIES, actor)
    tip.checker_id = None
    await audit.move(session, tip, TipState.DRAFT, by="take_back", table=TIP_MOVES,
                     actor=actor.as_actor(), now=now)  # fmt: skip


async def signers(session: AsyncSession, tip: WorkTip, *, now: datetime) -> list[Staff]:
    """Who may release this tip: for its unit and for every unit it is addressed to, and wrote none of it."""
    places = [await units.get(session, tip.unit_id), *await tip_links.targets(session, tip)]
    found = []
    rows = await session.execute(select(Staff, Unit).join(Unit, Unit.id == Staff.unit_id).order_by(Staff.id))
    for person, home in rows.all():
        if not may(person, Permission.PUBLISH_ENTRIES):
            continue
        if not all(contains(home.path, place.path) for place in places):
            continue
        try:
            await another(session, tip, person, now=now)
        except NotPermitted:
            continue
        found.append(person)
    return found


async def another(session: AsyncSession, tip: WorkTip, actor: Staff, *, now: datetime) -> None:
    """Raise `NotPermitted` unless `actor` is a second person to the drafter and to who wrote it last."""
    for author_id in {tip.drafter_id, tip.editor_id}:
        await second_person(session, actor, author_id, now=now)


async def locked(
    session: AsyncSession, tip: WorkTip, state: TipState, seen: int, permission: Permission, actor: Staff
) -> None:
    """Lock a tip for an act of `actor` on the page that was made from the version count `seen`.

    Raises `NotPermitted` without the permission or outside their reach, `Conflict("stale_card")`.
    """
    unit = await units.get(session, tip.unit_id)
    await must(session, actor, permission, unit.path)
    await session.refresh(tip, with_for_update=True)
    if tip.state is not state or tip.version != seen:
        raise Conflict("stale_card")


def _changed(link: TipEntry, version: EntryVersion) -> bool:
    """Whether a version was written anew since the tip was handed in: nobody has read the two together."""
    return link.seen != version.version


async def _document_no_taken(session: AsyncSession, tip: WorkTip) -> bool:
    """Whether a tip that has its number bears this 发文字号 already."""
    same = (WorkTip.document_no == tip.document_no, WorkTip.state.in_(NUMBERED), WorkTip.id != tip.id)
    return bool(tip.document_no and await session.scalar(select(WorkTip.id).where(*same).limit(1)))


def _days(tip: WorkTip, now: datetime) -> list[Problem]:
    begins, ends, due, sent = tip.effective_from, tip.effective_until, tip.receipt_due, tip.send_at
    goes_out = max(sent, now) if sent else now
    today = beijing_day(now)
    wrong = (
        # A day that is over was mistyped: what holds or goes out at once has no day at all.
        ("tip_days_past", any(day is not None and beijing_day(day) < today for day in (begins, sent))),
        ("tip_days_reversed", begins is not None and ends is not None and ends <= begins),
        ("tip_days_over", ends is not None and ends <= goes_out),
        ("tip_due_early", tip.receipt_wanted and due is not None and due <= goes_out),
    )
    return [Problem(key) for key, found in wrong if found]
