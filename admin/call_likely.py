"""What may answer a call while it is being typed, and what the same caller is owed already."""

from __future__ import annotations

import hashlib
from typing import Any

from admin import forms
from admin.pages import Desk
from knowledge import answer
from knowledge.match import MAX_CHARACTERS
from knowledge.outcomes import Candidate, Hit, Near, Outcome
from knowledge.versions import Audience, get_version
from office import redact, units
from office.errors import Invalid
from office.units import Unit
from ticketing import callers, calls
from ticketing.calls import group_for
from ticketing.particulars import AskerKind
from ticketing.records import OPEN_STATES, UnansweredReason

MOST = 6
EXCERPT = 60
NOTHING: dict[str, Any] = {
    "likely": [], "outcome": "", "chosen": "", "offers": [], "group": "", "why": "",
    "listed": "", "preset": "",
}  # fmt: skip


async def context(desk: Desk, unit: Unit, asker: AskerKind | None) -> dict[str, Any]:
    """The fragment's facts for what stands in the form; nothing for an empty question.

    A voter is only offered what a voter may be told. `chosen` is the version that Enter would answer with:
    what was chosen by hand if it is still among them, else the first one that the matcher is sure enough of.
    A first one that would only make a ticket is not preset beside one that may be read out. `listed` stands
    for the question that the list was made for; `preset` is what was chosen by nobody.
    """
    words = await asked(desk)
    if not words:
        return NOTHING
    outcome = await _outcome(desk, words, unit, asker)
    office = await units.election_office(desk.session)
    rows = [row for found in outcome.candidates[:MOST] if (row := await _row(desk, found, office))]
    kind = "hit" if isinstance(outcome, Hit) else "near" if isinstance(outcome, Near) else "miss"
    # Sent with an older list: what was chosen there was chosen for another question.
    old = desk.form.text("then") == "spot" and not await still_listed(desk, unit)
    held = "" if old else desk.form.text("version_id")
    if held == desk.form.text("preset"):
        held = ""
    first = rows[0]["version_id"] if rows and kind != "miss" else ""
    needs_reviewer = bool(first) and rows[0]["needs_reviewer"]
    if needs_reviewer and not all(row["needs_reviewer"] for row in rows):
        first = ""
    chosen = held if held in {row["version_id"] for row in rows} else first
    topic = _topic(outcome)
    platform = bool(desk.form.text("platform_module"))
    why = UnansweredReason.NEEDS_SUPERIOR if needs_reviewer else UnansweredReason.NO_ENTRY
    return {
        "likely": rows,
        "outcome": "none" if not rows else "review" if needs_reviewer else kind,
        "listed": mark(words, unit),
        "preset": first,
        "chosen": chosen,
        "offers": await _offers(desk, words, topic),
        "group": await group_for(desk.session, topic, asker, platform),
        "why": why.value,
    }


def mark(words: str, unit: Unit) -> str:
    """What stands for a question to a unit: the same for the same words, however they are broken in lines."""
    return hashlib.sha256(f"{unit.id} {' '.join(words.split())}".encode()).hexdigest()[:16]


async def still_listed(desk: Desk, unit: Unit) -> bool:
    """Whether the list in the posted form was made for the question that now stands in it."""
    return desk.form.text("listed") == mark(await asked(desk), unit)


async def asked(desk: Desk) -> str:
    """The question as it is compared: without personal numbers, as long as the matcher reads."""
    typed = forms.clean(desk.form.text("words")).strip()
    clean = redact.text(typed[: calls.LONGEST_WORDS], await units.published_numbers(desk.session)).text
    return clean[:MAX_CHARACTERS].replace(redact.PLACEHOLDER, " ").strip()


async def topic_of(desk: Desk, unit: Unit, asker: AskerKind | None) -> str:
    """What the matcher takes the typed question for; empty where it is not sure enough."""
    words = await asked(desk)
    return _topic(await _outcome(desk, words, unit, asker)) if words else ""


def caller(desk: Desk) -> bytes:
    """The digest of the number in the form; b"" for none, or for one that is not complete yet."""
    try:
        return callers.digest(desk.services.secret, callers.number(desk.form.text("phone")))
    except Invalid:
        return b""


async def _outcome(desk: Desk, words: str, unit: Unit, asker: AskerKind | None) -> Outcome:
    audience = Audience.VOTER if asker in (None, AskerKind.VOTER) else Audience.STAFF
    return await answer.find(
        desk.session, desk.services.live, words, audience=audience, unit=unit, now=desk.now
    )


def _topic(outcome: Outcome) -> str:
    return outcome.candidates[0].topic if isinstance(outcome, Hit | Near) else ""


async def _row(desk: Desk, found: Candidate, office: Unit) -> dict[str, Any] | None:
    known = await answer.published(desk.session, found.entry_id, office=office, now=desk.now)
    if known is None:
        return None
    version = await get_version(desk.session, known.version_id)
    return {
        "version_id": str(known.version_id),
        "no": known.entry_no,
        "number": known.number,
        "question": known.question,
        "short": known.short,
        "full": known.full,
        "steps": known.steps,
        "documents": known.documents,
        "basis": known.basis,
        "percent": round(found.probability * 100),
        "staff_only": version.audience is Audience.STAFF,
        "needs_reviewer": not calls.reliable(version, now=desk.now),
    }


async def _offers(desk: Desk, words: str, topic: str) -> list[dict[str, Any]]:
    found = await callers.owed(desk.session, caller(desk), desk.person)
    rows = [
        {
            "id": ticket.id,
            "no": ticket.ticket_no,
            "words": ticket.words[:EXCERPT] + ("…" if len(ticket.words) > EXCERPT else ""),
            "state": desk.t(f"ticket.state.{ticket.state}"),
            "alike": callers.alike(ticket, words, topic),
            "open": ticket.state in OPEN_STATES,
        }
        for ticket in found
    ]
    return sorted(rows, key=lambda row: not row["alike"])
