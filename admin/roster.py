"""The roster: who is on duty when, one's own shifts and changes of them, and the same on paper."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from fastapi.responses import Response

from admin import roster_rows, times
from admin.downloads import attached
from admin.pages import Desk, Number, Refusal, done, signed_in
from office import staff, units
from office.errors import NotFound
from office.hours import beijing_day
from office.staff import Permission
from office.timetable import DAY
from office.units import Unit, contains
from ticketing import duty, roster_checks, roster_files, roster_sheet, rostering, swaps
from ticketing.roster_checks import Stint

router = APIRouter(prefix="/roster")
Seeing = Annotated[Desk, Depends(signed_in(Permission.SEE_ROSTER))]
Working = Annotated[Desk, Depends(signed_in(Permission.WORK_TICKETS))]
SHOWN_DAYS = roster_rows.SHOWN_DAYS
LONGEST_PRINTED = 62
DONE = (
    "signed_in", "signed_out", "swap_asked", "swap_agreed", "swap_declined", "swap_withdrawn", "published",
    "discarded",
)  # fmt: skip


@router.get("")
async def show(desk: Seeing) -> Response:
    """Two weeks of the roster, who is there now, and what one may do about one's own shifts."""
    return await _page(desk)


@router.get("/print")
async def printed(desk: Seeing) -> Response:
    """The same days as a page for paper."""
    unit, first, last = await _asked(desk, LONGEST_PRINTED)
    shifts = await rostering.in_force(desk.session, unit, first, last)
    names = await roster_rows.names_of(desk, shifts)
    return desk.render(
        "console/roster_print.html",
        here="/admin/roster",
        title=desk.t("roster.sheet_title", office=unit.office_name or unit.name),
        span=_span_words(desk, first, last),
        columns=[desk.t(f"roster.column.{field}") for field in roster_sheet.SHOWN],
        rows=[
            [roster_sheet.row(shift, names, desk.frame.language)[field] for field in roster_sheet.SHOWN]
            for shift in shifts
        ],
        back=_address(unit, first),
    )


@router.get("/sheet")
async def sheet(desk: Seeing) -> Response:
    """值班表 as a Word document."""
    unit, first, last = await _asked(desk, LONGEST_PRINTED)
    shifts = await rostering.in_force(desk.session, unit, first, last)
    content = roster_sheet.docx(
        shifts,
        await roster_rows.names_of(desk, shifts),
        office=unit.office_name or unit.name,
        first=first,
        last=last,
        at=desk.now,
    )
    return _roster_file(desk, content, first, last, "docx")


@router.get("/export")
async def export(desk: Seeing) -> Response:
    """The shifts as a workbook that can be changed and read in again."""
    unit, first, last = await _asked(desk, LONGEST_PRINTED)
    shifts = await rostering.in_force(desk.session, unit, first, last)
    names = await roster_rows.names_of(desk, shifts)
    content = roster_files.to_xlsx([roster_sheet.row(shift, names) for shift in shifts], desk.now)
    return _roster_file(desk, content, first, last, "xlsx")


@router.post("/shifts/{shift_id}/sign-in")
async def sign_in(desk: Working, shift_id: Number) -> Response:
    """签到."""
    desk.on_refusal(_page)
    shift = await duty.seen_by(desk.session, desk.person, shift_id)
    await duty.sign_in(desk.session, shift, actor=desk.person, now=desk.now)
    return done("/admin/roster", "signed_in")


@router.post("/shifts/{shift_id}/sign-out")
async def sign_out(desk: Working, shift_id: Number) -> Response:
    """签退."""
    desk.on_refusal(_page)
    shift = await duty.seen_by(desk.session, desk.person, shift_id)
    await duty.sign_out(desk.session, shift, actor=desk.person, now=desk.now)
    return done("/admin/roster", "signed_out")


@router.post("/shifts/{shift_id}/swap")
async def ask(desk: Working, shift_id: Number) -> Response:
    """Ask a colleague to take one's shift; with `back` one of theirs comes in return."""
    desk.on_refusal(_page)
    shift = await duty.seen_by(desk.session, desk.person, shift_id)
    to, _, back = desk.form.text("to").partition(":")
    if not to.isdecimal() or (back and not back.isdecimal()):
        raise NotFound("staff_unknown")
    colleague = await staff.get(desk.session, int(to))
    other = await duty.seen_by(desk.session, desk.person, int(back)) if back else None
    await swaps.ask(
        desk.session,
        shift,
        colleague,
        back=other,
        reason=desk.form.text("reason"),
        actor=desk.person,
        now=desk.now,
    )
    return done("/admin/roster", "swap_asked")


@router.post("/swaps/{swap_id}/agree")
async def agree(desk: Working, swap_id: Number) -> Response:
    """Take the shift that a colleague asked one to take."""
    desk.on_refusal(_page)
    await swaps.agree(desk.session, await swaps.get(desk.session, swap_id), actor=desk.person, now=desk.now)
    return done("/admin/roster", "swap_agreed")


@router.post("/swaps/{swap_id}/decline")
async def decline(desk: Working, swap_id: Number) -> Response:
    """Say no."""
    desk.on_refusal(_page)
    await swaps.decline(desk.session, await swaps.get(desk.session, swap_id), actor=desk.person, now=desk.now)
    return done("/admin/roster", "swap_declined")


