"""All fields of a ticket's record in groups, as its page shows them and as its own sheet prints them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy.ext.asyncio import AsyncSession

from office.seal import Sealer
from office.staff import mask_name
from office.units import Unit
from office.words import CHINESE, say
from ticketing import export_rows, record_refs, record_sheet
from ticketing.checking import Count, Paper
from ticketing.export_rows import Sheet
from ticketing.record_refs import Refs
from ticketing.record_words import (
    answered_at,
    answerer,
    asker_name,
    choice,
    conclusion,
    day,
    given_by,
    hidden,
    joined,
    last_digits,
    masked_phone,
    moment,
    said,
    topic,
    way,
    yes,
)
from ticketing.records import Ticket, TicketKind
from ticketing.restricted import HIDDEN

WHAT: Final = "ticket_sheet"
WIDTHS: Final = (1, 4)
# Of a confidential case only these stand on a page or a paper.
_OF_HIDDEN: Final = frozenset(
    {
        "ticket_no",
        "kind",
        "business_day",
        "accepted_at",
        "channel",
        "first_taker",
        "unit",
        "group",
        "assignee",
    }
    | {"priority", "due_at", "promised_at", "due_day", "hops", "offline_owner", "offline_done_at", "state"}
    | {"offline_way", "offline_result", "reopen_count", "statutory_due", "statutory_kind", "merged_into"}
)
_ON_ROLL: Final = (TicketKind.APPEAL, TicketKind.CORRECTION, TicketKind.VERIFY, TicketKind.CROSS_AREA)


@dataclass(frozen=True, slots=True)
class Line:
    """One field with its name and its value, both in words."""

    key: str
    label: str
    value: str


@dataclass(frozen=True, slots=True)
class Group:
    """Fields that stand together under a heading."""

    key: str
    heading: str
    lines: tuple[Line, ...]


async def groups(
    session: AsyncSession, ticket: Ticket, unit: Unit, *, sealer: Sealer, language: str, paper: bool = False
) -> tuple[Group, ...]:
    """The record in groups. On `paper` of a telephone number only the last four digits are left."""
    refs = await record_refs.of(session, [ticket])
    view = _View(ticket, unit, refs, sealer, language, paper)
    found = [
        ("intake", view.intake()),
        ("asker", view.asker()),
        ("question", view.question()),
        ("handling", view.handling()),
        ("conclusion", view.conclusion()),
    ]
    if ticket.kind in _ON_ROLL:
        found.insert(3, ("roll", view.on_roll()))
    return tuple(
        Group(
            key, say(f"record.group.{key}", language), tuple(view.line(name, fields[name]) for name in fields)
        )
        for key, fields in found
    )


async def sheet(
    session: AsyncSession, ticket: Ticket, unit: Unit, *, sealer: Sealer, notes: Sequence[str] = ()
) -> Sheet:
    """One ticket as a sheet of its own: every field with what is written in it, upright on A4."""
    found = await groups(session, ticket, unit, sealer=sealer, language=CHINESE, paper=True)
    rows = [(line.label, line.value) for group in found for line in group.lines if line.value]
    form = record_sheet.template()
    heads = (say("record.field", CHINESE), say("record.value", CHINESE))
    return export_rows.sheet(form.ticket_title, heads, rows, WIDTHS, notes=notes, signatures=form.signatures)


class _View:
    def __init__(
        self, ticket: Ticket, unit: Unit, refs: Refs, sealer: Sealer, language: str, paper: bool
    ) -> None:
        self.ticket, self.unit, self.refs, self.sealer = ticket, unit, refs, sealer
        self.language, self.paper = language, paper

    def line(self, name: str, value: str) -> Line:
        shown = HIDDEN if value and hidden(self.ticket) and name not in _OF_HIDDEN else value
        return Line(name, say(f"record.label.{name}", self.language), shown)

    def person(self, staff_id: int | None) -> str:
        """Somebody of the staff: in full on an office's own paper, shortened on others' screens."""
        name = self.refs.name(staff_id)
        return name if self.paper or not name else mask_name(name)

    def choices(self, *names: str) -> dict[str, str]:
        return {name: choice(name, getattr(self.ticket, name), self.language) for name in names}

    def texts(self, *names: str) -> dict[str, str]:
        found = {}
        for name in names:
            text = getattr(self.ticket, name)
            found[name] = said(self.ticket, text, self.refs) if text else ""
        return found

    def moments(self, *names: str) -> dict[str, str]:
        return {name: moment(getattr(self.ticket, name)) for name in names}

    def intake(self) -> dict[str, str]:
        t = self.ticket
        weekend = say("record.weekend", self.language) if t.weekend_duty else ""
        relay = joined((choice("relayed_from", t.relayed_from, self.language), t.relayed_no), " ")
        return {
            "ticket_no": t.ticket_no,
            **self.choices("kind", "state"),
            "business_day": joined((day(t.business_day), weekend), " "),
            **self.moments("accepted_at"),
            "call_time": joined((moment(t.call_started_at), moment(t.call_ended_at)), " – "),
            **self.choices("channel"),
            "relayed": relay,
            "first_taker": joined((self.person(t.first_taker_id), t.post)),
        }

    def asker(self) -> dict[str, str]:
        t = self.ticket
        digits = (last_digits if self.paper else masked_phone)(t, self.sealer)
        return {
            **self.choices("asker_kind", "voter_kind"),
            "asker_name": asker_name(t, self.sealer),
            "phone": digits,
            "unit": self.unit.name,
            **self.texts("electoral_district", "group_no", "station"),
        }

    def question(self) -> dict[str, str]:
        t = self.ticket
        return {
            **self.texts("words", "summary"),
            **self.choices("ledger"),
            "topic": topic(t.topic) if t.topic else "",
            **self.choices("nature", "residence_case", "platform_module", "symptom"),
            **self.texts("failure_reason"),
            "has_personal": yes(t.has_personal, self.language),
            **self.choices("secrecy"),
            **self.texts("spot_reply"),
            **self.choices("why_unanswered"),
            "asked_for_person": yes(t.asked_for_person, self.language),
        }

    def on_roll(self) -> dict[str, str]:
        t = self.ticket
        return {
            # An objection to the posted list has no issue of its own beside its kind.
            "roll_issue": self.choices("roll_issue")["roll_issue"] if t.kind is TicketKind.CORRECTION else "",
            **self.choices("statutory_kind"),
            "statutory_due": day(t.statutory_due),
            "roll_counts": self._counts(),
            "materials": self._check(),
            "cross_area": joined(
                (str(t.cross_area.get("district", "")), str(t.cross_area.get("answer", "")))
            ),
        }

    def handling(self) -> dict[str, str]:
        t = self.ticket
        members = joined((self.person(number) for number in self.refs.joint.get(t.id, ())), "、")
        return {
            "group": t.group,
            "assignee": self.person(t.assignee_id),
            "joint": members,
            **self.moments("assigned_at", "taken_at"),
            "hops": str(t.hops) if t.hops else "",
            **self.choices("priority"),
            **self.moments("due_at", "promised_at"),
            "due_day": day(t.due_day),
            **self.moments("resume_by"),
            "extensions": str(t.extensions) if t.extensions else "",
            "nudges": str(t.nudges) if t.nudges else "",
            **self.texts("superior_no"),
            **self.moments("superior_asked_at", "superior_answered_at"),
        }

    def conclusion(self) -> dict[str, str]:
        t, refs = self.ticket, self.refs
        by = given_by(t, refs)
        who = answerer(t, refs)
        return {
            "conclusion": conclusion(by, refs, self.language),
            "reviewer": self.person(by.reviewer_id),
            "reviewed_at": moment(by.reviewed_at),
            "answered_at": answered_at(t, refs, self.language),
            "answer_mode": way(t, refs, self.language),
            "answered_by": who if self.paper or not who else mask_name(who),
            "answer_text": said(by, by.answer_text, refs) if by.answer_text else "",
            **self.choices("cause", "follow_up"),
            "cluster": self.refs.clusters.get(t.cluster_id or 0, ""),
            "tip_no": t.tip_no,
            "entry_created": self.refs.entries.get(t.entry_created_id or 0, ""),
            "merged_into": self.refs.leads.get(t.merged_into_id or 0, ""),
            "reopen_count": str(t.reopen_count) if t.reopen_count else "",
            "offline_owner": self.person(t.offline_owner_id),
            **self.moments("offline_done_at"),
            "offline_way": say(f"offline.way.{t.offline_way}", self.language) if t.offline_way else "",
            "offline_result": say(f"offline.result.{t.offline_result}", self.language)
            if t.offline_result
            else "",
            **self.texts("note"),
        }

    def _counts(self) -> str:
        found = self.ticket.roll_counts
        parts = [
            f"{say(f'record.count.{count}', self.language)} {found[count.value]}"
            for count in Count
            if count.value in found
        ]
        return joined(parts, "；")

    def _check(self) -> str:
        """What a check of the list saw: ticks and names of those who looked, never the papers."""
        found = self.ticket.materials
        if not found:
            return ""
        papers = joined((choice("paper", Paper(paper), self.language) for paper in found["seen"]), "、")
        parts = {
            **{name: str(found[name]) for name in ("category", "online", "image_no", "failed")},
            "seen": papers,
            "checked_by": self.person(found["checked_by"]),
            "second_by": self.person(found["second_by"]),
        }
        told = [
            f"{say(f'record.check.{name}', self.language)} {said(self.ticket, text, self.refs)}"
            if text
            else ""
            for name, text in parts.items()
        ]
        return joined(told, "；")
