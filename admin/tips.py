"""Work tips in the console: the archive with the drafts, and the page of one tip."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Depends
from fastapi.responses import Response
from sqlalchemy import select

from admin import forms, times, tip_can, tip_preview, tip_progress, tip_sending
from admin.pages import Desk, Number, Refusal, done, signed_in
from knowledge import tip_links, tip_shelf, tip_words, tips
from knowledge.tips import LONGEST_LINE, TipState, TipType, WorkTip
from office import staff, units
from office.hours import beijing_day
from office.staff import Permission
from office.units import Unit, contains
from ticketing import queue, tip_begun
from ticketing.cluster_records import Cluster
from ticketing.records import Ticket

router = APIRouter(prefix="/tips")
Reading = Annotated[Desk, Depends(signed_in(Permission.SEE_ENTRIES))]
Drafting = Annotated[Desk, Depends(signed_in(Permission.DRAFT_ENTRIES))]
# Nothing was done: what was asked for is there already, until it is released.
OPEN = ("correction_open", "ticket_open")
DONE = (
    "saved",
    "unready",
    "looked_over",
    "begun",
    "submitted",
    "returned",
    "taken_back",
    "released",
    "withdrawn",
    "correcting",
    *OPEN,
    "in_effect",
)
T = TipState
TONES = {
    T.DRAFT: "neutral",
    T.IN_REVIEW: "info",
    T.RELEASED: "good",
    T.SUPERSEDED: "warn",
    T.WITHDRAWN: "danger",
}
FIRST_YEAR = 2026
MARKED = {"expired": "warn", "later": "info"}


@router.get("")
async def show(desk: Reading) -> Response:
    """The tips one may see, by words, year, state and type; the last changed first."""
    asked = desk.request.query_params
    page = int(asked["page"]) if asked.get("page", "").isdecimal() and len(asked["page"]) < 7 else 1
    search = forms.clean(asked.get("q", "")).strip()[:100]
    year = asked.get("year", "") if asked.get("year", "").isdecimal() and len(asked["year"]) == 4 else ""
    state = asked.get("state", "") if asked.get("state") in tuple(TipState) else ""
    kind = asked.get("type", "") if asked.get("type") in tuple(TipType) else ""
    rows, total = await tips.listed(
        desk.session, desk.person, search=search, year=int(year) if year else None,
        state=TipState(state) if state else None, type=TipType(kind) if kind else None, page=page,
    )  # fmt: skip
    people = {number for row in rows for number in (row.drafter_id, row.releaser_id) if number}
    names = await staff.names(desk.session, people)
    kept = {"q": search, "year": year, "state": state, "type": kind}
    sees_drafts = desk.may(Permission.SEE_TICKETS)
    return desk.render(
        "console/tips.html",
        deleted=asked.get("done") == "deleted",
        rows=[_row(desk, row, names) for row in rows],
        total=total,
        page=page,
        pages=max(1, -(-total // tips.PAGE)),
        page_base=f"/admin/tips?{urlencode({k: v for k, v in kept.items() if v} | {'page': ''})}",
        search=search,
        year=year,
        years=[("", desk.t("tips.all_years")), *_years(desk)],
        state=state,
        states=[
            ("", desk.t("tips.all_states")),
            *((s.value, desk.t(f"tips.state_{s}")) for s in TipState if sees_drafts or s in tips.NUMBERED),
        ],
        type=kind,
        types=[("", desk.t("tips.all_types")), *((k.value, desk.t(f"tips.type_{k}")) for k in TipType)],
        filtered=any(kept.values()),
        sees_drafts=sees_drafts,
        may_draft=desk.may(Permission.DRAFT_ENTRIES),
    )


@router.post("/from-ticket/{ticket_id}")
async def begin(desk: Drafting, ticket_id: Number) -> Response:
    """Begin a tip from an answered ticket, or go on to the draft that is there, with a way to another."""
    ticket, _ = await queue.seen_by(desk.session, desk.person, ticket_id)
    another = desk.form.text("another") == "1"
    made, new = await tip_begun.begin(desk.session, ticket, actor=desk.person, now=desk.now, another=another)
    if new:
        return done(f"/admin/tips/{made.id}/edit", "begun")
    return done(f"/admin/tips/{made.id}?ticket={ticket.id}", "ticket_open")


@router.get("/{tip_id}")
async def show_tip(desk: Reading, tip_id: Number) -> Response:
    """One tip: where it stands, what is next, and its four outputs beside each other."""
    return await page(desk, tip_id)


async def page(desk: Desk, tip_id: int, refusal: Refusal | None = None) -> Response:
    """The page of a tip, also after a refused act."""
    tip = await tips.get(desk.session, desk.person, tip_id)
    asked = desk.request.query_params.get("done", "")
    if asked in OPEN and tip.state not in tips.UNRELEASED:
        asked = ""
    can = await tip_can.can(desk, tip)
    links = await tip_links.linked(desk.session, tip)
    return desk.render(
        "console/tip.html",
        status=refusal.status if refusal else 200,
        here=f"/admin/tips/{tip.id}",
        error=refusal.words if refusal else "",
        typed=refusal.typed if refusal else {},
        done=asked if asked in DONE else "",
        told=await _told(desk, tip, asked),
        another=_another(desk, tip) if asked == "ticket_open" else 0,
        tip=await _facts(desk, tip),
        note=tip.review_note if tip.state is T.DRAFT else "",
        chain=await _chain(desk, tip),
        people=await _people(desk, tip),
        can=can,
        sources=await sources(desk, tip),
        most_line=LONGEST_LINE,
        **await tip_preview.outputs(desk, tip, links),
        **(await tip_sending.step(desk, tip, links) if tip.state in tips.UNRELEASED else {}),
    )


async def _told(desk: Desk, tip: WorkTip, what: str) -> str:
    """What has been done, where that takes more than a fixed sentence."""
    if what in OPEN and tip.drafter_id == desk.person.id:
        return desk.t(f"tips.done_{what}_own")
    if what in OPEN:
        names = await staff.names(desk.session, {tip.drafter_id})
        return desk.t(f"tips.done_{what}", who=names.get(tip.drafter_id, ""))
    # What the groups are told is counted, never assumed.
    return await tip_progress.withdrawn(desk, tip) if (what, tip.state) == ("withdrawn", T.WITHDRAWN) else ""


def _another(desk: Desk, tip: WorkTip) -> int:
    """The ticket from which another tip may be begun although this one is there; 0 for none of its own."""
    asked = desk.request.query_params.get("ticket", "")
    own = {str(number) for number in tip.sources.get("tickets", ())}
    return int(asked) if desk.may(Permission.DRAFT_ENTRIES) and asked in own else 0


def _row(desk: Desk, tip: WorkTip, names: dict[int, str]) -> dict[str, Any]:
    released = tip.released_at is not None
    at = tip.released_at or tip.submitted_at if tip.state is not T.DRAFT else tip.changed_at
    who = names.get((tip.releaser_id if released else tip.drafter_id) or 0, "")
    count = len(tip.sources.get("tickets", ()))
    marks = [mark["words"] for mark in marks_of(desk, tip)]
    return {
        "id": tip.id,
        "number": tip_words.number(tip),
        "title": tip.title,
        "type": desk.t(f"tips.type_{tip.type}"),
        "note": " · ".join([*marks, *([desk.t("tips.from", n=count)] if count and not released else [])]),
        "state": desk.t(f"tips.state_{tip.state}"),
        "tone": TONES[tip.state],
        "board": released,
        "who": desk.t("tips.by_releaser" if released else "tips.by_drafter", who=who),
        "at": times.moment(at or tip.changed_at, desk.frame.language, now=desk.now),
    }


def _years(desk: Desk) -> list[tuple[str, str]]:
    last = beijing_day(desk.now).year
    return [(str(y), desk.t("tips.year_n", n=y)) for y in range(last, min(FIRST_YEAR, last) - 1, -1)]


def marks_of(desk: Desk, tip: WorkTip) -> list[dict[str, str]]:
    """What to know before following a tip, besides its state: its time is over, has not come, or it waits."""
    found = []
    why = tip_words.outdated(tip, desk.now)
    if why in MARKED and tip.state not in (T.SUPERSEDED, T.WITHDRAWN):
        at = tip.effective_until if why == "expired" else tip.effective_from
        said = times.moment(at, desk.frame.language, now=desk.now) if at else ""
        found.append({"words": desk.t(f"tips.mark_{why}", at=said), "tone": MARKED[why]})
    if tip.state is T.RELEASED and tip.send_at is not None and tip.send_at > desk.now:
        at_words = times.moment(tip.send_at, desk.frame.language, now=desk.now)
        found.append({"words": desk.t("tips.mark_embargo", at=at_words), "tone": "warn"})
    return found


async def _facts(desk: Desk, tip: WorkTip) -> dict[str, Any]:
    language = desk.frame.language
    names = await staff.names(desk.session, {tip.withdrawn_by_id or 0})
    return {
        "id": tip.id,
        "version": tip.version,
        "title": tip.title,
        "number": tip_words.number(tip),
        "type": desk.t(f"tips.type_{tip.type}"),
        "state": desk.t(f"tips.state_{tip.state}"),
        "tone": TONES[tip.state],
        "unreleased": tip.state in tips.UNRELEASED,
        "in_review": tip.state is T.IN_REVIEW,
        "late": await tip_can.held(desk, tip),
        "marks": marks_of(desk, tip),
        "secrecy": tip.secrecy.value,
        "basis": tip.basis,
        "withdrawn_why": tip.withdrawn_why,
        "withdrawn_by": names.get(tip.withdrawn_by_id or 0, ""),
        "withdrawn_at": times.moment(tip.withdrawn_at, language, now=desk.now) if tip.withdrawn_at else "",
    }


async def _people(desk: Desk, tip: WorkTip) -> list[tuple[str, str]]:
    """Who drafted, checked and released it, and the days and fields that no output shows."""
    ids = (tip.drafter_id, tip.editor_id, tip.checker_id, tip.releaser_id)
    names = await staff.names(desk.session, {number for number in ids if number})
    owner = await units.get(desk.session, tip.unit_id)
    rows = [
        ("drafted", tip.drafter_id, tip.created_at),
        ("edited", tip.editor_id if tip.editor_id != tip.drafter_id else None, tip.changed_at),
        ("checked", tip.checker_id, None),
        ("released", tip.releaser_id, tip.released_at),
    ]
    said = [
        (desk.t(f"tips.who_{key}"), _who_when(desk, names.get(number, ""), at))
        for key, number, at in rows
        if number
    ]
    moments = (
        (desk.t("tips.who_submitted"), tip.submitted_at),
        (desk.t("tips.effective_from"), tip.effective_from),
        (desk.t("tips.effective_until"), tip.effective_until),
        (desk.t("tips.send_at"), tip.send_at),
        (desk.t("tips.receipt_due"), tip.receipt_due),
    )
    language = desk.frame.language
    said += [(label, times.moment(at, language, now=desk.now)) for label, at in moments if at is not None]
    targets = await tip_links.targets(desk.session, tip)
    listed = desk.t("list.comma").join(unit.name for unit in targets)
    return [
        *said,
        (desk.t("tips.owner"), owner.office_name or owner.name),
        (desk.t("tips.targets"), listed or "—"),
        (desk.t("tips.receipt"), desk.t("tips.receipt_yes" if tip.receipt_wanted else "tips.receipt_no")),
    ]


def _who_when(desk: Desk, who: str, at: Any) -> str:
    said = times.moment(at, desk.frame.language, now=desk.now) if at else ""
    return desk.t("tips.who_when", who=who, at=said) if said else who


async def _chain(desk: Desk, tip: WorkTip) -> list[dict[str, Any]]:
    """Which tip it replaces and by which it is replaced, as far as this person may see them."""
    found = []
    for key, number in (("replaces", tip.supersedes_id), ("replaced", tip.superseded_by_id)):
        other = await desk.session.get(WorkTip, number or 0)
        if other is not None and await _visible(desk, other):
            found.append({"id": other.id, "title": other.title, "words": _linked(desk, key, other)})
    rows = await desk.session.scalars(
        select(WorkTip)
        .where(WorkTip.supersedes_id == tip.id, WorkTip.state.in_(tips.UNRELEASED))
        .order_by(WorkTip.id)
    )
    drafted = [other for other in rows if await _visible(desk, other)]
    names = await staff.names(desk.session, {other.drafter_id for other in drafted})
    for other in drafted:
        words = desk.t("tips.chain_drafted", who=names.get(other.drafter_id, ""))
        found.append({"id": other.id, "title": other.title, "words": words})
    return found


def _linked(desk: Desk, key: str, other: WorkTip) -> str:
    no = tip_words.number(other) or desk.t("tips.no_number")
    stands = key == "replaced" and other.state is T.RELEASED
    since = tip_shelf.coming(other, desk.now) if stands else None
    if since is None:
        return desk.t(f"tips.chain_{key}", no=no)
    return desk.t("tips.chain_replacing", no=no, at=times.moment(since, desk.frame.language, now=desk.now))


async def _visible(desk: Desk, tip: WorkTip) -> bool:
    if tip.state in tips.NUMBERED:
        return True
    unit = await desk.session.get_one(Unit, tip.unit_id)
    return desk.may(Permission.SEE_TICKETS) and contains(
        await staff.reach(desk.session, desk.person), unit.path
    )


async def sources(desk: Desk, tip: WorkTip) -> dict[str, Any] | None:
    """Where a tip came from, for those who see tickets; None for others and where nothing is to tell."""
    if not desk.may(Permission.SEE_TICKETS):
        return None
    reach = await staff.reach(desk.session, desk.person)
    rows = await desk.session.execute(
        select(Ticket.id, Ticket.ticket_no)
        .join(Unit, Unit.id == Ticket.unit_id)
        .where(Ticket.id.in_(tip.sources.get("tickets", [])[:200]), Unit.path.startswith(reach))
        .order_by(Ticket.id)
    )
    cluster = await desk.session.get(Cluster, tip.sources.get("cluster") or 0)
    found = {
        "tickets": [{"id": number, "no": no} for number, no in rows],
        "cluster": {"id": cluster.id, "no": cluster.cluster_no} if cluster else None,
        "meeting": tip.sources.get("meeting", ""),
        "entries": tip.sources.get("entries", []),
    }
    return found if any(found.values()) else None
