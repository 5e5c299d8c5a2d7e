"""Other offices on a ticket's page: another district, the one above, one below; and checks of the list."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select

from admin import times
from admin.pages import Desk
from knowledge import rules
from office import staff, units
from office.hours import beijing_day
from office.staff import Permission, Staff
from office.units import Unit, contains
from ticketing import cross_area, superiors
from ticketing.checking import Count, Paper
from ticketing.records import OPEN_STATES, Ticket, TicketKind, TicketState

S = TicketState


async def context(desk: Desk, ticket: Ticket) -> dict[str, Any]:
    """What has been asked of other offices and what came back, and what one may do about it."""
    works = desk.may(Permission.WORK_TICKETS) and ticket.offline_owner_id is None
    holds = works and ticket.state is S.WORKING and ticket.assignee_id == desk.person.id
    is_open = works and ticket.state in OPEN_STATES
    below = await _below(desk, ticket) if holds or (works and ticket.state is S.UNASSIGNED) else []
    return {
        "cross": await _cross(desk, ticket) if ticket.cross_area else None,
        "may_cross": holds and not cross_area.waiting(ticket),
        "may_feedback": is_open and cross_area.waiting(ticket),
        "neighbours": [row.name for row in await rules.contacts(desk.session, desk.now)] if holds else [],
        "superior": _superior(desk, ticket),
        "may_superior": holds and not superiors.waiting(ticket),
        "may_superior_answer": works and superiors.waiting(ticket) and ticket.state in (S.WORKING, S.ON_HOLD),
        "below": [(unit.id, unit.name) for unit in below],
        "officers": await _officers(desk, below),
        "check": await _check(desk, ticket),
        "may_check": holds and ticket.kind is TicketKind.VERIFY,
        "may_check_second": works
        and bool(ticket.materials)
        and not ticket.materials.get("second_by")
        and ticket.materials.get("checked_by") != desk.person.id,
        "papers": [(paper.value, desk.t(f"checking.paper.{paper}")) for paper in Paper],
        "counts": [(desk.t(f"checking.count.{name}"), number) for name, number in ticket.roll_counts.items()],
        "may_count": holds and ticket.kind in (TicketKind.VERIFY, TicketKind.CORRECTION, TicketKind.APPEAL),
        "count_fields": [
            (count.value, desk.t(f"checking.count.{count}"), ticket.roll_counts.get(count.value, 0))
            for count in Count
        ],
        "today": beijing_day(desk.now).isoformat(),
    }


async def _cross(desk: Desk, ticket: Ticket) -> dict[str, Any]:
    told: Mapping[str, Any] = ticket.cross_area
    names = await staff.names(desk.session, {told["consent_taken_by"]})
    return {
        "pairs": [
            (desk.t(f"cross.{name}"), told[name])
            for name in ("district", "applied_at", "registered_at", "person", "request")
            if told.get(name)
        ]
        + [
            (desk.t("cross.consent"), f"{_when(desk, told['consent_at'])} · {_masked(names)}"),
            (desk.t("cross.asked_at"), _when(desk, told["asked_at"])),
            (desk.t("cross.answer_by"), told["answer_by"] or desk.t("cross.no_day")),
            (desk.t("cross.feedback"), told["feedback"] or desk.t("cross.waiting")),
        ]
        + ([(desk.t("cross.feedback_at"), _when(desk, told["feedback_at"]))] if told["feedback_at"] else []),
        "waiting": cross_area.waiting(ticket),
        "before": len(told.get("before", [])),
    }


def _superior(desk: Desk, ticket: Ticket) -> dict[str, Any] | None:
    if ticket.superior_asked_at is None:
        return None
    language = desk.frame.language
    answered = ticket.superior_answered_at
    return {
        "no": ticket.superior_no,
        "asked": times.moment(ticket.superior_asked_at, language),
        "answered": times.moment(answered, language) if answered else "",
        "waiting": superiors.waiting(ticket),
        "hold": superiors.waiting(ticket) and ticket.state is S.WORKING,
    }


async def _check(desk: Desk, ticket: Ticket) -> dict[str, Any] | None:
    told = ticket.materials
    if not told:
        return None
    people = await staff.names(
        desk.session, {number for number in (told["checked_by"], told["second_by"]) if number}
    )
    seen = "、".join(desk.t(f"checking.paper.{name}") for name in told["seen"])
    by = staff.mask_name(people.get(told["checked_by"], ""))
    pairs = [
        (desk.t("checking.category"), told["category"]),
        (desk.t("checking.online"), told["online"]),
        (desk.t("checking.seen"), seen or desk.t("checking.none_seen")),
        (desk.t("checking.image_no"), told["image_no"]),
        (desk.t("checking.failed"), told["failed"] or desk.t("checking.passed")),
        (desk.t("checking.by"), f"{by} · {_when(desk, told['checked_at'])}"),
    ]
    if told["second_by"]:
        second = staff.mask_name(people.get(told["second_by"], ""))
        pairs.append((desk.t("checking.second"), f"{second} · {_when(desk, told['second_at'])}"))
    return {"pairs": [(term, words) for term, words in pairs if words]}


async def _below(desk: Desk, ticket: Ticket) -> list[Unit]:
    above = await units.get(desk.session, ticket.unit_id)
    rows = await desk.session.scalars(
        select(Unit).where(Unit.path.startswith(above.path), Unit.id != above.id).order_by(Unit.path)
    )
    reach = await staff.reach(desk.session, desk.person)
    return [unit for unit in rows if contains(reach, unit.path)]


async def _officers(desk: Desk, below: list[Unit]) -> list[tuple[int, str]]:
    """Who sits in those units and works on tickets, with the unit's name beside theirs."""
    homes = {unit.id: unit.name for unit in below}
    if not homes:
        return []
    rows = await desk.session.scalars(select(Staff).where(Staff.unit_id.in_(homes)).order_by(Staff.id))
    return [
        (one.id, f"{homes[one.unit_id]} · {one.masked_name}")
        for one in rows
        if staff.may(one, Permission.WORK_TICKETS)
    ]


def _when(desk: Desk, moment: str) -> str:
    return times.moment(datetime.fromisoformat(moment), desk.frame.language)


def _masked(names: dict[int, str]) -> str:
    return "、".join(staff.mask_name(name) for name in names.values())
