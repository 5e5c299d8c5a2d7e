"""The missed-question desk in the console: groups of questions, four keys, the replay before the first."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Depends
from fastapi.responses import Response
from sqlalchemy import select

from admin import forms, times, tried
from admin.pages import Desk, Refusal, done, signed_in
from admin.replay import Aside
from knowledge import answer as answers
from knowledge import checks, rehearsal, shelf
from knowledge.live import lexicon
from knowledge.outcomes import Candidate
from knowledge.replay import Comparison, Turn
from knowledge.versions import Audience, Entry, by_number, revision
from office import units
from office.errors import Conflict, Invalid
from office.staff import Permission
from office.units import Unit
from ticketing import missed, missed_acts, promote
from ticketing.missed import Decided, MissGroup, MissKey, MissKind, OffTopic

router = APIRouter(prefix="/missed")
Drafting = Annotated[Desk, Depends(signed_in(Permission.DRAFT_ENTRIES))]
Trying = Annotated[Desk, Depends(Aside(Permission.DRAFT_ENTRIES))]

GROUPS_A_PAGE = 20
CANDIDATES = 4
ROWS_SHOWN = 30
# Below this a candidate is a guess: it is shown, and chosen by nobody but the editor.
PROBABLE = 30
TONES = {
    MissKind.MISS: "neutral",
    MissKind.NOT_SOLVED: "danger",
    MissKind.REFUSED: "warn",
    MissKind.SIGNED: "info",
}
DONE = tuple(key.value for key in MissKey)


@router.get("")
async def show(desk: Drafting) -> Response:
    """What is on the desk, the group with most askers first."""
    return await _page(desk)


@router.post("/preview")
async def preview(desk: Trying) -> Response:
    """Key 1, first half: how the golden questions would be answered with these ways to ask. Saves nothing."""
    desk.on_refusal(_page)
    entry = await _entry(desk)
    rows = await missed.chosen(desk.session, desk.person, _numbers(desk))
    if not rows:
        raise Conflict("miss_gone") if _numbers(desk) else Invalid("miss_none_chosen")
    words = list(dict.fromkeys(row.enquiry.words.strip() for row in rows))
    content = await promote.with_phrasings(desk.session, entry, words)
    prepared = await rehearsal.imagine(desk.session, entry, content, now=desk.now)
    await desk.session.close()
    found = await rehearsal.run(prepared)
    return await _previewed(
        desk, entry, content.question, words, [row.enquiry.id for row in rows], found, prepared
    )


@router.post("/decide")
async def decide(desk: Drafting) -> Response:
    """One of the keys: the second half of 1, or 2, 3, 4."""
    desk.on_refusal(_page)
    act = desk.form.text("act")
    numbers, person, now = _numbers(desk), desk.person, desk.now
    back = forms.local(desk.form.text("back"), "/admin/missed")
    if act == MissKey.PHRASING:
        entry = await _entry(desk)
        if desk.form.number("revision") != await revision(desk.session):
            raise Conflict("check_outdated")
        await missed_acts.to_phrasing(desk.session, numbers, entry, actor=person, now=now)
        return done(f"{back}{_joint(back)}entry={entry.id}", act)
    if act == MissKey.POINTED:
        entry = await _entry(desk)
        pointed = await missed_acts.point(
            desk.session, numbers, entry, actor=person, hours=desk.hours, now=now
        )
        return done(f"{back}{_joint(back)}answered={pointed.answered}&left={pointed.left}", act)
    if act == MissKey.ENTRY:
        version = await missed_acts.to_entry(desk.session, numbers, actor=person, now=now)
        return done(f"/admin/entries/{version.entry_id}/edit", "promoted")
    if act == MissKey.OFF_TOPIC:
        if desk.form.text("off_topic") not in tuple(OffTopic):
            raise Invalid("miss_type_needed")
        why = OffTopic(desk.form.text("off_topic"))
        await missed_acts.dismiss(desk.session, numbers, why, actor=person, now=now)
        return done(back, act)
    raise Invalid("form_broken")


@router.post("/undo/{batch}")
async def undo(desk: Drafting, batch: str) -> Response:
    """Take back what one key press of today did."""
    desk.on_refusal(_page)
    await missed_acts.undo(desk.session, batch[:32], actor=desk.person, now=desk.now)
    return done("/admin/missed", "undone")


def _joint(address: str) -> str:
    return "&" if "?" in address else "?"


def _numbers(desk: Desk) -> list[int]:
    return [int(text) for text in desk.form.all("enquiries") if text.isdecimal() and len(text) < 10]


async def _entry(desk: Desk) -> Entry:
    """The entry that is named: the number typed, else the candidate chosen, within the person's reach."""
    number = (desk.form.text("other_no").strip() or desk.form.text("entry_no").strip()).upper()
    if not number:
        raise Invalid("miss_entry_needed")
    entry = await by_number(desk.session, number)
    return await shelf.seen_by(desk.session, desk.person, entry.id)


