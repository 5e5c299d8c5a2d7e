"""The health of what the office says: what contradicts itself, what is missing, what is due for review."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from itertools import groupby
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from fastapi.responses import Response

from admin import times
from admin.pages import Desk, Number, Refusal, done, signed_in
from knowledge import calendar, gaps, health, reviews
from knowledge.gaps import Gap, Gaps
from knowledge.health import Clash, Conflicts, Held, Stale, Torn
from knowledge.reviews import Review, Reviewed
from knowledge.row_entries import Beside
from office.errors import Invalid, NotFound
from office.hours import beijing_day
from office.staff import Permission

router = APIRouter(prefix="/health")
Reading = Annotated[Desk, Depends(signed_in(Permission.SEE_ENTRIES))]
VIEWS = ("conflicts", "gaps", "reviews")
NEXT = timedelta(days=180)
"""How far ahead the next day of review is proposed."""
MOST_WORDS = 8
OPEN_ROWS = 10


@router.get("")
async def show(desk: Reading) -> Response:
    """One of the three lists, with how much stands in each of the others."""
    return await _page(desk)


@router.post("/reviews/{what}/{row_id}")
async def looked_at(desk: Reading, what: str, row_id: Number) -> Response:
    """Say that an entry or a change was looked at and holds. The domain says who may."""
    desk.on_refusal(_page)
    if what not in tuple(Reviewed):
        raise NotFound("entry_unknown")
    next_on = desk.form.day("next_on")
    if next_on is None:
        raise Invalid("review_past")
    await reviews.looked_at(
        desk.session, Reviewed(what), row_id, next_on=next_on, seen=desk.form.number("version"),
        actor=desk.person, now=desk.now,
    )  # fmt: skip
    return done("/admin/health?view=reviews", "looked_at")


async def _page(desk: Desk, refusal: Refusal | None = None) -> Response:
    asked = desk.request.query_params
    today = beijing_day(desk.now)
    # A form of this page is one of its reviews.
    view = asked.get("view", "") if asked.get("view") in VIEWS else VIEWS[0]
    view = "reviews" if refusal else view
    wrong = await health.conflicts(desk.session, desk.person, now=desk.now)
    missing = await gaps.gaps(desk.session, desk.person, now=desk.now)
    due = await reviews.upcoming(desk.session, desk.person, today=today)
    counts = (wrong.count, missing.count, len(due))
    return desk.render(
        "console/health.html",
        status=refusal.status if refusal else 200,
        here=f"/admin/health?view={view}",
        error=refusal.words if refusal else "",
        done=asked.get("done", ""),
        view=view,
        tabs=[
            {
                "href": f"/admin/health?view={name}",
                "label": desk.t(f"health.view_{name}"),
                "active": name == view,
                "count": count,
            }
            for name, count in zip(VIEWS, counts, strict=True)
        ],
        conflicts=_conflicts(desk, wrong) if view == "conflicts" else None,
        gaps=_gaps(desk, missing) if view == "gaps" else None,
        owners=_owners(desk, due, today) if view == "reviews" else None,
        mine=sum(one.due <= today and one.owner_id == desk.person.id for one in due),
        open_rows=OPEN_ROWS,
        next_on=(today + NEXT).isoformat(),
        earliest=(today + timedelta(days=1)).isoformat(),
    )


# --- what contradicts itself ---


def _conflicts(desk: Desk, found: Conflicts) -> dict[str, Any]:
    return {
        "clashes": [_clash(desk, one) for one in found.clashes],
        "narrower": [_clash(desk, one) for one in found.narrower],
        "seams": [_seam(desk, one) for one in found.seams],
        "stale": [_stale(desk, one) for one in found.stale],
        "misworded": [
            {
                "name": one.name or "—",
                "number": 0,
                "href": one.place,
                "words": desk.t(one.problem.key, **one.problem.facts),
            }
            for one in found.misworded
        ],
        "strays": [
            {
                "name": f"{one.code} {one.name}",
                "number": 0,
                "href": f"/admin/stations/{one.station_id}",
                "words": desk.t(f"health.stray_{one.kind.value}"),
            }
            for one in found.strays
        ],
        "beside": [_beside(one) for one in found.beside],
    }


def _beside(one: Beside) -> dict[str, Any]:
    return {
        "href": f"/admin/changes/{one.change_id}",
        "row": one.row,
        "number": one.number,
        "entries": [
            {
                "href": f"/admin/entries/{row.entry.id}",
                "no": row.entry.entry_no,
                "question": row.version.question,
            }
            for row in one.entries
        ],
    }


def _clash(desk: Desk, clash: Clash) -> dict[str, Any]:
    return {
        "entries": [_held(clash.first), _held(clash.second)],
        "scope": clash.second.scope,
        "audience": desk.t(f"audience.{clash.first.audience.value}"),
        "words": clash.words[:MOST_WORDS],
        "more": max(0, len(clash.words) - MOST_WORDS),
    }


def _held(held: Held) -> dict[str, Any]:
    return {
        "href": f"/admin/entries/{held.entry_id}",
        "no": held.entry_no,
        "question": held.question,
        "scope": held.scope,
    }


def _seam(desk: Desk, torn: Torn) -> dict[str, Any]:
    seam = torn.seam
    days = {"first": _day(desk, seam.first), "last": _day(desk, seam.last)}
    return {
        "href": f"/admin/entries/{torn.page_id}" if torn.entry else f"/admin/changes/{torn.page_id}",
        "name": torn.name,
        "number": 0,
        "words": desk.t(
            "health.hole" if seam.hole else "health.overlap",
            before=seam.before.number, after=seam.after.number, **days,
        ),
    }  # fmt: skip


def _stale(desk: Desk, stale: Stale) -> dict[str, Any]:
    return {
        "href": f"/admin/changes/{stale.change_id}",
        "name": stale.subject,
        "number": stale.number,
        "words": desk.t(stale.key, **stale.facts),
    }


# --- what is missing ---


def _gaps(desk: Desk, found: Gaps) -> dict[str, Any]:
    return {
        "topics": [
            {"meaning": topic.meaning, "side": desk.t(f"audience.{topic.side}"), "id": topic.id}
            for topic in found.topics
        ],
        "entries": [_gap(desk, one) for one in found.entries],
        "pack": f"/admin/packs/{found.pack_id}",
        "rows": [{"row": leaf.row, "answer": leaf.answer_in(desk.frame.language)} for leaf in found.rows],
        "dates": [calendar.label(kind, desk.frame.language) for kind in found.dates],
        "units": [unit.name for unit in found.units],
        "years": list(found.years),
        "samples": list(found.samples),
    }


def _gap(desk: Desk, gap: Gap) -> dict[str, Any]:
    day = _day(desk, gap.day) if gap.day else ""
    return {
        "href": f"/admin/entries/{gap.row.entry.id}",
        "no": gap.row.entry.entry_no,
        "question": gap.row.version.question,
        "scope": gap.row.unit.name,
        "words": desk.t(f"health.{gap.why.value}", day=day),
    }


# --- what is to be looked at again ---


def _owners(desk: Desk, due: Iterable[Review], today: date) -> list[dict[str, Any]]:
    """The reviews by owner: one's own first, then by the name of person or group."""
    mine = desk.person.id

    def owner(one: Review) -> tuple[bool, bool, str, int]:
        return (one.owner_id != mine, one.owner_id is None, one.owner, one.owner_id or 0)

    return [
        {
            "name": key[2],
            "mine": not key[0],
            "group": key[1],
            "rows": [_review(desk, one, today) for one in rows],
        }
        for key, rows in groupby(sorted(due, key=lambda one: (owner(one), one.due, one.name)), key=owner)
    ]


def _review(desk: Desk, one: Review, today: date) -> dict[str, Any]:
    late = (today - one.due).days
    entry = one.what is Reviewed.ENTRY_VERSION
    sign = Permission.PUBLISH_ENTRIES if entry else Permission.SIGN_RULES
    if late > 0:
        words, tone = desk.t("health.late", n=late), "danger"
    elif late == 0:
        words, tone = desk.t("health.due_today"), "warn"
    else:
        words, tone = desk.t("health.due_in", n=-late), "info"
    return {
        "href": f"/admin/entries/{one.page_id}" if entry else f"/admin/changes/{one.page_id}",
        "action": f"/admin/health/reviews/{one.what.value}/{one.row_id}",
        "id": f"{one.what.value}-{one.row_id}",
        "name": one.name,
        "number": one.number,
        "title": one.title,
        "scope": one.scope,
        "version": one.version,
        "due": _day(desk, one.due),
        "words": words,
        "tone": tone,
        "may": one.owner_id == desk.person.id or desk.may(sign),
    }


def _day(desk: Desk, on: date) -> str:
    return times.day(on, desk.frame.language)
