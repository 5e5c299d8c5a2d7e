"""All fields of the unanswered call record on a ticket's page, and what an officer may fill in of them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any

from admin import answer_box
from admin.pages import Desk
from knowledge.versions import topics
from office import units
from office.hours import BEIJING
from office.staff import Permission
from ticketing import record_fields, record_view, record_words
from ticketing.particulars import AnswerMode
from ticketing.record_fields import CHOICES, MORE_WORDS, NEEDED, SEALED, TEXTS, TIMES
from ticketing.records import REMOVED, Ticket

PREFIX = "r_"
"""Before the names of these fields: other forms of the page have a note and a group of their own."""
GROUPED: Mapping[str, tuple[str, ...]] = {
    "intake": ("relayed_from", "relayed_no", "post", "call_started_at", "call_ended_at"),
    "asker": ("asker_kind", "voter_kind", "asker_name", "phone", "electoral_district", "group_no", "station"),
    "question": (
        "summary", "ledger", "topic", "nature", "residence_case", "platform_module", "symptom",
        "failure_reason", "secrecy", "spot_reply", "why_unanswered",
    ),
    "conclusion": ("answer_mode", "cause", "tip_no", "superior_no", "note"),
}  # fmt: skip
LONG = frozenset({"summary", "spot_reply", "note"})


async def context(desk: Desk, ticket: Ticket) -> dict[str, Any]:
    """What the part of the ticket's page shows: the record, and the form for whoever may fill it in."""
    unit = await units.get(desk.session, ticket.unit_id)
    groups = await record_view.groups(
        desk.session, ticket, unit, sealer=desk.services.sealer, language=desk.frame.language
    )
    may_edit = desk.may(Permission.WORK_TICKETS) and not record_words.hidden(ticket)
    again = "record_form" in desk.form.fields
    return {
        "groups": [
            {
                "key": group.key,
                "heading": group.heading,
                "pairs": [(line.label, line.value) for line in group.lines if line.value],
                "empty": [line.label for line in group.lines if not line.value],
            }
            for group in groups
        ],
        "may_edit": may_edit,
        "may_export": desk.may(Permission.EXPORT_TICKETS),
        "open": again,
        "form": [_fields(desk, ticket, key, names, again=again) for key, names in GROUPED.items()]
        if may_edit
        else [],
        "more_words": desk.form.text(PREFIX + MORE_WORDS) if again else "",
        # The page may have been made anew after a refusal: then it says what the present version is.
        "version": ticket.version,
    }


def typed(desk: Desk) -> dict[str, str]:
    """The fields of the posted form by their own names."""
    names = {PREFIX + name: name for name in record_fields.FIELDS}
    return {names[name]: desk.form.text(name) for name in desk.form.fields if name in names}


def _fields(desk: Desk, ticket: Ticket, key: str, names: tuple[str, ...], *, again: bool) -> dict[str, Any]:
    return {
        "heading": desk.t(f"record.group.{key}"),
        "fields": [_field(desk, ticket, name, again=again) for name in names],
    }


def _field(desk: Desk, ticket: Ticket, name: str, *, again: bool) -> dict[str, Any]:
    value = desk.form.text(PREFIX + name) if again else _present(ticket, name)
    found: dict[str, Any] = {
        "name": PREFIX + name,
        "label": desk.t(f"record.label.{name}"),
        "value": value,
        "kind": "text",
        "hint": "",
        "options": [],
        "most": TEXTS.get(name) or SEALED.get(name) or 0,
        "remove": "",
    }
    if name in CHOICES:
        words = [(one.value, _choice(desk, ticket, name, one)) for one in CHOICES[name]]
        none = [] if name in NEEDED else [("", desk.t("record.not_told"))]
        return found | {"kind": "select", "options": [*none, *words]}
    if name == "topic":
        known = [(topic.id, topic.meaning) for topic in topics().values()]
        return found | {"kind": "select", "options": [("", desk.t("record.not_told")), *known]}
    if name in TIMES:
        return found | {"kind": "datetime-local"}
    if name in SEALED:
        shown = record_words.asker_name if name == "asker_name" else record_words.masked_phone
        there = shown(ticket, desk.services.sealer)
        hint = desk.t("record.sealed_hint", there=there) if there else desk.t("record.sealed_none")
        return found | {"hint": hint, "remove": f"{PREFIX}{name}_remove" if there else ""}
    return found | {"kind": "textarea"} if name in LONG else found


def _choice(desk: Desk, ticket: Ticket, name: str, one: StrEnum) -> str:
    # Who has no chat was laid on the call-back list instead, as the box for the answer says.
    if one is AnswerMode.CHAT and ticket.contact_id is None and ticket.words != REMOVED:
        return desk.t(answer_box.without_chat(ticket))
    return record_words.choice(name, one, desk.frame.language)


def _present(ticket: Ticket, name: str) -> str:
    value = None if name in SEALED else getattr(ticket, name)
    if isinstance(value, datetime):
        return f"{value.astimezone(BEIJING):%Y-%m-%dT%H:%M}"
    return str(value or "")
