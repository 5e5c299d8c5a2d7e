"""The try-box: a question asked of the base as anybody would be answered, and of another version beside it.

Nothing that is asked here is kept: no enquiry, no ticket, no verdict; the words come by POST and go back with
the page.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from fastapi.responses import Response

from admin import tried
from admin.pages import Desk, Refusal, signed_in
from admin.replay import Aside
from admin.tried import Held, Place
from knowledge import calendar, shelf, variants
from knowledge.gate import WHOLE, Gate, gate
from knowledge.match import MAX_CHARACTERS
from knowledge.shelf import Filter
from knowledge.text import is_greeting, split_questions
from knowledge.versions import Audience, Entry, EntryState, EntryVersion, by_number, get_version, versions
from office import redact, staff, units
from office.errors import Invalid, NotFound
from office.staff import Permission
from office.units import Unit, contains

router = APIRouter(prefix="/trybox")
Reading = Annotated[Desk, Depends(signed_in(Permission.SEE_ENTRIES))]
Asking = Annotated[Desk, Depends(Aside(Permission.SEE_ENTRIES))]

HERE = "/admin/trybox"
LONGEST = 6000
_NUMBER = re.compile(r"[0-9]{1,9}")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked of which base, and what is put in on the other side, if anything."""

    words: str
    removed: bool
    place: Place
    other: Held | None


@router.get("")
async def show(desk: Reading) -> Response:
    """The empty form."""
    return await _page(desk)


@router.post("")
async def ask(desk: Asking) -> Response:
    """Ask, and show what came of it; nothing is written."""
    desk.on_refusal(_page)
    wanted = await _wanted(desk)
    live = desk.services.live
    await live.refresh(desk.session)
    other = None
    if wanted.other is not None:
        variant = await variants.gather(desk.session, wanted.other.version, live.index.model)
        # Building takes a second, and no connection waits for it.
        await desk.session.close()
        other = await variants.build(variant)
    stopped = gate(wanted.words[:MAX_CHARACTERS])
    questions = split_questions(wanted.words) if len(wanted.words) <= MAX_CHARACTERS else []
    if stopped in WHOLE or len(questions) < 2:
        questions = [wanted.words]
    asked = [await _question(desk, words, stopped, wanted, other) for words in questions]
    return await _page(desk, None, wanted, asked, stopped)


async def _question(
    desk: Desk, words: str, whole: Gate | None, wanted: Wanted, other: variants.TriedBase | None
) -> dict[str, Any]:
    live, place = desk.services.live, wanted.place
    stopped = whole if whole in WHOLE else gate(words[:MAX_CHARACTERS])
    # The placeholder of a number says nothing, as in the conversation.
    matched = words[:MAX_CHARACTERS].replace(redact.PLACEHOLDER, " ")
    present = await tried.ask(desk, live, matched, place)
    sides = [{"title": desk.t("trybox.present"), **await tried.shown(desk, present, matched, place)}]
    change = None
    if other is not None and wanted.other is not None:
        changed = await tried.ask(desk, other, matched, place, wanted.other)
        sides.append(
            {"title": _named(desk, wanted.other), **await tried.shown(desk, changed, matched, place, present)}
        )
        change = await tried.between(desk, present, changed)
    return {
        "words": words,
        "normalised": tried.normalised(matched, live),
        "replaced": tried.said_and_meant(matched, tried.spoken(live)),
        "stopped": _stopped(desk, stopped),
        "greeting": is_greeting(words),
        "sides": sides,
        "change": change,
    }


def _stopped(desk: Desk, kind: Gate | None) -> dict[str, str] | None:
    if kind is None:
        return None
    return {
        "kind": desk.t_or(f"trybox.gate_{kind.value}", kind.value),
        "reply": desk.t(f"gate.{kind.value}", phone=desk.frame.office["phone"]),
    }


def _named(desk: Desk, held: Held) -> str:
    return desk.t(
        "trybox.with", no=held.entry.entry_no, n=held.version.number,
        state=desk.t(f"entry.state.{held.version.state}"),
    )  # fmt: skip


