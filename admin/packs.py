"""Rule packs: which there are, the rows of one with what holds instead of them, and a case tried on them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from fastapi.responses import Response

from admin import times
from admin.pages import Desk, Refusal, signed_in
from admin.replay import Aside
from knowledge import calendar, elections, eligibility, packs, rules, statements
from knowledge.calendar import DateKind
from knowledge.pack_parts import ABSENT, ANYWAY, Conditions, Leaf, RulePack, Slot
from knowledge.packs import BadPack
from knowledge.versions import topics
from office import changes, redact, units
from office.changes import Change, ChangeKind
from office.errors import NotFound
from office.staff import Permission

router = APIRouter(prefix="/packs")
Reading = Annotated[Desk, Depends(signed_in(Permission.SEE_RULES))]
# A case that is tried writes nothing, so it waits for no writer; by POST it stays out of addresses.
Trying = Annotated[Desk, Depends(Aside(Permission.SEE_RULES))]
LONGEST = 600
LOCAL = "LOCAL"
SOON = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Tried:
    """A case: what was typed, and the answers that come of it, those read from the words marked."""

    words: str = ""
    facts: Mapping[str, str] = field(default_factory=dict)
    stated: Mapping[str, str] = field(default_factory=dict)


@router.get("")
async def show(desk: Reading) -> Response:
    """The packs at hand, the one in force, its laws, the rows that wait for the district's own wording."""
    chosen = await rules.in_force(desk.session, now=desk.now)
    return desk.render(
        "console/packs.html",
        rows=[
            await _pack(desk, pack_id, chosen.id)
            for pack_id in sorted(packs.names(), key=lambda pack_id: pack_id != chosen.id)
        ],
    )


@router.get("/{pack_id}")
async def one(desk: Reading, pack_id: str) -> Response:
    """All rows of a pack in their order."""
    return await _page(desk, await adapted_pack(desk, pack_id), None)


@router.post("/{pack_id}/try")
async def attempt(desk: Trying, pack_id: str) -> Response:
    """Try a case: what it comes to, which rows were looked at, what would be asked next. Nothing is kept."""

    async def again(later: Desk, refusal: Refusal) -> Response:
        return await _page(later, await adapted_pack(later, pack_id), None, refusal)

    desk.on_refusal(again)
    pack = await adapted_pack(desk, pack_id)
    published = await units.published_numbers(desk.session)
    words = redact.text(desk.form.text("words").strip()[:LONGEST], published).text
    stated = statements.read(pack, words, **await _about(desk)) if words else {}
    chosen = {slot.code: value for slot in pack.slots if (value := desk.form.text(f"slot_{slot.code}"))}
    facts = eligibility.check(pack, {**stated, **chosen})
    kept = {slot: value for slot, value in stated.items() if slot not in chosen}
    return await _page(desk, pack, Tried(words, facts, kept))


async def _about(desk: Desk) -> dict[str, Any]:
    """What the reader of statements must know of the place and the election."""
    ages = (await elections.spans(desk.session, desk.now)).get(DateKind.AGE_LINE)
    return {
        "local": [unit.name for unit in await units.all_units(desk.session)],
        "age_line": ages[0].first if ages else None,
    }


async def adapted_pack(desk: Desk, pack_id: str) -> RulePack:
    """The pack with the district's signed wording laid over; raises `NotFound` for an unknown one."""
    if pack_id not in packs.names():
        raise NotFound("pack_unknown")
    return await rules.in_force(desk.session, now=desk.now, pack_id=pack_id)


async def overrides(desk: Desk, pack_id: str) -> dict[str, Change]:
    """The signed changes that hold today, by row."""
    today = calendar.today(desk.now)
    found = await changes.subjects_in_force(desk.session, ChangeKind.RULES, f"{pack_id}:", today)
    return {change.subject.partition(":")[2]: change for change in found}


async def proposals(desk: Desk, pack_id: str) -> dict[str, int]:
    """The numbers of the changes that wait for a second person, by row."""
    return {
        change.subject.partition(":")[2]: change.id
        for change in await changes.waiting(desk.session)
        if change.kind is ChangeKind.RULES and change.subject.startswith(f"{pack_id}:")
    }


