"""For the reviewer: who looked up what class, week by week, and what calls at once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from fastapi.responses import Response

from admin import times
from admin.pages import Desk, Refusal, done, signed_in
from knowledge.roll import acts, circuit, lookup_reviews
from knowledge.roll.lookup_reviews import WEEK, monday
from knowledge.roll.records import LookupResult, RollState, Way
from office import staff
from office.audit import AuditEntry
from office.errors import Invalid
from office.hours import beijing_day
from office.staff import Permission

router = APIRouter(prefix="/lookups")
Reviewing = Annotated[Desk, Depends(signed_in(Permission.REVIEW_LOOKUPS))]
DONE = ("reviewed", "seen", "opened", "stopped")


@router.get("")
async def show(desk: Reviewing) -> Response:
    """The week asked for, else the oldest that nobody has looked through, else the present one."""
    return await _page(desk)


@router.post("/review")
async def review(desk: Reviewing) -> Response:
    """Say that a week's lookups by staff were looked through."""
    desk.on_refusal(_page)
    week = desk.form.day("week")
    if week is None:
        raise Invalid("form_broken")
    await lookup_reviews.mark(
        desk.session, week, remark=desk.form.text("remark"), actor=desk.person, now=desk.now
    )
    return done("/admin/lookups", "reviewed")


@router.post("/seen")
async def seen(desk: Reviewing) -> Response:
    """Say that the alarms were seen, and what was done about them."""
    desk.on_refusal(_page)
    await lookup_reviews.mark_seen(
        desk.session, remark=desk.form.text("remark"), actor=desk.person, now=desk.now
    )
    return done("/admin/lookups", "seen")


@router.post("/reopen")
async def reopen(desk: Reviewing) -> Response:
    """Let voters look up again after a stop, with a reason."""
    desk.on_refusal(_page)
    reason = desk.form.text("reason")[: lookup_reviews.LONGEST_REMARK]
    await desk.services.lookups.reopen(desk.session, reason=reason, actor=desk.person, now=desk.now)
    return done("/admin/lookups", "opened")


@router.post("/stop")
async def stop(desk: Reviewing) -> Response:
    """Stop all lookups at once, with a reason."""
    desk.on_refusal(_page)
    reason = desk.form.text("reason")[: lookup_reviews.LONGEST_REMARK]
    await circuit.stop(desk.session, reason=reason, actor=desk.person, now=desk.now)
    return done("/admin/lookups", "stopped")


async def _page(desk: Desk, refusal: Refusal | None = None) -> Response:
    today, language = beijing_day(desk.now), desk.frame.language
    waiting = await lookup_reviews.open_weeks(desk.session, now=desk.now)
    week = _week(desk, waiting)
    last = week + WEEK - timedelta(days=1)
    state = await desk.session.get_one(RollState, 1)
    asked = desk.request.query_params.get("done", "")
    reviewed = await lookup_reviews.reviewed(desk.session, week)
    tallies = await acts.of_staff(desk.session, week, last)
    people = {one.staff_id for one in tallies} | ({reviewed.staff_id} if reviewed else set())
    names = await staff.names(desk.session, people)
    results = [desk.t(f"lookups.result_{result.value}") for result in LookupResult]
    return desk.render(
        "console/lookups.html",
        status=refusal.status if refusal else 200,
        here=f"/admin/lookups?week={week.isoformat()}",
        error=refusal.words if refusal else "",
        typed={name: desk.form.text(name) for name in ("remark", "reason")},
        opened=desk.request.url.path.rpartition("/")[2] if refusal else "",
        done=desk.t(f"lookups.done_{asked}") if asked in DONE else "",
        stopped={
            "at": times.moment(state.stopped_at, language),
            "why": desk.t_or(f"lookups.stopped_{state.stopped_why}", desk.t("lookups.stopped_other")),
        }
        if state.stopped_at
        else None,
        alarms=[_alarm(desk, row) for row in await lookup_reviews.alarms(desk.session)],
        week=week.isoformat(),
        days=desk.t(
            "lookups.week_of", first=times.short_day(week, language), last=times.short_day(last, language)
        ),
        before=(week - WEEK).isoformat(),
        after=(week + WEEK).isoformat() if week + WEEK <= today else "",
        waiting=[(one.isoformat(), times.short_day(one, language)) for one in waiting],
        is_open=last >= today,
        by_staff=[
            {
                "who": names.get(one.staff_id, ""),
                "way": desk.t(f"lookups.way_{one.way.value}"),
                "reason": desk.t_or(f"lookup.reason.{one.reason}", one.reason or "—"),
                "result": desk.t(f"lookups.result_{one.result.value}"),
                "n": one.times,
            }
            for one in tallies
        ],
        by_day=await _by_day(desk, week),
        results=results,
        results_columns=[(words, "number") for words in results],
        reviewed={
            "who": names.get(reviewed.staff_id, ""),
            "at": times.moment(reviewed.at, language),
            "remark": reviewed.remark,
        }
        if reviewed
        else None,
        longest=lookup_reviews.LONGEST_REMARK,
    )


def _week(desk: Desk, waiting: Sequence[date]) -> date:
    present = monday(beijing_day(desk.now))
    try:
        asked = date.fromisoformat(desk.form.text("week") or desk.request.query_params.get("week", ""))
        return min(monday(asked), present)
    except (ValueError, OverflowError):
        return waiting[0] if waiting else present


async def _by_day(desk: Desk, week: date) -> list[dict[str, Any]]:
    """A line for each day and way on which voters asked, with a figure for each result."""
    lines = []
    for day in (week + timedelta(days=n) for n in range(7)):
        found = await acts.of_public(desk.session, day, day)
        lines += [
            {
                "day": times.short_day(day, desk.frame.language),
                "way": desk.t(f"lookups.way_{way.value}"),
                "figures": [found.get((way, result), 0) for result in LookupResult],
            }
            for way in Way
            if any(way is one for one, _ in found)
        ]
    return lines


def _alarm(desk: Desk, row: AuditEntry) -> dict[str, str]:
    kind = "trip" if row.action != circuit.ALARM else str(row.facts.get("kind", ""))
    return {
        "at": times.moment(row.at, desk.frame.language),
        "words": desk.t_or(f"lookups.alarm_{kind}", kind),
        "way": desk.t_or(f"lookups.way_{row.facts.get('way', '')}", ""),
    }