async def _page(desk: Desk, refusal: Refusal | None = None) -> Response:
    asked = desk.request.query_params
    kind = next((one for one in MissKind if one.value == asked.get("kind")), None)
    page = int(asked["page"]) if asked.get("page", "").isdecimal() and len(asked["page"]) < 7 else 1
    found = await missed.groups(desk.session, desk.person, now=desk.now, kind=kind)
    pages = max(1, -(-len(found) // GROUPS_A_PAGE))
    page = min(max(page, 1), pages)
    places = {unit.id: unit for unit in await units.all_units(desk.session)}
    shown = [
        await _group(desk, group, places)
        for group in found[(page - 1) * GROUPS_A_PAGE : page * GROUPS_A_PAGE]
    ]
    typed = refusal.typed if refusal else {}
    kept = {"kind": kind.value} if kind else {}
    what = asked.get("done", "")
    return desk.render(
        "console/missed.html",
        status=refusal.status if refusal else 200,
        here="/admin/missed" + (f"?{urlencode(kept)}" if kept else ""),
        error=refusal.words if refusal else "",
        typed=typed,
        typed_in=set(typed.get("enquiries", "").split()),
        done=what if what in (*DONE, "undone") else "",
        told={name: asked[name] for name in ("answered", "left", "entry") if asked.get(name, "").isdecimal()},
        groups=shown,
        total=sum(len(group.rows) for group in found),
        full=sum(len(group.rows) for group in found) >= missed.MOST_LOOKED_AT,
        days=missed.WINDOW.days,
        tabs=[
            {
                "href": "/admin/missed" + (f"?kind={one.value}" if one else ""),
                "label": desk.t(f"missed.kind.{one.value}") if one else desk.t("missed.all"),
                "active": one is kind,
            }
            for one in (None, *MissKind)
        ],
        page=page,
        pages=pages,
        page_base="/admin/missed?" + urlencode({**kept, "page": ""}),
        types=[
            ("", desk.t("missed.choose_type")),
            *((o.value, desk.t(f"missed.type.{o}")) for o in OffTopic),
        ],
        decided=await _decided(desk),
    )


async def _group(desk: Desk, group: MissGroup, places: Mapping[int, Unit]) -> dict[str, Any]:
    first = group.rows[0]
    outcome = await answers.find(
        desk.session, desk.services.live, first.enquiry.words,
        audience=Audience.VOTER, unit=places[first.ticket.unit_id], now=desk.now,
    )  # fmt: skip
    candidates = [one for one in outcome.candidates if one.entry_no][:CANDIDATES]
    cited = await desk.session.get(Entry, first.entry_id or 0)
    known = {one.entry_no for one in candidates} | ({cited.entry_no} if cited else set())
    titles = await checks.titles(desk.session, known)
    return {
        "id": first.enquiry.id,
        "askers": group.askers,
        "count": len(group.rows),
        "rows": [
            {
                "id": row.enquiry.id,
                "words": row.enquiry.words,
                "unit": row.unit,
                "at": times.moment(row.enquiry.at, desk.frame.language),
                "kind": desk.t(f"missed.kind.{row.kind}"),
                "tone": TONES[row.kind],
                "ticket_id": row.ticket.id,
                "no": row.ticket.ticket_no,
                "state": desk.t(f"ticket.state.{row.ticket.state}"),
            }
            for row in group.rows[:ROWS_SHOWN]
        ],
        "more": max(0, len(group.rows) - ROWS_SHOWN),
        "likely": [_likely(desk, first.enquiry.words, one, titles) for one in candidates],
        "probable": bool(candidates) and candidates[0].probability * 100 >= PROBABLE,
        "cited": {"no": cited.entry_no, "title": titles.get(cited.entry_no, "")}
        if cited and cited.entry_no not in {one.entry_no for one in candidates}
        else None,
    }


def _likely(desk: Desk, words: str, found: Candidate, titles: Mapping[str, str]) -> dict[str, Any]:
    known = lexicon()
    replaced, opposed = tried.said_and_meant(words, known), tried.opposing(words, found.phrasing, known)
    return {
        "no": found.entry_no,
        "title": titles.get(found.entry_no, ""),
        "percent": round(found.probability * 100),
        "phrasing": found.phrasing,
        "reasons": tried.reasons(desk, found.reasons, replaced, opposed),
    }


async def _decided(desk: Desk) -> list[dict[str, Any]]:
    rows = await missed.decided_today(desk.session, desk.person, now=desk.now)
    wanted = {row.entry_id for row in rows if row.entry_id}
    numbers = dict(
        (await desk.session.execute(select(Entry.id, Entry.entry_no).where(Entry.id.in_(wanted)))).all()
    )
    return [_press(desk, row, numbers) for row in rows]


def _press(desk: Desk, row: Decided, numbers: Mapping[int, str]) -> dict[str, Any]:
    entry_no = numbers.get(row.entry_id or 0, "")
    return {
        "batch": row.batch,
        "what": desk.t(f"missed.key.{row.key}"),
        "why": desk.t(f"missed.type.{row.off_topic}") if row.off_topic else entry_no,
        "entry_id": row.entry_id if row.key in (MissKey.PHRASING, MissKey.ENTRY) else None,
        "words": row.words,
        "count": row.count,
        "at": times.clock(row.at),
    }


async def _previewed(
    desk: Desk,
    entry: Entry,
    question: str,
    words: list[str],
    numbers: list[int],
    found: Comparison,
    prepared: rehearsal.Rehearsal,
) -> Response:
    changes = found.shown()
    shown = {no for change in changes for side in ("before", "after") for no in change[side]["entries"]}
    async with desk.services.store.reading() as session:
        titles = await checks.titles(session, shown)
    return desk.render(
        "console/missed_preview.html",
        here="/admin/missed",
        entry={"id": entry.id, "no": entry.entry_no, "question": question},
        words=words,
        numbers=numbers,
        revision=prepared.base_revision,
        back=forms.local(desk.form.text("back"), "/admin/missed"),
        asked=found.after.asked,
        passed=found.passed,
        turns=[
            {
                "label": desk.t(f"check.{turn.value}", n=found.turned(turn, sealed=False)),
                "sealed": found.turned(turn, sealed=True),
                "rows": [_change(desk, change, titles) for change in changes if change["turn"] == turn.value],
            }
            for turn in Turn
            if found.turned(turn, sealed=False) + found.turned(turn, sealed=True)
        ],
    )


def _change(desk: Desk, change: Mapping[str, Any], titles: Mapping[str, str]) -> dict[str, Any]:
    def said(side: Mapping[str, Any]) -> dict[str, Any]:
        return {
            "how": desk.t(f"check.{side['outcome']}"),
            "entries": [{"no": number, "title": titles.get(number, "")} for number in side["entries"]],
        }

    return {"q": change["q"], "before": said(change["before"]), "after": said(change["after"])}