async def _wanted(desk: Desk) -> Wanted:
    """What the form says; raises `Invalid` for what cannot be asked."""
    form = desk.form
    clean = redact.text(form.text("question").strip()[:LONGEST], await units.published_numbers(desk.session))
    if not clean.text:
        raise Invalid("trybox_no_words")
    audience = form.text("audience") or Audience.VOTER.value
    seen = {unit.id: unit for unit in await _units(desk)}
    unit = seen.get(form.number("unit_id") if form.text("unit_id") else desk.person.unit_id)
    if audience not in tuple(Audience) or unit is None:
        raise Invalid("form_broken")
    day = form.day("day") or calendar.today(desk.now)
    return Wanted(clean.text, bool(clean.counts), Place(Audience(audience), unit, day), await _other(desk))


async def _other(desk: Desk) -> Held | None:
    """The version to be put in: one in hand from the list, or any by its entry's number and its own.

    An entry's number alone means the version in force. Raises `Invalid` with what of it is not there.
    """
    try:
        if desk.form.text("version_id"):
            version = await get_version(desk.session, desk.form.number("version_id"))
            return await _held(desk, version)
    except NotFound as error:
        raise Invalid("trybox_no_version") from error
    number, which = desk.form.text("entry_no").strip().upper(), desk.form.text("number").strip()
    if not number:
        if which:
            raise Invalid("trybox_no_number")
        return None
    try:
        entry = await by_number(desk.session, number)
        await shelf.seen_by(desk.session, desk.person, entry.id)
    except NotFound as error:
        raise Invalid("trybox_no_entry", no=number) from error
    rows = await versions(desk.session, entry)
    if which:
        wanted = int(which) if _NUMBER.fullmatch(which) else 0
        found = next((row for row in rows if row.number == wanted), None)
        if found is None:
            raise Invalid("trybox_no_such_version", no=number, n=which)
    else:
        found = next((row for row in rows if row.id == entry.published_id), None)
        if found is None:
            raise Invalid("trybox_not_in_force", no=number)
    return await _held(desk, found)


async def _held(desk: Desk, version: EntryVersion) -> Held:
    entry: Entry = await shelf.seen_by(desk.session, desk.person, version.entry_id)
    return Held(entry, version, await units.get(desk.session, version.scope_unit_id))


async def _units(desk: Desk) -> list[Unit]:
    """The units as which this person may ask: the own one and those below."""
    path = await staff.reach(desk.session, desk.person)
    return [unit for unit in await units.all_units(desk.session) if contains(path, unit.path)]


async def _page(
    desk: Desk,
    refusal: Refusal | None = None,
    wanted: Wanted | None = None,
    asked: Sequence[dict[str, Any]] = (),
    stopped: Gate | None = None,
) -> Response:
    typed = dict(refusal.typed) if refusal else dict(desk.form.typed)
    if "question" in typed:
        # What is shown again is what was asked: without the numbers.
        typed["question"] = redact.text(typed["question"], await units.published_numbers(desk.session)).text
    seen = await _units(desk)
    depth = min((unit.path.count(".") for unit in seen), default=0)
    return desk.render(
        "console/trybox.html",
        status=refusal.status if refusal else 200,
        here=HERE,
        error=refusal.words if refusal else "",
        typed=typed,
        chosen_version=desk.form.text("version_id"),
        own_unit=desk.person.unit_id,
        units=[(unit.id, "　" * (unit.path.count(".") - depth) + unit.name) for unit in seen],
        audiences=[(member.value, desk.t(f"audience.{member.value}")) for member in Audience],
        in_hand=[("", desk.t("trybox.none_put_in")), *await _in_hand(desk)],
        removed=wanted.removed if wanted else False,
        whole=_stopped(desk, stopped if stopped in WHOLE else None),
        asked=asked,
        compares=wanted is not None and wanted.other is not None,
        field_words={name: desk.t(f"entry.{name}") for name in tried.READ_BY_ASKERS},
    )


async def _in_hand(desk: Desk) -> list[tuple[str, str]]:
    """Drafts and versions in review that this person may read."""
    found = []
    for state in (EntryState.IN_REVIEW, EntryState.DRAFT):
        rows, _ = await shelf.listed(desk.session, desk.person, Filter(state))
        found += [
            (str(version.id), f"{_named(desk, Held(entry, version, unit))} · {version.question}")
            for entry, version, unit in rows
        ]
    return found
