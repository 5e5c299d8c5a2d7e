"""What a base makes of one question, in words for staff: why, how sure, and what the asker would read."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import select

from admin import differences
from admin.entries import preview
from admin.pages import Desk
from knowledge import calendar, case, elections
from knowledge.features import form
from knowledge.gate import in_our_field
from knowledge.lexicon import Lexicon
from knowledge.live import LiveBase, lexicon
from knowledge.match import Candidate, Hit, Near, Outcome
from knowledge.sharpening import AskBack
from knowledge.text import normalise, plain
from knowledge.versions import Audience, Entry, EntryVersion, content_of, topics
from office import units
from office.units import Unit
from office.words import say

_CLAUSES = re.compile(r"[，。！？；：、,.!?;:\n…~～]+")
# What a cut left over at either end of a fragment: half a question word, a particle.
_ENDS = re.compile(r"^[了么什怎的吗呢吧啊呀嘛]+|(?:[什怎么的吗呢吧啊呀嘛]|(?<![所现不存还])在)+$")
# Fragments made of these alone say nothing about why an entry came up.
_EMPTY = re.compile(
    r"(?:[没有不无是否能可以会要想请问了吗呢吧啊呀么嘛的在和与或就也都还把被给跟对于这那个我你您他她它们]|什么)+"
)
_TONES = {"hit": "good", "near": "info", "miss": "neutral"}
# What the matcher says of a pair of texts, and the key under which a page says it.
_REASONS = {
    "一致": "same",
    "多出": "extra",
    "缺少": "lacking",
    "一字不差": "exact",
    "读音相同": "sound",
    "情况相反": "opposite",
    "一个说有、一个说没有": "clash",
    "数字不同": "numbers",
}
READ_BY_ASKERS = ("question", "short", "full", "steps", "documents", "basis")


@dataclass(frozen=True, slots=True)
class Place:
    """Who asks, from where, and on which day."""

    audience: Audience
    unit: Unit
    day: date


@dataclass(frozen=True, slots=True)
class Held:
    """One entry as a base holds it: the version that answers, and the unit for which it does."""

    entry: Entry
    version: EntryVersion
    unit: Unit


@dataclass(frozen=True, slots=True)
class Asked:
    """One question and what a base made of it; `held` has every entry that came up."""

    outcome: Outcome
    held: Mapping[int, Held]
    live: LiveBase

    @property
    def said(self) -> tuple[str, tuple[int, ...]]:
        """`hit`, `near` or `miss`, and the entries that the asker would see."""
        if isinstance(self.outcome, Hit):
            return "hit", (self.outcome.best.entry_id,)
        if isinstance(self.outcome, Near):
            return "near", tuple(choice.entry_id for choice in self.outcome.choices)
        return "miss", ()


async def ask(desk: Desk, live: LiveBase, words: str, place: Place, put_in: Held | None = None) -> Asked:
    """Ask a base; `put_in` is what it holds in the place of the published version."""
    stage = case.stage(await elections.spans(desk.session, desk.now), place.day)
    outcome = live.rank(words, place.audience, place.unit.path, place.day, case.Case(stage=stage))
    ids = {candidate.entry_id for candidate in outcome.candidates}
    rows = await desk.session.execute(
        select(Entry, EntryVersion, Unit)
        .join(EntryVersion, EntryVersion.id == Entry.published_id)
        .join(Unit, Unit.id == EntryVersion.scope_unit_id)
        .where(Entry.id.in_(ids))
    )
    held = {entry.id: Held(entry, version, unit) for entry, version, unit in rows}
    if put_in is not None:
        held[put_in.entry.id] = put_in
    return Asked(outcome, held, live)


async def shown(
    desk: Desk, asked: Asked, words: str, place: Place, before: Asked | None = None
) -> dict[str, Any]:
    """Everything about one answer, for a template; entries that stood otherwise `before` are marked."""
    how, ids = asked.said
    known = spoken(asked.live)
    replaced = said_and_meant(words, known)
    limits = asked.live.index.model.thresholds
    offered = [asked.held[number] for number in ids if number in asked.held]
    key = "off_topic" if how == "miss" and not in_our_field(words) else how
    return {
        "how": desk.t(f"trybox.{key}"),
        "tone": _TONES[how],
        "key": how,
        "reply": _reply(desk, key, words, asked.outcome, offered),
        "limits": desk.t(
            "trybox.limits", hit=_percent(limits.hit), margin=_percent(limits.margin),
            near=_percent(limits.near),
        ),
        "candidates": [
            _candidate(desk, candidate, asked.held[candidate.entry_id], ids)
            | {"reasons": _reasons(desk, candidate, words, replaced, known)}
            | {"was": _was(desk, candidate, before) if before else ""}
            for candidate in asked.outcome.candidates
            if candidate.entry_id in asked.held
        ],
        "card": await _card(desk, offered[0], place) if how == "hit" and offered else None,
    }  # fmt: skip


async def between(desk: Desk, before: Asked, after: Asked) -> dict[str, Any]:
    """What the asker would notice of the change: another outcome, other entries, or another wording."""
    (first, first_ids), (second, second_ids) = before.said, after.said
    same = (first, first_ids) == (second, second_ids)
    wording: list[differences.Change] = []
    if same and first == "hit":
        one, other = before.held[first_ids[0]], after.held[first_ids[0]]
        if one.version.id != other.version.id:
            old = await content_of(desk.session, one.version)
            new = await content_of(desk.session, other.version)
            changed = differences.between(old, new, lambda _, value: str(value))
            wording = [change for change in changed if change.field in READ_BY_ASKERS]
    return {"same": same and not wording, "wording": wording}


def spoken(live: LiveBase) -> Lexicon:
    """The lexicon as this base's own index uses it: without place names that never come up."""
    sources = (entry.source for entry in live.index.book.entries.values())
    return lexicon().spoken_by(text for source in sources for text in source.texts)


