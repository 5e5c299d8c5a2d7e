"""How answers, tickets and refusals are put into words: escaped HTML, a few short lines, then buttons."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, datetime
from html import escape

from knowledge import tip_numbers
from knowledge.answer import Answer
from knowledge.calendar import WEEKDAYS, brief
from office.errors import DeskError
from office.hours import BEIJING
from office.words import CHINESE, say
from ticketing.records import OPEN_STATES, Ticket

LONGEST_MESSAGE = 4096
TITLE = 60
ASKED = 60
DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_ARTICLE = re.compile(r"(.+?)(第[一二三四五六七八九十百零〇0-9]+条.*)")
_SENTENCE = re.compile(r"[^。！？!?；;]+[。！？!?；;]*")


def spoken_time(at: datetime, lang: str = CHINESE) -> str:
    """11月20日（周五）17:30, Beijing time; in other languages with the zone named."""
    local = at.astimezone(BEIJING)
    if lang != CHINESE:
        return f"{DAYS[local.weekday()]} {local.day} {MONTHS[local.month - 1]} {local:%H:%M} (Beijing time)"
    return f"{local.month}月{local.day}日（周{WEEKDAYS[local.weekday()]}）{local:%H:%M}"


def answer(found: Answer, lang: str = CHINESE, *, brief: bool = False) -> str:
    """An approved answer with its passport; `brief` keeps to the short answer, for the large-print view.

    The short answer comes first. Sentences of the longer text that it has said already are left out.
    """
    lines = [f"<b>【{escape(found.question[:TITLE])}】</b>", f"👉 {escape(found.short)}"]
    if not brief:
        if more := _not_said_before(found.full, found.short):
            lines += ["", escape(more)]
        if found.steps:
            lines.append("")
            lines += [f"{number}. {escape(step)}" for number, step in enumerate(found.steps, start=1)]
        if documents := [d for d in found.documents if _bare(d) not in _bare(found.short + found.full)]:
            lines.append(say("answer.documents", lang, list="、".join(escape(d) for d in documents)))
    basis = escape(_cited(found.basis))
    lines += ["", f"<i>{say('answer.basis', lang, basis=basis, scope=escape(found.scope))}</i>"]
    passport = say(
        "answer.passport_brief" if brief else "answer.passport", lang,
        no=found.entry_no, number=found.number, date=found.published_on.isoformat(),
        issuer=escape(found.issuer), group=escape(found.group),
    )  # fmt: skip
    if found.tip:
        passport = f"{passport} · {say('answer.tip', lang, tip=tip_numbers.written(*found.tip))}"
    lines.append(f"<i>{passport}</i>")
    return "\n".join(lines)


def _cited(citations: Sequence[str]) -> str:
    """Citations one after the other; a law that is cited twice in a row is named once."""
    cited = ""
    named = ""
    for citation in citations:
        found = _ARTICLE.fullmatch(citation)
        law, article = (found[1], found[2]) if found else (citation, "")
        if cited and article and law == named:
            cited += f"、{article}"
        else:
            cited += f"；{citation}" if cited else citation
        named = law
    return cited


def _not_said_before(text: str, before: str) -> str:
    said = _bare(before)
    kept = []
    for line in text.strip().split("\n"):
        sentences = [sentence for sentence in _SENTENCE.findall(line) if _bare(sentence)]
        fresh = "".join(sentence for sentence in sentences if _bare(sentence) not in said)
        if fresh.strip():
            kept.append(fresh.strip())
    return "\n".join(kept)


def _bare(text: str) -> str:
    return "".join(char for char in text if char.isalnum())


def ticket_opened(ticket: Ticket, lang: str, *, key: str = "miss") -> str:
    """The honest miss: number, code and promised time."""
    return say(
        key, lang, no=ticket.ticket_no, key=ticket.progress_code,
        promise=spoken_time(ticket.promised_at, lang),
    )  # fmt: skip


def progress(ticket: Ticket, lang: str, lead: Ticket | None = None) -> str:
    """Where a ticket stands, in the asker's words; a promise is named only while it is owed.

    `lead` is the ticket it was joined to, where it was: its state and promise count.
    """
    lead = lead or ticket
    asked = ticket.words.replace("\n", " ")
    return say(
        "progress" if lead.state in OPEN_STATES else "progress_over", lang,
        no=ticket.ticket_no, key=ticket.progress_code,
        state=say(f"asker_state.{lead.state.value}", lang),
        promise=spoken_time(lead.promised_at, lang),
        asked=escape(asked[:ASKED] + ("…" if len(asked) > ASKED else "")),
    )  # fmt: skip


def refusal(error: DeskError, lang: str) -> str:
    """A refusal in words."""
    facts = {
        key: spoken_time(value, lang)
        if isinstance(value, datetime)
        else brief(value, lang)
        if isinstance(value, date)
        else value
        for key, value in error.facts.items()
    }
    return say(error.key, lang, **facts)


def parts(text: str, limit: int = LONGEST_MESSAGE) -> list[str]:
    """Split a long message at line ends, numbered (1/2), (2/2); a tag is never cut.

    Our messages open and close each tag within one line, so a line end is always outside of tags; a single
    line over the limit carries no tags and is cut by length, between the characters it stands for.
    """
    if len(text) <= limit:
        return [text]
    room = limit - 8
    pieces: list[str] = []
    current = ""
    for line in text.split("\n"):
        fresh = line
        while len(fresh) > room:
            if current:
                pieces.append(current)
                current = ""
            cut = _whole_entities(fresh, room)
            pieces.append(fresh[:cut])
            fresh = fresh[cut:]
        joined = f"{current}\n{fresh}" if current else fresh
        if len(joined) > room:
            pieces.append(current)
            current = fresh
        else:
            current = joined
    if current.strip():
        pieces.append(current)
    return [f"{piece}\n({number}/{len(pieces)})" for number, piece in enumerate(pieces, start=1)]


def _whole_entities(line: str, at: int) -> int:
    # The longest entity that escaping makes is &quot; or &#x27;, six characters.
    start = line.rfind("&", at - 6, at)
    return start if start > 0 and line.find(";", start, at) < 0 else at