@router.post("/swaps/{swap_id}/withdraw")
async def withdraw(desk: Working, swap_id: Number) -> Response:
    """Take one's own wish back."""
    desk.on_refusal(_page)
    await swaps.withdraw(
        desk.session, await swaps.get(desk.session, swap_id), actor=desk.person, now=desk.now
    )
    return done("/admin/roster", "swap_withdrawn")


async def on_duty(desk: Desk) -> dict[str, Any]:
    """What `console/on_duty.html` shows under the name `on_duty`: who is there now, and who comes next."""
    unit = await units.get(desk.session, desk.person.unit_id)
    on = await duty.on_now(desk.session, unit, now=desk.now)
    upcoming = await duty.next_shift(desk.session, unit, now=desk.now)
    names = await roster_rows.names_of(desk, [*on, *([upcoming] if upcoming else [])])
    return {
        "on": [roster_rows.shift_row(desk, shift, names) for shift in on],
        "next": roster_rows.shift_row(desk, upcoming, names) if upcoming else None,
        "may_see": desk.may(Permission.SEE_ROSTER),
    }


async def _page(desk: Desk, refusal: Refusal | None = None) -> Response:
    unit, first, _ = await _asked(desk, SHOWN_DAYS)
    last = first + (SHOWN_DAYS - 1) * DAY
    today = beijing_day(desk.now)
    shifts = await rostering.in_force(desk.session, unit, first, last)
    names = await roster_rows.names_of(desk, shifts)
    gaps = await duty.gaps(desk.session, unit, max(first, today), last, now=desk.now) if last >= today else []
    asked = desk.request.query_params.get("done", "")
    may_edit = desk.may(Permission.EDIT_ROSTER)
    mine = await duty.of_person(desk.session, desk.person, now=desk.now)
    return desk.render(
        "console/roster.html",
        status=refusal.status if refusal else 200,
        here="/admin/roster",
        error=refusal.words if refusal else "",
        done=desk.t(f"roster.done.{asked}") if asked in DONE else "",
        unit_name=unit.name,
        unit_id=unit.id,
        units=[(one.id, one.name) for one in await _units(desk)],
        first=first.isoformat(),
        earlier=_address(unit, first - SHOWN_DAYS * DAY),
        later=_address(unit, first + SHOWN_DAYS * DAY),
        papers=f"unit={unit.id}&from={first.isoformat()}&to={last.isoformat()}",
        on_duty=await on_duty(desk),
        days=roster_rows.days(desk, shifts, names, first, today),
        gaps=[roster_rows.gap_words(desk, gap) for gap in gaps],
        shares=await roster_rows.shares(
            desk, roster_checks.fairness([Stint.of_shift(shift) for shift in shifts], desk.hours)
        ),
        mine=[await roster_rows.mine(desk, shift) for shift in mine]
        if desk.may(Permission.WORK_TICKETS)
        else [],
        wishes=[
            await roster_rows.wish(desk, swap) for swap in await swaps.of_person(desk.session, desk.person)
        ],
        plans=[
            {
                "id": roster.id,
                "name": roster.file_name,
                "unit": where.name,
                "state": desk.t(f"roster.state.{roster.state.value}"),
                "waits": roster.state.value == "prepared",
                "at": times.moment(roster.published_at or roster.prepared_at, desk.frame.language),
            }
            for roster, where in await rostering.listed(desk.session, desk.person, 8)
        ]
        if may_edit
        else [],
        may_edit=may_edit,
        may_work=desk.may(Permission.WORK_TICKETS),
    )


async def _asked(desk: Desk, most: int) -> tuple[Unit, date, date]:
    """The unit and the days an address names, else one's own or the nearest above with a roster."""
    asked = desk.request.query_params
    within = await _units(desk)
    unit = next((one for one in within if str(one.id) == asked.get("unit", "")), None)
    today = beijing_day(desk.now)
    first = _day(asked.get("from", "")) or today - timedelta(days=today.weekday())
    last = min(_day(asked.get("to", "")) or first + (SHOWN_DAYS - 1) * DAY, first + (most - 1) * DAY)
    if unit is None:
        home = await units.get(desk.session, desk.person.unit_id)
        above = [one for one in within if contains(one.path, home.path)]
        unit = home
        for one in sorted(above, key=lambda one: -len(one.path)):
            if await rostering.in_force(
                desk.session, one, today - SHOWN_DAYS * DAY, today + LONGEST_PRINTED * DAY
            ):
                unit = one
                break
    return unit, first, max(first, last)


async def _units(desk: Desk) -> list[Unit]:
    """Whose rosters this person may look at: below and above one's own unit."""
    home = await units.get(desk.session, desk.person.unit_id)
    found = await units.all_units(desk.session)
    return [one for one in found if contains(home.path, one.path) or contains(one.path, home.path)]


def _day(text: str) -> date | None:
    try:
        found = date.fromisoformat(text)
    except ValueError:
        return None
    # Far days have no roster, and the arithmetic of days ends somewhere.
    return found if 2000 <= found.year <= 2100 else None


def _address(unit: Unit, first: date) -> str:
    return f"/admin/roster?unit={unit.id}&from={first.isoformat()}"


def _span_words(desk: Desk, first: date, last: date) -> str:
    language = desk.frame.language
    return desk.t("roster.sheet_span", first=times.day(first, language), last=times.day(last, language))


def _roster_file(desk: Desk, content: bytes, first: date, last: date, kind: str) -> Response:
    span = f"{first:%Y%m%d}-{last:%Y%m%d}"
    return attached(content, f"roster-{span}.{kind}", f"{desk.t('roster.title')} {span}")