def normalised(words: str, live: LiveBase) -> str:
    """The words in the form in which they are compared."""
    return normalise(words, spoken(live))


def said_and_meant(words: str, known: Lexicon) -> list[tuple[str, str]]:
    """Which words of a message the lexicon read as others, in their order; an empty meaning was left out."""
    found: dict[tuple[str, str], None] = {}
    for clause in _CLAUSES.split(words):
        text = plain(clause)
        for _ in range(2):  # a typo inside a dialect word, as when the message is normalised
            text, pairs = _replaced(text, known)
            found.update(dict.fromkeys(pairs))
    return list(found)


def _replaced(text: str, known: Lexicon) -> tuple[str, list[tuple[str, str]]]:
    out, pairs, at = "", [], 0
    while at < len(text):
        word = next((w for w in known.by_first.get(text[at], ()) if text.startswith(w, at)), text[at])
        meant = known.words.get(word, word)
        if meant != word:
            pairs.append((word, meant))
        out += meant
        at += len(word)
    return out, pairs


def reasons(
    desk: Desk,
    told: Sequence[str],
    replaced: Collection[tuple[str, str]],
    opposed: tuple[str, str] | None = None,
) -> list[str]:
    """The matcher's reasons as sentences: without fragments that are no words, and with the words that were
    read as others. `opposed` are the facts that contradict, the question's first."""
    lines = []
    for reason in told:
        label, _, rest = reason.partition("：")
        key = _REASONS.get(label)
        if key is None:
            lines.append(reason)
        elif key == "opposite" and opposed:
            lines.append(desk.t("trybox.reason_opposite_facts", asked=opposed[0], held=opposed[1]))
        elif not rest:
            lines.append(desk.t(f"trybox.reason_{key}", words=""))
        elif parts := list(dict.fromkeys(filter(None, map(_as_word, rest.split("、"))))):
            named = desk.t("list.comma").join(_with_said(part, replaced) for part in parts)
            lines.append(desk.t(f"trybox.reason_{key}", words=named))
    return lines


def opposing(words: str, phrasing: str, known: Lexicon) -> tuple[str, str] | None:
    """The two facts of a pair that decides a case (本市 / 外省市) on whose different sides two texts lie."""
    asked, held = (form(normalise(text, known), known) for text in (words, phrasing))
    for pair, places in asked.stances.items():
        others = held.stances.get(pair, frozenset())
        if others and not places & others:
            sides = known.opposites[pair]
            one = next((word for word, place in sides if place in places and word in asked.text), "")
            other = next((word for word, place in sides if place in others and word in held.text), "")
            return (one, other) if one and other else None
    return None


