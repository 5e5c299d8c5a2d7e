"""How answers, tickets and refusals are put into words: escaped HTML, a few short lines, then buttons."""

from __future__ import annotations

from datetime import datetime
from html import escape

from knowledge.answer import Answer
from knowledge.calendar import WEEKDAYS
from office.errors import DeskError
from office.hours import BEIJING
from office.words import CHINESE, say
from ticketing.records import Ticket

LONGEST_MESSAGE = 4096
TITLE = 60


def spoken_time(at: datetime) -> str:
    """11月20日（周五）17:30, Beijing time."""
    local = at.astimezone(BEIJING)
    return f"{local.month}月{local.day}日（周{WEEKDAYS[local.weekday()]}）{local:%H:%M}"


def answer(found: Answer, lang: str = CHINESE, *, brief: bool = False) -> str:
    """An approved answer with its passport; `brief` keeps to the short answer, for the large-print view."""
    lines = [f"<b>【{escape(found.question[:TITLE])}】</b>", escape(found.short)]
    if brief:
        passport = say("answer.passport_brief", lang, no=found.entry_no, number=found.number)
        return "\n".join([*lines, f"<i>{passport}</i>"])
    if found.full:
        lines += ["", escape(found.full)]
    if found.steps:
        lines.append("")
        lines += [f"{number}. {escape(step)}" for number, step in enumerate(found.steps, start=1)]
    if found.documents:
        lines.append(say("answer.documents", lang, list="、".join(escape(d) for d in found.documents)))
    basis = "；".join(escape(citation) for citation in found.basis)
    lines += ["", f"<i>{say('answer.basis', lang, basis=basis, scope=escape(found.scope))}</i>"]
    passport = say(
        "answer.passport", lang, no=found.entry_no, number=found.number,
        date=found.published_on.isoformat(), issuer=escape(found.issuer), group=escape(found.group),
    )  # fmt: skip
    lines.append(f"<i>{passport}</i>")
    return "\n".join(lines)


def ticket_opened(ticket: Ticket, lang: str, *, key: str = "miss") -> str:
    """The honest miss: number, code and promised time."""
    return say(
        key, lang, no=ticket.ticket_no, key=ticket.progress_code, promise=spoken_time(ticket.promised_at)
    )


def progress(ticket: Ticket, lang: str) -> str:
    """Where a ticket stands, in the asker's words."""
    return say(
        "progress", lang, no=ticket.ticket_no, key=ticket.progress_code,
        state=say(f"asker_state.{ticket.state.value}", lang),
        promise=spoken_time(ticket.promised_at), asked=escape(ticket.words[:60]),
    )  # fmt: skip


def refusal(error: DeskError, lang: str) -> str:
    """A refusal in words."""
    facts = {
        key: spoken_time(value) if isinstance(value, datetime) else value
        for key, value in error.facts.items()
    }
    return say(error.key, lang, **facts)


def parts(text: str, limit: int = LONGEST_MESSAGE) -> list[str]:
    """Split a long message at line ends, numbered (1/2), (2/2); a tag is never cut.

    Our messages open and close each tag within one line, so a line end is always outside of tags; a single
    line over the limit carries no tags and is cut by length.
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
            pieces.append(fresh[:room])
            fresh = fresh[room:]
        joined = f"{current}\n{fresh}" if current else fresh
        if len(joined) > room:
            pieces.append(current)
            current = fresh
        else:
            current = joined
    if current.strip():
        pieces.append(current)
    return [f"{piece}\n({number}/{len(pieces)})" for number, piece in enumerate(pieces, start=1)]
