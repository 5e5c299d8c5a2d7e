"""Special handling on a ticket's page: offline, other offices, checks of the list, and files."""

from __future__ import annotations

from typing import Any

from admin import elsewhere, ticket_files, times
from admin.pages import Desk
from office import staff, units
from office.staff import Permission
from ticketing import leading, offline, openings, restricted
from ticketing.offline import OfflineResult, OfflineWay
from ticketing.records import OPEN_STATES, TRANSITIONS, Ticket, TicketState

S = TicketState


async def context(desk: Desk, ticket: Ticket) -> dict[str, Any]:
    """What the part of the ticket's page shows: who handles it offline, who may open what it says, what one
    may do about it, and what other offices and files have to do with it."""
    session, person = desk.session, desk.person
    unit = await units.get(session, ticket.unit_id)
    leads = await leading.leads(session, person, unit, now=desk.now)
    confidential = ticket.offline_owner_id is not None
    return {
        "base": f"/admin/tickets/{ticket.id}",
        "version": ticket.version,
        "offline": await _offline(desk, ticket, leads=leads),
        "case": await _case(desk, ticket, leads=leads) if confidential else None,
        "elsewhere": await elsewhere.context(desk, ticket),
        "files": await ticket_files.context(desk, ticket),
    }


async def _offline(desk: Desk, ticket: Ticket, *, leads: bool) -> dict[str, Any]:
    """Whether somebody wants it offline, and what the reader may do about that."""
    is_open = ticket.state in OPEN_STATES
    flagged = is_open and restricted.flagged(ticket)
    decides = leads and S.OFFLINE in TRANSITIONS[ticket.state]
    people = [(one.id, one.name) for one in (await offline.suited(desk.session, ticket) if decides else [])]
    return {
        "flagged": flagged,
        "may_flag": is_open and not flagged and desk.may(Permission.WORK_TICKETS),
        "may_take": decides,
        "may_decline": leads and flagged,
        "people": people,
        "waits_for_state": leads and flagged and not decides,
    }


async def _case(desk: Desk, ticket: Ticket, *, leads: bool) -> dict[str, Any]:
    """A case that is or was handled offline: its owner, its list, and who has opened it when and why."""
    session, person, language = desk.session, desk.person, desk.frame.language
    readers = await openings.readers(session, ticket)
    opened = await openings.openings(session, ticket)
    owner = await staff.get(session, ticket.offline_owner_id or 0)
    listed = any(one.id == person.id for one in readers)
    works = desk.may(Permission.WORK_TICKETS)
    is_offline = ticket.state is S.OFFLINE
    others = [one for one in await offline.suited(session, ticket) if leads]
    ids = {one.id for one in readers}
    reviewers = await staff.names(session, {row.reviewed_by_id for row, _ in opened if row.reviewed_by_id})
    return {
        "open": is_offline,
        "owner": owner.name,
        "mine": owner.id == person.id,
        "done": times.moment(ticket.offline_done_at, language) if ticket.offline_done_at else "",
        "way": desk.t(f"offline.way.{ticket.offline_way}") if ticket.offline_way else "",
        "result": desk.t(f"offline.result.{ticket.offline_result}") if ticket.offline_result else "",
        "ways": [(way.value, desk.t(f"offline.way.{way}")) for way in OfflineWay],
        "results": [(result.value, desk.t(f"offline.result.{result}")) for result in OfflineResult],
        "may_close": is_offline and owner.id == person.id,
        "may_open": works and listed,
        "may_break": not listed and works and desk.may(Permission.PUBLISH_ENTRIES),
        "may_list": leads,
        "readers": [{"id": one.id, "name": one.name, "owner": one.id == owner.id} for one in readers],
        "others": [(one.id, one.name) for one in others if one.id not in ids],
        "owners": [(one.id, one.name) for one in others if one.id != owner.id] if is_offline else [],
        "openings": [
            {
                "who": one.masked_name,
                "when": times.moment(row.at, language),
                "reason": row.reason,
                "broken": row.break_glass,
                "reviewed": staff.mask_name(reviewers.get(row.reviewed_by_id or 0, ""))
                if row.reviewed_by_id
                else "",
            }
            for row, one in opened
        ]
        if listed or leads
        else [],
    }