def _as_word(fragment: str) -> str:
    """What a person can read of a fragment; empty if that is nothing."""
    if len(fragment) < 2 or _EMPTY.fullmatch(fragment):
        return ""
    word = _ENDS.sub("", fragment)
    return word if len(word) > 1 else fragment


def _with_said(part: str, replaced: Collection[tuple[str, str]]) -> str:
    """「外地＝外省市」 for a part that was written otherwise, with what stands around it kept."""
    for said, meant in replaced:
        if meant and part == meant:
            return f"{said}＝{meant}"
    notes = "，".join(f"{said}＝{meant}" for said, meant in replaced if meant and meant in part)
    return f"{part}（{notes}）" if notes else part


def _candidate(desk: Desk, candidate: Candidate, held: Held, ids: Collection[int]) -> dict[str, Any]:
    topic = held.version.topic
    return {
        "id": held.entry.id,
        "no": held.entry.entry_no,
        "number": held.version.number,
        "question": held.version.question,
        "topic": topics()[topic].meaning if topic in topics() else topic,
        "audience": desk.t(f"audience.{held.version.audience}"),
        "scope": held.unit.name,
        "probability": _percent(candidate.probability),
        "phrasing": candidate.phrasing,
        "shown": held.entry.id in ids,
    }


def _reasons(
    desk: Desk, candidate: Candidate, words: str, replaced: Collection[tuple[str, str]], known: Lexicon
) -> list[str]:
    return reasons(desk, candidate.reasons, replaced, opposing(words, candidate.phrasing, known))


def _was(desk: Desk, candidate: Candidate, before: Asked) -> str:
    """How sure the other base was of this entry; empty where a person would see no difference."""
    known = {other.entry_id: other.probability for other in before.outcome.candidates}
    if candidate.entry_id not in known:
        return desk.t("trybox.was_absent")
    was = _percent(known[candidate.entry_id])
    return "" if was == _percent(candidate.probability) else desk.t("trybox.was", sure=was)


def _reply(desk: Desk, key: str, words: str, outcome: Outcome, offered: Sequence[Held]) -> str:
    """What the asker reads besides an answer; empty for an answer."""
    if key == "near":
        ours = in_our_field(words)
        head = desk.t("near" if ours else "near_doubtful")
        choices = [held.version.question for held in offered]
        if isinstance(outcome, AskBack):
            asked = desk.t(f"case.{outcome.fact}.ask")
            head = asked if ours else desk.t("case.doubtful", asked=asked)
            choices = [desk.t(f"case.{outcome.fact}.{value}") for value in outcome.values]
        return "\n".join([head, *(f"{place}. {words}" for place, words in enumerate(choices, start=1))])
    return {"miss": desk.t("trybox.miss_reply"), "off_topic": desk.t("out_of_scope")}.get(key, "")


async def _card(desk: Desk, held: Held, place: Place) -> dict[str, Any]:
    """The answer as the web chat shows it, and as plain text for the other channels."""
    office = await units.election_office(desk.session)
    dates = calendar.variables(await elections.spans(desk.session, desk.now), place.day)
    content = await content_of(desk.session, held.version)
    made = preview(held.entry, held.version, content, held.unit, dates, office)
    return {
        "no": held.entry.entry_no,
        "number": held.version.number,
        "web": made,
        "text": _as_text(made, held) if made else "",
    }


def _as_text(made: Mapping[str, Any], held: Held) -> str:
    """The fields of an answer in the order in which chats without layout get them."""
    lines = [f"【{made['question']}】", f"👉 {made['short']}"]
    if made["paragraphs"]:
        lines += ["", *made["paragraphs"]]
    if made["steps"]:
        lines += ["", *(f"{number}. {step}" for number, step in enumerate(made["steps"], start=1))]
    if made["documents"]:
        lines.append(say("answer.documents", list="、".join(made["documents"])))
    lines += ["", say("answer.basis", basis="；".join(made["basis"]), scope=made["scope"])]
    lines.append(
        say(
            "answer.passport", no=held.entry.entry_no, number=held.version.number, date=made["date"],
            issuer=made["issuer"], group=held.version.group,
        )
    )  # fmt: skip
    return "\n".join(lines)


def _percent(value: float) -> str:
    return f"{value:.1%}"