async def _pack(desk: Desk, pack_id: str, in_force: str) -> dict[str, Any]:
    language = desk.frame.language
    try:
        pack = packs.load(pack_id)
    except BadPack as fault:
        return {"id": pack_id, "fault": fault.said(language)}
    signed = await overrides(desk, pack_id)
    return {
        "id": pack_id,
        "fault": "",
        "name": pack.name_in(language),
        "version": pack.version,
        "in_force": pack_id == in_force,
        "days": _days(desk, pack),
        "laws": list(pack.laws.values()),
        "rows": len(pack.leaves),
        "slots": len(pack.slots),
        "open": [
            {"code": leaf.row, "words": leaf.answer_in(language), "ticket": leaf.ticket}
            for leaf in {leaf.row: leaf for leaf in pack.leaves}.values()
            if LOCAL in leaf.flags and leaf.row not in signed
        ],
        "reviews": [
            {
                "row": row,
                "words": desk.t("packs.contacts") if row == rules.CONTACTS else row,
                "id": change.id,
                "day": times.day(change.review_on, language),
                "tone": _review_tone(change.review_on, calendar.today(desk.now)),
            }
            for row, change in sorted(signed.items())
            if change.review_on
        ],
    }


def _days(desk: Desk, pack: RulePack) -> str:
    first = times.day(pack.effective_from, desk.frame.language)
    if pack.effective_until is None:
        return desk.t("changes.days_from", day=first)
    return desk.t(
        "changes.days_between", first=first, last=times.day(pack.effective_until, desk.frame.language)
    )


def _review_tone(on: date, today: date) -> str:
    return "danger" if on < today else "warn" if on <= today + SOON else "neutral"


async def _page(desk: Desk, pack: RulePack, tried: Tried | None, refusal: Refusal | None = None) -> Response:
    language = desk.frame.language
    shipped = packs.load(pack.id)
    signed, waiting = await overrides(desk, pack.id), await proposals(desk, pack.id)
    chosen = {slot.code: refusal.typed.get(f"slot_{slot.code}", "") for slot in pack.slots} if refusal else {}
    facts = tried.facts if tried else chosen
    scopes = {unit.id: unit.name for unit in await units.all_units(desk.session)}
    return desk.render(
        "console/pack.html",
        status=refusal.status if refusal else 200,
        here=f"/admin/packs/{pack.id}",
        error=refusal.words if refusal else "",
        pack={
            "id": pack.id,
            "name": pack.name_in(language),
            "version": pack.version,
            "days": _days(desk, pack),
            "laws": list(pack.laws.items()),
            "flags": [(mark, both[0 if language == "zh_CN" else 1]) for mark, both in pack.flags.items()],
        },
        rows=[
            row_facts(desk, before, now, signed.get(now.row), scopes, waiting.get(now.row))
            for before, now in zip(shipped.leaves, pack.leaves, strict=True)
        ],
        contacts_waiting=waiting.get(rules.CONTACTS),
        slots=[
            {
                "code": slot.code,
                "ask": slot.ask_in(language) or desk.t("packs.not_asked", slot=slot.code),
                "options": [("", desk.t("packs.unanswered")), *options(desk, slot)],
                "value": facts.get(slot.code, ""),
                "stated": bool(tried and slot.code in tried.stated),
            }
            for slot in pack.slots
        ],
        words=tried.words if tried else refusal.typed.get("words", "") if refusal else "",
        found=_found(desk, pack, tried) if tried else None,
    )


def row_facts(
    desk: Desk, before: Leaf, now: Leaf, change: Change | None, scopes: Mapping[int, str], waiting: int | None
) -> dict[str, Any]:
    """A row as a page shows it: the shipped text, and what holds instead."""
    language = desk.frame.language
    pack = packs.load(desk.request.path_params["pack_id"])
    return {
        "code": before.row,
        "now_code": now.code,
        "when": condition(desk, pack, before.when),
        "answer": before.answer_in(language),
        "now": now.answer_in(language),
        "steps": now.steps_in(language),
        "bring": now.bring_in(language),
        "basis": [citation.short for citation in now.basis],
        "topic": topics()[now.topic].meaning,
        "group": now.group,
        "ticket": now.ticket,
        "flags": [_flag(desk, flag, before, change) for flag in before.flags],
        "open": LOCAL in before.flags and change is None,
        "change": None
        if change is None
        else {"id": change.id, "number": change.number, "scope": scopes.get(change.scope_unit_id, "")},
        "waiting": waiting,
    }


