"""The audit as a page: newest first, and the check of its chain."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Depends
from fastapi.responses import Response
from sqlalchemy import select

from admin import forms, times
from admin.pages import Desk, signed_in
from knowledge import tip_words, tips
from knowledge.checks import PublicationCheck
from knowledge.tips import WorkTip
from knowledge.versions import Entry, EntryVersion
from office import audit, staff, units
from office.bindings import ChatGroup
from office.changes import Change
from office.staff import Permission
from office.units import Unit
from ticketing.records import Ticket

router = APIRouter()
Auditing = Annotated[Desk, Depends(signed_in(Permission.SEE_AUDIT))]
KINDS = ("ticket.", "entry_version.", "work_tip.", "change.", "station.", "lookup.", "roll_import.", "staff.")
LONGEST_TITLE = 24
STATES = {
    "call_back": "call_back.state",
    "change": "change.state",
    "chat_group": "bindings.group_state",
    "cluster": "cluster.state",
    "duty_swap": "roster.swap_state",
    "entry_version": "entry.state",
    "publication_check": "check.state",
    "recall": "recall.state",
    "roster": "roster.state",
    "staff_binding": "bindings.state",
    "ticket": "ticket.state",
}
"""Where the words for the states of a kind stand; those of all others in `audit.state.`."""


@router.get("/audit")
async def show(desk: Auditing) -> Response:
    """Who did what to which subject. The chain is one for the whole office, so its reader must be too."""
    office = await units.election_office(desk.session)
    await staff.must(desk.session, desk.person, Permission.SEE_AUDIT, office.path)
    asked = desk.request.query_params
    action = asked.get("action", "") if asked.get("action") in KINDS else ""
    subject = forms.clean(asked.get("q", "")).strip()[:64]
    page = int(asked["page"]) if asked.get("page", "").isdecimal() and len(asked["page"]) < 7 else 1
    meant = await _meant(desk, subject) if subject else []
    rows, total = await audit.listed(desk.session, subjects=meant, action=action, page=page)
    labels = await _labels(desk, rows)
    checked = asked.get("check") == "1"
    sound, fault = await audit.verify(desk.session) if checked else (0, None)
    kept = {name: value for name, value in (("action", action), ("q", subject)) if value}
    return desk.render(
        "console/audit.html",
        rows=[_row(desk, row, labels) for row in rows],
        total=total,
        action=action,
        actions=[
            ("", desk.t("audit.all_actions")),
            *((kind, desk.t(f"audit.kind_{kind.rstrip('.')}")) for kind in KINDS),
        ],
        subject=subject,
        page=page,
        pages=max(1, -(-total // audit.PAGE)),
        page_base="/admin/audit?" + urlencode({**kept, "page": ""}),
        check_url="/admin/audit?" + urlencode({**kept, "check": "1"}),
        checked=checked,
        sound=sound,
        fault=None if fault is None else {"id": fault.entry_id, "reason": _fault(desk, fault.reason)},
    )


def _fault(desk: Desk, reason: str) -> str:
    keys = {"missing": "missing", "missing at the end": "missing_end", "changed": "changed"}
    return desk.t(f"audit.fault_{keys.get(reason, 'order')}")


async def _meant(desk: Desk, text: str) -> list[str]:
    """The subjects that a number as people know it stands for; a text that is none stands for itself."""
    found = [
        f"ticket:{number}"
        for number in await desk.session.scalars(select(Ticket.id).where(Ticket.ticket_no == text.upper()))
    ]
    of_entry = select(EntryVersion.id).join(Entry, Entry.id == EntryVersion.entry_id)
    versions = await desk.session.scalars(of_entry.where(Entry.entry_no == text.upper()))
    found += [f"entry_version:{number}" for number in versions]
    tip = await tips.numbered(desk.session, text)
    return [*found, *([f"work_tip:{tip.id}"] if tip else [])] or [text]


async def _labels(desk: Desk, rows: Sequence[audit.AuditEntry]) -> dict[int, str]:
    """The numbers and names by which people know what lines are about, by line; the search takes both."""
    born: dict[str, datetime] = {}
    ids: dict[str, set[int]] = {}
    for subject in {row.subject for row in rows}:
        kind, _, number = subject.partition(":")
        if number.isdecimal():
            ids.setdefault(kind, set()).add(int(number))
    found: dict[str, str] = {}
    for ticket in await desk.session.scalars(select(Ticket).where(Ticket.id.in_(ids.get("ticket", ())))):
        found[f"ticket:{ticket.id}"] = ticket.ticket_no
    chosen = EntryVersion.id.in_(ids.get("entry_version", ()))
    both = select(EntryVersion.id, EntryVersion.number, Entry).join(Entry, Entry.id == EntryVersion.entry_id)
    for version_id, version_number, entry in await desk.session.execute(both.where(chosen)):
        label = f"{entry.entry_no} {desk.t('passport.version', n=version_number)}"
        found[f"entry_version:{version_id}"] = label
    for staff_id, name in (await staff.names(desk.session, ids.get("staff", set()))).items():
        found[f"staff:{staff_id}"] = name
    of_checks = select(PublicationCheck.id, EntryVersion.number, Entry.entry_no).select_from(PublicationCheck)
    of_checks = of_checks.join(EntryVersion, EntryVersion.id == PublicationCheck.version_id)
    of_checks = of_checks.join(Entry, Entry.id == EntryVersion.entry_id)
    wanted = PublicationCheck.id.in_(ids.get("publication_check", ()))
    for check_id, version_number, entry_no in await desk.session.execute(of_checks.where(wanted)):
        label = f"{entry_no} {desk.t('passport.version', n=version_number)}"
        found[f"publication_check:{check_id}"] = label
    of_changes = select(Change.id, Change.kind, Change.number).where(Change.id.in_(ids.get("change", ())))
    for change_id, change_kind, change_number in await desk.session.execute(of_changes):
        found[f"change:{change_id}"] = f"{desk.t(f'change.kind.{change_kind}')} {change_number}"
    for tip in await desk.session.scalars(select(WorkTip).where(WorkTip.id.in_(ids.get("work_tip", ())))):
        born[f"work_tip:{tip.id}"] = tip.created_at
        found[f"work_tip:{tip.id}"] = tip_words.number(tip) or tip.title[:LONGEST_TITLE]
    for group in await desk.session.scalars(
        select(ChatGroup).where(ChatGroup.id.in_(ids.get("chat_group", ())))
    ):
        found[f"chat_group:{group.id}"] = group.title
    for unit in await desk.session.scalars(select(Unit).where(Unit.id.in_(ids.get("unit", ())))):
        found[f"unit:{unit.id}"] = unit.name
    for contact_id in ids.get("contact", ()):
        found[f"contact:{contact_id}"] = f"{desk.t('actor.contact')} {contact_id}"
    # SQLite gives the row number of a deleted draft to the next one: older lines are about another.
    return {
        row.id: found[row.subject]
        for row in rows
        if row.subject in found and row.at >= born.get(row.subject, row.at)
    }


def _row(desk: Desk, row: audit.AuditEntry, labels: dict[int, str]) -> dict[str, Any]:
    kind, _, number = row.subject.partition(":")
    href = ""
    if kind == "ticket" and desk.may(Permission.SEE_TICKETS):
        href = f"/admin/tickets/{number}"
    if kind == "change" and desk.may(Permission.SEE_RULES):
        href = f"/admin/changes/{number}"
    if kind == "work_tip" and row.id in labels and desk.may(Permission.SEE_ENTRIES):
        href = f"/admin/tips/{number}"
    if kind == "staff" and number != "0" and desk.may(Permission.SEE_STAFF):
        href = f"/admin/staff/{number}"
    return {
        "id": row.id,
        "time": times.moment(row.at, desk.frame.language),
        "who": desk.t(f"actor.{row.actor_kind}") if row.actor_kind != "staff" else row.actor_name,
        "channel": "" if row.channel in ("console", "system") else _channel(desk, row.channel),
        "action": row.action,
        "what": desk.t_or(f"act.{row.action}", row.action),
        "subject": row.subject,
        "label": "—" if row.subject == "staff:0" else labels.get(row.id, row.subject),
        "note": desk.t("audit.of_check") if kind == "publication_check" else "",
        "href": href,
        "facts": _facts(desk, kind, row.facts),
        "hash": row.entry_hash[:12],
    }


def _channel(desk: Desk, channel: str) -> str:
    return desk.t_or(f"channel.{channel}", channel)


def _value(desk: Desk, name: str, value: Any) -> str:
    if isinstance(value, dict):
        return desk.t("audit.items", n=len(value))
    if name == "roles":
        return desk.t("list.comma").join(desk.t_or(f"role.{role}", str(role)) for role in value)
    if name == "kind":
        return desk.t_or(f"ticket.kind.{value}", desk.t_or(f"change.kind.{value}", str(value)))
    if name == "why":
        return desk.t_or(f"ticket.why.{value}", str(value))
    if name == "faults":
        broken = [desk.t_or(f"audit.broken_{fault}", fault) for fault in str(value).split(", ")]
        return desk.t("list.comma").join(broken)
    if isinstance(value, list):
        return desk.t("list.comma").join(map(str, value))
    return desk.t_or(f"closed_by.{value}", str(value)) if name == "closed_by" else str(value)


def _facts(desk: Desk, kind: str, facts: dict[str, Any]) -> str:
    """The facts of a line, the change of state first and in words."""
    rest = dict(facts)
    shown: list[str] = []
    if "from" in rest and "to" in rest:
        prefix = STATES.get(kind, f"audit.state.{kind}")
        before, after = (str(rest.pop(end)) for end in ("from", "to"))
        before, after = desk.t(f"{prefix}.{before}"), desk.t(f"{prefix}.{after}")
        shown.append(f"{before} → {after}")
    rest.pop("version", None)
    shown += [
        f"{desk.t_or(f'fact.{kind}.{name}', desk.t_or(f'fact.{name}', name))} {_value(desk, name, value)}"
        for name, value in rest.items()
        if value not in (None, "", [], {})
    ]
    return " · ".join(shown)
