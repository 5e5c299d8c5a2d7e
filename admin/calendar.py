"""The election calendar: the strip of its days, trying any day out, and proposing another one."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from fastapi.responses import Response

from admin import calendar_rows, calendar_strip, times
from admin.calendar_strip import Mark
from admin.forms import Form
from admin.pages import Desk, Refusal, done, signed_in
from knowledge import calendar, elections, packs, rules
from knowledge.calendar import BadCalendar, DateKind, Dates, Election, Level
from knowledge.milestones import ENTERED, MOST_VOTING_DAYS, POSTINGS
from knowledge.pack_parts import Offset
from office import changes, staff
from office.changes import ChangeKind
from office.staff import Permission
from office.words import CHINESE

router = APIRouter(prefix="/calendar")
Reading = Annotated[Desk, Depends(signed_in(Permission.SEE_RULES))]
Drafting = Annotated[Desk, Depends(signed_in(Permission.DRAFT_RULES))]

# On one day with the vote, or told by the window itself; the line of ages would stretch the strip by years.
UNDRAWN = (*calendar_rows.REPEATED, DateKind.AGE_LINE, DateKind.DAY)
FIXED = (*ENTERED, DateKind.DAY, DateKind.VOTING)
"""Entered, and counted from nothing."""
MONTH_ROOM = 9.0
COLUMNS = ("audience", "from", "to", "note")
LOOKUP_COLUMNS = ("from", "to", "note")
ADDED = ("row", "lookup")
"""Buttons that add a line to the form and do nothing else: of a registration window, of a lookup window."""
EXAMPLE = {"day": "2021-11-16"}
"""A past election whose days are known, so that anybody can check how days are counted."""
_WHOLE = re.compile(r"[+-]?[0-9]{1,4}", re.ASCII)


@router.get("")
async def show(desk: Reading) -> Response:
    """The calendar in force: every milestone, who signed it, what is missing."""
    today = calendar.today(desk.now)
    change = await elections.change_in_force(desk.session, today)
    election = Election.from_content(change.content) if change else None
    dates = elections.dates_of(election)
    people = {number for number in (change.author_id, change.signer_id) if number} if change else set()
    names = await staff.names(desk.session, people)
    language, region = desk.frame.language, election.region if election else rules.DEFAULT
    return desk.render(
        "console/calendar.html",
        election=None if election is None or change is None else {
            "name": election.name,
            "level": desk.t(f"election.level_{election.level.value}"),
            "region": packs.load(election.region).name_in(language),
            "change": change.id,
            "number": change.number,
            "basis": change.basis,
            "author": names.get(change.author_id or 0, desk.t("changes.installation")),
            "signer": names.get(change.signer_id or 0, ""),
            "signed": times.moment(change.signed_at, language) if change.signed_at else "",
        },
        rows=calendar_rows.rows(desk, dates, today, region),
        strip=_strip(desk, dates, today),
        missing=calendar_rows.missing(desk, election, dates, today) if election else [],
        today=calendar.spoken(today, language),
        waiting=await _waiting(desk),
        packs=_packs(desk),
        tried={"region": region, "posted": "", **EXAMPLE},
        may_draft=desk.may(Permission.DRAFT_RULES),
    )  # fmt: skip


@router.get("/try")
async def attempt(desk: Reading) -> Response:
    """What follows from any election day, past or future, without keeping anything."""
    asked = desk.request.query_params
    tried = {name: asked.get(name, "").strip()[:16] for name in ("region", "day", "posted")}
    tried["region"] = tried["region"] if tried["region"] in packs.names() else rules.DEFAULT
    content: dict[str, Any] = {"name": "—", "region": tried["region"], "day": tried["day"] or None}
    if tried["posted"]:
        content["posted"] = {"list_posted": tried["posted"]}
    found: list[dict[str, Any]] = []
    dates: Dates = {}
    try:
        election = Election.from_content(content)
        # A day of the past may be tried, so nothing is held against today.
        wrong = calendar.contradictions(election, calendar.rules(election.region), date.min)
        if blocking := [finding for finding in wrong if finding.blocks]:
            raise BadCalendar(*blocking)
        dates = elections.dates_of(election)
    except BadCalendar as error:
        found = calendar_rows.findings(desk, error.findings, tried["region"])
    today = calendar.today(desk.now)
    return desk.render(
        "console/calendar_try.html",
        status=422 if found else 200,
        tried=tried,
        packs=_packs(desk),
        findings=found,
        rows=calendar_rows.rows(desk, dates, today, tried["region"]),
        strip=_strip(desk, dates, today),
    )


@router.get("/propose")
async def form(desk: Drafting) -> Response:
    """The form for another calendar, filled in with the one in force."""
    return await _form_page(desk)


@router.post("/propose")
async def propose(desk: Drafting) -> Response:
    """Propose a calendar, or only compute it, or only add a line for one more window."""
    desk.on_refusal(_form_page)
    if desk.form.text("then") in (*ADDED, "look"):
        return await _form_page(desk, None, desk.form.text("then"))
    change = await elections.propose(
        desk.session, _content(desk.form), basis=desk.form.text("paper"), actor=desk.person, now=desk.now,
        reason=desk.form.text("reason"),
    )  # fmt: skip
    return done(f"/admin/changes/{change.id}", "change_proposed")


def _strip(desk: Desk, dates: Dates, today: date) -> dict[str, Any]:
    marks = [
        Mark(one.opens or one.first, one.last, calendar_rows.name(desk, one),
             calendar_rows.TONES[calendar.tense_of(one, today)], one.days is None)
        for kind, found in dates.items() if kind not in UNDRAWN for one in found
    ]  # fmt: skip
    strip = calendar_strip.drawn(marks, today)
    return {
        "lanes": strip.lanes,
        "months": [
            (desk.t("election.month", year=day.year, month=_month(desk, day)), left)
            for day, left in calendar_strip.months_apart(strip, MONTH_ROOM)
        ],
        "today": strip.today,
    }


def _month(desk: Desk, day: date) -> str:
    return f"{day.month}月" if desk.frame.language == CHINESE else calendar.MONTHS[day.month - 1]


async def _waiting(desk: Desk) -> int | None:
    return next(
        (change.id for change in await changes.waiting(desk.session) if change.kind is ChangeKind.CALENDAR),
        None,
    )


def _packs(desk: Desk) -> list[tuple[str, str]]:
    return [(pack_id, packs.load(pack_id).name_in(desk.frame.language)) for pack_id in packs.names()]


# ---- the form ----


def _content(form: Form) -> dict[str, Any]:
    """What the form says, as it was typed: what cannot be read is refused with its place."""
    days = form.text("voting_days")
    return {
        "name": form.text("name").strip(),
        "level": form.text("level"),
        "region": form.text("region"),
        "day": form.text("day").strip() or None,
        "voting_days": int(days) if days.isdecimal() and len(days) < 3 else days,
        "windows": _windows(form, "window", COLUMNS),
        "lookup": _windows(form, "lookup", LOOKUP_COLUMNS),
        "posted": {
            kind.value: day for kind in POSTINGS if (day := form.text(f"posted_{kind.value}").strip())
        },
        "offsets": _offsets(form),
    }


def _windows(form: Form, prefix: str, names: Sequence[str]) -> list[dict[str, str]]:
    columns = [form.all(f"{prefix}_{name}") for name in names]
    rows = [
        {name: value.strip() for name, value in zip(names, row, strict=True)}
        for row in zip(*columns, strict=False)
    ]
    return [row for row in rows if any(row.values())]


def _offsets(form: Form) -> dict[str, dict[str, Any]]:
    found = {}
    for kind in DateKind:
        days, basis = (form.text(f"offset_{name}_{kind.value}").strip() for name in ("days", "basis"))
        if days or basis:
            found[kind.value] = {"days": int(days) if _WHOLE.fullmatch(days) else days, "basis": basis}
    return found


async def _form_page(desk: Desk, refusal: Refusal | None = None, then: str = "") -> Response:
    today = calendar.today(desk.now)
    typed = refusal is not None or bool(then)
    held = await elections.in_force(desk.session, today)
    content = _content(desk.form) if typed else held.as_content() if held else {}
    computed, found = await _computed(desk, content) if typed and then not in ADDED else (None, [])
    region = content.get("region") or rules.DEFAULT
    windows, lookup = content.get("windows", []), content.get("lookup", [])
    spare = 1 if then == "row" or not windows else 0
    spare_lookup = 1 if then == "lookup" or not lookup else 0
    return desk.render(
        "console/calendar_form.html",
        status=refusal.status if refusal else 200,
        here="/admin/calendar/propose",
        # What the calendar itself is refused for stands with the findings.
        error=refusal.words if refusal and not (found and refusal.key.startswith("calendar.")) else "",
        findings=found,
        wrong={one["anchor"]: one["words"] for one in found if one["anchor"]},
        computed=computed,
        values={
            "name": content.get("name", ""), "region": region, "day": content.get("day") or "",
            "level": content.get("level") or Level.COUNTY.value, "voting_days": content.get("voting_days", 1),
            "paper": desk.form.text("paper"), "reason": desk.form.text("reason"),
        },
        windows=[*windows, *[dict.fromkeys(COLUMNS, "")] * spare],
        lookup=[*lookup, *[dict.fromkeys(LOOKUP_COLUMNS, "")] * spare_lookup],
        posted=_posted_rows(desk, region, content.get("posted", {})),
        offsets_open=bool(content.get("offsets")) or any(one["anchor"].startswith("offset") for one in found),
        offsets=_offset_rows(desk, region, content.get("offsets", {})),
        packs=_packs(desk),
        levels=[(level.value, desk.t(f"election.level_{level.value}")) for level in Level],
        voting=[(n, desk.t("election.n_days", n=n)) for n in range(1, MOST_VOTING_DAYS + 1)],
        waiting=await _waiting(desk),
    )  # fmt: skip


async def _computed(
    desk: Desk, content: Mapping[str, Any]
) -> tuple[dict[str, Any] | None, list[dict[str, Any]]]:
    """All dates before and after, or what is wrong."""
    region = content["region"]
    try:
        found = await elections.preview(desk.session, content, desk.now)
    except BadCalendar as error:
        return None, calendar_rows.findings(desk, error.findings, region)
    told = desk.t("election.follows", told=found.subscribers, entries=found.entries)
    shown = {
        "rows": calendar_rows.before_and_after(desk, found.moves),
        "notes": [
            {"words": told, "tone": "info"},
            *await calendar_rows.stations_astray(desk, elections.dates_of(found.election)),
        ],
        "left": 0,
    }
    return shown, calendar_rows.findings(desk, found.doubts, region)


def _posted_rows(desk: Desk, region: str, posted: Mapping[str, str]) -> list[tuple[str, str, str]]:
    return [
        (kind.value, calendar_rows.kind_label(desk, kind, region), posted.get(kind.value, ""))
        for kind in POSTINGS
    ]


def _offset_rows(desk: Desk, region: str, own: Mapping[str, Any]) -> list[dict[str, Any]]:
    table: tuple[Offset, ...] = calendar.rules(region) if region in packs.names() else ()
    return [
        {
            "kind": rule.kind,
            "label": calendar_rows.kind_label(desk, DateKind(rule.kind), region),
            "rule": desk.t(
                "election.rule",
                base=calendar_rows.kind_label(desk, DateKind(rule.base), region),
                n=f"{rule.days:+d}",
            ),
            "citation": rule.citation,
            "days": own.get(rule.kind, {}).get("days", ""),
            "basis": own.get(rule.kind, {}).get("basis", ""),
        }
        for rule in table
        if rule.relation == "offset" and rule.kind not in FIXED
    ]
