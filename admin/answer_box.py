"""The box for an answer: what stands in it, and what it says otherwise than the approved text."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from admin import suggestions, times
from admin.pages import Desk, Refusal
from knowledge.conflicts import Difference
from knowledge.versions import EntryVersion
from office import units
from ticketing import answering, drafts, macros
from ticketing.concluding import TOLD_ALREADY
from ticketing.particulars import AnswerMode, Cause
from ticketing.records import Ticket, TicketState

MODES = (AnswerMode.CHAT, AnswerMode.PHONE, AnswerMode.IN_PERSON, AnswerMode.LETTER)


async def of(
    desk: Desk, ticket: Ticket, cited: dict[str, Any] | None, refusal: Refusal | None
) -> dict[str, Any]:
    """What stands in the box: what was typed, else one's draft, what came back, the quotation."""
    draft = await drafts.own(desk.session, ticket, desk.person)
    quoted = (cited["short"], cited["basis"]) if cited else ("", "")
    kept = (ticket.proposed_text, ticket.conclusion_basis)
    first, second = (kept, quoted) if came_back(ticket) else (quoted, kept)
    text = (draft.text if draft else "") or first[0] or second[0]
    basis = (draft.basis if draft else "") or first[1] or second[1]
    refused = refusal is not None and "text" in desk.form.fields
    if refused:
        text, basis = desk.form.text("text"), await basis_typed(desk) or (cited["basis"] if cited else "")
    found: list[dict[str, Any]] = []
    if cited and text.strip():
        version = await desk.session.get(EntryVersion, cited["version_id"])
        found = await differing(desk, ticket, text, version, draft.version_id if draft else None)
    return {
        "text": text,
        "basis": basis,
        "version_id": str(cited["version_id"]) if cited else "",
        "cited_before": desk.form.text("cited_before")
        if refused and not cited
        else (str(cited["version_id"]) if cited else ""),
        "needs_reviewer": bool(cited and cited["needs_reviewer"]),
        "drafted": bool(draft),
        "differences": found,
        "explained": desk.form.text("explained") if refused else "",
        "mode": (desk.form.text("mode") if refused else "") or AnswerMode.CHAT.value,
        "modes": _modes(desk, ticket),
        "cause": (desk.form.text("cause") if refused else "") or (ticket.cause.value if ticket.cause else ""),
        "causes": [("", desk.t("cause.none")), *((cause.value, desk.t(f"cause.{cause}")) for cause in Cause)],
        "macros": [
            {"id": macro.id, "name": macro.name, "text": macro.text}
            for macro in await macros.listed(desk.session, desk.person)
        ],
    }  # fmt: skip


def _modes(desk: Desk, ticket: Ticket) -> list[tuple[str, str]]:
    shown = [(mode.value, desk.t(f"answer_mode.{mode}")) for mode in MODES]
    # Who has no chat is laid on the call-back list instead.
    return (
        shown
        if ticket.contact_id is not None
        else [(MODES[0].value, desk.t(without_chat(ticket))), *shown[1:]]
    )


def mode_words(desk: Desk, ticket: Ticket) -> str:
    """How the asker will learn a proposed answer, as whoever signs it has to know."""
    mode = ticket.answer_mode or AnswerMode.CHAT
    return dict(_modes(desk, ticket)).get(mode.value) or desk.t(f"answer_mode.{mode}")


def sent_how(ticket: Ticket) -> str:
    """The notice for an answer that has just left: sent, laid on the call-back list, or told already."""
    if ticket.answer_mode in TOLD_ALREADY:
        return "answered_by_hand"
    if ticket.contact_id is not None:
        return "answered"
    return "answered_to_call" if ticket.phone is not None else "answered_to_ask"


def without_chat(ticket: Ticket) -> str:
    """The words for how somebody without a chat learns the answer: called, or when they ask again."""
    return "answer_mode.to_call" if ticket.phone is not None else "answer_mode.to_ask"


