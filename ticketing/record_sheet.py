"""《来电未答复记录表》: one row for each ticket, in the columns of a template that the office may change."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

import yaml
from sqlalchemy.ext.asyncio import AsyncSession

from office.seal import Sealer
from office.units import Unit
from office.words import CHINESE, say
from ticketing import export_rows, record_refs
from ticketing.export_rows import Sheet
from ticketing.record_refs import Refs
from ticketing.record_words import (
    answerer,
    asker_name,
    choice,
    conclusion,
    given_by,
    hidden,
    joined,
    last_digits,
    moment,
    said,
    way,
    yes,
)
from ticketing.records import Ticket, TicketState
from ticketing.restricted import HIDDEN

TEMPLATE: Final = Path(__file__).parent.parent / "data" / "record_sheet.yaml"
WHAT: Final = "record_sheet"


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its key decides what stands in it, the office what it is called and how wide it is."""

    key: str
    head: str
    width: int


@dataclass(frozen=True, slots=True)
class Template:
    """The words of the printed form."""

    title: str
    ticket_title: str
    columns: tuple[Column, ...]
    signatures: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Line:
    """A ticket with all that its row is made from."""

    ticket: Ticket
    unit: Unit
    refs: Refs
    sealer: Sealer


@cache
def template(path: Path = TEMPLATE) -> Template:
    """The template; raises `ValueError` for a column that nobody knows or that stands there twice."""
    told: Mapping[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    columns = tuple(Column(str(row["key"]), str(row["head"]), int(row["width"])) for row in told["columns"])
    keys = [column.key for column in columns]
    wrong = [key for key in keys if key not in CELLS or keys.count(key) > 1]
    if wrong or not keys:
        raise ValueError(f"{path.name}: columns that are not known or stand there twice: {wrong}")
    signatures = tuple(str(word) for word in told["signatures"])
    return Template(str(told["title"]), str(told["ticket_title"]), columns, signatures)


async def sheet(
    session: AsyncSession,
    found: Sequence[tuple[Ticket, Unit]],
    *,
    sealer: Sealer,
    notes: Sequence[str] = (),
) -> Sheet:
    """The record sheet of these tickets; whose reach they lie in was asked when they were found."""
    form = template()
    refs = await record_refs.of(session, [ticket for ticket, _ in found])

    def made() -> Sheet:
        return export_rows.sheet(
            form.title,
            [column.head for column in form.columns],
            ([CELLS[column.key](Line(*pair, refs, sealer)) for column in form.columns] for pair in found),
            [column.width for column in form.columns],
            notes=notes,
            signatures=form.signatures,
        )

    # Thousands of texts are looked through for numbers: nobody else's page waits for it.
    return await asyncio.to_thread(made)


def _taker(line: Line) -> str:
    return joined((line.refs.name(line.ticket.first_taker_id), line.ticket.post))


def _asker(line: Line) -> str:
    if hidden(line.ticket):
        return HIDDEN
    kind = choice("voter_kind", line.ticket.voter_kind) or choice("asker_kind", line.ticket.asker_kind)
    return joined((asker_name(line.ticket, line.sealer), kind, last_digits(line.ticket, line.sealer)))


def _place(line: Line) -> str:
    # Who is meant could be read from the group, so of a confidential case only the unit is told.
    if hidden(line.ticket):
        return line.unit.name
    return joined((line.unit.name, line.ticket.electoral_district, line.ticket.group_no))


def _spot(line: Line) -> str:
    return said(line.ticket, line.ticket.spot_reply, line.refs)


def _handler(line: Line) -> str:
    people = [line.ticket.assignee_id, *line.refs.joint.get(line.ticket.id, ())]
    names = dict.fromkeys(line.refs.name(number) for number in people)
    return joined((line.ticket.group, joined(names, "、")))


def _conclusion(line: Line) -> str:
    """What this row's asker was told last: the lead's conclusion for a joined ticket."""
    if hidden(line.ticket):
        return HIDDEN
    given = line.refs.given.get(line.ticket.id)
    if given is None or given.by is None or not given.by.answer_text:
        return ""
    basis = conclusion(given.by, line.refs) if given.based else ""
    words = said(given.by, given.by.answer_text, line.refs)
    told = joined((words, say("record.on_basis", CHINESE, basis=basis) if basis else ""), "\n")
    return say("record.before", CHINESE, told=told) if given.before else told


def _answered(line: Line) -> str:
    given = line.refs.given.get(line.ticket.id)
    how = way(line.ticket, line.refs)
    if given is None or given.by is None:
        # Who was joined and is still to be called has a way; whoever's answer is under review has none yet.
        return how if line.ticket.state is TicketState.MERGED else ""
    told = joined((moment(given.at), how, answerer(line.ticket, line.refs)))
    return say("record.again", CHINESE, told=told) if given.before else told


def _reviewer(line: Line) -> str:
    return line.refs.name(given_by(line.ticket, line.refs).reviewer_id)


def _refs(line: Line) -> str:
    created = line.refs.entries.get(line.ticket.entry_created_id or 0, "")
    return joined((line.ticket.tip_no, created))


def _note(line: Line) -> str:
    ticket = line.ticket
    found = [said(ticket, ticket.note, line.refs) if ticket.note or hidden(ticket) else ""]
    if ticket.state is TicketState.MERGED:
        found.append(say("record.merged", CHINESE, no=line.refs.leads.get(ticket.merged_into_id or 0, "")))
    elif ticket.state is TicketState.VOID:
        reason = said(ticket, ticket.reason, line.refs)
        found.append(say("record.void", CHINESE, reason=reason or "—"))
    return joined(found, "；")


CELLS: Final[Mapping[str, Callable[[Line], str]]] = {
    "no": lambda line: line.ticket.ticket_no,
    "accepted": lambda line: moment(line.ticket.accepted_at),
    "taker": _taker,
    "weekend": lambda line: yes(line.ticket.weekend_duty),
    "channel": lambda line: choice("channel", line.ticket.channel),
    "asker": _asker,
    "place": _place,
    "words": lambda line: said(line.ticket, line.ticket.words, line.refs),
    "nature": lambda line: choice("nature", line.ticket.nature),
    "spot_reply": _spot,
    "why": lambda line: choice("why_unanswered", line.ticket.why_unanswered),
    "handler": _handler,
    "assigned": lambda line: moment(line.ticket.assigned_at),
    "due": lambda line: moment(line.ticket.due_at),
    "conclusion": _conclusion,
    "reviewer": _reviewer,
    "answered": _answered,
    "follow_up": lambda line: choice("follow_up", line.ticket.follow_up),
    "refs": _refs,
    "note": _note,
}
