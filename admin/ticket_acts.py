"""What this person may do with a ticket besides answering it; the forms post to `admin.ticket_posts`."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from admin import times
from admin.pages import Desk
from office import staff, units, work_groups
from office.hours import BEIJING
from office.staff import Permission
from office.units import contains
from ticketing import assigning, holding, interim, joint, leading
from ticketing.records import OPEN_STATES, Ticket, TicketState

S = TicketState


async def context(desk: Desk, ticket: Ticket) -> dict[str, Any]:
    """What this person may do now, and what the forms need for it; empty for whoever only reads."""
    if not desk.may(Permission.WORK_TICKETS):
        return {}
    session, person, now, language = desk.session, desk.person, desk.now, desk.frame.language
    unit = await units.get(session, ticket.unit_id)
    leader = await leading.leads(session, person, unit, now=now)
    holds = ticket.state is S.WORKING and ticket.assignee_id == person.id
    given = ticket.assignee_id == person.id or await _in_group(desk, ticket)
    free = leader or ticket.hops < assigning.FREE_HOPS
    others = await joint.members(session, ticket)
    wanted, own_wish = ticket.hold_wanted_until, ticket.hold_wanted_by_id == person.id
    running = ticket.state in OPEN_STATES and ticket.state is not S.ON_HOLD
    in_time = now < ticket.promised_at and ticket.extensions < interim.MOST_EXTENSIONS
    can = {
        "accept": ticket.state is S.ASSIGNED and given,
        "assign": ticket.state is S.UNASSIGNED and leader,
        "transfer": ticket.state is S.WORKING and (leader or holds) and free,
        "send_back": free
        and (
            (ticket.state is S.WORKING and (leader or holds))
            or (ticket.state is S.ASSIGNED and (leader or given))
        ),
        "joint": holds,
        "contribute": ticket.state in OPEN_STATES and any(one.id == person.id for _, one in others),
        "hold": holds and wanted is None,
        "grant": leader and ticket.state is S.WORKING and wanted is not None and not own_wish,
        "resume": ticket.state is S.ON_HOLD and (leader or ticket.assignee_id in (None, person.id)),
        "extend": leader and running and in_time,
        "nudge": ticket.state in OPEN_STATES and not holds,
        "split": leader and ticket.state is S.MERGED,
        "unvoid": leader and ticket.state is S.VOID,
    }
    choosing = can["assign"] or can["transfer"] or can["joint"]
    return {
        "can": can,
        "any": any(can.values()) or bool(others),
        "people": [one for one in await _fit(desk, unit.path) if one[0] != ticket.assignee_id]
        if choosing
        else [],
        "groups": [(group.name, group.name) for group in await work_groups.listed(session)],
        "members": [{"who": one.masked_name, "given": member.given_at is not None} for member, one in others],
        "hops": ticket.hops,
        "hops_used_up": not free and (holds or given),
        "reasons": [(why.value, desk.t(f"ticket.why.{why}")) for why in holding.REASONS],
        "wanted": times.moment(wanted, language) if wanted else "",
        # Whoever else leads sees the buttons; who asked and leads is told why they do not.
        "hold_own": leader and own_wish,
        "resume_by": times.moment(ticket.resume_by, language) if ticket.resume_by else "",
        "latest_hold": _local(now + holding.LONGEST_HOLD),
        "promised": times.moment(ticket.promised_at, language),
        "promised_local": _local(ticket.promised_at),
        "extensions": ticket.extensions,
        "most_extensions": interim.MOST_EXTENSIONS,
        "nudges": ticket.nudges,
    }


async def _fit(desk: Desk, path: str) -> list[tuple[int, str]]:
    """Who may work on tickets of the unit at this path, with the groups they are in."""
    session, found = desk.session, []
    office = await units.election_office(session)
    for person in await staff.all_staff(session, office.path):
        if staff.may(person, Permission.WORK_TICKETS) and contains(await staff.reach(session, person), path):
            within = "、".join(await work_groups.of_person(session, person))
            found.append((person.id, f"{person.name}（{within}）" if within else person.name))
    return found


async def _in_group(desk: Desk, ticket: Ticket) -> bool:
    if ticket.assignee_id is not None or not ticket.group:
        return False
    return ticket.group in await work_groups.of_person(desk.session, desk.person)


def _local(at: datetime) -> str:
    return f"{at.astimezone(BEIJING):%Y-%m-%dT%H:%M}"