async def basis_typed(desk: Desk) -> str:
    """The basis in the form, without the one that came with a citation chosen no more.

    `cited_before` is the version that the form was made with.
    """
    basis, before = desk.form.text("basis"), desk.form.text("cited_before")
    if not before.isdecimal() or len(before) > 9 or before == desk.form.text("version_id"):
        return basis
    office = await units.election_office(desk.session)
    quoted = await suggestions.citation(desk, int(before), office)
    return "" if quoted and " ".join(basis.split()) == " ".join(quoted["basis"].split()) else basis


async def text_and_basis(desk: Desk) -> tuple[str, str]:
    """What is typed, and where nothing is, what 引用 would put there for the chosen entry.

    Those are the words that a second person has published and that the assistant itself would answer with;
    whether one officer may send them alone is asked of the entry as always.
    """
    text, basis = desk.form.text("text"), (await basis_typed(desk)).strip()
    chosen_ = desk.form.text("version_id")
    if not text.strip() and chosen_.isdecimal() and len(chosen_) <= 9:
        office = await units.election_office(desk.session)
        if quoted := await suggestions.citation(desk, int(chosen_), office):
            return quoted["short"], basis or quoted["basis"]
    return text, basis


async def chosen(desk: Desk, ticket: Ticket) -> str:
    """The number of the version that one's own draft cites, else the answer that came back; or nothing."""
    draft = await drafts.own(desk.session, ticket, desk.person)
    if draft is None and came_back(ticket):
        return str(ticket.conclusion_version_id or "")
    return str(draft.version_id) if draft and draft.version_id else ""


def came_back(ticket: Ticket) -> bool:
    """Whether an answer that no reviewer has signed waits to be mended: whoever holds the ticket goes on."""
    return ticket.state is TicketState.WORKING and bool(ticket.proposed_text) and ticket.reviewed_at is None


def made_from(desk: Desk) -> int | None:
    """The version of the ticket from which the posted form was made; None for a form without one."""
    seen = desk.form.text("version")
    return int(seen) if seen.isdecimal() and len(seen) <= 9 else None


async def overtaken(desk: Desk, ticket: Ticket, refusal: Refusal | None) -> bool:
    """Whether the refused form was filled in before the ticket's answer came back from its reviewer.

    What came back stays in the box then, and what was typed is shown beside it.
    """
    seen = made_from(desk) if refusal is not None else None
    return seen is not None and seen < await drafts.returned_as(desk.session, ticket)


async def colleagues(desk: Desk, ticket: Ticket) -> list[dict[str, Any]]:
    """What colleagues have typed for this ticket, to be read and taken over."""
    return [
        {
            "staff_id": one.staff_id,
            "who": one.who,
            "text": one.text,
            "saved": times.moment(one.saved_at, desk.frame.language),
        }
        for one in await drafts.others(desk.session, ticket, desk.person)
    ]


async def differing(
    desk: Desk, ticket: Ticket, text: str, version: EntryVersion | None, drafted_from: int | None = None
) -> list[dict[str, Any]]:
    """Each difference of a text from what it cites and from the calendar: both sides, and a line in words."""
    found = await answering.guard(
        desk.session, ticket, text, version, now=desk.now, drafted_from=drafted_from
    )
    entry = await answering.cited(desk.session, version.id) if version else None
    no, number = (entry[0].entry_no, entry[1].number) if entry else ("", 0)
    return list(_shown(desk, found, no, number))


def _shown(desk: Desk, found: Iterable[Difference], no: str, number: int) -> Iterable[dict[str, Any]]:
    for one in found:
        if one.kind.value == "calendar" or not no:
            words = desk.t("conflict.calendar", yours=one.yours, approved=one.approved)
        elif one.kind.value in ("foreign", "older"):
            words = desk.t(f"conflict.{one.kind}", entry=no, n=number, yours=one.yours)
        elif one.approved:
            words = desk.t("conflict", entry=no, n=number, yours=one.yours, approved=one.approved)
        else:
            words = desk.t("conflict.not_held", entry=no, n=number, yours=one.yours)
        yield {
            "kind": desk.t(f"conflict.kind.{one.kind}"),
            "yours": one.yours,
            "approved": one.approved or desk.t("conflict.nothing"),
            "words": words,
        }
