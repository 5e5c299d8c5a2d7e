"""The end of a day: what becomes of each open ticket, many at once; and how past days stood at 24:00."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from fastapi.responses import Response

from admin import times
from admin.pages import Desk, Refusal, done, signed_in
from office import staff
from office.errors import Invalid
from office.hours import beijing_day
from office.staff import Permission
from office.units import Unit
from ticketing import day_end
from ticketing.clocks import Counting
from ticketing.day_end import Disposition, DispositionKind
from ticketing.day_figures import COUNTS
from ticketing.records import Ticket

router = APIRouter(prefix="/day-end")
Seeing = Annotated[Desk, Depends(signed_in(Permission.SEE_TICKETS))]
Working = Annotated[Desk, Depends(signed_in(Permission.WORK_TICKETS))]
EXCERPT = 60
NONE = "—"


@router.get("")
async def show(desk: Seeing) -> Response:
    """Today's open tickets with what becomes of them, and the days before."""
    return await _page(desk)


@router.post("")
async def dispose(desk: Working) -> Response:
    """Say the same of all tickets that are ticked."""
    desk.on_refusal(_page)
    kind, ticked = desk.form.text("kind"), desk.form.all("ticket")
    if kind not in tuple(DispositionKind):
        raise Invalid("day_end.kind_missing")
    if not all(number.isdecimal() and len(number) < 10 for number in ticked):
        raise Invalid("form_broken")
    await day_end.dispose(
        desk.session,
        [int(number) for number in ticked],
        DispositionKind(kind),
        desk.form.text("reason"),
        actor=desk.person,
        now=desk.now,
    )
    return done("/admin/day-end", "disposed")


async def _page(desk: Desk, refusal: Refusal | None = None) -> Response:
    today = beijing_day(desk.now)
    found = await day_end.open_today(desk.session, desk.person, now=desk.now)
    people = {
        p for ticket, _, said in found for p in (ticket.assignee_id, said.staff_id if said else None) if p
    }
    names = await staff.names(desk.session, people)
    due = day_end.ends_at(today, desk.hours)
    reach = await staff.reach(desk.session, desk.person)
    ticked = set(desk.form.all("ticket"))
    if desk.request.query_params.get("tick") == "missing":
        ticked = {str(ticket.id) for ticket, _, said in found if said is None}
    asked = desk.request.query_params.get("done", "")
    # What cannot be true of any of them is not offered.
    cannot = {DispositionKind.PHONED} if all(ticket.phone is None for ticket, _, _ in found) else set()
    if not await day_end.somebody_later(desk.session, desk.now):
        cannot.add(DispositionKind.TO_DUTY)
    kinds = [kind for kind in DispositionKind if kind not in cannot]
    return desk.render(
        "console/day_end.html",
        status=refusal.status if refusal else 200,
        here="/admin/day-end",
        error=refusal.words if refusal else "",
        done=desk.t("day_end.done") if asked == "disposed" else "",
        missing=await day_end.missing(desk.session, reach, desk.hours, now=desk.now),
        due=times.clock(due),
        over=desk.now >= due,
        duty_day=desk.hours.is_duty_day(today),
        rows=[_row(desk, ticket, unit, said, names, ticked) for ticket, unit, said in found],
        full=len(found) >= day_end.PAGE,
        kinds=[(kind.value, desk.t(f"day_end.kind.{kind.value}")) for kind in kinds],
        kind=desk.form.text("kind") or DispositionKind.TOMORROW.value,
        reason=desk.form.text("reason"),
        may_work=desk.may(Permission.WORK_TICKETS),
        days=[
            {
                "day": times.short_day(day, desk.frame.language),
                "weekday": desk.t(f"hours.weekday.{day.isoweekday()}"),
                "duty": figures["duty_day"],
                "counts": [figures[name] for name in COUNTS],
                "cleared": [share(figures[counting.value]) for counting in Counting],
            }
            for day, figures in await day_end.past(desk.session, desk.person)
        ],
        columns=[desk.t(f"day_end.figure.{name}") for name in COUNTS],
    )


def share(of: tuple[int, int] | list[int]) -> dict[str, str]:
    """日清率 with numerator and denominator; a day on which nothing counted has none."""
    clear, total = of
    if not total:
        return {"rate": NONE, "of": NONE, "tone": "neutral"}
    # Rounded down: a day with a miss never reads as a hundred per cent.
    tenths = clear * 1000 // total
    return {
        "rate": f"{tenths / 10:g}%",
        "of": f"{clear}/{total}",
        "tone": "good" if clear == total else "warn",
    }


def _row(
    desk: Desk,
    ticket: Ticket,
    unit: Unit,
    said: Disposition | None,
    names: Mapping[int, str],
    ticked: set[str],
) -> dict[str, Any]:
    words = " ".join(ticket.words.split())
    return {
        "id": ticket.id,
        "no": ticket.ticket_no,
        "words": words[:EXCERPT] + ("…" if len(words) > EXCERPT else ""),
        "unit": unit.name,
        "state": desk.t(f"ticket.state.{ticket.state}"),
        "no_phone": ticket.phone is None,
        "holder": names.get(ticket.assignee_id or 0, ""),
        "left": times.remaining(ticket.due_at, desk.now, desk.frame.language),
        "late": desk.now > ticket.due_at,
        "said": desk.t(f"day_end.kind.{said.kind.value}") if said else "",
        "reason": said.reason if said else "",
        "by": names.get(said.staff_id, "") if said else "",
        "ticked": str(ticket.id) in ticked,
    }
