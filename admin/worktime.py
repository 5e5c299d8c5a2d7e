"""Pages of the working time: what holds, what the next days look like, and how it is changed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from fastapi.responses import Response

from admin import forms, times, uploads, worktime_days, worktime_form
from admin.downloads import attached
from admin.pages import Desk, Number, Refusal, done, signed_in
from admin.worktime_days import cells, compared, day_cell, week_lines, year_table
from admin.worktime_form import CLOSED, COLUMNS, Written
from office import changes, staff, timetable_files, worktime
from office.changes import Change, ChangeKind, ChangeState
from office.errors import NotFound
from office.hours import beijing_day
from office.staff import Permission
from office.timetable import WEEKDAYS, DayKind, TimetableFault
from ticketing import clocks

router = APIRouter(prefix="/hours")
# Two years of holidays are more fields than any other form has.
read_form = partial(forms.read, most_fields=3000)
Reading = Annotated[Desk, Depends(signed_in(Permission.SEE_RULES))]
Drafting = Annotated[Desk, Depends(signed_in(Permission.DRAFT_RULES))]
Writing = Annotated[Desk, Depends(signed_in(Permission.DRAFT_RULES, read_form))]
Importing = Annotated[Desk, Depends(signed_in(Permission.DRAFT_RULES, uploads.read))]
SHOWN_DAYS = 21
LONGEST_FACT = 40


@dataclass(frozen=True, slots=True)
class FaultLine:
    """A fault in words: where, what, and which field of the form to go to."""

    words: str
    field: str = ""
    brief: str = ""


def pressing(desk: Desk) -> tuple[int, ...]:
    """The years without a table that the desk must be told of at once; see `worktime.pressing_years`."""
    try:
        promised = beijing_day(clocks.promise(desk.now, desk.hours).promised_at)
    except LookupError:
        promised = beijing_day(desk.now)
    return worktime.pressing_years(desk.hours, beijing_day(desk.now), promised)


@router.get("")
async def show(desk: Reading) -> Response:
    """The working time in force, day by day from today or the day asked for."""
    return await _show(desk)


@router.get("/edit")
async def edit(desk: Drafting) -> Response:
    """The timetable in force as a form."""
    present = await worktime.in_force(desk.session, now=desk.now)
    return await _edit(desk, worktime_form.of_timetable(present))


@router.post("/edit")
async def write(desk: Writing) -> Response:
    """More rows, a look at what would change, or the proposal."""
    written, wish = worktime_form.of_form(desk.form), desk.form.text("then")
    if worktime_form.more(written, wish):
        return await _edit(desk, written)

    async def again(later: Desk, refusal: Refusal) -> Response:
        return await _edit(later, worktime_form.of_form(later.form), refusal)

    desk.on_refusal(again)
    if wish != "propose":
        return await _edit(desk, written, look=True)
    change = await worktime.propose(
        desk.session,
        written.timetable(),
        basis=desk.form.text("basis"),
        seen=desk.form.number("seen"),
        actor=desk.person,
        now=desk.now,
    )
    return done(f"/admin/changes/{change.id}", "change_proposed")


@router.post("/import")
async def take_in(desk: Importing) -> Response:
    """A file as the beginning of a proposal; nothing is proposed yet."""
    desk.on_refusal(_show)
    upload = uploads.chosen(desk.form)
    found, lines = timetable_files.read(upload.data)
    if found.faults:
        told = [
            FaultLine(desk.t("hours.line", n=line, words=fault_words(desk, fault)))
            for fault, line in zip(found.faults, lines, strict=True)
        ]
        return await _show(desk, faults=told, name=upload.name)
    return await _edit(desk, worktime_form.of_timetable(found), look=True, taken_in=upload.name)


@router.get("/export")
async def give_out(desk: Reading) -> Response:
    """The timetable in force as the file that can be taken in again."""
    present = await worktime.in_force(desk.session, now=desk.now)
    return attached(timetable_files.written(present), "hours.yaml", desk.t("hours.title"))


@router.get("/changes/{change_id}")
async def one_change(desk: Reading, change_id: Number) -> Response:
    """What one change alters, day by day: for whoever signs it, and afterwards."""
    change = await changes.get(desk.session, change_id)
    if change.kind is not ChangeKind.HOURS:
        raise NotFound("change_unknown")
    earlier = worktime.of_change(await changes.before(desk.session, change))
    on_duty = await worktime_days.on_duty(desk, change)
    return desk.render(
        "console/worktime_change.html",
        change={"id": change.id, "number": change.number, "waits": change.state is ChangeState.PROPOSED},
        compared=compared(desk, earlier, worktime.of_change(change), beijing_day(desk.now), on_duty),
    )


def fault_words(
    desk: Desk, fault: TimetableFault, lines: Written | None = None, *, placed: bool = True
) -> str:
    """A fault in words, with its place as the reader of the form or the file finds it."""
    facts = {
        name: value if isinstance(value, int) else str(value)[:LONGEST_FACT]
        for name, value in fault.facts.items()
    }
    words = desk.t(f"hours_fault.{fault.key}", **facts)
    place = _place(desk, fault, lines) if placed else ""
    return desk.t("hours.fault", place=place, words=words) if place else words


def _place(desk: Desk, fault: TimetableFault, lines: Written | None) -> str:
    match fault.where:
        case ("weekly", str(day)) if day in WEEKDAYS:
            return desk.t(f"hours.weekday.{WEEKDAYS.index(day) + 1}")
        case ("weekly", *_):
            return desk.t("hours.weekly")
        case ("years", year, "days", int(number)):
            number = lines.lines.get(fault.where, number + 1) if lines else number + 1
            return desk.t("hours.year_row", year=year, n=number)
        case ("years", int(year), *_):
            return desk.t("hours.year_table", year=year)
        case ("shifts", *_) if lines and fault.where in lines.lines:
            return desk.t("hours.shift_line", n=lines.lines[fault.where])
        case ("shifts", *_):
            return desk.t("hours.shifts")
    return ""


async def _show(
    desk: Desk, refusal: Refusal | None = None, *, faults: list[FaultLine] | None = None, name: str = ""
) -> Response:
    today = beijing_day(desk.now)
    asked = desk.request.query_params.get("from", "")
    try:
        first = date.fromisoformat(asked) if asked else today
    except ValueError:
        first = today
    present = await worktime.in_force(desk.session, now=desk.now)
    history = await worktime.history(desk.session)
    waiting = worktime.waiting(history)
    return desk.render(
        "console/worktime.html",
        status=refusal.status if refusal else 422 if faults else 200,
        here="/admin/hours",
        error=refusal.words if refusal else "",
        faults=faults or [],
        file_name=name,
        now_words=_now_words(desk),
        is_open=desk.hours.is_open(desk.now),
        missing=worktime.missing_years(desk.hours, today),
        shipped=not any(change.state is ChangeState.SIGNED for change in history),
        samples=worktime.sample_years(present),
        waiting=waiting.id if waiting else 0,
        first=first.isoformat(),
        cells=cells(desk, desk.hours, first, SHOWN_DAYS, today),
        earlier=_step(first, -SHOWN_DAYS),
        later=_step(first, SHOWN_DAYS),
        first_column=first.isoweekday(),
        week=week_lines(desk, present),
        years=[year_table(desk, present, year) for year in sorted(present.years)],
        shifts=[day_cell(desk, desk.hours, day) | {"past": day < today} for day in sorted(present.shifts)],
        history=await _history(desk, history),
        may_draft=desk.may(Permission.DRAFT_RULES),
    )


async def _edit(
    desk: Desk,
    written: Written,
    refusal: Refusal | None = None,
    *,
    look: bool = False,
    taken_in: str = "",
) -> Response:
    today = beijing_day(desk.now)
    found = written.timetable()
    checked = look or refusal is not None
    faults = [
        FaultLine(
            fault_words(desk, fault, written),
            written.fields.get(fault.where, ""),
            # Beside its own field a fault need not say where it is; lines of duty share one field.
            fault_words(desk, fault, written, placed=fault.where[:1] == ("shifts",)),
        )
        for fault in (found.faults if checked else ())
    ]
    present = await worktime.signed(desk.session, now=desk.now)
    shown = None
    if checked and not faults:
        on_duty = await worktime.rostered(desk.session, now=desk.now)
        shown = compared(desk, worktime.of_change(present), found, today, on_duty)
    return desk.render(
        "console/worktime_edit.html",
        status=refusal.status if refusal else 422 if faults else 200,
        here="/admin/hours/edit",
        # That there are faults is said by the list of them.
        error=refusal.words if refusal and not (faults and refusal.key == "hours_faulty") else "",
        faults=faults,
        faulty={line.field: line.brief for line in reversed(faults)},
        compared=shown,
        taken_in=taken_in,
        seen=desk.form.text("seen") or (present.id if present else 0),
        week=[
            (day, desk.t(f"hours.weekday.{n}"), written.week.get(day, ""))
            for n, day in enumerate(WEEKDAYS, 1)
        ],
        years=written.years,
        addable=worktime_form.addable_years(written, today),
        columns=COLUMNS,
        kinds=[
            (kind.value, desk.t(f"hours.kind.{kind.value}"))
            for kind in (DayKind.REST, DayKind.MAKE_UP, DayKind.WORK)
        ],
        shifts=written.shifts,
        closed=CLOSED[0],
        basis=desk.form.text("basis"),
    )


def _now_words(desk: Desk) -> str:
    """Whether the office is open at this moment, and until or from when."""
    closes, opens = desk.hours.closes_at(desk.now), desk.hours.next_open(desk.now)
    if closes is not None:
        # The end of a day is said as such, not as the beginning of the next.
        return desk.t("hours.open_until", time=times.clock(closes).replace("00:00", "24:00"))
    if opens is None:
        return desk.t("hours.closed")
    return desk.t("hours.opens_at", at=times.moment(opens, desk.frame.language))


def _step(first: date, days: int) -> str:
    try:
        return (first + timedelta(days=days)).isoformat()
    except OverflowError:
        return first.isoformat()


async def _history(desk: Desk, found: list[Change]) -> list[dict[str, Any]]:
    people = {number for change in found for number in (change.author_id, change.signer_id) if number}
    names = await staff.names(desk.session, people)
    return [
        {
            "id": change.id,
            "number": change.number,
            "state": desk.t(f"change.state.{change.state.value}"),
            "basis": change.basis,
            "author": names.get(change.author_id or 0, ""),
            "signer": names.get(change.signer_id or 0, ""),
            "at": times.moment(change.signed_at or change.created_at, desk.frame.language),
        }
        for change in found
    ]
