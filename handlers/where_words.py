"""The wizard in words: questions, the summary before the result, and the result, for chat and page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

from handlers.turn import Turn
from handlers.where_memory import Memory
from knowledge import wizard
from knowledge.eligibility import Verdict, applying, decide
from knowledge.pack_parts import UNSURE
from knowledge.packs import Option, RulePack, Slot
from knowledge.rules import RegionContact
from office.units import Unit
from office.words import say

NUMBERS = "①②③④⑤⑥⑦⑧⑨⑩"
# The district has to enter its wording; once it has signed one, that holds.
LOCAL = "LOCAL"
# What is answered with the place of household, or with a choice of which it is one.
AT_HOUSEHOLD = frozenset({"reg_where_hukou", "reg_where_retired", "reg_separation"})
# Where nobody registers, no station is of use.
NO_STATION = frozenset({"foreign_hkmt", "age"})
# From so many options on, there is no room for one more.
MANY = 5
# What the words of a case leave unsaid, and is then taken as not there.
CERTIFICATE = "cert"


@dataclass(frozen=True, slots=True)
class Result:
    """What a decided case is told, in one language; every text is plain and still to be escaped."""

    case: str
    answer: str
    steps: tuple[str, ...]
    bring: tuple[str, ...]
    notes: tuple[str, ...]
    basis: tuple[str, ...]
    scope: str
    rules: str
    version: str
    since: str
    group: str
    ticket: bool
    stations: bool


def result(
    pack: RulePack,
    verdict: Verdict,
    lang: str,
    *,
    office: Unit,
    contacts: Sequence[RegionContact] = (),
    said: str = "",
    words: Mapping[str, str] = wizard.NOTHING_SAID,
) -> Result:
    """The words for a verdict. `said` is what the asker wrote, which may name another district; `words` are
    the asker's for what is none of the options."""
    leaf = verdict.leaf
    version = str(pack.version)
    if leaf.edition:
        version += " · " + say("wizard.edition", lang, number=leaf.edition)
    return Result(
        case=joined(pack, verdict.facts, lang, words),
        answer=leaf.answer_in(lang),
        steps=leaf.steps_in(lang),
        bring=leaf.bring_in(lang),
        notes=_notes(pack, verdict, lang, office, contacts, said),
        basis=tuple(citation.long for citation in leaf.basis),
        scope=office.name,
        rules=pack.name_in(lang),
        version=version,
        since=pack.effective_from.isoformat(),
        group=leaf.group,
        ticket=leaf.ticket,
        stations=leaf.topic not in NO_STATION,
    )


def _notes(
    pack: RulePack,
    verdict: Verdict,
    lang: str,
    office: Unit,
    contacts: Sequence[RegionContact],
    said: str,
) -> tuple[str, ...]:
    notes = []
    in_region = verdict.facts.get(pack.household.slot) == pack.household.region
    if in_region and verdict.leaf.topic in AT_HOUSEHOLD:
        notes.append(_other_district(lang, office, contacts, said))
    if LOCAL in verdict.leaf.flags and not verdict.leaf.edition:
        notes.append(say("wizard.local", lang))
    return tuple(notes)


def _other_district(lang: str, office: Unit, contacts: Sequence[RegionContact], said: str) -> str:
    """Whom to ask where the household is: the office the words name, else how to find it."""
    named = [contact for contact in contacts if any(word in said for word in contact.says)]
    if len(named) != 1:
        return say("wizard.other_district_unknown", lang, phone=office.phone)
    (found,) = named
    return say(
        "wizard.other_district", lang, name=found.name, office=found.office, phone=found.phone,
        hours=found.hours, address=found.address,
    )  # fmt: skip


def joined(
    pack: RulePack, facts: Mapping[str, str], lang: str, said: Mapping[str, str] = wizard.NOTHING_SAID
) -> str:
    """外省市户口，在职，没有证明: the answers in words; empty while there are none."""
    return say("wizard.joint", lang).join(filter(None, wizard.summary(pack, facts, lang, said)))


def no_room(slot: Slot) -> bool:
    """Whether the question has many options and none for who finds themselves in none of them."""
    return len(slot.options) >= MANY and slot.option(UNSURE) is None


def question(
    turn: Turn, pack: RulePack, slot: Slot, facts: Mapping[str, str], lead: str, memory: Memory
) -> str:
    """One question, its options numbered for channels without buttons; `lead` stands before it."""
    lines = [f"<i>{line}</i>" for line in lead.splitlines()]
    if said := joined(pack, facts, turn.lang, memory.words):
        lines.append(f"<i>{turn.words('wizard.so_far', facts=escape(said))}</i>")
    lines.append(f"<b>{escape(slot.ask_in(turn.lang))}</b>")
    lines += [
        f"{number}. {escape(option.label_in(turn.lang))}" for number, option in enumerate(slot.options, 1)
    ]
    if no_room(slot):
        lines.append(turn.words("wizard.none_fits"))
    return "\n".join(lines)


def summary(turn: Turn, pack: RulePack, facts: Mapping[str, str], memory: Memory) -> str:
    """What is understood, to be confirmed before the result; what nobody said is shown as that."""
    text = turn.words("wizard.summary", facts=escape(joined(pack, facts, turn.lang, memory.words)))
    if CERTIFICATE in memory.guessed and CERTIFICATE in applying(pack, facts):
        text += "\n" + turn.words("wizard.guessed")
    return text


def answer(turn: Turn, found: Result) -> str:
    """The result as a message; the large-print view keeps to what must be known now."""
    title = f"<b>【{turn.words('wizard.title')}】</b>"
    lines = [title] if turn.large else [title, turn.words("wizard.your_case", facts=escape(found.case))]
    lines.append(f"👉 {escape(found.answer)}")
    lines += [f"{NUMBERS[place]} {escape(step)}" for place, step in enumerate(found.steps)]
    if found.bring:
        listed = " ".join(f"{NUMBERS[place]} {escape(paper)}" for place, paper in enumerate(found.bring))
        lines.append(turn.words("wizard.bring", list=listed))
    lines += [escape(note) for note in found.notes]
    lines.append("")
    if found.basis:
        basis = "；".join(escape(citation) for citation in found.basis)
        lines.append(f"<i>{turn.words('wizard.basis', basis=basis, scope=escape(found.scope))}</i>")
    else:
        lines.append(f"<i>{turn.words('wizard.scope', scope=escape(found.scope))}</i>")
    passport = turn.words(
        "wizard.passport_brief" if turn.large else "wizard.passport", pack=escape(found.rules),
        version=escape(found.version), date=found.since, group=escape(found.group),
    )  # fmt: skip
    return "\n".join([*lines, f"<i>{passport}</i>"])


def besides(pack: RulePack, facts: Mapping[str, str]) -> list[tuple[Option, dict[str, str]]]:
    """What may be added to a decided case and change its answer, with the facts that hold then.

    These are answers to what is never asked, because few need it. Offered is what changes the answer to the
    same question; what makes another question of it, such as age, is taken up if the asker speaks of it.
    """
    decided = decide(pack, facts)
    found = []
    for slot in pack.slots:
        for option in slot.options if not slot.asked and slot.code not in facts else ():
            more = {**facts, slot.code: option.code}
            other = decide(pack, more)
            if decided is None or other is None or option.code not in slot.sure:
                continue
            if other.leaf != decided.leaf and other.leaf.topic == decided.leaf.topic:
                found.append((option, more))
    return found
