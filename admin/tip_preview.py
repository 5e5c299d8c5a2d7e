"""The four outputs of a work tip as the console shows them: message, paper, page, changes of entries."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, time
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Depends
from fastapi.responses import Response
from sqlalchemy import select

from admin import differences, times
from admin.entries import TONES as ENTRY_TONES
from admin.entries import choice_words
from admin.pages import Desk, Number, signed_in
from knowledge import calendar, checks, tip_links, tip_receipts, tip_shelf, tip_words, tips
from knowledge.tips import TipEntry, TipHead, TipSecrecy, WorkTip
from knowledge.versions import Entry, EntryState, EntryVersion, content_of
from office import units
from office.hours import BEIJING, beijing_day
from office.staff import Permission
from office.words import CHINESE, say
from ticketing import tip_paper, tip_paper_facts, tip_paper_form, tip_release

router = APIRouter(prefix="/tips")
Reading = Annotated[Desk, Depends(signed_in(Permission.SEE_ENTRIES))]
# As many characters of each as a card takes.
TITLE, BULLET, BASIS = 200, 80, 100
PARTS = ("origin", "wording", "steps", "contact_lines")
NUMERALS = "一二三四五六七八九十"
DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
Links = Sequence[tuple[TipEntry, EntryVersion, Entry]]


@router.get("/{tip_id}/paper.docx")
async def paper_file(desk: Reading, tip_id: Number) -> Response:
    """The tip on paper, in the official layout; marked on every page until it is released."""
    tip = await tips.get(desk.session, desk.person, tip_id)
    made = tip_paper.paper(await tip_paper_facts.facts(desk.session, tip, now=desk.now))
    name = f"{tip_words.number(tip) or desk.t('tips.file_draft')} {tip.title}"[:80].replace("/", "／")
    disposition = f"attachment; filename=\"tip-{tip.id}.docx\"; filename*=UTF-8''{quote(name, safe='')}.docx"
    return Response(
        made, media_type=DOCX,
        headers={"Content-Disposition": disposition, "Cache-Control": "no-store"},
    )  # fmt: skip


async def outputs(desk: Desk, tip: WorkTip, links: Links) -> dict[str, Any]:
    """What the templates need to show the four outputs side by side; they are Chinese whoever looks."""
    return {
        "message": await message(desk, tip),
        "paper": await paper(desk, tip),
        "web": await web(desk, tip),
        "changes": [await _change(desk, version, entry) for _, version, entry in links],
        "changes_note": _when_changed(desk, tip),
    }


async def message(desk: Desk, tip: WorkTip) -> dict[str, Any]:
    """The card as the groups of a Telegram bot get it at the release, word for word; a test holds it to that.

    The edge that sends it may not be asked from here; both say it with the same words of the catalogue.
    """
    addressed = len(await tip_links.targets(desk.session, tip))
    read, owing = await tip_receipts.counts(desk.session, tip) if tip.released_at else (0, addressed)
    number = tip_words.number(tip) or desk.t("tips.number_to_come", year=beijing_day(desk.now).year)
    kind = say(f"tipchat.type.{tip.type}", CHINESE)
    lines = [say("tipchat.head", CHINESE, number=number, type=kind), _clipped(tip.title, TITLE)]
    lines += [f"• {_clipped(bullet, BULLET)}" for bullet in tip_words.bullets(tip)]
    if tip.basis:
        lines.append(say("tipchat.basis", CHINESE, basis=_clipped(tip.basis, BASIS)))
    spans = [
        say(f"tipchat.{name}", CHINESE, day=_moment(at))
        for name, at in (("from", tip.effective_from), ("until", tip.effective_until))
        if at is not None
    ]
    lines += [" · ".join(spans)] if spans else []
    if tip.receipt_wanted:
        counter = say("tipchat.counter", CHINESE, read=read, addressed=owing)
        due = say("tipchat.due", CHINESE, due=_moment(receipt_due(desk, tip)))
        lines.append(f"{counter} · {due}")
    keys = ("text", "read", "ask") if tip.receipt_wanted else ("text", "ask")
    return {
        "head": lines[0], "title": lines[1], "rest": "\n".join(lines[2:]),
        "buttons": [say(f"tipchat.button.{key}", CHINESE) for key in keys],
    }  # fmt: skip


def receipt_due(desk: Desk, tip: WorkTip) -> datetime:
    """Until when receipts are owed: as it is said, else as a release now would set it."""
    if tip.receipt_due is not None:
        return tip.receipt_due
    due = max(tip.send_at or desk.now, desk.now) + tip_release.RECEIPT_WITHIN
    return desk.hours.next_open(due) or due


def _moment(at: datetime) -> str:
    local = at.astimezone(BEIJING)
    return calendar.spoken(local.date()) if local.time() == time(0) else times.moment(at, CHINESE)


def _clipped(words: str, most: int) -> str:
    plain = " ".join(words.split())
    return plain if len(plain) <= most else plain[: most - 1] + "…"


async def paper(desk: Desk, tip: WorkTip) -> dict[str, Any]:
    """The printed tip as a page can show it: its head, its parts, what stands at its foot."""
    said, form = await tip_paper_facts.facts(desk.session, tip, now=desk.now), tip_paper_form.form()
    red = said.head is TipHead.RED
    head = form.red if red else form.plain
    dated = tip_paper_facts.arabic(said.dated) if said.dated else ""
    printed = (
        say("tip_paper.printed", CHINESE, day=tip_paper_facts.arabic(said.printed)) if said.printed else ""
    )
    imprint = [(say("tip_paper.copied", CHINESE) + said.copied_to, "")] if said.copied_to else []
    copies = say("tip_paper.print_run", CHINESE, n=said.print_run) if said.print_run else ""
    titled = [row.title for row in said.attachments]
    return {
        "red": red,
        "name": head.mark.format(office=said.office),
        "number": said.number or say("tip_paper.number_blank", CHINESE),
        "document_no": said.document_no,
        "office": said.office,
        "dated": dated or say("tip_paper.date_blank", CHINESE),
        "mark": said.mark,
        "chain": say("tip_paper.chain", CHINESE, text=said.chain) if said.chain else "",
        "addressed_to": say("tip_paper.address", CHINESE, text=said.addressed_to)
        if said.addressed_to
        else "",
        "parts": [(f"{NUMERALS[n]}、{part.title}", part.lines) for n, part in enumerate(said.parts)],
        "attachments": [f"{n}.{title}" for n, title in enumerate(titled, 1)] if len(titled) > 1 else titled,
        "note": say("tip_paper.note", CHINESE, text=said.note) if said.note else "",
        "imprint": [*imprint, (said.office, printed), *([("", copies)] if copies else [])],
    }


async def web(desk: Desk, tip: WorkTip) -> dict[str, Any]:
    """The tip's own page as a reader meets it, word for word; a test holds it to that as well."""

    def said(key: str, **facts: Any) -> str:
        return say(f"tippage.{key}", CHINESE, **facts)

    public = tip.secrecy is TipSecrecy.PUBLIC
    standing = await tip_shelf.standing(desk.session, tip, now=desk.now)
    successor = tip_words.short_number(standing.successor) if standing.successor else ""
    owner = await units.get(desk.session, tip.unit_id)
    year = beijing_day(desk.now).year
    number = tip_words.number(tip) or desk.t("tips.number_to_come", year=year)
    spans = [
        said(key, at=times.moment(at, CHINESE))
        for key, at in (("from", tip.effective_from), ("until", tip.effective_until))
        if at is not None
    ]
    passport = (
        ("number", number), ("date", tip.dated.isoformat() if tip.dated else ""),
        ("issuer", owner.office_name or owner.name), ("basis", tip.basis.strip()),
        ("scope", tip.scope.strip()), ("effective", " ".join(spans)),
    )  # fmt: skip
    return {
        "href": f"/tips/{tip.year}/{tip.issue_no}" if public and tips.shown(tip, desk.now) else "",
        "note": desk.t("tips.web_public" if public else "tips.web_internal"),
        "mark": said(standing.state, no=successor) if standing.state else "",
        "mark_text": said(f"{standing.state}_text") if standing.state else "",
        "head": said("head", number=number, type=say(f"tipchat.type.{tip.type}", CHINESE)),
        "internal": "" if public else said("internal"),
        "addressed_to": say("tipchat.addressed_to", CHINESE, to=tip.addressed_to) if tip.addressed_to else "",
        "parts": [
            (say(f"tipchat.part.{part}", CHINESE), _lines(getattr(tip, part)))
            for part in PARTS
            if getattr(tip, part).strip()
        ],
        "attachments": [
            (
                say("tipchat.attachment", CHINESE, number=n, title=row.get("title", "")),
                _lines(row.get("text", "")),
            )
            for n, row in enumerate(tip.attachments, 1)
        ],
        "passport": [(said(key), words) for key, words in passport if words],
    }


def _lines(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.strip()]


async def _change(desk: Desk, version: EntryVersion, entry: Entry) -> dict[str, Any]:
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
        "tone": ENTRY_TONES[version.state],
        "first": before is None,
        "differences": found,
        "check": await check_words(desk, version),
    }


async def check_words(desk: Desk, version: EntryVersion) -> str:
    """What the check before a publication says of a version in review; empty for any other."""
    if version.state is not EntryState.IN_REVIEW:
        return ""
    found = await checks.latest(desk.session, version)
    if found is None or not await checks.holds(desk.session, found, version):
        return desk.t("tips.check_needed")
    return desk.t("tips.check_open" if found.state in checks.OPENING else "tips.check_blocked")


def _when_changed(desk: Desk, tip: WorkTip) -> str:
    if tip.in_effect_at is not None:
        at = times.moment(tip.in_effect_at, desk.frame.language)
        return desk.t("tips.changes_since", at=at)
    if tip.effective_from is not None and tip.effective_from > desk.now:
        return desk.t("tips.changes_at", at=times.moment(tip.effective_from, desk.frame.language))
    return desk.t("tips.changes_with")
