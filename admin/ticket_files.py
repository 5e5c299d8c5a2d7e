"""The files of a ticket on its page: who may open one gets a link that holds half an hour."""

from __future__ import annotations

from typing import Any

from admin import times
from admin.pages import Desk
from office.staff import Permission
from ticketing import attachments
from ticketing.attachments import LARGEST_WEB, LINK_HOLDS, MOST
from ticketing.records import Ticket


async def context(desk: Desk, ticket: Ticket) -> dict[str, Any]:
    """The files for the ticket's page: a link for whoever may open one, a line for everybody else."""
    until = desk.now + LINK_HOLDS
    shown = []
    rows = await attachments.of_ticket(desk.session, ticket)
    for row in rows:
        there = row.removed_at is None and row.fetch_at is None
        may = there and await attachments.may_open(desk.session, row, ticket, desk.person)
        token = attachments.link(desk.services.secret, row.id, desk.person.id, until) if may else ""
        shown.append(
            {
                "id": row.id,
                "name": row.name,
                "size": f"{max(1, row.size // 1024):,} KB",
                "when": times.moment(row.at, desk.frame.language),
                "by_asker": row.staff_id is None,
                "gone": row.removed_at is not None,
                "coming": row.fetch_at is not None,
                "quarantined": row.quarantined,
                "link": f"/admin/attachments/{token}" if token else "",
                "may_release": may and row.quarantined and ticket.assignee_id == desk.person.id,
            }
        )
    held = sum(row.removed_at is None for row in rows)
    return {
        "files": shown,
        "minutes": int(LINK_HOLDS.total_seconds() // 60),
        "may_upload": desk.may(Permission.WORK_TICKETS) and held < MOST,
        "most": LARGEST_WEB // 1024 // 1024,
    }