def _flag(desk: Desk, flag: str, leaf: Leaf, change: Change | None) -> str:
    """A row's mark; with LOCAL, what the row says until the district has worded it."""
    if flag != LOCAL or change is not None:
        return flag
    return f"{flag} · {desk.t('packs.local_ticket' if leaf.ticket else 'packs.local_answered')}"


def options(desk: Desk, slot: Slot) -> list[tuple[str, str]]:
    """A slot's options and the two answers that every slot takes."""
    found = [(option.code, option.label_in(desk.frame.language)) for option in slot.options]
    known = {code for code, _ in found}
    return found + [(code, desk.t(f"packs.{code}")) for code in ANYWAY if code not in known]


def condition(desk: Desk, pack: RulePack, when: Conditions) -> list[str]:
    """Each alternative in words; one without any demand holds for everybody."""
    return [
        desk.t("packs.and").join(_one_of(desk, pack, slot, codes) for slot, codes in alternative.items())
        or desk.t("packs.everybody")
        for alternative in when
    ]


def _one_of(desk: Desk, pack: RulePack, slot_code: str, codes: frozenset[str]) -> str:
    slot = pack.slot(slot_code)
    assert slot is not None
    order = [option.code for option in slot.options] + list(ANYWAY)
    return desk.t("packs.or").join(said(desk, slot, code) for code in sorted(codes, key=order.index))


def said(desk: Desk, slot: Slot, code: str) -> str:
    """One answer in words."""
    option = slot.option(code)
    if option is not None:
        return option.says_in(desk.frame.language) or option.label_in(desk.frame.language)
    ask = slot.ask_in(desk.frame.language) or slot.code
    return desk.t(f"packs.said_{code}", slot=ask.rstrip("？?"))


def _found(desk: Desk, pack: RulePack, tried: Tried) -> dict[str, Any]:
    language = desk.frame.language
    verdict = eligibility.decide(pack, tried.facts)
    asked = eligibility.next_slot(pack, tried.facts)
    effective = pack.effective(tried.facts)
    leaf = verdict.leaf if verdict else None
    return {
        "stated": [
            said(desk, slot, code) for name, code in tried.stated.items() if (slot := pack.slot(name))
        ],
        "read": bool(tried.words),
        "verdict": leaf
        and {
            "row": leaf.row,
            "code": leaf.code,
            "answer": leaf.answer_in(language),
            "steps": leaf.steps_in(language),
            "bring": leaf.bring_in(language),
            "basis": [citation.long for citation in leaf.basis],
            "ticket": leaf.ticket,
            "group": leaf.group,
            "topic": topics()[leaf.topic].meaning,
        },
        "next": asked
        and {"ask": asked.ask_in(language), "options": [label for _, label in options(desk, asked)]},
        "path": [
            {
                "row": step.leaf.row,
                "holds": step.holds,
                "when": condition(desk, pack, step.leaf.when),
                "why": "" if step.holds else _why(desk, pack, step, effective),
                "open": not step.holds and step.slot not in effective,
            }
            for step in eligibility.path(pack, tried.facts)
        ],
    }


def _why(desk: Desk, pack: RulePack, step: eligibility.Step, effective: Mapping[str, str]) -> str:
    slot = pack.slot(step.slot)
    assert slot is not None
    ask = slot.ask_in(desk.frame.language) or slot.code
    if step.slot not in effective:
        return desk.t("packs.why_open", ask=ask)
    if step.value == ABSENT:
        return desk.t("packs.why_absent", ask=ask)
    return desk.t("packs.why_other", said=said(desk, slot, step.value))
